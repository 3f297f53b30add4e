/*
 * The report of a load: one line of the log each. Decides nothing. Called by reload, by server for
 * the first load, and by admin_commands with a log that is the answer to who has asked.
 */
#include "core/server/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* "(as v7)" where the sources are those of v7. */
static void name_source(const struct mw_load *load, char out[24])
{
    out[0] = '\0';
    if (load->as)
        snprintf(out, 24, " (as v%u)", load->as);
}

/* "  rebuilt: 391 connections and 12 of 13 keys of state carried" */
static void name_rebuild(const struct mw_load *load, char out[128])
{
    const struct mw_carried *carried = &load->carried;
    out[0] = '\0';
    if (load->rebuilt)
        snprintf(out, 128, "  rebuilt: %zu connection%s and %zu of %zu keys of state carried",
                 carried->conns, carried->conns == 1 ? "" : "s", carried->keys, carried->all_keys);
}

static void put_rebuild(struct mw_log_line *line, const struct mw_carried *carried)
{
    mw_log_integer(line, "carried_conns", (int64_t)carried->conns);
    mw_log_integer(line, "carried_keys", (int64_t)carried->keys);
    mw_log_integer(line, "state_keys", (int64_t)carried->all_keys);
    mw_log_integer(line, "left_out", (int64_t)carried->left_out);
}

static void say_done(struct mw_log_line *line, const struct mw_batch *batch,
                     const struct mw_load *load, double ms)
{
    char as[24], rebuilt[128];
    name_source(load, as);
    name_rebuild(load, rebuilt);
    int len = (int)load->name.len;
    if (load->from == 0)
        mw_log_say(line, "%.*s v%u  %s  %.1f ms", len, load->name.data, load->to, load->pattern,
                   ms);
    else
        mw_log_say(line, "%.*s v%u \u2192 v%u%s  %.1f ms  %zu kept \u00b7 %zu dropped%s%s%s", len,
                   load->name.data, load->from, load->to, as, ms, load->kept, load->dropped,
                   rebuilt, *batch->why ? ": " : "", batch->why);
}

/* Enough of the hash to tell two versions apart by eye. */
static void put_hash(struct mw_log_line *line, const struct mw_load *load)
{
    char hash[17];
    snprintf(hash, sizeof hash, "%016" PRIx64, load->hash);
    mw_log_text(line, "hash", mw_view(hash, 8));
}

static void report_done(struct mw_log *log, const struct mw_batch *batch,
                        const struct mw_load *load)
{
    double ms = load->prepare_ms + load->commit_ms;
    bool first = load->from == 0;
    const char *what = first ? "loaded" : load->as ? "rolled back" : "reloaded";
    struct mw_log_line line;
    mw_log_begin(&line, log, *batch->why ? MW_LOG_WARN : MW_LOG_INFO, mw_view_text(what));
    mw_log_text(&line, "script", load->name);
    mw_log_text(&line, "route", mw_view_text(load->pattern));
    if (!first)
        mw_log_integer(&line, "from", load->from);
    mw_log_integer(&line, "v", load->to);
    if (load->as)
        mw_log_integer(&line, "as", load->as);
    put_hash(&line, load);
    mw_log_number(&line, "ms", (double)(int64_t)(ms * 100) / 100);
    mw_log_integer(&line, "kept", (int64_t)load->kept);
    mw_log_integer(&line, "dropped", (int64_t)load->dropped);
    if (load->rebuilt)
        put_rebuild(&line, &load->carried);
    if (*batch->why)
        mw_log_text(&line, "why", mw_view_text(batch->why));
    say_done(&line, batch, load, ms);
    mw_log_end(&line);
}

static void report_removed(struct mw_log *log, const struct mw_load *load)
{
    struct mw_log_line line;
    mw_log_begin(&line, log, MW_LOG_WARN, mw_view_text("script removed"));
    mw_log_text(&line, "script", load->name);
    mw_log_integer(&line, "v", load->from);
    mw_log_integer(&line, "closed", (int64_t)load->dropped);
    mw_log_say(&line, "%.*s is gone: its route has ended, %zu connection%s closed with 1001",
               (int)load->name.len, load->name.data, load->dropped,
               load->dropped == 1 ? " was" : "s were");
    mw_log_end(&line);
}

/* What loads in one worker and not in the next has looked at something that differs. */
static void say_one_worker(unsigned number, char *out, size_t room)
{
    snprintf(out, room, "; worker %u has refused it, %s before it had it ready", number,
             number == 1 ? "the one" : "those");
}

static void report_refused(struct mw_log *log, const struct mw_load *load)
{
    static const struct mw_fault no_memory = { .message = "out of memory" };
    struct mw_fault fault = load->fault ? *load->fault : no_memory;
    bool first = load->from == 0;
    const char *what = first ? "load refused" : load->as ? "rollback refused" : "reload refused";
    char so[200] = "its route answers 503 until the file is mended";
    if (!first)
        snprintf(so, sizeof so, "v%u goes on serving", load->from);
    if (load->refused_by > 0)
        say_one_worker(load->refused_by, so + strlen(so), sizeof so - strlen(so));
    fault.version = load->from;
    const struct mw_log_fault_facts facts = {
        .script = load->name,
        .route = load->pattern,
        .what = what,
        .so = so,
    };
    mw_log_fault(log, &facts, &fault);
}

/* It was sound, but another script that uses the same changed library was not. */
static void report_held_back(struct mw_log *log, const struct mw_load *load)
{
    struct mw_log_line line;
    mw_log_begin(&line, log, MW_LOG_WARN, mw_view_text("reload held back"));
    mw_log_text(&line, "script", load->name);
    mw_log_integer(&line, "v", load->from);
    mw_log_say(&line,
               "%.*s stays at v%u: a library changed, and another script that uses it was refused",
               (int)load->name.len, load->name.data, load->from);
    mw_log_end(&line);
}

void mw_report_batch(struct mw_log *log, const struct mw_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct mw_load *load = &batch->loads[i];
        switch (load->outcome) {
        case MW_LOAD_UNTOUCHED:
            break;
        case MW_LOAD_READY:
            if (load->commit)
                report_done(log, batch, load);
            else
                report_held_back(log, load);
            break;
        case MW_LOAD_REMOVED:
            report_removed(log, load);
            break;
        case MW_LOAD_FAULT:
        case MW_LOAD_CONFLICT:
            report_refused(log, load);
            break;
        }
    }
}

bool mw_report_is_refusal(const struct mw_load *load)
{
    switch (load->outcome) {
    case MW_LOAD_UNTOUCHED:
    case MW_LOAD_REMOVED:
        return false;
    case MW_LOAD_READY:
        return !load->commit;
    case MW_LOAD_FAULT:
    case MW_LOAD_CONFLICT:
        return true;
    }
    return true;
}

void mw_report_worse(struct mw_log *log, struct mw_view script, unsigned version, const char *why)
{
    char hint[192];
    snprintf(hint, sizeof hint, "moonwire rollback %.*s",
             (int)(script.len < 160 ? script.len : 160), script.data);
    struct mw_log_line line;
    mw_log_begin(&line, log, MW_LOG_WARN, mw_view_text("version fails more often"));
    mw_log_text(&line, "script", script);
    mw_log_integer(&line, "v", version);
    mw_log_text(&line, "why", mw_view_text(why));
    mw_log_text(&line, "hint", mw_view_text(hint));
    mw_log_say(&line, "%.*s v%u  is worse than what it has replaced: %s\n  to go back: %s",
               (int)script.len, script.data, version, why, hint);
    mw_log_end(&line);
}
