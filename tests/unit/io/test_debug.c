#include "core/io/debug.h"

#include <stdlib.h>

#include "tests/unit/io/sockets.h"

#ifdef MW_DEBUG

/* The knobs are read once in a process, so main sets them. */
static void set_knobs(void)
{
    assert_int_equal(setenv("MW_DBG_READ_CHUNK", "1", 1), 0);
    assert_int_equal(setenv("MW_DBG_SHORT_WRITE", "3", 1), 0);
}

TEST(knobs_bound_what_is_asked_of_the_kernel)
{
    assert_int_equal(mw_debug_read_bytes(100), 1);
    assert_int_equal(mw_debug_write_bytes(100), 3);
    assert_int_equal(mw_debug_write_bytes(2), 2);
}

TEST(a_stream_under_the_knobs_reads_single_bytes_and_flies_often)
{
    struct world world;
    struct owner owner = { .reads = 0 };
    struct far far = { .fd = -1 };
    int near;
    open_world(&world);
    connect_pair(&near, &far.fd);
    take_stream(&owner, &world, mw_tcp_adopt(world.loop, near));
    mw_stream_set_reading(owner.stream, true);
    assert_int_equal(write(far.fd, "moonwire", 8), 8);
    wait_for_count(&world, &owner.reads, 8);
    assert_memory_equal(owner.kept, "moonwire", 8);

    static const struct mw_view parts[] = { MW_VIEW("mo"), MW_VIEW("on"), MW_VIEW("wire") };
    assert_int_equal(mw_stream_write(owner.stream, parts, MW_COUNT(parts)), 3);
    wait_for_count(&world, &owner.written, 1);
    drop_stream(&owner, false);
    wait_until(&world, far_has_ended, &far);
    assert_int_equal(far.len, 8);
    assert_int_equal(far.sum, sum_of_bytes("moonwire", 8, 0));
    close(far.fd);
    close_world(&world);
}

#else

static void set_knobs(void)
{
}

TEST(knobs_bound_what_is_asked_of_the_kernel)
{
    assert_int_equal(mw_debug_read_bytes(100), 100);
    assert_int_equal(mw_debug_write_bytes(100), 100);
}

TEST(a_stream_under_the_knobs_reads_single_bytes_and_flies_often)
{
    skip(); /* there are no knobs in this build */
}

#endif

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(knobs_bound_what_is_asked_of_the_kernel),
        CASE(a_stream_under_the_knobs_reads_single_bytes_and_flies_often),
    };
    set_knobs();
    return RUN(cases);
}
