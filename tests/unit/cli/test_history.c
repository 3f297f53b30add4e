/* The file of typed lines: private, bounded, and no obstacle where it cannot be had. */
#include "core/cli/history.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct home {
    struct mw_mem mem;
    struct mw_line line;
    char dir[64], path[MW_HISTORY_PATH_MAX];
};

static void open_home(struct home *home)
{
    mw_mem_init(&home->mem, NULL, 0);
    mw_line_init(&home->line, &home->mem);
    snprintf(home->dir, sizeof home->dir, "/tmp/mw-history-XXXXXX");
    assert_non_null(mkdtemp(home->dir));
    assert_int_equal(setenv("XDG_STATE_HOME", home->dir, 1), 0);
    assert_true(mw_history_path(home->path));
}

static void close_home(struct home *home)
{
    char folder[128];
    snprintf(folder, sizeof folder, "%s/moonwire", home->dir);
    (void)unlink(home->path);
    (void)rmdir(folder);
    assert_int_equal(rmdir(home->dir), 0);
    mw_line_free(&home->line);
    assert_mem_empty(&home->mem);
}

static unsigned mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 0777;
}

TEST(lines_come_back_in_their_order_and_only_for_their_owner)
{
    struct home home;
    open_home(&home);
    mw_history_add(home.path, mw_view_text("one"));
    mw_history_add(home.path, mw_view_text(" not this one"));
    mw_history_add(home.path, mw_view_text("two"));
    assert_int_equal(mode_of(home.path), 0600);
    mw_history_load(&home.line, home.path);
    assert_int_equal(home.line.past_count, 2);
    assert_string_equal(home.line.past[0].text, "one");
    assert_string_equal(home.line.past[1].text, "two");
    close_home(&home);
}

TEST(a_file_that_others_could_read_becomes_private)
{
    struct home home;
    open_home(&home);
    mw_history_add(home.path, mw_view_text("one"));
    assert_int_equal(chmod(home.path, 0644), 0);
    mw_history_add(home.path, mw_view_text("two"));
    assert_int_equal(mode_of(home.path), 0600);
    close_home(&home);
}

TEST(a_long_file_is_cut_at_a_line)
{
    struct home home;
    struct stat info;
    open_home(&home);
    mw_history_add(home.path, mw_view_text("first"));
    FILE *file = fopen(home.path, "a");
    for (int i = 0; i < 30000; i++)
        fprintf(file, "line %d\n", i);
    fclose(file);
    mw_history_load(&home.line, home.path);
    assert_int_equal(home.line.past_count, MW_LINE_PAST_MAX);
    assert_string_equal(home.line.past[MW_LINE_PAST_MAX - 1].text, "line 29999");
    assert_int_equal(stat(home.path, &info), 0);
    assert_true(info.st_size <= 65536 && info.st_size > 60000);
    assert_int_equal(mode_of(home.path), 0600);
    close_home(&home);
}

TEST(a_long_file_that_cannot_be_cut_is_left_whole)
{
    struct home home;
    struct rlimit before, small = { 4096, RLIM_INFINITY };
    struct stat info;
    open_home(&home);
    mw_history_add(home.path, mw_view_text("first"));
    FILE *file = fopen(home.path, "a");
    for (int i = 0; i < 30000; i++)
        fprintf(file, "line %d\n", i);
    off_t size = ftello(file);
    fclose(file);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN); /* as a disk that is full: write fails */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    mw_history_load(&home.line, home.path);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(home.line.past_count, MW_LINE_PAST_MAX);
    assert_int_equal(stat(home.path, &info), 0);
    assert_int_equal(info.st_size, size);
    close_home(&home);
}

TEST(where_there_is_no_file_or_a_strange_one_nothing_happens)
{
    struct home home;
    open_home(&home);
    mw_history_load(&home.line, home.path);
    mw_history_load(&home.line, "/");
    mw_history_add("/proc/nothing/here", mw_view_text("lost"));
    assert_int_equal(home.line.past_count, 0);
    close_home(&home);
}

TEST(the_path_is_of_the_state_home_or_below_the_home)
{
    char path[MW_HISTORY_PATH_MAX];
    assert_int_equal(setenv("HOME", "/home/ann", 1), 0);
    assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
    assert_true(mw_history_path(path));
    assert_string_equal(path, "/home/ann/.local/state/moonwire/connect_history");
    assert_int_equal(setenv("XDG_STATE_HOME", "/state", 1), 0);
    assert_true(mw_history_path(path));
    assert_string_equal(path, "/state/moonwire/connect_history");
    assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
    assert_int_equal(unsetenv("HOME"), 0);
    assert_false(mw_history_path(path));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(lines_come_back_in_their_order_and_only_for_their_owner),
        CASE(a_file_that_others_could_read_becomes_private),
        CASE(a_long_file_is_cut_at_a_line),
        CASE(a_long_file_that_cannot_be_cut_is_left_whole),
        CASE(where_there_is_no_file_or_a_strange_one_nothing_happens),
        CASE(the_path_is_of_the_state_home_or_below_the_home),
    };
    return RUN(cases);
}
