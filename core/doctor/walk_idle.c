/*
 * Silence: two connections at once, of which one says nothing and one pings all the time. Which of
 * them is cut tells what is limited. A server of ours is asked to keep its pings to the silent one
 * back; another one pings as it likes, which ends a silence, and how long the longest one was is
 * measured. Called by walk through its table.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/doctor/walk_parts.h"

/* A server of ours pings the silent one no more than it must: the most that it may be asked for. */
#define QUIET_MAX_S 600

/* Often enough that no limit worth the name sees silence. */
#define SPEAK_MS 500
/* For both to be closed in order, when all is known. */
#define LEAVE_MS 2000
/* After one has ended, for the other to end of the same cause. */
#define AFTERMATH_MS 1500

static void touch(struct mw_walk_hold *hold)
{
    mw_ms now_ms = mw_loop_now(hold->walk->loop);
    mw_ms quiet_ms = now_ms - hold->last_ms;
    if (quiet_ms > hold->held.quiet_ms)
        hold->held.quiet_ms = quiet_ms;
    hold->last_ms = now_ms;
}

static void on_speak(struct mw_alarm *alarm)
{
    struct mw_walk_hold *hold = MW_OWNER(alarm, struct mw_walk_hold, speak);
    if (mw_ws_client_ping(hold->client, mw_view("doctor", 6)) == MW_OK)
        mw_alarm_set(hold->walk->loop, alarm, mw_ms_add(mw_loop_now(hold->walk->loop), SPEAK_MS));
}

static void on_opened(void *owner, const struct mw_ws_answer *answer)
{
    struct mw_walk_hold *hold = owner;
    struct mw_walk *walk = hold->walk;
    (void)answer;
    hold->is_open = true;
    hold->last_ms = mw_loop_now(walk->loop);
    if (hold->talks)
        on_speak(&hold->speak);
    if (walk->silent.is_open && walk->talking.is_open)
        mw_walk_wait(walk, walk->setup.idle_ms);
}

/* Its hello has come: it is asked to keep its pings back, and says whether it does. */
static void on_message(void *owner, enum mw_opcode opcode, struct mw_view data)
{
    struct mw_walk_hold *hold = owner;
    char ask[MW_WALK_MARK_LEN + 16];
    mw_ms wanted_s = hold->walk->setup.idle_ms / 1000 + 2 * AFTERMATH_MS / 1000;
    (void)opcode;
    if (hold->talks || !mw_view_starts_with(data, hold->mark))
        return;
    struct mw_view aside = mw_view_from(data, MW_WALK_MARK_LEN);
    hold->is_promised = hold->is_promised || mw_view_is(aside, "~");
    if (!mw_view_starts_with(aside, "{"))
        return;
    snprintf(ask, sizeof ask, "%s~%llu", hold->mark,
             (unsigned long long)(wanted_s < QUIET_MAX_S ? wanted_s : QUIET_MAX_S));
    (void)mw_ws_client_send(hold->client, MW_OPCODE_TEXT, mw_view_text(ask));
}

static void on_frame(void *owner, const struct mw_ws_frame *frame, struct mw_view payload)
{
    struct mw_walk_hold *hold = owner;
    touch(hold);
    if (frame->opcode == MW_OPCODE_CLOSE)
        mw_doctor_end_said(&hold->held.end, payload);
}

static void on_ended(void *owner, const struct mw_ws_ended *ended)
{
    struct mw_walk_hold *hold = owner;
    mw_alarm_stop(hold->walk->loop, &hold->speak);
    mw_doctor_end_of(&hold->held.end, ended);
    if (!hold->walk->is_leaving)
        mw_walk_wait(hold->walk, AFTERMATH_MS);
    else if (hold->walk->silent.held.end.is_over && hold->walk->talking.held.end.is_over)
        mw_walk_next(hold->walk);
}

static const struct mw_ws_client_events events = {
    .opened = on_opened,
    .message = on_message,
    .frame = on_frame,
    .ended = on_ended,
};

static bool open_hold(struct mw_walk *walk, struct mw_walk_hold *hold, bool talks)
{
    char why[256];
    *hold = (struct mw_walk_hold){ .walk = walk, .talks = talks };
    mw_alarm_init(&hold->speak, on_speak);
    int err = mw_walk_dial(walk, false, &events, hold, &hold->client, why);
    memcpy(hold->mark, walk->mark, sizeof hold->mark);
    return err == MW_OK;
}

void mw_walk_idle_begin(struct mw_walk *walk)
{
    struct mw_doctor_line *line = mw_walk_line(walk, MW_WALK_IDLE);
    if (walk->setup.idle_ms == 0) {
        mw_doctor_value(line, "not asked for: --idle 120 holds two connections open");
        mw_walk_next(walk);
        return;
    }
    mw_ws_client_free(walk->client);
    walk->client = NULL;
    walk->is_leaving = false;
    mw_walk_wait(walk, 3 * walk->setup.wait_ms);
    if (!open_hold(walk, &walk->silent, false) || !open_hold(walk, &walk->talking, true)) {
        mw_doctor_value(line, "out of memory");
        mw_walk_next(walk);
    }
}

/*
 * A server that looks for what cuts connections (core/server/cuts.h) must not take the doctor for
 * that.
 */
static void leave(struct mw_walk *walk)
{
    struct mw_walk_hold *const holds[] = { &walk->silent, &walk->talking };
    bool waits = false;
    for (size_t i = 0; i < MW_COUNT(holds); i++) {
        if (holds[i]->held.end.is_over || !holds[i]->client)
            continue;
        waits = mw_ws_client_close(holds[i]->client, 1000, mw_view("doctor", 6)) == MW_OK || waits;
    }
    walk->is_leaving = true;
    if (waits)
        mw_walk_wait(walk, LEAVE_MS);
    else
        mw_walk_next(walk);
}

static void judge(struct mw_walk *walk)
{
    const struct mw_doctor_idle idle = { .wanted_ms = walk->setup.idle_ms,
                                         .silent = walk->silent.held,
                                         .talking = walk->talking.held,
                                         .is_promised = walk->silent.is_promised };
    mw_doctor_judge_idle(mw_walk_line(walk, MW_WALK_IDLE), &idle, &walk->who);
}

/* The time is over, or one has ended and the other had its time to follow. */
void mw_walk_idle_late(struct mw_walk *walk)
{
    struct mw_doctor_line *line = mw_walk_line(walk, MW_WALK_IDLE);
    if (walk->is_leaving) {
        mw_walk_next(walk);
        return;
    }
    if (walk->silent.is_open && walk->talking.is_open) {
        if (!walk->silent.held.end.is_over)
            touch(&walk->silent);
        judge(walk);
    } else {
        line->state = MW_DOCTOR_FAIL;
        mw_doctor_value(line, "two connections at once were not let in");
        mw_doctor_why(line, "One was. Something limits how many there are, or how fast they come.");
        mw_doctor_fix(line, "in the script: limits = { connections_per_ip }; or a rule in front");
    }
    leave(walk);
}

static void free_hold(struct mw_walk *walk, struct mw_walk_hold *hold)
{
    if (hold->walk)
        mw_alarm_stop(walk->loop, &hold->speak);
    mw_ws_client_free(hold->client);
    hold->client = NULL;
}

void mw_walk_idle_free(struct mw_walk *walk)
{
    free_hold(walk, &walk->silent);
    free_hold(walk, &walk->talking);
}
