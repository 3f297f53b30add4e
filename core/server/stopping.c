/*
 * Adding up what workers say of their drains. A worker that a script holds says nothing: what the
 * others have said is told all the same, a second after the order. Called by server.
 */
#include "core/server/stopping.h"

#include <stdio.h>

#include "core/server/drain_say.h"

static void on_tell(struct mw_alarm *alarm);

void mw_stopping_init(struct mw_stopping *stopping)
{
    mw_alarm_init(&stopping->tell, on_tell);
}

static void tell_begun(struct mw_stopping *stopping)
{
    if (stopping->is_told)
        return;
    stopping->is_told = true;
    mw_drain_say_begun(stopping->log, &stopping->facts);
    stopping->began(stopping->ctx);
}

static void tell_progress(const struct mw_stopping *stopping)
{
    struct mw_drain_tally tally = { 0 };
    size_t left = 0;
    for (unsigned i = 0; i < stopping->crew->count; i++) {
        struct mw_drain *drain = &stopping->crew->workers[i].drain;
        left += atomic_load(&drain->seen_left);
        tally.told += atomic_load(&drain->seen_told);
        tally.clean += atomic_load(&drain->seen_clean);
    }
    mw_drain_say_progress(stopping->log, left, &tally);
}

static void on_tell(struct mw_alarm *alarm)
{
    struct mw_stopping *stopping = MW_OWNER(alarm, struct mw_stopping, tell);
    if (stopping->is_told)
        tell_progress(stopping);
    tell_begun(stopping);
    mw_alarm_set(stopping->loop, alarm, mw_loop_now(stopping->loop) + MW_DRAIN_TELL_MS);
}

void mw_stopping_start(struct mw_stopping *stopping, bool restart)
{
    mw_crew_drain(stopping->crew, restart);
    mw_alarm_set(stopping->loop, &stopping->tell, mw_loop_now(stopping->loop) + MW_DRAIN_TELL_MS);
}

void mw_stopping_begun(struct mw_stopping *stopping, const struct mw_worker *worker)
{
    size_t connections = stopping->facts.connections + worker->drain.facts.connections;
    stopping->facts = worker->drain.facts;
    stopping->facts.connections = connections;
    stopping->begun++;
    if (stopping->begun == stopping->crew->count) {
        tell_begun(stopping);
        mw_alarm_set(stopping->loop, &stopping->tell,
                     mw_loop_now(stopping->loop) + stopping->facts.grace_ms + MW_DRAIN_TELL_MS);
    }
}

static void add_tally(struct mw_drain_tally *sum, const struct mw_drain_tally *tally)
{
    sum->told += tally->told;
    sum->clean += tally->clean;
    sum->unanswered += tally->unanswered;
    for (size_t i = 0; i < MW_DRAIN_CUTS; i++)
        sum->cut[i] += tally->cut[i];
    sum->owed += tally->owed;
    if (sum->took_ms < tally->took_ms)
        sum->took_ms = tally->took_ms;
}

bool mw_stopping_over(struct mw_stopping *stopping, const struct mw_worker *worker)
{
    add_tally(&stopping->tally, &worker->drain.tally);
    stopping->over++;
    if (stopping->over < stopping->crew->count)
        return false;
    mw_alarm_stop(stopping->loop, &stopping->tell);
    mw_drain_say_over(stopping->log, &stopping->tally);
    return true;
}

void mw_stopping_late(const struct mw_stopping *stopping, char out[MW_STOPPING_TEXT_MAX])
{
    const struct mw_crew *crew = stopping->crew;
    unsigned late = crew->count - stopping->over;
    size_t at = (size_t)snprintf(out, MW_STOPPING_TEXT_MAX, late > 1 ? "workers" : "worker");
    for (unsigned i = 0; i < crew->count; i++) {
        if (!atomic_load(&crew->workers[i].drain.is_over))
            at += (size_t)snprintf(out + at, MW_STOPPING_TEXT_MAX - at, " %u", i);
    }
    if (crew->count == 1)
        snprintf(out, MW_STOPPING_TEXT_MAX, "the worker");
}
