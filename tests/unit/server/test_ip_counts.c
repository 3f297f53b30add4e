#include "core/server/ip_counts.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static struct mw_ip ip_of(const char *text)
{
    struct mw_ip ip = { 0 };
    if (*text)
        assert_true(mw_ip_parse(mw_view_text(text), &ip));
    return ip;
}

TEST(an_address_enters_until_its_limit_and_leaves_nothing)
{
    struct mw_mem mem;
    struct mw_ip_counts counts;
    struct mw_ip ip = ip_of("192.0.2.7");
    struct mw_ip_count *rows[3] = { NULL };
    mw_mem_init(&mem, NULL, 0);
    mw_ip_counts_init(&counts, &mem);
    for (size_t n = 0; n < 3; n++) {
        assert_int_equal(mw_ip_counts_enter(&counts, &ip, 3, &rows[n]), MW_OK);
        assert_int_equal(mw_ip_counts_of(&counts, &ip), n + 1);
    }
    struct mw_ip_count *more = NULL;
    assert_int_equal(mw_ip_counts_enter(&counts, &ip, 3, &more), MW_ERR_FULL);
    assert_null(more);
    mw_ip_counts_leave(&counts, NULL);
    assert_int_equal(mw_ip_counts_of(&counts, &ip), 3);
    mw_ip_counts_leave(&counts, rows[1]);
    assert_int_equal(mw_ip_counts_enter(&counts, &ip, 3, &rows[1]), MW_OK);
    /* A limit that has become smaller lets nobody in, and puts nobody out. */
    assert_int_equal(mw_ip_counts_enter(&counts, &ip, 1, &more), MW_ERR_FULL);
    for (size_t n = 0; n < 3; n++)
        mw_ip_counts_leave(&counts, rows[n]);
    assert_int_equal(mw_ip_counts_of(&counts, &ip), 0);
    assert_mem_empty(&mem);
}

TEST(ipv6_counts_by_its_64_bits_and_ipv4_whole)
{
    static const struct {
        const char *first, *second;
        bool together;
    } table[] = {
        { "192.0.2.7", "192.0.2.7", true },
        { "192.0.2.7", "192.0.2.8", false },
        { "192.0.2.7", "::ffff:192.0.2.7", true },
        { "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true },
        { "2001:db8:0:1::1", "2001:db8:0:2::1", false },
        { "192.0.2.7", "c000:207::", false }, /* whose bytes begin alike */
        { "", "", true },
        { "", "0.0.0.0", false },
        { "0.0.0.0", "::", false },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct mw_mem mem;
        struct mw_ip_counts counts;
        struct mw_ip first = ip_of(table[i].first), second = ip_of(table[i].second);
        struct mw_ip_count *rows[2] = { NULL };
        mw_mem_init(&mem, NULL, 0);
        mw_ip_counts_init(&counts, &mem);
        assert_int_equal(mw_ip_counts_enter(&counts, &first, 1, &rows[0]), MW_OK);
        int second_is = mw_ip_counts_enter(&counts, &second, 1, &rows[1]);
        assert_int_equal(second_is, table[i].together ? MW_ERR_FULL : MW_OK);
        mw_ip_counts_leave(&counts, rows[1]);
        mw_ip_counts_leave(&counts, rows[0]);
        assert_mem_empty(&mem);
    }
}

/* Enough addresses for the table to grow. */
static bool enter_many(struct mw_mem *mem)
{
    struct mw_ip_counts counts;
    struct mw_ip_count *rows[400] = { NULL };
    bool all = true;
    mw_ip_counts_init(&counts, mem);
    for (size_t n = 0; n < MW_COUNT(rows); n++) {
        char text[16];
        snprintf(text, sizeof text, "10.0.%u.%u", (unsigned)(n >> 8), (unsigned)(n & 255));
        struct mw_ip ip = ip_of(text);
        int err = mw_ip_counts_enter(&counts, &ip, 1, &rows[n]);
        assert_true(err == MW_OK || (err == MW_ERR_NOMEM && !rows[n]));
        assert_int_equal(mw_ip_counts_of(&counts, &ip), err == MW_OK);
        all = all && err == MW_OK;
    }
    for (size_t n = 0; n < MW_COUNT(rows); n++)
        mw_ip_counts_leave(&counts, rows[n]);
    return all;
}

TEST(each_failing_allocation_lets_nobody_in_and_changes_nothing)
{
    assert_true(fail_each_allocation(enter_many) > 400);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_address_enters_until_its_limit_and_leaves_nothing),
        CASE(ipv6_counts_by_its_64_bits_and_ipv4_whole),
        CASE(each_failing_allocation_lets_nobody_in_and_changes_nothing),
    };
    return RUN(cases);
}
