/*
 * The life of a client: joins a stream with whatever phase it is in, from accept to the stream's
 * closed event. Knows neither HTTP nor frames; those are http_driver and ws_driver.
 *
 * No phase is entered from deep inside another one: what a read, an alarm or a host call leads to
 * is finished at the end of the turn, in settle.
 */
#include "core/server/client.h"

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/server/admit.h"
#include "core/server/away.h"
#include "core/server/comeback.h"
#include "core/server/http_driver.h"
#include "core/server/worker.h"
#include "core/server/ws_driver.h"

static void client_free(struct mw_client *client)
{
    struct mw_worker *worker = client->worker;
    mw_turn_task_remove(&client->settle);
    mw_alarm_stop(worker->loop, &client->alarm);
    mw_http_driver_close(client);
    mw_ws_driver_free(client);
    mw_admit_leave(client);
    mw_slots_remove(&worker->slots, client->id);
    mw_free(&worker->mem, client, sizeof *client);
    mw_worker_client_gone(worker);
}

/* ---- events of the stream ---- */

static const struct mw_stream_events events;

/* Whose the stream is by now: a session's, or nobody's any more. */
static struct mw_client *owner_of(const struct mw_stream *stream)
{
    return stream->events == &events ? stream->owner : 0;
}

/* All that is asked of it is whether it is enough. */
static void note_dropped(struct mw_client *client, size_t len)
{
    size_t room = UINT32_MAX - client->dropped;
    client->dropped += (uint32_t)(len < room ? len : room);
}

static void on_read(void *owner, char *bytes, size_t len)
{
    struct mw_client *client = owner;
    const struct mw_stream *stream = client->stream;
    for (size_t used = len; client && len > 0;
         bytes += used, len -= used, used = len, client = owner_of(stream)) {
        switch ((enum mw_client_phase)client->phase) {
        case MW_CLIENT_HTTP:
        case MW_CLIENT_OPENING:
            used = mw_http_driver_read(client, bytes, len);
            if (used == 0) {
                mw_client_cut(client);
                return;
            }
            break;
        case MW_CLIENT_OPEN:
            mw_ws_driver_read(client, bytes, len);
            break;
        case MW_CLIENT_LINGER: /* the peer has been told that nobody listens */
            note_dropped(client, len);
            break;
        case MW_CLIENT_AWAY:
        case MW_CLIENT_GONE:
            break;
        }
    }
}

static void on_end(void *owner, enum mw_stream_end how)
{
    struct mw_client *client = owner;
    client->ended = how != MW_STREAM_TLS_ERROR; /* then an alert is on its way to the peer */
    switch ((enum mw_client_phase)client->phase) {
    case MW_CLIENT_OPENING:
    case MW_CLIENT_OPEN:
        mw_ws_driver_end(client, how);
        break;
    case MW_CLIENT_HTTP:
        mw_http_driver_end(client, how);
        break;
    case MW_CLIENT_LINGER: /* what is still to be said is said first: settle_linger */
        if (how == MW_STREAM_FIN)
            mw_client_settle_later(client);
        else
            mw_client_drop(client, false);
        break;
    case MW_CLIENT_AWAY:
    case MW_CLIENT_GONE:
        break;
    }
}

static void on_written(void *owner)
{
    struct mw_client *client = owner;
    size_t bytes = client->in_flight;
    client->in_flight = 0;
    if (client->facts)
        mw_ws_driver_wrote(client, bytes);
    mw_client_settle_later(client);
}

static void on_closed(void *owner)
{
    client_free(owner);
}

static char *on_place(void *owner, size_t *room)
{
    struct mw_client *client = owner;
    bool is_fed = client->phase == MW_CLIENT_OPEN && !client->stalled;
    return is_fed ? mw_conn_place(&client->conn, room) : NULL;
}

static const struct mw_stream_events events = { on_read, on_end, on_written, on_closed, on_place };

/* ---- time and the end of the turn ---- */

/* Until then a peer may take nothing of what is left, or send next to nothing when all has left. */
static void set_linger_alarm(struct mw_client *client)
{
    struct mw_loop *loop = client->worker->loop;
    mw_ms span_ms = client->in_flight ? MW_LINGER_STALL_MS : MW_LINGER_MS;
    client->dropped = 0;
    mw_alarm_set(loop, &client->alarm,
                 mw_ms_min(mw_loop_now(loop) + span_ms, client->linger_end_ms));
}

/* Output that is left when a connection lingers; then the half-close, once. */
static void settle_linger(struct mw_client *client)
{
    if (client->facts)
        mw_ws_driver_flush(client);
    if (client->in_flight) {
        set_linger_alarm(client);
    } else if (client->ended) {
        mw_client_drop(client, false);
    } else if (!client->half_closed) {
        client->half_closed = true;
        mw_stream_finish(client->stream);
        set_linger_alarm(client);
    }
}

/*
 * A peer that still takes what is left, or still uploads, is waited for, a bounded time. After a
 * turn that took long this may come before the settling: then nothing has been said yet.
 */
static void linger_on(struct mw_client *client)
{
    if (client->in_flight == 0 && !client->half_closed) {
        settle_linger(client);
        return;
    }
    bool goes_on =
        client->in_flight ? mw_client_advances(client) : client->dropped >= MW_LINGER_UPLOAD_BYTES;
    if (goes_on && mw_loop_now(client->worker->loop) < client->linger_end_ms)
        set_linger_alarm(client);
    else
        mw_client_drop(client, client->in_flight > 0);
}

static void on_alarm(struct mw_alarm *alarm)
{
    struct mw_client *client = MW_OWNER(alarm, struct mw_client, alarm);
    switch ((enum mw_client_phase)client->phase) {
    case MW_CLIENT_HTTP:
        mw_http_driver_alarm(client);
        break;
    case MW_CLIENT_OPENING:
    case MW_CLIENT_OPEN:
        mw_ws_driver_alarm(client);
        break;
    case MW_CLIENT_AWAY:
        mw_away_alarm(client);
        break;
    case MW_CLIENT_LINGER:
        linger_on(client);
        break;
    case MW_CLIENT_GONE:
        break;
    }
}

static void settle(struct mw_turn_task *task)
{
    struct mw_client *client = MW_OWNER(task, struct mw_client, settle);
    if (client->cut_soon && client->phase != MW_CLIENT_GONE) {
        mw_client_cut(client);
        return;
    }
    switch ((enum mw_client_phase)client->phase) {
    case MW_CLIENT_HTTP:
        mw_http_driver_settle(client);
        break;
    case MW_CLIENT_OPENING:
    case MW_CLIENT_OPEN:
        mw_ws_driver_settle(client);
        break;
    case MW_CLIENT_AWAY:
        mw_away_settle(client);
        break;
    case MW_CLIENT_LINGER:
        settle_linger(client);
        break;
    case MW_CLIENT_GONE:
        if (!client->stream)
            client_free(client);
        break;
    }
}

void mw_client_settle_later(struct mw_client *client)
{
    mw_turn_task_add(client->worker->loop, &client->settle);
}

/* ---- for the drivers ---- */

bool mw_client_write(struct mw_client *client, const struct mw_view *vectors, size_t count,
                     size_t *taken)
{
    mw_assert(client->in_flight == 0);
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += vectors[i].len;
    if (MW_NEVER_IF(total > UINT32_MAX))
        return false;
    long n = mw_stream_write(client->stream, vectors, count);
    if (n < 0)
        return false;
    *taken = (size_t)n;
    client->in_flight = (uint32_t)(total - (size_t)n);
    return true;
}

bool mw_client_advances(struct mw_client *client)
{
    if (client->in_flight == 0)
        return false;
    uint32_t before = client->untaken;
    client->untaken = (uint32_t)mw_stream_untaken(client->stream);
    return client->untaken != before;
}

void mw_client_linger(struct mw_client *client)
{
    struct mw_loop *loop = client->worker->loop;
    client->phase = MW_CLIENT_LINGER;
    client->linger_end_ms = mw_loop_now(loop) + MW_LINGER_MAX_MS;
    mw_alarm_set(loop, &client->alarm, mw_loop_now(loop) + MW_LINGER_MS);
    mw_stream_set_reading(client->stream, true);
    mw_client_settle_later(client);
}

void mw_client_drop(struct mw_client *client, bool reset)
{
    if (client->phase == MW_CLIENT_GONE)
        return;
    client->phase = MW_CLIENT_GONE;
    mw_alarm_stop(client->worker->loop, &client->alarm);
    if (client->stream)
        mw_stream_close(client->stream, reset);
    else
        mw_client_settle_later(client);
}

void mw_client_cut(struct mw_client *client)
{
    if (client->phase == MW_CLIENT_OPENING || client->phase == MW_CLIENT_OPEN ||
        client->phase == MW_CLIENT_AWAY)
        mw_ws_driver_cut(client);
    mw_client_drop(client, true);
}

struct mw_client *mw_client_next(const struct mw_worker *worker, mw_id *at)
{
    *at = mw_slots_next(&worker->slots, *at);
    return mw_slots_get(&worker->slots, *at);
}

struct mw_client *mw_client_next_of(const struct mw_route *route, mw_id *at)
{
    struct mw_client *client;
    do {
        client = mw_client_next(route->worker, at);
    } while (client && client->route != route);
    return client;
}

void mw_client_free_decided(struct mw_worker *worker, struct mw_decided *decided)
{
    if (decided)
        mw_free(&worker->mem, decided, decided->size);
}

/* ---- what nobody has heard yet ---- */

struct mw_unheard *mw_client_keep_unheard(struct mw_client *client)
{
    struct mw_mem *mem = &client->worker->mem;
    if (client->unheard)
        return client->unheard;
    client->unheard = mw_alloc(mem, sizeof *client->unheard);
    if (!client->unheard)
        return 0;
    mw_backlog_init(&client->unheard->backlog, mem);
    mw_buf_init(&client->unheard->held, mem, 0);
    return client->unheard;
}

void mw_client_forget_unheard(struct mw_client *client)
{
    if (!client->unheard)
        return;
    mw_backlog_free(&client->unheard->backlog);
    mw_buf_free(&client->unheard->held);
    mw_free(&client->worker->mem, client->unheard, sizeof *client->unheard);
    client->unheard = 0;
}

void mw_client_rest_unheard(struct mw_client *client)
{
    if (client->unheard && mw_client_is_heard(client) && client->unheard->held.len == 0)
        mw_client_forget_unheard(client);
}

/* ---- streams that change hands ---- */

/* The worker waits for it as for a client: it is not over while one of its streams is there. */
static void on_orphan_closed(void *owner)
{
    mw_worker_client_gone(owner);
}

static const struct mw_stream_events orphan_events = { .closed = on_orphan_closed };

void mw_client_lose_stream(struct mw_client *client)
{
    struct mw_stream *stream = client->stream;
    client->worker->client_count++;
    client->stream = 0;
    client->in_flight = client->untaken = 0;
    mw_stream_attach(stream, &orphan_events, client->worker);
    mw_stream_close(stream, true);
}

void mw_client_give_stream(struct mw_client *from, struct mw_client *to)
{
    mw_assert(!to->stream && from->in_flight == 0);
    to->stream = from->stream;
    from->stream = 0;
    to->ip = from->ip;
    to->untaken = 0;
    mw_stream_attach(to->stream, &events, to);
}

/* ---- the beginning ---- */

/* NULL: no memory, and the stream is closed. */
static struct mw_client *client_new(struct mw_worker *worker, const struct mw_arrival *arrival)
{
    struct mw_client *client = mw_alloc_zero(&worker->mem, sizeof *client);
    if (!client) {
        mw_stream_attach(arrival->stream, 0, 0);
        mw_stream_close(arrival->stream, true);
        return 0;
    }
    client->worker = worker;
    client->stream = arrival->stream;
    client->is_last = arrival->is_last;
    client->came_over = arrival->came_over;
    mw_alarm_init(&client->alarm, on_alarm);
    mw_turn_task_init(&client->settle, settle);
    mw_list_init(&client->waiting);
    worker->client_count++;
    mw_stream_attach(client->stream, &events, client);
    client->ip = arrival->from;
    client->id = mw_slots_add(&worker->slots, client);
    if (!client->id || !mw_http_driver_open(client, arrival->at_ms)) {
        mw_client_drop(client, true);
        return 0;
    }
    mw_stream_set_reading(client->stream, true);
    return client;
}

void mw_client_accept(struct mw_worker *worker, const struct mw_arrival *arrival)
{
    struct mw_client *client = client_new(worker, arrival);
    if (client && arrival->first_len)
        on_read(client, arrival->first, arrival->first_len);
}

void mw_client_refuse(struct mw_worker *worker, const struct mw_arrival *arrival,
                      const struct mw_http_refusal *why)
{
    struct mw_client *client = client_new(worker, arrival);
    if (!client)
        return;
    mw_http_conn_turn_away(&client->http->conn, why, mw_clock_unix_ms());
    mw_client_settle_later(client);
}
