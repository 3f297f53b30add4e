#include "core/io/offload.h"

#include <pthread.h>

#include "tests/unit/io/io.h"

#define JOBS 50

struct chore {
    struct mw_job job;
    struct pool *pool;
    pthread_t thread; /* where it ran */
    bool has_run;
};

struct pool {
    struct world world;
    struct chore chores[JOBS];
    unsigned done;
};

static void run(struct mw_job *job)
{
    struct chore *chore = MW_OWNER(job, struct chore, job);
    chore->thread = pthread_self();
    chore->has_run = true;
}

static void done(struct mw_job *job)
{
    struct chore *chore = MW_OWNER(job, struct chore, job);
    assert_true(chore->has_run);
    assert_false(pthread_equal(chore->thread, pthread_self()));
    chore->pool->done++;
    memset(chore, 0, sizeof(*chore)); /* the job is its owner's again */
}

static void open_pool(struct pool *pool)
{
    *pool = (struct pool){ .done = 0 };
    open_world(&pool->world);
    for (size_t i = 0; i < JOBS; i++) {
        pool->chores[i].pool = pool;
        pool->chores[i].job = (struct mw_job){ run, done };
    }
}

TEST(jobs_run_in_other_threads_and_come_back)
{
    struct pool pool;
    open_pool(&pool);
    for (size_t i = 0; i < JOBS; i++)
        assert_int_equal(mw_offload(pool.world.loop, &pool.chores[i].job), MW_OK);
    assert_int_equal(pool.done, 0);
    wait_for_count(&pool.world, &pool.done, JOBS);
    close_world(&pool.world);
}

TEST(finishing_waits_for_jobs)
{
    struct pool pool;
    open_pool(&pool);
    assert_int_equal(mw_offload(pool.world.loop, &pool.chores[0].job), MW_OK);
    close_world(&pool.world);
    assert_int_equal(pool.done, 1);
}

TEST(without_memory_a_job_is_neither_run_nor_done)
{
    struct pool pool;
    open_pool(&pool);
    pool.world.mem.fail_at = pool.world.mem.count + 1;
    assert_int_equal(mw_offload(pool.world.loop, &pool.chores[0].job), MW_ERR_NOMEM);
    run_some_turns(&pool.world);
    assert_false(pool.chores[0].has_run);
    assert_int_equal(pool.done, 0);
    close_world(&pool.world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(jobs_run_in_other_threads_and_come_back),
        CASE(finishing_waits_for_jobs),
        CASE(without_memory_a_job_is_neither_run_nor_done),
    };
    return RUN(cases);
}
