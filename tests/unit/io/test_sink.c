#include "core/io/sink.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/str.h"
#include "core/io/thread.h"
#include "tests/unit/unit.h"

#define LONG_MS 60000 /* a patience that no test uses up */
#define SENDERS 4
#define LINES   2000

/* A sink on a pipe, and the far end of the pipe. */
struct pipeline {
    int near, far;
    struct mw_sink *sink;
    struct mw_mem mem;
    struct mw_buf got; /* all that was read */
    size_t shared_bytes;
};

static void open_pipeline(struct pipeline *line, size_t max_bytes)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    *line = (struct pipeline){ .near = ends[1], .far = ends[0] };
    line->shared_bytes = mw_shared_bytes();
    mw_mem_init(&line->mem, NULL, 0);
    mw_buf_init(&line->got, &line->mem, 0);
    line->sink =
        mw_sink_new(line->near, max_bytes,
                    (struct mw_sink_note){
                        "moonwire: ", " log lines were lost: the reader of the log is too slow" });
    assert_non_null(line->sink);
}

static void read_all(void *ctx)
{
    struct pipeline *line = ctx;
    char bytes[4096];
    ssize_t count;
    while ((count = read(line->far, bytes, sizeof(bytes))) > 0)
        (void)mw_buf_put(&line->got, bytes, (size_t)count);
}

/* Reads to the end of what the sink writes until it is freed. */
static void finish_reading(struct pipeline *line)
{
    struct mw_thread *thread = mw_thread_start("reader", read_all, line);
    assert_non_null(thread);
    mw_sink_free(line->sink, LONG_MS);
    close(line->near);
    line->near = -1;
    mw_thread_join(thread);
}

static void close_pipeline(struct pipeline *line)
{
    mw_buf_free(&line->got);
    if (line->near >= 0)
        close(line->near);
    close(line->far);
    assert_mem_empty(&line->mem);
    assert_int_equal(mw_shared_bytes(), line->shared_bytes);
}

static void write_number(struct mw_sink *sink, char sender, unsigned number)
{
    char line[64];
    int len = snprintf(line, sizeof(line), "%c:%08u a line of the log\n", sender, number);
    mw_sink_write(sink, mw_view(line, (size_t)len));
}

/* ---- ordinary life ---- */

TEST(lines_come_whole_and_in_order)
{
    struct pipeline line;
    open_pipeline(&line, 1 << 20);
    mw_sink_write(line.sink, mw_view_text("one\n"));
    mw_sink_write(line.sink, mw_view_text("two\n"));
    assert_int_equal(mw_sink_lost(line.sink), 0);
    finish_reading(&line);
    assert_view(mw_buf_view(&line.got), "one\ntwo\n");
    close_pipeline(&line);
}

TEST(a_line_is_written_without_being_asked_for)
{
    struct pipeline line;
    char bytes[8];
    open_pipeline(&line, 4096);
    for (int i = 0; i < 3; i++) {
        mw_sink_write(line.sink, mw_view_text("line\n"));
        assert_int_equal(read(line.far, bytes, sizeof(bytes)), 5);
        assert_memory_equal(bytes, "line\n", 5);
    }
    mw_sink_free(line.sink, LONG_MS);
    mw_sink_free(NULL, LONG_MS);
    close_pipeline(&line);
}

TEST(who_still_writes_when_the_process_leaves_does_no_harm)
{
    struct pipeline line;
    char bytes[8];
    open_pipeline(&line, 4096);
    mw_sink_write(line.sink, mw_view_text("line\n"));
    mw_sink_finish(line.sink, LONG_MS);
    mw_sink_finish(NULL, LONG_MS);
    assert_int_equal(read(line.far, bytes, sizeof(bytes)), 5);
    mw_sink_write(line.sink, mw_view_text("late\n"));
    mw_sink_free(line.sink, LONG_MS);
    close_pipeline(&line);
}

struct sender {
    struct mw_sink *sink;
    char name;
};

static void send_lines(void *ctx)
{
    const struct sender *sender = ctx;
    for (unsigned i = 0; i < LINES; i++)
        write_number(sender->sink, sender->name, i);
}

/* "c:00000012 a line of the log": the sender and the number; false where it is something else. */
static bool parse_line(struct mw_view text, char *sender, uint64_t *number)
{
    if (text.len != strlen("c:00000012 a line of the log") || text.data[1] != ':')
        return false;
    *sender = text.data[0];
    return mw_view_is(mw_view_from(text, 10), " a line of the log") &&
           mw_parse_u64(mw_view(text.data + 2, 8), 0, LINES * 100, number);
}

TEST(lines_of_four_threads_are_not_mixed)
{
    struct pipeline line;
    struct sender senders[SENDERS];
    struct mw_thread *threads[SENDERS];
    open_pipeline(&line, 4 << 20);
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){ line.sink, (char)('a' + i) };
        threads[i] = mw_thread_start("sender", send_lines, &senders[i]);
        assert_non_null(threads[i]);
    }
    for (unsigned i = 0; i < SENDERS; i++)
        mw_thread_join(threads[i]);
    assert_int_equal(mw_sink_lost(line.sink), 0);
    finish_reading(&line);

    uint64_t next[SENDERS] = { 0 };
    struct mw_view rest = mw_buf_view(&line.got), text;
    while (mw_view_split(&rest, '\n', &text) && text.len > 0) {
        char sender = 0;
        uint64_t number = 0;
        assert_true(parse_line(text, &sender, &number));
        assert_int_equal(number, next[sender - 'a']++);
    }
    for (unsigned i = 0; i < SENDERS; i++)
        assert_int_equal(next[i], LINES);
    close_pipeline(&line);
}

/* ---- a reader that does not read ---- */

/* The number in a note of loss, or 0. */
static uint64_t parse_loss(struct mw_view text)
{
    static const char before[] = "moonwire: ";
    static const char after[] = " log lines were lost: the reader of the log is too slow";
    if (!mw_view_starts_with(text, before) || !mw_view_ends_with(text, after))
        return 0;
    size_t len = text.len - strlen(before) - strlen(after);
    uint64_t number = 0;
    return mw_parse_u64(mw_view(text.data + strlen(before), len), 1, UINT64_MAX, &number) ? number
                                                                                          : 0;
}

TEST(a_full_pipe_stops_no_writer_and_each_loss_is_told_in_its_place)
{
    static const size_t sizes[] = { 0, 4096, 5000, 100000 };
    for (size_t i = 0; i < MW_COUNT(sizes); i++) {
        struct pipeline line;
        unsigned written = 0;
        open_pipeline(&line, sizes[i]);
        while (mw_sink_lost(line.sink) < 1000) /* would never end if it waited for the reader */
            write_number(line.sink, 'a', written++);
        uint64_t lost = mw_sink_lost(line.sink);
        finish_reading(&line);

        uint64_t next = 0, told = 0;
        struct mw_view rest = mw_buf_view(&line.got), text;
        while (mw_view_split(&rest, '\n', &text) && text.len > 0) {
            char sender;
            uint64_t number, loss = parse_loss(text);
            told += loss;
            next += loss;
            if (loss > 0)
                continue;
            assert_true(parse_line(text, &sender, &number));
            assert_int_equal(number, next++);
        }
        assert_int_equal(told, lost);
        assert_int_equal(next, written);
        close_pipeline(&line);
    }
}

TEST(a_line_longer_than_the_queue_is_lost_and_told)
{
    struct pipeline line;
    static char long_line[100000];
    memset(long_line, 'x', sizeof(long_line));
    open_pipeline(&line, 4096);
    mw_sink_write(line.sink, mw_view(long_line, sizeof(long_line)));
    assert_int_equal(mw_sink_lost(line.sink), 1);
    mw_sink_write(line.sink, mw_view_text("after\n"));
    finish_reading(&line);
    assert_view(mw_buf_view(&line.got),
                "moonwire: 1 log lines were lost: the reader of the log is too slow\nafter\n");
    close_pipeline(&line);
}

TEST(a_reader_that_is_stuck_does_not_hold_up_the_end_and_finds_no_half_line)
{
    struct pipeline line;
    open_pipeline(&line, 100000);
    for (unsigned i = 0; mw_sink_lost(line.sink) == 0; i++)
        write_number(line.sink, 'a', i);
    mw_sink_free(line.sink, 1);
    close(line.near);
    line.near = -1;
    read_all(&line);
    struct mw_view got = mw_buf_view(&line.got);
    assert_true(got.len > PIPE_BUF);
    assert_int_equal(got.data[got.len - 1], '\n');
    close_pipeline(&line);
}

TEST(a_reader_that_is_gone_makes_lines_count_as_lost)
{
    struct pipeline line;
    (void)signal(SIGPIPE, SIG_IGN);
    open_pipeline(&line, 100000);
    close(line.far);
    line.far = -1;
    write_number(line.sink, 'a', 0);
    write_number(line.sink, 'a', 1);
    while (mw_sink_lost(line.sink) < 2)
        (void)poll(NULL, 0, 1);
    mw_sink_free(line.sink, LONG_MS);
    close_pipeline(&line);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(lines_come_whole_and_in_order),
        CASE(a_line_is_written_without_being_asked_for),
        CASE(who_still_writes_when_the_process_leaves_does_no_harm),
        CASE(lines_of_four_threads_are_not_mixed),
        CASE(a_full_pipe_stops_no_writer_and_each_loss_is_told_in_its_place),
        CASE(a_line_longer_than_the_queue_is_lost_and_told),
        CASE(a_reader_that_is_stuck_does_not_hold_up_the_end_and_finds_no_half_line),
        CASE(a_reader_that_is_gone_makes_lines_count_as_lost),
    };
    return RUN(cases);
}
