/*
 * First come, first served, and never at the cost of connections that are open: in each turn the
 * queue takes as long as the rest of the turn took, within its budget. So a flood of hellos leaves
 * at least half of a busy loop to those who are in, and all of an idle one to the flood, one step a
 * turn.
 *
 * What a handshake holds while it waits for its client is bounded by their number. Where it is
 * reached new ones wait too, until one ends, or the oldest has had time enough and is dropped.
 *
 * An alarm drives it and not a task of the turn's end: those run twice around each poll.
 */
#include "core/io/tls_queue.h"

#include "core/base/clock.h"
#include "core/io/loop_uv.h"

static bool has_begun(const struct mw_tls_turn *turn)
{
    return mw_list_is_linked(&turn->in_begun);
}

/* ---- room for new ones ---- */

static struct mw_tls_turn *oldest(const struct mw_tls_queue *queue)
{
    return MW_OWNER(queue->all_begun.next, struct mw_tls_turn, in_begun);
}

/* When there will be room, if nothing ends before. */
static mw_ms room_ms(const struct mw_tls_queue *queue)
{
    if (queue->begun < queue->max_begun)
        return mw_loop_now(queue->loop);
    if (mw_list_is_empty(&queue->all_begun))
        return MW_NEVER;
    return mw_ms_add(oldest(queue)->begun_ms, queue->min_ms);
}

/* Who drags its handshake out must not shut out the others: else a few thousand sockets could. */
static bool has_room(struct mw_tls_queue *queue)
{
    if (queue->begun < queue->max_begun)
        return true;
    if (room_ms(queue) > mw_loop_now(queue->loop) || mw_tls_turn_is_waiting(oldest(queue)))
        return false;
    queue->drop(oldest(queue));
    return true;
}

/* ---- turns ---- */

static void arm(struct mw_tls_queue *queue)
{
    mw_ms at_ms = MW_NEVER;
    if (!mw_list_is_empty(&queue->ready))
        at_ms = mw_loop_now(queue->loop);
    else if (!mw_list_is_empty(&queue->parked))
        at_ms = room_ms(queue);
    mw_alarm_set(queue->loop, &queue->alarm, at_ms);
}

/* Those that were parked came before all that are new in `ready`. */
static struct mw_tls_turn *take_first(struct mw_tls_queue *queue)
{
    struct mw_link *link = NULL;
    if (!mw_list_is_empty(&queue->parked) && has_room(queue))
        link = mw_list_pop(&queue->parked);
    while (!link && (link = mw_list_pop(&queue->ready))) {
        if (has_begun(MW_OWNER(link, struct mw_tls_turn, link)) || has_room(queue))
            break;
        mw_list_push(&queue->parked, link);
        link = NULL;
    }
    if (!link)
        return NULL;
    queue->waiting--;
    return MW_OWNER(link, struct mw_tls_turn, link);
}

static uint64_t budget_ns(const struct mw_tls_queue *queue, uint64_t now_ns)
{
    uint64_t others_ns = now_ns - queue->ended_ns;
    return others_ns < queue->turn_ns ? others_ns : queue->turn_ns;
}

static void on_turn(struct mw_alarm *alarm)
{
    struct mw_tls_queue *queue = MW_OWNER(alarm, struct mw_tls_queue, alarm);
    uint64_t begin_ns = uv_hrtime(), until_ns = begin_ns + budget_ns(queue, begin_ns);
    struct mw_tls_turn *turn;
    do {
        turn = take_first(queue);
        if (turn)
            queue->step(turn);
        queue->ended_ns = uv_hrtime();
    } while (turn && queue->ended_ns < until_ns);
    arm(queue);
}

void mw_tls_queue_init(struct mw_tls_queue *queue, struct mw_loop *loop,
                       void (*step)(struct mw_tls_turn *turn),
                       void (*drop)(struct mw_tls_turn *turn))
{
    *queue = (struct mw_tls_queue){ .loop = loop, .step = step, .drop = drop };
    mw_alarm_init(&queue->alarm, on_turn);
    mw_list_init(&queue->ready);
    mw_list_init(&queue->parked);
    mw_list_init(&queue->all_begun);
    queue->max_begun = MW_TLS_MAX_BEGUN;
    queue->min_ms = MW_TLS_MIN_MS;
    queue->turn_ns = MW_TLS_TURN_NS;
    queue->ended_ns = uv_hrtime();
}

void mw_tls_queue_free(struct mw_tls_queue *queue)
{
    mw_assert(queue->waiting == 0 && queue->begun == 0);
    mw_alarm_stop(queue->loop, &queue->alarm);
}

void mw_tls_turn_init(struct mw_tls_turn *turn)
{
    mw_list_init(&turn->link);
    mw_list_init(&turn->in_begun);
}

void mw_tls_queue_add(struct mw_tls_queue *queue, struct mw_tls_turn *turn)
{
    if (mw_tls_turn_is_waiting(turn))
        return;
    mw_list_push(&queue->ready, &turn->link);
    queue->waiting++;
    arm(queue);
}

void mw_tls_queue_remove(struct mw_tls_queue *queue, struct mw_tls_turn *turn)
{
    if (!mw_tls_turn_is_waiting(turn))
        return;
    mw_list_remove(&turn->link);
    queue->waiting--;
}

void mw_tls_queue_begin(struct mw_tls_queue *queue, struct mw_tls_turn *turn)
{
    turn->begun_ms = mw_loop_now(queue->loop);
    mw_list_push(&queue->all_begun, &turn->in_begun);
    queue->begun++;
}

void mw_tls_queue_end(struct mw_tls_queue *queue, struct mw_tls_turn *turn)
{
    if (!has_begun(turn))
        return;
    mw_list_remove(&turn->in_begun);
    queue->begun--;
    arm(queue);
}
