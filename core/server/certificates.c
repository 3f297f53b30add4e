/*
 * The order of events of a change: seen > read > context made > swapped into the workers by letter
 * > told. One at a time; a change that comes meanwhile is looked at afterwards. A context costs a
 * few milliseconds and this thread has nothing else to do, so nothing is offloaded. Called by
 * server.
 */
#include "core/server/certificates.h"

#include <libgen.h>
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/io/watch.h"
#include "core/server/certificate_files.h"
#include "core/server/certificate_say.h"

/* As the scripts: for file systems, and links that lead elsewhere, which tell nothing. */
#define POLL_MS 2000
/* What comes nearer by itself is told again. */
#define WARN_AGAIN_MS (24 * 3600 * (mw_ms)1000)

#define THROW_AWAY_DAYS 30

struct mw_certificates {
    struct mw_loop *loop;
    const struct mw_config *config;
    struct mw_log *log;
    struct mw_crew *crew; /* NULL: not watching yet */
    struct mw_tls_tickets *tickets;
    struct mw_tls_ctx *ctx; /* what serves */
    struct mw_watch *watch;
    char *folders[MW_CERTIFICATE_FILES_MAX]; /* of the files; owned */
    size_t folder_count;
    struct mw_alarm poll, settle, warn;
    struct mw_tls_swap swap;
    bool is_away; /* the swap is on its way */
    bool again, is_closing;
    uint64_t tried; /* hash of the files that were last tried */
    char said[512]; /* why they were refused; "" where they were not */
};

static struct mw_mem *mem_of(const struct mw_certificates *certificates)
{
    return mw_loop_mem(certificates->loop);
}

/* ---- making a context ---- */

static int make_of(struct mw_certificates *certificates, const struct mw_tls_pair *pairs,
                   size_t count, struct mw_view client_ca, struct mw_tls_ctx **out, char why[256])
{
    const struct mw_tls_setup setup = {
        .pairs = pairs,
        .pair_count = count,
        .least = mw_config_least_version(certificates->config),
        .client = mw_config_client(certificates->config),
        .client_ca = client_ca,
        .tickets = certificates->tickets,
    };
    snprintf(why, 256, "out of memory");
    return mw_tls_ctx_new(mem_of(certificates), &setup, out, why);
}

/* A pair that nobody keeps, for `moonwire dev --tls`. */
static int make_throw_away(struct mw_certificates *certificates, struct mw_tls_ctx **out,
                           char why[512])
{
    char chain[2048], key[512], fingerprint[96];
    struct mw_certificate_files files;
    int64_t now_s = (int64_t)(mw_clock_unix_ms() / 1000);
    snprintf(why, 512, "no throw-away certificate could be made");
    int err = mw_certificate_files_read(&files, mem_of(certificates), certificates->config, why);
    if (!err)
        err = mw_tls_throw_away(now_s, THROW_AWAY_DAYS, chain, key, fingerprint);
    if (!err) {
        const struct mw_tls_pair pair = { "throw-away", "throw-away", mw_view_text(chain),
                                          mw_view_text(key) };
        err = make_of(certificates, &pair, 1, files.client_ca, out, why);
    }
    if (!err)
        mw_certificate_say_throw_away(certificates->log, fingerprint);
    explicit_bzero(key, sizeof key);
    mw_certificate_files_free(&files);
    return err;
}

static int make_from_files(struct mw_certificates *certificates,
                           const struct mw_certificate_files *files, struct mw_tls_ctx **out,
                           char why[512])
{
    certificates->tried = files->hash;
    return make_of(certificates, files->pairs, files->pair_count, files->client_ca, out, why);
}

/* Once for as long as it stays the same: the files are looked at every two seconds. */
static void say_refused(struct mw_certificates *certificates, const char *why)
{
    if (!strcmp(why, certificates->said))
        return;
    snprintf(certificates->said, sizeof certificates->said, "%s", why);
    mw_certificate_say_refused(certificates->log, why, certificates->ctx != 0);
}

/* ---- a change ---- */

static void free_all(struct mw_certificates *certificates)
{
    for (size_t i = 0; i < certificates->folder_count; i++)
        mw_free(mem_of(certificates), certificates->folders[i],
                strlen(certificates->folders[i]) + 1);
    mw_tls_ctx_release(certificates->ctx);
    mw_tls_tickets_release(certificates->tickets);
    mw_free(mem_of(certificates), certificates, sizeof *certificates);
}

static void say_what_serves(const struct mw_certificates *certificates, const char *what)
{
    mw_certificate_say(certificates->log, what, certificates->ctx);
    mw_certificate_warn(certificates->log, certificates->ctx, mw_clock_unix_ms());
}

/* Takes the context. */
static void send_to_workers(struct mw_certificates *certificates, struct mw_tls_ctx *ctx)
{
    mw_tls_ctx_release(certificates->ctx);
    certificates->ctx = ctx;
    certificates->swap = (struct mw_tls_swap){
        .letter = { .kind = MW_LETTER_CERTIFICATES },
        .ctx = mw_tls_ctx_hold(ctx),
    };
    certificates->is_away = true;
    mw_crew_send(certificates->crew, &certificates->swap.letter);
}

static void watch_folders(struct mw_certificates *certificates)
{
    (void)mw_watch_set(certificates->watch, (const char *const *)certificates->folders,
                       certificates->folder_count);
}

/* `forced`: also where they are what was tried last. */
static void look(struct mw_certificates *certificates, bool forced)
{
    struct mw_certificate_files files;
    struct mw_tls_ctx *ctx = 0;
    char why[512] = "";
    if (certificates->is_away) {
        certificates->again = true;
        return;
    }
    watch_folders(certificates);
    if (forced)
        certificates->said[0] = '\0';
    int err = mw_certificate_files_read(&files, mem_of(certificates), certificates->config, why);
    bool is_new = forced || files.hash != certificates->tried;
    if (!err && !is_new)
        certificates->said[0] = '\0';
    else if (!err)
        err = make_from_files(certificates, &files, &ctx, why);
    if (err)
        say_refused(certificates, why);
    else if (is_new)
        send_to_workers(certificates, ctx);
    mw_certificate_files_free(&files);
}

void mw_certificates_now(struct mw_certificates *certificates)
{
    if (certificates && certificates->watch)
        look(certificates, true);
}

void mw_certificates_mail(struct mw_certificates *certificates, struct mw_tls_swap *swap)
{
    mw_tls_ctx_release(swap->ctx);
    certificates->is_away = false;
    certificates->said[0] = '\0';
    say_what_serves(certificates, "certificates reloaded");
    if (certificates->is_closing) {
        free_all(certificates);
    } else if (certificates->again) {
        certificates->again = false;
        look(certificates, false);
    }
}

/* ---- when to look ---- */

static void on_change(void *ctx)
{
    look(ctx, false);
}

static void on_settled(struct mw_alarm *alarm)
{
    look(MW_OWNER(alarm, struct mw_certificates, settle), false);
}

static bool files_have_changed(struct mw_certificates *certificates)
{
    struct mw_certificate_files files;
    char why[512];
    int err = mw_certificate_files_read(&files, mem_of(certificates), certificates->config, why);
    bool changed = err ? strcmp(why, certificates->said) != 0 : files.hash != certificates->tried;
    mw_certificate_files_free(&files);
    return changed;
}

/* What a poll finds may be half written: it is looked at again when it has had time to settle. */
static void on_poll(struct mw_alarm *alarm)
{
    struct mw_certificates *certificates = MW_OWNER(alarm, struct mw_certificates, poll);
    mw_ms now_ms = mw_loop_now(certificates->loop);
    mw_alarm_set(certificates->loop, alarm, now_ms + POLL_MS);
    if (!certificates->is_away && files_have_changed(certificates))
        mw_alarm_set(certificates->loop, &certificates->settle, now_ms + MW_WATCH_SETTLE_MS);
}

static void on_warn(struct mw_alarm *alarm)
{
    struct mw_certificates *certificates = MW_OWNER(alarm, struct mw_certificates, warn);
    mw_certificate_warn(certificates->log, certificates->ctx, mw_clock_unix_ms());
    mw_alarm_set(certificates->loop, alarm, mw_loop_now(certificates->loop) + WARN_AGAIN_MS);
}

/* ---- life ---- */

static int make_first(struct mw_certificates *certificates, char why[512])
{
    struct mw_certificate_files files;
    unsigned lifetime_s = (unsigned)certificates->config->tls.ticket_lifetime;
    snprintf(why, 512, "out of memory");
    if (lifetime_s > 0) {
        certificates->tickets = mw_tls_tickets_new(lifetime_s);
        if (!certificates->tickets)
            return MW_ERR_NOMEM;
    }
    if (certificates->config->tls.throw_away)
        return make_throw_away(certificates, &certificates->ctx, why);
    int err = mw_certificate_files_read(&files, mem_of(certificates), certificates->config, why);
    if (!err)
        err = make_from_files(certificates, &files, &certificates->ctx, why);
    mw_certificate_files_free(&files);
    return err;
}

int mw_certificates_open(const struct mw_certificates_setup *setup, struct mw_certificates **out)
{
    char why[512];
    struct mw_certificates *certificates = mw_alloc_zero(mw_loop_mem(setup->loop), sizeof(**out));
    if (!certificates)
        return MW_ERR_NOMEM;
    certificates->loop = setup->loop;
    certificates->config = setup->config;
    certificates->log = setup->log;
    mw_alarm_init(&certificates->poll, on_poll);
    mw_alarm_init(&certificates->settle, on_settled);
    mw_alarm_init(&certificates->warn, on_warn);
    if (make_first(certificates, why)) {
        say_refused(certificates, why);
        free_all(certificates);
        return MW_ERR_BAD_ARG;
    }
    say_what_serves(certificates, "certificates loaded");
    *out = certificates;
    return MW_OK;
}

struct mw_tls_ctx *mw_certificates_context(const struct mw_certificates *certificates)
{
    return certificates->ctx;
}

static int name_folders(struct mw_certificates *certificates)
{
    char path[MW_CERTIFICATE_PATH_MAX];
    size_t *count = &certificates->folder_count;
    for (size_t n = 0; mw_certificate_path(certificates->config, n, path); n++) {
        char *folder = mw_mem_copy(mem_of(certificates), mw_view_text(dirname(path)));
        if (!folder)
            return MW_ERR_NOMEM;
        certificates->folders[(*count)++] = folder;
    }
    return MW_OK;
}

int mw_certificates_watch(struct mw_certificates *certificates, struct mw_crew *crew)
{
    mw_ms now_ms = mw_loop_now(certificates->loop);
    if (certificates->config->tls.throw_away)
        return MW_OK;
    int err = name_folders(certificates);
    if (!err)
        err = mw_watch_open(certificates->loop, on_change, certificates, &certificates->watch);
    if (err)
        return err;
    certificates->crew = crew;
    watch_folders(certificates);
    mw_alarm_set(certificates->loop, &certificates->poll, now_ms + POLL_MS);
    mw_alarm_set(certificates->loop, &certificates->warn, now_ms + WARN_AGAIN_MS);
    return MW_OK;
}

void mw_certificates_close(struct mw_certificates *certificates)
{
    if (!certificates)
        return;
    certificates->is_closing = true;
    mw_watch_close(certificates->watch);
    certificates->watch = 0;
    mw_alarm_stop(certificates->loop, &certificates->poll);
    mw_alarm_stop(certificates->loop, &certificates->settle);
    mw_alarm_stop(certificates->loop, &certificates->warn);
    if (!certificates->is_away)
        free_all(certificates);
}
