#include "core/io/parcel.h"

#include <sys/resource.h>

#include "core/base/str.h"
#include "tests/unit/io/there.h"

#define FLOOD (32U << 20) /* more than two socket buffers hold */
#define MANY  40

struct line {
    struct world world;
    struct owner owner;
    struct far far;
    struct there there;
};

static void open_line(struct line *line)
{
    int near;
    *line = (struct line){ .far = { .fd = -1 } };
    open_world(&line->world);
    open_there(&line->there);
    connect_pair(&near, &line->far.fd);
    take_stream(&line->owner, &line->world, mw_tcp_adopt(line->world.loop, near));
    mw_stream_set_reading(line->owner.stream, true);
}

static void close_line(struct line *line)
{
    if (line->owner.closed == 0)
        drop_stream(&line->owner, false);
    close_there(&line->there);
    close(line->far.fd);
    close_world(&line->world);
}

static void say(struct line *line, const char *text)
{
    assert_int_equal(write(line->far.fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void move(struct line *line)
{
    move_there(&line->owner, &line->there);
}

struct amount {
    struct line *line;
    size_t len;
};

static bool far_has(void *ctx)
{
    struct amount *amount = ctx;
    read_far(&amount->line->far);
    return amount->line->far.len >= amount->len || amount->line->far.is_ended;
}

/* ---- a stream that moves ---- */

TEST(an_echo_goes_on_on_the_other_loop)
{
    struct line line;
    open_line(&line);
    line.owner.does_echo = line.there.owner.does_echo = true;
    say(&line, "moon");
    wait_for_count(&line.world, &line.owner.reads, 1);
    move(&line);
    mw_stream_set_reading(line.there.owner.stream, true);
    say(&line, "wire");
    wait_for_count(&line.there.world, &line.there.owner.reads, 1);
    struct amount amount = { &line, 8 };
    wait_until(&line.there.world, far_has, &amount);
    assert_int_equal(line.far.sum, sum_of_bytes("moonwire", 8, 0));
    assert_int_equal(line.owner.fins + line.owner.resets, 0);
    close_line(&line);
}

TEST(what_came_on_the_way_is_read_on_the_other_loop)
{
    struct line line;
    struct mw_parcel parcel;
    open_line(&line);
    mw_stream_set_reading(line.owner.stream, false);
    say(&line, "moon");
    assert_int_equal(mw_stream_pack(line.owner.stream, &parcel), MW_OK);
    say(&line, "wire");
    run_some_turns(&line.world);
    take_stream(&line.there.owner, &line.there.world,
                mw_stream_unpack(&parcel, line.there.world.loop, NULL));
    mw_stream_set_reading(line.there.owner.stream, true);
    wait_for_count(&line.there.world, &line.there.owner.reads, 1);
    assert_int_equal(line.owner.reads, 0);
    assert_int_equal(line.there.owner.len, 8);
    assert_memory_equal(line.there.owner.kept, "moonwire", 8);
    close_line(&line);
}

TEST(an_end_that_was_told_is_told_again)
{
    struct line line;
    open_line(&line);
    assert_int_equal(shutdown(line.far.fd, SHUT_WR), 0);
    wait_for_count(&line.world, &line.owner.fins, 1);
    move(&line);
    mw_stream_set_reading(line.there.owner.stream, true);
    wait_for_count(&line.there.world, &line.there.owner.fins, 1);
    close_line(&line);
}

TEST(what_did_not_leave_is_counted_and_can_be_written_again)
{
    struct line line;
    struct mw_parcel parcel;
    char *bytes = calloc(1, FLOOD);
    assert_non_null(bytes);
    for (size_t i = 0; i < FLOOD; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    open_line(&line);
    struct mw_view all = mw_view(bytes, FLOOD);
    assert_true(mw_stream_write(line.owner.stream, &all, 1) < (long)FLOOD);
    assert_int_equal(mw_stream_pack(line.owner.stream, &parcel), MW_OK);
    assert_in_range(parcel.unsent_bytes, 1, FLOOD - 1);
    struct mw_view rest = mw_view_from(all, FLOOD - parcel.unsent_bytes);
    wait_for_count(&line.world, &line.owner.closed, 1);
    take_stream(&line.there.owner, &line.there.world,
                mw_stream_unpack(&parcel, line.there.world.loop, NULL));
    assert_true(mw_stream_write(line.there.owner.stream, &rest, 1) >= 0);
    struct amount amount = { &line, FLOOD };
    wait_until(&line.there.world, far_has, &amount);
    assert_int_equal(line.far.sum, sum_of_bytes(bytes, FLOOD, 0));
    assert_int_equal(line.owner.written, 0);
    close_line(&line);
    free(bytes);
}

/* ---- what may fail ---- */

TEST(a_stream_moves_though_no_descriptor_is_left)
{
    struct line line;
    struct mw_parcel parcel;
    struct rlimit limit, none;
    open_line(&line);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(mw_stream_pack(line.owner.stream, &parcel), MW_OK);
    take_stream(&line.there.owner, &line.there.world,
                mw_stream_unpack(&parcel, line.there.world.loop, NULL));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    mw_stream_set_reading(line.there.owner.stream, true);
    say(&line, "moon");
    wait_for_count(&line.there.world, &line.there.owner.reads, 1);
    wait_for_count(&line.world, &line.owner.closed, 1);
    close_line(&line);
}

TEST(a_stream_that_was_finished_is_not_packed)
{
    struct line line;
    struct mw_parcel parcel;
    open_line(&line);
    mw_stream_finish(line.owner.stream);
    assert_int_equal(mw_stream_pack(line.owner.stream, &parcel), MW_ERR_CLOSED);
    close_line(&line);
}

TEST(a_parcel_that_is_dropped_closes_the_connection)
{
    struct line line;
    struct mw_parcel parcel;
    open_line(&line);
    assert_int_equal(mw_stream_pack(line.owner.stream, &parcel), MW_OK);
    mw_parcel_drop(&parcel);
    wait_until(&line.world, far_has_ended, &line.far);
    assert_true(line.far.is_ended);
    mw_parcel_drop(&parcel); /* nothing is in it */
    wait_for_count(&line.world, &line.owner.closed, 1);
    close_line(&line);
}

TEST(without_memory_there_the_connection_is_closed)
{
    struct line line;
    struct mw_parcel parcel;
    open_line(&line);
    assert_int_equal(mw_stream_pack(line.owner.stream, &parcel), MW_OK);
    line.there.world.mem.fail_at = line.there.world.mem.count + 1;
    assert_null(mw_stream_unpack(&parcel, line.there.world.loop, NULL));
    assert_int_equal(parcel.socket, -1);
    wait_until(&line.world, far_has_ended, &line.far);
    wait_for_count(&line.world, &line.owner.closed, 1);
    close_line(&line);
}

/* ---- between threads ---- */

/* Says HOPS messages, each when the one before is back. */
static void talk(int fd)
{
    static const char message[MESSAGE_BYTES] = "moonwire hops on";
    char back[MESSAGE_BYTES];
    for (unsigned i = 0; i < HOPS; i++) {
        assert_int_equal(write(fd, message, 7), 7);
        assert_int_equal(write(fd, message + 7, MESSAGE_BYTES - 7), MESSAGE_BYTES - 7);
        assert_int_equal(recv(fd, back, MESSAGE_BYTES, MSG_WAITALL), MESSAGE_BYTES);
        assert_memory_equal(back, message, MESSAGE_BYTES);
    }
}

TEST(many_go_to_and_fro_between_two_threads)
{
    struct station a, b;
    int far[MANY];
    station_open(&a, &b);
    station_open(&b, &a);
    for (unsigned i = 0; i < MANY; i++) {
        struct mw_parcel parcel = { .socket = -1 };
        connect_pair(&parcel.socket, &far[i]);
        assert_int_equal(fcntl(far[i], F_SETFL, 0), 0);
        station_send(i % 2 ? &a : &b, &parcel);
    }
    station_start(&a);
    station_start(&b);
    for (unsigned i = 0; i < MANY; i++)
        talk(far[i]);
    for (unsigned i = 0; i < MANY; i++)
        close(far[i]);
    station_close(&a);
    station_close(&b);
    assert_int_equal(mw_shared_bytes(), 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_echo_goes_on_on_the_other_loop),
        CASE(what_came_on_the_way_is_read_on_the_other_loop),
        CASE(an_end_that_was_told_is_told_again),
        CASE(what_did_not_leave_is_counted_and_can_be_written_again),
        CASE(a_stream_moves_though_no_descriptor_is_left),
        CASE(a_stream_that_was_finished_is_not_packed),
        CASE(a_parcel_that_is_dropped_closes_the_connection),
        CASE(without_memory_there_the_connection_is_closed),
        CASE(many_go_to_and_fro_between_two_threads),
    };
    return RUN(cases);
}
