/*
 * The way of a client: name, address, TLS, request, answer; and the events of its stream, which it
 * hands on once it is open. Says at which step it failed, and why.
 */
#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/outbound/ws_answer.h"
#include "core/outbound/ws_parts.h"

/* The rest of a refusal's body is waited for so long. */
#define BODY_MS 2000

/* False: the owner has let go, or ended it. */
static bool pass(struct mw_ws_client *client, enum mw_ws_step next)
{
    uint64_t now_us = mw_clock_monotonic_us();
    enum mw_ws_step step = client->path.step;
    client->path.took_us[step] = now_us - client->step_began_us;
    client->path.passed[step] = true;
    client->path.step = next;
    client->step_began_us = now_us;
    if (client->events->passed)
        client->events->passed(client->owner, step);
    return !client->is_let_go && !client->is_ended;
}

/* ---- name and address ---- */

static void copy_addresses(struct mw_ws_client *client, const struct mw_dial *dial)
{
    struct mw_ws_path *path = &client->path;
    path->address_count = mw_dial_count(dial);
    path->addresses = client->addresses;
    memcpy(client->addresses, mw_dial_addresses(dial),
           path->address_count * sizeof *client->addresses);
    for (size_t i = 0; i < path->address_count; i++) {
        if (client->addresses[i].state == MW_DIAL_CONNECTED)
            path->address = &client->addresses[i];
    }
}

static void on_resolved(void *owner, const struct mw_dial *dial)
{
    struct mw_ws_client *client = owner;
    copy_addresses(client, dial);
    (void)pass(client, MW_WS_CONNECT);
}

static enum mw_ws_fault fault_of_dial(const struct mw_dial *dial)
{
    switch (mw_dial_fault(dial)) {
    case MW_DIAL_FAULT_RESOLVE:
        return MW_WS_FAULT_no_address;
    case MW_DIAL_FAULT_NOMEM:
        return MW_WS_FAULT_no_memory;
    case MW_DIAL_FAULT_NONE:
    case MW_DIAL_FAULT_CONNECT:
        break;
    }
    return MW_WS_FAULT_no_connection;
}

static void write_request(struct mw_ws_client *client)
{
    struct mw_view bytes = mw_buf_view(&client->request);
    long taken = mw_stream_write(client->stream, &bytes, 1);
    if (taken < 0)
        return; /* the stream's end follows */
    client->in_flight = bytes.len - (size_t)taken;
    client->is_asking = client->in_flight > 0;
}

static bool put_tls_on(struct mw_ws_client *client)
{
    struct mw_outbound *outbound = client->outbound;
    if (!client->tls_ctx)
        return true;
    client->stream =
        mw_tls_connect(outbound->tls, client->tls_ctx, client->stream, client->url.host);
    return client->stream;
}

static void on_dialled(void *owner, const struct mw_dial *dial, struct mw_stream *stream)
{
    struct mw_ws_client *client = owner;
    copy_addresses(client, dial);
    client->dial = NULL;
    if (!stream) {
        mw_ws_fail(client, fault_of_dial(dial), mw_dial_error(dial));
        return;
    }
    client->stream = stream;
    if (!put_tls_on(client)) {
        mw_ws_fail(client, MW_WS_FAULT_no_memory, NULL);
        return;
    }
    mw_stream_attach(client->stream, &mw_ws_stream_events, client);
    client->path.is_secure = client->tls_ctx;
    if (!pass(client, client->tls_ctx ? MW_WS_SECURE : MW_WS_UPGRADE))
        return;
    mw_alarm_set(client->outbound->loop, &client->alarm,
                 mw_ms_add(mw_ws_now(client), client->handshake_wait_ms));
    mw_stream_set_reading(client->stream, true);
    write_request(client);
}

const struct mw_dial_events mw_ws_dial_events = {
    .resolved = on_resolved,
    .done = on_dialled,
};

/* ---- TLS ---- */

/*
 * The stream tells of no handshake, but nothing is written or read before it is over. False: the
 * owner has let go.
 */
static bool look_at_tls(struct mw_ws_client *client)
{
    if (client->path.is_secure)
        client->path.peer = mw_tls_peer(client->stream);
    if (client->path.step != MW_WS_SECURE || !mw_stream_tls(client->stream, &client->path.tls))
        return true;
    return pass(client, MW_WS_UPGRADE);
}

/* ---- the answer ---- */

static void keep_first(struct mw_ws_client *client, const char *bytes, size_t len)
{
    size_t room = sizeof client->first - client->first_len;
    size_t taken = len < room ? len : room;
    memcpy(client->first + client->first_len, bytes, taken);
    client->first_len += taken;
}

/* Bytes of the body that are wanted: all of it, where it says how long it is. */
static size_t body_room(const struct mw_ws_client *client)
{
    const struct mw_http_head *head = mw_http_reader_head(client->reader);
    struct mw_view length = mw_http_header(head, "content-length", NULL);
    uint64_t announced;
    if (!mw_parse_u64(length, 0, MW_WS_BODY_MAX, &announced))
        announced = MW_WS_BODY_MAX;
    return (size_t)announced - client->body.len;
}

/* The body is worth waiting for: it may say why, and when to come back. */
static void take_body(struct mw_ws_client *client, const char *bytes, size_t len)
{
    size_t room = body_room(client);
    if (len > 0)
        (void)mw_buf_put(&client->body, bytes, len < room ? len : room);
    if (len >= room)
        mw_ws_fail(client, MW_WS_FAULT_refused, NULL);
}

static void refuse(struct mw_ws_client *client, const char *bytes, size_t len)
{
    client->is_refused = true;
    mw_alarm_set(client->outbound->loop, &client->alarm, mw_ws_now(client) + BODY_MS);
    take_body(client, bytes, len);
}

static void open_up(struct mw_ws_client *client, char *bytes, size_t len)
{
    client->is_open = true;
    mw_ws_talk_begin(client);
    if (!pass(client, MW_WS_OPEN))
        return;
    if (client->events->opened)
        client->events->opened(client->owner, &client->answer);
    if (!client->is_let_go && !client->is_ended)
        mw_ws_talk_read(client, bytes, len);
}

static void judge_answer(struct mw_ws_client *client, char *bytes, size_t len)
{
    const struct mw_http_head *head = mw_http_reader_head(client->reader);
    mw_ws_answer_read(&client->answer, head);
    client->path.answer = &client->answer;
    if (head->status != 101) {
        refuse(client, bytes, len);
        return;
    }
    const char *wrong = mw_ws_answer_check(&client->answer, head, client->key, client->protocols,
                                           client->protocol_count, &client->terms);
    if (wrong)
        mw_ws_fail(client, MW_WS_FAULT_bad_answer, wrong);
    else
        open_up(client, bytes, len);
}

static bool looks_like_http(const struct mw_ws_client *client)
{
    static const char begin[] = "HTTP/";
    size_t len = client->first_len < sizeof begin - 1 ? client->first_len : sizeof begin - 1;
    return memcmp(client->first, begin, len) == 0;
}

/* RFC 9110 15.2: any number of these may come before the answer, from whatever is in front. */
static bool is_interim(const struct mw_ws_client *client)
{
    unsigned status = mw_http_reader_head(client->reader)->status;
    return status >= 100 && status <= 199 && status != 101;
}

static bool forget_answer(struct mw_ws_client *client)
{
    mw_http_reader_free(client->reader);
    client->reader = mw_http_reader_new(client->mem, MW_HTTP_RESPONSE);
    client->first_len = 0;
    if (!client->reader)
        mw_ws_fail(client, MW_WS_FAULT_no_memory, NULL);
    return client->reader;
}

/* The length of an interim answer, behind which another one begins; 0: there is nothing to go on
 * with. */
static size_t read_head(struct mw_ws_client *client, char *bytes, size_t len)
{
    struct mw_http_refusal refusal;
    size_t used = 0;
    keep_first(client, bytes, len);
    if (!looks_like_http(client)) {
        mw_ws_fail(client, MW_WS_FAULT_not_http, NULL);
        return 0;
    }
    switch (mw_http_reader_feed(client->reader, mw_view(bytes, len), &used, &refusal)) {
    case MW_OK:
        if (is_interim(client))
            return forget_answer(client) ? used : 0;
        judge_answer(client, bytes + used, len - used);
        return 0;
    case MW_ERR_AGAIN:
        return 0;
    case MW_ERR_NOMEM:
        mw_ws_fail(client, MW_WS_FAULT_no_memory, NULL);
        return 0;
    default:
        mw_ws_fail(client, MW_WS_FAULT_not_http, refusal.text);
        return 0;
    }
}

static void read_answer(struct mw_ws_client *client, char *bytes, size_t len)
{
    size_t used;
    while (len > 0 && (used = read_head(client, bytes, len)) > 0) {
        bytes += used;
        len -= used;
    }
}

/* ---- the stream ---- */

static void on_read(void *owner, char *bytes, size_t len)
{
    struct mw_ws_client *client = owner;
    client->last_read_ms = mw_ws_now(client);
    if (client->is_ended || client->is_let_go || !look_at_tls(client))
        return;
    if (client->is_open)
        mw_ws_talk_read(client, bytes, len);
    else if (client->is_refused)
        take_body(client, bytes, len);
    else
        read_answer(client, bytes, len);
}

static const char *how_it_was_cut(const struct mw_ws_client *client, enum mw_stream_end how)
{
    bool is_reset = how == MW_STREAM_RESET;
    if (client->path.step == MW_WS_SECURE)
        return is_reset ? "the connection was reset during the handshake of TLS"
                        : "the connection was closed during the handshake of TLS";
    if (client->first_len > 0)
        return is_reset ? "the connection was reset in the middle of the answer"
                        : "the connection was closed in the middle of the answer";
    return is_reset ? "the connection was reset without an answer to the handshake"
                    : "the connection was closed without an answer to the handshake";
}

static void end_on_the_way(struct mw_ws_client *client, enum mw_stream_end how)
{
    if (how == MW_STREAM_TLS_ERROR)
        mw_ws_fail(client, MW_WS_FAULT_tls, mw_stream_fault(client->stream));
    else if (client->is_refused)
        mw_ws_fail(client, MW_WS_FAULT_refused, NULL);
    else
        mw_ws_fail(client, MW_WS_FAULT_cut, how_it_was_cut(client, how));
}

static void on_end(void *owner, enum mw_stream_end how)
{
    struct mw_ws_client *client = owner;
    client->is_stream_over = true;
    if (client->is_ended) {
        mw_ws_close_stream(client, false);
        return;
    }
    if (client->is_let_go || !look_at_tls(client))
        return;
    if (client->is_open)
        mw_ws_talk_end(client, how);
    else
        end_on_the_way(client, how);
}

static void on_written(void *owner)
{
    struct mw_ws_client *client = owner;
    size_t bytes = client->in_flight;
    client->in_flight = 0;
    bool was_asking = client->is_asking;
    client->is_asking = false;
    if (client->has_conn && !was_asking)
        mw_conn_written(&client->conn, bytes, mw_ws_now(client));
    if (!client->is_ended && !client->is_let_go && !look_at_tls(client))
        return;
    if (client->has_conn)
        mw_ws_later(client);
}

static void on_closed(void *owner)
{
    struct mw_ws_client *client = owner;
    client->stream = NULL;
    client->path.peer = NULL;
    mw_ws_reap(client);
}

const struct mw_stream_events mw_ws_stream_events = {
    .read = on_read,
    .end = on_end,
    .written = on_written,
    .closed = on_closed,
};

void mw_ws_way_alarm(struct mw_ws_client *client)
{
    if (client->is_refused)
        mw_ws_fail(client, MW_WS_FAULT_refused, NULL);
    else
        mw_ws_fail(client, MW_WS_FAULT_timeout,
                   client->path.step == MW_WS_SECURE ? "the handshake of TLS took too long"
                                                     : "no answer to the handshake came in time");
}
