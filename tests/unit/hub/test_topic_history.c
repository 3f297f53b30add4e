#include <stdio.h>

#include "tests/unit/hub/house.h"

static struct mw_topic_wish since(uint64_t offset)
{
    return (struct mw_topic_wish){ .has_since = true, .since = offset };
}

static struct mw_topic_wish last(uint32_t count)
{
    return (struct mw_topic_wish){ .last = count };
}

/* What a newcomer of a worker is replayed. */
static struct mw_topic_replay check_replay(struct house *house, unsigned worker,
                                           struct mw_topic_wish wish, const char *heard)
{
    struct ear ear;
    struct mw_topic_replay told;
    open_ear(house, &ear, worker, 99);
    assert_int_equal(listen_with(house, &ear, "room:1", wish, &told), 1);
    assert_string_equal(ear.heard, heard);
    assert_int_equal(told.count, strlen(heard));
    go_deaf(&ear);
    return told;
}

TEST(a_newcomer_gets_what_it_has_missed_from_any_worker)
{
    for (unsigned workers = 1; workers <= 2; workers++) {
        struct house house;
        open_house(&house, workers, 1 << 20);
        set_rule(&house, "a.lua", "room:*", 100, 60);
        uint64_t first = say(&house, 0, "room:1", "a").offset;
        assert_true(say(&house, 0, "room:1", "b").is_kept);
        assert_int_equal(say(&house, workers - 1, "room:1", "c").offset, first + 2);
        for (unsigned w = 0; w < workers; w++) {
            struct mw_topic_replay told = check_replay(&house, w, since(first), "bc");
            assert_true(told.is_whole);
            assert_int_equal(told.offset, first + 2);
            assert_true(check_replay(&house, w, since(first + 2), "").is_whole);
            assert_true(check_replay(&house, w, last(2), "bc").is_whole);
            assert_true(
                check_replay(&house, w, last(9), "abc").is_whole); /* there never were more */
            assert_true(check_replay(&house, w, last(0), "").is_whole);
        }
        assert_true(mw_topics_history_bytes(&house.store) > 0);
        close_house(&house);
    }
}

TEST(an_offset_of_another_life_is_not_whole)
{
    struct house house;
    open_house(&house, 2, 1 << 20);
    set_rule(&house, "a.lua", "room:*", 100, 60);
    uint64_t offset = say(&house, 0, "room:1", "a").offset;
    assert_int_equal(offset, HOUSE_FIRST + 2);
    house.now_ms += 60000;
    for (int i = 0; i < 8; i++, house.now_ms += 1000)
        mw_topics_sweep(&house.store, house.now_ms);
    assert_int_equal(mw_topics_count(&house.store), 0);
    uint64_t again = say(&house, 0, "room:1", "b").offset;
    assert_true(again > offset + 1);
    assert_false(check_replay(&house, 0, since(offset), "b").is_whole);
    assert_false(check_replay(&house, 1, since(0), "b").is_whole);
    assert_false(check_replay(&house, 1, since(again + 1), "b").is_whole);
    assert_false(check_replay(&house, 1, since(UINT64_MAX), "b").is_whole);
    assert_true(check_replay(&house, 1, since(again - 1), "b").is_whole);
    close_house(&house);
}

TEST(a_history_has_a_length)
{
    struct house house;
    open_house(&house, 1, 1 << 20);
    set_rule(&house, "a.lua", "room:*", 3, 60);
    uint64_t first = say(&house, 0, "room:1", "a").offset;
    say(&house, 0, "room:1", "b");
    say(&house, 0, "room:1", "c");
    assert_true(check_replay(&house, 0, last(3), "abc").is_whole);
    say(&house, 0, "room:1", "d");
    assert_true(check_replay(&house, 0, since(first), "bcd").is_whole);
    assert_false(check_replay(&house, 0, since(first - 1), "bcd").is_whole);
    assert_false(check_replay(&house, 0, last(4), "bcd").is_whole);
    close_house(&house);
}

TEST(messages_expire)
{
    struct house house;
    open_house(&house, 1, 1 << 20);
    set_rule(&house, "a.lua", "room:*", 100, 10);
    uint64_t first = say(&house, 0, "room:1", "a").offset;
    house.now_ms += 5000;
    say(&house, 0, "room:1", "b");
    house.now_ms += 4999;
    assert_true(check_replay(&house, 0, since(first - 1), "ab").is_whole);
    house.now_ms += 1;
    assert_false(check_replay(&house, 0, since(first - 1), "b").is_whole);
    assert_true(check_replay(&house, 0, since(first), "b").is_whole);
    house.now_ms += 10000;
    close_house(&house);
}

/* A quiet topic keeps nothing for ever, and there is no timer for each. */
TEST(a_sweep_forgets_topics_that_nobody_touches)
{
    struct house house;
    struct ear ear;
    char name[32];
    open_house(&house, 2, 1 << 20);
    set_rule(&house, "a.lua", "*", 100, 10);
    open_ear(&house, &ear, 0, 1);
    listen_to(&ear, "topic 7");
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "topic %d", i);
        say(&house, 0, name, "a");
    }
    assert_int_equal(mw_topics_count(&house.store), 200);
    mw_ms next = mw_topics_sweep(&house.store, house.now_ms);
    assert_int_equal(next, house.now_ms + 1000);
    assert_int_equal(mw_topics_sweep(&house.store, house.now_ms), next); /* done already */
    assert_int_equal(mw_topics_count(&house.store), 200);
    for (int i = 0; next != MW_NEVER; i++) {
        assert_in_range(i, 0, 30);
        house.now_ms = next;
        next = mw_topics_sweep(&house.store, next);
    }
    assert_int_equal(mw_topics_history_bytes(&house.store), 0);
    assert_int_equal(mw_topics_count(&house.store), 1);
    go_deaf(&ear);
    assert_int_equal(mw_topics_count(&house.store), 0);
    close_house(&house);
}

TEST(a_topic_lives_as_long_as_a_member_or_a_message)
{
    struct house house;
    struct ear ear;
    open_house(&house, 1, 1 << 20);
    set_rule(&house, "a.lua", "room:*", 100, 10);
    open_ear(&house, &ear, 0, 1);
    listen_to(&ear, "room:1");
    say(&house, 0, "room:1", "a");
    go_deaf(&ear);
    assert_int_equal(mw_topics_count(&house.store), 1);
    assert_true(check_replay(&house, 0, last(1), "a").is_whole);
    assert_int_equal(mw_topics_count(&house.store), 1);
    house.now_ms += 10000;
    check_replay(&house, 0, last(1), "");
    assert_int_equal(mw_topics_count(&house.store), 0);
    close_house(&house);
}

/* Where all histories are too large, the oldest messages go, of whatever topic. */
TEST(the_oldest_messages_anywhere_go_first)
{
    static char text[1000];
    struct house house;
    struct mw_published told;
    char name[32];
    open_house(&house, 1, 100000);
    set_rule(&house, "a.lua", "*", 1000, 3600);
    uint64_t old = say(&house, 0, "room:1", "a").offset;
    house.now_ms++;
    say(&house, 0, "room:1", "b");
    for (int i = 0; i < 500; i++, house.now_ms++) {
        snprintf(name, sizeof name, "topic %d", i % 10);
        assert_int_equal(say_bytes(&house, 0, name, mw_view(text, sizeof text), &told), MW_OK);
        assert_in_range(mw_topics_history_bytes(&house.store), 1, 100000);
        if (i == 20)
            assert_true(check_replay(&house, 0, since(old), "b").is_whole);
        assert_true(mw_topics_validate(&house.store));
    }
    assert_int_equal(mw_topics_count(&house.store), 10); /* room:1 is gone */
    assert_false(check_replay(&house, 0, since(old), "").is_whole);
    close_house(&house);
}

TEST(a_message_larger_than_all_histories_may_be_is_delivered_and_not_kept)
{
    static char text[2000];
    struct house house;
    struct ear ear;
    struct mw_published told;
    open_house(&house, 1, 1000);
    set_rule(&house, "a.lua", "*", 10, 60);
    open_ear(&house, &ear, 0, 1);
    listen_to(&ear, "room:1");
    assert_int_equal(say_bytes(&house, 0, "room:1", mw_view(text, sizeof text), &told), MW_OK);
    assert_int_equal(mw_topics_history_bytes(&house.store), 0);
    assert_int_equal(ear.count, sizeof text);
    assert_false(check_replay(&house, 0, since(told.offset - 1), "").is_whole);
    assert_true(check_replay(&house, 0, since(told.offset), "").is_whole);
    go_deaf(&ear);
    close_house(&house);
}

/* What does not fit into the receiver's queue is cut from the old end: no hole in what comes. */
TEST(a_replay_is_cut_to_what_fits)
{
    struct house house;
    open_house(&house, 1, 1 << 20);
    set_rule(&house, "a.lua", "room:*", 100, 60);
    uint64_t first = say(&house, 0, "room:1", "a").offset;
    say(&house, 0, "room:1", "b");
    say(&house, 0, "room:1", "c");
    struct mw_topic_wish wish = since(first - 1);
    wish.max_bytes = 2;
    assert_false(check_replay(&house, 0, wish, "bc").is_whole);
    wish = last(3);
    wish.max_bytes = 2;
    assert_false(check_replay(&house, 0, wish, "bc").is_whole);
    wish = last(2);
    wish.max_bytes = 2;
    assert_true(check_replay(&house, 0, wish, "bc").is_whole);
    close_house(&house);
}

TEST(without_a_rule_there_is_no_offset_and_no_replay)
{
    for (unsigned workers = 1; workers <= 2; workers++) {
        struct house house;
        struct ear ear;
        open_house(&house, workers, 1 << 20);
        open_ear(&house, &ear, 0, 1);
        listen_to(&ear, "room:1");
        assert_false(say(&house, 0, "room:1", "a").is_kept);
        struct mw_topic_replay told = check_replay(&house, workers - 1, last(5), "");
        assert_int_equal(told.offset, 0);
        assert_false(told.is_whole);
        assert_false(check_replay(&house, workers - 1, since(5), "").is_whole);
        assert_true(check_replay(&house, workers - 1, last(0), "").is_whole);
        go_deaf(&ear);
        close_house(&house);
    }
}

TEST(a_rule_that_comes_and_goes_holds_for_topics_that_are_there)
{
    for (unsigned workers = 1; workers <= 2; workers++) {
        struct house house;
        struct ear ear;
        open_house(&house, workers, 1 << 20);
        open_ear(&house, &ear, 0, 1);
        listen_to(&ear, "room:1");
        say(&house, 0, "room:1", "a");
        set_rule(&house, "a.lua", "room:*", 10, 60);
        uint64_t b = say(&house, 0, "room:1", "b").offset;
        say(&house, 0, "room:1", "c");
        say(&house, 0, "room:1", "d");
        assert_string_equal(ear.heard, "abcd");
        assert_true(check_replay(&house, 0, since(b), "cd").is_whole);
        set_rule(&house, "a.lua", "room:*", 1, 60); /* shorter: at once */
        assert_false(check_replay(&house, 0, since(b), "d").is_whole);
        set_rule(&house, "a.lua", "", 0, 0); /* none any more */
        assert_false(check_replay(&house, 0, since(b), "").is_whole);
        assert_false(say(&house, 0, "room:1", "e").is_kept);
        set_rule(&house, "a.lua", "room:*", 10, 60);
        say(&house, 0, "room:1", "f");
        assert_false(check_replay(&house, 0, since(b), "f").is_whole);
        assert_string_equal(ear.heard, "abcdef");
        go_deaf(&ear);
        close_house(&house);
    }
}

TEST(who_is_in_a_topic_is_replayed_nothing_again)
{
    struct house house;
    struct ear ear;
    struct mw_topic_replay told;
    open_house(&house, 1, 1 << 20);
    set_rule(&house, "a.lua", "room:*", 100, 60);
    open_ear(&house, &ear, 0, 1);
    uint64_t first = say(&house, 0, "room:1", "a").offset;
    assert_int_equal(listen_with(&house, &ear, "room:1", since(first), &told), 1);
    say(&house, 0, "room:1", "b");
    assert_int_equal(listen_with(&house, &ear, "room:1", since(first), &told), 0);
    assert_true(told.is_whole);
    assert_int_equal(told.offset, first + 1);
    assert_int_equal(listen_with(&house, &ear, "room:1", since(first - 1), &told), 0);
    assert_false(told.is_whole); /* of the time before it joined */
    assert_int_equal(listen_with(&house, &ear, "room:1", last(1), &told), 0);
    assert_false(told.is_whole);
    assert_string_equal(ear.heard, "b");
    go_deaf(&ear);
    close_house(&house);
}

/* ---- memory ---- */

static bool join_with_replay(struct mw_mem *mem)
{
    struct house house;
    struct ear ear;
    struct mw_topic_replay told;
    open_house(&house, 2, 1 << 20);
    set_rule(&house, "a.lua", "room:*", 100, 60);
    say(&house, 0, "room:1", "a");
    say(&house, 0, "room:1", "b");
    open_ear(&house, &ear, 0, 1);
    ear.w->hub.mem = ear.w->party.mem = mem;
    const struct mw_join how = {
        .replay = { .last = 2, .max_bytes = 100, .now_ms = house.now_ms },
        .has_presence = true,
        .presence = mw_view_text("\"ann\""),
    };
    int result = mw_hub_join(&ear.w->hub, &ear.sub, mw_view_text("room:1"), &how, &told);
    if (result == 1)
        mw_topic_replay_free(&told, mem);
    else
        assert_int_equal(result, MW_ERR_NOMEM);
    assert_int_equal(ear.sub.count, result == 1);
    assert_true(mw_topics_validate(&house.store));
    go_deaf(&ear);
    close_house(&house);
    return result == 1;
}

TEST(each_failing_allocation_changes_nothing)
{
    assert_true(fail_each_allocation(join_with_replay) >= 4);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_newcomer_gets_what_it_has_missed_from_any_worker),
        CASE(an_offset_of_another_life_is_not_whole),
        CASE(a_history_has_a_length),
        CASE(messages_expire),
        CASE(a_sweep_forgets_topics_that_nobody_touches),
        CASE(a_topic_lives_as_long_as_a_member_or_a_message),
        CASE(the_oldest_messages_anywhere_go_first),
        CASE(a_message_larger_than_all_histories_may_be_is_delivered_and_not_kept),
        CASE(a_replay_is_cut_to_what_fits),
        CASE(without_a_rule_there_is_no_offset_and_no_replay),
        CASE(a_rule_that_comes_and_goes_holds_for_topics_that_are_there),
        CASE(who_is_in_a_topic_is_replayed_nothing_again),
        CASE(each_failing_allocation_changes_nothing),
    };
    return RUN(cases);
}
