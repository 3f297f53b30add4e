/*
 * What one call into a script costs, without sockets: nanoseconds per on_message, the best of ten
 * rounds, for the same engine with and without budgets. Ratios of one run are facts, times are not.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "moonwire/app.h"
#include "moonwire/engine_lua.h"

#define CALLS  1000000
#define ROUNDS 10

static int no_send(void *app, mw_id conn, enum mw_opcode kind, struct mw_view data,
                   const struct mw_send_how *how)
{
    (void)app, (void)conn, (void)kind, (void)data, (void)how;
    return MW_OK;
}

static int no_info(void *app, mw_id conn, struct mw_conn_info *out)
{
    (void)app, (void)conn;
    *out = (struct mw_conn_info){ .rtt_s = -1, .state = MW_CONN_STATE_OPEN };
    return MW_OK;
}

static void no_wake(void *app, mw_ms at_ms)
{
    (void)app, (void)at_ms;
}

static mw_id no_conns(void *app, mw_id after)
{
    (void)app, (void)after;
    return 0;
}

static bool may_call(void *app)
{
    (void)app;
    return true;
}

static mw_ms no_time(void *app)
{
    (void)app;
    return 1000;
}

static void no_log(void *app, enum mw_log_level level, unsigned version, mw_id conn,
                   struct mw_view message, const struct mw_log_field *fields, size_t count)
{
    (void)app, (void)level, (void)version, (void)conn, (void)fields, (void)count;
    fprintf(stderr, "%.*s\n", (int)message.len, message.data);
}

static void tell_fault(void *app, const struct mw_fault *fault)
{
    (void)app;
    fprintf(stderr, "%s:%d %s\n", fault->file, fault->line, fault->message);
}

static int no_random(void *app, void *out, size_t len)
{
    (void)app;
    memset(out, 7, len);
    return MW_OK;
}

static const struct mw_host host = {
    .send = no_send,
    .info = no_info,
    .next_conn = no_conns,
    .may_call = may_call,
    .wake_at = no_wake,
    .monotonic_ms = no_time,
    .unix_ms = no_time,
    .log = no_log,
    .fault = tell_fault,
    .random = no_random,
};

static const struct {
    const char *name, *script;
} handlers[] = {
    { "empty", "return { on_message = function(conn, data) end }" },
    { "echo", "return { on_message = function(conn, data) conn:send(data) end }" },
    { "loop of 100", "return { on_message = function(conn, data) local n = 0\n"
                     "for i = 1, 100 do n = n + i end end }" },
};

static struct mw_app *make_app(const char *script, unsigned stop_ms)
{
    const struct mw_engine *engine = mw_engine_lua();
    struct mw_app_setup setup = {
        .host = &host,
        .name = mw_view_text("bench.lua"),
        .memory_bytes = 64 << 20,
        .cpu_stop_ms = stop_ms,
        .cpu_warn_ms = stop_ms / 10,
    };
    struct mw_sources sources = { .script = { setup.name, mw_view_text(script) } };
    struct mw_request request = { .conn = 1, .path = mw_view_text("/") };
    const struct mw_route_spec *spec;
    struct mw_fault fault;
    struct mw_verdict verdict;
    struct mw_app *app = engine->create(&setup);
    if (!app || engine->prepare(app, &sources, 1, &spec, &fault) != MW_OK)
        return NULL;
    engine->commit(app);
    engine->open(app, &request, &verdict);
    return app;
}

static double round_ns(struct mw_app *app)
{
    const struct mw_engine *engine = mw_engine_lua();
    struct mw_view data =
        mw_view_text("0123456789012345678901234567890123456789012345678901234567890123");
    struct timespec start, end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    for (int i = 0; i < CALLS; i++)
        engine->message(app, 1, MW_OPCODE_TEXT, data);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    return ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) /
           CALLS;
}

static double best_of(double best, double now)
{
    return best == 0 || now < best ? now : best;
}

/* Those without come first: ticks, once started, do not end before the thread does. */
int main(void)
{
    double without[sizeof handlers / sizeof *handlers] = { 0 };
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
            struct mw_app *app = make_app(handlers[i].script, pass ? 200 : 0);
            double best = 0;
            if (!app)
                return 1;
            for (int round = 0; round < ROUNDS; round++)
                best = best_of(best, round_ns(app));
            mw_engine_lua()->destroy(app);
            if (!pass)
                without[i] = best;
            else
                printf("%-12s %7.1f ns without ticks  %7.1f ns with  ratio %.3f\n",
                       handlers[i].name, without[i], best, best / without[i]);
        }
    }
    return 0;
}
