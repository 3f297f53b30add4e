/* admin: requests and answers over a real Unix socket, and clients that do not behave. */
#include "core/server/admin.h"

#include <errno.h>
#include <sys/socket.h>

#include "core/io/local.h"
#include "tests/unit/io/folder.h"
#include "tests/unit/io/io.h"

static struct world world;
static struct folder folder;
static struct mw_admin *admin;
static struct mw_admin_call *held; /* by the command that waits */
static unsigned held_count, gone_count;
static char why[256];

/* ---- commands ---- */

static void run_echo(void *ctx, struct mw_admin_call *call)
{
    struct mw_view text;
    int64_t number;
    assert_ptr_equal(ctx, &world);
    if (!mw_admin_text(call, "text", &text) || !mw_admin_number(call, "number", &number)) {
        mw_admin_refuse(call, "of the wrong kind", "");
        return;
    }
    struct mw_json_writer *json = mw_admin_answer(call, true);
    mw_jw_pair(json, "text", text);
    mw_jw_pair_integer(json, "number", number);
    mw_admin_end(call);
}

static void on_gone(struct mw_admin_call *call)
{
    assert_ptr_equal(call, held);
    gone_count++;
    held = NULL;
    if (gone_count % 2) { /* what is still said goes nowhere, and nothing has to be said */
        (void)mw_admin_event(call, "to nobody");
        mw_admin_event_end(call);
    }
    mw_admin_end(call);
}

static void run_hold(void *ctx, struct mw_admin_call *call)
{
    (void)ctx;
    held = call;
    held_count++;
    call->gone = on_gone;
}

/* So many bytes before the answer. */
static void run_flood(void *ctx, struct mw_admin_call *call)
{
    static char page[65536];
    int64_t bytes;
    (void)ctx;
    (void)mw_admin_number(call, "number", &bytes);
    memset(page, 'x', sizeof page);
    for (; bytes > 0; bytes -= (int64_t)sizeof page) {
        mw_jw_pair(mw_admin_event(call, "page"), "data", mw_view(page, sizeof page));
        mw_admin_event_end(call);
    }
    (void)mw_admin_answer(call, true);
    mw_admin_end(call);
}

/* One answer with so many bytes. */
static void run_long(void *ctx, struct mw_admin_call *call)
{
    static char text[6000000];
    int64_t bytes;
    (void)ctx;
    (void)mw_admin_number(call, "number", &bytes);
    memset(text, 'x', sizeof text);
    mw_jw_pair(mw_admin_answer(call, true), "text", mw_view(text, (size_t)bytes));
    mw_admin_end(call);
}

static const struct mw_admin_command commands[] = {
    { "echo", run_echo, "" },
    { "hold", run_hold, "" },
    { "flood", run_flood, "" },
    { "long", run_long, "" },
    { 0 },
};

/* ---- the bench ---- */

static int set_up(void **state)
{
    (void)state;
    make_folder(&folder);
    open_world(&world);
    const struct mw_admin_setup setup = {
        .loop = world.loop,
        .path = below(&folder, "s.sock"),
        .commands = commands,
        .ctx = &world,
    };
    held = NULL;
    held_count = gone_count = 0;
    assert_int_equal(mw_admin_open(&setup, &admin, why), MW_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mw_admin_close(admin);
    close_world(&world);
    assert_null(held);
    remove_folder(&folder);
    return 0;
}

static int dial(void)
{
    int fd = mw_local_dial(below(&folder, "s.sock"));
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* What a client has heard so far. */
struct heard {
    int fd;
    char text[200000];
    size_t len;
    unsigned lines;
    bool ended;
};

static bool hear_some(void *ctx)
{
    struct heard *heard = ctx;
    for (;;) {
        size_t room = sizeof heard->text - 1 - heard->len;
        ssize_t n = recv(heard->fd, heard->text + heard->len, room, 0);
        heard->ended = heard->ended || n == 0 || (n < 0 && errno != EAGAIN);
        if (n <= 0)
            break;
        for (size_t i = 0; i < (size_t)n; i++)
            heard->lines += heard->text[heard->len + i] == '\n';
        heard->len += (size_t)n;
    }
    heard->text[heard->len] = '\0';
    return heard->ended;
}

static unsigned wanted_lines;

static bool has_lines(void *ctx)
{
    (void)hear_some(ctx);
    return ((struct heard *)ctx)->lines >= wanted_lines;
}

static struct heard heard;

/* The next `lines` lines. */
static const char *hear(int fd, unsigned lines)
{
    heard = (struct heard){ .fd = fd };
    wanted_lines = lines;
    wait_until(&world, has_lines, &heard);
    return heard.text;
}

/* All until the server hangs up, which it does. */
static const char *hear_all(int fd)
{
    heard = (struct heard){ .fd = fd };
    wait_until(&world, hear_some, &heard);
    return heard.text;
}

/* ---- what is asked, what is answered ---- */

TEST(each_line_is_answered_by_a_line)
{
    static const char no_object[] = "{\"ok\":false,\"error\":\"a request is an object with "
                                    "\\\"cmd\\\"\",\"hint\":\"{\\\"cmd\\\":\\\"help\\\"} lists "
                                    "what can be asked\"}\n";
    static const struct {
        const char *line, *answer;
    } table[] = {
        { "{\"cmd\":\"echo\"}\n", "{\"ok\":true,\"text\":\"\",\"number\":0}\n" },
        { "{\"cmd\":\"echo\",\"text\":\"a\\nb\",\"number\":-7}\r\n",
          "{\"ok\":true,\"text\":\"a\\nb\",\"number\":-7}\n" },
        { "\n \r\n{\"cmd\":\"echo\",\"more\":[1,{}]}\n",
          "{\"ok\":true,\"text\":\"\",\"number\":0}\n" },
        { "{\"cmd\":\"echo\",\"text\":1}\n", "{\"ok\":false,\"error\":\"of the wrong kind\"}\n" },
        { "{\"cmd\":\"echo\",\"number\":1.5}\n",
          "{\"ok\":false,\"error\":\"of the wrong kind\"}\n" },
        { "{\"cmd\":\"ecko\"}\n", "{\"ok\":false,\"error\":\"there is no command \\\"ecko\\\"; did "
                                  "you mean \\\"echo\\\"?\","
                                  "\"hint\":\"{\\\"cmd\\\":\\\"help\\\"} lists them\"}\n" },
        { "[]\n", no_object },
        { "17\n", no_object },
        { "{}\n", no_object },
        { "{\"cmd\":17}\n", no_object },
        { "{\"cmd\":\"\"}\n", no_object },
    };
    int fd = dial();
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        say(fd, table[i].line);
        assert_string_equal(hear(fd, 1), table[i].answer);
    }
    close(fd);
}

TEST(garbage_is_refused_and_the_next_line_is_heard)
{
    static const struct mw_view table[] = {
        MW_VIEW("GET / HTTP/1.1\r\n"), MW_VIEW("\0\0\0\0\n"),   MW_VIEW("{\"cmd\":\"echo\"\n"),
        MW_VIEW("\xff\xfe\xfd\n"),     MW_VIEW("[[[[[[[[[[\n"), MW_VIEW("{\"cmd\":\"\xff\"}\n"),
    };
    int fd = dial();
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        assert_true(send(fd, table[i].data, table[i].len, MSG_NOSIGNAL) == (ssize_t)table[i].len);
        assert_non_null(strstr(hear(fd, 1), "\"ok\":false,\"error\":\"the request is no JSON"));
        say(fd, "{\"cmd\":\"echo\"}\n");
        assert_non_null(strstr(hear(fd, 1), "\"ok\":true"));
    }
    close(fd);
}

TEST(a_request_may_come_byte_by_byte_and_many_at_once)
{
    int fd = dial();
    for (const char *c = "{\"cmd\":\"echo\",\"text\":\"slow\"}\n"; *c; c++) {
        assert_int_equal(send(fd, c, 1, MSG_NOSIGNAL), 1);
        run_some_turns(&world);
    }
    assert_non_null(strstr(hear(fd, 1), "slow"));
    say(fd, "{\"cmd\":\"echo\",\"number\":1}\n{\"cmd\":\"echo\",\"number\":2}\n{\"cmd\":\"ec");
    const char *two = hear(fd, 2);
    assert_true(strstr(two, "\"number\":1}") < strstr(two, "\"number\":2}"));
    say(fd, "ho\",\"number\":3}\n");
    assert_non_null(strstr(hear(fd, 1), "\"number\":3"));
    close(fd);
}

TEST(who_half_closes_gets_its_answers_and_then_the_end)
{
    int fd = dial();
    say(fd, "{\"cmd\":\"echo\",\"number\":1}\n{\"cmd\":\"echo\",\"number\":2}\n{\"cmd\":");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_non_null(strstr(hear_all(fd), "\"number\":2"));
    assert_int_equal(heard.lines, 2);
    close(fd);
}

/* ---- too much ---- */

static void say_long(int fd, size_t len)
{
    static char line[3 * MW_ADMIN_REQUEST_BYTES];
    memset(line, 'x', sizeof line);
    for (size_t sent = 0; sent < len;) {
        size_t n = len - sent < sizeof line ? len - sent : sizeof line;
        ssize_t got = send(fd, line, n, MSG_NOSIGNAL);
        if (got < 0)
            break; /* not read any more */
        sent += (size_t)got;
    }
}

TEST(an_answer_that_is_too_long_says_so_instead_of_an_end_without_a_word)
{
    int fd = dial();
    say(fd, "{\"cmd\":\"long\",\"number\":4194304}\n{\"cmd\":\"long\",\"number\":6000000}\n"
            "{\"cmd\":\"echo\",\"text\":\"behind\"}\n");
    const char *all = hear(fd, 3);
    const char *first = strstr(all, "\"ok\":false,\"error\":\"the answer is longer than 4 MiB\"");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "the answer is longer than 4 MiB"));
    assert_non_null(strstr(all, "\"text\":\"behind\""));
    close(fd);
}

TEST(a_line_without_an_end_is_refused_and_ends_the_connection)
{
    static const size_t lengths[] = { MW_ADMIN_REQUEST_BYTES, 2 * MW_ADMIN_REQUEST_BYTES + 1,
                                      200000 };
    for (size_t i = 0; i < MW_COUNT(lengths); i++) {
        int fd = dial();
        say_long(fd, lengths[i]);
        assert_non_null(strstr(hear_all(fd), "at most 16384 bytes"));
        assert_int_equal(heard.lines, 1);
        close(fd);
    }
}

TEST(what_comes_behind_a_request_that_waits_is_bounded)
{
    int fd = dial();
    say(fd, "{\"cmd\":\"hold\"}\n");
    wait_for_count(&world, &held_count, 1);
    say_long(fd, 100000);
    run_some_turns(&world);
    struct mw_admin_call *call = held; /* it is answered all the same */
    held = NULL;
    (void)mw_admin_answer(call, true);
    mw_admin_end(call);
    assert_string_equal(hear_all(fd), "{\"ok\":true}\n");
    close(fd);
}

TEST(a_client_too_many_is_told_so)
{
    int fds[MW_ADMIN_MAX_CLIENTS];
    for (size_t i = 0; i < MW_COUNT(fds); i++) {
        fds[i] = dial();
        say(fds[i], "{\"cmd\":\"echo\"}\n");
        (void)hear(fds[i], 1);
    }
    int late = dial();
    assert_non_null(strstr(hear_all(late), "too many clients"));
    close(late);
    close(fds[0]); /* ... and one who leaves makes room */
    for (bool is_in = false; !is_in;) {
        late = dial();
        (void)send(late, "{\"cmd\":\"echo\"}\n", 15, MSG_NOSIGNAL);
        is_in = strstr(hear(late, 1), "\"ok\":true") != NULL;
        close(late);
    }
    for (size_t i = 1; i < MW_COUNT(fds); i++)
        close(fds[i]);
}

TEST(a_long_answer_reaches_who_reads_slowly)
{
    int fd = dial();
    say(fd, "{\"cmd\":\"flood\",\"number\":2000000}\n{\"cmd\":\"echo\",\"text\":\"last\"}\n");
    size_t bytes = 0;
    const char *end = NULL;
    while (!end) {
        heard = (struct heard){ .fd = fd };
        wanted_lines = 1;
        wait_until(&world, has_lines, &heard);
        bytes += heard.len;
        end = strstr(heard.text, "last");
    }
    assert_true(bytes > 2000000);
    close(fd);
}

TEST(more_than_is_kept_for_a_client_ends_it)
{
    int fd = dial();
    say(fd, "{\"cmd\":\"flood\",\"number\":5000000}\n");
    assert_null(strstr(hear_all(fd), "\"ok\""));
    close(fd);
}

/* ---- commands that wait ---- */

TEST(a_command_may_answer_later_and_say_things_meanwhile)
{
    int fd = dial();
    say(fd, "{\"cmd\":\"hold\"}\n{\"cmd\":\"echo\"}\n");
    wait_for_count(&world, &held_count, 1);
    mw_jw_pair_integer(mw_admin_event(held, "progress"), "n", 1);
    mw_admin_event_end(held);
    assert_string_equal(hear(fd, 1), "{\"event\":\"progress\",\"n\":1}\n");
    struct mw_admin_call *call = held;
    held = NULL;
    (void)mw_admin_answer(call, true);
    mw_admin_end(call);
    assert_string_equal(hear(fd, 2), "{\"ok\":true}\n{\"ok\":true,\"text\":\"\",\"number\":0}\n");
    close(fd);
}

TEST(a_command_hears_that_its_client_has_gone)
{
    for (unsigned i = 1; i <= 2; i++) {
        int fd = dial();
        say(fd, "{\"cmd\":\"hold\"}\n");
        wait_for_count(&world, &held_count, i);
        close(fd);
        /* A Unix socket that was only half-closed looks the same: what is written finds it out. */
        mw_jw_pair_integer(mw_admin_event(held, "progress"), "n", 1);
        mw_admin_event_end(held);
        wait_for_count(&world, &gone_count, i);
    }
}

TEST(a_command_hears_that_the_server_closes)
{
    int fd = dial();
    say(fd, "{\"cmd\":\"hold\"}\n");
    wait_for_count(&world, &held_count, 1);
    mw_admin_close(admin);
    admin = NULL;
    assert_int_equal(gone_count, 1);
    assert_string_equal(hear_all(fd), "");
    close(fd);
}

/* ---- memory ---- */

static bool ask_once(struct mw_mem *mem)
{
    struct mw_loop *loop;
    struct mw_admin *own = NULL;
    if (mw_loop_new(mem, &loop))
        return false;
    const struct mw_admin_setup setup = {
        .loop = loop,
        .path = below(&folder, "own.sock"),
        .commands = commands,
        .ctx = &world,
    };
    bool is_answered = false;
    if (mw_admin_open(&setup, &own, why) == MW_OK) {
        int fd = mw_local_dial(below(&folder, "own.sock"));
        struct world small = { .loop = loop };
        mw_alarm_init(&small.look, look_);
        assert_true(fd >= 0);
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        say(fd, "{\"cmd\":\"echo\",\"text\":\"hello\"}\n");
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        heard = (struct heard){ .fd = fd };
        wait_until(&small, hear_some, &heard);
        is_answered = strcmp(heard.text, "{\"ok\":true,\"text\":\"hello\",\"number\":0}\n") == 0;
        close(fd);
    }
    mw_admin_close(own);
    mw_loop_finish(loop);
    assert_int_equal(mw_loop_free(loop), 0);
    return is_answered;
}

TEST(without_memory_a_client_is_sent_away_and_nothing_stays)
{
    (void)fail_each_allocation(ask_once);
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        SERVED(each_line_is_answered_by_a_line),
        SERVED(garbage_is_refused_and_the_next_line_is_heard),
        SERVED(a_request_may_come_byte_by_byte_and_many_at_once),
        SERVED(who_half_closes_gets_its_answers_and_then_the_end),
        SERVED(an_answer_that_is_too_long_says_so_instead_of_an_end_without_a_word),
        SERVED(a_line_without_an_end_is_refused_and_ends_the_connection),
        SERVED(what_comes_behind_a_request_that_waits_is_bounded),
        SERVED(a_client_too_many_is_told_so),
        SERVED(a_long_answer_reaches_who_reads_slowly),
        SERVED(more_than_is_kept_for_a_client_ends_it),
        SERVED(a_command_may_answer_later_and_say_things_meanwhile),
        SERVED(a_command_hears_that_its_client_has_gone),
        SERVED(a_command_hears_that_the_server_closes),
        SERVED(without_memory_a_client_is_sent_away_and_nothing_stays),
    };
    return RUN(cases);
}
