/*
 * A worker: opens its parts, runs its loop in a thread of its own, takes batches by mail, and stops
 * in order: no new connections, a Close frame for each open one, on_stop for each script, then the
 * end of the thread.
 */
#include "core/server/worker.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/cpu_tick.h"
#include "core/io/thread.h"
#include "core/server/account.h"
#include "core/server/client.h"
#include "core/server/door.h"
#include "core/server/inquiry.h"
#include "core/server/status.h"
#include "core/server/upgrade.h"
#include "core/server/ws_driver.h"

/* After the time for Close frames: what still hangs is cut, and gets this long to be gone. */
#define CUT_MS 500

static void on_mail(void *ctx, struct mw_mail *mail);
static void on_stop_alarm(struct mw_alarm *alarm);

static int open_tls(struct mw_worker *worker, struct mw_tls_ctx *ctx)
{
    worker->tls_loop = mw_tls_loop_new(worker->loop);
    if (!worker->tls_loop)
        return MW_ERR_NOMEM;
    worker->tls = mw_tls_ctx_hold(ctx);
    return MW_OK;
}

int mw_worker_open(struct mw_worker *worker, const struct mw_worker_setup *setup, char why[128])
{
    *worker = (struct mw_worker){
        .number = setup->number,
        .config = setup->config,
        .engine = setup->engine,
        .public_files = setup->public_files,
        .log = setup->log,
        .server = setup->server,
    };
    uint64_t seed;
    worker->stop.kind = MW_LETTER_STOP;
    worker->stopped.kind = MW_LETTER_STOPPED;
    mw_mem_init(&worker->mem, 0, 0);
    mw_slots_init(&worker->slots, &worker->mem, setup->number);
    mw_out_pool_init(&worker->pool, &worker->mem);
    mw_deflate_pool_init(&worker->deflate, &worker->mem, (size_t)setup->config->compression_memory);
    mw_hub_init(&worker->hub, &worker->mem);
    mw_fair_init(&worker->fair);
    mw_ends_init(&worker->ends, &worker->mem);
    mw_list_init(&worker->routes);
    mw_list_init(&worker->accounts);
    mw_list_init(&worker->clients);
    mw_list_init(&worker->doors);
    mw_alarm_init(&worker->stop_alarm, on_stop_alarm);
    snprintf(why, 128, "out of memory");
    if (mw_random_bytes(&seed, sizeof seed))
        return MW_ERR_IO;
    mw_rng_seed(&worker->rng, seed);
    int err = mw_loop_new(&worker->mem, &worker->loop);
    if (!err)
        mw_end_counts_init(&worker->end_counts, &worker->mem, mw_loop_now(worker->loop));
    if (!err)
        err = mw_mailbox_open(worker->loop, on_mail, worker, &worker->mailbox);
    if (!err && setup->tls)
        err = open_tls(worker, setup->tls);
    if (!err)
        err = mw_listener_open(worker->loop, mw_view_text(setup->config->listen), mw_door_accept,
                               worker, &worker->listener, why);
    return err;
}

/* ---- the thread ---- */

static void run(void *ctx)
{
    struct mw_worker *worker = ctx;
    if (mw_cpu_tick_start())
        mw_log_note(worker->log, MW_LOG_ERROR,
                    "the CPU time of scripts cannot be measured: the system gives no timer "
                    "(see ulimit -i); their calls are stopped until it does");
    mw_loop_run(worker->loop);
    mw_mailbox_post(worker->server, &worker->stopped.mail);
}

int mw_worker_start(struct mw_worker *worker)
{
    char name[16];
    snprintf(name, sizeof name, "mw-worker-%u", worker->number);
    worker->thread = mw_thread_start(name, run, worker);
    return worker->thread ? MW_OK : MW_ERR_IO;
}

/* ---- mail ---- */

void mw_worker_post(struct mw_worker *worker, struct mw_batch *batch)
{
    mw_mailbox_post(worker->mailbox, &batch->letter.mail);
}

void mw_worker_swap_tls(struct mw_worker *worker, struct mw_tls_swap *swap)
{
    mw_mailbox_post(worker->mailbox, &swap->letter.mail);
}

void mw_worker_ask_status(struct mw_worker *worker, struct mw_status *status)
{
    mw_mailbox_post(worker->mailbox, &status->letter.mail);
}

void mw_worker_ask(struct mw_worker *worker, struct mw_inquiry *inquiry)
{
    mw_mailbox_post(worker->mailbox, &inquiry->letter.mail);
}

void mw_worker_stop(struct mw_worker *worker)
{
    mw_mailbox_post(worker->mailbox, &worker->stop.mail);
}

void mw_worker_tell_worse(const struct mw_route *route)
{
    size_t len = route->name.len;
    struct mw_worse *worse = mw_shared_alloc(sizeof *worse + len);
    if (!worse)
        return;
    *worse = (struct mw_worse){
        .letter.kind = MW_LETTER_WORSE,
        .version = route->trial.version,
        .live = route->trial.live,
        .before = route->trial.before,
        .name_len = len,
    };
    memcpy(worse->name, route->name.data, len);
    mw_mailbox_post(route->worker->server, &worse->letter.mail);
}

void mw_worse_free(struct mw_worse *worse)
{
    mw_shared_free(worse, sizeof *worse + worse->name_len);
}

static void begin_stop(struct mw_worker *worker);

static void take_batch(struct mw_worker *worker, struct mw_batch *batch)
{
    if (batch->step == MW_BATCH_PREPARE) {
        mw_load_prepare(worker, batch);
        batch->step = MW_BATCH_PREPARED;
    } else {
        mw_load_commit(worker, batch);
        batch->step = MW_BATCH_COMMITTED;
    }
    mw_mailbox_post(worker->server, &batch->letter.mail);
}

static void swap_tls(struct mw_worker *worker, struct mw_tls_swap *swap)
{
    struct mw_tls_ctx *old = worker->tls;
    worker->tls = swap->ctx;
    swap->ctx = old;
    mw_mailbox_post(worker->server, &swap->letter.mail);
}

static void tell_status(struct mw_worker *worker, struct mw_status *status)
{
    mw_status_fill(status, worker);
    mw_mailbox_post(worker->server, &status->letter.mail);
}

static void answer_inquiry(struct mw_worker *worker, struct mw_inquiry *inquiry)
{
    mw_inquiry_answer(inquiry, worker);
    mw_mailbox_post(worker->server, &inquiry->letter.mail);
}

static void on_mail(void *ctx, struct mw_mail *mail)
{
    struct mw_worker *worker = ctx;
    struct mw_letter *letter = mw_letter_of(mail);
    switch (letter->kind) {
    case MW_LETTER_BATCH:
        take_batch(worker, MW_OWNER(letter, struct mw_batch, letter));
        break;
    case MW_LETTER_CERTIFICATES:
        swap_tls(worker, MW_OWNER(letter, struct mw_tls_swap, letter));
        break;
    case MW_LETTER_STATUS:
        tell_status(worker, MW_OWNER(letter, struct mw_status, letter));
        break;
    case MW_LETTER_INQUIRY:
        answer_inquiry(worker, MW_OWNER(letter, struct mw_inquiry, letter));
        break;
    case MW_LETTER_STOP:
        begin_stop(worker);
        break;
    case MW_LETTER_WORSE: /* these go the other way */
    case MW_LETTER_STOPPED:
        break;
    }
}

/* ---- the stop ---- */

static void close_client(struct mw_client *client)
{
    struct mw_view reason = mw_view_text("server is stopping");
    switch ((enum mw_client_phase)client->phase) {
    case MW_CLIENT_HTTP:
        client->http->keep_alive = false;
        if (client->http->phase == MW_HTTP_PHASE_HEAD && !mw_http_conn_has_begun(client->http))
            mw_client_drop(client, false);
        break;
    case MW_CLIENT_OPENING:
        mw_upgrade_give_up(client, MW_CAUSE_drain, reason, 0);
        break;
    case MW_CLIENT_OPEN:
        if (client->ending)
            mw_ws_driver_give_up(client);
        else
            (void)mw_ws_driver_close(client, MW_CAUSE_drain, 0, reason);
        break;
    case MW_CLIENT_LINGER:
    case MW_CLIENT_GONE:
        break;
    }
}

static void for_each_client(struct mw_worker *worker, void (*act)(struct mw_client *client))
{
    struct mw_link *link = worker->clients.next, *next;
    for (; link != &worker->clients; link = next) {
        next = link->next;
        act(MW_OWNER(link, struct mw_client, in_worker));
    }
}

static void end_if_empty(struct mw_worker *worker)
{
    if (!worker->stopping || worker->client_count > 0 || !mw_list_is_empty(&worker->doors))
        return;
    mw_alarm_stop(worker->loop, &worker->stop_alarm);
    while (!mw_list_is_empty(&worker->routes))
        mw_route_free(MW_OWNER(worker->routes.next, struct mw_route, link));
    mw_loop_stop(worker->loop);
}

static void begin_stop(struct mw_worker *worker)
{
    if (worker->stopping)
        return;
    worker->stopping = true;
    mw_listener_close(worker->listener);
    worker->listener = 0;
    mw_door_close_all(worker);
    for_each_client(worker, close_client);
    mw_ms wait_ms = (mw_ms)(worker->config->stop_timeout * 1000);
    mw_alarm_set(worker->loop, &worker->stop_alarm, mw_loop_now(worker->loop) + wait_ms);
    end_if_empty(worker);
}

static void on_stop_alarm(struct mw_alarm *alarm)
{
    struct mw_worker *worker = MW_OWNER(alarm, struct mw_worker, stop_alarm);
    for_each_client(worker, mw_client_cut);
    mw_alarm_set(worker->loop, alarm, mw_loop_now(worker->loop) + CUT_MS);
}

void mw_worker_client_gone(struct mw_worker *worker)
{
    worker->client_count--;
    end_if_empty(worker);
}

void mw_worker_door_gone(struct mw_worker *worker)
{
    end_if_empty(worker);
}

struct mw_worker_leftovers mw_worker_close(struct mw_worker *worker)
{
    struct mw_worker_leftovers left = { 0 };
    mw_thread_join(worker->thread);
    worker->stopping = true;
    if (!worker->loop)
        return left;
    while (!mw_list_is_empty(&worker->routes))
        mw_route_free(MW_OWNER(worker->routes.next, struct mw_route, link));
    mw_listener_close(worker->listener);
    if (worker->mailbox)
        mw_mailbox_close(worker->mailbox);
    mw_tls_loop_free(worker->tls_loop);
    mw_tls_ctx_release(worker->tls);
    mw_loop_finish(worker->loop);
    left.handles = mw_loop_free(worker->loop);
    mw_account_sweep(worker);
    mw_ends_free(&worker->ends);
    mw_end_counts_free(&worker->end_counts);
    mw_hub_free(&worker->hub);
    mw_slots_free(&worker->slots);
    mw_out_pool_free(&worker->pool);
    mw_deflate_pool_free(&worker->deflate);
    left.bytes = worker->mem.bytes;
    return left;
}
