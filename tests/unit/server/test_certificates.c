/* certificates, and the files they are made of. The worker's end of the post is the test. */
#include "core/server/certificates.h"

#include <errno.h>

#include "core/base/clock.h"
#include "core/server/certificate_files.h"
#include "core/server/certificate_say.h"
#include "tests/unit/server/world.h"

#define DAY_S 86400

static void write_pair(const struct folder *folder, const char *name, int64_t from_s, unsigned days)
{
    char chain[2048], key[512], fingerprint[96], path[64];
    assert_int_equal(mw_tls_throw_away(from_s, days, chain, key, fingerprint), MW_OK);
    snprintf(path, sizeof path, "%s.pem", name);
    write_file(folder, path, chain);
    snprintf(path, sizeof path, "%s.key", name);
    write_file(folder, path, key);
}

struct bench {
    struct folder folder;
    struct mw_config config;
    struct mw_log log;
    int log_fd;
    struct mw_mem mem;
    char text[16384];
};

static void open_bench(struct bench *bench)
{
    *bench = (struct bench){ .log_fd = -1 };
    make_folder(&bench->folder);
    mw_config_default(&bench->config);
    mw_mem_init(&bench->mem, NULL, 0);
    bench->config.dir = mw_view_text(bench->folder.path);
    bench->log_fd = open(below(&bench->folder, "log"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(mw_log_open(&bench->log, bench->log_fd, true, false, MW_LOG_DEBUG), MW_OK);
}

static void close_bench(struct bench *bench)
{
    mw_log_close(&bench->log);
    close(bench->log_fd);
    remove_folder(&bench->folder);
    assert_mem_empty(&bench->mem);
}

static const char *logged(struct bench *bench)
{
    mw_log_close(&bench->log);
    ssize_t n = pread(bench->log_fd, bench->text, sizeof bench->text - 1, 0);
    assert_true(n >= 0);
    bench->text[n] = '\0';
    assert_int_equal(mw_log_open(&bench->log, bench->log_fd, true, false, MW_LOG_DEBUG), MW_OK);
    return bench->text;
}

static void name_pair(struct bench *bench, size_t i, const char *cert, const char *key)
{
    snprintf(bench->config.tls.pairs[i].cert, MW_CONFIG_TEXT_MAX, "%s", cert);
    snprintf(bench->config.tls.pairs[i].key, MW_CONFIG_TEXT_MAX, "%s", key);
}

/* ---- files ---- */

TEST(files_are_found_below_the_project_or_where_the_path_says)
{
    struct bench bench;
    char path[MW_CERTIFICATE_PATH_MAX], want[512];
    open_bench(&bench);
    name_pair(&bench, 0, "a.pem", "/etc/a.key");
    name_pair(&bench, 3, "b/b.pem", "b/b.key");
    snprintf(bench.config.tls.client_ca, MW_CONFIG_TEXT_MAX, "ca.pem");
    const char *const names[] = { "a.pem", "/etc/a.key", "b/b.pem", "b/b.key", "ca.pem" };
    for (size_t i = 0; i < MW_COUNT(names); i++) {
        snprintf(want, sizeof want, "%s%s%s", *names[i] == '/' ? "" : bench.folder.path,
                 *names[i] == '/' ? "" : "/", names[i]);
        assert_true(mw_certificate_path(&bench.config, i, path));
        assert_string_equal(path, want);
    }
    assert_false(mw_certificate_path(&bench.config, MW_COUNT(names), path));
    close_bench(&bench);
}

TEST(pairs_are_read_whole_and_their_hash_changes_with_them)
{
    struct bench bench;
    struct mw_certificate_files files;
    char why[512];
    open_bench(&bench);
    name_pair(&bench, 0, "a.pem", "a.key");
    name_pair(&bench, 2, "b.pem", "b.key");
    snprintf(bench.config.tls.client_ca, MW_CONFIG_TEXT_MAX, "ca");
    const char *const names[] = { "a.pem", "a.key", "b.pem", "b.key", "ca" };
    for (size_t i = 0; i < MW_COUNT(names); i++)
        write_file(&bench.folder, names[i], names[i]);
    assert_int_equal(mw_certificate_files_read(&files, &bench.mem, &bench.config, why), MW_OK);
    assert_int_equal(files.pair_count, 2);
    assert_string_equal(files.pairs[1].chain_name, "b.pem");
    assert_view(files.pairs[1].chain, "b.pem");
    assert_view(files.pairs[1].key, "b.key");
    assert_view(files.client_ca, "ca");
    uint64_t hash = files.hash;
    mw_certificate_files_free(&files);
    write_file(&bench.folder, "b.key", "B.key");
    assert_int_equal(mw_certificate_files_read(&files, &bench.mem, &bench.config, why), MW_OK);
    assert_true(files.hash != hash);
    mw_certificate_files_free(&files);
    close_bench(&bench);
}

TEST(a_file_that_is_missing_is_named)
{
    struct bench bench;
    struct mw_certificate_files files;
    char why[512];
    open_bench(&bench);
    name_pair(&bench, 0, "a.pem", "gone.key");
    write_file(&bench.folder, "a.pem", "x");
    assert_int_equal(mw_certificate_files_read(&files, &bench.mem, &bench.config, why),
                     MW_ERR_NOT_FOUND);
    assert_non_null(strstr(why, "gone.key: there is no such file"));
    mw_certificate_files_free(&files);
    close_bench(&bench);
}

TEST(a_folder_in_place_of_a_file_is_told_from_a_missing_one)
{
    struct bench bench;
    struct mw_certificate_files files;
    char why[512];
    open_bench(&bench);
    name_pair(&bench, 0, "folder", "gone.key");
    make_below(&bench.folder, "folder");
    assert_int_equal(mw_certificate_files_read(&files, &bench.mem, &bench.config, why),
                     MW_ERR_BAD_ARG);
    assert_non_null(strstr(why, "folder: it is no regular file"));
    mw_certificate_files_free(&files);
    close_bench(&bench);
}

TEST(a_file_that_cannot_be_read_is_named_with_the_reason)
{
    struct bench bench;
    struct mw_certificate_files files;
    char why[512];
    open_bench(&bench);
    name_pair(&bench, 0, "self", "gone.key");
    link_file(&bench.folder, "self", "self");
    assert_int_equal(mw_certificate_files_read(&files, &bench.mem, &bench.config, why), MW_ERR_IO);
    assert_non_null(strstr(why, "self: it cannot be read: "));
    assert_non_null(strstr(why, strerror(ELOOP)));
    mw_certificate_files_free(&files);
    close_bench(&bench);
}

/* ---- what is told ---- */

TEST(a_certificate_is_warned_about_by_its_dates)
{
    static const struct {
        int64_t from_s; /* from now */
        unsigned days;
        const char *says; /* NULL: nothing */
    } table[] = {
        { 0, 30, NULL },
        { 0, 13, "certificate expires soon" },
        { -20 * DAY_S, 10, "certificate has expired" },
        { 5 * DAY_S, 90, "certificate is not valid yet" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct bench bench;
        struct mw_tls_ctx *ctx;
        char chain[2048], key[512], fingerprint[96], why[256];
        mw_ms now_ms = mw_clock_unix_ms();
        open_bench(&bench);
        assert_int_equal(mw_tls_throw_away((int64_t)(now_ms / 1000) + table[i].from_s,
                                           table[i].days, chain, key, fingerprint),
                         MW_OK);
        const struct mw_tls_pair pair = { "test", "test", mw_view_text(chain), mw_view_text(key) };
        const struct mw_tls_setup setup = { .pairs = &pair, .pair_count = 1 };
        assert_int_equal(mw_tls_ctx_new(&bench.mem, &setup, &ctx, why), MW_OK);
        mw_certificate_warn(&bench.log, ctx, now_ms);
        mw_certificate_say(&bench.log, "certificates loaded", ctx);
        const char *log = logged(&bench);
        assert_non_null(strstr(log, "\"msg\":\"certificates loaded\",\"subject\":\"CN=localhost"));
        if (table[i].says)
            assert_non_null(strstr(log, table[i].says));
        else
            assert_null(strstr(log, "\"level\":\"warn\""));
        mw_tls_ctx_release(ctx);
        close_bench(&bench);
    }
}

/* ---- the whole, with a loop of its own and a worker that only takes letters ---- */

struct stage {
    struct bench bench;
    struct mw_mem mem;
    struct mw_loop *loop;
    struct mw_mailbox *mailbox; /* of the server */
    struct mw_worker worker;
    struct mw_crew crew;
    struct mw_certificates *certificates;
    struct mw_alarm end;
    unsigned swaps;
};

static void on_letter(void *ctx, struct mw_mail *mail)
{
    struct stage *stage = ctx;
    struct mw_letter *letter = mw_letter_of(mail);
    assert_int_equal(letter->kind, MW_LETTER_CERTIFICATES);
    stage->swaps++;
    mw_certificates_mail(stage->certificates, MW_OWNER(letter, struct mw_tls_swap, letter));
}

/* What a worker does with it: lets go of the old one, holds the new one. */
static void on_worker_letter(void *ctx, struct mw_mail *mail)
{
    struct stage *stage = ctx;
    struct mw_tls_swap *swap = MW_OWNER(mw_letter_of(mail), struct mw_tls_swap, letter);
    mw_tls_ctx_release(stage->worker.tls);
    stage->worker.tls = mw_tls_ctx_hold(swap->ctx);
    mw_mailbox_post(stage->mailbox, mail);
}

static void on_end(struct mw_alarm *alarm)
{
    mw_loop_stop(MW_OWNER(alarm, struct stage, end)->loop);
}

static void turn_stage(struct stage *stage)
{
    mw_alarm_set(stage->loop, &stage->end, mw_loop_now(stage->loop) + 5);
    mw_loop_run(stage->loop);
}

static int64_t now_s(void)
{
    return (int64_t)(mw_clock_unix_ms() / 1000);
}

/* Nothing is opened yet, but one pair is there and named. */
static void make_stage_of_a(struct stage *stage)
{
    *stage = (struct stage){ 0 };
    open_bench(&stage->bench);
    name_pair(&stage->bench, 0, "a.pem", "a.key");
    write_pair(&stage->bench.folder, "a", now_s(), 90);
}

static int open_stage(struct stage *stage)
{
    mw_mem_init(&stage->mem, NULL, 0);
    mw_alarm_init(&stage->end, on_end);
    assert_int_equal(mw_loop_new(&stage->mem, &stage->loop), MW_OK);
    assert_int_equal(mw_mailbox_open(stage->loop, on_letter, stage, &stage->mailbox), MW_OK);
    assert_int_equal(mw_mailbox_open(stage->loop, on_worker_letter, stage, &stage->worker.mailbox),
                     MW_OK);
    const struct mw_certificates_setup setup = {
        .loop = stage->loop,
        .config = &stage->bench.config,
        .log = &stage->bench.log,
    };
    int err = mw_certificates_open(&setup, &stage->certificates);
    if (err)
        return err;
    stage->worker.tls = mw_tls_ctx_hold(mw_certificates_context(stage->certificates));
    mw_crew_init(&stage->crew, &stage->worker, 1);
    assert_int_equal(mw_certificates_watch(stage->certificates, &stage->crew), MW_OK);
    return MW_OK;
}

static void close_stage(struct stage *stage)
{
    mw_certificates_close(stage->certificates);
    turn_stage(stage);
    mw_mailbox_close(stage->worker.mailbox);
    mw_mailbox_close(stage->mailbox);
    mw_loop_finish(stage->loop);
    assert_int_equal(mw_loop_free(stage->loop), 0);
    mw_tls_ctx_release(stage->worker.tls);
    assert_mem_empty(&stage->mem);
    close_bench(&stage->bench);
    assert_int_equal(mw_shared_bytes(), 0);
}

#define STAGE_UNTIL(stage, condition) \
    for (mw_ms give_up_ms_ = mw_clock_monotonic_ms() + GIVE_UP_MS; \
         !(condition) && mw_clock_monotonic_ms() < give_up_ms_; turn_stage(stage)) { \
    } \
    assert_true(condition)

TEST(a_change_of_the_files_reaches_the_worker_and_a_broken_one_does_not)
{
    static struct stage stage;
    make_stage_of_a(&stage);
    assert_int_equal(open_stage(&stage), MW_OK);
    struct mw_tls_ctx *first = stage.worker.tls;
    write_file(&stage.bench.folder, "a.key", "no key at all");
    STAGE_UNTIL(&stage, strstr(logged(&stage.bench), "certificates refused"));
    assert_non_null(strstr(logged(&stage.bench), "the ones from before go on serving"));
    assert_ptr_equal(stage.worker.tls, first);
    write_pair(&stage.bench.folder, "a", now_s(), 60);
    STAGE_UNTIL(&stage, stage.swaps > 0);
    assert_true(stage.worker.tls != first);
    assert_non_null(strstr(logged(&stage.bench), "certificates reloaded"));
    close_stage(&stage);
}

TEST(asked_to_look_it_makes_them_anew_whether_or_not_they_changed)
{
    static struct stage stage;
    make_stage_of_a(&stage);
    assert_int_equal(open_stage(&stage), MW_OK);
    mw_certificates_now(stage.certificates);
    mw_certificates_now(stage.certificates); /* while the first is on its way */
    STAGE_UNTIL(&stage, stage.swaps > 0);
    mw_certificates_now(stage.certificates); /* and it ends in the middle of one */
    close_stage(&stage);
}

TEST(what_is_wrong_at_the_beginning_is_told)
{
    static const char *const keys[] = { "b.key", "gone.key" };
    for (size_t i = 0; i < MW_COUNT(keys); i++) {
        static struct stage stage;
        make_stage_of_a(&stage);
        write_pair(&stage.bench.folder, "b", now_s(), 90);
        name_pair(&stage.bench, 0, "a.pem", keys[i]);
        assert_int_equal(open_stage(&stage), MW_ERR_BAD_ARG);
        assert_non_null(strstr(logged(&stage.bench), "\"msg\":\"certificates refused\""));
        assert_non_null(strstr(logged(&stage.bench), "nothing is served"));
        close_stage(&stage);
    }
}

TEST(a_throw_away_certificate_needs_no_files)
{
    static struct stage stage;
    stage = (struct stage){ 0 };
    open_bench(&stage.bench);
    stage.bench.config.tls.throw_away = true;
    assert_int_equal(open_stage(&stage), MW_OK);
    assert_non_null(strstr(logged(&stage.bench), "\"msg\":\"throw-away certificate\""));
    mw_certificates_now(stage.certificates);
    close_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(files_are_found_below_the_project_or_where_the_path_says),
        CASE(pairs_are_read_whole_and_their_hash_changes_with_them),
        CASE(a_file_that_is_missing_is_named),
        CASE(a_folder_in_place_of_a_file_is_told_from_a_missing_one),
        CASE(a_file_that_cannot_be_read_is_named_with_the_reason),
        CASE(a_certificate_is_warned_about_by_its_dates),
        CASE(a_change_of_the_files_reaches_the_worker_and_a_broken_one_does_not),
        CASE(asked_to_look_it_makes_them_anew_whether_or_not_they_changed),
        CASE(what_is_wrong_at_the_beginning_is_told),
        CASE(a_throw_away_certificate_needs_no_files),
    };
    return RUN(cases);
}
