/* here: what an answer of `closes` says, and what it does not. */
#include "core/cli/here.h"

#include "core/base/json.h"
#include "tests/unit/unit.h"

static void read_answer(struct mw_cli_here *here, struct mw_mem *mem, const char *text)
{
    struct mw_json_error error;
    mw_mem_init(mem, 0, 0);
    *here = (struct mw_cli_here){ .control.fd = -1 };
    here->answer = mw_json_parse(mem, mw_view_text(text), &error);
    assert_non_null(here->answer);
    mw_cli_here_read(here, here->answer);
}

TEST(ends_of_several_scripts_are_counted_together)
{
    struct mw_cli_here here;
    struct mw_mem mem;
    read_answer(&here, &mem,
                "{\"ok\":true,\"since_s\":3600,\"closes\":["
                "{\"code\":1006,\"cause\":\"peer_fin\",\"who\":\"network\",\"script\":\"a.lua\","
                "\"count\":2},"
                "{\"code\":1006,\"cause\":\"peer_fin\",\"who\":\"network\",\"script\":\"b.lua\","
                "\"count\":3},"
                "{\"code\":1006,\"cause\":\"peer_reset\",\"who\":\"network\",\"script\":\"b.lua\","
                "\"count\":1},"
                "{\"cause\":\"peer_close\",\"who\":\"client\",\"count\":7}]}");
    assert_int_equal(here.here.end_count, 3);
    assert_int_equal(here.here.ends[0].count, 5);
    assert_view(here.here.ends[1].cause, "peer_reset");
    assert_int_equal(here.here.ends[2].code, 0);
    assert_int_equal(here.here.code_count, 0);
    mw_cli_here_free(&here);
    assert_mem_empty(&mem);
}

TEST(codes_of_scripts_are_read)
{
    struct mw_cli_here here;
    struct mw_mem mem;
    read_answer(&here, &mem,
                "{\"closes\":[],\"codes\":["
                "{\"code\":4001,\"script\":\"chat.lua\",\"text\":\"kicked\",\"retry\":false,"
                "\"fix\":\"ask\"},"
                "{\"code\":4002,\"script\":\"chat.lua\",\"text\":\"moved\"},"
                "{\"code\":4008,\"text\":\"too fast\",\"retry\":true,\"after_ms\":30000,"
                "\"spread_ms\":500,\"resume\":false}]}");
    assert_int_equal(here.here.code_count, 3);
    assert_int_equal(here.here.codes[0].advice.kind, MW_ADVICE_STAY);
    assert_view(here.here.codes[0].fix, "ask");
    assert_int_equal(here.here.codes[1].advice.kind, MW_ADVICE_NONE);
    assert_int_equal(here.here.codes[2].advice.after_ms, 30000);
    assert_int_equal(here.here.codes[2].advice.spread_ms, 500);
    assert_true(here.here.codes[2].advice.afresh);
    assert_view(here.here.codes[1].text, "moved");
    mw_cli_here_free(&here);
    assert_mem_empty(&mem);
}

TEST(an_answer_of_another_shape_says_nothing)
{
    static const char *const answers[] = {
        "{}",
        "[]",
        "null",
        "{\"closes\":7,\"codes\":{}}",
        "{\"closes\":[1,null,[]],\"codes\":[2]}",
        "{\"closes\":[{\"code\":\"x\",\"count\":-5}]}",
    };
    for (size_t i = 0; i < MW_COUNT(answers); i++) {
        struct mw_cli_here here;
        struct mw_mem mem;
        read_answer(&here, &mem, answers[i]);
        for (size_t j = 0; j < here.here.end_count; j++)
            assert_int_equal(here.here.ends[j].count, 0);
        mw_cli_here_free(&here);
        assert_mem_empty(&mem);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(ends_of_several_scripts_are_counted_together),
        CASE(codes_of_scripts_are_read),
        CASE(an_answer_of_another_shape_says_nothing),
    };
    return RUN(cases);
}
