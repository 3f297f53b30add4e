/* Ends of the last hour, counted by the minute and in bounded room. */
#include "core/server/end_counts.h"

#include "tests/unit/unit.h"

#define MINUTE 60000ULL

static void add(struct mw_end_counts *counts, unsigned code, mw_ms at_ms)
{
    mw_end_counts_add(counts, mw_view_text("chat.lua"), code, MW_CAUSE_peer_close, at_ms);
}

TEST(alike_ends_are_one_row)
{
    struct mw_mem mem;
    struct mw_end_counts counts;
    mw_mem_init(&mem, NULL, 0);
    mw_end_counts_init(&counts, &mem, 0);
    for (unsigned i = 0; i < 10; i++)
        add(&counts, i % 2 ? 1000 : 1001, i * MINUTE);
    mw_end_counts_add(&counts, mw_view_text("echo.lua"), 1000, MW_CAUSE_peer_close, 9 * MINUTE);
    assert_int_equal(counts.count, 3);
    assert_int_equal(counts.rows[0].total, 5);
    assert_string_equal(counts.rows[2].script, "echo.lua");
    mw_end_counts_free(&counts);
    assert_mem_empty(&mem);
}

TEST(an_hour_later_they_are_forgotten_by_the_minute)
{
    struct mw_mem mem;
    struct mw_end_counts counts;
    mw_mem_init(&mem, NULL, 0);
    mw_end_counts_init(&counts, &mem, 0);
    for (unsigned i = 0; i < 30; i++)
        add(&counts, 1000, i * MINUTE);
    mw_end_counts_at(&counts, 59 * MINUTE);
    assert_int_equal(counts.rows[0].total, 30);
    mw_end_counts_at(&counts, 60 * MINUTE);
    assert_int_equal(counts.rows[0].total, 29);
    mw_end_counts_at(&counts, 88 * MINUTE);
    assert_int_equal(counts.rows[0].total, 1);
    mw_end_counts_at(&counts, 89 * MINUTE);
    assert_int_equal(counts.count, 0);
    add(&counts, 1000, 5000 * MINUTE);
    assert_int_equal(counts.rows[0].total, 1);
    mw_end_counts_free(&counts);
    assert_mem_empty(&mem);
}

TEST(codes_that_find_no_room_are_counted_without_one)
{
    struct mw_mem mem;
    struct mw_end_counts counts;
    uint64_t total = 0;
    mw_mem_init(&mem, NULL, 0);
    mw_end_counts_init(&counts, &mem, 0);
    for (unsigned code = 3000; code < 5000; code++)
        add(&counts, code, MINUTE);
    assert_true(counts.count <= MW_END_COUNT_ROWS);
    for (size_t i = 0; i < counts.count; i++)
        total += counts.rows[i].total;
    assert_int_equal(total, 2000);
    assert_int_equal(counts.rows[counts.count - 1].code, 0);
    mw_end_counts_free(&counts);
    assert_mem_empty(&mem);
}

TEST(a_peer_with_many_codes_does_not_hide_the_codes_of_others)
{
    struct mw_mem mem;
    struct mw_end_counts counts;
    mw_mem_init(&mem, NULL, 0);
    mw_end_counts_init(&counts, &mem, 0);
    for (unsigned code = 3000; code < 5000; code++)
        add(&counts, code, MINUTE);
    add(&counts, 1001, MINUTE);
    assert_int_equal(counts.rows[counts.count - 1].code, 1001);
    mw_end_counts_add(&counts, mw_view_text("chat.lua"), 1006, MW_CAUSE_peer_fin, MINUTE);
    assert_int_equal(counts.rows[counts.count - 1].code, 1006);
    mw_end_counts_free(&counts);
    assert_mem_empty(&mem);
}

TEST(they_go_back_to_the_start_and_an_hour_at_most)
{
    struct mw_end_counts counts;
    mw_end_counts_init(&counts, NULL, 5 * MINUTE);
    assert_int_equal(mw_end_counts_span(&counts, 7 * MINUTE), 2 * MINUTE);
    assert_int_equal(mw_end_counts_span(&counts, 500 * MINUTE), 60 * MINUTE);
}

static bool count_many(struct mw_mem *mem)
{
    struct mw_end_counts counts;
    mw_end_counts_init(&counts, mem, 0);
    for (unsigned code = 4000; code < 4040; code++)
        add(&counts, code, MINUTE);
    bool has_all = counts.count == 40;
    mw_end_counts_free(&counts);
    return has_all;
}

TEST(without_memory_an_end_is_not_counted)
{
    assert_int_equal(fail_each_allocation(count_many), 4);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(alike_ends_are_one_row),
        CASE(an_hour_later_they_are_forgotten_by_the_minute),
        CASE(codes_that_find_no_room_are_counted_without_one),
        CASE(a_peer_with_many_codes_does_not_hide_the_codes_of_others),
        CASE(they_go_back_to_the_start_and_an_hour_at_most),
        CASE(without_memory_an_end_is_not_counted),
    };
    return RUN(cases);
}
