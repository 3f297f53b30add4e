#include "core/base/cpu_tick.h"

#include <pthread.h>

#include "tests/unit/unit.h"

static volatile unsigned heard;

static void hear(void)
{
    heard++;
}

/* Works until the thread has had this many ticks; a test that gets none hangs, and that fails. */
static void work_for(unsigned ticks)
{
    unsigned start = mw_cpu_tick_count();
    while (mw_cpu_tick_count() - start < ticks) {
    }
}

TEST(a_thread_that_works_has_ticks_and_its_listener_hears_them)
{
    assert_int_equal(mw_cpu_tick_start(), MW_OK);
    assert_int_equal(mw_cpu_tick_start(), MW_OK);
    work_for(3);
    assert_int_equal(heard, 0);
    mw_cpu_tick_listen(hear);
    work_for(3);
    mw_cpu_tick_listen(NULL);
    assert_true(heard >= 3);
    unsigned until_now = heard;
    work_for(2);
    assert_int_equal(heard, until_now);
}

TEST(cpu_time_grows_with_work)
{
    uint64_t before_us = mw_cpu_time_us();
    work_for(2);
    assert_true(mw_cpu_time_us() > before_us);
}

struct seen {
    unsigned at_start, after_work;
    int err;
};

static void *run_thread(void *arg)
{
    struct seen *seen = arg;
    seen->at_start = mw_cpu_tick_count();
    seen->err = mw_cpu_tick_start();
    work_for(2);
    seen->after_work = mw_cpu_tick_count();
    return NULL;
}

TEST(each_thread_has_its_own_ticks_and_gives_its_timer_back)
{
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        struct seen seen = { 99, 0, MW_ERR_IO };
        unsigned heard_before = heard;
        mw_cpu_tick_listen(hear);
        assert_int_equal(pthread_create(&thread, NULL, run_thread, &seen), 0);
        (void)pthread_join(thread, NULL);
        mw_cpu_tick_listen(NULL);
        assert_int_equal(seen.err, MW_OK);
        assert_int_equal(seen.at_start, 0);
        assert_true(seen.after_work >= 2);
        assert_true(heard - heard_before <= 1); /* waiting takes no CPU time */
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_thread_that_works_has_ticks_and_its_listener_hears_them),
        CASE(cpu_time_grows_with_work),
        CASE(each_thread_has_its_own_ticks_and_gives_its_timer_back),
    };
    return RUN(cases);
}
