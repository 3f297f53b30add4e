/* replay: numbers, what is kept between them, and what a return finds. */
#include "core/session/replay.h"

#include "core/base/rng.h"
#include "tests/unit/unit.h"

#define PLENTY ((size_t)1 << 20)

static struct mw_mem mem;

static struct mw_replay begun(size_t max_bytes)
{
    struct mw_replay replay;
    mw_replay_init(&replay, &mem, max_bytes);
    return replay;
}

static void end(struct mw_replay *replay)
{
    assert_true(mw_replay_validate(replay));
    mw_replay_free(replay);
    assert_mem_empty(&mem);
}

static void say(struct mw_replay *replay, const char *text)
{
    mw_replay_send(replay, MW_OPCODE_TEXT, mw_view_text(text));
    assert_true(mw_replay_validate(replay));
}

static void assert_kept(const struct mw_replay *replay, size_t i, const char *text)
{
    const struct mw_replay_entry *entry = mw_replay_at(replay, i);
    assert_non_null(entry->msg);
    assert_view(mw_view(mw_msg_payload(entry->msg), mw_msg_payload_len(entry->msg)), text);
    assert_int_equal((uint8_t)*mw_msg_wire(entry->msg).data, 0x81);
}

static void assert_back(struct mw_replay *replay, uint64_t count, uint64_t want_missed)
{
    uint64_t missed = 99;
    assert_int_equal(mw_replay_return(replay, count, &missed),
                     want_missed ? MW_REPLAY_HOLE : MW_REPLAY_WHOLE);
    assert_int_equal(missed, want_missed);
    assert_true(mw_replay_validate(replay));
}

TEST(a_session_without_a_message_is_whole_and_owns_nothing)
{
    struct mw_replay replay = begun(PLENTY);
    assert_back(&replay, 0, 0);
    assert_int_equal(replay.count, 0);
    assert_mem_empty(&mem);
    end(&replay);
}

TEST(a_return_finds_exactly_what_the_client_has_not)
{
    struct mw_replay replay = begun(PLENTY);
    say(&replay, "1");
    say(&replay, "2");
    say(&replay, "3");
    assert_true(mw_replay_acked(&replay, 1));
    assert_back(&replay, 2, 0);
    assert_int_equal(replay.count, 1);
    assert_kept(&replay, 0, "3");
    assert_back(&replay, 3, 0);
    assert_mem_empty(&mem); /* all is acknowledged: nothing is owned */
    end(&replay);
}

TEST(a_count_that_cannot_be_is_nonsense_and_changes_nothing)
{
    struct mw_replay replay = begun(PLENTY);
    uint64_t missed;
    say(&replay, "1");
    say(&replay, "2");
    say(&replay, "3");
    assert_true(mw_replay_acked(&replay, 1));
    static const uint64_t table[] = { 0, 4, UINT64_MAX };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        assert_int_equal(mw_replay_return(&replay, table[i], &missed), MW_REPLAY_NONSENSE);
        assert_false(mw_replay_acked(&replay, table[i]));
        assert_int_equal(replay.acked, 1);
        assert_int_equal(replay.count, 2);
    }
    end(&replay);
}

TEST(beyond_the_bound_the_oldest_go_and_are_missed)
{
    const size_t each = MW_REPLAY_ENTRY_BYTES + 2 + 1;
    struct mw_replay replay = begun(3 * each);
    for (const char *text = "123456789"; *text; text++) {
        mw_replay_send(&replay, MW_OPCODE_TEXT, mw_view(text, 1));
        assert_true(replay.bytes <= replay.max_bytes);
    }
    assert_int_equal(replay.count, 3);
    assert_kept(&replay, 0, "7");
    assert_back(&replay, 2, 4);
    assert_back(&replay, 6, 0); /* told, and so counted */
    assert_back(&replay, 8, 0);
    assert_kept(&replay, 0, "9");
    end(&replay);
}

TEST(what_is_larger_than_the_bound_is_missed_with_all_before_it)
{
    static const char big[1000];
    struct mw_replay replay = begun(500);
    say(&replay, "1");
    mw_replay_send(&replay, MW_OPCODE_BINARY, mw_view(big, sizeof big));
    assert_int_equal(replay.bytes, 0);
    say(&replay, "3");
    assert_back(&replay, 0, 2);
    assert_kept(&replay, 0, "3");
    end(&replay);
}

TEST(a_smaller_bound_is_kept_at_once)
{
    struct mw_replay replay = begun(PLENTY);
    for (int i = 0; i < 100; i++)
        say(&replay, "x");
    mw_replay_set_bound(&replay, 1000);
    assert_true(replay.bytes <= 1000 && replay.count > 0);
    mw_replay_set_bound(&replay, 0);
    assert_back(&replay, 0, 100);
    end(&replay);
}

TEST(a_hole_keeps_its_place_among_the_messages)
{
    struct mw_replay replay = begun(PLENTY);
    say(&replay, "1");
    mw_replay_lost(&replay, 2);
    mw_replay_lost(&replay, 1); /* one hole */
    say(&replay, "5");
    assert_int_equal(replay.sent, 5);
    assert_int_equal(replay.count, 3);
    assert_null(mw_replay_at(&replay, 1)->msg);
    assert_int_equal(mw_replay_at(&replay, 1)->lost, 3);
    assert_back(&replay, 0, 0);
    assert_int_equal(replay.count, 3);
    end(&replay);
}

TEST(a_hole_in_front_is_missed)
{
    struct mw_replay replay = begun(PLENTY);
    mw_replay_lost(&replay, 2);
    assert_mem_empty(&mem);
    say(&replay, "3");
    mw_replay_lost(&replay, 4);
    say(&replay, "8");
    assert_back(&replay, 0, 2);
    assert_back(&replay, 1, 1);
    assert_back(&replay, 3, 4);
    assert_kept(&replay, 0, "8");
    assert_back(&replay, 5, 2); /* of a hole that had grown in the meantime it knew a part */
    end(&replay);
}

TEST(a_replaced_message_is_the_one_that_is_sent_again)
{
    struct mw_replay replay = begun(PLENTY);
    struct mw_msg *other = mw_replay_frame(&mem, MW_OPCODE_TEXT, mw_view_text("two"));
    say(&replay, "0");
    say(&replay, "1");
    say(&replay, "2");
    assert_true(mw_replay_acked(&replay, 1));
    mw_replay_swap(&replay, 2, other);
    mw_replay_swap(&replay, 1, other); /* not kept any more */
    mw_replay_swap(&replay, 4, other); /* not sent yet */
    mw_msg_drop(other);
    assert_kept(&replay, 0, "two");
    assert_kept(&replay, 1, "2");
    assert_int_equal(replay.sent, 3);
    end(&replay);
}

TEST(a_shared_message_is_a_reference)
{
    struct mw_replay replay = begun(PLENTY);
    struct mw_msg *msg = mw_replay_frame(0, MW_OPCODE_BINARY, mw_view_text("all"));
    mw_replay_sent(&replay, msg);
    mw_replay_sent(&replay, msg);
    mw_msg_drop(msg);
    assert_ptr_equal(mw_replay_at(&replay, 0)->msg, mw_replay_at(&replay, 1)->msg);
    end(&replay);
    assert_int_equal(mw_msg_bytes_alive(), 0);
}

static bool loses_what_it_cannot_keep(struct mw_mem *poor)
{
    struct mw_replay replay;
    uint64_t missed;
    mw_replay_init(&replay, poor, PLENTY);
    for (uint64_t i = 1; i <= 40; i++) {
        mw_replay_send(&replay, MW_OPCODE_TEXT, mw_view_text("x"));
        assert_int_equal(replay.sent, i);
        assert_true(mw_replay_validate(&replay));
    }
    assert_int_not_equal(mw_replay_return(&replay, 0, &missed), MW_REPLAY_NONSENSE);
    uint64_t numbers = missed;
    for (size_t i = 0; i < replay.count; i++)
        numbers += mw_replay_at(&replay, i)->msg ? 1 : mw_replay_at(&replay, i)->lost;
    assert_int_equal(numbers, 40);
    bool is_whole = replay.count == 40;
    mw_replay_free(&replay);
    return is_whole;
}

TEST(without_memory_a_hole_is_told_and_never_forgotten)
{
    fail_each_allocation(loses_what_it_cannot_keep);
}

/* The same by a plain list of what each number is. */
TEST(whatever_happens_every_number_is_kept_or_missed)
{
    enum { MOST = 400 };
    struct mw_rng rng;
    mw_rng_seed(&rng, 7);
    for (int round = 0; round < 300; round++) {
        char model[MOST + 1]; /* a message's only character; 0: lost */
        struct mw_replay replay = begun((size_t)mw_rng_below(&rng, 3000));
        while (replay.sent < MOST - 10) {
            uint64_t dice = mw_rng_below(&rng, 10), missed;
            if (dice < 7) {
                char c = (char)('a' + mw_rng_below(&rng, 26));
                model[replay.sent + 1] = c;
                mw_replay_send(&replay, MW_OPCODE_TEXT, mw_view(&c, 1));
            } else if (dice < 8) {
                uint64_t lost = 1 + mw_rng_below(&rng, 3);
                memset(model + replay.sent + 1, 0, lost);
                mw_replay_lost(&replay, lost);
            } else {
                uint64_t count = replay.acked + mw_rng_below(&rng, replay.sent - replay.acked + 1);
                assert_int_not_equal(mw_replay_return(&replay, count, &missed), MW_REPLAY_NONSENSE);
                uint64_t number = count + missed;
                for (size_t i = 0; i < replay.count; i++) {
                    const struct mw_replay_entry *entry = mw_replay_at(&replay, i);
                    for (uint64_t k = 0; !entry->msg && k < entry->lost; k++)
                        assert_int_equal(model[++number], 0);
                    if (entry->msg)
                        assert_int_equal(model[++number], *mw_msg_payload(entry->msg));
                }
                assert_int_equal(number, replay.sent);
            }
            assert_true(mw_replay_validate(&replay));
        }
        end(&replay);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_session_without_a_message_is_whole_and_owns_nothing),
        CASE(a_return_finds_exactly_what_the_client_has_not),
        CASE(a_count_that_cannot_be_is_nonsense_and_changes_nothing),
        CASE(beyond_the_bound_the_oldest_go_and_are_missed),
        CASE(what_is_larger_than_the_bound_is_missed_with_all_before_it),
        CASE(a_smaller_bound_is_kept_at_once),
        CASE(a_hole_keeps_its_place_among_the_messages),
        CASE(a_hole_in_front_is_missed),
        CASE(a_replaced_message_is_the_one_that_is_sent_again),
        CASE(a_shared_message_is_a_reference),
        CASE(without_memory_a_hole_is_told_and_never_forgotten),
        CASE(whatever_happens_every_number_is_kept_or_missed),
    };
    return RUN(cases);
}
