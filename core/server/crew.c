/*
 * What is done to all workers: one after the other, always from the lowest number up. A letter for
 * all of them travels the same way, so that it needs no counting and has one holder at a time.
 * Called by server and by who asks from there.
 */
#include "core/server/crew.h"

#include "core/base/clock.h"
#include "core/server/load.h"

void mw_crew_init(struct mw_crew *crew, struct mw_worker *workers, unsigned count)
{
    const struct mw_topics_setup topics = {
        .workers = count,
        .first_offset = (uint64_t)mw_clock_unix_ms() * 1000,
    };
    memset(crew, 0, sizeof *crew);
    crew->workers = workers;
    crew->count = count;
    mw_seats_init(&crew->seats);
    if (count > 0)
        mw_topics_init(&crew->topics, &topics);
}

size_t mw_crew_free(struct mw_crew *crew)
{
    size_t left = mw_topics_free(&crew->topics);
    mw_seats_free(&crew->seats);
    memset(crew, 0, sizeof *crew);
    return left;
}

int mw_crew_open(struct mw_crew *crew, const struct mw_worker_setup *setup, char why[128])
{
    struct mw_worker_setup own = *setup;
    int err = MW_OK;
    own.crew = crew;
    for (unsigned i = 0; i < crew->count && !err; i++) {
        own.number = (uint8_t)i;
        own.beside = i ? crew->workers[0].listener : 0;
        err = mw_worker_open(&crew->workers[i], &own, why);
    }
    return err;
}

int mw_crew_start(struct mw_crew *crew)
{
    int err = MW_OK;
    for (unsigned i = 0; i < crew->count && !err; i++)
        err = mw_worker_start(&crew->workers[i]);
    return err;
}

struct mw_worker *mw_crew_worker_of(const struct mw_crew *crew, mw_id id)
{
    unsigned number = mw_slots_worker_of(id);
    return number < crew->count ? &crew->workers[number] : 0;
}

void mw_crew_send(struct mw_crew *crew, struct mw_letter *letter)
{
    mw_worker_send(&crew->workers[0], letter);
}

void mw_crew_load(struct mw_crew *crew, struct mw_batch *batch)
{
    for (unsigned i = 0; i < crew->count; i++)
        mw_load_prepare(&crew->workers[i], batch);
    mw_batch_decide(batch);
    for (unsigned i = 0; i < crew->count; i++)
        mw_load_commit(&crew->workers[i], batch);
}

void mw_crew_drain(struct mw_crew *crew, bool restart)
{
    for (unsigned i = 0; i < crew->count; i++)
        mw_worker_drain(&crew->workers[i], restart);
}

/*
 * Letters that are still on their way come to their ends: up to the last worker in the first round,
 * back to one of the lower ones in the second.
 */
static void deliver_rest(struct mw_crew *crew)
{
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < crew->count; i++) {
            if (crew->workers[i].mailbox)
                mw_mailbox_deliver(crew->workers[i].mailbox);
        }
    }
}

struct mw_worker_leftovers mw_crew_close(struct mw_crew *crew)
{
    struct mw_worker_leftovers sum = { 0 };
    for (unsigned i = 0; i < crew->count; i++)
        mw_worker_join(&crew->workers[i]);
    deliver_rest(crew);
    for (unsigned i = 0; i < crew->count; i++) {
        struct mw_worker_leftovers left = mw_worker_close(&crew->workers[i]);
        sum.bytes += left.bytes;
        sum.handles += left.handles;
    }
    sum.bytes += mw_crew_free(crew);
    return sum;
}
