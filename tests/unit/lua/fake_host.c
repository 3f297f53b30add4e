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

/* ---- a world ---- */

bool world_open_in(struct world *world, struct mw_mem *mem, size_t memory_bytes)
{
    world->engine = mw_engine_lua();
    world->version = 0;
    fake_host_init(&world->host);
    struct mw_app_setup setup = {
        .host = &fake_host_functions,
        .host_app = &world->host,
        .name = mw_view_text("chat.lua"),
        .memory_bytes = memory_bytes ? memory_bytes : 64 * 1024 * 1024,
    };
    world->app = mw_lua_app_new(&setup, mem);
    return world->app != NULL;
}

void world_open_capped(struct world *world, size_t memory_bytes)
{
    struct mw_mem *mem = &world->mem;
    mw_mem_init(mem, NULL, 0);
    assert_true(world_open_in(world, mem, memory_bytes));
}

void world_close(struct world *world)
{
    world->engine->destroy(world->app);
    assert_mem_empty(&world->mem);
}

int prepare_with(struct world *world, const char *script, const char *const *libs)
{
    struct mw_source files[8];
    struct mw_sources sources = {
        .script = { mw_view_text("chat.lua"), mw_view_text(script) },
        .libs = files,
    };
    for (; libs && libs[0]; libs += 2)
        files[sources.lib_count++] =
            (struct mw_source){ mw_view_text(libs[0]), mw_view_text(libs[1]) };
    return world->engine->prepare(world->app, &sources, world->version + 1, &world->spec,
                                  &world->fault);
}

void commit(struct world *world)
{
    world->version++;
    world->engine->commit(world->app);
}

int load_with(struct world *world, const char *script, const char *const *libs)
{
    int err = prepare_with(world, script, libs);
    if (err == MW_OK)
        commit(world);
    return err;
}

int load(struct world *world, const char *script)
{
    return load_with(world, script, NULL);
}

void must_read(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    size_t len = fread(out, 1, size, file);
    (void)fclose(file);
    if (len == size)
        fail_msg("%s does not fit into %zu bytes", path, size);
    out[len] = '\0';
}

void must_prepare(struct world *world, const char *script)
{
    if (prepare_with(world, script, NULL) != MW_OK)
        fail_msg("not loaded: %s:%d %s", world->fault.file, world->fault.line,
                 world->fault.message);
}

void must_load(struct world *world, const char *script)
{
    must_prepare(world, script);
    commit(world);
}

enum mw_app_result open_conn(struct world *world, mw_id id, const char *query,
                             struct mw_verdict *verdict)
{
    static const struct mw_header headers[] = {
        { MW_VIEW("host"), MW_VIEW("example.org") },
        { MW_VIEW("cookie"), MW_VIEW("a=1; b=\"two\"; a=3") },
        { MW_VIEW("x-tag"), MW_VIEW("one") },
        { MW_VIEW("x-tag"), MW_VIEW("two") },
    };
    world->host.conns[id] = (struct fake_conn){ .id = id, .rtt_s = -1 };
    struct mw_request request = {
        .conn = id,
        .path = mw_view_text("/chat/lobby"),
        .target = mw_view_text("/chat/lobby?x"),
        .query = mw_view_text(query),
        .headers = headers,
        .header_count = MW_COUNT(headers),
        .tls = world->host.tls,
    };
    *verdict = (struct mw_verdict){ 0 };
    enum mw_app_result result = world->engine->open(world->app, &request, verdict);
    if (result == MW_APP_DONE && verdict->accept) {
        world->host.conns[id].state = MW_CONN_STATE_OPEN;
        world->host.conns[id].is_accepted = true;
    }
    return result;
}

void must_open(struct world *world, mw_id id)
{
    struct mw_verdict verdict;
    assert_int_equal(open_conn(world, id, "", &verdict), MW_APP_DONE);
    assert_true(verdict.accept);
}

enum mw_app_result resume_conn(struct world *world, mw_id id, struct mw_verdict *verdict)
{
    static const struct mw_return back = { .away_s = 1.5, .missed = 2, .replayed = 3 };
    const struct mw_request request = {
        .conn = id,
        .path = mw_view_text("/chat/lobby"),
        .target = mw_view_text("/chat/lobby"),
        .ip = mw_view_text("192.0.2.7"),
        .back = &back,
    };
    world->host.conns[id].state = MW_CONN_STATE_AWAY;
    world->host.conns[id].resumed = true;
    return world->engine->resume(world->app, &request, verdict);
}

enum mw_app_result say(struct world *world, mw_id id, const char *text)
{
    return world->engine->message(world->app, id, MW_OPCODE_TEXT, mw_view_text(text));
}

enum mw_app_result say_binary(struct world *world, mw_id id, const char *bytes, size_t len)
{
    return world->engine->message(world->app, id, MW_OPCODE_BINARY, mw_view(bytes, len));
}

void end_conn(struct world *world, mw_id id, unsigned code, const char *cause)
{
    struct mw_end end = {
        .code = code,
        .reason = mw_view_text("bye"),
        .who = "client",
        .cause = cause,
        .rule = "",
        .lasted_s = 1.5,
        .silent_s = 0.5,
        .sent = 2,
        .received = 3,
        .clean = true,
    };
    world->host.conns[id].state = MW_CONN_STATE_CLOSED;
    world->engine->close(world->app, id, &end);
    world->host.conns[id] = (struct fake_conn){ 0 };
}

void pass(struct world *world, mw_ms span_ms)
{
    struct fake_host *host = &world->host;
    mw_ms end_ms = host->now_ms + span_ms;
    while (host->wake_ms <= end_ms) {
        if (host->wake_ms > host->now_ms)
            host->now_ms = host->wake_ms;
        host->wake_ms = MW_NEVER;
        host->calls_left = host->calls_a_turn ? host->calls_a_turn - 1 : 0;
        world->engine->tick(world->app, host->now_ms);
    }
    host->now_ms = end_ms;
}

void forget(struct world *world)
{
    world->host.len = 0;
    world->host.transcript[0] = '\0';
}

void expect(struct world *world, const char *transcript)
{
    assert_string_equal(world->host.transcript, transcript);
    forget(world);
}

void expect_somewhere(struct world *world, const char *text)
{
    if (!strstr(world->host.transcript, text))
        fail_msg("'%s' is not in:\n%s", text, world->host.transcript);
    forget(world);
}

static void run_line(struct world *world, const char *body)
{
    char script[8192];
    snprintf(script, sizeof(script), "return { on_message = function(conn, data, kind) %s end }",
             body);
    must_load(world, script);
    if (!world->host.conns[1].id)
        must_open(world, 1);
    forget(world);
    say(world, 1, "go");
}

void expect_from(struct world *world, const char *body, const char *transcript)
{
    run_line(world, body);
    expect(world, transcript);
}

void expect_lines(struct world *world, const struct line_case *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *transcript = lines[i].transcript;
        world_open(world);
        run_line(world, lines[i].body);
        if (transcript[0] == '*')
            expect_somewhere(world, transcript + 1);
        else
            expect(world, transcript);
        world_close(world);
    }
}
