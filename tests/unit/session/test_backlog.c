#include "core/session/backlog.h"

#include <stdio.h>

#include "core/base/rng.h"
#include "tests/unit/unit.h"

static void assert_next(struct mw_backlog *backlog, enum mw_opcode kind, const char *text)
{
    enum mw_opcode got;
    struct mw_view data;
    assert_true(mw_backlog_take(backlog, &got, &data));
    assert_int_equal(got, kind);
    assert_view(data, text);
}

static void assert_none(struct mw_backlog *backlog)
{
    enum mw_opcode kind;
    struct mw_view data;
    assert_true(mw_backlog_is_empty(backlog));
    assert_false(mw_backlog_take(backlog, &kind, &data));
}

TEST(messages_come_back_in_order_with_their_kind)
{
    struct mw_mem mem;
    struct mw_backlog backlog;
    mw_mem_init(&mem, NULL, 0);
    mw_backlog_init(&backlog, &mem);
    assert_none(&backlog);
    assert_int_equal(mw_backlog_put(&backlog, MW_OPCODE_TEXT, mw_view_text("one")), MW_OK);
    assert_int_equal(mw_backlog_put(&backlog, MW_OPCODE_BINARY, mw_view(NULL, 0)), MW_OK);
    assert_next(&backlog, MW_OPCODE_TEXT, "one");
    assert_int_equal(mw_backlog_put(&backlog, MW_OPCODE_TEXT, mw_view_text("three")), MW_OK);
    assert_next(&backlog, MW_OPCODE_BINARY, "");
    assert_next(&backlog, MW_OPCODE_TEXT, "three");
    assert_none(&backlog);
    assert_mem_empty(&mem);
}

TEST(an_empty_backlog_owns_nothing)
{
    struct mw_mem mem;
    struct mw_backlog backlog;
    mw_mem_init(&mem, NULL, 0);
    mw_backlog_init(&backlog, &mem);
    assert_int_equal(mw_backlog_put(&backlog, MW_OPCODE_TEXT, mw_view_text("one")), MW_OK);
    assert_next(&backlog, MW_OPCODE_TEXT, "one");
    assert_none(&backlog);
    assert_mem_empty(&mem);
    assert_int_equal(mw_backlog_put(&backlog, MW_OPCODE_TEXT, mw_view_text("two")), MW_OK);
    mw_backlog_free(&backlog);
    mw_backlog_free(&backlog);
    assert_mem_empty(&mem);
}

TEST(it_is_full_by_bytes_and_one_message_may_overshoot)
{
    static char big[MW_BACKLOG_BYTES];
    struct mw_mem mem;
    struct mw_backlog backlog;
    enum mw_opcode kind;
    struct mw_view data;
    mw_mem_init(&mem, NULL, 0);
    mw_backlog_init(&backlog, &mem);
    assert_false(mw_backlog_is_full(&backlog));
    assert_int_equal(mw_backlog_put(&backlog, MW_OPCODE_BINARY, mw_view(big, sizeof big)), MW_OK);
    assert_true(mw_backlog_is_full(&backlog));
    assert_true(mw_backlog_take(&backlog, &kind, &data));
    assert_int_equal(data.len, sizeof big);
    assert_false(mw_backlog_is_full(&backlog));
    mw_backlog_free(&backlog);
    assert_mem_empty(&mem);
}

/* A handler that waits on each message, and a peer that always has the next one ready. */
TEST(a_backlog_that_never_runs_empty_does_not_grow)
{
    struct mw_mem mem;
    struct mw_backlog backlog;
    char text[1000];
    mw_mem_init(&mem, NULL, 0);
    mw_backlog_init(&backlog, &mem);
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(mw_backlog_put(&backlog, MW_OPCODE_TEXT, mw_view_text(text)), MW_OK);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(mw_backlog_put(&backlog, MW_OPCODE_TEXT, mw_view_text(text)), MW_OK);
        assert_next(&backlog, MW_OPCODE_TEXT, text);
    }
    assert_in_range(mem.peak, 1000, 2 * MW_BACKLOG_BYTES);
    mw_backlog_free(&backlog);
    assert_mem_empty(&mem);
}

TEST(random_putting_and_taking_keeps_the_order)
{
    struct mw_mem mem;
    struct mw_backlog backlog;
    struct mw_rng rng;
    unsigned put = 0, taken = 0;
    char text[400];
    mw_mem_init(&mem, NULL, 0);
    mw_backlog_init(&backlog, &mem);
    mw_rng_seed(&rng, 5);
    while (taken < 20000) {
        if (put == taken || mw_rng_below(&rng, 2)) {
            int width = (int)mw_rng_below(&rng, 300);
            snprintf(text, sizeof text, "%0*u", width, put++);
            assert_int_equal(mw_backlog_put(&backlog, MW_OPCODE_TEXT, mw_view_text(text)), MW_OK);
        } else {
            enum mw_opcode kind;
            struct mw_view data;
            assert_true(mw_backlog_take(&backlog, &kind, &data));
            int width = (int)data.len;
            snprintf(text, sizeof text, "%0*u", width, taken++);
            assert_view(data, text);
        }
        assert_int_equal(mw_backlog_is_empty(&backlog), put == taken);
    }
    mw_backlog_free(&backlog);
    assert_mem_empty(&mem);
}

static bool put_two(struct mw_mem *mem)
{
    static char big[3000];
    struct mw_backlog backlog;
    mw_backlog_init(&backlog, mem);
    int first = mw_backlog_put(&backlog, MW_OPCODE_TEXT, mw_view_text("one"));
    int second = mw_backlog_put(&backlog, MW_OPCODE_BINARY, mw_view(big, sizeof big));
    int third = mw_backlog_put(&backlog, MW_OPCODE_TEXT, mw_view_text("three"));
    enum mw_opcode kind;
    struct mw_view data;
    if (!first)
        assert_next(&backlog, MW_OPCODE_TEXT, "one");
    if (!second)
        assert_true(mw_backlog_take(&backlog, &kind, &data) && data.len == sizeof big);
    if (!third)
        assert_next(&backlog, MW_OPCODE_TEXT, "three");
    assert_none(&backlog);
    return !first && !second && !third;
}

TEST(a_message_that_finds_no_memory_is_not_put_and_harms_no_other)
{
    assert_true(fail_each_allocation(put_two) >= 2);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(messages_come_back_in_order_with_their_kind),
        CASE(an_empty_backlog_owns_nothing),
        CASE(it_is_full_by_bytes_and_one_message_may_overshoot),
        CASE(a_backlog_that_never_runs_empty_does_not_grow),
        CASE(random_putting_and_taking_keeps_the_order),
        CASE(a_message_that_finds_no_memory_is_not_put_and_harms_no_other),
    };
    return RUN(cases);
}
