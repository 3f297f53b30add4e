/*
 * Runs one script full of attacks: `attack_runner tests/attack/x.lua`. Its first line gives the
 * budget of a call, "-- budget 40 ms", and the longest string where there is a limit, "-- budget 40
 * ms, string 1310720 bytes"; its last statement is a table `attacks` of functions, each called with
 * a connection. A line "--> name outcome" says how that one must end:
 *
 *   cpu, memory   stopped, whatever the script does with errors
 *   error         an error of Lua
 *   done          the call came to its end
 *
 * After each one the script must answer "alive" in the same state, and at the end nothing may be
 * held. What is printed with each name, the CPU time as a multiple of the budget, is for people.
 */
#include "core/base/cpu_tick.h"
#include "core/base/str.h"
#include "tests/unit/lua/fake_host.h"

#define CAP (16 * 1024 * 1024)

/* Behind each file: one message calls one attack. */
static const char rest[] = "\nreturn { on_message = function(conn, name)"
                           "  if name == 'alive' then conn:send('alive')"
                           "  else attacks[name](conn) end end }";

static char script[65536 + sizeof(rest)];
static unsigned budget_ms;
static size_t string_bytes; /* 0: any */

static void next_word(const char **at, char *out, size_t size)
{
    *at += strspn(*at, " \n");
    size_t len = strcspn(*at, " \n");
    snprintf(out, size, "%.*s", (int)len, *at);
    *at += len;
}

/* The number behind "-- ... `name`" in the first line; 0: it is not there. */
static uint64_t setting(const char *name)
{
    char line[128], word[16];
    uint64_t number = 0;
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(script, "\n"), script);
    const char *at = strstr(line, name);
    if (!at)
        return 0;
    at += strlen(name);
    next_word(&at, word, sizeof(word));
    (void)mw_parse_u64(mw_view_text(word), 1, INT32_MAX, &number);
    return number;
}

static void read_script(const char *path)
{
    must_read(path, script, sizeof(script) - sizeof(rest));
    memcpy(script + strlen(script), rest, sizeof(rest));
    budget_ms = (unsigned)setting("-- budget ");
    string_bytes = (size_t)setting(", string ");
    if (budget_ms == 0)
        fail_msg("%s: the first line is no \"-- budget N ms\"", path);
}

static void open_world(struct world *world)
{
    world_open_capped(world, CAP);
    world->app->budget.stop_ms = budget_ms;
    world->app->budget.string_bytes = string_bytes;
    if (load(world, script) != MW_OK)
        fail_msg("%s:%d: %s", world->fault.file, world->fault.line, world->fault.message);
    must_open(world, 1);
    forget(world);
}

static const char *outcome_of(const struct world *world, enum mw_app_result result)
{
    static const char *const kinds[] = {
        [MW_FAULT_ERROR] = "error",
        [MW_FAULT_CPU] = "cpu",
        [MW_FAULT_MEMORY] = "memory",
    };
    if (result == MW_APP_WAITING)
        return "waiting";
    return result == MW_APP_DONE ? "done" : kinds[world->host.fault.kind];
}

static void attack(struct world *world, const char *name, const char *expected)
{
    uint64_t before_us = mw_cpu_time_us();
    enum mw_app_result result = say(world, 1, name);
    double spent_ms = (double)(mw_cpu_time_us() - before_us) / 1000.0;
    const char *outcome = outcome_of(world, result);
    (void)printf("%-28s %-7s %5.2f budgets  %s:%d %s\n", name, outcome, spent_ms / budget_ms,
                 world->host.fault.file, world->host.fault.line, world->host.fault.samples);
    if (strcmp(outcome, expected) != 0)
        fail_msg("%s: want %s, got %s\n%s", name, expected, outcome, world->host.transcript);
    assert_true(world->app->mem.peak <= CAP + CAP / 20);
    pass(world, 10);
    forget(world);
    assert_int_equal(say(world, 1, "alive"), MW_APP_DONE);
    expect(world, "send 1 text alive\n");
    world->host.fault = (struct mw_fault){ 0 };
}

TEST(every_attack_ends_as_it_must)
{
    static struct world world;
    char name[64], expected[16];
    size_t count = 0;
    open_world(&world);
    for (const char *at = script; (at = strstr(at, "--> "));) {
        at += 4;
        next_word(&at, name, sizeof(name));
        next_word(&at, expected, sizeof(expected));
        attack(&world, name, expected);
        count++;
    }
    assert_true(count > 0);
    end_conn(&world, 1, 1000, "peer_close");
    world_close(&world);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest cases[] = { CASE(every_attack_ends_as_it_must) };
    if (argc != 2)
        return 2;
    read_script(argv[1]);
    return RUN(cases);
}
