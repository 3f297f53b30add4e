#include "core/io/tcp.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/io/sockets.h"

#define MANY  100
#define FLOOD (32U << 20) /* more than two socket buffers hold */

/* A connection: the near end is a stream on the loop, the far end a plain socket. */
struct line {
    struct world world;
    struct owner owner;
    struct far far;
};

static void open_line(struct line *line)
{
    int near;
    *line = (struct line){ .far = { .fd = -1 } };
    open_world(&line->world);
    connect_pair(&near, &line->far.fd);
    take_stream(&line->owner, &line->world, mw_tcp_adopt(line->world.loop, near));
}

static void close_line(struct line *line)
{
    if (line->owner.closed == 0)
        drop_stream(&line->owner, false);
    close(line->far.fd);
    close_world(&line->world);
    assert_int_equal(line->owner.closed, 1);
}

static void say(struct line *line, const char *text)
{
    assert_int_equal(write(line->far.fd, text, strlen(text)), (ssize_t)strlen(text));
}

static long write_bytes(struct line *line, const char *bytes, size_t len)
{
    struct mw_view view = mw_view(bytes, len);
    return mw_stream_write(line->owner.stream, &view, 1);
}

static bool has_far_len(void *ctx)
{
    struct line *line = ctx;
    read_far(&line->far);
    return line->far.len >= line->owner.len;
}

/* ---- reading ---- */

TEST(what_comes_is_echoed)
{
    struct line line;
    open_line(&line);
    line.owner.does_echo = true;
    mw_stream_set_reading(line.owner.stream, true);
    say(&line, "moon");
    wait_for_count(&line.world, &line.owner.reads, 1);
    say(&line, "wire");
    while (line.owner.len < 8)
        wait_for_count(&line.world, &line.owner.reads, line.owner.reads + 1);
    assert_memory_equal(line.owner.kept, "moonwire", 8);
    wait_until(&line.world, has_far_len, &line);
    assert_int_equal(line.far.sum, sum_of_bytes("moonwire", 8, 0));
    close_line(&line);
}

TEST(with_reading_off_neither_bytes_nor_a_fin_are_told)
{
    struct line line;
    open_line(&line);
    say(&line, "moon");
    assert_int_equal(shutdown(line.far.fd, SHUT_WR), 0);
    run_some_turns(&line.world);
    assert_int_equal(line.owner.reads + line.owner.fins + line.owner.resets, 0);

    mw_stream_set_reading(line.owner.stream, true);
    mw_stream_set_reading(line.owner.stream, false);
    run_some_turns(&line.world);
    assert_int_equal(line.owner.reads + line.owner.fins + line.owner.resets, 0);

    mw_stream_set_reading(line.owner.stream, true);
    wait_for_count(&line.world, &line.owner.fins, 1);
    assert_memory_equal(line.owner.kept, "moon", 4);
    close_line(&line);
}

TEST(a_fin_is_told_once_and_writing_goes_on)
{
    struct line line;
    open_line(&line);
    mw_stream_set_reading(line.owner.stream, true);
    assert_int_equal(shutdown(line.far.fd, SHUT_WR), 0);
    wait_for_count(&line.world, &line.owner.fins, 1);
    mw_stream_set_reading(line.owner.stream, false);
    mw_stream_set_reading(line.owner.stream, true);
    assert_int_equal(write_bytes(&line, "still here", 10), 10);
    line.owner.len = 10;
    wait_until(&line.world, has_far_len, &line);
    run_some_turns(&line.world);
    assert_int_equal(line.owner.fins, 1);
    assert_int_equal(line.owner.resets, 0);
    close_line(&line);
}

TEST(an_rst_is_told_as_a_reset)
{
    struct line line;
    open_line(&line);
    mw_stream_set_reading(line.owner.stream, true);
    reset_socket(line.far.fd);
    line.far.fd = -1;
    wait_for_count(&line.world, &line.owner.resets, 1);
    assert_int_equal(line.owner.fins, 0);
    close_line(&line);
}

TEST(a_stream_may_be_closed_from_inside_read)
{
    struct line line;
    open_line(&line);
    line.owner.closes_on_read = true;
    mw_stream_set_reading(line.owner.stream, true);
    say(&line, "first");
    wait_for_count(&line.world, &line.owner.closed, 1);
    assert_int_equal(line.owner.reads, 1);
    assert_int_equal(line.owner.fins + line.owner.resets, 0);
    close_line(&line);
}

TEST(a_stream_may_be_closed_from_inside_end)
{
    struct line line;
    open_line(&line);
    line.owner.closes_on_end = true;
    mw_stream_set_reading(line.owner.stream, true);
    assert_int_equal(shutdown(line.far.fd, SHUT_WR), 0);
    wait_for_count(&line.world, &line.owner.closed, 1);
    assert_int_equal(line.owner.fins, 1);
    close_line(&line);
}

/* ---- writing ---- */

TEST(vectors_are_written_in_order)
{
    struct line line;
    char bytes[MW_STREAM_MAX_VECTORS * 3];
    struct mw_view vectors[MW_STREAM_MAX_VECTORS];
    open_line(&line);
    size_t sum = 0;
    for (size_t i = 0; i < MW_COUNT(vectors); i++) {
        vectors[i] = mw_view(bytes + sum, i % 4); /* empty ones too */
        memset(bytes + sum, (int)i, i % 4);
        sum += i % 4;
    }
    assert_int_equal(mw_stream_write(line.owner.stream, vectors, MW_COUNT(vectors)), (long)sum);
    assert_int_equal(mw_stream_write(line.owner.stream, vectors, 1), 0);
    line.owner.len = sum;
    wait_until(&line.world, has_far_len, &line);
    assert_int_equal(line.far.sum, sum_of_bytes(bytes, sum, 0));
    assert_int_equal(line.owner.written, 0);
    close_line(&line);
}

/* Enough for a part to stay in flight, in many vectors, so that the cut falls inside of one. */
static struct mw_view *new_flood(char **bytes)
{
    static struct mw_view vectors[MW_STREAM_MAX_VECTORS];
    *bytes = malloc(FLOOD);
    assert_non_null(*bytes);
    for (size_t i = 0; i < FLOOD; i++)
        (*bytes)[i] = (char)(i * 31 + i / 251);
    size_t each = FLOOD / MW_COUNT(vectors);
    for (size_t i = 0; i < MW_COUNT(vectors); i++)
        vectors[i] = mw_view(*bytes + i * each, each);
    return vectors;
}

static bool is_written(void *ctx)
{
    struct line *line = ctx;
    read_far(&line->far);
    return line->owner.written > 0 && line->far.len >= FLOOD;
}

TEST(what_the_kernel_does_not_take_flies_until_the_reader_reads)
{
    struct line line;
    char *bytes;
    open_line(&line);
    struct mw_view *flood = new_flood(&bytes);
    long taken = mw_stream_write(line.owner.stream, flood, MW_STREAM_MAX_VECTORS);
    assert_in_range(taken, 1, FLOOD - 1);
    run_some_turns(&line.world); /* the reader does not read */
    assert_int_equal(line.owner.written, 0);

    wait_until(&line.world, is_written, &line);
    assert_int_equal(line.owner.written, 1);
    assert_int_equal(line.far.len, FLOOD);
    assert_int_equal(line.far.sum, sum_of_bytes(bytes, FLOOD, 0));
    free(bytes);
    close_line(&line);
}

TEST(finish_says_fin_and_reading_goes_on)
{
    struct line line;
    open_line(&line);
    mw_stream_set_reading(line.owner.stream, true);
    assert_int_equal(write_bytes(&line, "bye", 3), 3);
    mw_stream_finish(line.owner.stream);
    assert_int_equal(write_bytes(&line, "no", 2), MW_ERR_CLOSED);
    wait_until(&line.world, far_has_ended, &line.far);
    assert_true(line.far.is_ended);
    assert_int_equal(line.far.len, 3);
    say(&line, "late");
    wait_for_count(&line.world, &line.owner.reads, 1);
    assert_memory_equal(line.owner.kept, "late", 4);
    close_line(&line);
}

TEST(finish_waits_for_what_is_in_flight)
{
    struct line line;
    char *bytes;
    open_line(&line);
    struct mw_view *flood = new_flood(&bytes);
    long taken = mw_stream_write(line.owner.stream, flood, MW_STREAM_MAX_VECTORS);
    assert_in_range(taken, 1, FLOOD - 1);
    mw_stream_finish(line.owner.stream);
    wait_until(&line.world, far_has_ended, &line.far);
    assert_true(line.far.is_ended);
    assert_int_equal(line.far.len, FLOOD);
    assert_int_equal(line.owner.written, 1);
    free(bytes);
    close_line(&line);
}

/* ---- a peer that is gone ---- */

static bool is_refused(void *ctx)
{
    return write_bytes(ctx, "anybody?", 8) == MW_ERR_CLOSED;
}

TEST(a_write_that_finds_the_peer_gone_brings_a_reset_though_nobody_reads)
{
    struct line line;
    open_line(&line);
    say(&line, "never to be read");
    reset_socket(line.far.fd);
    line.far.fd = -1;
    wait_until(&line.world, is_refused, &line);
    assert_int_equal(line.owner.resets, 0); /* from the loop, never from inside write */
    wait_for_count(&line.world, &line.owner.resets, 1);
    assert_int_equal(line.owner.reads, 0);
    assert_int_equal(line.owner.fins, 0);
    assert_int_equal(write_bytes(&line, "anybody?", 8), MW_ERR_CLOSED);
    close_line(&line);
}

TEST(a_peer_that_goes_gives_back_what_is_in_flight)
{
    struct line line;
    char *bytes;
    open_line(&line);
    struct mw_view *flood = new_flood(&bytes);
    long taken = mw_stream_write(line.owner.stream, flood, MW_STREAM_MAX_VECTORS);
    assert_in_range(taken, 1, FLOOD - 1);
    reset_socket(line.far.fd);
    line.far.fd = -1;
    wait_for_count(&line.world, &line.owner.resets, 1);
    wait_for_count(&line.world, &line.owner.written, 1);
    assert_int_equal(write_bytes(&line, "anybody?", 8), MW_ERR_CLOSED);
    free(bytes);
    close_line(&line);
    assert_int_equal(line.owner.written, 1);
}

/* ---- what the kernel tells once ---- */

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

/* ---- closing ---- */

TEST(close_drops_what_is_in_flight)
{
    static const bool ways[] = { false, true };
    for (size_t i = 0; i < MW_COUNT(ways); i++) {
        struct line line;
        char *bytes;
        open_line(&line);
        struct mw_view *flood = new_flood(&bytes);
        long taken = mw_stream_write(line.owner.stream, flood, MW_STREAM_MAX_VECTORS);
        assert_in_range(taken, 1, FLOOD - 1);
        mw_stream_close(line.owner.stream, ways[i]);
        free(bytes); /* nobody looks at them any more */
        wait_for_count(&line.world, &line.owner.closed, 1);
        wait_until(&line.world, far_has_ended, &line.far);
        assert_int_equal(line.far.is_reset, ways[i]);
        assert_int_equal(line.owner.written, 0);
        close_line(&line);
    }
}

TEST(close_with_reset_says_rst_and_close_says_fin)
{
    static const bool ways[] = { false, true };
    for (size_t i = 0; i < MW_COUNT(ways); i++) {
        struct line line;
        open_line(&line);
        mw_stream_set_reading(line.owner.stream, true);
        drop_stream(&line.owner, ways[i]);
        wait_until(&line.world, far_has_ended, &line.far);
        assert_int_equal(line.far.is_reset, ways[i]);
        assert_int_equal(line.far.is_ended, !ways[i]);
        close_line(&line);
        assert_int_equal(line.owner.fins + line.owner.resets, 0);
    }
}

TEST(a_stream_without_an_owner_can_be_closed)
{
    struct world world;
    int near, far;
    open_world(&world);
    connect_pair(&near, &far);
    struct mw_stream *stream = mw_tcp_adopt(world.loop, near);
    mw_stream_close(stream, false);
    close_world(&world);
    close(far);
}

/* ---- the rest ---- */

TEST(the_peers_address_comes_without_its_port)
{
    struct line line;
    char peer[MW_STREAM_ADDRESS_LEN];
    open_line(&line);
    mw_stream_peer(line.owner.stream, peer);
    assert_string_equal(peer, "127.0.0.1");
    mw_stream_close(line.owner.stream, false);
    mw_stream_peer(line.owner.stream, peer);
    assert_string_equal(peer, "");
    wait_for_count(&line.world, &line.owner.closed, 1);
    close_line(&line);
}

struct crowd {
    struct owner owners[MANY];
    struct far fars[MANY];
};

static bool are_all_echoed(void *ctx)
{
    struct crowd *crowd = ctx;
    bool all = true;
    for (size_t i = 0; i < MANY; i++) {
        read_far(&crowd->fars[i]);
        all = all && crowd->fars[i].len >= 5;
    }
    return all;
}

TEST(a_hundred_streams_share_one_receive_buffer)
{
    static struct crowd crowd;
    struct world world;
    char text[16];
    memset(&crowd, 0, sizeof(crowd));
    open_world(&world);
    for (int i = 0; i < MANY; i++) {
        int near;
        connect_pair(&near, &crowd.fars[i].fd);
        take_stream(&crowd.owners[i], &world, mw_tcp_adopt(world.loop, near));
        crowd.owners[i].does_echo = true;
        mw_stream_set_reading(crowd.owners[i].stream, true);
        (void)snprintf(text, sizeof(text), "nr%03d", i);
        assert_int_equal(write(crowd.fars[i].fd, text, 5), 5);
    }
    wait_until(&world, are_all_echoed, &crowd);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(text, sizeof(text), "nr%03d", i);
        assert_int_equal(crowd.fars[i].sum, sum_of_bytes(text, 5, 0));
        mw_stream_close(crowd.owners[i].stream, i % 2);
        close(crowd.fars[i].fd);
    }
    close_world(&world);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(crowd.owners[i].closed, 1);
}

TEST(a_stream_costs_one_block_and_a_flight_another)
{
    struct line line;
    char *bytes;
    open_line(&line);
    size_t idle_blocks = line.world.mem.blocks;
    assert_int_equal(idle_blocks, 3); /* the loop, its buffer, the stream */
    size_t before = line.world.mem.bytes;
    mw_stream_close(line.owner.stream, false);
    wait_for_count(&line.world, &line.owner.closed, 1);
    assert_in_range(before - line.world.mem.bytes, 1, 64);
    close_line(&line);
    open_line(&line);
    assert_int_equal(write_bytes(&line, "moon", 4), 4);
    assert_int_equal(line.world.mem.blocks, idle_blocks);
    struct mw_view *flood = new_flood(&bytes);
    (void)mw_stream_write(line.owner.stream, flood, MW_STREAM_MAX_VECTORS);
    assert_int_equal(line.world.mem.blocks, idle_blocks + 1);
    wait_until(&line.world, is_written, &line);
    assert_int_equal(line.world.mem.blocks, idle_blocks);
    free(bytes);
    close_line(&line);
}

TEST(without_memory_a_socket_is_closed_and_not_adopted)
{
    struct world world;
    struct far far = { .fd = -1 };
    int near;
    open_world(&world);
    connect_pair(&near, &far.fd);
    world.mem.fail_at = world.mem.count + 1;
    assert_null(mw_tcp_adopt(world.loop, near));
    wait_until(&world, far_has_ended, &far);
    close(far.fd);
    close_world(&world);
}

TEST(without_memory_for_a_flight_the_stream_breaks)
{
    struct line line;
    char *bytes;
    open_line(&line);
    struct mw_view *flood = new_flood(&bytes);
    line.world.mem.fail_at = line.world.mem.count + 1;
    long taken = mw_stream_write(line.owner.stream, flood, MW_STREAM_MAX_VECTORS);
    assert_int_equal(taken, MW_ERR_CLOSED);
    free(bytes);
    assert_int_equal(line.owner.resets, 0);
    wait_for_count(&line.world, &line.owner.resets, 1);
    assert_int_equal(line.owner.written, 0);
    close_line(&line);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(what_comes_is_echoed),
        CASE(with_reading_off_neither_bytes_nor_a_fin_are_told),
        CASE(a_fin_is_told_once_and_writing_goes_on),
        CASE(an_rst_is_told_as_a_reset),
        CASE(a_stream_may_be_closed_from_inside_read),
        CASE(a_stream_may_be_closed_from_inside_end),
        CASE(vectors_are_written_in_order),
        CASE(what_the_kernel_does_not_take_flies_until_the_reader_reads),
        CASE(finish_says_fin_and_reading_goes_on),
        CASE(finish_waits_for_what_is_in_flight),
        CASE(a_write_that_finds_the_peer_gone_brings_a_reset_though_nobody_reads),
        CASE(a_peer_that_goes_gives_back_what_is_in_flight),
        CASE(more_than_one_read_takes_is_read_in_several),
        CASE(a_fin_that_comes_with_the_bytes_is_told_after_them),
        CASE(bytes_that_came_while_reading_was_off_are_read_later),
        CASE(a_fin_behind_the_bytes_waits_for_who_stopped_reading_at_them),
        CASE(a_reset_does_not_keep_the_loop_awake_while_reading_is_off),
        CASE(both_ways_shut_do_not_keep_the_loop_awake),
        CASE(what_is_in_flight_twice_arrives_in_order),
        CASE(what_was_told_of_a_stream_that_is_closed_by_now_is_dropped),
        CASE(close_drops_what_is_in_flight),
        CASE(close_with_reset_says_rst_and_close_says_fin),
        CASE(a_stream_without_an_owner_can_be_closed),
        CASE(the_peers_address_comes_without_its_port),
        CASE(a_hundred_streams_share_one_receive_buffer),
        CASE(a_stream_costs_one_block_and_a_flight_another),
        CASE(without_memory_a_socket_is_closed_and_not_adopted),
        CASE(without_memory_for_a_flight_the_stream_breaks),
    };
    return RUN(cases);
}
