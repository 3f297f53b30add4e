/*
 * Comers and their sessions. Called by upgrade with a request that names a session, by ws_driver at
 * the end of turns, by away when on_resume has decided. Looks at no bytes: those are the machine's.
 */
#include "core/server/comeback.h"

#include "core/base/str.h"
#include "core/proto/close_catalog.h"
#include "core/proto/handshake.h"
#include "core/server/away.h"
#include "core/server/fair.h"
#include "core/server/http_driver.h"
#include "core/server/pause.h"
#include "core/server/upgrade.h"
#include "core/server/worker.h"
#include "core/server/ws_driver.h"
#include "core/session/conn_renew.h"

static mw_ms now(const struct mw_client *client)
{
    return mw_loop_now(client->worker->loop);
}

bool mw_comeback_worker(struct mw_view target, uint8_t *worker)
{
    const struct mw_sideband_ask ask = mw_sideband_ask(target);
    if (ask.back)
        *worker = (uint8_t)(ask.token.id >> 56);
    return ask.back;
}

/* ---- comer and session ---- */

static struct mw_client *session_of(const struct mw_client *comer)
{
    struct mw_client *client = mw_slots_get(&comer->worker->slots, comer->http->comeback->session);
    bool is_its = client && client->phase == MW_CLIENT_AWAY && client->session->comer == comer->id;
    return is_its ? client : 0;
}

struct mw_client *mw_comeback_comer(const struct mw_client *session)
{
    mw_id id = session->session->comer;
    struct mw_client *comer = id ? mw_slots_get(&session->worker->slots, id) : 0;
    return comer && comer->phase == MW_CLIENT_OPENING && comer->http->comeback ? comer : 0;
}

void mw_comeback_free(struct mw_client *client)
{
    if (!client->http || !client->http->comeback)
        return;
    struct mw_client *session = session_of(client);
    if (session) { /* its time goes on */
        session->session->comer = 0;
        mw_client_settle_later(session);
    }
    mw_free(&client->worker->mem, client->http->comeback, sizeof *client->http->comeback);
    client->http->comeback = 0;
}

/* ---- outcomes ---- */

static void count(struct mw_route *route, enum mw_metrics_return outcome)
{
    route->metrics.cells->returns[outcome]++;
}

/* Over HTTP; the session stays. */
static void refuse(struct mw_client *comer, unsigned status, const char *error, struct mw_view text)
{
    mw_comeback_free(comer);
    comer->busy = comer->unasked = false;
    mw_ws_driver_forget(comer, MW_CAUSE_script_close);
    comer->phase = MW_CLIENT_HTTP;
    mw_http_driver_refuse(comer, status, error, text, 0);
}

static void refuse_for_memory(struct mw_client *comer)
{
    refuse(comer, 503, "out_of_memory", mw_view_text("try again"));
}

void mw_comeback_put_off(struct mw_client *client)
{
    refuse(client, 503, "script_paused", mw_view_text(MW_PAUSE_TEXT));
}

void mw_comeback_expire(struct mw_client *client)
{
    refuse(client, 503, "script_busy", mw_view_text("on_resume has not decided in time"));
}

static void turn_away(struct mw_client *comer, enum mw_cause cause, unsigned code,
                      struct mw_view reason)
{
    mw_comeback_free(comer);
    comer->busy = false;
    mw_upgrade_give_up(comer, cause, code, reason, 0);
}

void mw_comeback_lost(struct mw_client *comer, const struct mw_conn_end *end)
{
    if (mw_cause_row(end->cause)->who == MW_WHO_NETWORK)
        refuse(comer, 503, "session_gone", mw_view_text("there is no room for it any more"));
    else
        turn_away(comer, end->cause, end->code, mw_view(end->reason, end->reason_len));
}

/* ---- the session is back ---- */

static void tell_of_return(struct mw_client *client, uint64_t missed)
{
    const struct mw_session *session = client->session;
    struct mw_log_line line;
    char id[17], ip[MW_IP_TEXT_LEN];
    mw_id_text(client->id, id);
    mw_log_begin(&line, client->worker->log, MW_LOG_DEBUG, mw_view_text("back"));
    mw_log_text(&line, "conn", mw_view_text(id));
    mw_log_text(&line, "script", client->route->name);
    mw_log_integer(&line, "v", client->route->version);
    mw_log_text(&line, "path", mw_facts_path(client->facts));
    mw_log_text(&line, "ip", mw_client_ip(client, ip));
    mw_log_number(&line, "away", (double)(now(client) - session->cut_ms) / 1000);
    mw_log_integer(&line, "replayed", (int64_t)(session->replay.sent - session->replay.acked));
    mw_log_integer(&line, "missed", (int64_t)missed);
    mw_log_end(&line);
}

/* With the answer to the comer's request, and the hello that tells of the session. */
static int put_answer(struct mw_client *client, struct mw_client *comer, uint64_t missed,
                      struct mw_buf *answer)
{
    int err = mw_ws_answer(answer, mw_http_conn_head(&comer->http->conn),
                           mw_facts_protocol(comer->facts), &comer->facts->deflate);
    return err ? err
               : mw_upgrade_put_hello(client, mw_facts_sideband(comer->facts), &missed, answer);
}

/* What the new connection has agreed on; when the session was opened stays. */
static void swap_facts(struct mw_client *client, struct mw_client *comer)
{
    struct mw_facts *facts = comer->facts;
    facts->opened_unix_ms = client->facts->opened_unix_ms;
    comer->facts = client->facts;
    client->facts = facts;
}

static void take_stream(struct mw_client *client, struct mw_client *comer)
{
    mw_upgrade_keep_rest(client, &comer->http->conn);
    mw_client_give_stream(comer, client);
    mw_comeback_free(comer);
    mw_http_driver_close(comer);
    mw_ws_driver_free(comer);
    mw_client_drop(comer, false);
}

/* False: no memory; it is away as before. */
static bool begin_machine(struct mw_client *client, struct mw_view answer)
{
    int err = mw_ws_driver_renew(client, true);
    mw_conn_note_move(&client->conn, MW_FLIGHT_BACK, now(client));
    if (!err)
        err = mw_conn_put_rest(&client->conn, now(client));
    if (!err) /* and goes first all the same */
        err = mw_conn_put_raw(&client->conn, answer, now(client));
    if (err)
        (void)mw_ws_driver_renew(client, false);
    return err == MW_OK;
}

static void enter(struct mw_client *client, struct mw_client *comer)
{
    struct mw_session *session = client->session;
    struct mw_buf answer;
    uint64_t missed = 0;
    mw_buf_init(&answer, &client->worker->mem, 0);
    (void)mw_replay_return(&session->replay, comer->http->comeback->count, &missed);
    (void)mw_resume_tokens_renew(&session->tokens, comer->http->comeback->match);
    int err = put_answer(client, comer, missed, &answer);
    if (!err && !mw_client_keep_unheard(client))
        err = MW_ERR_NOMEM;
    if (!err)
        swap_facts(client, comer);
    bool has_begun = !err && begin_machine(client, mw_buf_view(&answer));
    mw_buf_free(&answer);
    if (!has_begun) {
        refuse_for_memory(comer);
        return;
    }
    count(client->route, missed ? MW_METRICS_RETURN_hole : MW_METRICS_RETURN_whole);
    take_stream(client, comer);
    mw_away_leave(client);
    client->phase = MW_CLIENT_OPEN;
    tell_of_return(client, missed);
    mw_ws_driver_start(client);
}

/* ---- on_resume ---- */

static enum mw_cause cause_of(enum mw_fault_kind fault)
{
    switch (fault) {
    case MW_FAULT_ERROR:
        break;
    case MW_FAULT_CPU:
        return MW_CAUSE_script_budget;
    case MW_FAULT_MEMORY:
        return MW_CAUSE_script_memory;
    }
    return MW_CAUSE_script_error;
}

/* The session ends as well, at the end of the turn; `comer` may have gone meanwhile. */
static void end_refused(struct mw_client *client, struct mw_client *comer,
                        const struct mw_verdict *verdict)
{
    enum mw_cause cause = MW_CAUSE_script_close;
    unsigned code = verdict ? verdict->code : 0;
    struct mw_view reason = verdict ? verdict->reason : mw_view_text("on_resume failed");
    bool is_status = verdict && code < 1000;
    if (!verdict)
        cause = cause_of((enum mw_fault_kind)client->open_fault);
    count(client->route, MW_METRICS_RETURN_refused);
    (void)mw_ws_driver_close(client, cause, is_status ? MW_CLOSE_POLICY : code, reason);
    if (comer && is_status)
        refuse(comer, code, "refused", reason);
    else if (comer)
        turn_away(comer, cause, code, reason);
}

/*
 * Its script may have closed it, in on_resume or since, or it has to make room: what ends it is
 * told to the comer, too.
 */
static bool is_ending(const struct mw_client *session)
{
    return session->conn.phase != MW_CONN_OPEN || session->session->must_go;
}

/* verdict NULL: it has failed. */
static void decide(struct mw_client *client, struct mw_client *comer,
                   const struct mw_verdict *verdict)
{
    if (!verdict || !verdict->accept)
        end_refused(client, comer, verdict);
    else if (comer && !is_ending(client))
        enter(client, comer);
}

static enum mw_app_result call_resume(struct mw_client *client, struct mw_client *comer,
                                      struct mw_verdict *verdict)
{
    struct mw_session *session = client->session;
    struct mw_route *route = client->route;
    struct mw_upgrade_room room;
    struct mw_request request;
    char ip[MW_IP_TEXT_LEN];
    struct mw_return back = { .away_s = (double)(now(client) - session->cut_ms) / 1000 };
    (void)mw_replay_return(&session->replay, comer->http->comeback->count, &back.missed);
    back.replayed = session->replay.sent - comer->http->comeback->count - back.missed;
    mw_upgrade_request(comer, &room, &request);
    request.conn = client->id;
    request.ip = mw_client_ip(comer, ip);
    request.back = &back;
    session->asked = session->resumed = true;
    session->asked_by = comer->id;
    unsigned begun = mw_fair_begin(route);
    enum mw_app_result result = client->worker->engine->resume(route->app, &request, verdict);
    mw_fair_end(route, begun);
    return result;
}

static void ask(struct mw_client *client, struct mw_client *comer)
{
    struct mw_verdict verdict = { .accept = true };
    comer->unasked = false;
    enum mw_app_result result = call_resume(client, comer, &verdict);
    if (result == MW_APP_WAITING) {
        client->busy = comer->busy = true;
        return;
    }
    client->session->asked = false;
    decide(client, comer, result == MW_APP_DONE ? &verdict : 0);
}

void mw_comeback_settle(struct mw_client *client)
{
    struct mw_client *session = session_of(client);
    if (!session) {
        refuse(client, 503, "session_gone", mw_view_text("the session has ended"));
        return;
    }
    if (client->busy || session->busy || is_ending(session))
        return;
    if (mw_fair_may_call(client->route))
        ask(session, client);
    else if (!mw_route_is_held(client->route))
        mw_fair_wait(client);
}

void mw_comeback_decided(struct mw_client *session)
{
    struct mw_client *comer = mw_comeback_comer(session);
    struct mw_decided *decided = session->session->decided;
    bool failed = session->open_failed || !decided;
    session->session->asked = session->open_failed = false;
    session->session->decided = 0;
    if (comer && comer->id != session->session->asked_by)
        comer = 0; /* a later one, about whom nobody has been asked */
    if (comer)
        comer->busy = false;
    decide(session, comer, failed ? 0 : &decided->verdict);
    mw_client_free_decided(session->worker, decided);
}

void mw_comeback_ask_again(struct mw_client *session)
{
    struct mw_client *comer = mw_comeback_comer(session);
    session->session->asked = false;
    if (comer)
        comer->busy = false;
}

/* ---- the request ---- */

static bool is_there(const struct mw_client *client, const struct mw_route *route,
                     struct mw_view path)
{
    bool is_live = client && client->session && client->route == route &&
                   (client->phase == MW_CLIENT_AWAY || client->phase == MW_CLIENT_OPEN);
    return is_live && client->conn.phase == MW_CONN_OPEN && !client->session->must_go &&
           route->resume_ms > 0 && mw_view_equal(mw_facts_path(client->facts), path);
}

struct mw_client *mw_comeback_find(struct mw_route *route, struct mw_view path,
                                   const struct mw_sideband_ask *ask, enum mw_resume_match *match)
{
    struct mw_worker *worker = route->worker;
    struct mw_client *client = mw_slots_get(&worker->slots, ask->token.id);
    uint64_t missed;
    if (is_there(client, route, path)) {
        struct mw_session *session = client->session;
        *match = mw_resume_tokens_match(&session->tokens, &ask->token, session->replay.heard);
        if (*match != MW_RESUME_UNKNOWN &&
            mw_replay_return(&session->replay, ask->count, &missed) != MW_REPLAY_NONSENSE)
            return client;
    }
    bool was_there = !client && mw_slots_had(&worker->slots, ask->token.id);
    count(route, was_there ? MW_METRICS_RETURN_expired : MW_METRICS_RETURN_unknown);
    return 0;
}

void mw_comeback_begin(struct mw_client *client, struct mw_client *session,
                       const struct mw_sideband_ask *ask, enum mw_resume_match match)
{
    struct mw_comeback *comeback = mw_alloc(&client->worker->mem, sizeof *comeback);
    if (!comeback) {
        refuse_for_memory(client);
        return;
    }
    *comeback = (struct mw_comeback){ session->id, ask->count, match };
    client->http->comeback = comeback;
    if (client->route->quarantine.paused) {
        mw_comeback_put_off(client);
        return;
    }
    if (session->phase == MW_CLIENT_OPEN)
        mw_away_take_over(session);
    struct mw_client *earlier = mw_comeback_comer(session);
    if (earlier)
        refuse(earlier, 503, "superseded", mw_view_text("a later request has come for it"));
    session->session->comer = client->id;
    client->unasked = true;
    mw_upgrade_wait(client);
    mw_comeback_settle(client);
}
