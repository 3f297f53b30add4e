/*
 * Every function that a script can name, called with hostile values in every place: each value,
 * each pair, all triples of the plain ones, and longer lists by chance from a seed. Nothing may
 * crash, leak, show an address or complain about a function called '?', and the app works
 * afterwards.
 *
 * A script makes the calls, a batch for each message; a call that has to be stopped ends its batch,
 * and the next message goes on behind it.
 */
#include "lua/names.h"

#include "tests/unit/lua/fake_host.h"

#define CAP       (4 * 1024 * 1024)
#define BUDGET_MS 10 /* of a batch */

static struct world world;
static struct mw_host host;

static const char script[] =
    "local function fail() error('on purpose', 0) end\n"
    "local function list(n) local t = {} for i = 1, n do t[i] = i end return t end\n"
    "local function meta(m) return setmetatable({ 1, 2, 3 }, m) end\n"
    "local cyclic = {} cyclic[1], cyclic.me = cyclic, cyclic\n"
    "local function resumed(f) local co = coroutine.create(f) coroutine.resume(co) return co end\n"
    "local plain = table.pack(nil, true, 0, -1, 3, 1 << 31, (1 << 53) + 1, math.mininteger,\n"
    "  math.maxinteger, 0/0, math.huge, -0.0, '', '\\0', '%s%n', '0x10', '%p%d%1%b', 'room')\n"
    "local values, ended\n"
    "local function build(conn)\n"
    "  local more = table.pack(\n"
    "    ('x'):rep(1 << 17), '\\xff\\xc0\\x80', '1e300', ('('):rep(300), {}, list(50), cyclic,\n"
    "    meta { __index = fail, __newindex = fail },\n"
    "    meta { __len = function() return math.maxinteger end, __index = function() return 1 end "
    "},\n"
    "    meta { __len = function() return -1 end }, meta { __len = function() return {} end },\n"
    "    meta { __tostring = fail, __name = cyclic }, meta { __tostring = function() end },\n"
    "    meta { __name = ('n'):rep(5000) }, meta { __eq = fail, __lt = fail, __le = fail },\n"
    "    meta { __call = fail, __close = fail, __pairs = fail, __concat = fail },\n"
    "    meta { __metatable = 'mine', __mode = 'kv' }, meta { __index = conn, __newindex = conn "
    "},\n"
    "    { __gc = fail, __mode = 'k', __index = 5 }, { binary = true }, { binary = cyclic },\n"
    "    fail, function(...) return ... end, function() return {} end, print, coroutine.yield,\n"
    "    resumed(function() end), resumed(fail), resumed(coroutine.yield),\n"
    "    coroutine.create(fail), coroutine.running(), json.null, json.array {},\n"
    "    timer.after(1, print), timer.every('t', 5, fail), string, _G, _ENV, state, conn, ended)\n"
    "  values = table.move(more, 1, more.n, plain.n + 1, table.pack(table.unpack(plain, 1, "
    "plain.n)))\n"
    "  values.n = plain.n + more.n\n"
    "end\n"
    "local function check(ok, err)\n"
    "  if ok or type(err) ~= 'string' then return end\n"
    "  if err:find(\"'?'\", 1, true) then log.error('BAD name: ' .. err:sub(1, 200)) end\n"
    "  if err:find('0x%x%x%x%x%x%x%x') then log.error('BAD address: ' .. err:sub(1, 200)) end\n"
    "end\n"
    /* What is called, of which connection; which kind of list of arguments, which of them. */
    "local name, f, self, shape, at\n"
    "local shapes = {\n"
    "  { 1, function(args) return 0 end },\n"
    "  { 59, function(args, i) args[1] = values[i + 1] return 1 end },\n"
    "  { 59 * 59, function(args, i)\n"
    "    args[1], args[2] = values[i // 59 + 1], values[i % 59 + 1] return 2 end },\n"
    "  { 9 ^ 3 // 1, function(args, i)\n"
    "    args[1], args[2] = plain[i // 81 * 2 + 1], plain[i // 9 % 9 * 2 + 1]\n"
    "    args[3] = plain[i % 9 * 2 + 1] return 3 end },\n"
    "  { 500, function(args)\n"
    "    local n = math.random(3, 6)\n"
    "    for k = 1, n do args[k] = values[math.random(values.n)] end return n end },\n"
    "}\n"
    "local function call()\n"
    "  local args = {}\n"
    "  local n = shapes[shape][2](args, at - 1)\n"
    "  if self then table.move(args, 1, n, 2) args[1] = self n = n + 1 end\n"
    "  if name == 'sleep' then\n" /* where it cannot wait */
    "    table.sort({ 1, 2 }, function() check(pcall(f, table.unpack(args, 1, n))) end)\n"
    "  else\n"
    "    check(pcall(f, table.unpack(args, 1, n)))\n"
    "  end\n"
    "end\n"
    "local function begin(conn, library)\n"
    "  if library == 'conn' then self, f = conn, conn[name]\n"
    "  else self, f = nil, _G[library][name] end\n"
    "  shape, at = type(f) == 'function' and 1 or 99, 0\n"
    "  build(conn) assert(values.n == 59 and plain.n == 18, values.n) math.randomseed(42)\n"
    "end\n"
    "return {\n"
    "  on_close = function(conn) ended = conn end,\n"
    "  on_message = function(conn, data)\n"
    "    if data == 'ping' then log.error('pong') return end\n"
    "    local library, its_name = data:match('^(%S+) (%S+)$')\n"
    "    if library then name = its_name begin(conn, library) log.error('begun') return end\n"
    "    for _ = 1, 1000 do\n"
    "      if not shapes[shape] then log.error('done') return end\n"
    "      at = at + 1\n"
    "      if at > shapes[shape][1] then shape, at = shape + 1, 0 else call() end\n"
    "    end\n"
    "  end }\n";

/* ---- a host that keeps what matters: lines of log.error ---- */

static void keep_errors(void *host_app, enum mw_log_level level, unsigned version, mw_id conn,
                        struct mw_view message, const struct mw_log_field *fields, size_t count)
{
    bool is_word = message.len > 2 && message.len < 250 && strchr("Bbdp", message.data[0]);
    if (level == MW_LOG_ERROR && is_word)
        fake_host_functions.log(host_app, level, version, conn, message, fields, count);
}

static int swallow(void *host_app, mw_id conn, enum mw_opcode kind, struct mw_view data,
                   const struct mw_send_how *how)
{
    (void)host_app;
    (void)how;
    (void)conn;
    (void)kind;
    (void)data;
    return MW_OK;
}

static long reach_nobody(void *host_app, struct mw_view topic, enum mw_opcode kind,
                         struct mw_view data, mw_id except, const struct mw_send_how *how,
                         uint64_t *offset)
{
    *offset = 0;
    (void)how;
    (void)host_app;
    (void)topic;
    (void)kind;
    (void)data;
    (void)except;
    return 0;
}

static int keep_open(void *host_app, mw_id conn, unsigned code, struct mw_view reason,
                     const struct mw_advice *advice)
{
    (void)host_app;
    (void)conn;
    (void)code;
    (void)reason;
    (void)advice;
    return MW_OK;
}

static void look_at_fault(void *host_app, const struct mw_fault *fault)
{
    (void)host_app;
    if (strstr(fault->message, "'?'") || strstr(fault->message, "assertion"))
        fail_msg("%s:%d %s", fault->file, fault->line, fault->message);
}

/* ---- the calls ---- */

static void open_world(void)
{
    host = fake_host_functions;
    host.log = keep_errors;
    host.send = swallow;
    host.publish = reach_nobody;
    host.close = keep_open;
    host.fault = look_at_fault;
    struct mw_app_setup setup = {
        .host = &host,
        .host_app = &world.host,
        .name = mw_view_text("chat.lua"),
        .memory_bytes = CAP,
        .cpu_stop_ms = BUDGET_MS,
    };
    mw_mem_init(&world.mem, NULL, 0);
    world.engine = mw_engine_lua();
    world.version = 0;
    fake_host_init(&world.host);
    world.app = mw_lua_app_new(&setup, &world.mem);
    assert_non_null(world.app);
    must_load(&world, script);
    must_open(&world, 2);
    end_conn(&world, 2, 1000, "peer_close");
    must_open(&world, 1);
    forget(&world);
}

/* Says so until the script has said the word; a slow machine may stop it before that. */
static void say_until(const char *message, const char *word, int times)
{
    for (int i = 0; !strstr(world.host.transcript, word); i++) {
        if (i == times)
            fail_msg("%s: never said %s", message, word);
        forget(&world);
        say(&world, 1, message);
        pass(&world, 1);
        if (strstr(world.host.transcript, "BAD"))
            fail_msg("%s: %s", message, world.host.transcript);
    }
    forget(&world);
}

static void call_hostilely(const char *library, const char *name)
{
    char words[64];
    snprintf(words, sizeof(words), "%s %s", library, name);
    say_until(words, "begun", 100);
    say_until("go", "done", 3000);
}

static void call_all(const char *library)
{
    for (const char *const *names = mw_lua_names(library); *names; names++) {
        open_world();
        call_hostilely(library, *names);
        say_until("ping", "pong", 1);
        world_close(&world);
    }
}

#define LIBRARY(name) \
    TEST(hostile_arguments_of_##name) \
    { \
        call_all(#name); \
    }
LIBRARY(_G)
LIBRARY(string)
LIBRARY(table)
LIBRARY(math)
LIBRARY(utf8)
LIBRARY(coroutine)
LIBRARY(os)
LIBRARY(json)
LIBRARY(log)
LIBRARY(timer)
LIBRARY(conn)
#undef LIBRARY

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(hostile_arguments_of__G),    CASE(hostile_arguments_of_string),
        CASE(hostile_arguments_of_table), CASE(hostile_arguments_of_math),
        CASE(hostile_arguments_of_utf8),  CASE(hostile_arguments_of_coroutine),
        CASE(hostile_arguments_of_os),    CASE(hostile_arguments_of_json),
        CASE(hostile_arguments_of_log),   CASE(hostile_arguments_of_timer),
        CASE(hostile_arguments_of_conn),
    };
    return RUN(cases);
}
