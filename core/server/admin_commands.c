/*
 * The commands of the control channel. Each reads its request, asks the part that it concerns, and
 * answers, now or when that part is done. What they say of scripts are the lines of the log, so
 * that whoever asks and whoever reads the log read the same.
 */
#include "core/server/admin_commands.h"

#include <stdio.h>

#include "core/base/str.h"
#include "core/server/admin_drain.h"
#include "core/server/admin_why.h"
#include "core/server/report.h"

/* ---- where ---- */

bool mw_admin_path(const struct mw_config *config, char out[MW_PLACE_MAX])
{
    const char *path = config->admin_socket;
    if (!strcmp(path, "off"))
        return false;
    if (*path == '/')
        snprintf(out, MW_PLACE_MAX, "%s", path);
    else
        snprintf(out, MW_PLACE_MAX, "%.*s/%s", (int)config->dir.len, config->dir.data, path);
    return true;
}

/* ---- reload, rollback ---- */

/* A call that waits for its round. */
struct waiting {
    struct mw_reload_ask ask;
    struct mw_admin_call *call;
};

static void stop_waiting(struct waiting *waiting)
{
    mw_free(waiting->call->mem, waiting, sizeof *waiting);
}

static void on_gone(struct mw_admin_call *call)
{
    struct waiting *waiting = call->ctx;
    mw_reload_forget(&waiting->ask);
    stop_waiting(waiting);
    mw_admin_end(call);
}

/* Of a script that was named its own outcome counts, else everybody's. */
static bool is_good(const struct mw_reload_ask *ask, const struct mw_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct mw_load *load = &batch->loads[i];
        bool counts = !ask->script.len || mw_view_equal(ask->script, load->name);
        if (counts && mw_report_is_refusal(load))
            return false;
    }
    return true;
}

/* The report once more, into a buffer. */
static void write_report(struct mw_buf *out, const struct mw_batch *batch, bool as_json)
{
    struct mw_log log;
    mw_log_capture(&log, as_json, out);
    mw_report_batch(&log, batch);
}

/* "text" for people, "lines" for programs. */
static void put_report(struct mw_json_writer *json, struct mw_mem *mem,
                       const struct mw_batch *batch)
{
    struct mw_buf text, lines;
    mw_buf_init(&text, mem, 0);
    mw_buf_init(&lines, mem, 0);
    write_report(&text, batch, false);
    write_report(&lines, batch, true);
    mw_jw_pair(json, "text", mw_view(text.data, text.len ? text.len - 1 : 0));
    mw_jw_key(json, mw_view_text("lines"));
    mw_jw_array(json);
    struct mw_view rest = mw_buf_view(&lines), line;
    while (mw_view_split(&rest, '\n', &line) && line.len)
        mw_jw_raw(json, line);
    mw_jw_array_end(json);
    mw_buf_free(&text);
    mw_buf_free(&lines);
}

static void on_done(struct mw_reload_ask *ask, const struct mw_batch *batch, const char *why)
{
    struct waiting *waiting = MW_OWNER(ask, struct waiting, ask);
    struct mw_admin_call *call = waiting->call;
    if (batch) {
        struct mw_json_writer *json = mw_admin_answer(call, is_good(ask, batch));
        put_report(json, call->mem, batch);
        stop_waiting(waiting);
        mw_admin_end(call);
        return;
    }
    char text[512];
    snprintf(text, sizeof text, "%s", why);
    stop_waiting(waiting);
    mw_admin_refuse(call, text, "");
}

static void ask(struct mw_admin_parts *parts, struct mw_admin_call *call,
                const struct mw_reload_ask *what)
{
    struct waiting *waiting = mw_alloc_zero(call->mem, sizeof *waiting);
    if (!waiting) {
        mw_admin_refuse(call, "out of memory", "");
        return;
    }
    waiting->ask = *what;
    waiting->ask.done = on_done;
    waiting->call = call;
    call->ctx = waiting;
    call->gone = on_gone;
    mw_reload_ask(parts->reload, &waiting->ask);
}

static void run_reload(void *ctx, struct mw_admin_call *call)
{
    struct mw_reload_ask what = { .back = false };
    if (mw_admin_text(call, "script", &what.script))
        ask(ctx, call, &what);
    else
        mw_admin_refuse(call, "\"script\" has to be a text", "\"chat.lua\", or leave it out");
}

static void run_rollback(void *ctx, struct mw_admin_call *call)
{
    struct mw_reload_ask what = { .back = true };
    bool has_script = mw_admin_text(call, "script", &what.script) && what.script.len;
    bool has_to = mw_admin_number(call, "to", &what.to) && what.to >= 0;
    if (!has_script)
        mw_admin_refuse(call, "\"script\" is missing", "name the script: \"chat.lua\"");
    else if (!has_to)
        mw_admin_refuse(call, "\"to\" has to be the number of a version", "");
    else
        ask(ctx, call, &what);
}

/* ---- status ---- */

/* The letter comes back all the same, and finds nobody. */
static void on_asker_gone(struct mw_admin_call *call)
{
    struct mw_status *status = call->ctx;
    status->asker = 0;
    mw_admin_end(call);
}

/* The letter is the worker's until it is back; `asker` alone stays this thread's. */
static void run_status(void *ctx, struct mw_admin_call *call)
{
    struct mw_admin_parts *parts = ctx;
    struct mw_status *status = mw_status_new(call);
    if (!status) {
        mw_admin_refuse(call, "out of memory", "");
        return;
    }
    call->ctx = status;
    call->gone = on_asker_gone;
    mw_crew_send(parts->crew, &status->letter);
}

static void tell_status(struct mw_admin_call *call, const struct mw_status *status)
{
    struct mw_buf text;
    mw_buf_init(&text, call->mem, 0);
    if (!status->is_whole || mw_status_text(status, &text)) {
        mw_buf_free(&text);
        mw_admin_refuse(call, "out of memory", "");
        return;
    }
    struct mw_json_writer *json = mw_admin_answer(call, true);
    mw_jw_pair(json, "text", status->count ? mw_buf_view(&text) : mw_view_text("no script"));
    mw_jw_key(json, mw_view_text("process"));
    mw_status_process_json(status, json);
    mw_jw_key(json, mw_view_text("scripts"));
    mw_status_json(status, json);
    mw_buf_free(&text);
    mw_admin_end(call);
}

void mw_admin_commands_mail(struct mw_status *status)
{
    if (status->asker)
        tell_status(status->asker, status);
    mw_status_free(status);
}

/* ---- help ---- */

static void run_help(void *ctx, struct mw_admin_call *call);

static const struct mw_admin_command commands[] = {
    { "reload", run_reload, "load what has changed; with \"script\" that one, changed or not" },
    { "rollback", run_rollback, "\"script\" to the version before, or \"to\" one of the last two" },
    { "status", run_status, "how each script fares: counters, and the last fault with its stack" },
    { "why", mw_admin_why,
      "what is known of the connection \"id\", or of the \"last\" so many ends" },
    { "closes", mw_admin_closes, "the ends of the last hour by script, code and cause" },
    { "metrics", mw_admin_metrics, "counters for monitoring: \"text\" as Prometheus reads it" },
    { "close", mw_admin_close_conn, "the connection \"id\", perhaps with \"code\" and \"reason\"" },
    { "drain", mw_admin_run_drain,
      "end the server in order; \"restart\": it comes back, \"wait\": answer at the end" },
    { "help", run_help, "this list" },
    { 0 },
};

static void run_help(void *ctx, struct mw_admin_call *call)
{
    (void)ctx;
    struct mw_json_writer *json = mw_admin_answer(call, true);
    mw_jw_key(json, mw_view_text("commands"));
    mw_jw_object(json);
    for (const struct mw_admin_command *command = commands; command->name; command++)
        mw_jw_pair(json, command->name, mw_view_text(command->help));
    mw_jw_object_end(json);
    mw_admin_end(call);
}

void mw_admin_commands_narrow(struct mw_admin *admin)
{
    /* Those that only look: what is told of a drain is who asks why. */
    static const char *const names[] = { "drain", "why", "closes", "status", "metrics", "help", 0 };
    mw_admin_narrow(admin, names, "the server is stopping");
}

int mw_admin_commands_open(struct mw_loop *loop, const char *path, struct mw_admin_parts *parts,
                           struct mw_admin **out, char why[256])
{
    const struct mw_admin_setup setup = {
        .loop = loop,
        .path = path,
        .commands = commands,
        .ctx = parts,
    };
    return mw_admin_open(&setup, out, why);
}
