#include "core/bench/hist.h"

#include "tests/unit/unit.h"

static struct mw_mem mem;

static void open_hist(struct mw_hist *hist)
{
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_hist_init(hist, &mem), MW_OK);
}

static void close_hist(struct mw_hist *hist)
{
    mw_hist_free(hist);
    assert_mem_empty(&mem);
}

TEST(parts_lie_side_by_side_without_a_gap)
{
    size_t last = mw_hist_part_of(MW_HIST_MOST);
    assert_int_equal(mw_hist_part_first(0), 0);
    for (size_t part = 0; part < last; part++) {
        uint64_t first = mw_hist_part_first(part), end = mw_hist_part_last(part);
        assert_true(first <= end);
        assert_int_equal(end + 1, mw_hist_part_first(part + 1));
        assert_int_equal(mw_hist_part_of(first), part);
        assert_int_equal(mw_hist_part_of(end), part);
    }
    assert_int_equal(mw_hist_part_last(last), MW_HIST_MOST);
}

TEST(a_part_is_never_wider_than_a_thousandth_of_what_is_in_it)
{
    for (size_t part = 0; part < mw_hist_part_of(MW_HIST_MOST); part++) {
        uint64_t first = mw_hist_part_first(part);
        assert_true((mw_hist_part_last(part) - first) * 1000 <= first);
    }
}

TEST(percentiles_are_those_of_the_values)
{
    struct mw_hist hist;
    open_hist(&hist);
    assert_int_equal(mw_hist_at(&hist, 0.5), 0);
    for (uint64_t i = 1; i <= 1000; i++)
        mw_hist_record(&hist, i);
    static const struct {
        double share;
        uint64_t value;
    } table[] = {
        { 0, 1 }, { 0.5, 500 }, { 0.9, 900 }, { 0.99, 990 }, { 0.999, 999 }, { 1, 1000 }
    };
    for (size_t i = 0; i < MW_COUNT(table); i++)
        assert_int_equal(mw_hist_at(&hist, table[i].share), table[i].value);
    assert_int_equal(hist.min, 1);
    assert_int_equal(hist.max, 1000);
    assert_int_equal(hist.sum, 500500);
    close_hist(&hist);
}

TEST(a_percentile_is_right_to_a_thousandth_and_never_above_the_greatest)
{
    struct mw_hist hist;
    open_hist(&hist);
    mw_hist_record(&hist, 123456789);
    for (int i = 0; i < 99; i++)
        mw_hist_record(&hist, 10000000);
    assert_in_range(mw_hist_at(&hist, 0.99), 10000000, 10010000);
    assert_int_equal(mw_hist_at(&hist, 1), 123456789);
    close_hist(&hist);
}

TEST(what_is_longer_than_a_minute_is_still_counted_and_the_greatest_is_exact)
{
    struct mw_hist hist;
    open_hist(&hist);
    mw_hist_record(&hist, 3600 * UINT64_C(1000000000));
    assert_int_equal(hist.count, 1);
    assert_int_equal(mw_hist_at(&hist, 0.5), 3600 * UINT64_C(1000000000));
    mw_hist_clear(&hist);
    assert_int_equal(hist.count, 0);
    assert_int_equal(mw_hist_at(&hist, 0.5), 0);
    close_hist(&hist);
}

TEST(merged_they_are_as_if_one_had_recorded_all)
{
    struct mw_hist one, other, all;
    open_hist(&one);
    assert_int_equal(mw_hist_init(&other, &mem), MW_OK);
    assert_int_equal(mw_hist_init(&all, &mem), MW_OK);
    for (uint64_t i = 0; i < 5000; i++) {
        uint64_t value = i * i * 37 % 1000003;
        mw_hist_record(i % 3 ? &one : &other, value);
        mw_hist_record(&all, value);
    }
    mw_hist_merge(&one, &other);
    assert_int_equal(one.count, all.count);
    assert_int_equal(one.sum, all.sum);
    assert_int_equal(one.min, all.min);
    assert_int_equal(one.max, all.max);
    for (unsigned i = 0; i <= 1000; i++)
        assert_int_equal(mw_hist_at(&one, i / 1000.0), mw_hist_at(&all, i / 1000.0));
    mw_hist_free(&other);
    mw_hist_free(&all);
    close_hist(&one);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(parts_lie_side_by_side_without_a_gap),
        CASE(a_part_is_never_wider_than_a_thousandth_of_what_is_in_it),
        CASE(percentiles_are_those_of_the_values),
        CASE(a_percentile_is_right_to_a_thousandth_and_never_above_the_greatest),
        CASE(what_is_longer_than_a_minute_is_still_counted_and_the_greatest_is_exact),
        CASE(merged_they_are_as_if_one_had_recorded_all),
    };
    return RUN(cases);
}
