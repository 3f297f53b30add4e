/*
 * From one worker to another with the head of the handshake. Called by upgrade when it is known
 * whom it belongs to, by http_driver when it can leave, and by the other worker's mail.
 *
 * What its reader has kept of the head is written down again for the other one, so that connections
 * that stay keep no bytes for it.
 */
#include "core/server/handover.h"

#include "core/base/str.h"
#include "core/proto/http_out.h"
#include "core/server/affinity.h"
#include "core/server/comeback.h"
#include "core/server/crew.h"
#include "core/server/http_driver.h"
#include "core/server/worker.h"

/* ---- whom it belongs to ---- */

/* The rooms of an affinity go before sessions, which are where their room is. */
static unsigned owner_of(const struct mw_client *client, const struct mw_route *route,
                         const struct mw_param *params, size_t count)
{
    const struct mw_worker *worker = client->worker;
    for (size_t i = 0; i < count; i++) {
        if (route->spec->affinity.len && mw_view_equal(params[i].name, route->spec->affinity))
            return mw_affinity_worker(route->name, params[i].value, worker->crew->count);
    }
    uint8_t of_session;
    bool comes_back =
        route->spec->resume_s > 0 &&
        mw_comeback_worker(mw_http_conn_head(&client->http->conn)->target, &of_session) &&
        of_session < worker->crew->count;
    return comes_back ? of_session : worker->number;
}

bool mw_handover_begin(struct mw_client *client, const struct mw_route *route,
                       const struct mw_param *params, size_t count)
{
    const struct mw_worker *worker = client->worker;
    if (worker->crew->count == 1 || client->came_over)
        return false;
    unsigned owner = owner_of(client, route, params, count);
    if (owner == worker->number)
        return false;
    client->is_leaving = true;
    client->leaves_for = (uint8_t)owner;
    mw_stream_set_reading(client->stream, false);
    mw_client_settle_later(client);
    return true;
}

bool mw_handover_keep(struct mw_client *client, struct mw_view bytes)
{
    return mw_client_keep_unheard(client) &&
           mw_buf_put_view(&client->unheard->held, bytes) == MW_OK;
}

/* ---- from here ---- */

/* The head, what of it was read together with it, and what came after that: in
 * client->unheard->held. */
static int gather(struct mw_client *client)
{
    struct mw_buf all;
    if (!mw_client_keep_unheard(client))
        return MW_ERR_NOMEM;
    mw_buf_init(&all, &client->worker->mem, 0);
    int err = mw_http_put_request(&all, mw_http_conn_head(&client->http->conn));
    if (!err)
        err = mw_buf_put_view(&all, mw_http_conn_rest(&client->http->conn));
    if (!err)
        err = mw_buf_put_view(&all, mw_buf_view(&client->unheard->held));
    if (err) {
        mw_buf_free(&all);
        return err;
    }
    mw_buf_free(&client->unheard->held);
    client->unheard->held = all;
    return MW_OK;
}

/* NULL: nothing has changed. */
static struct mw_handover *pack(struct mw_client *client)
{
    struct mw_mem *mem = &client->worker->mem;
    struct mw_handover *handover = mw_shared_alloc(sizeof *handover);
    if (!handover)
        return 0;
    *handover = (struct mw_handover){
        .letter.kind = MW_LETTER_HANDOVER,
        .from = client->http->peer,
        .at_ms = mw_loop_now(client->worker->loop),
        .is_last = client->is_last,
    };
    if (gather(client) || mw_stream_pack(client->stream, &handover->parcel)) {
        mw_shared_free(handover, sizeof *handover);
        return 0;
    }
    handover->first = client->unheard->held.data;
    handover->first_len = client->unheard->held.len;
    handover->first_cap = client->unheard->held.cap;
    mw_mem_send(mem, handover->first_cap, 1);
    mw_buf_init(&client->unheard->held, mem, 0);
    return handover;
}

/* What is left here is a shell, which its stream's `closed` frees. */
static void become_shell(struct mw_client *client)
{
    client->phase = MW_CLIENT_GONE;
    client->stream = 0;
    mw_alarm_stop(client->worker->loop, &client->alarm);
}

void mw_handover_leave(struct mw_client *client)
{
    struct mw_worker *worker = client->worker;
    client->is_leaving = false;
    if (worker->stopping) {
        mw_drain_refuse(client);
        return;
    }
    struct mw_handover *handover = pack(client);
    if (!handover) {
        worker->metrics.handovers_failed++;
        mw_http_driver_refuse(client, 503, "out_of_memory",
                              mw_view_text("no memory or no descriptor is left: try again"), 0);
        return;
    }
    become_shell(client);
    mw_worker_send(&worker->crew->workers[client->leaves_for], &handover->letter);
}

/* ---- to there ---- */

/* Whoever comes while it drains is told so; whoever comes too late for that is only closed. */
static bool may_arrive(const struct mw_worker *worker)
{
    switch ((enum mw_drain_phase)worker->drain.phase) {
    case MW_DRAIN_SERVES:
        return !worker->stopping; /* else it was never started */
    case MW_DRAIN_GRACE:
    case MW_DRAIN_CLOSING:
    case MW_DRAIN_WAITING:
        return true;
    case MW_DRAIN_CUTTING:
    case MW_DRAIN_OVER:
        break;
    }
    return false;
}

static void let_in(struct mw_worker *worker, struct mw_handover *handover)
{
    const struct mw_arrival arrival = {
        .stream = mw_stream_unpack(&handover->parcel, worker->loop, worker->tls_loop),
        .from = handover->from,
        .first = handover->first,
        .first_len = handover->first_len,
        .at_ms = handover->at_ms,
        .is_last = handover->is_last,
        .came_over = true,
    };
    if (arrival.stream) {
        worker->metrics.handovers++;
        mw_client_accept(worker, &arrival);
    } else {
        worker->metrics.handovers_failed++;
    }
}

void mw_handover_arrive(struct mw_worker *worker, struct mw_handover *handover)
{
    if (may_arrive(worker)) {
        let_in(worker, handover);
    } else {
        worker->metrics.handovers_failed++;
        mw_parcel_drop(&handover->parcel);
    }
    mw_shared_free(handover->first, handover->first_cap);
    mw_shared_free(handover, sizeof *handover);
}
