/* explain_page: the form and the language that was asked for, and only what there is. */
#include "tests/unit/server/serve.h"

static const char *ask(const char *line, const char *headers)
{
    struct peer *peer = add_peer(&world);
    say(peer, line);
    say(peer, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    say(peer, headers);
    say(peer, "\r\n");
    RUN_UNTIL(&world, peer->line.finished || peer->line.closed);
    const char *text = mw_buf_cstr(&peer->line.to_peer);
    assert_non_null(text);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

#define PATH "GET /_moonwire/explain/"

TEST(programs_get_json_and_browsers_a_page)
{
    serve("echo");
    const char *answer = ask(PATH "1006", "");
    assert_has(answer, "HTTP/1.1 200 ");
    assert_has(answer, "\r\nContent-Type: application/json\r\n");
    assert_has(answer, "\r\nVary: Accept, Accept-Language\r\n");
    assert_has(answer, "\r\nCache-Control: public, max-age=300\r\n");
    assert_has(answer, "{\"lang\":\"en\",\"code\":1006,");
    assert_has(ask(PATH "1006", "Accept: application/json, text/html\r\n"), "{\"lang\"");
    assert_has(ask(PATH "1006", "Accept: */*\r\n"), "{\"lang\"");
    answer = ask(PATH "1006", "Accept: text/html,application/xhtml+xml;q=0.9\r\n");
    assert_has(answer, "\r\nContent-Type: text/html; charset=utf-8\r\n");
    assert_has(answer, "<html lang=\"en\">");
    assert_has(answer, "default-src 'none'");
    assert_has(answer, "href=\"/_moonwire/explain/1006?lang=ko\"");
}

TEST(the_language_is_that_of_the_query_else_of_the_browser)
{
    serve("echo");
    assert_has(ask(PATH "1006?lang=ko", "Accept-Language: vi\r\n"), "Content-Language: ko\r\n");
    assert_has(ask(PATH "1006?x=1&lang=ja", ""), "Content-Language: ja\r\n");
    assert_has(ask(PATH "1006", "Accept-Language: fr, vi;q=0.9\r\n"), "Content-Language: vi\r\n");
    assert_has(ask(PATH "1006?lang=xx", "Accept-Language: vi\r\n"), "Content-Language: en\r\n");
}

TEST(pairs_and_causes_have_addresses_of_their_own)
{
    serve("echo");
    assert_has(ask(PATH "1001/1006", ""), "\"codes\":[{\"code\":1001,");
    assert_has(ask(PATH "slow_consumer", ""), "\"cause\":\"slow_consumer\"");
    assert_has(ask(PATH "1016", ""), "\"range\":[1016,2999]");
    assert_has(ask("HEAD /_moonwire/explain/1006", ""), "\r\n\r\n");
}

TEST(what_there_is_not_is_404_as_json)
{
    static const char *const lines[] = { PATH "x", PATH "", PATH "1/2/3", PATH "1006/peer_fin" };
    serve("echo");
    for (size_t i = 0; i < MW_COUNT(lines); i++) {
        const char *answer = ask(lines[i], "");
        assert_has(answer, "HTTP/1.1 404 ");
        assert_has(answer, "\"error\":\"nothing_to_explain\"");
    }
    assert_has(ask("POST /_moonwire/explain/1006", ""), "HTTP/1.1 405 ");
    assert_has(ask("GET /_moonwire/explain", ""), "\"error\":\"not_found\"");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(programs_get_json_and_browsers_a_page),
        IN_A_WORLD(the_language_is_that_of_the_query_else_of_the_browser),
        IN_A_WORLD(pairs_and_causes_have_addresses_of_their_own),
        IN_A_WORLD(what_there_is_not_is_404_as_json),
    };
    return RUN(cases);
}
