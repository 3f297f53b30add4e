#include "core/io/thread.h"

#include <signal.h>
#include <sys/prctl.h>

#include "tests/unit/unit.h"

struct seen {
    char name[17];
    bool is_interrupt_blocked;
    bool has_run;
};

static void look_around(void *ctx)
{
    struct seen *seen = ctx;
    sigset_t mask;
    (void)prctl(PR_GET_NAME, seen->name);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &mask);
    seen->is_interrupt_blocked = sigismember(&mask, SIGINT) == 1;
    seen->has_run = true;
}

static struct seen run_as(const char *name)
{
    struct seen seen = { .has_run = false };
    struct mw_thread *thread = mw_thread_start(name, look_around, &seen);
    assert_non_null(thread);
    mw_thread_join(thread);
    assert_true(seen.has_run);
    return seen;
}

TEST(a_thread_has_its_name_and_no_signals)
{
    struct seen seen = run_as("mw-worker-0");
    assert_string_equal(seen.name, "mw-worker-0");
    assert_true(seen.is_interrupt_blocked);
}

TEST(a_name_too_long_for_the_kernel_is_cut)
{
    assert_string_equal(run_as("mw-worker-number-1").name, "mw-worker-numbe");
}

TEST(the_mask_of_the_maker_stays_as_it_was)
{
    sigset_t mask;
    (void)run_as("mw-worker");
    (void)pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGINT), 0);
}

TEST(nothing_stays_of_a_thread)
{
    size_t before = mw_shared_bytes();
    (void)run_as("mw-worker");
    mw_thread_join(NULL);
    assert_int_equal(mw_shared_bytes(), before);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_thread_has_its_name_and_no_signals),
        CASE(a_name_too_long_for_the_kernel_is_cut),
        CASE(the_mask_of_the_maker_stays_as_it_was),
        CASE(nothing_stays_of_a_thread),
    };
    return RUN(cases);
}
