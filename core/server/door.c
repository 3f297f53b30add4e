/*
 * Looks at the first bytes of a connection: a PROXY header where the peer may send one, then what
 * the port speaks. Whoever is wrong here is told so, in the log too; the rest becomes a client with
 * the bytes that were read. Called by the listener; what comes after is client's.
 */
#include "core/server/door.h"

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/proto/proxy.h"
#include "core/server/client.h"
#include "core/server/worker.h"

struct door {
    struct mw_worker *worker;
    struct mw_stream *stream;
    struct mw_alarm alarm;
    struct mw_link in_worker;
    struct mw_ip peer;  /* who has sent the bytes; kept, for a stream forgets it at a reset */
    struct mw_ip from;  /* the same, or by the PROXY header */
    bool is_proxy;      /* it must begin with a header, and is believed */
    bool is_introduced; /* that is over, one way or the other */
    bool is_closing;
    bool is_last; /* it has one of the last descriptors */
    mw_ms at_ms;
    struct mw_buf held; /* what came and is not used up */
};

/* What a step comes to. */
enum step {
    STEP_WAIT, /* more bytes are needed */
    STEP_ON,
    STEP_GONE, /* the door is closed, or freed */
};

static void door_free(struct door *door)
{
    struct mw_worker *worker = door->worker;
    mw_alarm_stop(worker->loop, &door->alarm);
    mw_list_remove(&door->in_worker);
    mw_buf_free(&door->held);
    mw_free(&worker->mem, door, sizeof *door);
    mw_worker_door_gone(worker);
}

static void door_close(struct door *door, bool reset)
{
    if (door->is_closing)
        return;
    door->is_closing = true;
    mw_alarm_stop(door->worker->loop, &door->alarm);
    mw_stream_close(door->stream, reset);
}

/* ---- what is told of those who do not get in ---- */

static void tell(const struct door *door, enum mw_log_level level, const char *what,
                 const char *error, const char *hint)
{
    struct mw_worker *worker = door->worker;
    struct mw_log_line line;
    char peer[MW_IP_TEXT_LEN];
    mw_ip_text(&door->from, peer);
    mw_rare_begin(&worker->strangers, mw_loop_now(worker->loop), &line, worker->log, level, what);
    mw_log_text(&line, "peer", mw_view_text(peer));
    mw_log_text(&line, "error", mw_view_text(error));
    if (*hint)
        mw_log_text(&line, "hint", mw_view_text(hint));
    mw_log_end(&line);
}

/* ---- the ways out ---- */

/* The door is no more; its stream, or the one that stands on top of it, is a client's. */
static void let_in(struct door *door, struct mw_stream *stream, bool with_bytes,
                   const struct mw_http_refusal *why)
{
    struct mw_worker *worker = door->worker;
    struct mw_buf held = door->held;
    const struct mw_arrival arrival = {
        .stream = stream,
        .from = door->from,
        .first = held.data,
        .first_len = with_bytes ? held.len : 0,
        .at_ms = door->at_ms,
        .is_last = door->is_last,
    };
    mw_buf_init(&door->held, &worker->mem, 0);
    if (why)
        mw_client_refuse(worker, &arrival, why);
    else
        mw_client_accept(worker, &arrival);
    door_free(door);
    mw_buf_free(&held);
}

static void refuse(struct door *door, const struct mw_http_refusal *why)
{
    let_in(door, door->stream, false, why);
}

static void let_in_by_tls(struct door *door)
{
    struct mw_worker *worker = door->worker;
    mw_stream_set_reading(door->stream, false);
    mw_stream_attach(door->stream, 0, 0);
    struct mw_stream *tls =
        mw_tls_accept(worker->tls_loop, worker->tls, door->stream, mw_buf_view(&door->held));
    if (tls)
        let_in(door, tls, false, 0);
    else
        door_free(door);
}

/* ---- step by step ---- */

static const char off[] = "set proxy_protocol = true if this is a proxy of yours",
                  not_listed[] = "list its address in trusted_proxies if this is a proxy of yours",
                  no_proxy[] =
                      "take it out of trusted_proxies, or switch the PROXY protocol on there";

/* Broken or late: whether it is switched on there at all shows in its first bytes. */
static void tell_of_header(const struct door *door, const char *why)
{
    bool has_begun = mw_proxy_may_begin(mw_buf_view(&door->held));
    tell(door, MW_LOG_WARN, "proxy refused", why, has_begun ? "" : no_proxy);
}

/* Anybody can claim to speak for somebody else. */
static void refuse_stranger(struct door *door)
{
    static const struct mw_http_refusal why = {
        400, "proxy_not_trusted", "a PROXY header is taken from trusted proxies only"
    };
    bool is_listed = mw_config_trusts(door->worker->config, &door->peer);
    tell(door, MW_LOG_WARN, "proxy not trusted", why.text, is_listed ? off : not_listed);
    if (door->worker->tls)
        door_close(door, false);
    else
        refuse(door, &why);
}

static enum step read_proxy_header(struct door *door)
{
    struct mw_view bytes = mw_buf_view(&door->held);
    struct mw_proxy_head head;
    const char *why = "";
    if (door->is_introduced)
        return STEP_ON;
    long len = mw_proxy_read(bytes, &head, &why);
    if (len == MW_ERR_AGAIN)
        return STEP_WAIT;
    door->is_introduced = true;
    if (door->is_proxy && len < 0) {
        tell_of_header(door, why);
        door_close(door, false);
        return STEP_GONE;
    }
    if (!door->is_proxy && mw_proxy_may_begin(bytes)) {
        refuse_stranger(door);
        return STEP_GONE;
    }
    if (door->is_proxy) {
        if (head.from.len)
            door->from = head.from;
        mw_buf_skip(&door->held, (size_t)len);
    }
    return STEP_ON;
}

/* No record of TLS begins with a letter, and every request does. */
static bool is_plain_http(struct mw_view bytes)
{
    char letter = (char)(bytes.data[0] | 0x20);
    return letter >= 'a' && letter <= 'z';
}

static enum step look_for_tls(struct door *door)
{
    static const struct mw_http_refusal why = {
        400, "plain_http_on_tls_port", "this port speaks TLS: use https:// and wss:// here"
    };
    struct mw_view bytes = mw_buf_view(&door->held);
    if (!door->worker->tls)
        return STEP_ON;
    if (bytes.len == 0)
        return STEP_WAIT;
    if (is_plain_http(bytes)) {
        tell(door, MW_LOG_INFO, "plain http on a tls port", why.text, "");
        refuse(door, &why);
    } else {
        let_in_by_tls(door);
    }
    return STEP_GONE;
}

static void look(struct door *door)
{
    enum step step = read_proxy_header(door);
    if (step == STEP_ON)
        step = look_for_tls(door);
    if (step == STEP_ON)
        let_in(door, door->stream, true, 0);
}

/* ---- events ---- */

static void on_read(void *owner, char *bytes, size_t len)
{
    struct door *door = owner;
    if (mw_buf_put(&door->held, bytes, len))
        door_close(door, true);
    else
        look(door);
}

static void on_end(void *owner, enum mw_stream_end how)
{
    door_close(owner, how != MW_STREAM_FIN);
}

static void on_written(void *owner)
{
    (void)owner; /* nothing is written here */
}

static void on_closed(void *owner)
{
    door_free(owner);
}

static const struct mw_stream_events events = {
    .read = on_read, .end = on_end, .written = on_written, .closed = on_closed
};

/* Whoever may speak HTTP at once is the client's, whose own time for a head is over as well. */
static void on_alarm(struct mw_alarm *alarm)
{
    struct door *door = MW_OWNER(alarm, struct door, alarm);
    if (door->worker->stopping) {
        door_close(door, false);
        return;
    }
    if (door->is_proxy && !door->is_introduced)
        tell_of_header(door, "its PROXY header did not come in time");
    if (door->is_proxy || door->worker->tls)
        door_close(door, false);
    else
        let_in(door, door->stream, true, 0);
}

/* ---- for the listener and the worker ---- */

/*
 * False: it is gone already, as after the health check of a proxy that resets. What it has sent
 * could still be read, and would be nobody's.
 */
static bool note_peer(struct door *door)
{
    const struct mw_config *config = door->worker->config;
    char peer[MW_STREAM_ADDRESS_LEN];
    mw_stream_peer(door->stream, peer);
    if (!mw_ip_parse(mw_view_text(peer), &door->peer))
        return false;
    door->from = door->peer;
    door->is_proxy = config->proxy_protocol && mw_config_trusts(config, &door->peer);
    return true;
}

void mw_door_accept(void *ctx, struct mw_stream *stream)
{
    struct mw_worker *worker = ctx;
    struct door *door = mw_alloc_zero(&worker->mem, sizeof *door);
    if (!door) {
        mw_stream_attach(stream, 0, 0);
        mw_stream_close(stream, true);
        return;
    }
    door->worker = worker;
    door->stream = stream;
    door->is_last = mw_listener_is_last(worker->listener);
    door->at_ms = mw_loop_now(worker->loop);
    mw_alarm_init(&door->alarm, on_alarm);
    mw_list_init(&door->in_worker);
    mw_list_push(&worker->doors, &door->in_worker);
    mw_buf_init(&door->held, &worker->mem, 0);
    mw_stream_attach(stream, &events, door);
    if (!note_peer(door)) {
        door_close(door, true);
        return;
    }
    mw_alarm_set(worker->loop, &door->alarm, door->at_ms + MW_DOOR_MS);
    mw_stream_set_reading(stream, true);
}

void mw_door_hurry_all(struct mw_worker *worker, mw_ms span_ms)
{
    mw_ms end_ms = mw_loop_now(worker->loop) + span_ms;
    for (struct mw_link *link = worker->doors.next; link != &worker->doors; link = link->next) {
        struct door *door = MW_OWNER(link, struct door, in_worker);
        if (!door->is_closing)
            mw_alarm_set(worker->loop, &door->alarm, mw_ms_min(door->at_ms + MW_DOOR_MS, end_ms));
    }
}

void mw_door_close_all(struct mw_worker *worker)
{
    for (struct mw_link *link = worker->doors.next; link != &worker->doors; link = link->next)
        door_close(MW_OWNER(link, struct door, in_worker), false);
}
