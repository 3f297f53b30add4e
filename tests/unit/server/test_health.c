/* health: alive, ready or why not; before files, beside scripts, and switched off. */
#include "tests/unit/server/serve.h"

/* One request to the end of its connection; valid until the next call. */
static const char *finish_asking(struct peer *peer)
{
    RUN_UNTIL(&world, peer->line.finished || peer->line.closed);
    const char *text = mw_buf_cstr(&peer->line.to_peer);
    assert_non_null(text);
    return text;
}

static const char *ask(const char *request)
{
    struct peer *peer = add_peer(&world);
    say(peer, request);
    say(peer, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return finish_asking(peer);
}

static void assert_answer(const char *answer, unsigned status, const char *body)
{
    char line[16];
    snprintf(line, sizeof line, "HTTP/1.1 %u ", status);
    assert_int_equal(strncmp(answer, line, strlen(line)), 0);
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4, body);
}

#define LIVE      "{\"status\":\"ok\"}\n"
#define READY     "{\"status\":\"ready\",\"scripts\":1}\n"
#define NO_SCRIPT "{\"status\":\"unavailable\",\"cause\":\"no_script\"}\n"
#define STOPPING  "{\"status\":\"unavailable\",\"cause\":\"drain\"}\n"

static void serve_nothing(void)
{
    open_worker(&world, c_engine_table(), 1);
}

TEST(it_is_alive_and_ready_where_a_script_serves)
{
    serve("echo");
    assert_answer(ask("GET /healthz"), 200, LIVE);
    assert_answer(ask("GET /readyz"), 200, READY);
    assert_answer(ask("GET /readyz?verbose"), 200, READY);
    assert_answer(ask("GET /%72eadyz"), 200, READY);
    assert_answer(ask("HEAD /healthz"), 200, "");
    assert_answer(ask("HEAD /readyz"), 200, "");
    const char *answer = ask("HEAD /readyz");
    assert_non_null(strstr(answer, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(answer, "\r\nCache-Control: no-store\r\n"));
    assert_non_null(strstr(answer, "\r\nContent-Length: 31\r\n"));
    assert_int_equal(strlen(READY), 31);
}

TEST(without_a_script_it_is_alive_and_not_ready)
{
    serve_nothing();
    assert_answer(ask("GET /healthz"), 200, LIVE);
    assert_answer(ask("GET /readyz"), 503, NO_SCRIPT);
    assert_answer(ask("HEAD /readyz"), 503, "");
}

TEST(a_script_that_could_never_be_loaded_does_not_make_it_ready)
{
    write_script(&world, "s.capp", "broken");
    open_worker(&world, c_engine_table(), 1);
    assert_int_equal(load(&world), 1);
    assert_answer(ask("GET /readyz"), 503, NO_SCRIPT);
    write_script(&world, "s.capp", "echo");
    assert_int_equal(load(&world), 0);
    assert_answer(ask("GET /readyz"), 200, READY);
    write_script(&world, "s.capp", "broken");
    assert_int_equal(load(&world), 1); /* the old version goes on serving */
    assert_answer(ask("GET /readyz"), 200, READY);
    delete_file(&world.folder, "scripts/s.capp");
    assert_int_equal(load(&world), 0);
    assert_answer(ask("GET /readyz"), 503, NO_SCRIPT);
}

TEST(a_paused_script_is_counted_and_the_server_stays_ready)
{
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    for (int i = 0; i < MW_QUARANTINE_STOPS; i++)
        say_text(peer, "loop");
    run(&world);
    assert_answer(ask("GET /readyz"), 200, "{\"status\":\"ready\",\"scripts\":1,\"paused\":1}\n");
    write_script(&world, "s.capp", "echo");
    assert_int_equal(load(&world), 0);
    assert_answer(ask("GET /readyz"), 200, READY);
}

/* What a balancer is told while its check is on the wire. */
TEST(a_request_that_had_begun_when_the_server_stops_is_answered_and_is_the_last)
{
    serve("echo");
    make_below(&world.folder, "public");
    write_file(&world.folder, "public/a.txt", "a");
    static const char *const begun[] = { "GET /readyz", "GET /healthz", "GET /a.txt", "GET /s",
                                         "GET /s" };
    struct peer *peers[MW_COUNT(begun)], *fresh = add_peer(&world), *kept = add_peer(&world);
    say(kept, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    for (size_t i = 0; i < MW_COUNT(begun); i++) {
        peers[i] = add_peer(&world);
        say(peers[i], begun[i]);
    }
    run(&world);
    mw_worker_drain(&world.worker, false);
    RUN_UNTIL(&world, fresh->line.closed && kept->line.closed);
    assert_int_equal(fresh->line.to_peer.len, 0);
    for (size_t i = 0; i < MW_COUNT(begun); i++)
        say(peers[i], i == 4 ? " HTTP/1.1\r\n" UPGRADE "\r\n"
                             : " HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\n");
    assert_answer(finish_asking(peers[0]), 503, STOPPING);
    assert_answer(finish_asking(peers[1]), 200, LIVE);
    assert_answer(finish_asking(peers[2]), 200, "a");
    (void)finish_asking(peers[3]);
    assert_seen(peers[3], "426 end");
    (void)finish_asking(peers[4]);
    assert_seen(peers[4], "503 end");
    assert_non_null(strstr(finish_asking(peers[4]), "\r\nRetry-After: 1\r\n"));
    for (size_t i = 0; i < MW_COUNT(begun); i++)
        assert_non_null(strstr(finish_asking(peers[i]), "\r\nConnection: close"));
}

TEST(health_goes_before_a_file_of_its_path_and_leaves_sockets_alone)
{
    write_script(&world, "socket.capp", "route /readyz\necho");
    serve("echo");
    make_below(&world.folder, "public");
    write_file(&world.folder, "public/healthz", "a file");
    write_file(&world.folder, "public/readyz", "a file");
    assert_answer(ask("GET /healthz"), 200, LIVE);
    assert_answer(ask("GET /readyz"), 200, "{\"status\":\"ready\",\"scripts\":2}\n");
    struct peer *socket = add_socket(&world, "/readyz");
    say_text(socket, "hi");
    RUN_UNTIL(&world, socket->line.to_peer.len > 0);
    run(&world);
    assert_seen(socket, "101 text:hi");
}

TEST(paths_can_be_chosen_and_switched_off)
{
    char why[256];
    assert_int_equal(
        mw_config_set(&world.config, mw_view_text("health.live"), mw_view_text("off"), why), MW_OK);
    assert_int_equal(
        mw_config_set(&world.config, mw_view_text("health.ready"), mw_view_text("/-/ready"), why),
        MW_OK);
    serve("echo");
    make_below(&world.folder, "public");
    write_file(&world.folder, "public/healthz", "a file");
    assert_answer(ask("GET /healthz"), 200, "a file");
    assert_int_equal(strncmp(ask("GET /readyz"), "HTTP/1.1 404 ", 13), 0);
    assert_answer(ask("GET /-/ready"), 200, READY);
    assert_int_equal(strncmp(ask("GET /off"), "HTTP/1.1 404 ", 13), 0);
}

TEST(a_path_that_nobody_can_ask_for_is_refused)
{
    static const char *const wrong[] = { "healthz", "",      "none", "//x",       "/a/../b",
                                         "/a%20b",  "/a//b", "OFF",  "http://x/", "/.." };
    static const char *const right[] = { "off", "/", "/a", "/a/b/", "/_health", "/a b" };
    char why[256];
    for (size_t i = 0; i < MW_COUNT(wrong); i++)
        assert_int_equal(
            mw_config_set(&world.config, mw_view_text("health.live"), mw_view_text(wrong[i]), why),
            MW_ERR_BAD_ARG);
    assert_string_equal(world.config.health_live, "/healthz");
    for (size_t i = 0; i < MW_COUNT(right); i++)
        assert_int_equal(
            mw_config_set(&world.config, mw_view_text("health.live"), mw_view_text(right[i]), why),
            MW_OK);
    serve("echo");
}

/* It is asked every few seconds, for ever. */
TEST(health_is_not_logged)
{
    serve("echo");
    run(&world);
    mw_log_close(&world.log);
    off_t before = lseek(world.log_fd, 0, SEEK_END);
    assert_int_equal(mw_log_open(&world.log, world.log_fd, true, false, MW_LOG_DEBUG), MW_OK);
    (void)ask("GET /healthz");
    (void)ask("GET /readyz");
    mw_log_close(&world.log);
    assert_int_equal(lseek(world.log_fd, 0, SEEK_END), before);
    assert_int_equal(mw_log_open(&world.log, world.log_fd, true, false, MW_LOG_DEBUG), MW_OK);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(it_is_alive_and_ready_where_a_script_serves),
        IN_A_WORLD(without_a_script_it_is_alive_and_not_ready),
        IN_A_WORLD(a_script_that_could_never_be_loaded_does_not_make_it_ready),
        IN_A_WORLD(a_paused_script_is_counted_and_the_server_stays_ready),
        IN_A_WORLD(a_request_that_had_begun_when_the_server_stops_is_answered_and_is_the_last),
        IN_A_WORLD(health_goes_before_a_file_of_its_path_and_leaves_sockets_alone),
        IN_A_WORLD(paths_can_be_chosen_and_switched_off),
        IN_A_WORLD(a_path_that_nobody_can_ask_for_is_refused),
        IN_A_WORLD(health_is_not_logged),
    };
    return RUN(cases);
}
