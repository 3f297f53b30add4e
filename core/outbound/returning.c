/*
 * One ws_client after the other, with the pauses of session/reconnect between them. Adds nothing to
 * a connection, and keeps nothing of one but how it ended.
 */
#include "core/outbound/returning.h"

#include "core/base/check.h"

struct mw_returning {
    const struct mw_ws_client_setup *setup;
    const struct mw_returning_events *events;
    struct mw_ws_client_events inner; /* the owner's, with our `ended` before it */
    struct mw_loop *loop;
    struct mw_ws_client *client; /* NULL: it waits, or has ended */
    struct mw_alarm alarm;
    struct mw_turn_task later;
    struct mw_reconnect policy;
    uint64_t attempts;
    bool is_let_go, is_stopped, is_over;
};

static void reap(struct mw_returning *returning)
{
    if (!returning->is_let_go)
        return;
    mw_alarm_stop(returning->loop, &returning->alarm);
    mw_turn_task_remove(&returning->later);
    mw_free(mw_loop_mem(returning->loop), returning, sizeof *returning);
}

/* ---- what an end leads to ---- */

static struct mw_reconnect_end end_of(const struct mw_ws_client *client,
                                      const struct mw_ws_ended *ended)
{
    const struct mw_ws_answer *answer = mw_ws_client_path(client)->answer;
    return (struct mw_reconnect_end){
        .code = ended->code,
        .status = answer && !ended->opened ? answer->status : 0,
        .advice = ended->advice,
        .uptime_ms = ended->uptime_ms,
        .opened = ended->opened,
        .ours = ended->ours,
    };
}

static void tell_next(struct mw_returning *returning, const struct mw_reconnect_end *end)
{
    struct mw_reconnect_step step =
        mw_reconnect_next(&returning->policy, end, &returning->setup->outbound->rng);
    returning->is_over = step.why != MW_RECONNECT_RETURNS;
    if (!returning->is_over)
        mw_alarm_set(returning->loop, &returning->alarm,
                     mw_loop_now(returning->loop) + step.after_ms);
    if (returning->events->next)
        returning->events->next(returning->setup->owner, &step);
}

static void on_ended(void *owner, const struct mw_ws_ended *ended)
{
    struct mw_returning *returning = owner;
    struct mw_ws_client *client = returning->client;
    struct mw_reconnect_end end = end_of(client, ended);
    returning->events->client.ended(returning->setup->owner, ended);
    if (returning->is_let_go)
        return; /* free has taken the client with it */
    end.ours |= returning->is_stopped;
    returning->client = NULL;
    mw_ws_client_free(client);
    tell_next(returning, &end);
}

/* ---- events of an attempt, to the owner ---- */

#define OWNER(returning)  (((struct mw_returning *)(returning))->setup->owner)
#define EVENTS(returning) (&((struct mw_returning *)(returning))->events->client)

static void on_passed(void *owner, enum mw_ws_step step)
{
    EVENTS(owner)->passed(OWNER(owner), step);
}

static void on_opened(void *owner, const struct mw_ws_answer *answer)
{
    EVENTS(owner)->opened(OWNER(owner), answer);
}

static void on_message(void *owner, enum mw_opcode opcode, struct mw_view data)
{
    EVENTS(owner)->message(OWNER(owner), opcode, data);
}

static void on_frame(void *owner, const struct mw_ws_frame *frame, struct mw_view payload)
{
    EVENTS(owner)->frame(OWNER(owner), frame, payload);
}

static void on_ping(void *owner, struct mw_view payload)
{
    EVENTS(owner)->ping(OWNER(owner), payload);
}

static void on_pong(void *owner, struct mw_view payload, uint64_t rtt_us)
{
    EVENTS(owner)->pong(OWNER(owner), payload, rtt_us);
}

static void on_drained(void *owner)
{
    EVENTS(owner)->drained(OWNER(owner));
}

/* ---- attempts ---- */

static int attempt(struct mw_returning *returning, char why[256])
{
    struct mw_ws_client_setup setup = *returning->setup;
    setup.events = &returning->inner;
    setup.owner = returning;
    returning->attempts++;
    return mw_ws_client_start(&setup, &returning->client, why);
}

/* An attempt that cannot even begin is one that has failed; the next one may find memory. */
static void on_alarm(struct mw_alarm *alarm)
{
    struct mw_returning *returning = MW_OWNER(alarm, struct mw_returning, alarm);
    const struct mw_reconnect_end end = { .code = MW_CLOSE_ABNORMAL };
    char why[256];
    if (attempt(returning, why))
        tell_next(returning, &end);
}

static void on_later(struct mw_turn_task *task)
{
    struct mw_returning *returning = MW_OWNER(task, struct mw_returning, later);
    const struct mw_reconnect_end end = { .code = MW_CLOSE_NORMAL, .ours = true };
    if (!returning->is_let_go && returning->is_stopped && !returning->is_over && !returning->client)
        tell_next(returning, &end);
    reap(returning);
}

static struct mw_ws_client_events inner_of(const struct mw_ws_client_events *events)
{
    return (struct mw_ws_client_events){
        .passed = events->passed ? on_passed : NULL,
        .opened = events->opened ? on_opened : NULL,
        .message = events->message ? on_message : NULL,
        .frame = events->frame ? on_frame : NULL,
        .ping = events->ping ? on_ping : NULL,
        .pong = events->pong ? on_pong : NULL,
        .drained = events->drained ? on_drained : NULL,
        .ended = on_ended,
    };
}

int mw_returning_start(const struct mw_ws_client_setup *setup,
                       const struct mw_returning_events *events, struct mw_returning **out,
                       char why[256])
{
    struct mw_loop *loop = setup->outbound->loop;
    struct mw_returning *returning = mw_alloc_zero(mw_loop_mem(loop), sizeof *returning);
    why[0] = '\0';
    if (!returning)
        return MW_ERR_NOMEM;
    mw_assert(events->client.ended);
    returning->setup = setup;
    returning->events = events;
    returning->inner = inner_of(&events->client);
    returning->loop = loop;
    mw_alarm_init(&returning->alarm, on_alarm);
    mw_turn_task_init(&returning->later, on_later);
    int err = attempt(returning, why);
    if (err)
        mw_free(mw_loop_mem(loop), returning, sizeof *returning);
    else
        *out = returning;
    return err;
}

void mw_returning_free(struct mw_returning *returning)
{
    if (!returning)
        return;
    returning->is_let_go = true;
    mw_alarm_stop(returning->loop, &returning->alarm);
    mw_ws_client_free(returning->client);
    returning->client = NULL;
    mw_turn_task_add(returning->loop, &returning->later); /* not here: it may be on the stack */
}

struct mw_ws_client *mw_returning_client(const struct mw_returning *returning)
{
    return returning->client;
}

uint64_t mw_returning_attempts(const struct mw_returning *returning)
{
    return returning->attempts;
}

bool mw_returning_now(struct mw_returning *returning)
{
    if (!mw_timer_is_running(&returning->alarm.timer))
        return false;
    mw_alarm_set(returning->loop, &returning->alarm, mw_loop_now(returning->loop));
    return true;
}

void mw_returning_stop(struct mw_returning *returning, unsigned code, struct mw_view reason)
{
    returning->is_stopped = true;
    mw_alarm_stop(returning->loop, &returning->alarm);
    if (returning->client)
        (void)mw_ws_client_close(returning->client, code, reason);
    else
        mw_turn_task_add(returning->loop, &returning->later);
}
