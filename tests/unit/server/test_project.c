/* project, project_scan: which files of a folder are scripts, which libraries, which neither. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "core/server/project.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/resource.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "tests/unit/io/folder.h"

static struct folder folder;
static char why[512];
static int failing_read; /* the how many-th entry of a folder cannot be had; 0: each can */

/* In place of the C library's. */
struct dirent *readdir(DIR *dir)
{
    static struct dirent *(*real)(DIR * dir);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "readdir");
    if (failing_read == 0 || --failing_read > 0)
        return real(dir);
    errno = EIO;
    return NULL;
}

static int set_up(void **state)
{
    (void)state;
    make_folder(&folder);
    make_below(&folder, "s");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(&folder);
    return 0;
}

static struct mw_project *scan(void)
{
    struct mw_project *project = NULL;
    int err = mw_project_scan(below(&folder, "s"), mw_view_text(".lua"), &project, why);
    assert_int_equal(err, MW_OK);
    return project;
}

/* "a.lua b/c.lua | lib/x.lua": scripts and libraries, in the order of the snapshot. */
static void assert_found(const char *want)
{
    char line[512];
    struct mw_project *project = scan();
    size_t n = 0;
    line[0] = '\0';
    for (size_t i = 0; i < project->script_count; i++)
        n += (size_t)snprintf(line + n, sizeof line - n, "%s%.*s", n ? " " : "",
                              (int)project->scripts[i].path.len, project->scripts[i].path.data);
    n += (size_t)snprintf(line + n, sizeof line - n, " |");
    for (size_t i = 0; i < project->lib_count; i++)
        n += (size_t)snprintf(line + n, sizeof line - n, " %.*s", (int)project->libs[i].path.len,
                              project->libs[i].path.data);
    mw_project_drop(project);
    assert_string_equal(line, want);
}

static bool is_watched(const struct mw_project *project, const char *path)
{
    char real[PATH_MAX], watched[PATH_MAX];
    assert_non_null(realpath(path, real));
    for (size_t i = 0; i < project->folder_count; i++) {
        if (realpath(project->folders[i], watched) && !strcmp(watched, real))
            return true;
    }
    return false;
}

TEST(scripts_and_libraries_are_found_by_name_and_place)
{
    static const char *const files[] = {
        "s/chat.lua",       "s/game/room.lua", "s/index.lua",
        "s/_private.lua",   "s/_off/x.lua",    "s/chat_test.lua",
        "s/game/_room.lua", "s/.hidden.lua",   "s/notes.txt",
        "s/.lua",           "s/lib/rooms.lua", "s/lib/deep/er.lua",
        "s/lib/_p.lua",     "s/public/p.lua",  "s/moonwire.lua",
        "s/lib/x_test.lua", "s/chat.lua~",     "s/game/public.lua",
    };
    static const char *const folders[] = { "s/game", "s/_off", "s/lib", "s/lib/deep", "s/public" };
    for (size_t i = 0; i < MW_COUNT(folders); i++)
        make_below(&folder, folders[i]);
    for (size_t i = 0; i < MW_COUNT(files); i++)
        write_file(&folder, files[i], "return {}");
    assert_found("chat.lua game/public.lua game/room.lua index.lua | lib/_p.lua lib/deep/er.lua "
                 "lib/rooms.lua lib/x_test.lua");
}

TEST(a_snapshot_holds_what_lay_there_and_can_be_asked_by_path)
{
    make_below(&folder, "s/lib");
    write_file(&folder, "s/chat.lua", "one");
    write_file(&folder, "s/lib/x.lua", "");
    struct mw_project *project = scan();
    write_file(&folder, "s/chat.lua", "two");
    const struct mw_project_file *chat = mw_project_script(project, mw_view_text("chat.lua"));
    assert_non_null(chat);
    assert_view(chat->text, "one");
    assert_null(chat->problem);
    assert_view(mw_project_lib(project, mw_view_text("lib/x.lua"))->text, "");
    assert_null(mw_project_script(project, mw_view_text("lib/x.lua")));
    assert_null(mw_project_lib(project, mw_view_text("chat.lua")));
    assert_null(mw_project_script(project, mw_view_text("")));
    assert_ptr_equal(mw_project_keep(project), project);
    mw_project_drop(project);
    assert_view(mw_project_script(project, mw_view_text("chat.lua"))->text, "one");
    mw_project_drop(project);
    mw_project_drop(NULL);
}

TEST(snapshots_are_equal_where_names_and_contents_are)
{
    make_below(&folder, "s/lib");
    write_file(&folder, "s/a.lua", "one");
    write_file(&folder, "s/lib/x.lua", "x");
    struct mw_project *first = scan();
    write_file(&folder, "s/a.lua", "one"); /* saved, and nothing changed */
    struct mw_project *same = scan();
    assert_true(mw_project_equal(first, same));
    static const char *const changes[][2] = { { "s/a.lua", "two" },
                                              { "s/lib/x.lua", "y" },
                                              { "s/b.lua", "one" } };
    for (size_t i = 0; i < MW_COUNT(changes); i++) {
        write_file(&folder, changes[i][0], changes[i][1]);
        struct mw_project *other = scan();
        assert_false(mw_project_equal(same, other));
        mw_project_drop(same);
        same = other;
    }
    move_file(&folder, "s/b.lua", "s/c.lua");
    struct mw_project *renamed = scan();
    assert_false(mw_project_equal(same, renamed));
    mw_project_drop(renamed);
    mw_project_drop(same);
    mw_project_drop(first);
}

/* ---- links ---- */

TEST(a_script_may_be_a_link_and_its_target_is_watched)
{
    make_below(&folder, "elsewhere");
    write_file(&folder, "elsewhere/real.lua", "linked");
    link_file(&folder, below(&folder, "elsewhere/real.lua"), "s/chat.lua");
    struct mw_project *project = scan();
    assert_view(mw_project_script(project, mw_view_text("chat.lua"))->text, "linked");
    assert_true(is_watched(project, below(&folder, "s")));
    assert_true(is_watched(project, below(&folder, "elsewhere")));
    mw_project_drop(project);
}

TEST(a_library_may_be_no_link_out)
{
    make_below(&folder, "elsewhere");
    make_below(&folder, "elsewhere/lib");
    make_below(&folder, "s/lib");
    write_file(&folder, "elsewhere/secret.lua", "secret");
    write_file(&folder, "elsewhere/lib/more.lua", "secret");
    write_file(&folder, "s/lib/real.lua", "real");
    link_file(&folder, below(&folder, "elsewhere/secret.lua"), "s/lib/out.lua");
    link_file(&folder, "../../elsewhere/secret.lua", "s/lib/up.lua");
    link_file(&folder, below(&folder, "elsewhere/lib"), "s/lib/folder");
    link_file(&folder, "real.lua", "s/lib/inside.lua");
    assert_found(" | lib/inside.lua lib/real.lua");
}

TEST(the_library_folder_itself_may_be_no_link_out)
{
    make_below(&folder, "elsewhere");
    write_file(&folder, "elsewhere/more.lua", "secret");
    link_file(&folder, below(&folder, "elsewhere"), "s/lib");
    assert_found(" |");
}

TEST(links_to_nothing_and_links_in_circles_are_passed_over)
{
    make_below(&folder, "s/game");
    write_file(&folder, "s/chat.lua", "chat");
    link_file(&folder, "nothing.lua", "s/broken.lua");
    link_file(&folder, "b.lua", "s/a.lua");
    link_file(&folder, "a.lua", "s/b.lua");
    link_file(&folder, ".", "s/self");
    link_file(&folder, "..", "s/game/up");
    assert_found("chat.lua |");
}

TEST(what_is_neither_file_nor_folder_is_passed_over)
{
    assert_int_equal(mkfifo(below(&folder, "s/pipe.lua"), 0600), 0);
    make_below(&folder, "s/folder.lua");
    write_file(&folder, "s/folder.lua/x.lua", "x");
    assert_found("folder.lua/x.lua |");
}

/* ---- what cannot be read ---- */

TEST(a_script_that_is_too_large_stands_there_with_its_problem)
{
    write_file(&folder, "s/big.lua", "x");
    write_file(&folder, "s/small.lua", "x");
    assert_int_equal(truncate(below(&folder, "s/big.lua"), MW_PROJECT_MAX_FILE_BYTES + 1), 0);
    struct mw_project *project = scan();
    assert_int_equal(project->script_count, 2);
    assert_non_null(mw_project_script(project, mw_view_text("big.lua"))->problem);
    assert_null(mw_project_script(project, mw_view_text("small.lua"))->problem);
    mw_project_drop(project);
}

TEST(a_library_that_is_too_large_is_left_out_and_named)
{
    make_below(&folder, "s/lib");
    write_file(&folder, "s/lib/big.lua", "x");
    assert_int_equal(truncate(below(&folder, "s/lib/big.lua"), MW_PROJECT_MAX_FILE_BYTES + 1), 0);
    assert_found(" |");
    assert_non_null(strstr(why, "lib/big.lua"));
}

TEST(a_folder_that_is_not_there_is_an_error_with_a_sentence)
{
    struct mw_project *project = NULL;
    int err = mw_project_scan(below(&folder, "none"), mw_view_text(".lua"), &project, why);
    assert_int_equal(err, MW_ERR_IO);
    assert_non_null(strstr(why, "none"));
    assert_null(project);
}

/* A server full of connections has no descriptor left: that is no reason to drop its scripts. */
TEST(without_descriptors_a_scan_fails_and_misses_nothing)
{
    struct rlimit before, none;
    make_below(&folder, "s/game");
    write_file(&folder, "s/chat.lua", "chat");
    write_file(&folder, "s/game/room.lua", "room");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = dup(0);
    close(next);
    for (int spare = 0; spare < 3; spare++) {
        struct mw_project *project = NULL;
        none = before;
        none.rlim_cur = (rlim_t)(next + spare);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        int err = mw_project_scan(below(&folder, "s"), mw_view_text(".lua"), &project, why);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        if (err == MW_OK)
            assert_int_equal(project->script_count, 2);
        else
            assert_int_equal(err, MW_ERR_IO);
        mw_project_drop(project);
    }
}

TEST(a_folder_that_breaks_off_is_an_error_and_not_one_with_less_in_it)
{
    write_file(&folder, "s/a.lua", "one");
    write_file(&folder, "s/b.lua", "two");
    struct mw_project *project = NULL;
    for (int at = 1; at <= 5; at++) { /* two scripts, the folder, its parent, the end */
        failing_read = at;
        int err = mw_project_scan(below(&folder, "s"), mw_view_text(".lua"), &project, why);
        assert_int_equal(err, MW_ERR_IO);
        assert_non_null(strstr(why, "/s cannot be read: Input/output error"));
    }
    assert_found("a.lua b.lua |");
}

TEST(a_file_is_read_whole_or_not_at_all)
{
    struct mw_mem mem;
    char *text = NULL;
    size_t len = 0;
    mw_mem_init(&mem, NULL, 0);
    write_file(&folder, "s/x", "some\ntext");
    assert_int_equal(mw_read_file(&mem, below(&folder, "s/x"), &text, &len), MW_OK);
    assert_view(mw_view(text, len), "some\ntext");
    assert_int_equal(text[len], '\0');
    mw_free(&mem, text, len + 1);
    assert_int_equal(mw_read_file(&mem, below(&folder, "s/none"), &text, &len), MW_ERR_NOT_FOUND);
    assert_int_equal(mw_read_file(&mem, below(&folder, "s"), &text, &len), MW_ERR_BAD_ARG);
    mem.fail_at = mem.count + 1;
    assert_int_equal(mw_read_file(&mem, below(&folder, "s/x"), &text, &len), MW_ERR_NOMEM);
    assert_mem_empty(&mem);
}

/* ---- looking again ---- */

static struct mw_project *look(const struct mw_project *before, mw_ms later_ms)
{
    struct mw_project *project = NULL;
    const struct mw_project_look again = {
        .folder = below(&folder, "s"),
        .suffix = mw_view_text(".lua"),
        .before = before,
        .now_unix_ms = mw_clock_unix_ms() + later_ms,
    };
    assert_int_equal(mw_project_look(&again, &project, why), MW_OK);
    return project;
}

/* Whether the second look took the text of the first one. */
static bool is_shared(const struct mw_project *a, const struct mw_project *b, const char *path)
{
    return mw_project_script(a, mw_view_text(path))->text.data ==
           mw_project_script(b, mw_view_text(path))->text.data;
}

#define LATER_MS 10000

TEST(what_looks_the_same_is_not_read_again_and_its_text_is_shared)
{
    make_below(&folder, "s/lib");
    write_file(&folder, "s/a.lua", "one");
    write_file(&folder, "s/b.lua", "two");
    write_file(&folder, "s/lib/x.lua", "lib");
    struct mw_project *first = look(NULL, LATER_MS);
    write_file(&folder, "s/b.lua", "three");
    struct mw_project *second = look(first, LATER_MS);
    assert_true(is_shared(first, second, "a.lua"));
    assert_false(is_shared(first, second, "b.lua"));
    assert_ptr_equal(first->libs[0].text.data, second->libs[0].text.data);
    assert_view(mw_project_script(second, mw_view_text("b.lua"))->text, "three");
    assert_false(mw_project_equal(first, second));
    mw_project_drop(first); /* what is shared lives on */
    assert_view(mw_project_script(second, mw_view_text("a.lua"))->text, "one");
    mw_project_drop(second);
}

TEST(what_was_changed_a_moment_before_is_read_again)
{
    write_file(&folder, "s/a.lua", "one");
    struct mw_project *first = look(NULL, 0), *second = look(first, LATER_MS);
    assert_false(is_shared(first, second, "a.lua"));
    assert_true(mw_project_equal(first, second));
    struct mw_project *third = look(second, LATER_MS);
    assert_true(is_shared(second, third, "a.lua"));
    mw_project_drop(first);
    mw_project_drop(second);
    mw_project_drop(third);
}

/* Same size, and the time of the change set back: the time of its entry tells. */
TEST(a_change_in_disguise_is_read)
{
    const struct timespec long_ago[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
    write_file(&folder, "s/a.lua", "one");
    assert_int_equal(utimensat(AT_FDCWD, below(&folder, "s/a.lua"), long_ago, 0), 0);
    struct mw_project *first = look(NULL, LATER_MS);
    write_file(&folder, "s/new", "two");
    assert_int_equal(utimensat(AT_FDCWD, below(&folder, "s/new"), long_ago, 0), 0);
    move_file(&folder, "s/new", "s/a.lua");
    struct mw_project *second = look(first, LATER_MS);
    assert_view(second->scripts[0].text, "two");
    mw_project_drop(first);
    mw_project_drop(second);
}

TEST(no_snapshot_leaves_anything_behind)
{
    size_t before = mw_shared_bytes();
    write_file(&folder, "s/a.lua", "one");
    struct mw_project *first = look(NULL, LATER_MS), *second = look(first, LATER_MS);
    mw_project_drop(second);
    mw_project_drop(first);
    assert_int_equal(mw_shared_bytes(), before);
}

#define IN_A_FOLDER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_FOLDER(scripts_and_libraries_are_found_by_name_and_place),
        IN_A_FOLDER(a_snapshot_holds_what_lay_there_and_can_be_asked_by_path),
        IN_A_FOLDER(snapshots_are_equal_where_names_and_contents_are),
        IN_A_FOLDER(a_script_may_be_a_link_and_its_target_is_watched),
        IN_A_FOLDER(a_library_may_be_no_link_out),
        IN_A_FOLDER(the_library_folder_itself_may_be_no_link_out),
        IN_A_FOLDER(links_to_nothing_and_links_in_circles_are_passed_over),
        IN_A_FOLDER(what_is_neither_file_nor_folder_is_passed_over),
        IN_A_FOLDER(a_script_that_is_too_large_stands_there_with_its_problem),
        IN_A_FOLDER(a_library_that_is_too_large_is_left_out_and_named),
        IN_A_FOLDER(a_folder_that_is_not_there_is_an_error_with_a_sentence),
        IN_A_FOLDER(without_descriptors_a_scan_fails_and_misses_nothing),
        IN_A_FOLDER(a_folder_that_breaks_off_is_an_error_and_not_one_with_less_in_it),
        IN_A_FOLDER(a_file_is_read_whole_or_not_at_all),
        IN_A_FOLDER(what_looks_the_same_is_not_read_again_and_its_text_is_shared),
        IN_A_FOLDER(what_was_changed_a_moment_before_is_read_again),
        IN_A_FOLDER(a_change_in_disguise_is_read),
        IN_A_FOLDER(no_snapshot_leaves_anything_behind),
    };
    return RUN(cases);
}
