/* What the kernel tells once, seen through the streams that live by it. */
#include "core/io/ready.h"

#include "tests/unit/io/line.h"

/* More than one read takes, and more than the receive buffers hold: it comes as long as it reads.
 */
static bool has_all(void *ctx)
{
    struct line *line = ctx;
    static char bytes[1 << 16];
    while (line->far.len < FLOOD) {
        size_t left = FLOOD - line->far.len;
        ssize_t count = write(line->far.fd, bytes, left < sizeof(bytes) ? left : sizeof(bytes));
        if (count < 0)
            break;
        line->far.len += (size_t)count;
    }
    return line->owner.len >= FLOOD;
}

TEST(more_than_one_read_takes_is_read_in_several)
{
    struct line line;
    open_line(&line);
    mw_stream_set_reading(line.owner.stream, true);
    wait_until(&line.world, has_all, &line);
    assert_int_equal(line.owner.len, FLOOD);
    line.far.len = 0;
    close_line(&line);
}

TEST(a_fin_that_comes_with_the_bytes_is_told_after_them)
{
    struct line line;
    open_line(&line);
    say(&line, "bye");
    assert_int_equal(shutdown(line.far.fd, SHUT_WR), 0);
    mw_stream_set_reading(line.owner.stream, true);
    wait_for_count(&line.world, &line.owner.fins, 1);
    assert_int_equal(line.owner.len, 3);
    close_line(&line);
}

TEST(bytes_that_came_while_reading_was_off_are_read_later)
{
    struct line line;
    open_line(&line);
    for (unsigned i = 1; i <= 5; i++) {
        mw_stream_set_reading(line.owner.stream, i % 2);
        mw_stream_set_reading(line.owner.stream, false);
        say(&line, "moon");
        run_some_turns(&line.world);
        assert_int_equal(line.owner.reads, i - 1);
        mw_stream_set_reading(line.owner.stream, true);
        wait_for_count(&line.world, &line.owner.reads, i);
        assert_int_equal(line.owner.len, 4 * i);
    }
    close_line(&line);
}

static void stop_reading(void *ctx, char *bytes, size_t len)
{
    struct owner *owner = ctx;
    owner_events.read(ctx, bytes, len);
    mw_stream_set_reading(owner->stream, false);
}

TEST(a_fin_behind_the_bytes_waits_for_who_stopped_reading_at_them)
{
    static struct mw_stream_events events;
    struct line line;
    open_line(&line);
    events = owner_events;
    events.read = stop_reading;
    mw_stream_attach(line.owner.stream, &events, &line.owner);
    say(&line, "bye");
    assert_int_equal(shutdown(line.far.fd, SHUT_WR), 0);
    mw_stream_set_reading(line.owner.stream, true);
    wait_for_count(&line.world, &line.owner.reads, 1);
    run_some_turns(&line.world);
    assert_int_equal(line.owner.fins, 0);
    mw_stream_set_reading(line.owner.stream, true);
    wait_for_count(&line.world, &line.owner.fins, 1);
    close_line(&line);
}

/* The number of turns in which nothing but an alarm of the test may happen is its own. */
static unsigned turns_of(struct world *world)
{
    uint64_t before = mw_loop_turn(world->loop);
    run_some_turns(world);
    return (unsigned)(mw_loop_turn(world->loop) - before);
}

TEST(a_reset_does_not_keep_the_loop_awake_while_reading_is_off)
{
    struct line line;
    open_line(&line);
    mw_stream_set_reading(line.owner.stream, true);
    run_some_turns(&line.world);
    mw_stream_set_reading(line.owner.stream, false);
    reset_socket(line.far.fd);
    line.far.fd = -1;
    assert_in_range(turns_of(&line.world), 1, 60); /* 20 looks: a loop that spins takes thousands */
    assert_int_equal(line.owner.fins + line.owner.resets, 0);
    mw_stream_set_reading(line.owner.stream, true);
    wait_for_count(&line.world, &line.owner.resets, 1);
    assert_in_range(turns_of(&line.world), 1, 60);
    close_line(&line);
}

TEST(both_ways_shut_do_not_keep_the_loop_awake)
{
    struct line line;
    open_line(&line);
    mw_stream_set_reading(line.owner.stream, true);
    mw_stream_finish(line.owner.stream);
    assert_int_equal(shutdown(line.far.fd, SHUT_WR), 0);
    wait_for_count(&line.world, &line.owner.fins, 1);
    assert_in_range(turns_of(&line.world), 1, 60);
    close_line(&line);
}

TEST(what_is_in_flight_twice_arrives_in_order)
{
    struct line line;
    char *bytes;
    open_line(&line);
    struct mw_view *flood = new_flood(&bytes);
    for (unsigned round = 1; round <= 2; round++) {
        assert_in_range(mw_stream_write(line.owner.stream, flood, MW_STREAM_MAX_VECTORS), 0,
                        FLOOD - 1);
        assert_true(mw_stream_untaken(line.owner.stream) > 0);
        while (line.owner.written < round) {
            read_far(&line.far);
            run_some_turns(&line.world);
        }
    }
    line.owner.len = 2 * (size_t)FLOOD;
    wait_until(&line.world, has_far_len, &line);
    assert_int_equal(line.far.sum,
                     sum_of_bytes(bytes, FLOOD, 0) + sum_of_bytes(bytes, FLOOD, FLOOD));
    free(bytes);
    close_line(&line);
}

/* Two that are ready at once: whoever is told first closes both, and the other is told nothing. */
struct couple {
    struct world world;
    struct owner owners[2];
    struct far fars[2];
    unsigned reads;
};

static struct couple couple;

static void close_both(void *ctx, char *bytes, size_t len)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    couple.reads++;
    for (unsigned i = 0; i < 2; i++) {
        mw_stream_close(couple.owners[i].stream, i == 0);
        int near, far; /* takes the number that has become free */
        connect_pair(&near, &far);
        close(near);
        close(far);
    }
}

TEST(what_was_told_of_a_stream_that_is_closed_by_now_is_dropped)
{
    static struct mw_stream_events events;
    couple = (struct couple){ .reads = 0 };
    events = owner_events;
    events.read = close_both;
    open_world(&couple.world);
    for (unsigned i = 0; i < 2; i++) {
        int near;
        connect_pair(&near, &couple.fars[i].fd);
        take_stream(&couple.owners[i], &couple.world, mw_tcp_adopt(couple.world.loop, near));
        mw_stream_attach(couple.owners[i].stream, &events, &couple.owners[i]);
        mw_stream_set_reading(couple.owners[i].stream, true);
        assert_int_equal(write(couple.fars[i].fd, "x", 1), 1);
    }
    wait_for_count(&couple.world, &couple.owners[1].closed, 1);
    assert_int_equal(couple.reads, 1);
    assert_int_equal(couple.owners[0].closed, 1);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(couple.owners[i].fins + couple.owners[i].resets, 0);
        close(couple.fars[i].fd);
    }
    close_world(&couple.world);
}

/* ---- without a stream ---- */

struct door {
    struct mw_ready ready;
    struct pair *pair;
    int far;
    unsigned told, closed;
};

struct pair {
    struct world world;
    struct door doors[2];
    bool is_first_to_close_both;
};

static void on_told(struct mw_loop *loop, struct mw_ready *ready, unsigned what)
{
    struct door *door = MW_OWNER(ready, struct door, ready);
    assert_ptr_equal(loop, door->pair->world.loop);
    door->closed += what == MW_READY_CLOSED;
    door->told += (what & (MW_READY_READ | MW_READY_WRITE)) != 0;
    if (!(what & MW_READY_READ) || !door->pair->is_first_to_close_both)
        return;
    for (unsigned i = 0; i < 2; i++)
        mw_ready_close(&door->pair->doors[i].ready);
}

static void open_pair(struct pair *pair)
{
    *pair = (struct pair){ .is_first_to_close_both = false };
    open_world(&pair->world);
    for (unsigned i = 0; i < 2; i++) {
        int near;
        struct door *door = &pair->doors[i];
        door->pair = pair;
        connect_pair(&near, &door->far);
        assert_int_equal(mw_ready_open(pair->world.loop, &door->ready, near, on_told), MW_OK);
    }
}

static void close_pair(struct pair *pair)
{
    for (unsigned i = 0; i < 2; i++) {
        if (!mw_ready_is_closed(&pair->doors[i].ready))
            mw_ready_close(&pair->doors[i].ready);
        close(pair->doors[i].far);
    }
    close_world(&pair->world);
    assert_int_equal(pair->doors[0].closed, 1);
    assert_int_equal(pair->doors[1].closed, 1);
}

TEST(of_two_in_one_batch_the_second_that_is_closed_by_the_first_is_not_told)
{
    struct pair pair;
    open_pair(&pair);
    pair.is_first_to_close_both = true;
    for (unsigned i = 0; i < 2; i++) {
        mw_ready_want(&pair.doors[i].ready, MW_READY_READ);
        assert_int_equal(write(pair.doors[i].far, "x", 1), 1);
    }
    wait_for_count(&pair.world, &pair.doors[1].closed, 1);
    assert_int_equal(pair.doors[0].told + pair.doors[1].told, 1);
    close_pair(&pair);
}

TEST(what_is_there_is_told_once_and_once_more_where_that_is_asked_for)
{
    struct pair pair;
    open_pair(&pair);
    struct door *door = &pair.doors[0];
    assert_int_equal(write(door->far, "x", 1), 1);
    run_some_turns(&pair.world);
    assert_int_equal(door->told, 0); /* not wanted */
    mw_ready_want(&door->ready, MW_READY_READ);
    run_some_turns(&pair.world);
    assert_int_equal(door->told, 1);
    mw_ready_again(&door->ready, MW_READY_READ);
    assert_int_equal(door->told, 1); /* from the loop alone */
    run_some_turns(&pair.world);
    assert_int_equal(door->told, 2);
    mw_ready_again(&door->ready, MW_READY_WRITE);
    run_some_turns(&pair.world);
    assert_int_equal(door->told, 2); /* not wanted */
    mw_ready_want(&door->ready, MW_READY_WRITE);
    run_some_turns(&pair.world);
    assert_int_equal(door->told, 3);
    close_pair(&pair);
}

TEST(a_descriptor_that_is_given_away_is_open_and_told_of_no_more)
{
    struct pair pair;
    char byte;
    open_pair(&pair);
    struct door *door = &pair.doors[0];
    mw_ready_want(&door->ready, MW_READY_READ);
    int fd = mw_ready_give(&door->ready);
    assert_true(mw_ready_is_closed(&door->ready));
    assert_int_equal(write(door->far, "x", 1), 1);
    run_some_turns(&pair.world);
    assert_int_equal(door->told, 0);
    assert_int_equal(read(fd, &byte, 1), 1);
    close(fd);
    close_pair(&pair);
}

TEST(what_epoll_cannot_watch_is_not_taken)
{
    struct world world;
    struct mw_ready ready;
    open_world(&world);
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_equal(mw_ready_open(world.loop, &ready, fd, on_told), MW_ERR_IO);
    close(fd);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(more_than_one_read_takes_is_read_in_several),
        CASE(a_fin_that_comes_with_the_bytes_is_told_after_them),
        CASE(bytes_that_came_while_reading_was_off_are_read_later),
        CASE(a_fin_behind_the_bytes_waits_for_who_stopped_reading_at_them),
        CASE(a_reset_does_not_keep_the_loop_awake_while_reading_is_off),
        CASE(both_ways_shut_do_not_keep_the_loop_awake),
        CASE(what_is_in_flight_twice_arrives_in_order),
        CASE(what_was_told_of_a_stream_that_is_closed_by_now_is_dropped),
        CASE(of_two_in_one_batch_the_second_that_is_closed_by_the_first_is_not_told),
        CASE(what_is_there_is_told_once_and_once_more_where_that_is_asked_for),
        CASE(a_descriptor_that_is_given_away_is_open_and_told_of_no_more),
        CASE(what_epoll_cannot_watch_is_not_taken),
    };
    return RUN(cases);
}
