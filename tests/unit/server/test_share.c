#include "core/server/share.h"

#include "tests/unit/unit.h"

/* ---- a turn ---- */

TEST(a_turn_has_ticks_and_calls_and_the_next_one_has_them_again)
{
    struct mw_share share;
    struct mw_share_place place;
    mw_share_init(&share);
    mw_share_place_init(&place);
    share.max_calls = 2;
    mw_share_at(&share, 0, 100);
    share.begun_tick = 100;
    mw_share_at(&share, 1, 100);
    assert_true(mw_share_may_call(&share, &place, 100 + MW_SHARE_TICKS - 1));
    assert_false(mw_share_may_call(&share, &place, 100 + MW_SHARE_TICKS));
    mw_share_charge(&share, &place, 0);
    mw_share_at(&share, 1, 101); /* the same turn */
    assert_false(mw_share_is_spent(&share, 101));
    mw_share_charge(&share, &place, 0);
    assert_true(mw_share_is_spent(&share, 101));
    mw_share_at(&share, 2, 101);
    assert_false(mw_share_is_spent(&share, 101));
    mw_share_at(&share, 3, 110);
    assert_false(mw_share_is_spent(&share, 110));
    assert_false(mw_share_is_spent(&share, 110 + MW_SHARE_TICKS - 1));
    assert_true(mw_share_is_spent(&share, 110 + MW_SHARE_TICKS));
}

TEST(after_a_late_turn_everybody_stands_in_the_queue)
{
    struct mw_share share;
    struct mw_share_place place;
    mw_share_init(&share);
    mw_share_place_init(&place);
    mw_share_at(&share, 1, 0);
    mw_share_at(&share, 2, MW_SHARE_TICKS);
    assert_false(mw_share_is_spent(&share, MW_SHARE_TICKS));
    assert_false(mw_share_may_call(&share, &place, MW_SHARE_TICKS));
    mw_share_wait(&share, &place);
    assert_ptr_equal(mw_share_next(&share), &place);
    assert_true(mw_share_may_call(&share, &place, MW_SHARE_TICKS));
    mw_share_done(&share);
    mw_share_at(&share, 3, MW_SHARE_TICKS + 1);
    assert_true(mw_share_may_call(&share, &place, MW_SHARE_TICKS + 1));
}

TEST(ticks_may_wrap)
{
    struct mw_share share;
    mw_share_init(&share);
    mw_share_at(&share, 1, UINT32_MAX);
    assert_false(mw_share_is_spent(&share, 1));
    assert_true(mw_share_is_spent(&share, MW_SHARE_TICKS - 1));
}

/* ---- the queue ---- */

struct three {
    struct mw_share share;
    struct mw_share_place places[3];
};

static void make_three(struct three *three)
{
    mw_share_init(&three->share);
    for (int i = 0; i < 3; i++)
        mw_share_place_init(&three->places[i]);
}

static int next_of(struct three *three)
{
    struct mw_share_place *place = mw_share_next(&three->share);
    mw_share_done(&three->share);
    return place ? (int)(place - three->places) : -1;
}

TEST(while_somebody_waits_nobody_else_is_called)
{
    struct three three;
    make_three(&three);
    struct mw_share *share = &three.share;
    mw_share_at(share, 1, 0);
    assert_true(mw_share_may_call(share, &three.places[0], 0));
    mw_share_wait(share, &three.places[1]);
    assert_false(mw_share_may_call(share, &three.places[0], 0));
    assert_false(mw_share_may_call(share, &three.places[1], 0));
    assert_ptr_equal(mw_share_next(share), &three.places[1]);
    assert_true(mw_share_may_call(share, &three.places[1], 0));
    assert_false(mw_share_may_call(share, &three.places[0], 0));
    mw_share_done(share);
    assert_true(mw_share_may_call(share, &three.places[0], 0));
    assert_null(mw_share_next(share));
}

TEST(of_equal_ones_who_came_first_goes_first_and_each_stands_there_once)
{
    struct three three;
    make_three(&three);
    for (int i = 2; i >= 0; i--) {
        mw_share_wait(&three.share, &three.places[i]);
        mw_share_wait(&three.share, &three.places[i]);
    }
    mw_share_leave(&three.places[1]);
    assert_int_equal(next_of(&three), 2);
    assert_int_equal(next_of(&three), 0);
    assert_int_equal(next_of(&three), -1);
}

TEST(who_has_used_least_goes_first)
{
    struct three three;
    make_three(&three);
    mw_share_charge(&three.share, &three.places[0], 50);
    mw_share_charge(&three.share, &three.places[1], 0);
    mw_share_charge(&three.share, &three.places[2], 10);
    for (int i = 0; i < 3; i++)
        mw_share_wait(&three.share, &three.places[i]);
    assert_int_equal(next_of(&three), 1);
    assert_int_equal(next_of(&three), 2);
    assert_int_equal(next_of(&three), 0);
}

TEST(those_who_always_want_more_get_the_same_time_however_long_their_calls_are)
{
    static const unsigned ticks[] = { 47, 20, 1 };
    struct three three;
    unsigned used[3] = { 0 };
    make_three(&three);
    for (unsigned turn = 0; turn < 10000; turn++) {
        for (int i = 0; i < 3; i++)
            mw_share_wait(&three.share, &three.places[i]);
        struct mw_share_place *place = mw_share_next(&three.share);
        size_t who = (size_t)(place - three.places);
        mw_share_charge(&three.share, place, ticks[who]);
        mw_share_done(&three.share);
        used[who] += ticks[who];
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(used[i] + 60, used[0], used[0] + 120);
}

TEST(having_been_quiet_is_not_saved_up)
{
    struct three three;
    make_three(&three);
    for (int i = 0; i < 1000; i++) { /* long without the second one */
        mw_share_wait(&three.share, &three.places[0]);
        struct mw_share_place *place = mw_share_next(&three.share);
        mw_share_charge(&three.share, place, 10);
        mw_share_done(&three.share);
    }
    unsigned first = 0;
    for (int i = 0; i < 100; i++) {
        mw_share_wait(&three.share, &three.places[0]);
        mw_share_wait(&three.share, &three.places[1]);
        struct mw_share_place *place = mw_share_next(&three.share);
        mw_share_charge(&three.share, place, 10);
        mw_share_done(&three.share);
        first += place == &three.places[0];
    }
    assert_in_range(first, 49, 51);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_turn_has_ticks_and_calls_and_the_next_one_has_them_again),
        CASE(after_a_late_turn_everybody_stands_in_the_queue),
        CASE(ticks_may_wrap),
        CASE(while_somebody_waits_nobody_else_is_called),
        CASE(of_equal_ones_who_came_first_goes_first_and_each_stands_there_once),
        CASE(who_has_used_least_goes_first),
        CASE(those_who_always_want_more_get_the_same_time_however_long_their_calls_are),
        CASE(having_been_quiet_is_not_saved_up),
    };
    return RUN(cases);
}
