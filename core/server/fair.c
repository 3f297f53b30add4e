/*
 * The queue of those who wait for their script. Called by route, deliver and upgrade; calls back
 * into ws_driver when it is a client's turn.
 *
 * One piece of work at a time: a tick, or one client; then whoever has used least by now. What is
 * left when the turn's share is used up waits until the kernel has been asked again.
 */
#include "core/server/fair.h"

#include "core/base/cpu_tick.h"
#include "core/server/client.h"
#include "core/server/worker.h"
#include "core/server/ws_driver.h"

void mw_fair_place_init(struct mw_fair_place *place)
{
    mw_share_place_init(&place->place);
    mw_list_init(&place->clients);
    place->tick_waits = false;
}

/* ---- asking ---- */

static struct mw_share *share_now(struct mw_worker *worker)
{
    struct mw_share *share = &worker->fair.share;
    mw_share_at(share, mw_loop_turn(worker->loop), mw_cpu_tick_count());
    return share;
}

bool mw_fair_may_call(struct mw_route *route)
{
    if (mw_route_is_held(route))
        return false;
    return mw_share_may_call(share_now(route->worker), &route->fair.place, mw_cpu_tick_count());
}

unsigned mw_fair_begin(struct mw_route *route)
{
    (void)share_now(route->worker);
    route->trial.live.calls++;
    return mw_cpu_tick_count();
}

void mw_fair_end(struct mw_route *route, unsigned begun)
{
    mw_share_charge(&route->worker->fair.share, &route->fair.place, mw_cpu_tick_count() - begun);
}

/* ---- waiting ---- */

static void wait_for_turn(struct mw_route *route)
{
    struct mw_worker *worker = route->worker;
    mw_share_wait(&worker->fair.share, &route->fair.place);
    mw_turn_task_add(worker->loop, &worker->fair.task);
}

void mw_fair_wait(struct mw_client *client)
{
    struct mw_route *route = client->route;
    if (!mw_list_is_linked(&client->waiting))
        mw_list_push(&route->fair.clients, &client->waiting);
    wait_for_turn(route);
}

void mw_fair_wait_tick(struct mw_route *route)
{
    route->fair.tick_waits = true;
    wait_for_turn(route);
}

void mw_fair_leave(struct mw_route *route)
{
    while (mw_list_pop(&route->fair.clients)) {
    }
    route->fair.tick_waits = false;
    mw_share_leave(&route->fair.place);
}

/* ---- the turn's end ---- */

static void go_on(struct mw_route *route)
{
    struct mw_link *link;
    if (route->fair.tick_waits) {
        route->fair.tick_waits = false;
        mw_route_tick(route);
    } else if ((link = mw_list_pop(&route->fair.clients))) {
        mw_ws_driver_settle(MW_OWNER(link, struct mw_client, waiting));
    }
}

/* The route is held: its last client may go meanwhile. */
static void take_turn(struct mw_worker *worker, struct mw_route *route)
{
    route->client_count++;
    go_on(route);
    mw_share_done(&worker->fair.share);
    bool has_more = route->fair.tick_waits || !mw_list_is_empty(&route->fair.clients);
    if (has_more && !mw_route_is_held(route))
        wait_for_turn(route);
    route->client_count--;
    mw_route_release_if_unused(route);
}

static void run_queue(struct mw_turn_task *task)
{
    struct mw_worker *worker = MW_OWNER(task, struct mw_worker, fair.task);
    struct mw_share *share = &worker->fair.share;
    while (!mw_share_is_spent(share_now(worker), mw_cpu_tick_count())) {
        struct mw_share_place *place = mw_share_next(share);
        if (!place)
            return;
        take_turn(worker, MW_OWNER(place, struct mw_route, fair.place));
    }
    if (!mw_list_is_empty(&share->queue))
        mw_turn_task_add(worker->loop, task);
}

void mw_fair_init(struct mw_fair *fair)
{
    mw_share_init(&fair->share);
    mw_turn_task_init(&fair->task, run_queue);
}
