/* The table that a script returns. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

TEST(an_empty_module_has_the_defaults)
{
    world_open(&world);
    must_load(&world, "return {}");
    const struct mw_route_spec *spec = world.spec;
    assert_int_equal(spec->pattern.len, 0);
    assert_int_equal(spec->protocol_count, 0);
    assert_int_equal(spec->origin_count, 0);
    assert_false(spec->wants_messages);
    assert_true(spec->resume_s == 0);
#define IS_NORMAL(name, normal, least, most) assert_true(spec->limits.name == (normal));
    MW_LIMIT_LIST(IS_NORMAL)
#undef IS_NORMAL
    world_close(&world);
}

TEST(a_full_module_is_read)
{
    world_open(&world);
    must_load(&world, "return { route = '/chat/:room', protocols = { 'chat.v2', 'chat.v1' },\n"
                      "  origins = { 'https://example.org', '*' },\n"
                      "  limits = { message = 65536, ping = 0, rate = 2.5, policy = 'drop' },\n"
                      "  codes = { [4001] = { 'kicked', retry = false } }, compression = false,\n"
                      "  resume = 30, on_message = function() end }");
    const struct mw_route_spec *spec = world.spec;
    assert_view(spec->pattern, "/chat/:room");
    assert_int_equal(spec->protocol_count, 2);
    assert_view(spec->protocols[0], "chat.v2");
    assert_view(spec->protocols[1], "chat.v1");
    assert_int_equal(spec->origin_count, 2);
    assert_view(spec->origins[1], "*");
    assert_true(spec->limits.message == 65536 && spec->limits.ping == 0);
    assert_true(spec->limits.rate == 2.5 && spec->limits.pong == 20);
    assert_int_equal(spec->limits.policy, MW_POLICY_DROP);
    assert_true(spec->wants_messages);
    assert_true(spec->resume_s == 30);
    assert_false(spec->compression);
    expect(&world, "");
    world_close(&world);
}

TEST(an_affinity_is_the_name_of_a_parameter)
{
    world_open(&world);
    must_load(&world, "return { route = '/chat/:room', affinity = 'room' }");
    assert_view(world.spec->affinity, "room");
    world_close(&world);
}

TEST(one_origin_may_stand_without_a_list)
{
    world_open(&world);
    must_load(&world, "return { origins = '*', protocols = 'one' }");
    assert_int_equal(world.spec->origin_count, 1);
    assert_view(world.spec->origins[0], "*");
    assert_view(world.spec->protocols[0], "one");
    assert_true(world.spec->compression);
    world_close(&world);
}

static const struct {
    const char *script, *message;
} refused[] = {
    { "", "chat.lua returned nothing: its last line must be `return M`" },
    { "return 5", "chat.lua returned a number: a script returns its table of handlers" },
    { "return { on_message = 'x' }", "on_message must be a function, not a string" },
    { "return { on_close = {} }", "on_close must be a function, not a table" },
    { "return { route = 5 }", "route must be a string such as \"/chat/:room\", not a number" },
    { "return { route = 'chat' }", "route must begin with \"/\": \"/chat\"" },
    { "return { affinity = 5 }",
      "affinity must be the name of a parameter of the route such as \"room\", not a number" },
    { "return { affinity = '' }",
      "affinity must be the name of a parameter of the route, not empty" },
    { "return { protocols = 5 }", "protocols must be a list of strings, not a number" },
    { "return { protocols = { 5 } }", "protocols[1] must be a string, not a number" },
    { "return { protocols = { 'a', 'b c' } }",
      "protocols[2]: 'b c' is no token: letters, digits and !#$%&'*+-.^_`|~ only" },
    { "return { compression = 'no' }", "compression must be true or false, not a string" },
    { "return { compression = 1 }", "compression must be true or false, not a number" },
    { "return { resume = true }", "resume must be a number of seconds, not a boolean" },
    { "return { resume = -1 }", "resume is -1, but must be from 0 to 86400 seconds" },
    { "return { resume = 86401 }", "resume is 86401, but must be from 0 to 86400 seconds" },
    { "return { limits = { inflated = -1 } }",
      "limits.inflated is -1, but must be from 0 to 1073741824" },
    { "return { origins = true }", "origins must be a list of strings, not a boolean" },
    { "return { format = 'xml' }", "format can only be \"json\"" },
    { "return { limits = 5 }", "limits must be a table, not a number" },
    { "return { limits = { 5 } }", "limits is no list: write limits = { message = 65536 }" },
    { "return { limits = { policy = 'latest' } }",
      "limits.policy is \"latest\", which needs a key for each message: give both to conn:send and "
      "publish, { policy = \"latest\", key = \"pos\" }" },
    { "return { limits = { policy = 'dorp' } }",
      "limits.policy is \"close\" or \"drop\", not \"dorp\"" },
    { "return { limits = { policy = 5 } }",
      "limits.policy is \"close\" or \"drop\", not a number" },
    { "return { limits = { message = '1' } }", "limits.message must be a number, not a string" },
    { "return { limits = { message = 0 } }",
      "limits.message is 0, but must be from 1 to 1073741824" },
    { "return { limits = { ping = 0/0 } }", "*limits.ping is" },
    { "return { codes = 5 }", "codes must be a table, not a number" },
    { "return { codes = { [1000] = { 'x' } } }",
      "codes: a script's own codes are from 3000 to 4999" },
    { "return { codes = { [4001] = 'x' } }",
      "codes[4001] must begin with its name: [4001] = { \"kicked\" }" },
    { "return { codes = { [4001] = {} } }",
      "codes[4001] must begin with its name: [4001] = { \"kicked\" }" },
};

TEST(what_is_wrong_is_named)
{
    for (size_t i = 0; i < MW_COUNT(refused); i++) {
        world_open(&world);
        assert_int_equal(load(&world, refused[i].script), MW_ERR_SCRIPT);
        if (refused[i].message[0] == '*')
            assert_non_null(strstr(world.fault.message, refused[i].message + 1));
        else
            assert_string_equal(world.fault.message, refused[i].message);
        assert_string_equal(world.fault.file, "chat.lua");
        assert_string_equal(world.fault.handler, "load");
        world_close(&world);
    }
}

static const struct {
    const char *script, *message;
} too_long[] = {
    { "return { limits = { message = 2000001 } }",
      "limits.message is 2000001, but one string may have 2000000 bytes, and a message is one: "
      "lower limits.message, or raise script.string in moonwire.lua" },
    { "return { limits = { message = 2000000, inflated = 2000001 } }",
      "limits.inflated is 2000001, but one string may have 2000000 bytes, and a message is one: "
      "lower limits.inflated, or raise script.string in moonwire.lua" },
    { "return { limits = { message = 2000000 } }", NULL },
    { "return { limits = { inflated = 2000000 } }", NULL },
    { "return {}", NULL },
};

TEST(a_message_must_fit_into_a_string)
{
    for (size_t i = 0; i < MW_COUNT(too_long); i++) {
        world_open(&world);
        world.app->budget.string_bytes = 2000000;
        int err = load(&world, too_long[i].script);
        assert_int_equal(err, too_long[i].message ? MW_ERR_SCRIPT : MW_OK);
        if (too_long[i].message)
            assert_string_equal(world.fault.message, too_long[i].message);
        world_close(&world);
    }
}

static const struct {
    const char *script, *transcript;
} slips[] = {
    { "return { on_mesage = print }",
      "log warn v1 chat.lua: key 'on_mesage' is unknown; did you mean 'on_message'?\n" },
    { "return { onmessage = print }",
      "log warn v1 chat.lua: key 'onmessage' is unknown; did you mean 'on_message'?\n" },
    { "return { protocol = { 'a' } }",
      "log warn v1 chat.lua: key 'protocol' is unknown; did you mean 'protocols'?\n" },
    { "return { limits = { mesage = 5 } }",
      "log warn v1 chat.lua: limit 'mesage' is unknown; did you mean 'message'?\n" },
    { "return { limits = { banana = 5 } }",
      "log warn v1 chat.lua: limit 'banana' is unknown and ignored\n" },
    { "return { on_reload = print, on_resume = print, decide_close = print, resume = 5,\n"
      "  advise_reconnect = print, compression = true, affinity = 'room' }",
      "" }, /* known to the reference, and no slips */
    { "return { on_resume = print, resume = 0 }",
      "log warn v1 chat.lua: on_resume is never called: give `resume` some seconds\n" },
    { "return { on_tick = print, helper = 1, [5] = 6 }", "" },
};

TEST(a_slip_of_the_pen_is_a_warning)
{
    for (size_t i = 0; i < MW_COUNT(slips); i++) {
        world_open(&world);
        must_load(&world, slips[i].script);
        expect(&world, slips[i].transcript);
        world_close(&world);
    }
}

TEST(a_module_with_metatable_is_read_without_it)
{
    world_open(&world);
    must_load(&world, "return setmetatable({}, { __index = function() error('asked') end,\n"
                      "  __pairs = function() error('asked') end })");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_empty_module_has_the_defaults),
        CASE(a_full_module_is_read),
        CASE(an_affinity_is_the_name_of_a_parameter),
        CASE(one_origin_may_stand_without_a_list),
        CASE(what_is_wrong_is_named),
        CASE(a_message_must_fit_into_a_string),
        CASE(a_slip_of_the_pen_is_a_warning),
        CASE(a_module_with_metatable_is_read_without_it),
    };
    return RUN(cases);
}
