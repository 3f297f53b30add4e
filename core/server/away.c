/*
 * The time between a connection and its client's next one. Called by ws_driver and client, with
 * whatever a client in phase AWAY is due; comeback.c ends it well. Knows no stream: that is gone.
 */
#include "core/server/away.h"

#include "core/base/clock.h"
#include "core/server/account.h"
#include "core/server/comeback.h"
#include "core/server/deliver.h"
#include "core/server/ending.h"
#include "core/server/worker.h"
#include "core/server/ws_driver.h"
#include "core/session/broadcast.h"
#include "core/session/conn_renew.h"

/* What was said before the cut may be heard for so long, if the session does not live longer. */
#define HEAR_MS 30000

static mw_ms now(const struct mw_client *client)
{
    return mw_loop_now(client->worker->loop);
}

void mw_away_init(struct mw_away *away)
{
    *away = (struct mw_away){ 0 };
    mw_list_init(&away->sessions);
}

/* ---- a session ---- */

void mw_away_open(struct mw_client *client, const struct mw_route *route)
{
    struct mw_mem *mem = &client->worker->mem;
    if (route->resume_ms == 0)
        return;
    struct mw_session *session = mw_alloc_zero(mem, sizeof *session);
    if (!session)
        return;
    if (mw_resume_tokens_init(&session->tokens, client->id)) {
        mw_free(mem, session, sizeof *session);
        return;
    }
    session->client = client;
    mw_list_init(&session->link);
    mw_replay_init(&session->replay, &route->account->mem, route->limits.queue);
    client->session = session;
}

void mw_away_leave(struct mw_client *client)
{
    struct mw_session *session = client->session;
    if (!session || !mw_list_is_linked(&session->link))
        return;
    mw_list_remove(&session->link);
    client->worker->away.count--;
    client->route->metrics.cells->away_over++;
}

void mw_away_free(struct mw_client *client)
{
    struct mw_session *session = client->session;
    if (!session)
        return;
    mw_replay_free(&session->replay);
    mw_client_free_decided(client->worker, session->decided);
    mw_free(&client->worker->mem, session, sizeof *session);
    client->session = 0;
}

/* ---- the cut ---- */

static void tell_of_cut(struct mw_client *client)
{
    struct mw_session *session = client->session;
    const struct mw_conn *conn = &client->conn;
    struct mw_log_line line;
    char id[17], ip[MW_IP_TEXT_LEN];
    mw_id_text(client->id, id);
    mw_log_begin(&line, client->worker->log, MW_LOG_DEBUG, mw_view_text("away"));
    mw_log_text(&line, "conn", mw_view_text(id));
    mw_log_text(&line, "script", client->route->name);
    mw_log_integer(&line, "v", client->route->version);
    mw_log_text(&line, "path", mw_facts_path(client->facts));
    mw_log_text(&line, "ip", mw_client_ip(client, ip));
    mw_log_text(&line, "cause", mw_view_text(mw_cause_row(session->cut)->name));
    mw_log_number(&line, "silent", (double)(now(client) - conn->last_read_ms) / 1000);
    mw_log_integer(&line, "kept", (int64_t)session->replay.count);
    mw_log_number(&line, "for", (double)client->route->resume_ms / 1000);
    mw_log_end(&line);
}

/* For `why` and on_close its silence goes on. */
static void park(struct mw_client *client)
{
    struct mw_conn *conn = &client->conn;
    mw_ms last_read_ms = conn->last_read_ms;
    uint16_t unanswered = conn->pings_unanswered;
    (void)mw_ws_driver_renew(client, false);
    conn->last_read_ms = last_read_ms;
    conn->pings_unanswered = unanswered;
}

static void end_oldest(struct mw_worker *worker)
{
    struct mw_session *oldest = MW_OWNER(worker->away.sessions.next, struct mw_session, link);
    struct mw_log_line line;
    mw_rare_begin(&worker->away.full, mw_loop_now(worker->loop), &line, worker->log, MW_LOG_WARN,
                  "sessions that are away fill resume.sessions");
    mw_log_integer(&line, "sessions", (int64_t)worker->away.count);
    mw_log_text(&line, "script", oldest->client->route->name);
    mw_log_number(&line, "away", (double)(now(oldest->client) - oldest->cut_ms) / 1000);
    mw_log_end(&line);
    oldest->must_go = true;
    mw_away_leave(oldest->client); /* of many cuts in one turn each ends another one */
    mw_client_settle_later(oldest->client);
}

static void note_cut(struct mw_session *session, enum mw_cause cut, struct mw_view reason,
                     mw_ms now_ms)
{
    size_t len = reason.len < sizeof session->reason ? reason.len : sizeof session->reason;
    session->cut = (uint8_t)cut;
    session->cut_ms = now_ms;
    session->reason_len = (uint8_t)len;
    if (len)
        memcpy(session->reason, reason.data, len);
}

static void go_away(struct mw_client *client, enum mw_cause cut, struct mw_view reason)
{
    struct mw_worker *worker = client->worker;
    struct mw_session *session = client->session;
    note_cut(session, cut, reason, now(client));
    tell_of_cut(client);
    mw_conn_note_move(&client->conn, MW_FLIGHT_AWAY, now(client));
    park(client);
    if (client->unheard) /* bytes are not counted as received: they come again */
        mw_buf_free(&client->unheard->held);
    mw_client_lose_stream(client);
    client->phase = MW_CLIENT_AWAY;
    client->stalled = client->ended = client->half_closed = client->cut_soon = false;
    mw_list_push(&worker->away.sessions, &session->link);
    worker->away.count++;
    client->route->metrics.cells->away_begun++;
    mw_client_settle_later(client);
}

static bool may_come_back(const struct mw_client *client)
{
    const struct mw_route *route = client->route;
    return client->session && client->phase == MW_CLIENT_OPEN && client->accepted &&
           route->resume_ms > 0 && !route->removed && !client->worker->stopping;
}

/*
 * A browser says 1001 by itself, also for a connection that its page has given up before it heard
 * that it was open: Chromium does, where close() meets the answer to the handshake.
 */
static bool was_given_up(const struct mw_client *client, const struct mw_conn_end *end)
{
    const struct mw_session *session = client->session;
    return end->cause == MW_CAUSE_peer_close && end->code == MW_CLOSE_GOING_AWAY &&
           session->tokens.has_before && !session->replay.heard;
}

bool mw_away_begin(struct mw_client *client)
{
    if (client->conn.phase != MW_CONN_CLOSED || !may_come_back(client))
        return false;
    const struct mw_conn_end *end = mw_conn_ending(&client->conn);
    if (mw_cause_row(end->cause)->who == MW_WHO_NETWORK) {
        mw_ending_cut(client); /* who looks for limits on the path counts it as any other death */
        go_away(client, end->cause, mw_view(end->reason, end->reason_len));
    } else if (was_given_up(client, end)) {
        go_away(client, MW_CAUSE_peer_fin, mw_view(0, 0));
    } else {
        return false;
    }
    while (client->worker->away.count > (size_t)client->worker->config->resume_sessions)
        end_oldest(client->worker);
    return true;
}

void mw_away_take_over(struct mw_client *client)
{
    go_away(client, MW_CAUSE_peer_reset, mw_view(0, 0));
}

/* ---- the end ---- */

/* Who waits at the door for it gets the same answer. */
static void turn_away_comer(struct mw_client *client)
{
    struct mw_client *comer = mw_comeback_comer(client);
    const struct mw_conn_end *end = mw_conn_ending(&client->conn);
    if (comer)
        mw_comeback_lost(comer, end);
}

static void end(struct mw_client *client)
{
    turn_away_comer(client);
    mw_ws_driver_end_now(client);
}

/* Its time is over: the end that the cut would have been. */
static void expire(struct mw_client *client)
{
    const struct mw_session *session = client->session;
    client->route->metrics.cells->sessions_lost++;
    if (session->reason_len) /* a timeout: it is said in words */
        (void)mw_conn_close(&client->conn, (enum mw_cause)session->cut, 0,
                            mw_view(session->reason, session->reason_len), now(client));
    else
        mw_conn_eof(&client->conn, (enum mw_cause)session->cut);
    end(client);
}

static mw_ms due_ms(const struct mw_client *client)
{
    const struct mw_session *session = client->session;
    const struct mw_route *route = client->route;
    bool has_unheard = client->busy || !mw_client_is_heard(client);
    mw_ms due = mw_ms_add(session->cut_ms, route->resume_ms);
    if (session->must_go)
        return 0;
    if (mw_comeback_comer(client))
        return MW_NEVER; /* who has a time of its own */
    if (has_unheard && mw_route_is_held(route) && !route->removed)
        return mw_ms_add(now(client), HEAR_MS); /* nobody can hear it: not its fault */
    if (has_unheard && due < mw_ms_add(session->cut_ms, HEAR_MS))
        due = mw_ms_add(session->cut_ms, HEAR_MS);
    return due;
}

void mw_away_settle(struct mw_client *client)
{
    if (client->session->asked && !client->busy)
        mw_comeback_decided(client);
    if (client->phase != MW_CLIENT_AWAY)
        return;
    mw_deliver_waiting(client);
    if (client->conn.phase != MW_CONN_OPEN) {
        end(client);
        return;
    }
    if (now(client) >= due_ms(client)) {
        expire(client);
        return;
    }
    struct mw_client *comer = mw_comeback_comer(client);
    if (comer && !client->busy)
        mw_client_settle_later(comer);
    mw_alarm_set(client->worker->loop, &client->alarm, due_ms(client));
    mw_deliver_queue_up(client);
}

void mw_away_alarm(struct mw_client *client)
{
    mw_client_settle_later(client);
}

/* ---- what is sent meanwhile ---- */

static int kept(struct mw_client *client)
{
    client->conn.messages_sent++;
    return MW_OK;
}

int mw_away_send(struct mw_client *client, enum mw_opcode kind, struct mw_view data)
{
    if (client->conn.phase != MW_CONN_OPEN)
        return MW_ERR_CLOSED;
    mw_replay_send(&client->session->replay, kind, data);
    return kept(client);
}

int mw_away_send_shared(struct mw_client *client, struct mw_broadcast *broadcast)
{
    if (client->conn.phase != MW_CONN_OPEN)
        return MW_ERR_CLOSED;
    mw_broadcast_keep(broadcast, &client->session->replay);
    return kept(client);
}

size_t mw_away_kept_bytes(const struct mw_client *client)
{
    return client->phase == MW_CLIENT_AWAY ? client->session->replay.bytes : 0;
}

/* ---- for others ---- */

static void let_go(struct mw_client *client)
{
    struct mw_replay *replay = &client->session->replay;
    size_t bound = replay->max_bytes;
    mw_replay_set_bound(replay, 0);
    mw_replay_set_bound(replay, bound);
}

static bool is_kept_for(const struct mw_client *client, const struct mw_account *account,
                        bool is_away)
{
    return client->session && client->route && client->route->account == account &&
           (client->phase == MW_CLIENT_AWAY) == is_away;
}

void mw_away_relieve(struct mw_account *account, size_t most, bool is_away)
{
    struct mw_client *client;
    mw_id at = 0;
    if (is_away && account->worker->away.count == 0)
        return;
    while (account->mem.bytes > most && (client = mw_client_next(account->worker, &at))) {
        if (is_kept_for(client, account, is_away))
            let_go(client);
    }
}

void mw_away_end_all(struct mw_worker *worker)
{
    const struct mw_link *away = &worker->away.sessions;
    for (const struct mw_link *at = away->next; at != away; at = at->next) {
        struct mw_client *client = MW_OWNER(at, struct mw_session, link)->client;
        (void)mw_ws_driver_close(client, MW_CAUSE_drain, 0, mw_view_text("server is stopping"));
    }
}

void mw_away_told(struct mw_client *client)
{
    if (client->session)
        mw_replay_set_bound(&client->session->replay, client->route->limits.queue);
}
