/*
 * A worker: opens its parts, runs its loop in a thread of its own, and takes batches by mail. How
 * it ends in order is drain's.
 */
#include "core/server/worker.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/cpu_tick.h"
#include "core/io/thread.h"
#include "core/server/account.h"
#include "core/server/crew.h"
#include "core/server/door.h"
#include "core/server/fanout.h"
#include "core/server/handover.h"
#include "core/server/inquiry.h"
#include "core/server/metrics_page.h"
#include "core/server/remote.h"
#include "core/server/script_counts.h"
#include "core/server/status.h"

static void on_mail(void *ctx, struct mw_mail *mail);

static int open_tls(struct mw_worker *worker, struct mw_tls_ctx *ctx)
{
    worker->tls_loop = mw_tls_loop_new(worker->loop);
    if (!worker->tls_loop)
        return MW_ERR_NOMEM;
    worker->tls = mw_tls_ctx_hold(ctx);
    return MW_OK;
}

static int open_listener(struct mw_worker *worker, const struct mw_worker_setup *setup,
                         char why[128])
{
    if (setup->beside)
        return mw_listener_join(worker->loop, setup->beside, mw_door_accept, worker,
                                &worker->listener, why);
    return mw_listener_open(worker->loop, mw_view_text(setup->config->listen), mw_door_accept,
                            worker, &worker->listener, why);
}

int mw_worker_open(struct mw_worker *worker, const struct mw_worker_setup *setup, char why[128])
{
    *worker = (struct mw_worker){
        .number = setup->number,
        .config = setup->config,
        .engine = setup->engine,
        .public_files = setup->public_files,
        .log = setup->log,
        .admission = setup->admission,
        .server = setup->server,
        .crew = setup->crew,
        .leave.kind = MW_LETTER_LEAVE,
    };
    struct {
        uint64_t rng;
        uint32_t ids; /* one of an earlier start must not be taken for one of this */
    } seed;
    mw_mem_init(&worker->mem, 0, 0);
    mw_slots_init(&worker->slots, &worker->mem, setup->number);
    mw_conn_pool_init(&worker->pool, &worker->mem);
    mw_deflate_pool_init(&worker->deflate, &worker->mem, (size_t)setup->config->compression_memory);
    mw_fanout_open(worker);
    mw_fair_init(&worker->fair);
    mw_away_init(&worker->away);
    mw_ends_init(&worker->ends, &worker->mem);
    mw_refused_init(&worker->refused, &worker->mem);
    mw_client_js_init(&worker->client_js, &worker->mem);
    mw_list_init(&worker->routes);
    mw_list_init(&worker->accounts);
    mw_list_init(&worker->doors);
    mw_drain_init(worker);
    snprintf(why, 128, "out of memory");
    if (mw_random_bytes(&seed, sizeof seed))
        return MW_ERR_IO;
    mw_rng_seed(&worker->rng, seed.rng);
    mw_slots_begin_at(&worker->slots, seed.ids);
    int err = mw_loop_new(&worker->mem, &worker->loop);
    if (!err) {
        mw_end_counts_init(&worker->end_counts, &worker->mem, mw_loop_now(worker->loop));
        mw_metrics_init(&worker->metrics, mw_loop_now(worker->loop));
    }
    if (!err)
        err = mw_mailbox_open(worker->loop, on_mail, worker, &worker->mailbox);
    if (!err && setup->tls)
        err = open_tls(worker, setup->tls);
    if (!err)
        err = open_listener(worker, setup, why);
    if (!err)
        mw_shortage_watch(worker);
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
}

int mw_worker_start(struct mw_worker *worker)
{
    char name[16];
    snprintf(name, sizeof name, "mw-worker-%u", worker->number);
    worker->thread = mw_thread_start(name, run, worker);
    return worker->thread ? MW_OK : MW_ERR_IO;
}

/* ---- mail ---- */

void mw_worker_send(struct mw_worker *to, struct mw_letter *letter)
{
    mw_mailbox_post(to->mailbox, &letter->mail);
}

void mw_worker_pass(struct mw_worker *worker, struct mw_letter *letter)
{
    const struct mw_crew *crew = worker->crew;
    if (worker->number + 1U < crew->count)
        mw_worker_send(&crew->workers[worker->number + 1], letter);
    else
        mw_mailbox_post(worker->server, &letter->mail);
}

void mw_worker_drain(struct mw_worker *worker, bool restart)
{
    const struct mw_config *config = worker->config;
    struct mw_drain *drain = &worker->drain;
    if (drain->is_ordered)
        return;
    mw_ms timeout_ms = (mw_ms)(config->drain_timeout * 1000);
    drain->is_ordered = true;
    drain->facts = (struct mw_drain_facts){
        .grace_ms = mw_ms_min((mw_ms)(config->drain_grace * 1000), timeout_ms / 2),
        .timeout_ms = timeout_ms,
        .rate_per_s = (uint64_t)config->drain_rate,
        .restart = restart,
    };
    drain->asked_ms = mw_clock_monotonic_ms();
    mw_mailbox_post(worker->mailbox, &drain->order.mail);
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

/* One whose scripts have had their on_stop loads nothing any more. */
static void take_batch(struct mw_worker *worker, struct mw_batch *batch)
{
    if (worker->drain.phase == MW_DRAIN_OVER)
        return;
    switch (batch->step) {
    case MW_BATCH_SURVEY:
        mw_load_survey(worker, batch);
        break;
    case MW_BATCH_PREPARE:
        mw_load_prepare(worker, batch);
        break;
    case MW_BATCH_COMMIT:
        mw_load_commit(worker, batch);
        break;
    }
}

static void swap_tls(struct mw_worker *worker, const struct mw_tls_swap *swap)
{
    mw_tls_ctx_release(worker->tls);
    worker->tls = mw_tls_ctx_hold(swap->ctx);
}

/* A question about one connection is not asked of others; that of a worker comes back to it. */
static void answer_inquiry(struct mw_worker *worker, struct mw_inquiry *inquiry)
{
    bool is_last = worker->number + 1U == worker->crew->count;
    if (inquiry->home == worker && inquiry->sheet.workers == worker->crew->count) {
        mw_metrics_page_mail(inquiry);
        return;
    }
    mw_inquiry_answer(inquiry, worker);
    if (mw_inquiry_is_of_one(inquiry))
        mw_mailbox_post(worker->server, &inquiry->letter.mail);
    else if (is_last && inquiry->home)
        mw_worker_send(inquiry->home, &inquiry->letter);
    else
        mw_worker_pass(worker, &inquiry->letter);
}

static void on_mail(void *ctx, struct mw_mail *mail)
{
    struct mw_worker *worker = ctx;
    struct mw_letter *letter = mw_letter_of(mail);
    switch (letter->kind) {
    case MW_LETTER_BATCH:
        take_batch(worker, MW_OWNER(letter, struct mw_batch, letter));
        mw_worker_pass(worker, letter);
        break;
    case MW_LETTER_CERTIFICATES:
        swap_tls(worker, MW_OWNER(letter, struct mw_tls_swap, letter));
        mw_worker_pass(worker, letter);
        break;
    case MW_LETTER_STATUS:
        mw_status_fill(MW_OWNER(letter, struct mw_status, letter), worker);
        mw_worker_pass(worker, letter);
        break;
    case MW_LETTER_INQUIRY:
        answer_inquiry(worker, MW_OWNER(letter, struct mw_inquiry, letter));
        break;
    case MW_LETTER_HANDOVER:
        mw_handover_arrive(worker, MW_OWNER(letter, struct mw_handover, letter));
        break;
    case MW_LETTER_DRAIN:
        mw_drain_begin(worker);
        break;
    case MW_LETTER_PUBLICATIONS:
        mw_fanout_take(worker);
        break;
    case MW_LETTER_REMOTE:
        mw_remote_take(worker, MW_OWNER(letter, struct mw_remote, letter));
        break;
    case MW_LETTER_LEAVE:
        mw_loop_stop(worker->loop);
        break;
    case MW_LETTER_WORSE: /* these go the other way */
    case MW_LETTER_DRAINING:
    case MW_LETTER_STOPPED:
        break;
    }
}

/* ---- the end ---- */

void mw_worker_client_gone(struct mw_worker *worker)
{
    worker->client_count--;
    mw_drain_gone(worker);
}

void mw_worker_door_gone(struct mw_worker *worker)
{
    mw_drain_gone(worker);
}

void mw_worker_join(struct mw_worker *worker)
{
    if (worker->thread)
        mw_worker_send(worker, &worker->leave);
    mw_thread_join(worker->thread);
    worker->thread = 0;
}

struct mw_worker_leftovers mw_worker_close(struct mw_worker *worker)
{
    struct mw_worker_leftovers left = { 0 };
    mw_worker_join(worker);
    worker->stopping = true;
    if (!worker->loop)
        return left;
    while (!mw_list_is_empty(&worker->routes))
        mw_route_free(MW_OWNER(worker->routes.next, struct mw_route, link));
    mw_script_counts_free(worker);
    mw_fanout_close(worker);
    mw_listener_close(worker->listener);
    if (worker->mailbox)
        mw_mailbox_close(worker->mailbox);
    worker->mailbox = 0; /* an on_stop of another worker may still ask for one of ours */
    mw_tls_loop_free(worker->tls_loop);
    mw_tls_ctx_release(worker->tls);
    mw_loop_finish(worker->loop);
    left.handles = mw_loop_free(worker->loop);
    mw_account_sweep(worker);
    mw_ends_free(&worker->ends);
    mw_refused_free(&worker->refused);
    mw_client_js_free(&worker->client_js);
    mw_end_counts_free(&worker->end_counts);
    mw_hub_free(&worker->hub);
    mw_slots_free(&worker->slots);
    mw_conn_pool_free(&worker->pool);
    mw_deflate_pool_free(&worker->deflate);
    left.bytes = worker->mem.bytes;
    return left;
}
