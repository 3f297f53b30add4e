/*
 * A loop for the walk (core/doctor/walk.h), its options, and the signal that ends it early. Called
 * by cmd_doctor.
 */
#include "core/cli/doctor_path.h"

#include <stdio.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/cli/handshake_args.h"
#include "core/cli/settings.h"
#include "core/doctor/walk.h"
#include "core/io/signals.h"
#include "core/server/server.h"

#define ORDINARY_WAIT_S 5
#define IDLE_MAX_S      86400

struct path {
    struct mw_mem mem;
    struct mw_loop *loop;
    struct mw_outbound outbound;
    bool has_outbound;
    struct mw_signals *signals;
    struct mw_walk *walk;
    struct mw_walk_setup setup;
    struct mw_handshake_args handshake;
};

/* ---- options ---- */

static int bad(const char *why, const char *value)
{
    char text[300];
    snprintf(text, sizeof text, "%s: \"%.200s\"", why, value);
    return mw_cli_fail(MW_EXIT_USAGE, "", text);
}

/* Whole seconds to ms; what was not given stays as it is. */
static int read_seconds(const char *text, const char *what, uint64_t max_s, mw_ms *out)
{
    uint64_t seconds;
    if (!text)
        return MW_EXIT_OK;
    if (!mw_parse_u64(mw_view_text(text), 1, max_s, &seconds))
        return bad(what, text);
    *out = seconds * 1000;
    return MW_EXIT_OK;
}

static int read_options(struct path *path, const struct mw_args *args)
{
    struct mw_walk_setup *setup = &path->setup;
    int code = mw_handshake_args_read(&path->handshake, &path->mem, args);
    if (!code)
        code =
            read_seconds(args->timeout, "--timeout wants seconds, 1 to 300", 300, &setup->wait_ms);
    if (!code)
        code = read_seconds(args->idle, "--idle wants seconds, 1 to 86400", IDLE_MAX_S,
                            &setup->idle_ms);
    setup->url = mw_view_text(args->words[0]);
    setup->path = args->path;
    setup->headers = path->handshake.headers;
    setup->header_count = path->handshake.header_count;
    setup->protocols = path->handshake.protocols;
    setup->protocol_count = path->handshake.protocol_count;
    setup->origin = mw_view_text(args->origin);
    setup->insecure = args->insecure;
    return code;
}

/* ---- the run ---- */

static void on_done(void *owner)
{
    struct path *path = owner;
    mw_loop_stop(path->loop);
}

static void on_signal(void *ctx, enum mw_signal which)
{
    struct path *path = ctx;
    (void)which;
    path->setup.report->is_cut_short = true;
    mw_walk_stop(path->walk, "interrupted");
    mw_loop_stop(path->loop);
}

static int open_parts(struct path *path)
{
    int err = mw_loop_new(&path->mem, &path->loop);
    if (!err)
        err = mw_outbound_init(&path->outbound, path->loop, mw_view("", 0));
    path->has_outbound = !err;
    if (!err)
        err = mw_signals_open(path->loop, on_signal, path, &path->signals);
    return err;
}

static void close_parts(struct path *path)
{
    mw_walk_free(path->walk);
    if (path->signals)
        mw_signals_close(path->signals);
    if (path->loop)
        mw_loop_finish(path->loop);
    if (path->has_outbound)
        mw_outbound_free(&path->outbound);
    if (path->loop)
        (void)mw_loop_free(path->loop);
}

static int run(struct path *path)
{
    char why[256] = "no loop could be made";
    int err = open_parts(path);
    if (err)
        return mw_cli_fail(MW_EXIT_FAILED, "", why);
    path->setup.outbound = &path->outbound;
    path->setup.done = on_done;
    path->setup.owner = path;
    err = mw_walk_start(&path->setup, &path->walk, why);
    if (err)
        return mw_cli_fail(err == MW_ERR_BAD_ARG ? MW_EXIT_USAGE : MW_EXIT_FAILED, "", why);
    mw_loop_run(path->loop);
    return MW_EXIT_OK;
}

int mw_doctor_path(const struct mw_args *args, struct mw_doctor_report *report,
                   int (*tell)(const struct mw_doctor_report *report, bool json))
{
    struct path path = { .setup = { .wait_ms = ORDINARY_WAIT_S * 1000, .report = report } };
    mw_mem_init(&path.mem, 0, 0);
    snprintf(report->title, sizeof report->title, "%s%s%s", args->words[0],
             args->path ? ", route " : "", args->path ? args->path : "");
    int code = read_options(&path, args);
    if (!code) {
        code = run(&path);
        if (!code)
            code = tell(report, args->json);
        close_parts(&path);
    }
    mw_handshake_args_free(&path.handshake);
    return code;
}
