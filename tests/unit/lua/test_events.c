/* Handlers: arguments, decisions, waits, ends. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

TEST(each_handler_gets_its_arguments)
{
    world_open(&world);
    must_load(&world,
              "return {\n"
              "  on_start = function() print('start') end,\n"
              "  on_open = function(conn, req) print('open', conn.id, req.query.user) end,\n"
              "  on_message = function(conn, data, kind) print(conn.id, data, kind) end,\n"
              "  on_drain = function(conn) print('drain', conn.id) end,\n"
              "  on_close = function(conn, code, reason, info)\n"
              "    print(conn.id, code, reason, info.who, info.cause, info.rule, info.lasted)\n"
              "    print(info.sent, info.received, info.silent, info.clean, info.bytes)\n"
              "  end,\n"
              "  on_stop = function() print('stop') end,\n"
              "}");
    struct mw_verdict verdict;
    assert_int_equal(world.engine->start(world.app), MW_APP_DONE);
    assert_int_equal(open_conn(&world, 1, "user=ann", &verdict), MW_APP_DONE);
    assert_true(verdict.accept);
    assert_int_equal(say(&world, 1, "hello"), MW_APP_DONE);
    assert_int_equal(say_binary(&world, 1, "\xff", 1), MW_APP_DONE);
    world.engine->drain(world.app, 1);
    end_conn(&world, 1, 1001, "peer_close");
    world.engine->stop(world.app);
    expect(&world, "log info v1 start\n"
                   "log info v1 c1 open\t1\tann\n"
                   "log info v1 c1 1\thello\ttext\n"
                   "log info v1 c1 1\t\xff\tbinary\n"
                   "log info v1 c1 drain\t1\n"
                   "log info v1 c1 1\t1001\tbye\tclient\tpeer_close\tnil\t1.5\n"
                   "log info v1 c1 2\t3\t0.5\ttrue\tnil\n"
                   "log info v1 stop\n");
    world_close(&world);
}

TEST(a_script_without_handlers_accepts_and_ignores)
{
    world_open(&world);
    must_load(&world, "return {}");
    assert_false(world.spec->wants_messages);
    must_open(&world, 1);
    assert_int_equal(say(&world, 1, "hello"), MW_APP_DONE);
    world.engine->drain(world.app, 1);
    end_conn(&world, 1, 1000, "peer_close");
    world.engine->stop(world.app);
    expect(&world, "");
    world_close(&world);
}

static const struct {
    const char *returns; /* what on_open returns */
    bool accept;
    unsigned code;
    const char *reason;
    const char *error; /* the fault's message begins so; NULL: no fault */
} verdicts[] = {
    { "", true, 0, "", NULL },
    { "nil", true, 0, "", NULL },
    { "false", false, 403, "", NULL },
    { "false, 404", false, 404, "", NULL },
    { "false, 429, 'later'", false, 429, "later", NULL },
    { "false, 4001, 'who are you'", false, 4001, "who are you", NULL },
    { "false, 1008.0", false, 1008, "", NULL },
    { "true", false, 0, "", "on_open returned a boolean (true)" },
    { "'no'", false, 0, "", "on_open returned a string (no)" },
    { "false, 'no'", false, 0, "", "on_open returned false and a string" },
    { "false, 200", false, 0, "", "on_open returned false, 200: that is neither" },
    { "false, 5000", false, 0, "", "on_open returned false, 5000: that is neither" },
    { "false, 1006", false, 0, "", "on_open returned false, 1006: this code is never sent" },
    { "false, 4001, {}", false, 0, "", "on_open returned a table as third value" },
    { "false, 4001, '\\xff'", false, 0, "", "on_open returned a reason that is not UTF-8" },
};

TEST(on_open_decides_by_what_it_returns)
{
    for (size_t i = 0; i < MW_COUNT(verdicts); i++) {
        char script[256];
        struct mw_verdict verdict;
        world_open(&world);
        snprintf(script, sizeof(script), "return { on_open = function() return %s end }",
                 verdicts[i].returns);
        must_load(&world, script);
        enum mw_app_result result = open_conn(&world, 1, "", &verdict);
        if (verdicts[i].error) {
            assert_int_equal(result, MW_APP_FAILED);
            assert_memory_equal(world.host.fault.message, verdicts[i].error,
                                strlen(verdicts[i].error));
            assert_string_equal(world.host.fault.handler, "on_open");
        } else {
            assert_int_equal(result, MW_APP_DONE);
            assert_int_equal(verdict.accept, verdicts[i].accept);
            assert_int_equal(verdict.code, verdicts[i].code);
            assert_view(verdict.reason, verdicts[i].reason);
        }
        end_conn(&world, 1, 1000, "peer_close");
        world_close(&world);
    }
}

TEST(on_open_may_wait_before_it_decides)
{
    struct mw_verdict verdict;
    world_open(&world);
    must_load(&world, "return { on_open = function(conn, req) sleep(1)\n"
                      "  if req.query.bad then error('no') end\n"
                      "  if req.query.out then return false, 4001, 'out' end end }");
    assert_int_equal(open_conn(&world, 1, "", &verdict), MW_APP_WAITING);
    assert_int_equal(open_conn(&world, 2, "out", &verdict), MW_APP_WAITING);
    assert_int_equal(open_conn(&world, 3, "bad", &verdict), MW_APP_WAITING);
    pass(&world, 999);
    expect(&world, "");
    pass(&world, 1);
    expect(&world, "finished 1 open accept\n"
                   "finished 2 open refuse 4001 out\n"
                   "fault on_open v1 chat.lua:2 no\n"
                   "finished 3 open failed\n");
    world_close(&world);
}

/* ---- on_resume ---- */

TEST(on_resume_gets_the_connection_and_what_it_missed)
{
    struct mw_verdict verdict;
    world_open(&world);
    must_load(&world, "return { resume = 9, on_open = function(conn) conn.data.user = 'ann' end,\n"
                      "  on_resume = function(conn, req)\n"
                      "    print(conn.data.user, conn.state, conn.resumed, req.ip, req.id)\n"
                      "    print(inspect(req.resume), conn:send('again'))\n"
                      "  end }");
    must_open(&world, 1);
    assert_int_equal(resume_conn(&world, 1, &verdict), MW_APP_DONE);
    assert_true(verdict.accept);
    expect(&world, "log info v1 c1 ann\taway\ttrue\t192.0.2.7\t1\n"
                   "send 1 text again\n"
                   "log info v1 c1 { away = 1.5, missed = 2, replayed = 3 }\ttrue\n");
    world_close(&world);
}

TEST(without_on_resume_everybody_may_come_back)
{
    struct mw_verdict verdict;
    world_open(&world);
    must_load(&world,
              "return { on_open = function(conn, req) print(req.resume, conn.resumed) end }");
    must_open(&world, 1);
    assert_int_equal(resume_conn(&world, 1, &verdict), MW_APP_DONE);
    assert_true(verdict.accept);
    expect(&world, "log info v1 c1 nil\tfalse\n");
    world_close(&world);
}

static const struct {
    const char *returns;
    enum mw_app_result result;
    unsigned code;
    const char *transcript;
} comebacks[] = {
    { "return false", MW_APP_DONE, 403, "" },
    { "return false, 4001, 'signed out'", MW_APP_DONE, 4001, "" },
    { "return true", MW_APP_FAILED, 0,
      "fault on_resume v1 chat.lua:0 on_resume returned a boolean (true): return nothing to "
      "accept, "
      "or false[, code[, reason]] to refuse\n" },
    { "sleep(1) return false, 401", MW_APP_WAITING, 0, "finished 1 open refuse 401 \n" },
    { "sleep(1) error('no')", MW_APP_WAITING, 0,
      "fault on_resume v1 chat.lua:1 no\nfinished 1 open failed\n" },
};

TEST(on_resume_decides_as_on_open_does)
{
    for (size_t i = 0; i < MW_COUNT(comebacks); i++) {
        char script[256];
        struct mw_verdict verdict = { .accept = true };
        world_open(&world);
        snprintf(script, sizeof(script), "return { resume = 9, on_resume = function(conn) %s end }",
                 comebacks[i].returns);
        must_load(&world, script);
        must_open(&world, 1);
        assert_int_equal(resume_conn(&world, 1, &verdict), comebacks[i].result);
        if (comebacks[i].code)
            assert_true(!verdict.accept && verdict.code == comebacks[i].code);
        pass(&world, 1000);
        expect(&world, comebacks[i].transcript);
        world_close(&world);
    }
}

TEST(on_close_comes_only_for_what_on_open_accepted)
{
    struct mw_verdict verdict;
    world_open(&world);
    must_load(&world,
              "return {\n"
              "  on_open = function(conn, req) if req.query.out then return false end end,\n"
              "  on_close = function(conn) print('close', conn.id) end }");
    must_open(&world, 1);
    open_conn(&world, 2, "out", &verdict);
    assert_false(verdict.accept);
    end_conn(&world, 1, 1000, "peer_close");
    end_conn(&world, 2, 1006, "peer_fin");
    end_conn(&world, 2, 1006, "peer_fin");
    expect(&world, "log info v1 c1 close\t1\n");
    world_close(&world);
}

TEST(a_waiting_message_tells_its_end)
{
    world_open(&world);
    must_load(&world,
              "return { on_message = function(conn, data) sleep(0.5) conn:send(data) end }");
    must_open(&world, 1);
    assert_int_equal(say(&world, 1, "a"), MW_APP_WAITING);
    struct mw_app_stats stats;
    world.engine->stats(world.app, &stats);
    assert_int_equal(stats.waiting, 1);
    pass(&world, 500);
    expect(&world, "send 1 text a\nfinished 1 message\n");
    world.engine->stats(world.app, &stats);
    assert_int_equal(stats.waiting, 0);
    world_close(&world);
}

TEST(what_waits_when_its_connection_ends_goes_on_and_is_not_reported)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn, data)\n"
                      "  sleep(1) print(conn.state, conn.path, conn:send('late')) end }");
    must_open(&world, 1);
    assert_int_equal(say(&world, 1, "a"), MW_APP_WAITING);
    end_conn(&world, 1, 1001, "peer_close");
    pass(&world, 1000);
    expect(&world, "log info v1 c1 closed\t/chat/lobby\tnil\tclosed\n");
    world_close(&world);
}

TEST(on_close_may_wait)
{
    world_open(&world);
    must_load(&world,
              "return { on_close = function(conn) sleep(1) print(conn.id, conn.state) end }");
    must_open(&world, 1);
    end_conn(&world, 1, 1001, "peer_close");
    pass(&world, 1000);
    expect(&world, "log info v1 c1 1\tclosed\n");
    world_close(&world);
}

TEST(on_stop_cannot_wait)
{
    world_open(&world);
    must_load(&world, "return { on_stop = function() sleep(1) end }");
    world.engine->stop(world.app);
    expect(&world, "fault on_stop v1 chat.lua:1 sleep cannot wait in on_stop\n");
    world_close(&world);
}

TEST(an_error_drops_the_message_and_the_next_one_works)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn, data)\n"
                      "  if data == 'bad' then error('oh') end conn:send(data) end }");
    must_open(&world, 1);
    assert_int_equal(say(&world, 1, "bad"), MW_APP_FAILED);
    assert_int_equal(say(&world, 1, "good"), MW_APP_DONE);
    expect(&world, "fault on_message v1 chat.lua:2 oh\nsend 1 text good\n");
    assert_int_equal(world.host.fault.conn, 1);
    world_close(&world);
}

/* ---- messages that follow in the same coroutine ---- */

static const char echo_or[] = "return { on_message = function(conn, data)\n"
                              "  if data == 'bad' then error('oh') end\n"
                              "  if data == 'wait' then sleep(1) end\n"
                              "  if data == 'many' then for i = 1, 1e9 do conn:send('') end end\n"
                              "  conn:send(data) end }";

static const struct {
    const char *texts[4];
    size_t followed; /* how many of those behind the first were asked for before the call ended */
    enum mw_app_result result;
    const char *transcript;
} rows_of_messages[] = {
    { { "a", "b", "c" }, 2, MW_APP_DONE, "send 1 text a\nsend 1 text b\nsend 1 text c\n" },
    { { "a", "bad", "c" }, 1, MW_APP_FAILED, "send 1 text a\nfault on_message v1 chat.lua:2 oh\n" },
    { { "bad", "b" }, 0, MW_APP_FAILED, "fault on_message v1 chat.lua:2 oh\n" },
    { { "a", "wait", "c" }, 1, MW_APP_WAITING, "send 1 text a\n" },
    { { "wait", "b" }, 0, MW_APP_WAITING, "" },
};

TEST(each_message_that_follows_is_a_call_of_its_own)
{
    for (size_t i = 0; i < MW_COUNT(rows_of_messages); i++) {
        const char *const *texts = rows_of_messages[i].texts;
        struct mw_app_stats before, stats;
        world_open(&world);
        must_load(&world, echo_or);
        must_open(&world, 1);
        world.engine->stats(world.app, &before);
        memcpy(world.host.following, texts + 1, 3 * sizeof *texts);
        assert_int_equal(say(&world, 1, texts[0]), rows_of_messages[i].result);
        expect(&world, rows_of_messages[i].transcript);
        assert_int_equal(world.host.followed, rows_of_messages[i].followed);
        world.engine->stats(world.app, &stats);
        assert_int_equal(stats.calls - before.calls, 1 + rows_of_messages[i].followed);
        world.host.followed = MW_COUNT(world.host.following); /* none comes any more */
        pass(&world, 1000);
        assert_int_equal(say(&world, 1, "d"), MW_APP_DONE);
        expect_somewhere(&world, "send 1 text d\n");
        world_close(&world);
    }
}

/* What goes on after a wait is not told of to anybody who would give it another message. */
TEST(who_has_waited_does_not_ask_for_another_message)
{
    world_open(&world);
    must_load(&world, echo_or);
    must_open(&world, 1);
    world.host.following[0] = "b";
    assert_int_equal(say(&world, 1, "wait"), MW_APP_WAITING);
    pass(&world, 1000);
    expect(&world, "send 1 text wait\nfinished 1 message\n");
    assert_int_equal(world.host.followed, 0);
    world_close(&world);
}

/* As if the call before had nearly used it up. */
static void spend(void)
{
    world.app->budget.since_us = 1;
    world.app->budget.spent_us = 1000000000;
    world.app->budget.wants_sample = true;
    world.app->sent_bytes = world.app->sent_messages = 1000000000;
}

TEST(a_message_that_follows_has_a_budget_of_its_own)
{
    world_open(&world);
    must_load(&world, echo_or);
    must_open(&world, 1);
    world.host.following[0] = "b";
    world.host.following[1] = "many";
    world.host.on_follow = spend;
    world.host.is_quiet = true;
    assert_int_equal(say(&world, 1, "a"), MW_APP_FAILED);
    expect_somewhere(&world, "fault on_message v1 chat.lua:4 conn:send: this call has sent");
    assert_int_equal(world.app->budget.spent_us, 0);
    assert_int_equal(world.host.followed, 2);
    world_close(&world);
}

/* The last of a handler may be over its budget: then it is that one that is stopped. */
static void stop_late(void)
{
    fail_msg("asked for another message");
}

TEST(who_was_stopped_is_not_given_another_message)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn, data) conn:send(data) end }");
    must_open(&world, 1);
    world.host.following[0] = "b";
    world.host.on_follow = stop_late;
    world.host.stops = &world.app->budget.stop;
    assert_int_equal(say(&world, 1, "a"), MW_APP_FAILED);
    assert_int_equal(world.host.followed, 0);
    assert_int_equal(world.host.fault_count, 1);
    world_close(&world);
}

/* The collector may run at any time; the fake host looks at the text with each send. */
TEST(the_host_is_told_where_the_text_is_for_as_long_as_it_is_there)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn, data)\n"
                      "  conn:send(data) data = nil\n"
                      "  for i = 1, 1e4 do local s = ('y'):rep(59) .. i end\n"
                      "  conn:send('end') end }");
    must_open(&world, 1);
    world.host.following[0] = "another text that is so long that Lua makes each of them anew";
    assert_int_equal(say(&world, 1, "a text that is longer than those that Lua has only once"),
                     MW_APP_DONE);
    assert_int_equal(world.host.heard_sent, 2);
    assert_int_equal(world.host.sends, 4);
    world_close(&world);
}

TEST(with_format_json_text_arrives_decoded)
{
    world_open(&world);
    must_load(&world, "return { format = 'json', on_message = function(conn, m, kind)\n"
                      "  print(kind, type(m), type(m) == 'table' and m.a[2] or m) end }");
    must_open(&world, 1);
    assert_int_equal(say(&world, 1, "{\"a\":[1,2]}"), MW_APP_DONE);
    assert_int_equal(say(&world, 1, "\"text\""), MW_APP_DONE);
    assert_int_equal(say(&world, 1, "{oops"), MW_APP_BAD_JSON);
    assert_int_equal(say_binary(&world, 1, "raw", 3), MW_APP_DONE);
    expect(&world, "log info v1 c1 text\ttable\t2\n"
                   "log info v1 c1 text\tstring\ttext\n"
                   "log info v1 c1 binary\tstring\traw\n");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_handler_gets_its_arguments),
        CASE(a_script_without_handlers_accepts_and_ignores),
        CASE(on_open_decides_by_what_it_returns),
        CASE(on_open_may_wait_before_it_decides),
        CASE(on_resume_gets_the_connection_and_what_it_missed),
        CASE(without_on_resume_everybody_may_come_back),
        CASE(on_resume_decides_as_on_open_does),
        CASE(on_close_comes_only_for_what_on_open_accepted),
        CASE(a_waiting_message_tells_its_end),
        CASE(what_waits_when_its_connection_ends_goes_on_and_is_not_reported),
        CASE(on_close_may_wait),
        CASE(on_stop_cannot_wait),
        CASE(an_error_drops_the_message_and_the_next_one_works),
        CASE(each_message_that_follows_is_a_call_of_its_own),
        CASE(who_has_waited_does_not_ask_for_another_message),
        CASE(a_message_that_follows_has_a_budget_of_its_own),
        CASE(who_was_stopped_is_not_given_another_message),
        CASE(the_host_is_told_where_the_text_is_for_as_long_as_it_is_there),
        CASE(with_format_json_text_arrives_decoded),
    };
    return RUN(cases);
}
