/* The engine of c_engine.h: looks its lines up at each event, and does what they say. */
#include "tests/unit/server/c_engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/list.h"
#include "core/base/str.h"
#include "tests/unit/server/c_script.h"

#define FLOOD_BYTES 1000

struct c_engine c_engine;

/* One connection; `data` is the message whose handler waits. */
struct conn {
    struct mw_link link;
    mw_id id;
    bool accepted, opening, waiting;
    enum mw_opcode kind;
    char *data;
    size_t len;
};

struct mw_app {
    struct mw_mem mem;
    const struct mw_host *host;
    void *host_app;
    struct version *live, *candidate;
    struct mw_link conns;
    unsigned version;
    bool paused;
    bool was_carried; /* to another app, or from one and not live yet: its connections may outlive
                         it */
    char reason[128];
};

static unsigned depth;

static void enter(void)
{
    c_engine.nested += depth++ > 0;
}

static void leave(void)
{
    depth--;
}

/* ---- scripts ---- */

static bool says(const struct mw_app *app, const char *word)
{
    struct mw_view rest;
    return line_of(app->live, word, 0, &rest);
}

/* A call of the script's own code. */
static void sign(struct mw_app *app)
{
    struct mw_view rest;
    size_t len = strlen(c_engine.signs);
    c_engine.while_paused += app->paused;
    if (line_of(app->live, "sign", 0, &rest) && len + 1 < sizeof c_engine.signs)
        c_engine.signs[len] = rest.data[0];
}

static enum mw_app_result stopped(struct mw_app *app, mw_id conn, enum mw_fault_kind kind)
{
    struct mw_fault fault = { kind,
                              "s.capp",
                              1,
                              "it took too long",
                              .handler = "on_message",
                              .trace = "s.capp:1 in on_message",
                              .version = app->version,
                              .conn = conn };
    app->host->fault(app->host_app, &fault);
    return MW_APP_FAILED;
}

static int prepare(struct mw_app *app, const struct mw_sources *sources, unsigned number,
                   const struct mw_route_spec **spec, struct mw_fault *fault)
{
    enter();
    struct version *version = mw_alloc_zero(&app->mem, sizeof *version);
    char *text = mw_mem_copy(&app->mem, sources->script.text);
    const char *wrong = "out of memory";
    int err = MW_ERR_NOMEM;
    if (version && text) {
        *version =
            (struct version){ .mem = &app->mem, .text = text, .len = sources->script.text.len };
        fill_spec(version);
        wrong = judge(version, sources);
        err = wrong ? MW_ERR_SCRIPT : MW_OK;
    } else {
        if (text)
            mw_free(&app->mem, text, sources->script.text.len + 1);
        mw_free(&app->mem, version, sizeof *version);
        version = NULL;
    }
    if (err) {
        snprintf(fault->message, sizeof fault->message, "%s", wrong);
        snprintf(fault->file, sizeof fault->file, "%.*s", (int)sources->script.path.len,
                 sources->script.path.data);
        fault->line = 1;
        fault->version = number;
        version_free(version);
    } else {
        app->candidate = version;
        *spec = &version->spec;
    }
    leave();
    return err;
}

static void commit(struct mw_app *app)
{
    enter();
    version_free(app->live);
    app->live = app->candidate;
    app->candidate = NULL;
    app->version++;
    app->was_carried = false;
    leave();
}

static void discard(struct mw_app *app)
{
    version_free(app->candidate);
    app->candidate = NULL;
}

static bool uses(const struct mw_app *app, struct mw_view path)
{
    struct mw_view rest;
    for (size_t n = 0; app->live && line_of(app->live, "lib", n, &rest); n++) {
        if (mw_view_equal(rest, path))
            return true;
    }
    return false;
}

/* ---- connections ---- */

static struct conn *find(struct mw_app *app, mw_id id)
{
    for (struct mw_link *link = app->conns.next; link != &app->conns; link = link->next) {
        if (MW_OWNER(link, struct conn, link)->id == id)
            return MW_OWNER(link, struct conn, link);
    }
    return NULL;
}

static void let_go(struct mw_app *app, struct conn *conn)
{
    mw_free(&app->mem, conn->data, conn->len + 1);
    conn->data = NULL;
    conn->waiting = false;
}

/* What could not be said must not be missing silently. */
static void check_sent(struct mw_app *app, mw_id id, long result)
{
    if (result == MW_ERR_NOMEM)
        (void)app->host->close(app->host_app, id, 1011, mw_view_text("no memory"), NULL);
}

static void send_text(struct mw_app *app, mw_id id, struct mw_view text)
{
    check_sent(app, id, app->host->send(app->host_app, id, MW_OPCODE_TEXT, text, NULL));
}

static void publish(struct mw_app *app, mw_id id, struct mw_view topic, enum mw_opcode kind,
                    struct mw_view data, mw_id except)
{
    uint64_t none;
    long told = app->host->publish(app->host_app, topic, kind, data, except, NULL, &none);
    check_sent(app, id, c_engine.receivers = told);
}

/* Until the next call. */
static struct mw_view keep(struct mw_app *app, struct mw_view text)
{
    int len = snprintf(app->reason, sizeof app->reason, "%.*s", (int)text.len, text.data);
    return mw_view(app->reason, (size_t)len);
}

static struct mw_verdict decide(struct mw_app *app, struct conn *conn)
{
    struct mw_view rest;
    struct mw_verdict verdict = { .accept = !line_of(app->live, "refuse", 0, &rest) };
    if (!verdict.accept) {
        verdict.code = take_number(&rest);
        verdict.reason = keep(app, rest);
    }
    conn->accepted = verdict.accept;
    return verdict;
}

/* "192.0.2.7", or "192.0.2.7 TLSv1.3 cipher,sni,subject". */
static void tell_who(struct mw_app *app, const struct mw_request *request)
{
    char text[256];
    struct mw_conn_info info;
    const struct mw_tls_facts *tls = request->tls;
    if (app->host->info(app->host_app, request->conn, &info))
        return;
    int len = snprintf(text, sizeof text, "%.*s", (int)info.ip.len, info.ip.data);
    if (tls)
        len += snprintf(text + len, sizeof text - (size_t)len, " %s %s,%s,%s", tls->version,
                        tls->cipher, tls->sni, tls->client_subject);
    send_text(app, request->conn, mw_view(text, (size_t)len));
}

static int set_up(struct mw_app *app, mw_id id)
{
    struct mw_view rest;
    int err = MW_OK;
    for (size_t n = 0; err >= 0 && line_of(app->live, "join", n, &rest); n++)
        err = app->host->subscribe(app->host_app, id, rest, NULL, NULL);
    if (line_of(app->live, "greet", 0, &rest))
        send_text(app, id, rest);
    if (line_of(app->live, "hang-up", 0, &rest))
        (void)app->host->close(app->host_app, id, take_number(&rest), mw_view(NULL, 0), NULL);
    return err;
}

static void wait_for_tick(struct mw_app *app)
{
    app->host->wake_at(app->host_app, app->host->monotonic_ms(app->host_app) + c_engine.hold);
}

static enum mw_app_result open_conn(struct mw_app *app, const struct mw_request *request,
                                    struct mw_verdict *verdict)
{
    struct conn *conn = mw_alloc_zero(&app->mem, sizeof *conn);
    c_engine.opens++;
    if (!conn)
        return MW_APP_FAILED;
    sign(app);
    conn->id = request->conn;
    mw_list_init(&conn->link);
    mw_list_push(&app->conns, &conn->link);
    if (set_up(app, conn->id) < 0)
        return MW_APP_FAILED;
    if (says(app, "tell-who"))
        tell_who(app, request);
    if (says(app, "wait-open")) {
        conn->opening = conn->waiting = true;
        wait_for_tick(app);
        return MW_APP_WAITING;
    }
    if (says(app, "fail-open"))
        return MW_APP_FAILED;
    struct mw_view kind;
    if (line_of(app->live, "stop-open", 0, &kind))
        return stopped(app, conn->id, (enum mw_fault_kind)take_number(&kind));
    *verdict = decide(app, conn);
    return MW_APP_DONE;
}

static enum mw_app_result on_open(struct mw_app *app, const struct mw_request *request,
                                  struct mw_verdict *verdict)
{
    enter();
    enum mw_app_result result = open_conn(app, request, verdict);
    leave();
    return result;
}

static enum mw_app_result resume_conn(struct mw_app *app, const struct mw_request *request,
                                      struct mw_verdict *verdict)
{
    struct conn *conn = find(app, request->conn);
    struct mw_conn_info info;
    struct mw_view rest;
    assert(conn && conn->accepted && !conn->waiting && request->back);
    assert(app->host->info(app->host_app, conn->id, &info) == MW_OK);
    assert(info.state == MW_CONN_STATE_AWAY && info.resumed);
    c_engine.missed = request->back->missed;
    c_engine.replayed = request->back->replayed;
    sign(app);
    if (says(app, "wait-back")) {
        conn->opening = conn->waiting = true;
        wait_for_tick(app);
        return MW_APP_WAITING;
    }
    if (says(app, "fail-back"))
        return MW_APP_FAILED;
    *verdict = (struct mw_verdict){ .accept = !line_of(app->live, "refuse-back", 0, &rest) };
    if (!verdict->accept)
        verdict->code = take_number(&rest);
    return MW_APP_DONE;
}

static enum mw_app_result on_resume(struct mw_app *app, const struct mw_request *request,
                                    struct mw_verdict *verdict)
{
    enter();
    c_engine.returns++;
    enum mw_app_result result = resume_conn(app, request, verdict);
    leave();
    return result;
}

static void flood(struct mw_app *app, mw_id id, unsigned count)
{
    char text[FLOOD_BYTES];
    for (unsigned i = 0; i < count; i++) {
        memset(text, (int)('a' + i % 26), sizeof text);
        send_text(app, id, mw_view(text, sizeof text));
    }
}

static void answer(struct mw_app *app, mw_id id, enum mw_opcode kind, struct mw_view data)
{
    struct mw_view rest;
    if (says(app, "echo"))
        check_sent(app, id, app->host->send(app->host_app, id, kind, data, NULL));
    if (line_of(app->live, "publish", 0, &rest))
        publish(app, id, rest, kind, data, 0);
    if (line_of(app->live, "tell", 0, &rest))
        publish(app, id, rest, kind, data, id);
    if (line_of(app->live, "flood", 0, &rest))
        flood(app, id, take_number(&rest));
    if (line_of(app->live, "close", 0, &rest))
        (void)app->host->close(app->host_app, id, take_number(&rest), data, NULL);
}

/* Keeps the message until the tick. */
static enum mw_app_result wait_with(struct mw_app *app, struct conn *conn, enum mw_opcode kind,
                                    struct mw_view data)
{
    conn->data = mw_mem_copy(&app->mem, data);
    if (!conn->data) {
        check_sent(app, conn->id, MW_ERR_NOMEM);
        return MW_APP_FAILED;
    }
    conn->len = data.len;
    conn->kind = kind;
    conn->waiting = true;
    wait_for_tick(app);
    return MW_APP_WAITING;
}

static enum mw_app_result hear(struct mw_app *app, mw_id id, enum mw_opcode kind,
                               struct mw_view data)
{
    enum mw_app_result result = MW_APP_DONE;
    struct conn *conn = find(app, id);
    struct mw_view word;
    c_engine.messages++;
    sign(app);
    c_engine.overlaps += !conn || conn->waiting;
    if (says(app, "bad-json"))
        result = MW_APP_BAD_JSON;
    else if (says(app, "fail"))
        result = MW_APP_FAILED;
    else if (line_of(app->live, "stop", 0, &word) && mw_view_equal(word, data))
        result = stopped(app, id, MW_FAULT_CPU);
    else if (line_of(app->live, "starve", 0, &word) && mw_view_equal(word, data))
        result = stopped(app, id, MW_FAULT_MEMORY);
    else if (conn && says(app, "wait"))
        result = wait_with(app, conn, kind, data);
    else
        answer(app, id, kind, data);
    return result;
}

static enum mw_app_result on_message(struct mw_app *app, mw_id id, enum mw_opcode kind,
                                     struct mw_view data)
{
    enter();
    enum mw_app_result result = hear(app, id, kind, data);
    while (result == MW_APP_DONE && !c_engine.one_by_one &&
           app->host->next_message(app->host_app, id, &kind, &data)) {
        c_engine.followed++;
        result = hear(app, id, kind, data);
    }
    leave();
    return result;
}

static void on_drain(struct mw_app *app, mw_id id)
{
    (void)id;
    enter();
    sign(app);
    c_engine.drains++;
    leave();
}

static bool decide_close(struct mw_app *app, mw_id id, const struct mw_end *end,
                         struct mw_farewell *said)
{
    struct mw_view rest = { 0 };
    enter();
    sign(app);
    c_engine.decides++;
    snprintf(c_engine.decided, sizeof c_engine.decided, "%s %u", end->cause, end->code);
    assert(find(app, id) && line_of(app->live, "decide", 0, &rest));
    said->code = take_number(&rest);
    said->reason = keep(app, rest);
    leave();
    return true;
}

static struct mw_advice advise(struct mw_app *app, mw_id id, const struct mw_end *end)
{
    struct mw_view rest = { 0 };
    enter();
    c_engine.advised = end->code;
    memset(app->reason, '#', sizeof app->reason); /* decide's is not good any longer */
    assert(find(app, id) && line_of(app->live, "advise", 0, &rest));
    leave();
    return (struct mw_advice){ .kind = MW_ADVICE_RETURN, .after_ms = take_number(&rest) };
}

static void remember(const struct mw_end *end)
{
    memmove(c_engine.codes + 1, c_engine.codes, sizeof c_engine.codes - sizeof *c_engine.codes);
    memmove(c_engine.causes + 1, c_engine.causes, sizeof c_engine.causes - sizeof *c_engine.causes);
    c_engine.codes[0] = end->code;
    snprintf(c_engine.causes[0], sizeof c_engine.causes[0], "%s", end->cause);
    c_engine.clean = end->clean;
}

static void forget(struct mw_app *app, struct conn *conn)
{
    let_go(app, conn);
    mw_list_remove(&conn->link);
    mw_free(&app->mem, conn, sizeof *conn);
}

/* An app that is yet to replace another one: that one says it. */
static void note_end(struct mw_app *app, const struct conn *conn, mw_id id,
                     const struct mw_end *end)
{
    struct mw_view topic;
    c_engine.closes++;
    c_engine.ends += conn && conn->accepted;
    remember(end);
    if (line_of(app->live, "farewell", 0, &topic))
        publish(app, id, topic, MW_OPCODE_TEXT, mw_view_text("gone"), 0);
}

static void on_close(struct mw_app *app, mw_id id, const struct mw_end *end)
{
    enter();
    struct conn *conn = find(app, id);
    struct mw_conn_info info;
    assert(app->host->info(app->host_app, id, &info) == MW_OK);
    if (app->live)
        note_end(app, conn, id, end);
    if (conn)
        forget(app, conn);
    leave();
}

/* ---- what waited ---- */

static void go_on(struct mw_app *app, struct conn *conn)
{
    const struct mw_host *host = app->host;
    if (conn->opening) {
        struct mw_verdict verdict = decide(app, conn);
        bool fails = says(app, "fail-open");
        conn->accepted &= !fails;
        conn->opening = false;
        host->finished(app->host_app, conn->id, true, fails ? NULL : &verdict);
    } else {
        answer(app, conn->id, conn->kind, mw_view(conn->data, conn->len));
        host->finished(app->host_app, conn->id, false, NULL);
    }
    let_go(app, conn);
}

static void tick(struct mw_app *app, mw_ms now_ms)
{
    enter();
    (void)now_ms;
    sign(app);
    for (struct mw_link *link = app->conns.next; link != &app->conns; link = link->next) {
        struct conn *conn = MW_OWNER(link, struct conn, link);
        if (conn->waiting && !c_engine.hold)
            go_on(app, conn);
    }
    if (c_engine.hold)
        wait_for_tick(app);
    leave();
}

static void pause_app(struct mw_app *app, bool paused)
{
    app->paused = paused;
    c_engine.pauses += paused;
    c_engine.resumes += !paused;
    if (!paused)
        wait_for_tick(app);
}

/* ---- apps ---- */

static struct mw_app *create(const struct mw_app_setup *setup)
{
    struct mw_app *app = mw_alloc_zero(c_engine.mem, sizeof *app);
    if (!app)
        return NULL;
    mw_mem_init(&app->mem, c_engine.mem, setup->memory_bytes);
    app->host = setup->host;
    app->host_app = setup->host_app;
    mw_list_init(&app->conns);
    return app;
}

static void destroy(struct mw_app *app)
{
    if (!app)
        return;
    assert(app->was_carried || mw_list_is_empty(&app->conns));
    while (!mw_list_is_empty(&app->conns))
        forget(app, MW_OWNER(app->conns.next, struct conn, link));
    version_free(app->candidate);
    version_free(app->live);
    assert(mw_mem_is_empty(&app->mem));
    mw_free(c_engine.mem, app, sizeof *app);
}

static int carry(struct mw_app *from, struct mw_app *to, struct mw_carried *told)
{
    enter();
    *told = (struct mw_carried){ 0 };
    int err = MW_OK;
    from->was_carried = to->was_carried = true;
    to->version = from->version;
    for (struct mw_link *link = from->conns.next; link != &from->conns; link = link->next) {
        const struct conn *old = MW_OWNER(link, struct conn, link);
        struct conn *conn = mw_alloc_zero(&to->mem, sizeof *conn);
        if (!conn) {
            err = MW_ERR_NOMEM;
            break;
        }
        conn->id = old->id;
        conn->accepted = old->accepted;
        mw_list_init(&conn->link);
        mw_list_push(&to->conns, &conn->link);
        told->conns++;
    }
    leave();
    return err;
}

static enum mw_app_result start(struct mw_app *app)
{
    c_engine.starts += app != NULL;
    return MW_APP_DONE;
}

static void stop(struct mw_app *app)
{
    (void)app;
    c_engine.stops++;
}

static void stats(const struct mw_app *app, struct mw_app_stats *out)
{
    *out = (struct mw_app_stats){
        .memory_bytes = c_engine.full ? app->mem.max_bytes : app->mem.bytes,
        .version = app->version,
    };
}

static int settings(const struct mw_source *file, mw_setting_fn *each, void *ctx,
                    struct mw_fault *fault)
{
    (void)file, (void)each, (void)ctx, (void)fault;
    return MW_OK;
}

const struct mw_engine *c_engine_table(void)
{
    static const struct mw_engine table = {
        .name = "c",
        .suffix = ".capp",
        .settings = settings,
        .create = create,
        .destroy = destroy,
        .carry = carry,
        .prepare = prepare,
        .commit = commit,
        .discard = discard,
        .uses = uses,
        .start = start,
        .stop = stop,
        .open = on_open,
        .resume = on_resume,
        .message = on_message,
        .drain = on_drain,
        .decide = decide_close,
        .advise = advise,
        .close = on_close,
        .tick = tick,
        .pause = pause_app,
        .stats = stats,
    };
    return &table;
}
