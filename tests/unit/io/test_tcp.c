#include "core/io/tcp.h"

#include "tests/unit/io/line.h"
#include <stdio.h>

#define MANY 100

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

TEST(what_the_kernel_does_not_take_of_an_offer_is_the_callers)
{
    struct line line;
    char *bytes;
    open_line(&line);
    struct mw_view *flood = new_flood(&bytes);
    assert_true(mw_stream_can_offer(line.owner.stream));
    long taken = mw_stream_offer(line.owner.stream, flood, MW_STREAM_MAX_VECTORS);
    assert_in_range(taken, 1, FLOOD - 1);
    uint64_t sum = sum_of_bytes(bytes, (size_t)taken, 0);
    memset(bytes, 0xee, FLOOD);
    free(bytes);
    run_some_turns(&line.world);
    line.owner.len = (size_t)taken; /* for has_far_len */
    wait_until(&line.world, has_far_len, &line);
    run_some_turns(&line.world);
    assert_true(has_far_len(&line));
    assert_int_equal(line.far.len, taken);
    assert_int_equal(line.far.sum, sum);
    assert_int_equal(line.owner.written, 0);
    assert_int_equal(write_bytes(&line, "more", 4), 4); /* nothing is in flight */
    close_line(&line);
}

TEST(an_offer_that_finds_the_peer_gone_brings_a_reset)
{
    struct line line;
    struct mw_view view = mw_view("moon", 4);
    open_line(&line);
    reset_socket(line.far.fd);
    line.far.fd = -1;
    while (mw_stream_offer(line.owner.stream, &view, 1) >= 0)
        run_some_turns(&line.world);
    wait_for_count(&line.world, &line.owner.resets, 1);
    assert_int_equal(mw_stream_offer(line.owner.stream, &view, 1), MW_ERR_CLOSED);
    close_line(&line);
}

static char place[8];
static unsigned place_asked;

static char *name_place(void *owner, size_t *room)
{
    (void)owner;
    *room = sizeof place;
    return place_asked++ ? place : NULL;
}

static void read_at_place(void *ctx, char *bytes, size_t len)
{
    struct owner *owner = ctx;
    bool is_placed = bytes == place;
    assert_int_equal(is_placed, owner->reads > 0);
    assert_true(!is_placed || len <= sizeof place);
    memcpy(owner->kept + owner->len, bytes, len);
    owner->len += len;
    owner->reads++;
}

TEST(an_owner_may_say_where_it_wants_what_comes)
{
    static const struct mw_stream_events events = { .read = read_at_place,
                                                    .end = on_end_,
                                                    .written = on_written_,
                                                    .closed = on_closed_,
                                                    .place = name_place };
    struct line line;
    place_asked = 0;
    open_line(&line);
    mw_stream_attach(line.owner.stream, &events, &line.owner);
    mw_stream_set_reading(line.owner.stream, true);
    say(&line, "first");
    wait_for_count(&line.world, &line.owner.reads, 1);
    say(&line, "more than there is room for");
    while (line.owner.len < 32)
        wait_for_count(&line.world, &line.owner.reads, line.owner.reads + 1);
    assert_memory_equal(line.owner.kept, "firstmore than there is room for", 32);
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

/* Until it is told that its write is over, each look finds room to write and something to read. */
static bool is_written_while_something_comes(void *ctx)
{
    struct line *line = ctx;
    if (line->owner.written > 0)
        return true;
    read_far(&line->far);
    say(line, "x");
    line->said++;
    return false;
}

static void on_written_and_enough(void *ctx)
{
    on_written_(ctx);
    mw_stream_set_reading(((struct owner *)ctx)->stream, false);
}

static bool has_all_that_was_said(void *ctx)
{
    const struct line *line = ctx;
    return line->owner.len == line->said;
}

TEST(what_came_when_written_stopped_the_reading_is_read_when_it_goes_on)
{
    static const struct mw_stream_events events = {
        .read = on_read_, .end = on_end_, .written = on_written_and_enough, .closed = on_closed_
    };
    struct line line;
    char *bytes;
    open_line(&line);
    mw_stream_attach(line.owner.stream, &events, &line.owner);
    mw_stream_set_reading(line.owner.stream, true);
    struct mw_view *flood = new_flood(&bytes);
    assert_true(mw_stream_write(line.owner.stream, flood, MW_STREAM_MAX_VECTORS) < FLOOD);
    wait_until(&line.world, is_written_while_something_comes, &line);
    free(bytes);
    run_some_turns(&line.world);
    assert_true(line.owner.len < line.said);
    mw_stream_set_reading(line.owner.stream, true);
    wait_until(&line.world, has_all_that_was_said, &line);
    close_line(&line);
}

TEST(what_stands_behind_an_urgent_byte_is_read_too)
{
    struct line line;
    open_line(&line);
    mw_tcp_hurry(line.far.fd);
    say(&line, "moon");
    assert_int_equal(send(line.far.fd, "!", 1, MSG_OOB), 1);
    say(&line, "wire");
    line.said = 8; /* the urgent one is not part of the stream */
    run_some_turns(&line.world);
    mw_stream_set_reading(line.owner.stream, true);
    wait_until(&line.world, has_all_that_was_said, &line);
    assert_memory_equal(line.owner.kept, "moonwire", 8);
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
        CASE(what_the_kernel_does_not_take_of_an_offer_is_the_callers),
        CASE(an_offer_that_finds_the_peer_gone_brings_a_reset),
        CASE(an_owner_may_say_where_it_wants_what_comes),
        CASE(finish_says_fin_and_reading_goes_on),
        CASE(finish_waits_for_what_is_in_flight),
        CASE(a_write_that_finds_the_peer_gone_brings_a_reset_though_nobody_reads),
        CASE(a_peer_that_goes_gives_back_what_is_in_flight),
        CASE(close_drops_what_is_in_flight),
        CASE(close_with_reset_says_rst_and_close_says_fin),
        CASE(a_stream_without_an_owner_can_be_closed),
        CASE(the_peers_address_comes_without_its_port),
        CASE(a_hundred_streams_share_one_receive_buffer),
        CASE(a_stream_costs_one_block_and_a_flight_another),
        CASE(what_came_when_written_stopped_the_reading_is_read_when_it_goes_on),
        CASE(what_stands_behind_an_urgent_byte_is_read_too),
        CASE(without_memory_a_socket_is_closed_and_not_adopted),
        CASE(without_memory_for_a_flight_the_stream_breaks),
    };
    return RUN(cases);
}
