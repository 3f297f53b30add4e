/*
 * From a connection that has ended to everything that is said of it. Called by ws_driver, once for
 * each end, and by inquiry for connections that live. Changes nothing of the connection.
 */
#include "core/server/ending.h"

#include <stdio.h>

#include "core/base/clock.h"
#include "core/proto/close_catalog.h"
#include "core/proto/rule.h"
#include "core/server/client.h"
#include "core/server/crew.h"
#include "core/server/ending_limit.h"
#include "core/server/worker.h"

static mw_ms now(const struct mw_client *client)
{
    return mw_loop_now(client->worker->loop);
}

static double seconds(mw_ms ms)
{
    return (double)ms / 1000.0;
}

/* ---- for the app ---- */

static size_t put_hex(char *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    return 2 * len;
}

void mw_ending_describe(const struct mw_client *client, struct mw_ending_room *room,
                        struct mw_end *end)
{
    const struct mw_conn *conn = &client->conn;
    const struct mw_conn_end *ending = mw_conn_ending(conn);
    const struct mw_cause_row *row = mw_cause_row(ending->cause);
    *end = (struct mw_end){
        .code = ending->code,
        .reason = mw_view(ending->reason, ending->reason_len),
        .who = mw_who_name(row->who),
        .cause = row->name,
        .rule = mw_rule_text(ending->rule),
        .detail = mw_view_text(ending->cause == MW_CAUSE_tls_error && client->stream
                                   ? mw_stream_fault(client->stream)
                                   : ""),
        .bytes = mw_view(room->hex, put_hex(room->hex, ending->bytes, ending->bytes_len)),
        .lasted_s = seconds(now(client) - conn->opened_ms),
        .silent_s = seconds(now(client) - conn->last_read_ms),
        .sent = conn->messages_sent,
        .received = conn->messages_received,
        .pings_unanswered = conn->pings_unanswered,
        .clean = ending->clean,
    };
}

/* ---- for the log ---- */

/* A client, a script or an administrator chose the code, so it says nothing about us. */
static bool is_chosen(enum mw_cause cause)
{
    return cause == MW_CAUSE_peer_close || cause == MW_CAUSE_script_close ||
           cause == MW_CAUSE_admin_close;
}

/* What the code's row says, but what was chosen wakes nobody. */
static enum mw_log_level level_of(enum mw_cause cause, unsigned code)
{
    static const enum mw_log_level levels[] = {
        [MW_CLOSE_DEBUG] = MW_LOG_DEBUG,
        [MW_CLOSE_INFO] = MW_LOG_INFO,
        [MW_CLOSE_WARN] = MW_LOG_WARN,
        [MW_CLOSE_ERROR] = MW_LOG_ERROR,
    };
    enum mw_log_level level = levels[mw_close_row(code)->level];
    if (cause == MW_CAUSE_drain)
        return MW_LOG_DEBUG;
    return is_chosen(cause) && level > MW_LOG_INFO ? MW_LOG_INFO : level;
}

/* What the script says of a code of its own; NULL: nothing. */
static const struct mw_code_spec *own_code(const struct mw_client *client, unsigned code)
{
    const struct mw_route_spec *spec = client->route->spec;
    return spec ? mw_route_spec_code(spec, code) : 0;
}

static void log_end(struct mw_client *client, const struct mw_end *end)
{
    struct mw_log_line line;
    enum mw_log_level level = level_of(mw_conn_ending(&client->conn)->cause, end->code);
    char id[17], ip[MW_IP_TEXT_LEN];
    mw_log_begin(&line, client->worker->log, level, mw_view_text("closed"));
    if (!line.log)
        return;
    const struct mw_code_spec *own = own_code(client, end->code);
    mw_id_text(client->id, id);
    mw_log_text(&line, "conn", mw_view_text(id));
    mw_log_text(&line, "script", client->route->name);
    mw_log_integer(&line, "v", client->route->version);
    mw_log_text(&line, "path", mw_facts_path(client->facts));
    mw_log_text(&line, "ip", mw_client_ip(client, ip));
    mw_log_integer(&line, "code", end->code);
    mw_log_text(&line, "name",
                own && own->name.len ? own->name : mw_view_text(mw_close_code_name(end->code)));
    mw_log_text(&line, "who", mw_view_text(end->who));
    mw_log_text(&line, "cause", mw_view_text(end->cause));
    if (end->reason.len)
        mw_log_text(&line, "reason", end->reason);
    if (*end->rule)
        mw_log_text(&line, "rule", mw_view_text(end->rule));
    if (end->detail.len)
        mw_log_text(&line, "detail", end->detail);
    if (end->bytes.len)
        mw_log_text(&line, "bytes", end->bytes);
    mw_log_number(&line, "lasted", end->lasted_s);
    mw_log_number(&line, "silent", end->silent_s);
    mw_log_integer(&line, "pings_unanswered", end->pings_unanswered);
    mw_log_integer(&line, "received", (int64_t)end->received);
    mw_log_integer(&line, "sent", (int64_t)end->sent);
    mw_log_end(&line);
}

/* ---- for who asks ---- */

static const char *state_of(const struct mw_client *client)
{
    const struct mw_route *route = client->route;
    if (client->unasked)
        return "opening: others go first, on_open has not been called";
    if (client->phase == MW_CLIENT_OPENING)
        return "opening: on_open waits";
    if (client->phase == MW_CLIENT_AWAY)
        return "away: the network has cut it off, and its client may come back";
    if (client->conn.phase == MW_CONN_DECIDING)
        return "closing: the script has not had its turn to say with which code";
    if (client->conn.phase == MW_CONN_CLOSE_SENT)
        return "closing: a Close frame was sent, the client's is awaited";
    if (client->ending)
        return "closing: the client has closed, what it said before is still being heard";
    if (route->quarantine.paused)
        return "open: the script is paused, what the client says waits";
    if (client->busy)
        return "open: a handler waits";
    if (mw_conn_is_choked(&client->conn))
        return "open: reading has stopped until it takes its answers";
    return client->stalled ? "open: reading has stopped until the script is ready" : "open";
}

static struct mw_view fault_of(const struct mw_client *client, struct mw_ending_room *room)
{
    const struct mw_fault *fault = &client->route->faults.last;
    if (!fault->version || fault->conn != client->id)
        return mw_view(0, 0);
    int len = snprintf(room->fault, sizeof room->fault, "%s, %s:%d: %s", fault->handler,
                       fault->file, fault->line, fault->message);
    return mw_view(room->fault,
                   len < (int)sizeof room->fault ? (size_t)len : sizeof room->fault - 1);
}

static void put_part(const struct mw_conn_reading *reading, struct mw_end_record *facts)
{
    if (!reading || !reading->reader.in_frame || reading->reader.dead)
        return;
    const struct mw_reader *reader = &reading->reader;
    facts->part_have = mw_reader_partial(reader);
    facts->part_of = reader->head.size + reader->head.len;
}

void mw_ending_look(const struct mw_client *client, struct mw_ending_room *room,
                    struct mw_end_record *facts)
{
    const struct mw_conn *conn = &client->conn;
    struct mw_end end = { .rule = "" };
    bool has_begun = mw_conn_ending(conn) != NULL;
    if (has_begun)
        mw_ending_describe(client, room, &end);
    const struct mw_code_spec *own = has_begun ? own_code(client, end.code) : 0;
    *facts = (struct mw_end_record){
        .id = client->id,
        .state = state_of(client),
        .is_live = true,
        .is_clean = end.clean,
        .at_ms = now(client),
        .at_unix_ms = mw_clock_unix_ms(),
        .version = client->route->version,
        .code = end.code,
        .cause = has_begun ? mw_conn_ending(conn)->cause : MW_CAUSE_COUNT,
        .lasted_ms = now(client) - conn->opened_ms,
        .silent_ms = now(client) - conn->last_read_ms,
        .ping_ms = client->route->limits.ping_ms,
        .pings_unanswered = conn->pings_unanswered,
        .rtt_ms = conn->rtt_ms,
        .sent = conn->messages_sent,
        .received = conn->messages_received,
        .dropped = mw_conn_dropped(conn),
        .replaced = mw_conn_replaced(conn),
        .queued = mw_conn_queued(conn),
        .script = client->route->name,
        .route = mw_view_text(client->route->pattern.text),
        .path = mw_facts_path(client->facts),
        .ip = mw_client_ip(client, room->ip),
        .reason = end.reason,
        .rule = mw_view_text(end.rule),
        .detail = end.detail,
        .bytes = end.bytes,
        .name = own ? own->name : mw_view_text(""),
        .fix = own ? own->fix : mw_view_text(""),
        .fault = fault_of(client, room),
        .flight = room->flight,
        .flight_count = mw_flight_copy(conn->flight, room->flight),
    };
    put_part(conn->reading, facts);
    mw_ending_limit(facts, &client->route->limits, client->worker->config);
}

/* ---- what many ends show ---- */

static void hint_silence(const struct mw_cut_finding *finding, mw_ms ping_ms, char *out,
                         size_t size)
{
    if (ping_ms != MW_NEVER && ping_ms < finding->after_ms)
        snprintf(out, size,
                 "pings go out every %g s and were not answered meanwhile: the path carries "
                 "nothing by then, or the clients do not answer",
                 seconds(ping_ms));
    else
        snprintf(out, size, "set limits.ping below that, for instance %u", finding->better_s);
}

static void log_finding(const struct mw_client *client, const struct mw_cut_finding *finding)
{
    const struct mw_route *route = client->route;
    bool is_silence = finding->kind == MW_CUT_SILENCE;
    const char *route_text = route->pattern.text ? route->pattern.text : "";
    char hint[256];
    if (is_silence)
        hint_silence(finding, route->limits.ping_ms, hint, sizeof hint);
    else
        snprintf(
            hint, sizeof hint,
            "set limits.age below that, for instance %u, so that clients are told to come back",
            finding->better_s);
    struct mw_log_line line;
    mw_log_begin(&line, client->worker->log, MW_LOG_WARN,
                 mw_view_text(is_silence ? "idle limit on the path" : "age limit on the path"));
    mw_log_text(&line, "script", route->name);
    mw_log_text(&line, "route", mw_view_text(route_text));
    mw_log_integer(&line, "times", finding->moments);
    mw_log_number(&line, is_silence ? "silent" : "lasted", seconds(finding->after_ms));
    if (*finding->known)
        mw_log_text(&line, "known", mw_view_text(finding->known));
    mw_log_text(&line, "hint", mw_view_text(hint));
    mw_log_say(&line,
               "connections of %s died after %.4g s of %s, %u times: something on the path cuts %s "
               "ones%s%s%s\n  %s",
               route_text, seconds(finding->after_ms), is_silence ? "silence" : "life",
               finding->moments, is_silence ? "idle" : "old", *finding->known ? " (" : "",
               finding->known, *finding->known ? ")" : "", hint);
    mw_log_end(&line);
}

static void note_death(struct mw_client *client, const struct mw_end_record *facts)
{
    struct mw_route *route = client->route;
    struct mw_cut_finding finding;
    const struct mw_cut_death death = {
        .at_ms = facts->at_ms,
        .silent_ms = facts->silent_ms,
        .lasted_ms = facts->lasted_ms,
        .by_timeout =
            facts->cause == MW_CAUSE_ping_timeout || facts->cause == MW_CAUSE_write_timeout,
    };
    if (mw_cause_row(facts->cause)->who != MW_WHO_NETWORK)
        return;
    if (!route->cuts)
        route->cuts = mw_alloc_zero(&route->worker->mem, sizeof *route->cuts);
    if (route->cuts && mw_cuts_note(route->cuts, &death, &finding))
        log_finding(client, &finding);
}

void mw_ending_forget(struct mw_route *route)
{
    mw_free(&route->worker->mem, route->cuts, sizeof *route->cuts);
    route->cuts = 0;
}

/* ---- all of it ---- */

void mw_ending_tell(struct mw_client *client, const struct mw_end *end, struct mw_ending_room *room)
{
    struct mw_worker *worker = client->worker;
    struct mw_end_record facts;
    uint64_t nth = atomic_fetch_add(&worker->crew->ends, 1) + 1; /* before others can know of it */
    log_end(client, end);
    mw_ending_look(client, room, &facts);
    facts.nth = nth;
    facts.is_live = false;
    facts.state = "closed";
    mw_ends_add(&worker->ends, &facts);
    mw_end_counts_add(&worker->end_counts, facts.script, facts.code, facts.cause, facts.at_ms);
    mw_metrics_count_end(client->route->metrics.cells, facts.code, facts.cause, facts.lasted_ms,
                         client->phase == MW_CLIENT_OPEN || client->phase == MW_CLIENT_AWAY);
    if (client->phase != MW_CLIENT_AWAY) /* it was noted when it happened */
        note_death(client, &facts);
}

void mw_ending_cut(struct mw_client *client)
{
    struct mw_ending_room room;
    struct mw_end_record facts;
    mw_ending_look(client, &room, &facts);
    note_death(client, &facts);
}
