#include "core/io/watch.h"

#include "tests/unit/io/folder.h"
#include "tests/unit/io/io.h"

/* Folders below the test's own, and what is told of them. */
struct guard {
    struct world world;
    struct folder folder;
    struct mw_watch *watch;
    const char *paths[4];
    size_t count;
    size_t missing; /* as set said it last */
    unsigned changes;
    bool closes_on_change;
};

static void set_paths(struct guard *guard)
{
    guard->missing = mw_watch_set(guard->watch, guard->paths, guard->count);
}

/* As the server does it. */
static void note(void *ctx)
{
    struct guard *guard = ctx;
    guard->changes++;
    if (guard->closes_on_change)
        mw_watch_close(guard->watch);
    else
        set_paths(guard);
}

static void open_guard(struct guard *guard)
{
    *guard = (struct guard){ .count = 0 };
    open_world(&guard->world);
    make_folder(&guard->folder);
    make_below(&guard->folder, "scripts");
    write_file(&guard->folder, "scripts/chat.lua", "return 1");
    assert_int_equal(mw_watch_open(guard->world.loop, note, guard, &guard->watch), MW_OK);
}

static void close_guard(struct guard *guard)
{
    if (!guard->closes_on_change)
        mw_watch_close(guard->watch);
    close_world(&guard->world);
    for (size_t i = 0; i < guard->count; i++)
        free((void *)guard->paths[i]);
    remove_folder(&guard->folder);
}

static void add_path(struct guard *guard, const char *name)
{
    const char *path = below(&guard->folder, name);
    size_t len = strlen(path) + 1;
    char *copy = malloc(len);
    assert_non_null(copy);
    guard->paths[guard->count++] = memcpy(copy, path, len);
}

static void watch_scripts(struct guard *guard)
{
    add_path(guard, "scripts");
    set_paths(guard);
    assert_int_equal(guard->missing, 0);
}

static void wait_for_change(struct guard *guard)
{
    wait_for_count(&guard->world, &guard->changes, guard->changes + 1);
}

static void wait_long(struct guard *guard)
{
    for (int i = 0; i < 5; i++) /* some times the quiet that is waited for */
        run_some_turns(&guard->world);
}

/* ---- ways to save ---- */

static void save_in_place(const struct folder *folder)
{
    write_file(folder, "scripts/chat.lua", "return 2");
}

static void save_by_rename(const struct folder *folder)
{
    write_file(folder, "scripts/.chat.lua.tmp", "return 3");
    move_file(folder, "scripts/.chat.lua.tmp", "scripts/chat.lua");
}

static void save_with_backup(const struct folder *folder)
{
    move_file(folder, "scripts/chat.lua", "scripts/chat.lua~");
    write_file(folder, "scripts/chat.lua", "return 4");
    delete_file(folder, "scripts/chat.lua~");
}

static void save_by_link(const struct folder *folder)
{
    write_file(folder, "elsewhere.lua", "return 5");
    link_file(folder, "../elsewhere.lua", "scripts/.link");
    move_file(folder, "scripts/.link", "scripts/chat.lua");
}

static void save_anew(const struct folder *folder)
{
    delete_file(folder, "scripts/chat.lua");
    write_file(folder, "scripts/chat.lua", "return 6");
}

static void save_another(const struct folder *folder)
{
    write_file(folder, "scripts/new.lua", "return 7");
}

static void (*const ways_to_save[])(const struct folder *folder) = {
    save_in_place, save_by_rename, save_with_backup, save_by_link, save_anew, save_another,
};

TEST(each_way_to_save_is_a_change_and_so_is_each_later_save)
{
    for (size_t i = 0; i < MW_COUNT(ways_to_save); i++) {
        struct guard guard;
        open_guard(&guard);
        watch_scripts(&guard);
        ways_to_save[i](&guard.folder);
        wait_for_change(&guard);
        save_by_rename(&guard.folder);
        wait_for_change(&guard);
        save_in_place(&guard.folder);
        wait_for_change(&guard);
        close_guard(&guard);
    }
}

TEST(without_a_save_nothing_is_told)
{
    struct guard guard;
    open_guard(&guard);
    watch_scripts(&guard);
    set_paths(&guard);
    wait_long(&guard);
    assert_int_equal(guard.changes, 0);
    close_guard(&guard);
}

static bool is_saved_again(void *ctx)
{
    struct guard *guard = ctx;
    save_in_place(&guard->folder);
    return guard->changes > 0;
}

TEST(where_it_never_gets_quiet_it_is_told_all_the_same)
{
    struct guard guard;
    open_guard(&guard);
    watch_scripts(&guard);
    wait_until(&guard.world, is_saved_again, &guard);
    close_guard(&guard);
}

/* ---- the folder itself ---- */

TEST(a_folder_that_is_deleted_and_made_again_is_watched_again)
{
    struct guard guard;
    open_guard(&guard);
    watch_scripts(&guard);
    for (int i = 0; i < 2; i++) {
        remove_tree(below(&guard.folder, "scripts"));
        while (guard.missing == 0)
            wait_for_change(&guard);
        make_below(&guard.folder, "scripts");
        while (guard.missing == 1)
            wait_for_change(&guard);
        save_in_place(&guard.folder);
        wait_for_change(&guard);
    }
    close_guard(&guard);
}

/* Between two turns, so that the path is never seen missing; the new one may even get its inode. */
TEST(a_folder_that_is_replaced_at_once_is_watched_again)
{
    struct guard guard;
    open_guard(&guard);
    watch_scripts(&guard);
    remove_tree(below(&guard.folder, "scripts"));
    make_below(&guard.folder, "scripts");
    wait_for_change(&guard);
    assert_int_equal(guard.missing, 0);
    save_in_place(&guard.folder);
    wait_for_change(&guard);
    close_guard(&guard);
}

TEST(a_path_whose_link_is_swapped_is_watched_where_it_leads_to)
{
    struct guard guard;
    open_guard(&guard);
    make_below(&guard.folder, "release-2");
    link_file(&guard.folder, "scripts", "current");
    add_path(&guard, "current");
    set_paths(&guard);
    link_file(&guard.folder, "release-2", "next");
    move_file(&guard.folder, "next", "current");
    wait_for_change(&guard);
    write_file(&guard.folder, "release-2/chat.lua", "return 2");
    wait_for_change(&guard);
    wait_long(&guard);
    unsigned changes = guard.changes;
    save_in_place(&guard.folder); /* in the folder that it was */
    wait_long(&guard);
    assert_int_equal(guard.changes, changes);
    close_guard(&guard);
}

static bool is_past(void *at_ms)
{
    return mw_clock_monotonic_ms() > *(mw_ms *)at_ms;
}

TEST(a_path_that_leads_elsewhere_when_it_is_set_again_is_no_news_later)
{
    struct guard guard;
    open_guard(&guard);
    make_below(&guard.folder, "release-2");
    link_file(&guard.folder, "scripts", "current");
    add_path(&guard, "current");
    set_paths(&guard);
    link_file(&guard.folder, "release-2", "next");
    move_file(&guard.folder, "next", "current");
    set_paths(&guard);
    mw_ms later_ms = mw_clock_monotonic_ms() + 1500; /* folders have been looked at by then */
    wait_until(&guard.world, is_past, &later_ms);
    assert_int_equal(guard.changes, 0);
    write_file(&guard.folder, "release-2/chat.lua", "return 2");
    wait_for_change(&guard);
    close_guard(&guard);
}

/* ---- the set ---- */

TEST(what_cannot_be_watched_is_counted_and_the_others_stand)
{
    struct guard guard;
    open_guard(&guard);
    add_path(&guard, "missing");
    add_path(&guard, "scripts");
    add_path(&guard, "scripts/chat.lua"); /* no folder */
    set_paths(&guard);
    assert_int_equal(guard.missing, 2);
    save_in_place(&guard.folder);
    wait_for_change(&guard);
    make_below(&guard.folder, "missing");
    while (guard.missing == 2)
        wait_for_change(&guard);
    assert_int_equal(guard.missing, 1);
    close_guard(&guard);
}

TEST(a_folder_that_is_not_named_any_more_is_not_watched)
{
    struct guard guard;
    open_guard(&guard);
    make_below(&guard.folder, "scripts/lib");
    watch_scripts(&guard);
    add_path(&guard, "scripts/lib");
    set_paths(&guard);
    write_file(&guard.folder, "scripts/lib/rooms.lua", "return 1");
    wait_for_change(&guard);
    wait_long(&guard);
    unsigned changes = guard.changes;
    assert_int_equal(mw_watch_set(guard.watch, guard.paths, 1), 0);
    write_file(&guard.folder, "scripts/lib/rooms.lua", "return 2");
    wait_long(&guard);
    assert_int_equal(guard.changes, changes);
    save_in_place(&guard.folder);
    wait_for_change(&guard);
    assert_int_equal(mw_watch_set(guard.watch, NULL, 0), 0);
    close_guard(&guard);
}

TEST(a_watch_may_be_closed_from_inside_changed)
{
    struct guard guard;
    open_guard(&guard);
    watch_scripts(&guard);
    guard.closes_on_change = true;
    save_in_place(&guard.folder);
    wait_for_change(&guard);
    close_guard(&guard);
    mw_watch_close(NULL);
}

static bool watch_two(struct mw_mem *mem)
{
    static const char *const folders[] = { "/", "/tmp" };
    struct mw_loop *loop = NULL;
    struct mw_watch *watch = NULL;
    size_t missing = 0;
    int err = mw_loop_new(mem, &loop);
    if (err == MW_OK)
        err = mw_watch_open(loop, note, NULL, &watch);
    assert_true(err == MW_OK || (err == MW_ERR_NOMEM && !watch));
    if (err == MW_OK)
        missing = mw_watch_set(watch, folders, MW_COUNT(folders));
    assert_true(missing <= 1);
    mw_watch_close(watch);
    assert_int_equal(mw_loop_free(loop), 0);
    return err == MW_OK && missing == 0;
}

TEST(a_folder_without_memory_is_counted_as_not_watched)
{
    assert_int_equal(fail_each_allocation(watch_two), 5);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_way_to_save_is_a_change_and_so_is_each_later_save),
        CASE(without_a_save_nothing_is_told),
        CASE(where_it_never_gets_quiet_it_is_told_all_the_same),
        CASE(a_folder_that_is_deleted_and_made_again_is_watched_again),
        CASE(a_folder_that_is_replaced_at_once_is_watched_again),
        CASE(a_path_whose_link_is_swapped_is_watched_where_it_leads_to),
        CASE(a_path_that_leads_elsewhere_when_it_is_set_again_is_no_news_later),
        CASE(what_cannot_be_watched_is_counted_and_the_others_stand),
        CASE(a_folder_that_is_not_named_any_more_is_not_watched),
        CASE(a_watch_may_be_closed_from_inside_changed),
        CASE(a_folder_without_memory_is_counted_as_not_watched),
    };
    return RUN(cases);
}
