/*
 * Calls that wait for the drain: for its beginning, when the workers have counted, and for its end.
 * The server does the rest, as at a signal.
 */
#include "core/server/admin_drain.h"

#include <stdio.h>

#include "core/proto/close.h"
#include "core/server/drain_say.h"

struct waiting {
    struct mw_link link; /* of parts->drains */
    struct mw_admin_call *call;
    bool wants_end; /* else the beginning is the answer */
};

static void end_call(struct waiting *waiting)
{
    struct mw_admin_call *call = waiting->call;
    mw_list_remove(&waiting->link);
    mw_free(call->mem, waiting, sizeof *waiting);
    mw_admin_end(call);
}

static void on_gone(struct mw_admin_call *call)
{
    end_call(call->ctx);
}

/* ---- what is said ---- */

static void put_facts(struct mw_json_writer *json, const struct mw_drain_facts *facts)
{
    mw_ms lead_ms = mw_drain_lead_ms(facts);
    const struct mw_return_plan plan =
        mw_return_plan(facts->connections, facts->rate_per_s, lead_ms, facts->timeout_ms);
    mw_ms returns_ms = mw_return_slot(&plan, plan.count).after_ms;
    double grace_s = (double)facts->grace_ms / 1000, timeout_s = (double)facts->timeout_ms / 1000;
    unsigned code = facts->restart ? MW_CLOSE_RESTART : MW_CLOSE_GOING_AWAY;
    char text[256];
    snprintf(text, sizeof text,
             "draining: %zu connections, new ones for %g s more; closed with %u, asked back after "
             "%.1f to %.1f s, %llu a second; gone in %g s at the latest",
             facts->connections, grace_s, code, (double)lead_ms / 1000, (double)returns_ms / 1000,
             (unsigned long long)facts->rate_per_s, timeout_s);
    mw_jw_pair(json, "text", mw_view_text(text));
    mw_jw_pair_integer(json, "connections", (int64_t)facts->connections);
    mw_jw_pair_integer(json, "code", code);
    mw_jw_pair_integer(json, "rate", (int64_t)facts->rate_per_s);
    mw_jw_pair_integer(json, "grace_ms", (int64_t)facts->grace_ms);
    mw_jw_pair_integer(json, "returns_ms", (int64_t)returns_ms);
    mw_jw_pair_integer(json, "timeout_ms", (int64_t)facts->timeout_ms);
}

static void put_tally(struct mw_json_writer *json, const struct mw_drain_tally *tally)
{
    char cut[MW_DRAIN_TEXT_MAX], owed[64] = "", text[MW_DRAIN_TEXT_MAX + 256];
    mw_drain_cut_text(tally, cut);
    if (tally->owed)
        snprintf(owed, sizeof owed, "; %zu on_close were not called", tally->owed);
    snprintf(text, sizeof text,
             "drained in %.1f s: %zu told, %zu closed cleanly, %zu did not answer%s%s%s",
             (double)tally->took_ms / 1000, tally->told, tally->clean, tally->unanswered,
             *cut ? "; " : "", cut, owed);
    mw_jw_pair(json, "text", mw_view_text(text));
    mw_jw_pair_integer(json, "told", (int64_t)tally->told);
    mw_jw_pair_integer(json, "clean", (int64_t)tally->clean);
    mw_jw_pair_integer(json, "unanswered", (int64_t)tally->unanswered);
    mw_jw_pair_integer(json, "cut", (int64_t)mw_drain_count_cut(tally));
    mw_jw_pair_integer(json, "owed", (int64_t)tally->owed);
    mw_jw_pair_integer(json, "took_ms", (int64_t)tally->took_ms);
}

/* ---- when ---- */

static void tell_begun(struct mw_admin_parts *parts, struct waiting *waiting)
{
    const struct mw_drain_facts *facts = &parts->stopping->facts;
    if (waiting->wants_end) {
        put_facts(mw_admin_event(waiting->call, "draining"), facts);
        mw_admin_event_end(waiting->call);
    } else {
        put_facts(mw_admin_answer(waiting->call, true), facts);
        end_call(waiting);
    }
}

static void for_each(struct mw_admin_parts *parts,
                     void (*act)(struct mw_admin_parts *parts, struct waiting *waiting))
{
    struct mw_link *link = parts->drains.next, *next;
    for (; link && link != &parts->drains; link = next) {
        next = link->next;
        act(parts, MW_OWNER(link, struct waiting, link));
    }
}

void mw_admin_drain_begun(struct mw_admin_parts *parts)
{
    parts->has_begun = true;
    for_each(parts, tell_begun);
}

static void tell_over(struct mw_admin_parts *parts, struct waiting *waiting)
{
    put_tally(mw_admin_answer(waiting->call, true), &parts->stopping->tally);
    end_call(waiting);
}

void mw_admin_drain_over(struct mw_admin_parts *parts)
{
    for_each(parts, tell_over);
}

/* ---- the request ---- */

void mw_admin_run_drain(void *ctx, struct mw_admin_call *call)
{
    struct mw_admin_parts *parts = ctx;
    bool restart, wait;
    if (!mw_admin_flag(call, "restart", &restart) || !mw_admin_flag(call, "wait", &wait)) {
        mw_admin_refuse(call, "\"restart\" and \"wait\" have to be true or false", "");
        return;
    }
    struct waiting *waiting = mw_alloc_zero(call->mem, sizeof *waiting);
    if (!waiting) {
        mw_admin_refuse(call, "out of memory", "");
        return;
    }
    *waiting = (struct waiting){ .call = call, .wants_end = wait };
    call->ctx = waiting;
    call->gone = on_gone;
    mw_list_init(&waiting->link);
    mw_list_push(&parts->drains, &waiting->link);
    parts->begin_drain(parts->server, restart);
    if (parts->has_begun)
        tell_begun(parts, waiting);
}
