/* history: what is kept of the last versions, and where a step back leads. */
#include "core/server/history.h"

#include "core/base/str.h"
#include "tests/unit/io/folder.h"

static struct folder folder;
static struct mw_mem mem;
static struct mw_history history;
static char why[512];

static int set_up(void **state)
{
    (void)state;
    make_folder(&folder);
    make_below(&folder, "s");
    mw_mem_init(&mem, NULL, 0);
    mw_history_init(&history, &mem);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mw_history_free(&history);
    assert_mem_empty(&mem);
    remove_folder(&folder);
    return 0;
}

static struct mw_project *scan(const char *text)
{
    struct mw_project *project = NULL;
    write_file(&folder, "s/a.lua", text);
    assert_int_equal(mw_project_scan(below(&folder, "s"), mw_view_text(".lua"), &project, why), 0);
    return project;
}

/* A batch that the worker has brought back, with this outcome. */
static void note(struct mw_batch *batch, unsigned to, enum mw_load_outcome outcome)
{
    batch->loads[0].to = to;
    batch->loads[0].outcome = outcome;
    batch->loads[0].commit = outcome == MW_LOAD_READY;
    mw_history_note(&history, batch);
    mw_batch_free(batch);
}

/* A save that has become version `v`; its text is the number. */
static void save(unsigned v)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%u", v);
    struct mw_project *project = scan(text);
    struct mw_batch *batch = NULL;
    assert_int_equal(mw_batch_new(NULL, project, &batch), MW_OK);
    note(batch, v, MW_LOAD_READY);
    mw_project_drop(project);
}

static const struct mw_history_entry *target(int64_t to)
{
    return mw_history_target(&history, mw_view_text("a.lua"), to, why);
}

/* A step back to what was first `as` has become version `v`. */
static void go_back(int64_t to, unsigned as, unsigned v)
{
    const struct mw_history_entry *entry = target(to);
    struct mw_batch *batch = NULL;
    char text[16];
    assert_non_null(entry);
    assert_int_equal(entry->as, as);
    (void)snprintf(text, sizeof text, "%u", as);
    assert_view(entry->project->scripts[0].text, text);
    assert_int_equal(mw_batch_new_back(entry->project, mw_view_text("a.lua"), as, &batch), MW_OK);
    note(batch, v, MW_LOAD_READY);
}

static void assert_none(int64_t to, const char *says)
{
    assert_null(target(to));
    assert_string_equal(why, says);
}

TEST(each_step_back_leads_further_and_the_third_nowhere)
{
    for (unsigned v = 1; v <= 7; v++)
        save(v);
    go_back(0, 6, 8);
    go_back(0, 5, 9);
    assert_none(0, "nothing is kept of what was before a.lua v9");
    save(10);
    go_back(0, 5, 11); /* what was gone back to is a version like any other */
}

TEST(a_version_is_named_by_its_number_or_by_the_one_it_was_made_as)
{
    for (unsigned v = 1; v <= 3; v++)
        save(v);
    go_back(2, 2, 4);
    save(5);
    assert_non_null(target(4));
    assert_ptr_equal(target(2), target(4));
    assert_none(5, "a.lua is at v5 already");
    assert_none(3, "the sources of a.lua v3 are not kept; kept are: v4, v1");
    assert_none(77, "the sources of a.lua v77 are not kept; kept are: v4, v1");
    go_back(1, 1, 6);
    assert_none(1, "a.lua is at v6 already");
    assert_none(4, "nothing is kept of what was before a.lua v6");
}

TEST(what_was_refused_or_is_gone_leaves_no_trace)
{
    struct mw_project *project = scan("x");
    struct mw_batch *batch = NULL;
    assert_none(0, "there is no script a.lua that has been loaded");
    save(1);
    assert_int_equal(mw_batch_new(NULL, project, &batch), MW_OK);
    note(batch, 2, MW_LOAD_FAULT);
    assert_int_equal(mw_history_live(&history, mw_view_text("a.lua"))->version, 1);
    assert_none(0, "nothing is kept of what was before a.lua v1");
    assert_int_equal(mw_batch_new(NULL, project, &batch), MW_OK);
    note(batch, 0, MW_LOAD_REMOVED);
    assert_null(mw_history_live(&history, mw_view_text("a.lua")));
    mw_project_drop(project);
}

/* Several workers may find it, each for itself. */
TEST(a_version_is_blamed_once_and_so_is_the_next)
{
    struct mw_view name = mw_view_text("a.lua");
    assert_false(mw_history_blame(&history, name));
    for (unsigned i = 1; i < 3; i++) {
        save(i);
        assert_true(mw_history_blame(&history, name));
        assert_false(mw_history_blame(&history, name));
    }
}

TEST(without_memory_there_is_no_history)
{
    mem.fail_at = 1;
    save(1);
    assert_none(0, "there is no script a.lua that has been loaded");
    save(2);
    save(3);
    go_back(0, 2, 4);
}

#define IN_A_FOLDER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_FOLDER(each_step_back_leads_further_and_the_third_nowhere),
        IN_A_FOLDER(a_version_is_named_by_its_number_or_by_the_one_it_was_made_as),
        IN_A_FOLDER(what_was_refused_or_is_gone_leaves_no_trace),
        IN_A_FOLDER(a_version_is_blamed_once_and_so_is_the_next),
        IN_A_FOLDER(without_memory_there_is_no_history),
    };
    return RUN(cases);
}
