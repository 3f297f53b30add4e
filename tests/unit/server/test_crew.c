/* crew: several workers, loaded without their threads, and stopped with them. */
#include "core/server/crew.h"

#include <errno.h>

#include "core/base/str.h"
#include "core/server/admission.h"
#include "core/server/inquiry.h"
#include "core/server/status.h"
#include "tests/unit/io/folder.h"
#include "tests/unit/io/io.h"
#include "tests/unit/server/c_engine.h"

#define COUNT 3

struct bench {
    struct world world; /* the server's loop */
    struct folder folder;
    struct mw_config config;
    struct mw_log log;
    int log_fd;
    struct mw_mailbox *mailbox;
    struct mw_worker workers[COUNT];
    struct mw_admission admission;
    struct mw_crew crew;
    struct mw_engine engine; /* the one of c_engine, but for what a test lays over it */
    struct mw_project *project;
    unsigned over; /* workers that said so */
    bool is_back;  /* the batch that went around */
};

static struct bench bench;

static void on_mail(void *ctx, struct mw_mail *mail)
{
    struct mw_letter *letter = mw_letter_of(mail);
    (void)ctx;
    bench.over += letter->kind == MW_LETTER_STOPPED;
    bench.is_back = bench.is_back || letter->kind == MW_LETTER_BATCH;
}

static void save(const char *name, const char *text)
{
    char path[64];
    (void)snprintf(path, sizeof path, "scripts/%s", name);
    write_file(&bench.folder, path, text);
}

static void open_crew(const char *address)
{
    const struct mw_worker_setup setup = {
        .config = &bench.config,
        .engine = &bench.engine,
        .public_files = "",
        .log = &bench.log,
        .admission = &bench.admission,
        .server = bench.mailbox,
    };
    char why[128];
    mw_admission_init(&bench.admission, &bench.config, 0);
    (void)snprintf(bench.config.listen, sizeof bench.config.listen, "%s", address);
    mw_crew_init(&bench.crew, bench.workers, COUNT);
    assert_int_equal(mw_crew_open(&bench.crew, &setup, why), MW_OK);
}

static int set_up(void **state)
{
    (void)state;
    bench = (struct bench){ .log_fd = -1, .engine = *c_engine_table() };
    make_folder(&bench.folder);
    make_below(&bench.folder, "scripts");
    make_below(&bench.folder, "scripts/lib");
    open_world(&bench.world);
    c_engine = (struct c_engine){ .mem = &bench.world.mem };
    mw_config_default(&bench.config);
    bench.config.drain_grace = 0;
    bench.log_fd = open(below(&bench.folder, "log"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(mw_log_open(&bench.log, bench.log_fd, true, false, MW_LOG_DEBUG), MW_OK);
    assert_int_equal(mw_mailbox_open(bench.world.loop, on_mail, NULL, &bench.mailbox), MW_OK);
    open_crew("127.0.0.1:0");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct mw_worker_leftovers left = mw_crew_close(&bench.crew);
    assert_int_equal(left.bytes, 0);
    assert_int_equal(left.handles, 0);
    assert_int_equal(c_engine.starts, c_engine.stops);
    mw_project_drop(bench.project);
    mw_mailbox_close(bench.mailbox);
    close_world(&bench.world);
    mw_log_close(&bench.log);
    close(bench.log_fd);
    remove_folder(&bench.folder);
    return 0;
}

/* ---- loading ---- */

/* What has changed since the last time; the caller's. */
static struct mw_batch *look(void)
{
    struct mw_project *project = NULL;
    struct mw_batch *batch = NULL;
    char why[512];
    assert_int_equal(
        mw_project_scan(below(&bench.folder, "scripts"), mw_view_text(".capp"), &project, why),
        MW_OK);
    assert_int_equal(mw_batch_new(bench.project, project, &batch), MW_OK);
    mw_project_drop(bench.project);
    bench.project = project;
    return batch;
}

static struct mw_route *route_in(unsigned worker, const char *name)
{
    return mw_route_by_name(&bench.workers[worker], mw_view_text(name));
}

static void assert_versions(const char *name, unsigned version)
{
    for (unsigned i = 0; i < COUNT; i++) {
        assert_non_null(route_in(i, name));
        assert_int_equal(route_in(i, name)->version, version);
        assert_null(route_in(i, name)->next_spec);
    }
}

static bool match(unsigned worker, const char *path)
{
    struct mw_param params[MW_PATTERN_MAX_SEGMENTS];
    size_t count;
    return mw_route_match(&bench.workers[worker], mw_view_text(path), params, &count) != NULL;
}

/* `prepare` that fails on one worker, and counts. */
static unsigned prepared, fails_at;

static int prepare_and_fail(struct mw_app *app, const struct mw_sources *sources, unsigned version,
                            const struct mw_route_spec **out, struct mw_fault *fault)
{
    if (++prepared == fails_at) {
        (void)snprintf(fault->message, sizeof fault->message, "not here");
        return MW_ERR_BAD_ARG;
    }
    return c_engine_table()->prepare(app, sources, version, out, fault);
}

static void fail_at(unsigned number)
{
    prepared = 0;
    fails_at = number;
    bench.engine.prepare = prepare_and_fail;
}

TEST(workers_have_their_numbers_and_share_an_address)
{
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(bench.workers[i].number, i);
        assert_string_equal(mw_listener_address(bench.workers[i].listener),
                            mw_listener_address(bench.workers[0].listener));
    }
    char taken[64];
    (void)snprintf(taken, sizeof taken, "%s", mw_listener_address(bench.workers[0].listener));
    assert_int_equal(mw_listener_try(mw_view_text(taken)), EADDRINUSE);
}

TEST(an_id_leads_to_the_worker_that_gave_it)
{
    int object = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        mw_id id = mw_slots_add(&bench.workers[i].slots, &object);
        assert_ptr_equal(mw_crew_worker_of(&bench.crew, id), &bench.workers[i]);
        mw_slots_remove(&bench.workers[i].slots, id);
    }
    assert_null(mw_crew_worker_of(&bench.crew, (mw_id)COUNT << MW_SLOTS_WORKER_SHIFT | 1));
}

TEST(a_script_is_loaded_by_all_under_one_number)
{
    save("s.capp", "echo");
    struct mw_batch *batch = look();
    mw_crew_load(&bench.crew, batch);
    assert_versions("s.capp", 1);
    assert_int_equal(c_engine.starts, COUNT);
    assert_int_equal(route_in(0, "s.capp")->metrics.cells->loads[MW_METRICS_LOADED], 1);
    assert_int_equal(route_in(1, "s.capp")->metrics.cells->loads[MW_METRICS_LOADED], 0);
    mw_batch_free(batch);
}

TEST(what_one_worker_refuses_nobody_commits_and_the_report_says_which)
{
    for (unsigned at = 1; at <= COUNT; at++) {
        bench.engine.prepare = c_engine_table()->prepare;
        save("s.capp", "echo");
        struct mw_batch *batch = look();
        mw_crew_load(&bench.crew, batch);
        unsigned version = route_in(0, "s.capp")->version;
        mw_batch_free(batch);
        save("s.capp", "echo\nprotocol p");
        fail_at(at);
        batch = look();
        mw_crew_load(&bench.crew, batch);
        assert_int_equal(prepared, at); /* those behind it do not try */
        assert_int_equal(batch->loads[0].outcome, MW_LOAD_FAULT);
        assert_int_equal(batch->loads[0].refused_by, at - 1);
        assert_versions("s.capp", version);
        for (unsigned i = 0; i < COUNT; i++)
            assert_true(route_in(i, "s.capp")->failed);
        mw_batch_free(batch);
    }
}

TEST(a_new_script_that_is_refused_holds_its_place_in_every_worker)
{
    save("s.capp", "broken");
    struct mw_batch *batch = look();
    mw_crew_load(&bench.crew, batch);
    for (unsigned i = 0; i < COUNT; i++)
        assert_true(match(i, "/s"));
    mw_batch_free(batch);
    save("s.capp", "echo");
    batch = look();
    mw_crew_load(&bench.crew, batch);
    assert_versions("s.capp", 1);
    mw_batch_free(batch);
}

/* Each time another route: what a random number or a counter in a script comes to. */
static int prepare_elsewhere(struct mw_app *app, const struct mw_sources *sources, unsigned version,
                             const struct mw_route_spec **out, struct mw_fault *fault)
{
    static const char *const texts[] = { "route /a", "route /b", "route /c" };
    struct mw_sources other = *sources;
    other.script.text = mw_view_text(texts[prepared++ % COUNT]);
    return c_engine_table()->prepare(app, &other, version, out, fault);
}

TEST(a_script_with_another_route_in_each_worker_is_refused)
{
    prepared = 0;
    bench.engine.prepare = prepare_elsewhere;
    save("s.capp", "echo");
    struct mw_batch *batch = look();
    mw_crew_load(&bench.crew, batch);
    assert_int_equal(batch->loads[0].outcome, MW_LOAD_FAULT);
    assert_int_equal(batch->loads[0].refused_by, 1);
    assert_non_null(strstr(batch->loads[0].fault->message, "\"/b\" here, and \"/a\""));
    mw_batch_free(batch);
}

/* ---- asking all ---- */

static struct mw_inquiry *ask_all(enum mw_inquiry_kind kind, size_t last)
{
    struct mw_inquiry *inquiry = mw_inquiry_new(kind, NULL);
    assert_non_null(inquiry);
    inquiry->last = last;
    for (unsigned i = 0; i < COUNT; i++)
        mw_inquiry_answer(inquiry, &bench.workers[i]);
    assert_true(inquiry->is_whole);
    return inquiry;
}

static void end_one(unsigned worker, mw_ms ago_ms)
{
    mw_ms now_ms = mw_loop_now(bench.workers[worker].loop);
    uint64_t nth = atomic_fetch_add(&bench.crew.ends, 1) + 1;
    const struct mw_end_record facts = {
        .id = (mw_id)worker << MW_SLOTS_WORKER_SHIFT | nth,
        .state = "closed",
        .at_ms = now_ms - ago_ms,
        .nth = nth,
    };
    mw_ends_add(&bench.workers[worker].ends, &facts);
    mw_end_counts_add(&bench.workers[worker].end_counts, mw_view_text("s.capp"), 1000,
                      MW_CAUSE_peer_close, now_ms);
}

TEST(the_last_ends_of_all_workers_come_in_the_order_of_time)
{
    static const struct {
        unsigned worker;
        mw_ms ago_ms;
    } ends[] = {
        { 2, 900 }, { 0, 800 }, { 1, 700 }, { 0, 600 }, { 2, 500 }, { 2, 500 }, { 0, 500 }
    };
    for (size_t i = 0; i < MW_COUNT(ends); i++)
        end_one(ends[i].worker, ends[i].ago_ms);
    for (size_t last = 1; last <= MW_COUNT(ends) + 1; last++) {
        struct mw_inquiry *inquiry = ask_all(MW_INQUIRY_LAST, last);
        size_t n = MW_COUNT(ends);
        for (struct mw_link *at = inquiry->records.next; at != &inquiry->records; at = at->next)
            assert_int_equal((uint32_t)MW_OWNER(at, struct mw_end_record, link)->id, n--);
        assert_int_equal(MW_COUNT(ends) - n, last < MW_COUNT(ends) ? last : MW_COUNT(ends));
        mw_inquiry_free(inquiry);
    }
    struct mw_inquiry *counts = ask_all(MW_INQUIRY_COUNTS, 0);
    assert_int_equal(counts->count, 1);
    assert_int_equal(counts->counts[0].total, MW_COUNT(ends));
    mw_inquiry_free(counts);
}

TEST(counters_are_added_over_the_workers_and_what_is_of_one_is_named)
{
    save("s.capp", "echo");
    struct mw_batch *batch = look();
    mw_crew_load(&bench.crew, batch);
    mw_batch_free(batch);
    for (unsigned i = 0; i < COUNT; i++) {
        route_in(i, "s.capp")->metrics.cells->opened = 10 + i;
        route_in(i, "s.capp")->metrics.cells->ended = 5;
        mw_metrics_count_refusal(&bench.workers[i].metrics, i ? "other_one" : "not_found", NULL);
    }
    struct mw_inquiry *inquiry = ask_all(MW_INQUIRY_METRICS, 0);
    const char *text = mw_buf_cstr(&inquiry->text);
    assert_non_null(strstr(text, "\nmoonwire_connections{route=\"/s\",script=\"s.capp\"} 18\n"));
    assert_non_null(strstr(text, "{error=\"not_found\",cause=\"\"} 1\n"));
    assert_non_null(strstr(text, "{error=\"other_one\",cause=\"\"} 2\n"));
    assert_non_null(strstr(text, "\nmoonwire_worker_connections{worker=\"2\"} 7\n"));
    mw_inquiry_free(inquiry);
    route_in(1, "s.capp")->quarantine.paused = true;
    struct mw_status *status = mw_status_new(NULL);
    for (unsigned i = 0; i < COUNT; i++)
        mw_status_fill(status, &bench.workers[i]);
    assert_int_equal(status->count, 1);
    assert_int_equal(status->rows[0].paused, 1);
    struct mw_buf out;
    mw_buf_init(&out, &bench.world.mem, 0);
    assert_int_equal(mw_status_text(status, &out), MW_OK);
    assert_non_null(strstr(mw_buf_cstr(&out), " s in 1 of 3 workers\n"));
    mw_buf_free(&out);
    mw_status_free(status);
    route_in(1, "s.capp")->quarantine.paused = false;
    for (unsigned i = 0; i < COUNT; i++)
        *route_in(i, "s.capp")->metrics.cells = (struct mw_metrics_cells){ 0 };
}

/* ---- with threads ---- */

static bool is_over(void *ctx)
{
    (void)ctx;
    return bench.over == COUNT;
}

TEST(a_letter_goes_around_and_all_end_when_they_are_told)
{
    c_engine.mem = NULL; /* no script: the engine of this test is of one thread */
    struct mw_batch *batch = look();
    batch->step = MW_BATCH_PREPARE;
    assert_int_equal(mw_crew_start(&bench.crew), MW_OK);
    mw_crew_send(&bench.crew, &batch->letter);
    wait_for(&bench.world, &bench.is_back);
    mw_crew_drain(&bench.crew, false);
    mw_crew_drain(&bench.crew, false);
    wait_until(&bench.world, is_over, NULL);
    bench.is_back = false; /* their threads still pass on what others want to know */
    mw_crew_send(&bench.crew, &batch->letter);
    wait_for(&bench.world, &bench.is_back);
    mw_batch_free(batch);
}

#define IN_A_CREW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_CREW(workers_have_their_numbers_and_share_an_address),
        IN_A_CREW(an_id_leads_to_the_worker_that_gave_it),
        IN_A_CREW(a_script_is_loaded_by_all_under_one_number),
        IN_A_CREW(what_one_worker_refuses_nobody_commits_and_the_report_says_which),
        IN_A_CREW(a_new_script_that_is_refused_holds_its_place_in_every_worker),
        IN_A_CREW(a_script_with_another_route_in_each_worker_is_refused),
        IN_A_CREW(the_last_ends_of_all_workers_come_in_the_order_of_time),
        IN_A_CREW(counters_are_added_over_the_workers_and_what_is_of_one_is_named),
        IN_A_CREW(a_letter_goes_around_and_all_end_when_they_are_told),
    };
    return RUN(cases);
}
