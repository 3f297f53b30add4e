/* The app around the fake host, and the steps of its tests (fake_host.h). */
#include "tests/unit/lua/fake_host.h"

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

static enum mw_app_result hear(struct world *world, mw_id id, enum mw_opcode kind,
                               struct mw_view data)
{
    enum mw_app_result result = world->engine->message(world->app, id, kind, data);
    world->host.heard = mw_view(0, 0);
    return result;
}

enum mw_app_result say(struct world *world, mw_id id, const char *text)
{
    return hear(world, id, MW_OPCODE_TEXT, mw_view_text(text));
}

enum mw_app_result say_binary(struct world *world, mw_id id, const char *bytes, size_t len)
{
    return hear(world, id, MW_OPCODE_BINARY, mw_view(bytes, len));
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
    world->host.conns[id].is_accepted = false;
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
