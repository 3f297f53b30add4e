/* The host of the engine's tests: remembers, answers, writes down. Allocates nothing. */
#include "tests/unit/lua/fake_host.h"

#include "core/base/str.h"
#include "core/base/utf8.h"

static void note(struct fake_host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(struct fake_host *host, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len =
        vsnprintf(host->transcript + host->len, sizeof(host->transcript) - host->len, format, args);
    va_end(args);
    host->len += (size_t)len;
    assert_true(host->len < sizeof(host->transcript));
}

static struct fake_conn *find(struct fake_host *host, mw_id id)
{
    for (size_t i = 0; i < FAKE_CONNS; i++) {
        if (id && host->conns[i].id == id)
            return &host->conns[i];
    }
    return NULL;
}

static const char *kind_name(enum mw_opcode kind)
{
    return kind == MW_OPCODE_BINARY ? "binary" : "text";
}

/* " [latest pos]", or nothing. */
static const char *how_text(const struct mw_send_how *how)
{
    static char text[128];
    static const char *const names[] = { "close", "drop", "latest" };
    if (!how)
        return "";
    snprintf(text, sizeof text, " [%s%s%.*s]", names[how->policy], how->key.len ? " " : "",
             (int)how->key.len, how->key.data);
    return text;
}

/* Ids of worker 3. */
static bool host_is_elsewhere(void *host_app, mw_id id)
{
    (void)host_app;
    return id >> 56 == 3;
}

/* It must be there for as long as its call runs. */
static void look_at_heard(const struct fake_host *host)
{
    size_t len = host->heard.len;
    if (len > 0 && len <= sizeof host->heard_text)
        assert_memory_equal(host->heard.data, host->heard_text, len);
}

static int host_send(void *host_app, mw_id id, enum mw_opcode kind, struct mw_view data,
                     const struct mw_send_how *how)
{
    struct fake_host *host = host_app;
    struct fake_conn *conn = find(host, id);
    if (host_is_elsewhere(host, id)) {
        note(host, "send far %d %s\n", (int)id, kind_name(kind));
        return MW_OK;
    }
    if (!conn)
        return MW_ERR_GONE;
    if (conn->state > MW_CONN_STATE_AWAY)
        return MW_ERR_CLOSED;
    if (kind == MW_OPCODE_TEXT && !mw_utf8_valid(data))
        return MW_ERR_BAD_UTF8;
    look_at_heard(host);
    host->sends++;
    host->heard_sent += data.data == host->heard.data && data.len == host->heard.len;
    if (host->stops)
        *host->stops = MW_LUA_STOP_CPU;
    if (!host->is_quiet)
        note(host, "send %d %s %.*s%s\n", (int)id, kind_name(kind), (int)data.len, data.data,
             how_text(how));
    return conn->send_answer;
}

void advice_text(const struct mw_advice *advice, char out[64])
{
    const char *afresh = advice->afresh ? " afresh" : "";
    if (advice->kind == MW_ADVICE_RETURN)
        snprintf(out, 64, " retry=%u+%u%s", advice->after_ms, advice->spread_ms, afresh);
    else
        snprintf(out, 64, "%s", advice->kind == MW_ADVICE_STAY ? " retry=no" : "");
}

static int host_close(void *host_app, mw_id id, unsigned code, struct mw_view reason,
                      const struct mw_advice *advice)
{
    struct fake_host *host = host_app;
    struct fake_conn *conn = find(host, id);
    if (host_is_elsewhere(host, id)) {
        note(host, "close far %d %u\n", (int)id, code);
        return MW_OK;
    }
    if (!conn)
        return MW_ERR_GONE;
    if (conn->state > MW_CONN_STATE_AWAY)
        return MW_ERR_CLOSED;
    if (!mw_utf8_valid(reason))
        return MW_ERR_BAD_UTF8;
    conn->state = MW_CONN_STATE_CLOSING;
    char told[64] = "";
    if (advice)
        advice_text(advice, told);
    note(host, "close %d %u %.*s%s\n", (int)id, code, (int)reason.len,
         reason.data ? reason.data : "", told);
    return MW_OK;
}

static const char *host_code_refusal(unsigned code)
{
    bool may = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
               (code >= 3000 && code <= 4999);
    return may ? NULL : "this code is never sent";
}

static bool host_code_facts(size_t n, struct mw_code_facts *out)
{
    static const struct mw_code_facts facts[] = {
        { 1000, "normal", "Normal", "It is done.", true, false, false, 0, 0 },
        { 1006, "abnormal", "Abnormal", "It is gone.", false, true, true, 250, 1000 },
    };
    if (n < MW_COUNT(facts))
        *out = facts[n];
    return n < MW_COUNT(facts);
}

static int host_explain(void *host_app, unsigned code, unsigned other,
                        int (*put)(void *ctx, struct mw_view text), void *ctx)
{
    char text[64];
    int len = snprintf(text, sizeof text, "about %u %u", code, other);
    (void)host_app;
    return put(ctx, mw_view(text, (size_t)len));
}

static int host_ping(void *host_app, mw_id id)
{
    struct fake_host *host = host_app;
    if (!find(host, id))
        return MW_ERR_GONE;
    note(host, "ping %d\n", (int)id);
    return MW_OK;
}

static int host_info(void *host_app, mw_id id, struct mw_conn_info *out)
{
    static const struct mw_param params[] = { { MW_VIEW("room"), MW_VIEW("lobby") } };
    struct fake_host *host = host_app;
    struct fake_conn *conn = find(host, id);
    if (!conn)
        return MW_ERR_GONE;
    *out = (struct mw_conn_info){
        .path = mw_view_text("/chat/lobby"),
        .ip = mw_view_text("192.0.2.1"),
        .params = params,
        .param_count = MW_COUNT(params),
        .opened_unix_ms = 1500,
        .rtt_s = conn->rtt_s,
        .queued_bytes = 42,
        .dropped = 3,
        .replaced = 4,
        .state = conn->state,
        .accepted = conn->is_accepted,
        .resumed = conn->resumed,
    };
    return MW_OK;
}

static char *find_topic(struct fake_conn *conn, struct mw_view topic)
{
    for (size_t i = 0; i < FAKE_TOPICS; i++) {
        if (mw_view_is(topic, conn->topics[i]))
            return conn->topics[i];
    }
    return NULL;
}

/* What was asked for, in short; every topic has one message, with the offset 7. */
static void answer_how(struct fake_host *host, const struct mw_subscribe_how *how,
                       struct mw_subscribed *told)
{
    if (how->has_since)
        note(host, "since %lld\n", (long long)how->since);
    if (how->last)
        note(host, "last %u\n", how->last);
    if (how->has_presence)
        note(host, "presence %.*s\n", (int)how->presence.len, how->presence.data);
    *told = (struct mw_subscribed){ 7, how->has_since && how->since == 6, how->last };
}

static int host_subscribe(void *host_app, mw_id id, struct mw_view topic,
                          const struct mw_subscribe_how *how, struct mw_subscribed *told)
{
    struct fake_host *host = host_app;
    struct fake_conn *conn = find(host, id);
    if (!conn)
        return MW_ERR_GONE;
    if (topic.len == 0 || topic.len > 63)
        return MW_ERR_BAD_ARG;
    if (how)
        answer_how(host, how, told);
    if (find_topic(conn, topic))
        return 0;
    char *place = find_topic(conn, mw_view_text(""));
    if (!place)
        return MW_ERR_FULL;
    memcpy(place, topic.data, topic.len);
    note(host, "subscribe %d %s\n", (int)id, place);
    return 1;
}

static int host_unsubscribe(void *host_app, mw_id id, struct mw_view topic)
{
    struct fake_host *host = host_app;
    struct fake_conn *conn = find(host, id);
    if (!conn)
        return MW_ERR_GONE;
    char *place = topic.len ? find_topic(conn, topic) : NULL;
    if (!place)
        return 0;
    note(host, "unsubscribe %d %s\n", (int)id, place);
    memset(place, 0, sizeof(conn->topics[0]));
    return 1;
}

static bool host_topic_at(void *host_app, mw_id id, size_t n, struct mw_view *topic)
{
    struct fake_conn *conn = find(host_app, id);
    for (size_t i = 0; conn && i < FAKE_TOPICS; i++) {
        if (conn->topics[i][0] && n-- == 0) {
            *topic = mw_view_text(conn->topics[i]);
            return true;
        }
    }
    return false;
}

static long host_publish(void *host_app, struct mw_view topic, enum mw_opcode kind,
                         struct mw_view data, mw_id except, const struct mw_send_how *how,
                         uint64_t *offset)
{
    struct fake_host *host = host_app;
    long receivers = 0;
    *offset = mw_view_starts_with(topic, "kept:") ? 7 : 0;
    if (topic.len == 0 || topic.len > 63)
        return MW_ERR_BAD_ARG;
    if (kind == MW_OPCODE_TEXT && !mw_utf8_valid(data))
        return MW_ERR_BAD_UTF8;
    for (size_t i = 0; i < FAKE_CONNS; i++) {
        struct fake_conn *conn = &host->conns[i];
        receivers += conn->id && conn->id != except && find_topic(conn, topic);
    }
    if (!host->is_quiet)
        note(host, "publish %.*s %s %.*s%s\n", (int)topic.len, topic.data, kind_name(kind),
             (int)data.len, data.data, how_text(how));
    return receivers;
}

/* Who is in the topic; connection 1 says something about itself. */
static int host_members(void *host_app, struct mw_view topic,
                        int (*put)(void *ctx, mw_id id, struct mw_view presence), void *ctx,
                        size_t *total)
{
    struct fake_host *host = host_app;
    int err = MW_OK;
    *total = 0;
    if (topic.len == 0)
        return MW_ERR_BAD_ARG;
    for (size_t i = 0; i < FAKE_CONNS && !err; i++) {
        struct fake_conn *conn = &host->conns[i];
        if (!conn->id || !find_topic(conn, topic))
            continue;
        err = put(ctx, conn->id, mw_view_text(conn->id == 1 ? "{\"name\":\"ann\"}" : ""));
        ++*total;
    }
    return err;
}

static mw_id host_next_conn(void *host_app, mw_id after)
{
    struct fake_host *host = host_app;
    for (size_t i = 0; i < FAKE_CONNS; i++) {
        if (host->conns[i].id > after && host->conns[i].is_accepted)
            return host->conns[i].id;
    }
    return 0;
}

static void host_finished(void *host_app, mw_id id, bool was_open, const struct mw_verdict *verdict)
{
    struct fake_host *host = host_app;
    struct fake_conn *conn = find(host, id);
    if (conn)
        conn->is_busy = false;
    if (conn && was_open && verdict && verdict->accept) {
        conn->state = MW_CONN_STATE_OPEN;
        conn->is_accepted = true;
    }
    if (host->is_quiet)
        return;
    if (!was_open)
        note(host, "finished %d message\n", (int)id);
    else if (!verdict)
        note(host, "finished %d open failed\n", (int)id);
    else if (verdict->accept)
        note(host, "finished %d open accept\n", (int)id);
    else
        note(host, "finished %d open refuse %u %.*s\n", (int)id, verdict->code,
             (int)verdict->reason.len, verdict->reason.data ? verdict->reason.data : "");
}

static bool host_may_call(void *host_app)
{
    struct fake_host *host = host_app;
    if (host->calls_a_turn == 0)
        return true;
    if (host->calls_left == 0)
        return false;
    host->calls_left--;
    return true;
}

static void host_wake_at(void *host_app, mw_ms at_ms)
{
    ((struct fake_host *)host_app)->wake_ms = at_ms;
}

static mw_ms host_monotonic_ms(void *host_app)
{
    return ((struct fake_host *)host_app)->now_ms;
}

static mw_ms host_unix_ms(void *host_app)
{
    return ((struct fake_host *)host_app)->unix_ms;
}

static void host_log(void *host_app, enum mw_log_level level, unsigned version, mw_id conn,
                     struct mw_view message, const struct mw_log_field *fields, size_t field_count)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    struct fake_host *host = host_app;
    note(host, "log %s v%u ", names[level], version);
    if (conn)
        note(host, "c%d ", (int)conn);
    note(host, "%.*s", (int)message.len, message.data);
    for (size_t i = 0; i < field_count; i++)
        note(host, " %.*s=%.*s", (int)fields[i].key.len, fields[i].key.data,
             (int)fields[i].json.len, fields[i].json.data);
    note(host, "\n");
}

static void host_fault(void *host_app, const struct mw_fault *fault)
{
    struct fake_host *host = host_app;
    host->fault = *fault;
    host->fault_count++;
    note(host, "fault %s v%u %s:%d %s\n", fault->handler, fault->version, fault->file, fault->line,
         fault->message);
}

static int host_random(void *host_app, void *out, size_t len)
{
    (void)host_app;
    memset(out, 7, len);
    return MW_OK;
}

static bool host_next_message(void *host_app, mw_id conn, enum mw_opcode *kind,
                              struct mw_view *data)
{
    struct fake_host *host = host_app;
    const char *text =
        host->followed < MW_COUNT(host->following) ? host->following[host->followed] : NULL;
    (void)conn;
    if (!text)
        return false;
    host->followed++;
    host->heard = mw_view(0, 0);
    if (host->on_follow)
        host->on_follow();
    *kind = MW_OPCODE_TEXT;
    *data = mw_view_text(text);
    return true;
}

static void host_heard(void *host_app, struct mw_view copy)
{
    struct fake_host *host = host_app;
    host->heard = copy;
    if (copy.len <= sizeof host->heard_text)
        memcpy(host->heard_text, copy.data, copy.len);
}

const struct mw_host fake_host_functions = {
    .send = host_send,
    .close = host_close,
    .code_refusal = host_code_refusal,
    .code_facts = host_code_facts,
    .explain = host_explain,
    .ping = host_ping,
    .info = host_info,
    .subscribe = host_subscribe,
    .unsubscribe = host_unsubscribe,
    .topic_at = host_topic_at,
    .publish = host_publish,
    .members = host_members,
    .is_elsewhere = host_is_elsewhere,
    .next_message = host_next_message,
    .heard = host_heard,
    .next_conn = host_next_conn,
    .finished = host_finished,
    .may_call = host_may_call,
    .wake_at = host_wake_at,
    .monotonic_ms = host_monotonic_ms,
    .unix_ms = host_unix_ms,
    .log = host_log,
    .fault = host_fault,
    .random = host_random,
};

void fake_host_init(struct fake_host *host)
{
    *host = (struct fake_host){ .now_ms = 1000, .unix_ms = 1700000000500, .wake_ms = MW_NEVER };
}
