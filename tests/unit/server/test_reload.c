/* reload: rounds of a real watcher, a real pool and a worker with its own thread. */
#include "core/server/reload.h"

#include "core/base/str.h"
#include "core/server/report.h"
#include "tests/unit/io/folder.h"
#include "tests/unit/io/io.h"
#include "tests/unit/server/c_engine.h"

struct bench {
    struct world world; /* the server's loop */
    struct folder folder;
    struct mw_config config;
    struct mw_log log;
    int log_fd;
    struct mw_mailbox *mailbox;
    struct mw_worker worker;
    struct mw_crew crew;
    struct mw_reload *reload;
    bool stopped;
};

static struct bench bench;

static void save(const char *name, const char *text)
{
    char path[64];
    (void)snprintf(path, sizeof path, "scripts/%s", name);
    write_file(&bench.folder, path, text);
}

static void on_mail(void *ctx, struct mw_mail *mail)
{
    struct mw_letter *letter = mw_letter_of(mail);
    (void)ctx;
    if (letter->kind == MW_LETTER_BATCH)
        mw_reload_mail(bench.reload, MW_OWNER(letter, struct mw_batch, letter));
    else
        bench.stopped = true;
}

static void open_reload(struct mw_project *project, bool auto_rollback)
{
    struct mw_batch *batch = NULL;
    const struct mw_reload_setup setup = {
        .loop = bench.world.loop,
        .crew = &bench.crew,
        .log = &bench.log,
        .folder = below(&bench.folder, "scripts"),
        .suffix = mw_view_text(".capp"),
        .project = project,
        .auto_rollback = auto_rollback,
    };
    static char folder[512]; /* below() gives it for a while only */
    struct mw_reload_setup kept = setup;
    (void)snprintf(folder, sizeof folder, "%s", setup.folder);
    kept.folder = folder;
    assert_int_equal(mw_reload_open(&kept, &bench.reload), MW_OK);
    assert_int_equal(mw_batch_new(NULL, project, &batch), MW_OK);
    mw_load_prepare(&bench.worker, batch);
    mw_batch_decide(batch);
    mw_load_commit(&bench.worker, batch);
    mw_reload_first(bench.reload, batch);
    mw_batch_free(batch);
}

/* What lies in the folder, loaded and watched. */
static void serve(bool auto_rollback)
{
    struct mw_project *project = NULL;
    char why[512];
    const struct mw_worker_setup setup = {
        .crew = &bench.crew,
        .config = &bench.config,
        .engine = c_engine_table(),
        .public_files = "",
        .log = &bench.log,
        .server = bench.mailbox,
    };
    mw_crew_init(&bench.crew, &bench.worker, 1);
    assert_int_equal(mw_worker_open(&bench.worker, &setup, why), MW_OK);
    c_engine = (struct c_engine){ .mem = &bench.worker.mem };
    assert_int_equal(
        mw_project_scan(below(&bench.folder, "scripts"), mw_view_text(".capp"), &project, why),
        MW_OK);
    open_reload(project, auto_rollback);
    mw_project_drop(project);
    assert_int_equal(mw_worker_start(&bench.worker), MW_OK);
}

static int set_up(void **state)
{
    (void)state;
    bench = (struct bench){ .log_fd = -1 };
    make_folder(&bench.folder);
    make_below(&bench.folder, "scripts");
    make_below(&bench.folder, "scripts/lib");
    open_world(&bench.world);
    mw_config_default(&bench.config);
    memcpy(bench.config.listen, "127.0.0.1:0", sizeof "127.0.0.1:0");
    bench.log_fd = open(below(&bench.folder, "log"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(mw_log_open(&bench.log, bench.log_fd, true, false, MW_LOG_DEBUG), MW_OK);
    assert_int_equal(mw_mailbox_open(bench.world.loop, on_mail, NULL, &bench.mailbox), MW_OK);
    save("a.capp", "echo");
    save("b.capp", "lib lib/x.capp");
    save("lib/x.capp", "one");
    return 0;
}

static void stop(void)
{
    mw_reload_close(bench.reload);
    mw_worker_drain(&bench.worker, false);
    wait_for(&bench.world, &bench.stopped);
    struct mw_worker_leftovers left = mw_worker_close(&bench.worker);
    assert_int_equal(left.bytes, 0);
    assert_int_equal(mw_crew_free(&bench.crew), 0);
    assert_int_equal(left.handles, 0);
    assert_int_equal(c_engine.nested, 0);
}

static int tear_down(void **state)
{
    (void)state;
    if (!bench.stopped)
        stop();
    mw_mailbox_close(bench.mailbox);
    close_world(&bench.world);
    mw_log_close(&bench.log);
    close(bench.log_fd);
    remove_folder(&bench.folder);
    return 0;
}

/* ---- asking ---- */

struct asked {
    struct mw_reload_ask ask;
    bool is_done, is_refused;
    char text[1024]; /* the report, without what differs each time; or why nothing was done */
};

/* "a.capp v1 > v2  0.3 ms  0 kept" gives "a.capp v1 > v2": time differs each time. */
static void cut_figures(char *text)
{
    for (char *line = text; line; line = strchr(line + 1, '\n')) {
        char *end = strchr(line, '\n');
        char *cut = strstr(line, "  ");
        char *ms = strstr(line, " ms");
        if (!cut || !ms || (end && ms > end))
            continue;
        memmove(cut, end ? end : cut + strlen(cut), end ? strlen(end) + 1 : 1);
    }
}

static void on_done(struct mw_reload_ask *ask, const struct mw_batch *batch, const char *why)
{
    struct asked *asked = MW_OWNER(ask, struct asked, ask);
    struct mw_log log;
    struct mw_buf text;
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&text, &mem, 0);
    mw_log_capture(&log, false, &text);
    if (batch)
        mw_report_batch(&log, batch);
    (void)snprintf(asked->text, sizeof asked->text, "%.*s",
                   batch ? (int)text.len : (int)strlen(why),
                   batch ? text.len ? text.data : "" : why);
    mw_buf_free(&text);
    assert_false(asked->is_done);
    asked->is_done = true;
    asked->is_refused = !batch;
    cut_figures(asked->text);
}

static void begin(struct asked *asked, const char *script, bool back, int64_t to)
{
    *asked = (struct asked){
        .ask = { .script = mw_view_text(script), .back = back, .to = to, .done = on_done },
    };
    mw_reload_ask(bench.reload, &asked->ask);
}

static const char *ask(const char *script, bool back, int64_t to)
{
    static struct asked asked;
    begin(&asked, script, back, to);
    wait_for(&bench.world, &asked.is_done);
    return asked.text;
}

static const char *reload(const char *script)
{
    return ask(script, false, 0);
}

static const char *rollback(const char *script, int64_t to)
{
    return ask(script, true, to);
}

/* ---- the log ---- */

static bool is_logged(void *wanted)
{
    static char text[65536];
    ssize_t n = pread(bench.log_fd, text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    return strstr(text, wanted) != NULL;
}

static void wait_for_log(const char *wanted)
{
    wait_until(&bench.world, is_logged, (void *)wanted);
}

/*
 * The save before this has become a version. The watcher may have been quicker than who asks, so
 * that only the log knows.
 */
static void assert_loaded(const char *script, unsigned from, unsigned to)
{
    char wanted[128], route[64] = "";
    (void)reload("");
    (void)snprintf(route, sizeof route, "\"/%.*s\"", (int)(strlen(script) - 5), script);
    if (from)
        (void)snprintf(wanted, sizeof wanted,
                       "\"script\":\"%s\",\"route\":%s,\"from\":%u,\"v\":%u,", script, route, from,
                       to);
    else
        (void)snprintf(wanted, sizeof wanted, "\"msg\":\"loaded\",\"script\":\"%s\"", script);
    wait_for_log(wanted);
}

/* ---- loading ---- */

TEST(a_save_is_seen_and_loaded_by_itself)
{
    serve(false);
    save("a.capp", "echo\ngreet new");
    wait_for_log("\"msg\":\"reloaded\",\"script\":\"a.capp\"");
    save("a.capp", "broken");
    wait_for_log("\"msg\":\"reload refused\",\"script\":\"a.capp\"");
    save("c.capp", "echo");
    wait_for_log("\"msg\":\"loaded\",\"script\":\"c.capp\"");
    delete_file(&bench.folder, "scripts/c.capp");
    wait_for_log("\"msg\":\"script removed\",\"script\":\"c.capp\"");
}

TEST(who_asks_hears_what_became_of_each_script)
{
    serve(false);
    assert_string_equal(reload(""), "");
    assert_string_equal(reload("a.capp"), "a.capp v1 \u2192 v2\n"); /* although it is as it was */
    save("lib/x.capp", "two");
    assert_loaded("b.capp", 1, 2);
    save("a.capp", "broken");
    assert_non_null(strstr(reload("a.capp"), "a.capp v2  reload refused: v2 goes on serving\n"));
    assert_non_null(strstr(reload(""), "a.capp v2  reload refused")); /* it is tried again */
}

TEST(a_script_that_is_not_there_is_named_with_what_was_meant)
{
    serve(false);
    const char *text = reload("a.cap");
    assert_non_null(strstr(text, "there is no script a.cap in "));
    assert_non_null(strstr(text, "did you mean a.capp?"));
    assert_non_null(strstr(reload("something else"), "there is no script something else"));
    assert_string_equal(reload("a.capp"), "a.capp v1 \u2192 v2\n");
}

TEST(a_script_is_found_without_its_suffix)
{
    make_below(&bench.folder, "scripts/game");
    save("game/room.capp", "echo");
    serve(false);
    assert_string_equal(reload("a"), "a.capp v1 \u2192 v2\n");
    assert_string_equal(rollback("a", 0), "a.capp v2 \u2192 v3 (as v1)\n");
    assert_string_equal(reload("game/room"), "game/room.capp v1 \u2192 v2\n");
    assert_string_equal(rollback("game/room", 1), "game/room.capp v2 \u2192 v3 (as v1)\n");
    assert_non_null(strstr(reload("room"), "there is no script room in "));
    assert_non_null(strstr(rollback("room", 0), "there is no script room that"));
}

TEST(a_folder_that_cannot_be_read_is_said_to_who_asks)
{
    serve(false);
    move_file(&bench.folder, "scripts", "away");
    assert_non_null(strstr(reload(""), "cannot be read: No such file"));
    move_file(&bench.folder, "away", "scripts");
    assert_string_equal(reload("a.capp"), "a.capp v1 \u2192 v2\n");
}

TEST(all_who_ask_are_answered_in_order)
{
    static struct asked asked[6];
    serve(false);
    begin(&asked[0], "a.capp", false, 0);
    begin(&asked[1], "b.capp", false, 0);
    begin(&asked[2], "a.capp", true, 0);
    begin(&asked[3], "b.capp", false, 0);
    begin(&asked[4], "b.capp", true, 1);
    begin(&asked[5], "nobody", true, 0);
    wait_for(&bench.world, &asked[5].is_done);
    assert_string_equal(asked[0].text, "a.capp v1 \u2192 v2\n");
    assert_string_equal(asked[1].text, "b.capp v1 \u2192 v2\n");
    assert_string_equal(asked[2].text, "a.capp v2 \u2192 v3 (as v1)\n");
    assert_string_equal(asked[3].text, "b.capp v2 \u2192 v3\n");
    assert_string_equal(asked[4].text, "b.capp v3 \u2192 v4 (as v1)\n");
    assert_true(asked[5].is_refused);
}

TEST(who_has_gone_is_not_answered_and_the_load_goes_on)
{
    static struct asked asked, queued;
    serve(false);
    begin(&asked, "a.capp", false, 0);
    begin(&queued, "a.capp", true, 0);
    mw_reload_forget(&asked.ask);
    mw_reload_forget(&queued.ask);
    assert_string_equal(reload("b.capp"), "b.capp v1 \u2192 v2\n");
    assert_false(asked.is_done || queued.is_done);
}

TEST(a_stop_answers_who_waits)
{
    static struct asked asked[3];
    serve(false);
    begin(&asked[0], "a.capp", false, 0);
    begin(&asked[1], "a.capp", true, 0);
    stop();
    for (size_t i = 0; i < 2; i++) {
        assert_true(asked[i].is_refused);
        assert_string_equal(asked[i].text, "the server is stopping");
    }
}

/* ---- going back ---- */

TEST(a_rollback_is_a_new_version_of_old_sources_libraries_included)
{
    serve(false);
    save("lib/x.capp", "two");
    assert_loaded("b.capp", 1, 2);
    save("b.capp", "lib lib/x.capp\necho");
    assert_loaded("b.capp", 2, 3);
    delete_file(&bench.folder, "scripts/lib/x.capp");
    assert_string_equal(rollback("b.capp", 0), "b.capp v3 \u2192 v4 (as v2)\n");
    assert_string_equal(rollback("b.capp", 0), "b.capp v4 \u2192 v5 (as v1)\n");
    assert_string_equal(rollback("b.capp", 0), "nothing is kept of what was before b.capp v5");
}

TEST(what_was_gone_back_to_stays_until_its_file_is_saved)
{
    serve(false);
    save("a.capp", "echo\ngreet two");
    assert_loaded("a.capp", 1, 2);
    assert_string_equal(rollback("a.capp", 0), "a.capp v2 \u2192 v3 (as v1)\n");
    assert_string_equal(reload(""), "");
    save("b.capp", "echo");
    assert_loaded("b.capp", 1, 2);
    save("a.capp", "echo\ngreet three");
    assert_loaded("a.capp", 3, 4);
    assert_string_equal(rollback("a.capp", 1), "a.capp v4 \u2192 v5 (as v1)\n");
    assert_string_equal(reload("a.capp"), "a.capp v5 \u2192 v6\n"); /* the file, by its name */
}

TEST(a_rollback_is_refused_like_any_load_and_nothing_is_tried_again_for_it)
{
    serve(false);
    save("a.capp", "route /other");
    (void)reload("");
    wait_for_log("\"route\":\"/other\",\"from\":1,\"v\":2,");
    save("c.capp", "route /a");
    assert_loaded("c.capp", 0, 1);
    const char *text = rollback("a.capp", 0);
    assert_non_null(strstr(text, "a.capp v2  rollback refused: v2 goes on serving\n"));
    assert_non_null(strstr(text, "both want the route /a"));
    save("b.capp", "echo");
    assert_loaded("b.capp", 1, 2);
    assert_string_equal(reload("a.capp"), "a.capp v2 \u2192 v3\n");
}

/* ---- going back by itself ---- */

static void tell_worse(unsigned version)
{
    struct mw_worse *worse = mw_shared_alloc(sizeof *worse + 6);
    assert_non_null(worse);
    *worse = (struct mw_worse){
        .version = version,
        .live = { 100, 50 },
        .before = { 1000, 1 },
        .name_len = 6,
    };
    memcpy(worse->name, "a.capp", 6);
    mw_reload_worse(bench.reload, worse);
    mw_worse_free(worse);
}

#define FIGURES "it failed in 50 of 100 calls, the version before it in 1 of 1000"

TEST(a_worse_version_is_replaced_where_the_settings_say_so)
{
    serve(true);
    save("a.capp", "echo\ngreet two");
    assert_loaded("a.capp", 1, 2);
    tell_worse(2);
    tell_worse(2); /* nobody says it twice, and it would change nothing */
    wait_for_log("\"msg\":\"rolled back\",\"script\":\"a.capp\"");
    wait_for_log("\"why\":\"" FIGURES "\"");
    assert_string_equal(reload(""), ""); /* its file is let be */
    assert_string_equal(reload("a.capp"), "a.capp v3 \u2192 v4\n");
}

TEST(a_verdict_that_comes_late_is_let_be)
{
    serve(true);
    save("a.capp", "echo\ngreet two");
    assert_loaded("a.capp", 1, 2);
    tell_worse(1);
    assert_string_equal(reload("a.capp"), "a.capp v2 \u2192 v3\n");
}

TEST(without_the_setting_it_is_said_what_to_type)
{
    serve(false);
    save("a.capp", "echo\ngreet two");
    assert_loaded("a.capp", 1, 2);
    tell_worse(2);
    wait_for_log(
        "\"msg\":\"version fails more often\",\"script\":\"a.capp\",\"v\":2,\"why\":\"" FIGURES
        "\",\"hint\":\"moonwire rollback a.capp\"");
    assert_string_equal(reload("a.capp"), "a.capp v2 \u2192 v3\n");
}

/* ---- hashes ---- */

static uint64_t hash_of_b;

static void note_hash(struct mw_reload_ask *ask, const struct mw_batch *batch, const char *why)
{
    for (size_t i = 0; batch && i < batch->count; i++) {
        if (mw_view_is(batch->loads[i].name, "b.capp"))
            hash_of_b = batch->loads[i].hash;
    }
    on_done(ask, batch, why);
}

static uint64_t reload_b(void)
{
    static struct asked asked;
    asked = (struct asked){ .ask = { .script = mw_view_text("b.capp"), .done = note_hash } };
    hash_of_b = 0;
    mw_reload_ask(bench.reload, &asked.ask);
    wait_for(&bench.world, &asked.is_done);
    return hash_of_b;
}

TEST(a_hash_is_of_the_script_and_of_the_libraries_that_it_uses)
{
    serve(false);
    uint64_t first = reload_b();
    assert_true(first != 0);
    assert_true(reload_b() == first);
    save("lib/unused.capp", "x");
    assert_true(reload_b() == first);
    save("lib/x.capp", "two");
    uint64_t second = reload_b();
    assert_true(second != first);
    save("lib/x.capp", "one");
    assert_true(reload_b() == first);
    save("b.capp", "lib lib/x.capp\necho");
    uint64_t third = reload_b();
    assert_true(third != first && third != second);
}

#define ON_A_BENCH(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        ON_A_BENCH(a_save_is_seen_and_loaded_by_itself),
        ON_A_BENCH(who_asks_hears_what_became_of_each_script),
        ON_A_BENCH(a_script_that_is_not_there_is_named_with_what_was_meant),
        ON_A_BENCH(a_script_is_found_without_its_suffix),
        ON_A_BENCH(a_folder_that_cannot_be_read_is_said_to_who_asks),
        ON_A_BENCH(all_who_ask_are_answered_in_order),
        ON_A_BENCH(who_has_gone_is_not_answered_and_the_load_goes_on),
        ON_A_BENCH(a_stop_answers_who_waits),
        ON_A_BENCH(a_rollback_is_a_new_version_of_old_sources_libraries_included),
        ON_A_BENCH(what_was_gone_back_to_stays_until_its_file_is_saved),
        ON_A_BENCH(a_rollback_is_refused_like_any_load_and_nothing_is_tried_again_for_it),
        ON_A_BENCH(a_worse_version_is_replaced_where_the_settings_say_so),
        ON_A_BENCH(a_verdict_that_comes_late_is_let_be),
        ON_A_BENCH(without_the_setting_it_is_said_what_to_type),
        ON_A_BENCH(a_hash_is_of_the_script_and_of_the_libraries_that_it_uses),
    };
    return RUN(cases);
}
