#include "core/server/router.h"

#include <stdio.h>

#include "core/base/rng.h"
#include "tests/unit/unit.h"

static struct mw_mem mem;

static int open_mem(void **state)
{
    (void)state;
    mw_mem_init(&mem, NULL, 0);
    return 0;
}

static int check_mem(void **state)
{
    (void)state;
    assert_mem_empty(&mem);
    return 0;
}

static void parse(struct mw_pattern *pattern, const char *text)
{
    const char *why = NULL;
    assert_int_equal(mw_pattern_parse(pattern, &mem, mw_view_text(text), &why), MW_OK);
}

/* "room=a rest=b/c", or "no". */
static const char *match(const char *text, const char *path)
{
    static char line[256];
    struct mw_pattern pattern;
    struct mw_param params[MW_PATTERN_MAX_SEGMENTS];
    size_t count, n = 0;
    parse(&pattern, text);
    line[0] = '\0';
    if (!mw_pattern_match(&pattern, mw_view_text(path), params, &count)) {
        mw_pattern_free(&pattern, &mem);
        return "no";
    }
    for (size_t i = 0; i < count; i++)
        n += (size_t)snprintf(line + n, sizeof line - n, "%s%.*s=%.*s", i ? " " : "",
                              (int)params[i].name.len, params[i].name.data,
                              (int)params[i].value.len, params[i].value.data);
    mw_pattern_free(&pattern, &mem);
    return line;
}

TEST(patterns_match_segment_by_segment)
{
    static const struct {
        const char *pattern, *path, *result;
    } table[] = {
        { "/", "/", "" },
        { "/", "/x", "no" },
        { "/chat", "/chat", "" },
        { "/chat", "/chat/", "" },
        { "/chat", "/chats", "no" },
        { "/chat", "/Chat", "no" },
        { "/chat", "/chat/x", "no" },
        { "/chat/:room", "/chat/a b", "room=a b" },
        { "/chat/:room", "/chat/a/", "room=a" },
        { "/chat/:room", "/chat", "no" },
        { "/chat/:room", "/chat/", "no" },
        { "/chat/:room", "/chat/a/b", "no" },
        { "/:a/:b", "/x/y", "a=x b=y" },
        { "/:a/lit/:b", "/x/lit/y", "a=x b=y" },
        { "/:a/lit/:b", "/x/other/y", "no" },
        { "/files/*rest", "/files/a/b/c", "rest=a/b/c" },
        { "/files/*rest", "/files/a", "rest=a" },
        { "/files/*rest", "/files", "no" },
        { "/files/*rest", "/files/", "no" },
        { "/*all", "/x/y", "all=x/y" },
        { "/*all", "/", "no" },
        { "/:id/*rest", "/7/x/y", "id=7 rest=x/y" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++)
        assert_string_equal(match(table[i].pattern, table[i].path), table[i].result);
}

TEST(a_pattern_that_cannot_be_is_refused_with_a_sentence)
{
    static const char *const wrong[] = {
        "",
        "chat",
        "/a//b",
        "/a/",
        "//",
        "/:",
        "/:a-b",
        "/*",
        "/*a/b",
        "/:a/:a",
        "/:a/*a",
        "/:\xc3\xa4",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17",
    };
    for (size_t i = 0; i < MW_COUNT(wrong); i++) {
        struct mw_pattern pattern;
        const char *why = NULL;
        int err = mw_pattern_parse(&pattern, &mem, mw_view_text(wrong[i]), &why);
        assert_int_equal(err, MW_ERR_BAD_ARG);
        assert_non_null(why);
        assert_true(strlen(why) > 10);
        assert_null(pattern.text);
        mw_pattern_free(&pattern, &mem);
    }
}

TEST(a_file_without_a_route_has_its_place_as_one)
{
    static const struct {
        const char *file, *pattern;
    } table[] = {
        { "chat.lua", "/chat" },        { "game/room.lua", "/game/room" }, { "index.lua", "/" },
        { "game/index.lua", "/game/" }, { "myindex.lua", "/myindex" },     { "a b.lua", "/a b" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct mw_pattern pattern, want;
        const char *why;
        bool folder = !strcmp(table[i].pattern, "/game/");
        int err = mw_pattern_of_file(&pattern, &mem, mw_view_text(table[i].file),
                                     mw_view_text(".lua"), &why);
        assert_int_equal(err, MW_OK);
        parse(&want, folder ? "/game" : table[i].pattern);
        assert_int_equal(mw_pattern_compare(&pattern, &want), 0);
        mw_pattern_free(&pattern, &mem);
        mw_pattern_free(&want, &mem);
    }
}

TEST(the_more_specific_pattern_goes_first)
{
    /* Each is more specific than all that follow. */
    static const char *const order[] = {
        "/chat/lobby", "/chat/:room/log", "/chat/:room", "/chat/*rest", "/chat",
        "/:any/lobby", "/:any/:room",     "/:any/*rest", "/:any",       "/*all",
    };
    for (size_t i = 0; i < MW_COUNT(order); i++) {
        for (size_t j = 0; j < MW_COUNT(order); j++) {
            struct mw_pattern a, b;
            parse(&a, order[i]);
            parse(&b, order[j]);
            int result = mw_pattern_compare(&a, &b);
            assert_int_equal((result > 0) - (result < 0), (i > j) - (i < j));
            mw_pattern_free(&a, &mem);
            mw_pattern_free(&b, &mem);
        }
    }
}

TEST(names_of_parameters_do_not_make_patterns_differ)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } table[] = {
        { "/chat/:room", "/chat/:id", true },
        { "/*a", "/*b", true },
        { "/:a", "/*a", false },
        { "/a", "/b", false },
        { "/a", "/a/:b", false },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct mw_pattern a, b;
        parse(&a, table[i].a);
        parse(&b, table[i].b);
        assert_int_equal(mw_pattern_compare(&a, &b) == 0, table[i].equal);
        mw_pattern_free(&a, &mem);
        mw_pattern_free(&b, &mem);
    }
}

/* A sort needs it: if a goes before b and b before c, a goes before c. */
TEST(the_order_is_an_order)
{
    static const char *const parts[] = { "a", "b", ":x", "*r" };
    struct mw_pattern patterns[60];
    struct mw_rng rng;
    mw_rng_seed(&rng, 3);
    for (size_t i = 0; i < MW_COUNT(patterns); i++) {
        char text[64] = "";
        size_t n = 0, segments = 1 + mw_rng_below(&rng, 3);
        for (size_t s = 0; s < segments; s++) {
            const char *part = parts[mw_rng_below(&rng, s + 1 == segments ? 4 : 3)];
            const char *number = part[0] == ':' ? (const char *[]){ "1", "2", "3" }[s] : "";
            n += (size_t)snprintf(text + n, sizeof text - n, "/%s%s", part, number);
        }
        parse(&patterns[i], text);
    }
    for (size_t i = 0; i < MW_COUNT(patterns); i++) {
        for (size_t j = 0; j < MW_COUNT(patterns); j++) {
            int ij = mw_pattern_compare(&patterns[i], &patterns[j]);
            int ji = mw_pattern_compare(&patterns[j], &patterns[i]);
            assert_true((ij < 0) == (ji > 0) && (ij == 0) == (ji == 0));
            for (size_t k = 0; k < MW_COUNT(patterns); k++) {
                if (ij <= 0 && mw_pattern_compare(&patterns[j], &patterns[k]) <= 0)
                    assert_true(mw_pattern_compare(&patterns[i], &patterns[k]) <= 0);
            }
        }
    }
    for (size_t i = 0; i < MW_COUNT(patterns); i++)
        mw_pattern_free(&patterns[i], &mem);
}

TEST(a_moved_pattern_leaves_nothing_behind)
{
    struct mw_pattern a, b;
    parse(&a, "/chat/:room");
    mw_pattern_move(&b, &a);
    assert_null(a.text);
    mw_pattern_free(&a, &mem);
    assert_int_equal(b.count, 2);
    assert_view(b.segments[1].text, "room");
    mw_pattern_free(&b, &mem);
}

static bool parse_both_ways(struct mw_mem *failing)
{
    struct mw_pattern a = { 0 }, b = { 0 };
    const char *why;
    int first = mw_pattern_parse(&a, failing, mw_view_text("/x/:y"), &why);
    int second =
        mw_pattern_of_file(&b, failing, mw_view_text("x/y.lua"), mw_view_text(".lua"), &why);
    assert_true(!first || first == MW_ERR_NOMEM);
    assert_true(!second || second == MW_ERR_NOMEM);
    mw_pattern_free(&a, failing);
    mw_pattern_free(&b, failing);
    return !first && !second;
}

TEST(each_failing_allocation_is_an_answer)
{
    assert_true(fail_each_allocation(parse_both_ways) >= 2);
}

#define WITH_MEM(name) cmocka_unit_test_setup_teardown(name, open_mem, check_mem)

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_MEM(patterns_match_segment_by_segment),
        WITH_MEM(a_pattern_that_cannot_be_is_refused_with_a_sentence),
        WITH_MEM(a_file_without_a_route_has_its_place_as_one),
        WITH_MEM(the_more_specific_pattern_goes_first),
        WITH_MEM(names_of_parameters_do_not_make_patterns_differ),
        WITH_MEM(the_order_is_an_order),
        WITH_MEM(a_moved_pattern_leaves_nothing_behind),
        WITH_MEM(each_failing_allocation_is_an_answer),
    };
    return RUN(cases);
}
