/* script_log: a flood is counted, a long line is cut, and what nobody wants to see costs nothing.
 */
#include <sys/stat.h>

#include "core/server/host_real.h"
#include "moonwire/bounds.h"
#include "tests/unit/server/serve.h"

static struct mw_route *route(void)
{
    return mw_route_by_name(&world.worker, mw_view_text("s.capp"));
}

static void write_line(enum mw_log_level level, const char *message)
{
    mw_host_real()->log(route(), level, 1, 0, mw_view_text(message), NULL, 0);
}

static size_t times(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

/* As if all but three lines of the burst had been written in this turn. */
static void leave_three(void)
{
    route()->lines.rate = (struct mw_rate){ .tokens = 3, .at_ms = mw_loop_now(world.worker.loop) };
}

TEST(a_flood_is_cut_off_and_told_of_once)
{
    serve("echo");
    leave_three();
    for (int i = 0; i < 10; i++)
        write_line(MW_LOG_INFO, "hello");
    assert_int_equal(route()->lines.dropped, 7);
    RUN_UNTIL(&world, route()->lines.dropped == 0);
    const char *text = logged();
    assert_int_equal(times(text, "\"msg\":\"hello\""), 3);
    assert_int_equal(times(text, "\"dropped\":7,"), 1);
    write_line(MW_LOG_INFO, "again");
    assert_int_equal(times(logged(), "\"msg\":\"again\""), 1);
}

TEST(what_was_dropped_is_told_of_at_the_end_at_the_latest)
{
    serve("echo");
    leave_three();
    for (int i = 0; i < 5; i++)
        write_line(MW_LOG_WARN, "hello");
    mw_worker_drain(&world.worker, false);
    run(&world);
    assert_int_equal(times(logged(), "\"dropped\":2,"), 1);
}

TEST(lines_below_the_level_take_nobodys_place)
{
    serve("echo");
    world.log.level = MW_LOG_INFO;
    leave_three();
    for (int i = 0; i < 100; i++)
        write_line(MW_LOG_DEBUG, "hush");
    write_line(MW_LOG_INFO, "hello");
    assert_int_equal(route()->lines.dropped, 0);
    const char *text = logged();
    assert_int_equal(times(text, "hello"), 1);
    assert_int_equal(times(text, "hush"), 0);
}

TEST(a_line_is_cut_and_says_so)
{
    static char text[MW_BOUND_LOG_LINE_BYTES + 101];
    const struct mw_log_field fields[] = {
        { mw_view_text("a"), mw_view_text("1") },
        { mw_view_text("b"), mw_view(text, sizeof text - 1) },
        { mw_view_text("c"), mw_view_text("3") },
    };
    serve("echo");
    memset(text, '7', sizeof text - 1);
    mw_host_real()->log(route(), MW_LOG_INFO, 1, 0, mw_view_text("short"), fields, 3);
    assert_non_null(strstr(logged(), "\"a\":1,\"left_out\":2}"));
}

TEST(a_long_message_is_cut_between_characters)
{
    static char text[2 * MW_BOUND_LOG_LINE_BYTES];
    struct stat st;
    serve("echo");
    assert_int_equal(fstat(world.log_fd, &st), 0);
    off_t before = st.st_size;
    for (size_t i = 0; i + 1 < sizeof text; i++)
        text[i] = i % 2 == 0 ? 'a' : 'b';
    write_line(MW_LOG_INFO, text);
    (void)logged();
    assert_int_equal(fstat(world.log_fd, &st), 0);
    assert_in_range(st.st_size - before, MW_BOUND_LOG_LINE_BYTES, MW_BOUND_LOG_LINE_BYTES + 1000);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(a_flood_is_cut_off_and_told_of_once),
        IN_A_WORLD(what_was_dropped_is_told_of_at_the_end_at_the_latest),
        IN_A_WORLD(lines_below_the_level_take_nobodys_place),
        IN_A_WORLD(a_line_is_cut_and_says_so),
        IN_A_WORLD(a_long_message_is_cut_between_characters),
    };
    return RUN(cases);
}
