/* The table `req`. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

static const struct {
    const char *query, *expression, *text;
} requests[] = {
    { "", "req.path", "\"/chat/lobby\"" },
    { "", "req.target", "\"/chat/lobby?x\"" },
    { "", "req.params", "{ room = \"lobby\" }" },
    { "", "req.ip", "\"192.0.2.1\"" },
    { "", "req.id", "\"1\"" },
    { "", "req.tls", "nil" },
    { "", "req.headers",
      "{ cookie = \"a=1; b=\\\"two\\\"; a=3\", host = \"example.org\", [\"x-tag\"] = \"one, two\" "
      "}" },
    { "", "req.cookies", "{ a = \"1\", b = \"two\" }" },
    { "", "req.query", "{}" },
    { "a=1&b=two", "req.query", "{ a = \"1\", b = \"two\" }" },
    { "a=1&a=2", "req.query.a", "\"2\"" },
    { "a=1&b=x&a=2", "req.query_all", "{ a = { \"1\", \"2\" }, b = { \"x\" } }" },
    { "a+b=c%20d%26", "req.query", "{ [\"a b\"] = \"c d&\" }" },
    { "flag&&=x&a=b=c", "req.query", "{ [\"\"] = \"x\", a = \"b=c\", flag = \"\" }" },
    { "bad=%zz&cut=%4", "req.query", "{ bad = \"%zz\", cut = \"%4\" }" },
};

TEST(each_part_of_the_request_is_there)
{
    for (size_t i = 0; i < MW_COUNT(requests); i++) {
        char script[256], want[256];
        struct mw_verdict verdict;
        world_open(&world);
        snprintf(script, sizeof(script),
                 "return { on_open = function(conn, req) print(inspect(%s)) end }",
                 requests[i].expression);
        snprintf(want, sizeof(want), "log info v1 c1 %s\n", requests[i].text);
        must_load(&world, script);
        open_conn(&world, 1, requests[i].query, &verdict);
        expect(&world, want);
        world_close(&world);
    }
}

static const struct {
    struct mw_tls_facts facts;
    const char *text;
} tls[] = {
    { { "TLSv1.3", "TLS_AES_128_GCM_SHA256", "", "" },
      "{ cipher = \"TLS_AES_128_GCM_SHA256\", version = \"TLSv1.3\" }" },
    { { "TLSv1.2", "C", "a.example", "CN=me" },
      "{ cipher = \"C\", client_subject = \"CN=me\", sni = \"a.example\", version = \"TLSv1.2\" "
      "}" },
};

TEST(tls_is_a_table_without_what_is_not_known)
{
    for (size_t i = 0; i < MW_COUNT(tls); i++) {
        char want[256];
        struct mw_verdict verdict;
        world_open(&world);
        world.host.tls = &tls[i].facts;
        must_load(&world, "return { on_open = function(conn, req) print(inspect(req.tls)) end }");
        open_conn(&world, 1, "", &verdict);
        snprintf(want, sizeof(want), "log info v1 c1 %s\n", tls[i].text);
        expect(&world, want);
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_part_of_the_request_is_there),
        CASE(tls_is_a_table_without_what_is_not_known),
    };
    return RUN(cases);
}
