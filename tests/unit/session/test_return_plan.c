/* Return slots: how many arrive when, for crowds of every size. */
#include "core/session/return_plan.h"

#include "core/base/check.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "tests/unit/unit.h"

#define MOST 20000

static const uint64_t rates[] = { 1, 7, 100, 333, 500, 999, 1000, 3000, 100000 };

/* In every second that begins with a close no more than `rate` come back, at any place of theirs.
 */
static void assert_flat(const struct mw_return_plan *plan, bool late)
{
    uint64_t first = 0;
    for (uint64_t i = 0; i < plan->count; i++) {
        struct mw_advice slot = mw_return_slot(plan, i);
        mw_ms at_ms = mw_return_close_ms(plan, i) + slot.after_ms + (late ? slot.spread_ms : 0);
        for (;; first++) {
            struct mw_advice before = mw_return_slot(plan, first);
            mw_ms first_ms =
                mw_return_close_ms(plan, first) + before.after_ms + (late ? before.spread_ms : 0);
            if (at_ms < first_ms + 1000)
                break;
        }
        /* A millisecond on either side is rounding. */
        assert_true(i - first + 1 <= plan->rate_per_s + 1 + plan->rate_per_s / 500);
    }
}

TEST(no_second_sees_more_arrivals_than_the_rate)
{
    for (size_t r = 0; r < MW_COUNT(rates); r++) {
        for (uint64_t count = 1; count <= MOST; count = count * 3 / 2 + 1) {
            struct mw_return_plan plan = mw_return_plan(count, rates[r], 0, 2500);
            assert_flat(&plan, false);
            assert_flat(&plan, true);
        }
    }
}

/* What a client is told is all that there is to see from outside. */
TEST(no_second_of_advice_holds_more_clients_than_the_rate)
{
    for (uint64_t count = 1; count <= MOST; count++) {
        struct mw_return_plan plan = mw_return_plan(count, 500, 0, 2500);
        uint64_t last = count - 1;
        assert_int_equal(mw_return_slot(&plan, last).after_ms / 1000, last / 500);
        assert_int_equal(mw_return_slot(&plan, last).after_ms, last * 2);
    }
}

TEST(slots_follow_each_other_without_a_gap)
{
    struct mw_return_plan plan = mw_return_plan(MOST, 333, 5000, 2500);
    for (uint64_t i = 0; i < MOST; i++) {
        struct mw_advice slot = mw_return_slot(&plan, i);
        assert_int_equal(slot.kind, MW_ADVICE_RETURN);
        assert_false(slot.afresh);
        assert_int_equal(slot.after_ms + slot.spread_ms, mw_return_slot(&plan, i + 1).after_ms);
    }
    assert_int_equal(mw_return_slot(&plan, 0).after_ms, 5000);
}

TEST(closes_go_out_in_order_and_within_their_bound)
{
    struct mw_return_plan plan = mw_return_plan(10000, 500, 0, 2500);
    assert_int_equal(plan.closes_ms, 2500);
    assert_int_equal(mw_return_close_ms(&plan, 0), 0);
    for (uint64_t i = 1; i < plan.count; i++) {
        assert_true(mw_return_close_ms(&plan, i) >= mw_return_close_ms(&plan, i - 1));
        assert_true(mw_return_close_ms(&plan, i) < 2500);
    }
    assert_int_equal(mw_return_whole_ms(&plan), 22500);
    /* A few clients are not kept waiting for the sake of it. */
    assert_int_equal(mw_return_plan(8, 500, 0, 2500).closes_ms, 4);
    assert_int_equal(mw_return_plan(1, 500, 0, 2500).closes_ms, 0);
}

TEST(absurd_numbers_are_a_plan_all_the_same)
{
    struct mw_return_plan nobody = mw_return_plan(0, 0, 0, 0);
    assert_int_equal(mw_return_close_ms(&nobody, 0), 0);
    assert_int_equal(mw_return_whole_ms(&nobody), 0);
    struct mw_return_plan slow = mw_return_plan(10000000, 1, 5000, 2500);
    struct mw_advice last = mw_return_slot(&slow, 9999999);
    assert_int_equal(last.after_ms, MW_ADVICE_MAX_MS);
    assert_int_equal(last.spread_ms, 0);
}

TEST(everybody_has_a_slot_and_nobody_has_it_for_their_age)
{
    static mw_id ids[MOST];
    static bool seen[MOST];
    struct mw_rng rng;
    size_t at_home = 0;
    mw_rng_seed(&rng, 3);
    for (size_t i = 0; i < MOST; i++)
        ids[i] = i;
    mw_return_shuffle(ids, MOST, &rng);
    for (size_t i = 0; i < MOST; i++) {
        assert_false(seen[ids[i]]);
        seen[ids[i]] = true;
        at_home += ids[i] == i;
    }
    assert_true(at_home < 20);
    mw_return_shuffle(ids, 0, &rng);
    mw_return_shuffle(ids, 1, &rng);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(no_second_sees_more_arrivals_than_the_rate),
        CASE(no_second_of_advice_holds_more_clients_than_the_rate),
        CASE(slots_follow_each_other_without_a_gap),
        CASE(closes_go_out_in_order_and_within_their_bound),
        CASE(absurd_numbers_are_a_plan_all_the_same),
        CASE(everybody_has_a_slot_and_nobody_has_it_for_their_age),
    };
    return RUN(cases);
}
