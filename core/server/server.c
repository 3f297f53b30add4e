/*
 * The server's own thread: signals, reload, and the beginning and the end of everything.
 * Connections and scripts belong to the worker. Called by cli/cmd_serve.
 */
#include "core/server/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/cpu_tick.h"
#include "core/base/crash.h"
#include "core/io/signals.h"
#include "core/server/admin_commands.h"
#include "core/server/admin_why.h"
#include "core/server/admission.h"
#include "core/server/certificates.h"
#include "core/server/cgroup.h"
#include "core/server/crew.h"
#include "core/server/memory_guard.h"
#include "core/server/reload.h"
#include "core/server/stopping.h"
#include "moonwire/version.h"

struct server {
    const struct mw_config *config;
    const struct mw_engine *engine;
    const struct mw_places *places;
    struct mw_mem mem;
    struct mw_log log;
    struct mw_loop *loop;
    struct mw_mailbox *mailbox;
    struct mw_signals *signals;
    struct mw_crew crew;
    struct mw_stopping stopping_crew;
    struct mw_admission admission; /* whom all workers let in */
    struct mw_memory_guard memory_guard;
    struct mw_reload *reload;
    struct mw_admin *admin;               /* NULL: off, or the place is taken */
    struct mw_admin_parts admin_parts;    /* what commands work on */
    struct mw_certificates *certificates; /* NULL: connections are plain */
    struct mw_alarm stop_bound;
    struct mw_worker_leftovers left;
    size_t shared_before; /* bytes that the log holds */
    bool stopping, was_signalled;
};

/* ---- the end ---- */

static void leave_at_once(struct server *server, int code)
{
    mw_admin_close(server->admin); /* which takes the socket away */
    mw_log_finish(&server->log);   /* the worker is still there */
    _exit(code);
}

static void on_stop_bound(struct mw_alarm *alarm)
{
    struct server *server = MW_OWNER(alarm, struct server, stop_bound);
    char late[MW_STOPPING_TEXT_MAX], why[MW_STOPPING_TEXT_MAX + 80];
    mw_stopping_late(&server->stopping_crew, late);
    snprintf(why, sizeof why,
             "%s did not stop in time: a script is still running; leaving without it", late);
    mw_log_note(&server->log, MW_LOG_ERROR, why);
    leave_at_once(server, MW_EXIT_FAILED);
}

/* Once, however often it is asked for. The worker is done well before the bound (drain.h). */
static void begin_drain(void *ctx, bool restart)
{
    struct server *server = ctx;
    if (server->stopping)
        return;
    server->stopping = true;
    mw_admin_commands_narrow(server->admin);
    mw_reload_close(server->reload);
    mw_certificates_close(server->certificates);
    mw_stopping_start(&server->stopping_crew, restart);
    mw_ms bound_ms = (mw_ms)(server->config->drain_timeout * 1000);
    mw_alarm_set(server->loop, &server->stop_bound, mw_loop_now(server->loop) + bound_ms);
}

static void look_again(struct server *server)
{
    mw_reload_now(server->reload);
    mw_certificates_now(server->certificates);
}

static void on_signal(void *ctx, enum mw_signal which)
{
    struct server *server = ctx;
    if (which == MW_SIGNAL_HANGUP) {
        if (!server->stopping)
            look_again(server);
    } else if (server->was_signalled) {
        mw_log_note(&server->log, MW_LOG_WARN, "a second signal: leaving at once");
        leave_at_once(server, which == MW_SIGNAL_INTERRUPT ? 130 : 143);
    } else { /* the first one after `moonwire drain` is only systemd, which cannot know of that */
        server->was_signalled = true;
        begin_drain(server, false);
    }
}

static void close_crew(struct server *server)
{
    struct mw_worker *workers = server->crew.workers;
    size_t bytes = server->crew.count * sizeof *workers;
    if (workers)
        server->left = mw_crew_close(&server->crew);
    mw_free(&server->mem, workers, bytes);
}

static void end_run(struct server *server)
{
    mw_admin_drain_over(&server->admin_parts);
    close_crew(server);
    mw_mailbox_deliver(server->mailbox); /* answers of its last moment, for who has asked then */
    mw_alarm_stop(server->loop, &server->stop_bound);
    mw_admin_close(server->admin);
    server->admin = 0;
    mw_loop_stop(server->loop);
}

static void take_worse(struct server *server, struct mw_worse *worse)
{
    if (!server->stopping)
        mw_reload_worse(server->reload, worse);
    mw_worse_free(worse);
}

static void on_mail(void *ctx, struct mw_mail *mail)
{
    struct server *server = ctx;
    struct mw_letter *letter = mw_letter_of(mail);
    switch (letter->kind) {
    case MW_LETTER_BATCH:
        mw_reload_mail(server->reload, MW_OWNER(letter, struct mw_batch, letter));
        break;
    case MW_LETTER_CERTIFICATES:
        mw_certificates_mail(server->certificates, MW_OWNER(letter, struct mw_tls_swap, letter));
        break;
    case MW_LETTER_STATUS:
        mw_admin_commands_mail(MW_OWNER(letter, struct mw_status, letter));
        break;
    case MW_LETTER_INQUIRY:
        mw_admin_why_mail(MW_OWNER(letter, struct mw_inquiry, letter));
        break;
    case MW_LETTER_WORSE:
        take_worse(server, MW_OWNER(letter, struct mw_worse, letter));
        break;
    case MW_LETTER_DRAINING:
        mw_stopping_begun(&server->stopping_crew,
                          MW_OWNER(letter, const struct mw_worker, drain.begun));
        break;
    case MW_LETTER_STOPPED:
        if (mw_stopping_over(&server->stopping_crew,
                             MW_OWNER(letter, const struct mw_worker, drain.over)))
            end_run(server);
        break;
    case MW_LETTER_HANDOVER: /* these go from worker to worker */
    case MW_LETTER_PUBLICATIONS:
    case MW_LETTER_REMOTE:
    case MW_LETTER_DRAIN: /* these go the other way */
    case MW_LETTER_LEAVE:
        break;
    }
}

/* ---- the beginning ---- */

/* The default of 1024 descriptors is for programs that talk to people, not to crowds. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_log(struct server *server)
{
    const char *format = server->config->log_format, *no_colour = getenv("NO_COLOR");
    bool terminal = isatty(STDERR_FILENO);
    bool json = !strcmp(format, "json") || (!strcmp(format, "auto") && !terminal);
    bool colour = terminal && !(no_colour && *no_colour);
    return mw_log_open(&server->log, STDERR_FILENO, json, colour, mw_config_level(server->config));
}

static void on_begun(void *ctx)
{
    struct server *server = ctx;
    mw_admin_drain_begun(&server->admin_parts);
}

static void open_stopping(struct server *server)
{
    server->stopping_crew = (struct mw_stopping){
        .loop = server->loop,
        .crew = &server->crew,
        .log = &server->log,
        .began = on_begun,
        .ctx = server,
    };
    mw_stopping_init(&server->stopping_crew);
}

static int open_parts(struct server *server)
{
    mw_mem_init(&server->mem, 0, 0);
    mw_admission_init(&server->admission, server->config,
                      mw_admission_ceiling(server->config, mw_cgroup_memory_limit("")));
    int err = mw_loop_new(&server->mem, &server->loop);
    if (err)
        return err;
    mw_alarm_init(&server->stop_bound, on_stop_bound);
    open_stopping(server);
    return mw_mailbox_open(server->loop, on_mail, server, &server->mailbox);
}

static void close_parts(struct server *server)
{
    mw_memory_guard_close(&server->memory_guard);
    if (server->signals)
        mw_signals_close(server->signals);
    if (server->mailbox)
        mw_mailbox_close(server->mailbox);
    if (!server->loop)
        return;
    mw_loop_finish(server->loop);
    server->left.handles += mw_loop_free(server->loop);
    server->left.bytes += server->mem.bytes + mw_admission_free(&server->admission);
    server->left.bytes += mw_shared_bytes() - server->shared_before;
}

static int open_certificates(struct server *server)
{
    const struct mw_certificates_setup setup = {
        .loop = server->loop,
        .config = server->config,
        .log = &server->log,
    };
    if (!mw_config_has_tls(server->config))
        return MW_EXIT_OK;
    return mw_certificates_open(&setup, &server->certificates) ? MW_EXIT_CONFIG : MW_EXIT_OK;
}

static int make_crew(struct server *server)
{
    unsigned count = mw_config_workers(server->config);
    struct mw_worker *workers = mw_alloc_zero(&server->mem, count * sizeof *workers);
    if (workers)
        mw_crew_init(&server->crew, workers, count);
    return workers ? MW_OK : MW_ERR_NOMEM;
}

static int open_crew(struct server *server)
{
    const struct mw_worker_setup setup = {
        .config = server->config,
        .engine = server->engine,
        .public_files = server->places->public_files,
        .tls = server->certificates ? mw_certificates_context(server->certificates) : 0,
        .log = &server->log,
        .admission = &server->admission,
        .server = server->mailbox,
    };
    char why[128] = "out of memory";
    int err = make_crew(server);
    if (!err)
        err = mw_crew_open(&server->crew, &setup, why);
    if (!err)
        return MW_EXIT_OK;
    struct mw_log_line line;
    mw_log_begin(&line, &server->log, MW_LOG_ERROR, mw_view_text("cannot listen"));
    mw_log_text(&line, "address", mw_view_text(server->config->listen));
    mw_log_text(&line, "error", mw_view_text(why));
    mw_log_text(&line, "hint",
                mw_view_text("--listen ADDRESS:PORT takes another one; port 0 picks a free one"));
    mw_log_say(&line,
               "cannot listen on %s: %s\n  --listen ADDRESS:PORT takes another one; port 0 picks a "
               "free one",
               server->config->listen, why);
    mw_log_end(&line);
    return err == MW_ERR_BAD_ARG ? MW_EXIT_USAGE : MW_EXIT_UNAVAILABLE;
}

static int open_reload(struct server *server, struct mw_project *project)
{
    const struct mw_reload_setup setup = {
        .loop = server->loop,
        .crew = &server->crew,
        .log = &server->log,
        .folder = server->places->scripts,
        .suffix = mw_view_text(server->engine->suffix),
        .project = project,
        .auto_rollback = server->config->auto_rollback,
    };
    if (mw_reload_open(&setup, &server->reload) == MW_OK)
        return MW_EXIT_OK;
    mw_log_note(&server->log, MW_LOG_ERROR, "the scripts cannot be watched: no memory");
    return MW_EXIT_FAILED;
}

/*
 * What the first load came to: dev goes on with whatever there is, serve wants no ambiguity and at
 * least one script.
 */
static int judge_first_load(struct server *server, const struct mw_batch *batch)
{
    size_t good = 0, conflicts = 0;
    for (size_t i = 0; i < batch->count; i++) {
        good += batch->loads[i].outcome == MW_LOAD_READY;
        conflicts += batch->loads[i].outcome == MW_LOAD_CONFLICT;
    }
    if (server->config->dev || (good && !conflicts))
        return MW_EXIT_OK;
    mw_log_note(&server->log, MW_LOG_ERROR,
                conflicts ? "two scripts want one route: not serving until that is decided"
                          : "no script could be loaded: nothing to serve");
    return MW_EXIT_CONFIG;
}

static int first_load(struct server *server, struct mw_project *project)
{
    struct mw_batch *batch = 0;
    if (mw_batch_new(0, project, &batch))
        return MW_EXIT_FAILED;
    mw_crew_load(&server->crew, batch);
    mw_reload_first(server->reload, batch);
    int code = judge_first_load(server, batch);
    mw_batch_free(batch);
    return code;
}

static void say_ready(struct server *server)
{
    const char *address = mw_listener_address(server->crew.workers[0].listener);
    char url[MW_CONFIG_TEXT_MAX + 32], page[4200];
    struct mw_log_line line;
    const char *s = server->certificates ? "s" : "";
    snprintf(url, sizeof url, "http%s://%s/", s, address);
    snprintf(page, sizeof page, "%s/index.html", server->places->public_files);
    bool has_page = access(page, R_OK) == 0;
    mw_log_begin(&line, &server->log, MW_LOG_INFO, mw_view_text("listening"));
    mw_log_text(&line, "url", mw_view_text(url));
    mw_log_text(&line, "version", mw_view_text(MOONWIRE_VERSION));
    mw_log_say(&line,
               "Moonwire %s is up\n"
               "    %s  %s\n"
               "    sockets  ws%s://%s + the route of a script above\n"
               "    scripts  %s   save a file and it is live, with every socket still open\n"
               "    Ctrl-C stops",
               MOONWIRE_VERSION, has_page ? "page   " : "http   ", url, s, address,
               server->places->scripts);
    mw_log_end(&line);
    if (server->log.json)
        mw_log_note(&server->log, MW_LOG_INFO, "ready");
}

/* Only now: until a loop runs that hears them, signals end the process as they always do. */
static int start_running(struct server *server)
{
    int err = mw_signals_open(server->loop, on_signal, server, &server->signals);
    mw_memory_guard_open(&server->memory_guard, server->loop, &server->log, &server->admission);
    if (!err && server->certificates)
        err = mw_certificates_watch(server->certificates, &server->crew);
    if (!err)
        err = mw_crew_start(&server->crew);
    if (err)
        mw_log_note(&server->log, MW_LOG_ERROR,
                    "the worker cannot be started: no memory or no thread");
    if (err && server->crew.workers[0].thread) /* it serves already, and would never be over */
        leave_at_once(server, MW_EXIT_FAILED);
    return err ? MW_EXIT_FAILED : MW_EXIT_OK;
}

/* Without ticks of the CPU clock a script could hold its worker for ever. */
static int check_ticks(struct server *server)
{
    if (!mw_cpu_tick_start())
        return MW_EXIT_OK;
    mw_log_note(
        &server->log, MW_LOG_ERROR,
        "the CPU time of scripts cannot be measured: the system gives no timer (see ulimit -i)");
    return MW_EXIT_FAILED;
}

/* A server without it serves as well, but cannot be talked to: that is worth a line. */
static void open_admin(struct server *server)
{
    char path[MW_PLACE_MAX], why[256];
    if (!mw_admin_path(server->config, path))
        return;
    server->admin_parts = (struct mw_admin_parts){ .reload = server->reload,
                                                   .crew = &server->crew,
                                                   .stopping = &server->stopping_crew,
                                                   .begin_drain = begin_drain,
                                                   .server = server };
    mw_list_init(&server->admin_parts.drains);
    if (mw_admin_commands_open(server->loop, path, &server->admin_parts, &server->admin, why) ==
        MW_OK)
        return;
    struct mw_log_line line;
    mw_log_begin(&line, &server->log, MW_LOG_WARN, mw_view_text("no admin socket"));
    mw_log_text(&line, "error", mw_view_text(why));
    mw_log_say(
        &line,
        "no admin socket: %s\n  moonwire reload, rollback and status do not reach this server; "
        "--admin-socket PATH takes another place, --admin-socket off none",
        why);
    mw_log_end(&line);
}

/* Everything up to the point where the worker's thread runs. */
static int start(struct server *server)
{
    char why[512];
    struct mw_project *project = 0;
    if (open_parts(server)) {
        mw_log_note(&server->log, MW_LOG_ERROR,
                    "no event loop: out of memory or of file descriptors");
        return MW_EXIT_FAILED;
    }
    if (mw_project_scan(server->places->scripts, mw_view_text(server->engine->suffix), &project,
                        why)) {
        mw_log_note(&server->log, MW_LOG_ERROR, why);
        return MW_EXIT_CONFIG;
    }
    if (why[0])
        mw_log_note(&server->log, MW_LOG_WARN, why);
    int code = check_ticks(server);
    if (!code)
        code = open_certificates(server);
    if (!code)
        code = open_crew(server);
    if (!code)
        code = open_reload(server, project);
    if (!code)
        code = first_load(server, project);
    if (!code)
        code = start_running(server);
    if (!code)
        open_admin(server);
    mw_project_drop(project);
    return code;
}

static void say_stopped(struct server *server)
{
    struct mw_log_line line;
    mw_log_begin(&line, &server->log, MW_LOG_INFO, mw_view_text("stopped"));
    mw_log_integer(&line, "bytes_left", (int64_t)server->left.bytes);
    mw_log_integer(&line, "handles_left", server->left.handles);
    if (server->left.bytes == 0 && server->left.handles == 0)
        mw_log_say(&line, "stopped");
    mw_log_end(&line);
}

int mw_server_run(const struct mw_config *config, const struct mw_engine *engine,
                  const struct mw_places *places)
{
    struct server server = { .config = config, .engine = engine, .places = places };
    raise_descriptor_limit();
    if (open_log(&server)) {
        fputs("moonwire: out of memory\n", stderr);
        return MW_EXIT_FAILED;
    }
    mw_crash_tell(server.log.json);
    mw_crash_thread();
    server.shared_before = mw_shared_bytes();
    int code = start(&server);
    if (code == MW_EXIT_OK) {
        say_ready(&server);
        mw_loop_run(server.loop);
    } else {
        mw_reload_close(server.reload);
        mw_certificates_close(server.certificates);
        close_crew(&server);
    }
    close_parts(&server);
    if (code == MW_EXIT_OK)
        say_stopped(&server);
    mw_log_close(&server.log);
    return code;
}
