/*
 * The last word before a connection is closed by the server: decide_close, advise_reconnect, and
 * what stands in for both. Called by ws_driver when the machine asks, never from within a call of
 * the app; how a connection comes to its end is the others' business.
 *
 * Code and reason: the script's for an end that it wanted, else decide_close's, else those of
 * cause.def. Advice: the one that came with them, else advise_reconnect's, else that of M.codes for
 * the code, else that of who began the end (a drain's slot), else cause.def's.
 */
#include "core/server/farewell.h"

#include "core/base/utf8.h"
#include "core/server/ending.h"
#include "core/server/fair.h"
#include "core/server/worker.h"

/*
 * The app knows of it and may be called at all. Who is turned away because there is no more memory
 * is not asked about.
 */
static bool can_be_asked(const struct mw_client *client, enum mw_cause cause)
{
    return client->asked && !mw_route_is_held(client->route) && cause != MW_CAUSE_out_of_memory &&
           mw_drain_may_ask(client->worker);
}

static bool ask_to_decide(struct mw_client *client, const struct mw_end *end,
                          struct mw_farewell *said)
{
    unsigned begun = mw_fair_begin(client->route);
    bool has_decided = client->worker->engine->decide(client->route->app, client->id, end, said);
    mw_fair_end(client->route, begun);
    return has_decided;
}

static struct mw_advice ask_for_advice(struct mw_client *client, const struct mw_end *end)
{
    unsigned begun = mw_fair_begin(client->route);
    struct mw_advice advice = client->worker->engine->advise(client->route->app, client->id, end);
    mw_fair_end(client->route, begun);
    return advice;
}

/* Where the script itself has not said when to come back, or could not be asked. */
static struct mw_advice standing_advice(const struct mw_client *client, unsigned code)
{
    const struct mw_route_spec *spec = client->route->spec;
    const struct mw_code_spec *own = mw_route_spec_code(spec, code);
    const struct mw_conn_end *ending = mw_conn_ending(&client->conn);
    if (own && own->advice.kind != MW_ADVICE_NONE)
        return own->advice;
    if (ending->advice.kind != MW_ADVICE_NONE)
        return ending->advice;
    return mw_cause_row(ending->cause)->advice;
}

/* It has waited for its script's turn as long as is allowed. */
static bool is_late(const struct mw_client *client)
{
    return client->ending_due_ms && mw_loop_now(client->worker->loop) >= client->ending_due_ms;
}

static void tell_of_late(const struct mw_client *client, enum mw_cause cause)
{
    struct mw_worker *worker = client->worker;
    const struct mw_route *route = client->route;
    char id[17];
    struct mw_log_line line;
    mw_id_text(client->id, id);
    mw_rare_begin(&worker->undecided, mw_loop_now(worker->loop), &line, worker->log, MW_LOG_WARN,
                  "no last word of the script");
    mw_log_text(&line, "conn", mw_view_text(id));
    mw_log_text(&line, "script", route->name);
    mw_log_integer(&line, "v", route->version);
    mw_log_text(&line, "cause", mw_view_text(mw_cause_row(cause)->name));
    mw_log_end(&line);
}

/* The hooks that there are to be asked. */
struct questions {
    bool decide, advise;
};

static struct questions questions_of(const struct mw_client *client, enum mw_cause cause)
{
    const struct mw_route_spec *spec = client->route->spec;
    if (!can_be_asked(client, cause))
        return (struct questions){ 0 };
    return (struct questions){ spec->decides_closes && cause != MW_CAUSE_script_close,
                               spec->advises };
}

bool mw_farewell_say(struct mw_client *client)
{
    const struct mw_conn_end *ending = mw_conn_ending(&client->conn);
    struct questions ask = questions_of(client, ending->cause);
    char reason[MW_CLOSE_REASON_MAX];
    struct mw_ending_room room;
    struct mw_farewell said = { 0 };
    struct mw_end end;
    if ((ask.decide || ask.advise) && is_late(client)) {
        tell_of_late(client, ending->cause);
        ask = (struct questions){ 0 };
    }
    if ((ask.decide || ask.advise) && !mw_fair_may_call(client->route))
        return false;
    mw_ending_describe(client, &room, &end);
    if (ask.decide && ask_to_decide(client, &end, &said)) {
        /* The next call of the engine takes it away. */
        end.code = said.code;
        end.reason = mw_utf8_cut(said.reason, sizeof reason);
        if (end.reason.len)
            memcpy(reason, end.reason.data, end.reason.len);
        end.reason.data = reason;
    } else if (ending->cause == MW_CAUSE_script_close) {
        said.advice = ending->advice;
    }
    /* What decide_close did may have been the last straw. */
    if (said.advice.kind == MW_ADVICE_NONE && ask.advise && !mw_route_is_held(client->route))
        said.advice = ask_for_advice(client, &end);
    if (said.advice.kind == MW_ADVICE_NONE)
        said.advice = standing_advice(client, end.code);
    mw_conn_decide(&client->conn, end.code, end.reason, &said.advice,
                   mw_loop_now(client->worker->loop));
    return true;
}
