/*
 * First come, first served, and never at the cost of connections that are open: in each turn the
 * queue takes as long as the rest of the turn took, within its budget. So a flood of hellos leaves
 * at least half of a busy loop to those who are in, and all of an idle one to the flood, one step a
 * turn.
 *
 * An alarm drives it and not a task of the turn's end: those run twice around each poll.
 */
#include "core/io/tls_queue.h"

#include "core/io/loop_uv.h"

static void arm(struct mw_tls_queue *queue)
{
    if (!mw_list_is_empty(&queue->ready) && !mw_timer_is_running(&queue->alarm.timer))
        mw_alarm_set(queue->loop, &queue->alarm, mw_loop_now(queue->loop));
}

static struct mw_tls_turn *take_first(struct mw_tls_queue *queue)
{
    struct mw_link *link;
    while ((link = mw_list_pop(&queue->ready))) {
        struct mw_tls_turn *turn = MW_OWNER(link, struct mw_tls_turn, link);
        if (queue->begun < queue->max_begun || !queue->is_new(turn)) {
            queue->waiting--;
            return turn;
        }
        mw_list_push(&queue->parked, link);
    }
    return NULL;
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
                       bool (*is_new)(const struct mw_tls_turn *turn))
{
    *queue = (struct mw_tls_queue){ .loop = loop, .step = step, .is_new = is_new };
    mw_alarm_init(&queue->alarm, on_turn);
    mw_list_init(&queue->ready);
    mw_list_init(&queue->parked);
    queue->max_begun = MW_TLS_MAX_BEGUN;
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

void mw_tls_queue_begin(struct mw_tls_queue *queue)
{
    queue->begun++;
}

void mw_tls_queue_end(struct mw_tls_queue *queue)
{
    queue->begun--;
    struct mw_link *first = mw_list_pop(&queue->parked);
    if (first)
        mw_list_push(&queue->ready, first);
    arm(queue);
}
