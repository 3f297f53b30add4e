/* refused: what is kept of refused handshakes, for how long, and of how many. */
#include "core/server/refused.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#define NOW_MS 5000

static struct mw_mem mem;
static struct mw_refused refused;
static char text_found[MW_BOUND_REFUSAL_BYTES];

static int set_up(void **state)
{
    (void)state;
    mw_mem_init(&mem, NULL, 0);
    mw_refused_init(&refused, &mem);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mw_refused_free(&refused);
    assert_mem_empty(&mem);
    return 0;
}

static struct mw_view nth_mark(unsigned n)
{
    static char mark[MW_SIDEBAND_MARK_MAX + 1];
    snprintf(mark, sizeof mark, "mark-number-%010u", n);
    return mw_view_text(mark);
}

static void put(unsigned n, const char *text, mw_ms at_ms)
{
    const struct mw_refused_said said = {
        .status = 403,
        .error = "origin",
        .text = mw_view_text(text),
        .told = { .cause = "drain",
                  .retry = { .kind = MW_ADVICE_RETURN, .after_ms = n, .spread_ms = 1 } },
    };
    mw_refused_put(&refused, nth_mark(n), &said, at_ms);
}

static bool finds(unsigned n, const char *text, mw_ms now_ms)
{
    struct mw_refused_said said;
    if (!mw_refused_find(&refused, nth_mark(n), now_ms, &said, text_found))
        return false;
    assert_view(said.text, text);
    assert_int_equal(said.status, 403);
    assert_string_equal(said.error, "origin");
    assert_string_equal(said.told.cause, "drain");
    assert_int_equal(said.told.retry.after_ms, n);
    return true;
}

TEST(what_was_said_is_known_for_a_minute)
{
    assert_false(finds(1, "no", NOW_MS));
    put(1, "no", NOW_MS);
    assert_true(finds(1, "no", NOW_MS));
    assert_true(finds(1, "no", NOW_MS + MW_REFUSED_MS - 1));
    assert_false(finds(1, "no", NOW_MS + MW_REFUSED_MS));
    assert_false(finds(2, "no", NOW_MS));
}

TEST(the_last_256_are_known_and_of_one_mark_the_newest)
{
    for (unsigned n = 0; n < 3 * MW_REFUSED_ENTRIES; n++)
        put(n, "no", NOW_MS);
    size_t bytes = mem.bytes;
    assert_false(finds(2 * MW_REFUSED_ENTRIES - 1, "no", NOW_MS));
    for (unsigned n = 2 * MW_REFUSED_ENTRIES; n < 3 * MW_REFUSED_ENTRIES; n++)
        assert_true(finds(n, "no", NOW_MS));
    put(7, "first", NOW_MS);
    put(7, "second", NOW_MS);
    assert_true(finds(7, "second", NOW_MS));
    assert_int_equal(mem.bytes, bytes);
    assert_true(bytes < 192 * 1024);
}

TEST(without_a_mark_nothing_is_kept_and_costs_nothing)
{
    const struct mw_refused_said said = { .status = 404, .error = "no_route" };
    struct mw_refused_said found;
    mw_refused_put(&refused, mw_view("", 0), &said, NOW_MS);
    assert_int_equal(mem.bytes, 0);
    put(1, "no", NOW_MS);
    assert_false(mw_refused_find(&refused, mw_view("", 0), NOW_MS, &found, text_found));
}

TEST(a_long_text_is_cut_between_characters)
{
    struct mw_refused_said found;
    char text[MW_BOUND_REFUSAL_BYTES + 40] = "x";
    for (size_t i = 1; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA9", 2);
    put(1, text, NOW_MS);
    assert_true(mw_refused_find(&refused, nth_mark(1), NOW_MS, &found, text_found));
    assert_int_equal(found.text.len, MW_BOUND_REFUSAL_BYTES - 1);
    assert_memory_equal(found.text.data, text, found.text.len);
}

TEST(without_memory_it_is_forgotten)
{
    mem.fail_at = mem.count + 1;
    put(1, "no", NOW_MS);
    assert_false(finds(1, "no", NOW_MS));
    put(1, "no", NOW_MS);
    assert_true(finds(1, "no", NOW_MS));
}

int main(void)
{
#define IN_A_RING(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest cases[] = {
        IN_A_RING(what_was_said_is_known_for_a_minute),
        IN_A_RING(the_last_256_are_known_and_of_one_mark_the_newest),
        IN_A_RING(without_a_mark_nothing_is_kept_and_costs_nothing),
        IN_A_RING(a_long_text_is_cut_between_characters),
        IN_A_RING(without_memory_it_is_forgotten),
    };
    return RUN(cases);
}
