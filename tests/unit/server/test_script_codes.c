/* script_codes: what the scripts of a worker say, found, copied and told. */
#include "core/server/script_codes.h"

#include "tests/unit/server/serve.h"

static const struct mw_code_spec rows[] = {
    { 4001, MW_VIEW("kicked"), MW_VIEW("ask a moderator"), { .kind = MW_ADVICE_STAY } },
    { 4002, MW_VIEW("moved"), MW_VIEW(""), { .kind = MW_ADVICE_NONE } },
    { 4500,
      MW_VIEW("full"),
      MW_VIEW(""),
      { .kind = MW_ADVICE_RETURN, .after_ms = 1000, .spread_ms = 500, .afresh = true } },
};

static struct mw_route_spec spec;

/* The script of the world says these rows. */
static struct mw_route *serve_rows(void)
{
    serve("echo");
    struct mw_route *route = MW_OWNER(world.worker.routes.next, struct mw_route, link);
    spec = *route->spec;
    spec.codes = rows;
    spec.code_count = MW_COUNT(rows);
    route->spec = &spec;
    return route;
}

TEST(a_code_is_found_with_its_script)
{
    struct mw_here_code codes[2];
    struct mw_route *route = serve_rows();
    assert_int_equal(mw_script_codes_of(&world.worker, 4001, codes, 2), 1);
    assert_view(codes[0].script, "s.capp");
    assert_view(codes[0].text, "kicked");
    assert_view(codes[0].fix, "ask a moderator");
    assert_int_equal(codes[0].advice.kind, MW_ADVICE_STAY);
    assert_int_equal(mw_script_codes_of(&world.worker, 4500, codes, 2), 1);
    assert_int_equal(codes[0].advice.after_ms, 1000);
    assert_int_equal(mw_script_codes_of(&world.worker, 4001, codes, 0), 0);
    assert_int_equal(mw_script_codes_of(&world.worker, 4003, codes, 2), 0);
    route->removed = true;
    assert_int_equal(mw_script_codes_of(&world.worker, 4001, codes, 2), 0);
    route->removed = false;
}

TEST(copies_are_json_for_another_thread)
{
    struct mw_mem mem;
    struct mw_buf out;
    size_t count;
    (void)serve_rows();
    mw_mem_init(&mem, 0, 0);
    mw_buf_init(&out, &mem, 0);
    struct mw_script_code *codes = mw_script_codes_copy(&world.worker, &mem, &count);
    assert_int_equal(count, 3);
    struct mw_json_writer json = { .out = &out };
    mw_script_codes_json(codes, count, &json);
    assert_view(mw_buf_view(&out),
                "[{\"code\":4001,\"script\":\"s.capp\",\"text\":\"kicked\",\"retry\":false,"
                "\"fix\":\"ask a moderator\"},"
                "{\"code\":4002,\"script\":\"s.capp\",\"text\":\"moved\"},"
                "{\"code\":4500,\"script\":\"s.capp\",\"text\":\"full\",\"retry\":true,"
                "\"after_ms\":1000,\"spread_ms\":500,\"resume\":false}]");
    mw_script_codes_free(&mem, codes, count);
    mw_buf_free(&out);
    mem.fail_at = mem.count + 1;
    assert_null(mw_script_codes_copy(&world.worker, &mem, &count));
    assert_int_equal(count, 3);
    assert_mem_empty(&mem);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(a_code_is_found_with_its_script),
        IN_A_WORLD(copies_are_json_for_another_thread),
    };
    return RUN(cases);
}
