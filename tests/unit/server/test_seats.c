/* seats: one count for all routes of a script, whichever threads they belong to. */
#include "core/server/seats.h"

#include "core/base/str.h"
#include "core/io/thread.h"
#include "tests/unit/unit.h"

#define THREADS 4
#define MOST    1000

static struct mw_seats seats;

static int set_up(void **state)
{
    (void)state;
    mw_seats_init(&seats);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mw_seats_free(&seats);
    assert_int_equal(mw_shared_bytes(), 0);
    return 0;
}

static struct mw_seat *hold(const char *script)
{
    struct mw_seat *seat = mw_seat_hold(&seats, mw_view_text(script));
    assert_non_null(seat);
    return seat;
}

TEST(routes_of_one_script_share_a_seat_and_others_have_their_own)
{
    struct mw_seat *one = hold("a.lua"), *same = hold("a.lua"), *other = hold("b.lua");
    assert_ptr_equal(one, same);
    assert_ptr_not_equal(one, other);
    assert_true(mw_seat_take(one, 2));
    assert_true(mw_seat_take(same, 2));
    assert_false(mw_seat_take(one, 2));
    assert_true(mw_seat_take(other, 2));
    mw_seat_leave(same, NULL);
    assert_true(mw_seat_take(one, 2));
    assert_true(mw_seat_take(one, 0)); /* no limit any more */
    mw_seat_release(one);
    mw_seat_release(same);
    mw_seat_release(other);
}

TEST(addresses_are_counted_where_there_is_a_limit)
{
    struct mw_seat *seat = hold("a.lua");
    struct mw_ip ip = mw_ip_of((const uint8_t[]){ 192, 0, 2, 7 }, 4);
    struct mw_ip_count *first, *second = NULL;
    assert_true(mw_seat_take(seat, 0));
    assert_int_equal(mw_seat_take_ip(seat, &ip, 1, &first), MW_OK);
    assert_int_equal(mw_seat_take_ip(seat, &ip, 1, &second), MW_ERR_FULL);
    mw_seat_leave(seat, first);
    assert_int_equal(mw_seat_take_ip(seat, &ip, 1, &second), MW_OK);
    mw_seat_leave(seat, second);
    mw_seat_release(seat);
}

static atomic_uint let_in;

static void crowd(void *ctx)
{
    (void)ctx;
    struct mw_seat *seat = mw_seat_hold(&seats, mw_view_text("a.lua"));
    for (int i = 0; seat && i < MOST; i++)
        let_in += mw_seat_take(seat, MOST);
    mw_seat_release(seat);
}

TEST(however_many_threads_come_at_once_no_more_get_in_than_may)
{
    struct mw_thread *threads[THREADS];
    struct mw_seat *seat = hold("a.lua");
    for (size_t i = 0; i < THREADS; i++)
        threads[i] = mw_thread_start("crowd", crowd, NULL);
    for (size_t i = 0; i < THREADS; i++)
        mw_thread_join(threads[i]);
    assert_int_equal(atomic_load(&let_in), MOST);
    mw_seat_release(seat);
}

#define WITH_SEATS(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_SEATS(routes_of_one_script_share_a_seat_and_others_have_their_own),
        WITH_SEATS(addresses_are_counted_where_there_is_a_limit),
        WITH_SEATS(however_many_threads_come_at_once_no_more_get_in_than_may),
    };
    return RUN(cases);
}
