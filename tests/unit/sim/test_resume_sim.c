/* The property of sessions: over many schedules of cuts nothing is lost, doubled or untold. */
#include "core/sim/resume_sim.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
#define SCHEDULES 1000 /* one thread: there is nothing to find but time */
#else
#define SCHEDULES 10000
#endif

static struct mw_mem mem;
static struct mw_resume_tally tally;

TEST(ten_thousand_schedules_of_cuts_lose_nothing)
{
    for (uint64_t seed = 1; seed <= SCHEDULES; seed++) {
        const char *broken = mw_resume_simulate(&mem, seed, &tally);
        if (broken)
            fail_msg("moonwire simulate resume --schedules 1 --seed %llu: %s",
                     (unsigned long long)seed, broken);
        assert_mem_empty(&mem);
    }
#define PRINT(name, text) print_message("%10llu %s\n", (unsigned long long)tally.name, text);
    MW_RESUME_TALLY_LIST(PRINT)
#undef PRINT
}

TEST(the_schedules_have_seen_everything)
{
#define SEEN(name, text) assert_true(tally.name >= SCHEDULES / 100);
    MW_RESUME_TALLY_LIST(SEEN)
#undef SEEN
}

TEST(a_seed_gives_the_same_run_again)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct mw_resume_tally once = { 0 }, twice = { 0 };
        assert_null(mw_resume_simulate(&mem, seed, &once));
        assert_null(mw_resume_simulate(&mem, seed, &twice));
        assert_memory_equal(&once, &twice, sizeof once);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(ten_thousand_schedules_of_cuts_lose_nothing),
        CASE(the_schedules_have_seen_everything),
        CASE(a_seed_gives_the_same_run_again),
    };
    return RUN(cases);
}
