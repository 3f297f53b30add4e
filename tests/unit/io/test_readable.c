#include "core/io/readable.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/io/io.h"

struct reader {
    struct world world;
    struct mw_readable *readable;
    int fd;
    unsigned count;
    bool is_over, stops_at_each;
    char bytes[64];
    size_t len;
};

static void on_readable(void *ctx)
{
    struct reader *reader = ctx;
    ssize_t got = read(reader->fd, reader->bytes + reader->len, 4);
    assert_true(got >= 0);
    reader->count++;
    reader->len += (size_t)got;
    reader->is_over = got == 0;
    if (reader->is_over || reader->stops_at_each)
        mw_readable_set(reader->readable, false);
}

static void open_reader(struct reader *reader, int fd)
{
    *reader = (struct reader){ .fd = fd };
    open_world(&reader->world);
    assert_int_equal(
        mw_readable_open(reader->world.loop, fd, on_readable, reader, &reader->readable), MW_OK);
}

static void close_reader(struct reader *reader)
{
    mw_readable_close(reader->readable);
    close_world(&reader->world);
    close(reader->fd);
}

TEST(a_pipe_is_readable_while_there_is_something_and_at_its_end)
{
    struct reader reader;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    open_reader(&reader, ends[0]);
    assert_int_equal(write(ends[1], "0123456789", 10), 10);
    close(ends[1]);
    mw_readable_set(reader.readable, true);
    wait_for(&reader.world, &reader.is_over);
    assert_memory_equal(reader.bytes, "0123456789", 10);
    assert_int_equal(reader.count, 4);
    close_reader(&reader);
}

TEST(a_plain_file_is_read_as_well)
{
    struct reader reader;
    FILE *file = tmpfile();
    fputs("0123456789", file);
    rewind(file);
    open_reader(&reader, dup(fileno(file)));
    mw_readable_set(reader.readable, true);
    wait_for(&reader.world, &reader.is_over);
    assert_memory_equal(reader.bytes, "0123456789", 10);
    close_reader(&reader);
    fclose(file);
}

TEST(what_is_stopped_says_nothing_until_it_goes_on)
{
    struct reader reader;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    open_reader(&reader, ends[0]);
    reader.stops_at_each = true;
    assert_int_equal(write(ends[1], "0123456789", 10), 10);
    mw_readable_set(reader.readable, true);
    wait_for_count(&reader.world, &reader.count, 1);
    assert_int_equal(reader.len, 4);
    mw_readable_set(reader.readable, true);
    wait_for_count(&reader.world, &reader.count, 2);
    assert_int_equal(reader.len, 8);
    close(ends[1]);
    close_reader(&reader);
}

/* The terminal belongs to the shell, too. */
TEST(the_descriptor_stays_as_it_was)
{
    struct reader reader;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int before = fcntl(ends[0], F_GETFL);
    open_reader(&reader, ends[0]);
    mw_readable_set(reader.readable, true);
    assert_int_equal(fcntl(ends[0], F_GETFL), before);
    mw_readable_set(reader.readable, false);
    close(ends[1]);
    close_reader(&reader);
}

TEST(what_cannot_be_watched_is_an_error)
{
    struct world world;
    struct mw_readable *readable = NULL;
    open_world(&world);
    assert_int_equal(mw_readable_open(world.loop, 9999, on_readable, NULL, &readable), MW_ERR_IO);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_pipe_is_readable_while_there_is_something_and_at_its_end),
        CASE(a_plain_file_is_read_as_well),
        CASE(what_is_stopped_says_nothing_until_it_goes_on),
        CASE(the_descriptor_stays_as_it_was),
        CASE(what_cannot_be_watched_is_an_error),
    };
    return RUN(cases);
}
