/*
 * What every unit test needs: cmocka with the headers it wants before it, views in assertions, and
 * the loop that fails each allocation in turn. Header only, because tests of different layers
 * include it.
 */
#ifndef MW_TESTS_UNIT_H
#define MW_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/check.h"
#include "core/base/mem.h"

/* TEST(name_of_what_is_expected) { ... } and CASE(name_of_what_is_expected) in main's list. */
#define TEST(name) static void name(void **unused_state __attribute__((unused)))
#define CASE(name) cmocka_unit_test(name)
#define RUN(cases) cmocka_run_group_tests(cases, NULL, NULL)

static inline void assert_view(struct mw_view got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.data, want, got.len);
}

static inline void assert_mem_empty(const struct mw_mem *mem)
{
    assert_int_equal(mem->bytes, 0);
    assert_int_equal(mem->blocks, 0);
}

/*
 * Runs `scenario` with its 1st, 2nd, 3rd ... allocation failing until it gets through. The scenario
 * answers whether it got all its memory; it checks that a refused call changed nothing, and gives
 * back what it took. Returns how many allocations it takes.
 */
static inline uint64_t fail_each_allocation(bool (*scenario)(struct mw_mem *mem))
{
    for (uint64_t fail_at = 1; fail_at < 100000; fail_at++) {
        struct mw_mem mem;
        mw_mem_init(&mem, NULL, 0);
        mem.fail_at = fail_at;
        bool got_through = scenario(&mem);
        assert_mem_empty(&mem);
        if (mem.count < fail_at) {
            assert_true(got_through);
            return mem.count;
        }
    }
    fail_msg("the scenario never ran out of allocations to fail");
    return 0;
}

#endif
