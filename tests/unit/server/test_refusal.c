/* Refused handshakes: their cause and when to come back. */
#include "tests/unit/server/serve.h"

static const struct {
    const char *script, *target;
    const char *origin;      /* whole header line */
    const char *retry_after; /* NULL: none */
    const char *body;
} refusals[] = {
    { "echo", "/none", "", NULL,
      "\"error\":\"no_route\",\"detail\":\"/none\",\"status\":404,"
      "\"cause\":null,\"retry\":false}" },
    { "refuse 403 no", "/s", "", NULL,
      "\"status\":403,\"cause\":\"script_close\",\"retry\":false}" },
    { "refuse 429 later", "/s", "", "5",
      "\"status\":429,\"cause\":\"script_close\",\"retry\":{\"after\":5,\"spread\":25}}" },
    { "refuse 503 later", "/s", "", "5",
      "\"status\":503,\"cause\":\"script_close\",\"retry\":{\"after\":5,\"spread\":25}}" },
    { "refuse 501 never", "/s", "", NULL, "\"retry\":false}" },
    { "echo", "/s", "Origin: http://elsewhere.example\r\n", NULL, "\"error\":\"origin\"" },
};

TEST(a_refused_handshake_says_why_and_when_to_come_back)
{
    for (size_t i = 0; i < MW_COUNT(refusals); i++) {
        char text[2048], want[64];
        if (i > 0)
            next_case();
        serve(refusals[i].script);
        struct peer *peer = add_peer(&world);
        say_hello(peer, refusals[i].target, refusals[i].origin);
        run(&world);
        struct mw_view bytes = mw_buf_view(&peer->line.to_peer);
        snprintf(text, sizeof text, "%.*s", (int)bytes.len, bytes.data);
        if (!strstr(text, refusals[i].body))
            assert_string_equal(text, refusals[i].body);
        snprintf(want, sizeof want, "Retry-After: %s\r\n", refusals[i].retry_after);
        assert_int_equal(strstr(text, "Retry-After") != NULL, refusals[i].retry_after != NULL);
        if (refusals[i].retry_after)
            assert_non_null(strstr(text, want));
    }
}

TEST(a_broken_script_answers_with_its_cause)
{
    write_script(&world, "s.capp", "broken");
    open_worker(&world, c_engine_table(), 1);
    (void)load(&world);
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    char text[2048];
    struct mw_view bytes = mw_buf_view(&peer->line.to_peer);
    snprintf(text, sizeof text, "%.*s", (int)bytes.len, bytes.data);
    assert_non_null(strstr(text, "Retry-After: 5\r\n"));
    assert_non_null(
        strstr(text, "\"cause\":\"script_error\",\"retry\":{\"after\":5,\"spread\":25}"));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(a_refused_handshake_says_why_and_when_to_come_back),
        IN_A_WORLD(a_broken_script_answers_with_its_cause),
    };
    return RUN(cases);
}
