/*
 * A conversation that goes through the whole engine, in which one allocation fails, each in its
 * turn; then one and all later ones up to some step; then all to the end. In every case: no crash,
 * nothing left behind, nobody waits for ever, Lua never panics, and when there is memory again the
 * app serves as before.
 */
#include <lua.h>

#include <stdlib.h>

#include "core/base/str.h"
#include "tests/unit/lua/fake_host.h"

static struct world world;

/* ---- the script ---- */

static const char rooms[] = "local M = {}\n"
                            "function M.name(conn) return conn.params.room end\n"
                            "function M.broken() local t; return t.field end\n"
                            "return M\n";

static const char *const libs[] = {
    "lib/rooms.lua", rooms, "lib/late.lua", "return function(x) return { x, x } end\n", NULL,
};

static const char script[] =
    "local rooms = require 'rooms'\n"
    "state.n = (state.n or 0) + 1\n"
    "timer.every('tick', 1, function() publish('room', { tick = state.n }) end)\n"
    "timer.every('named', 2, 'beat')\n"
    "timer.after(0.5, function() sleep(0.2) log.info('late', { n = state.n, l = { 1, 2 } }) end)\n"
    "local M = { route = '/chat/:room', protocols = { 'a', 'b' }, origins = { '*' },\n"
    "  format = 'json', limits = { message = 5000 }, codes = { [4001] = { 'kicked' } } }\n"
    "function M.beat() log.debug(tostring(now())) end\n"
    "function M.on_start() state.rooms = { lobby = { people = json.array {} } } end\n"
    "function M.on_stop() print('stop', state.n) end\n"
    "function M.on_reload(old, info) old.reloads = (old.reloads or 0) + 1 end\n"
    "function M.on_open(conn, req)\n"
    "  if req.query.out then return false, 4001, 'out: ' .. req.query.out end\n"
    "  if req.query.http then return false, 404, ('no '):rep(50) end\n"
    "  if req.query.alive then return end\n"
    "  conn.data = { user = req.query.user or req.cookies.a, tags = req.headers['x-tag'] }\n"
    "  conn:subscribe('room') conn:subscribe('other') sleep(0)\n"
    "  conn:send('hello ' .. conn.data.user .. #req.query_all.x)\n"
    "end\n"
    "local act = {}\n"
    "function act.echo(conn, m) conn:send { echo = m, who = conn.data.user, path = conn.path } "
    "end\n"
    "function act.wrap(conn, m)\n"
    "  local co = coroutine.wrap(function(x) sleep(0.1) coroutine.yield(x) end)\n"
    "  print(inspect(m), rooms.name(conn), co(1), conn.id, conn.opened_at, conn.queued)\n"
    "end\n"
    "function act.tell(conn)\n"
    "  for c in connections() do c:publish('room', tostring(c)) end\n"
    "  conn:unsubscribe('other') log.warn('topics', conn:topics()) conn:ping()\n"
    "  connection(conn.id):send(('ä'):rep(30), 'text')\n"
    "end\n"
    "function act.text()\n"
    "  local s = ('%s %5.2f %q'):format('a', 1.5, 'q') .. ('x,y,z'):gsub(',', ';')\n"
    "  for w in s:gmatch('%a+') do s = s .. w:upper():rep(3, '-') end\n"
    "  local t = { s:byte(1, -1) } table.sort(t) table.insert(t, 1, 2) table.remove(t)\n"
    "  state.text = table.concat(t, ' ') .. string.pack('>I4', 7) .. utf8.char(228, 8364)\n"
    "  return os.date('!%Y', 0), os.time(), math.random(9), select('#', table.unpack(t, 1, 3))\n"
    "end\n"
    "function act.keep(conn, m)\n"
    "  state.list = { 1, { deep = m } } state.list[2].more = conn.data.user\n"
    "  local ok, why = pcall(function() state.bad = print end) print(ok, why)\n"
    "end\n"
    "function act.time()\n"
    "  local t = timer.after(9, print) timer.every('x', 9, print) timer.cancel(t)\n"
    "  timer.cancel('x') timer.after(0.1, function() error({ code = 5 }) end)\n"
    "end\n"
    "function act.late(conn, m) conn:send(json.encode(require 'late' (m))) end\n"
    "function act.meta()\n"
    "  local c <close> = setmetatable({}, { __close = function() print('closed') end })\n"
    "  local co = coroutine.create(function() local d <close> = c coroutine.yield() end)\n"
    "  coroutine.resume(co) coroutine.close(co)\n"
    "  print(xpcall(function() error('in') end, function(e) return e .. '!' end))\n"
    "end\n"
    "function act.bad() rooms.broken() end\n"
    "function act.typo(conn) conn:sned('x') end\n"
    "function act.global() undeclared = 1 end\n"
    "function act.bye(conn) conn:close(4001, 'bye ' .. conn.data.user) end\n"
    "function M.on_message(conn, m, kind)\n"
    "  if kind == 'binary' then conn:send(m, 'binary') return end\n"
    "  if m.alive then conn:send('alive') return end\n"
    "  if m.wait then sleep(1) end\n"
    "  act[m.act](conn, m)\n"
    "end\n"
    "function M.on_drain(conn) conn:send('drained') end\n"
    "function M.on_close(conn, code, reason, info)\n"
    "  print(conn.id, conn.ip, code, reason, inspect(info))\n"
    "end\n"
    "return M\n";

/* ---- the conversation, in steps ---- */

static void step_load(struct world *w)
{
    if (load_with(w, script, libs) == MW_OK)
        w->engine->start(w->app);
}

static bool is_live(const struct world *w)
{
    return w->version > 0;
}

static void step_open(struct world *w)
{
    static const char *const queries[] = { "user=ann&x=1&x=2", "out=yes", "http=1", "user=ben&x" };
    struct mw_verdict verdict;
    for (mw_id id = 1; id <= MW_COUNT(queries) && is_live(w); id++) {
        enum mw_app_result result = open_conn(w, id, queries[id - 1], &verdict);
        w->host.conns[id].is_busy = result == MW_APP_WAITING;
    }
    pass(w, 10);
}

/* As the server would: to whom on_open has accepted, and one after the other. */
static void tell(struct world *w, mw_id id, enum mw_opcode kind, struct mw_view data)
{
    struct fake_conn *conn = &w->host.conns[id];
    if (!conn->is_accepted || conn->is_busy)
        return;
    enum mw_app_result result = w->engine->message(w->app, id, kind, data);
    conn->is_busy = result == MW_APP_WAITING;
}

static void tell_text(struct world *w, mw_id id, const char *text)
{
    tell(w, id, MW_OPCODE_TEXT, mw_view_text(text));
}

static void act(struct world *w, const char *what)
{
    char text[64];
    snprintf(text, sizeof text, "{\"act\":\"%s\"}", what);
    tell_text(w, 1, text);
}

static void step_talk(struct world *w)
{
    static const char *const acts[] = { "echo", "tell", "text", "keep", "time", "late", "meta" };
    for (size_t i = 0; i < MW_COUNT(acts); i++)
        act(w, acts[i]);
    tell(w, 4, MW_OPCODE_BINARY, mw_view("\xff\0\x01", 3));
    tell_text(
        w, 4,
        "{\"act\":\"echo\",\"a\":[1,2.5,null,{\"b\":\"longer than forty bytes, in truth\"}]}");
    tell_text(w, 4, "no json");
    if (w->host.conns[4].is_accepted)
        w->engine->drain(w->app, 4);
}

static void step_wait(struct world *w)
{
    tell_text(w, 1, "{\"act\":\"wrap\",\"wait\":true}");
    pass(w, 3000);
}

static void step_err(struct world *w)
{
    static const char *const acts[] = { "bad", "typo", "global", "none" };
    for (size_t i = 0; i < MW_COUNT(acts); i++)
        act(w, acts[i]);
}

static void step_reload(struct world *w)
{
    load_with(w, "return { on_message = 5 }", NULL);
    tell_text(w, 1, "{\"act\":\"echo\",\"wait\":true}"); /* ends on its own version */
    load_with(w, script, libs);
    load_with(w, "this is no Lua", NULL);
    load_with(w, "error { 'a table' }", NULL);
    pass(w, 2500);
}

static void step_end(struct world *w)
{
    act(w, "bye");
    for (mw_id id = 1; id <= 4 && is_live(w); id++) {
        assert_false(w->host.conns[id].is_busy);
        if (w->host.conns[id].id)
            end_conn(w, id, id == 2 ? 4001 : 1001, "peer_close");
    }
    pass(w, 100);
}

typedef void step_fn(struct world *w);
static step_fn *const steps[] = {
    step_load, step_open, step_talk, step_wait, step_err, step_reload, step_end,
};

/* ---- running it ---- */

/* A failing allocation from `fail_at` on; those behind it too, up to the end of `more` steps. */
struct plan {
    uint64_t fail_at;
    size_t more; /* 0: only that one */
};

static int panic(lua_State *L)
{
    (void)L;
    fail_msg("Lua panicked: a call that raises stands outside of protection");
    return 0;
}

static void forgive(struct mw_mem *mem)
{
    mem->fail_at = 0;
    mem->fail_after = false;
}

/* MW_ROUNDS=10 makes the long run of it: the first 20 000 allocations (security goal G8). */
static size_t rounds(void)
{
    const char *text = getenv("MW_ROUNDS");
    uint64_t count = 1;
    if (text)
        assert_true(mw_parse_u64(mw_view_text(text), 1, 1000, &count));
    return (size_t)count;
}

static void converse(struct world *w, struct mw_mem *mem, const struct plan *plan)
{
    size_t failed_steps = 0, count = rounds() * MW_COUNT(steps);
    for (size_t i = 0; i < count; i++) {
        steps[i % MW_COUNT(steps)](w);
        forget(w);
        if (mem->fail_after && mem->count >= plan->fail_at && ++failed_steps >= plan->more)
            forgive(mem);
    }
    forgive(mem);
}

/* There is memory again: the app serves, be it after one more save, and nobody waits for ever. */
static void assert_serves(struct world *w)
{
    struct mw_app_stats stats;
    struct mw_verdict verdict;
    pass(w, 10000);
    w->engine->stats(w->app, &stats);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.conn_objects, 0);
    if (!is_live(w))
        step_load(w);
    assert_int_equal(open_conn(w, 5, "alive=1", &verdict), MW_APP_DONE);
    assert_true(verdict.accept);
    forget(w);
    assert_int_equal(say(w, 5, "{\"alive\":true}"), MW_APP_DONE);
    expect(w, "send 5 text alive\n");
    step_reload(w);
    forget(w);
    assert_int_equal(say(w, 5, "{\"alive\":true}"), MW_APP_DONE);
    expect(w, "send 5 text alive\n");
    end_conn(w, 5, 1000, "peer_close");
    w->engine->stop(w->app);
}

/* Gives how many allocations it has asked for. */
static uint64_t run(const struct plan *plan)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    mem.fail_at = plan->fail_at;
    mem.fail_after = plan->more > 0;
    uint64_t count = 0;
    if (world_open_in(&world, &mem, 64 * 1024 * 1024)) {
        lua_atpanic(world.app->L, panic);
        converse(&world, &mem, plan);
        count = mem.count;
        if (plan->fail_at == 0) /* the timer, and the four of step_err */
            assert_int_equal(world.host.fault_count, 5 * rounds());
        assert_serves(&world);
        world.engine->destroy(world.app);
    }
    assert_mem_empty(&mem);
    return count > 0 ? count : UINT64_MAX;
}

TEST(with_enough_memory_only_what_is_meant_fails)
{
    static const struct plan none;
    uint64_t count = run(&none);
    print_message("%llu allocations\n", (unsigned long long)count);
    assert_in_range(count, 1000 * rounds(), 3000 * rounds());
}

TEST(any_one_allocation_may_fail)
{
    static const struct plan none;
    uint64_t count = run(&none);
    for (uint64_t n = 1; n <= count; n++)
        (void)run(&(struct plan){ .fail_at = n });
}

/* The early ones each, later ones in growing steps that are no round numbers. */
static void fail_some(size_t more, uint64_t count, uint64_t divisor)
{
    for (uint64_t n = 1; n <= count; n += 1 + n / divisor)
        (void)run(&(struct plan){ .fail_at = n, .more = more });
}

TEST(any_allocation_and_those_of_the_next_step_may_fail)
{
    static const struct plan none;
    fail_some(2, run(&none), 400);
}

TEST(any_allocation_and_all_later_ones_may_fail)
{
    static const struct plan none;
    fail_some(MW_COUNT(steps), run(&none), 400);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(with_enough_memory_only_what_is_meant_fails),
        CASE(any_one_allocation_may_fail),
        CASE(any_allocation_and_those_of_the_next_step_may_fail),
        CASE(any_allocation_and_all_later_ones_may_fail),
    };
    return RUN(cases);
}
