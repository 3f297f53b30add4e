#include "core/server/admission.h"

#include "core/io/thread.h"
#include "core/server/config.h"
#include "tests/unit/unit.h"

static struct mw_ip ip_of(const char *text)
{
    struct mw_ip ip = { 0 };
    assert_true(mw_ip_parse(mw_view_text(text), &ip));
    return ip;
}

static void open_admission(struct mw_admission *admission, double connections, double per_ip,
                           double rate, uint64_t memory)
{
    struct mw_config config;
    mw_config_default(&config);
    config.connections = connections;
    config.connections_per_ip = per_ip;
    config.accept_rate = rate;
    mw_admission_init(admission, &config, memory);
}

static enum mw_admission_answer come(struct mw_admission *admission, const char *ip,
                                     struct mw_ip_count **row)
{
    struct mw_ip address = ip_of(ip);
    struct mw_advice later;
    return mw_admission_enter(admission, &address, 1000, row, &later);
}

TEST(without_limits_everybody_comes_in_and_is_counted)
{
    struct mw_admission admission;
    struct mw_ip_count *row;
    open_admission(&admission, 0, 0, 0, 0);
    for (size_t i = 1; i <= 1000; i++) {
        assert_int_equal(come(&admission, "192.0.2.1", &row), MW_ADMISSION_IN);
        assert_null(row);
        assert_int_equal(atomic_load(&admission.count), i);
    }
    for (size_t i = 0; i < 1000; i++)
        mw_admission_leave(&admission, NULL);
    assert_int_equal(atomic_load(&admission.count), 0);
    assert_int_equal(mw_admission_free(&admission), 0);
}

TEST(more_than_connections_are_refused_until_one_leaves)
{
    struct mw_admission admission;
    struct mw_ip_count *row;
    open_admission(&admission, 2, 0, 0, 0);
    assert_int_equal(come(&admission, "192.0.2.1", &row), MW_ADMISSION_IN);
    assert_int_equal(come(&admission, "192.0.2.2", &row), MW_ADMISSION_IN);
    assert_int_equal(come(&admission, "192.0.2.3", &row), MW_ADMISSION_FULL);
    assert_int_equal(come(&admission, "192.0.2.3", &row), MW_ADMISSION_FULL);
    mw_admission_leave(&admission, NULL);
    assert_int_equal(come(&admission, "192.0.2.3", &row), MW_ADMISSION_IN);
    mw_admission_leave(&admission, NULL);
    mw_admission_leave(&admission, NULL);
    assert_int_equal(mw_admission_free(&admission), 0);
}

TEST(an_address_has_its_own_limit_and_ipv6_counts_by_its_64)
{
    static const struct {
        const char *ip;
        enum mw_admission_answer answer;
    } table[] = {
        { "192.0.2.1", MW_ADMISSION_IN },
        { "192.0.2.1", MW_ADMISSION_ADDRESS },
        { "192.0.2.2", MW_ADMISSION_IN },
        { "2001:db8:0:1::1", MW_ADMISSION_IN },
        { "2001:db8:0:1:ffff::2", MW_ADMISSION_ADDRESS },
        { "2001:db8:0:2::1", MW_ADMISSION_IN },
    };
    struct mw_admission admission;
    struct mw_ip_count *rows[MW_COUNT(table)] = { NULL };
    size_t in = 0;
    open_admission(&admission, 0, 1, 0, 0);
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        assert_int_equal(come(&admission, table[i].ip, &rows[in]), table[i].answer);
        if (table[i].answer == MW_ADMISSION_IN)
            assert_non_null(rows[in++]);
        assert_int_equal(atomic_load(&admission.count), in);
    }
    for (size_t i = 0; i < in; i++)
        mw_admission_leave(&admission, rows[i]);
    assert_int_equal(mw_admission_free(&admission), 0);
}

TEST(above_the_rate_one_is_told_to_wait)
{
    struct mw_admission admission;
    struct mw_ip_count *row;
    open_admission(&admission, 0, 0, 1, 0);
    assert_int_equal(come(&admission, "192.0.2.1", &row), MW_ADMISSION_IN);
    assert_int_equal(come(&admission, "192.0.2.1", &row), MW_ADMISSION_RATE);
    assert_int_equal(atomic_load(&admission.count), 1);
    mw_admission_leave(&admission, NULL);
    assert_int_equal(mw_admission_free(&admission), 0);
}

/* Who is refused by one limit must not stand in the way by another one. */
TEST(who_is_refused_counts_nowhere)
{
    struct mw_admission admission;
    struct mw_ip_count *row, *first;
    struct mw_ip ip = ip_of("192.0.2.2");
    open_admission(&admission, 5, 1, 1, 0);
    assert_int_equal(come(&admission, "192.0.2.1", &first), MW_ADMISSION_IN);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(come(&admission, "192.0.2.1", &row), MW_ADMISSION_ADDRESS);
        assert_int_equal(come(&admission, "192.0.2.2", &row), MW_ADMISSION_RATE);
        assert_null(row);
    }
    assert_int_equal(mw_ip_counts_of(&admission.by_ip, &ip), 0);
    assert_int_equal(atomic_load(&admission.count), 1);
    mw_admission_leave(&admission, first);
    assert_int_equal(mw_admission_free(&admission), 0);
}

TEST(without_memory_to_count_an_address_nothing_has_changed)
{
    struct mw_admission admission;
    struct mw_ip_count *row;
    open_admission(&admission, 0, 1, 0, 0);
    for (uint64_t at = 1;; at++) {
        admission.mem.fail_at = admission.mem.count + at;
        if (come(&admission, "192.0.2.1", &row) == MW_ADMISSION_IN)
            break;
        assert_int_equal(atomic_load(&admission.count), 0);
        assert_int_equal(admission.mem.bytes, 0);
        assert_true(at < 10);
    }
    mw_admission_leave(&admission, row);
    assert_int_equal(mw_admission_free(&admission), 0);
}

TEST(short_memory_refuses_and_a_twentieth_has_to_be_free_again)
{
    static const struct {
        uint64_t resident;
        enum mw_memory_turn turn;
        enum mw_admission_answer answer;
    } table[] = {
        { 1, MW_MEMORY_SAME, MW_ADMISSION_IN },
        { 999, MW_MEMORY_SAME, MW_ADMISSION_IN },
        { 1000, MW_MEMORY_SHORT, MW_ADMISSION_MEMORY },
        { 5000, MW_MEMORY_SAME, MW_ADMISSION_MEMORY },
        { 950, MW_MEMORY_SAME, MW_ADMISSION_MEMORY },
        { 949, MW_MEMORY_THERE, MW_ADMISSION_IN },
        { 999, MW_MEMORY_SAME, MW_ADMISSION_IN },
        { 1001, MW_MEMORY_SHORT, MW_ADMISSION_MEMORY },
    };
    struct mw_admission admission;
    struct mw_ip_count *row;
    open_admission(&admission, 0, 0, 0, 1000);
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        assert_int_equal(mw_admission_note_memory(&admission, table[i].resident), table[i].turn);
        assert_int_equal(come(&admission, "192.0.2.1", &row), table[i].answer);
    }
    assert_int_equal(mw_admission_free(&admission), 0);
}

TEST(without_a_ceiling_memory_is_never_short)
{
    struct mw_admission admission;
    open_admission(&admission, 0, 0, 0, 0);
    assert_int_equal(mw_admission_note_memory(&admission, UINT64_MAX), MW_MEMORY_SAME);
    assert_int_equal(mw_admission_free(&admission), 0);
}

TEST(the_ceiling_is_the_option_or_nine_tenths_of_the_container)
{
    static const struct {
        double option;
        uint64_t container, ceiling;
    } table[] = {
        { 0, 0, 0 },
        { 0, 1000, 900 },
        { 5000, 0, 5000 },
        { 5000, 1000, 5000 },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct mw_config config = { .memory = table[i].option };
        assert_int_equal(mw_admission_ceiling(&config, table[i].container), table[i].ceiling);
    }
}

#define ROUNDS 2000

static void come_and_go(void *ctx)
{
    struct mw_admission *admission = ctx;
    for (int i = 0; i < ROUNDS; i++) {
        struct mw_ip_count *row;
        if (come(admission, i % 2 ? "192.0.2.1" : "192.0.2.2", &row) == MW_ADMISSION_IN)
            mw_admission_leave(admission, row);
    }
}

TEST(workers_count_together)
{
    struct mw_admission admission;
    struct mw_thread *threads[3];
    struct mw_ip_count *row;
    open_admission(&admission, 3, 2, 0, 0);
    for (size_t i = 0; i < MW_COUNT(threads); i++) {
        threads[i] = mw_thread_start("test", come_and_go, &admission);
        assert_non_null(threads[i]);
    }
    for (size_t i = 0; i < MW_COUNT(threads); i++)
        mw_thread_join(threads[i]);
    assert_int_equal(atomic_load(&admission.count), 0);
    assert_int_equal(come(&admission, "192.0.2.1", &row), MW_ADMISSION_IN);
    mw_admission_leave(&admission, row);
    assert_int_equal(mw_admission_free(&admission), 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(without_limits_everybody_comes_in_and_is_counted),
        CASE(more_than_connections_are_refused_until_one_leaves),
        CASE(an_address_has_its_own_limit_and_ipv6_counts_by_its_64),
        CASE(above_the_rate_one_is_told_to_wait),
        CASE(who_is_refused_counts_nowhere),
        CASE(without_memory_to_count_an_address_nothing_has_changed),
        CASE(short_memory_refuses_and_a_twentieth_has_to_be_free_again),
        CASE(without_a_ceiling_memory_is_never_short),
        CASE(the_ceiling_is_the_option_or_nine_tenths_of_the_container),
        CASE(workers_count_together),
    };
    return RUN(cases);
}
