/* M.codes: close codes of the script's own. */
#include "lua/codes.h"

#include "tests/unit/lua/fake_host.h"

static struct world world;

TEST(codes_are_read_and_sorted)
{
    char told[64];
    world_open(&world);
    must_load(&world, "return { codes = {\n"
                      "  [4100] = { 'full', retry = { after = 5, spread = 20 } },\n"
                      "  [4001] = { 'kicked', retry = false, fix = 'ask a moderator' },\n"
                      "  [4500] = { 'moved', retry = true },\n"
                      "  [3999] = { 'plain' },\n"
                      "} }");
    const struct mw_route_spec *spec = world.spec;
    static const struct {
        unsigned code;
        const char *name, *fix, *advice;
    } want[] = {
        { 3999, "plain", "", "" },
        { 4001, "kicked", "ask a moderator", " retry=no" },
        { 4100, "full", "", " retry=5000+20000" },
        { 4500, "moved", "", " retry=1000+4000" },
    };
    assert_int_equal(spec->code_count, MW_COUNT(want));
    for (size_t i = 0; i < MW_COUNT(want); i++) {
        const struct mw_code_spec *row = &spec->codes[i];
        assert_int_equal(row->code, want[i].code);
        assert_view(row->name, want[i].name);
        assert_view(row->fix, want[i].fix);
        advice_text(&row->advice, told);
        assert_string_equal(told, want[i].advice);
        assert_ptr_equal(mw_route_spec_code(spec, want[i].code), row);
    }
    assert_null(mw_route_spec_code(spec, 4002));
    world_close(&world);
}

TEST(rows_live_as_long_as_their_version)
{
    world_open(&world);
    must_load(&world, "return { codes = { [4001] = { ('k'):rep(100) } } }");
    mw_lua_app_collect(world.app);
    assert_int_equal(world.spec->codes[0].name.len, 100);
    assert_int_equal(world.spec->codes[0].name.data[99], 'k');
    world_close(&world);
}

static const struct {
    const char *script, *message;
} refused[] = {
    { "return { codes = 5 }", "codes must be a table, not a number" },
    { "return { codes = { [1000] = { 'x' } } }",
      "codes: a script's own codes are from 3000 to 4999" },
    { "return { codes = { kicked = { 'x' } } }",
      "codes: a script's own codes are from 3000 to 4999" },
    { "return { codes = { [5000] = { 'x' } } }",
      "codes: a script's own codes are from 3000 to 4999" },
    { "return { codes = { [4001] = 'x' } }",
      "codes[4001] must begin with its name: [4001] = { \"kicked\" }" },
    { "return { codes = { [4001] = {} } }",
      "codes[4001] must begin with its name: [4001] = { \"kicked\" }" },
    { "return { codes = { [4001] = { '' } } }",
      "codes[4001]: its name must be UTF-8, and not empty" },
    { "return { codes = { [4001] = { '\\xff' } } }",
      "codes[4001]: its name must be UTF-8, and not empty" },
    { "return { codes = { [4001] = { 'x', fix = 5 } } }",
      "codes[4001]: fix must be a string, not a number" },
    { "return { codes = { [4001] = { 'x', retry = 5 } } }",
      "codes[4001].retry: advice is false (stay away) or { after = 5, spread = 10 }, not a "
      "number" },
    { "return { codes = { [4001] = { 'x', retry = { after = 1e9 } } } }",
      "codes[4001].retry: advice.after is 1000000000.0, but must be from 0 to 86400 seconds (a "
      "day)" },
    { "return { codes = { [4001] = { 'x', retri = false } } }",
      "codes[4001] has a field retri: a name, retry and fix only" },
    { "return { codes = { [4001] = { 'x', 'y' } } }",
      "codes[4001] has a field 2: a name, retry and fix only" },
};

TEST(what_is_wrong_with_a_row_is_named)
{
    for (size_t i = 0; i < MW_COUNT(refused); i++) {
        world_open(&world);
        assert_int_equal(load(&world, refused[i].script), MW_ERR_SCRIPT);
        assert_string_equal(world.fault.message, refused[i].message);
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(codes_are_read_and_sorted),
        CASE(rows_live_as_long_as_their_version),
        CASE(what_is_wrong_with_a_row_is_named),
    };
    return RUN(cases);
}
