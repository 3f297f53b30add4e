/* decide_close, advise_reconnect, the third value of conn:close, and the advice that they take. */
#include "lua/decide.h"

#include "tests/unit/lua/fake_host.h"

static struct world world;

static const struct mw_end the_end = {
    .code = 1008,
    .reason = { "too fast", 8 },
    .who = "server",
    .cause = "rate_limited",
    .rule = "",
    .lasted_s = 2,
    .silent_s = 0,
    .sent = 4,
    .received = 9,
    .pings_unanswered = 1,
};

/* "4008 slow down retry=5000+0", "default" */
static void decide(char out[256])
{
    char told[64];
    struct mw_farewell said;
    if (!world.engine->decide(world.app, 1, &the_end, &said)) {
        snprintf(out, 256, "default");
        return;
    }
    advice_text(&said.advice, told);
    snprintf(out, 256, "%u %.*s%s", said.code, (int)said.reason.len, said.reason.data, told);
}

static const struct {
    const char *body, *said, *transcript; /* transcript "*": holds the rest */
} decisions[] = {
    { "", "default", "" },
    { "return nil", "default", "" },
    { "return 4008, 'slow down'", "4008 slow down", "" },
    { "return 4008", "4008 too fast", "" }, /* the text of the default says what has happened */
    { "return 4008, nil, false", "4008 too fast retry=no", "" },
    { "return 4008, 'x', { after = 5 }", "4008 x retry=5000+0", "" },
    { "return 4008, 'x', { after = 0.5, spread = 2, resume = false }",
      "4008 x retry=500+2000 afresh", "" },
    { "return 4008, 'x', { spread = 86400, resume = true }", "4008 x retry=0+86400000", "" },
    { "return 1006", "default", "*decide_close returned 1006: this code is never sent" },
    { "return 70000", "default", "*decide_close returned 70000: close codes have four digits" },
    { "return 4000.5", "default", "*decide_close returned a number (4000.5): return code[, rea" },
    { "return '4000'", "default", "*decide_close returned a string (4000): return code" },
    { "return nil, 'x'", "default", "*decide_close returned a nil (nil): return code[, reason[" },
    { "return 4000, 5", "default", "*decide_close returned a number as its reason" },
    { "return 4000, '\\xff'", "default", "*decide_close returned a reason that is not UTF-8" },
    { "return 4000, 'x', true", "default", "*advice cannot be true: say when" },
    { "return 4000, 'x', 5", "default", "*advice is false (stay away) or { after = 5, spread" },
    { "return 4000, 'x', {}", "default", "*advice does not say when" },
    { "return 4000, 'x', { resume = false }", "default", "*advice does not say when" },
    { "return 4000, 'x', { after = -1 }", "default",
      "*advice.after is -1, but must be from 0 to 86400 seconds (a day)" },
    { "return 4000, 'x', { spread = 86401 }", "default", "*advice.spread is 86401, but must be" },
    { "return 4000, 'x', { after = 0/0 }", "default", "*advice.after is" },
    { "return 4000, 'x', { after = '5' }", "default", "*advice.after must be seconds, not a str" },
    { "return 4000, 'x', { after = 5, resume = 1 }", "default",
      "*advice.resume must be true or false, not a number" },
    { "return 4000, 'x', { afer = 5 }", "default",
      "*advice has a field afer: after, spread and resume only" },
    { "error('no')", "default", "*no" },
    { "sleep(1)", "default", "*sleep cannot wait in decide_close" },
    { "coroutine.yield()", "default", "*fault" },
    { "conn:send('x') return 4000", "4000 too fast", "send 1 text x\n" },
    { "print(conn.id, cause, info.cause, info.who, info.sent, info.received, info.clean,\n"
      "  info.pings_unanswered, info.lasted)",
      "default", "log info v1 c1 1\trate_limited\trate_limited\tserver\t4\t9\tfalse\t1\t2.0\n" },
};

static void load_body(const char *handler, const char *body)
{
    char script[512];
    world_open(&world);
    snprintf(script, sizeof(script), "return { %s = function(conn, cause, info)\n%s\nend }",
             handler, body);
    must_load(&world, script);
    must_open(&world, 1);
    forget(&world);
}

TEST(decide_close_says_code_reason_and_advice_or_nothing)
{
    for (size_t i = 0; i < MW_COUNT(decisions); i++) {
        char said[256];
        load_body("decide_close", decisions[i].body);
        decide(said);
        assert_string_equal(said, decisions[i].said);
        if (decisions[i].transcript[0] == '*')
            expect_somewhere(&world, decisions[i].transcript + 1);
        else
            expect(&world, decisions[i].transcript);
        world_close(&world);
    }
}

TEST(a_bad_value_is_told_with_the_place_of_its_handler)
{
    char said[256];
    world_open(&world);
    must_load(&world, "local M = {}\n\nfunction M.decide_close()\n  return 1006\nend\nreturn M");
    must_open(&world, 1);
    forget(&world);
    decide(said);
    expect_somewhere(&world, "chat.lua:3 decide_close returned 1006: this code is never sent");
    world_close(&world);
}

TEST(an_overrun_is_stopped_and_the_default_stands)
{
    char said[256];
    load_body("decide_close", "while true do end");
    world.app->budget.stop_ms = 20;
    decide(said);
    assert_string_equal(said, "default");
    expect_somewhere(&world, "decide_close");
    world_close(&world);
    load_body("decide_close", "local s = ('x'):rep(10) while true do s = s .. s end");
    world.app->budget.stop_ms = 200;
    decide(said);
    assert_string_equal(said, "default");
    expect_somewhere(&world, "decide_close");
    world_close(&world);
}

static const struct {
    const char *body, *advice, *transcript;
} advices[] = {
    { "", "", "" },
    { "return nil", "", "" },
    { "return false", " retry=no", "" },
    { "if code == 1008 then return { after = 1, spread = 10 } end", " retry=1000+10000", "" },
    { "return { after = 86400, resume = false }", " retry=86400000+0 afresh", "" },
    { "return 5", "", "*advise_reconnect returned: advice is false (stay away) or" },
    { "return true", "", "*advise_reconnect returned: advice cannot be true" },
    { "return { after = 100000 }", "", "*advise_reconnect returned: advice.after is 100000" },
    { "error('no')", "", "*no" },
    { "sleep(1)", "", "*sleep cannot wait in advise_reconnect" },
    { "print(conn.id, code, info.cause)", "", "log info v1 c1 1\t1008\trate_limited\n" },
};

TEST(advise_reconnect_says_when_or_nothing)
{
    for (size_t i = 0; i < MW_COUNT(advices); i++) {
        char script[512], told[64];
        world_open(&world);
        snprintf(script, sizeof(script),
                 "return { advise_reconnect = function(conn, code, info)\n%s\nend }",
                 advices[i].body);
        must_load(&world, script);
        assert_true(world.spec->advises && !world.spec->decides_closes);
        must_open(&world, 1);
        forget(&world);
        struct mw_advice advice = world.engine->advise(world.app, 1, &the_end);
        advice_text(&advice, told);
        assert_string_equal(told, advices[i].advice);
        if (advices[i].transcript[0] == '*')
            expect_somewhere(&world, advices[i].transcript + 1);
        else
            expect(&world, advices[i].transcript);
        world_close(&world);
    }
}

static const struct line_case closes[] = {
    { "conn:close(4001, 'bye', false)", "close 1 4001 bye retry=no\n" },
    { "conn:close(4001, 'bye', { after = 2, spread = 3 })", "close 1 4001 bye retry=2000+3000\n" },
    { "conn:close(4001, nil, { after = 2, resume = false })",
      "close 1 4001  retry=2000+0 afresh\n" },
    { "conn:close(4001, 'bye', nil)", "close 1 4001 bye\n" },
    { "conn:close(4001, 'bye', true)", "*conn:close: advice cannot be true" },
    { "conn:close(4001, 'bye', { after = -5 })", "*conn:close: advice.after is -5, but must be" },
};

TEST(conn_close_takes_advice)
{
    expect_lines(&world, closes, MW_COUNT(closes));
}

TEST(who_is_asked_about_a_connection_that_it_never_had_says_nothing)
{
    char said[256];
    load_body("decide_close", "return 4000");
    end_conn(&world, 1, 1000, "peer_close");
    decide(said);
    assert_string_equal(said, "default");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(decide_close_says_code_reason_and_advice_or_nothing),
        CASE(a_bad_value_is_told_with_the_place_of_its_handler),
        CASE(an_overrun_is_stopped_and_the_default_stands),
        CASE(advise_reconnect_says_when_or_nothing),
        CASE(conn_close_takes_advice),
        CASE(who_is_asked_about_a_connection_that_it_never_had_says_nothing),
    };
    return RUN(cases);
}
