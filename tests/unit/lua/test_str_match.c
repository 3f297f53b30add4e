/* string.find, match, gmatch, gsub: the same as Lua's own, and stopped wherever they are. */
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>

#include "lua/api.h"
#include "tests/unit/lua/fake_host.h"
#include "tests/unit/lua/versus.h"

#ifndef RANDOM_QUESTIONS /* millions where somebody looks for more */
#define RANDOM_QUESTIONS 60000
#endif

static struct versus versus;

/* ---- the same as Lua ---- */

static void print_first_difference(void)
{
    struct mw_view ours = mw_buf_view(&versus.ours.answer),
                   theirs = mw_buf_view(&versus.theirs.answer);
    size_t at = 0, line = 0;
    while (at < ours.len && at < theirs.len && ours.data[at] == theirs.data[at]) {
        if (ours.data[at++] == '\n')
            line = at;
    }
    print_message("ours:   %.200s\n", ours.len > line ? ours.data + line : "");
    print_message("theirs: %.200s\n", theirs.len > line ? theirs.data + line : "");
}

TEST(each_feature_and_each_error_is_as_in_lua)
{
    versus_open(&versus);
    bool same = versus_agree_on_file(&versus, "tests/unit/lua/patterns.lua");
    if (!same)
        print_first_difference();
    assert_true(same);
    assert_true(versus.ours.answer.len > 1000000); /* and no error before it began */
    versus_close(&versus);
}

/* ---- random questions ---- */

static void put(struct mw_buf *out, const char *text)
{
    assert_int_equal(mw_buf_put_text(out, text), MW_OK);
}

static void put_one_of(struct mw_buf *out, struct mw_rng *rng, const char *const *texts,
                       size_t count)
{
    put(out, texts[mw_rng_below(rng, count)]);
}

/* Bytes, one each, that subjects are made of and patterns as well. */
static const char alphabet[] = "aaaabbcAB01 .,()[]%-\0\x80\xff\n";

static void put_byte(struct mw_buf *out, struct mw_rng *rng)
{
    char byte = alphabet[mw_rng_below(rng, sizeof(alphabet) - 1)];
    assert_int_equal(mw_buf_put_byte(out, byte), MW_OK);
}

static const char *const classes[] = { "%a", "%d", "%w", "%s", "%p", "%A", "%W", "%z", "%x",
                                       "%.", "%%", "%(", "%]", "%-", "%l", "%U", "%g", "%c" };

static void put_set(struct mw_buf *out, struct mw_rng *rng)
{
    static const char *const parts[] = { "a",  "b-c", "0-9", "]",  "-",  "^", "%]",
                                         "%%", "a-",  "%a",  "%W", "+-", ".", "z-a" };
    put(out, mw_rng_below(rng, 3) ? "[" : "[^");
    for (size_t n = 1 + mw_rng_below(rng, 3); n > 0; n--)
        put_one_of(out, rng, parts, MW_COUNT(parts));
    put(out, mw_rng_below(rng, 20) ? "]" : "");
}

static void put_single(struct mw_buf *out, struct mw_rng *rng)
{
    size_t kind = mw_rng_below(rng, 8);
    if (kind < 3)
        put(out, mw_rng_below(rng, 3) ? "a" : "b");
    else if (kind < 4)
        put(out, ".");
    else if (kind < 6)
        put_one_of(out, rng, classes, MW_COUNT(classes));
    else if (kind < 7)
        put_set(out, rng);
    else
        put_byte(out, rng);
}

static void put_items(struct mw_buf *out, struct mw_rng *rng, unsigned depth)
{
    static const char *const suffixes[] = { "", "", "", "*", "+", "-", "?" };
    static const char *const others[] = { "%b()", "%bab", "%baa", "%f[%w]", "%f[^a]", "%1",
                                          "%2",   "()",   "%f",   "%b",     "%",      "$" };
    for (size_t n = mw_rng_below(rng, 4) + (depth == 0); n > 0; n--) {
        size_t kind = mw_rng_below(rng, 12);
        if (kind < 2 && depth < 3) {
            put(out, "(");
            put_items(out, rng, depth + 1);
            put(out, mw_rng_below(rng, 30) ? ")" : "");
        } else if (kind < 3) {
            put_one_of(out, rng, others, MW_COUNT(others));
        } else {
            put_single(out, rng);
            put_one_of(out, rng, suffixes, MW_COUNT(suffixes));
        }
    }
}

/* Every fourth pattern is changed at random afterwards. */
static void make_pattern(struct mw_buf *out, struct mw_rng *rng)
{
    mw_buf_clear(out);
    put(out, mw_rng_below(rng, 6) ? "" : "^");
    put_items(out, rng, 0);
    put(out, mw_rng_below(rng, 6) ? "" : "$");
    if (mw_rng_below(rng, 4) || out->len == 0)
        return;
    size_t at = mw_rng_below(rng, out->len);
    if (mw_rng_below(rng, 2))
        out->data[at] = "%[]()^$*+-?.a\0"[mw_rng_below(rng, 14)];
    else
        out->len = at;
}

static void make_subject(struct mw_buf *out, struct mw_rng *rng)
{
    mw_buf_clear(out);
    for (size_t n = mw_rng_below(rng, 24); n > 0; n--)
        put_byte(out, rng);
}

static void make_replacement(struct mw_buf *out, struct mw_rng *rng)
{
    static const char *const parts[] = { "x", "%0", "%1", "%2", "%%", "%9", "<", "%", "%a", "ab" };
    mw_buf_clear(out);
    for (size_t n = mw_rng_below(rng, 4); n > 0; n--)
        put_one_of(out, rng, parts, MW_COUNT(parts));
}

struct made {
    struct mw_buf subject, pattern, by;
};

static struct question make_question(struct made *made, struct mw_rng *rng)
{
    make_subject(&made->subject, rng);
    make_pattern(&made->pattern, rng);
    make_replacement(&made->by, rng);
    struct mw_view pattern = mw_buf_view(&made->pattern);
    return (struct question){
        .asked = (enum asked)mw_rng_below(rng, ASKED_WAYS),
        .subject = versus_bounded(mw_buf_view(&made->subject), pattern),
        .pattern = pattern,
        .by = mw_buf_view(&made->by),
        .has_number = mw_rng_below(rng, 3) == 0,
        .number = (int64_t)mw_rng_below(rng, 30) - 12,
    };
}

static void print_question(const struct question *q)
{
    print_message("way %d, number %lld, subject, pattern and replacement:\n", (int)q->asked,
                  q->has_number ? (long long)q->number : 0);
    const struct mw_view texts[] = { q->subject, q->pattern, q->by };
    for (size_t i = 0; i < MW_COUNT(texts); i++) {
        print_message("  \"");
        for (size_t k = 0; k < texts[i].len; k++) {
            uint8_t byte = (uint8_t)texts[i].data[k];
            print_message(byte < 32 || byte > 126 ? "\\x%02x" : "%c", byte);
        }
        print_message("\"\n");
    }
}

TEST(random_questions_are_answered_as_by_lua)
{
    struct made made;
    struct mw_mem mem;
    struct mw_rng rng;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&made.subject, &mem, 0);
    mw_buf_init(&made.pattern, &mem, 0);
    mw_buf_init(&made.by, &mem, 0);
    mw_rng_seed(&rng, 54);
    versus_open(&versus);
    for (int i = 0; i < RANDOM_QUESTIONS; i++) {
        struct question question = make_question(&made, &rng);
        if (versus_agree(&versus, &question))
            continue;
        print_question(&question);
        print_first_difference();
        fail_msg("question %d", i);
    }
    versus_close(&versus);
    mw_buf_free(&made.subject);
    mw_buf_free(&made.pattern);
    mw_buf_free(&made.by);
    assert_mem_empty(&mem);
}

/* ---- stops ---- */

/* Each would take from minutes to longer than the universe is old. */
static const char *const endless[] = {
    "string.find(('a'):rep(60), ('a?'):rep(60) .. ('a'):rep(61))",
    "string.match(('a'):rep(200), ('a*'):rep(60) .. 'b')",
    "string.match(('a'):rep(5000), '.-.-.-.-.-.-b')",
    "string.match(('a'):rep(5000), '(.-)(.-)(.-)(.-)(.-)b')",
    "string.match(('a'):rep(300000), '.-.-b')",
    "string.match(('a'):rep(300000), '.*.*b')",
    "string.find(('('):rep(8000000), '%b()')",
    "string.gsub(('('):rep(8000000), '%b()', '')",
    "string.gsub(('y'):rep(8000000), '[^x]*z', '')",
    "string.find(('y'):rep(8000000), '%a+z')",
    "string.find(('y'):rep(8000000), '[%a' .. ('0'):rep(1000000) .. ']z')",
    "string.find(('y'):rep(8000000), '[' .. ('0'):rep(1000000) .. ']')",
    "string.find(('y'):rep(8000000), '%f[' .. ('0'):rep(1000000) .. ']')",
    "string.find(('y'):rep(8000000), 'y-z')",
    "string.find(('a'):rep(8000000), '(a*)%1b')",
    "for _ in string.gmatch(('a'):rep(8000000), '.*b') do end",
    "while true do string.gsub(('a'):rep(1000000), 'a', 'a') end",
    "while true do string.gsub(('a'):rep(1000000), '', 'a') end",
    "while true do string.gsub('a', 'a', ('%%'):rep(1000000)) end",
    "while true do string.find(('a'):rep(1000000), ('b'):rep(1000), 1, true) end",
    "while true do string.find(('a'):rep(1000000), ('a'):rep(500000) .. 'b', 1, true) end",
    "while true do string.find('a', ('b'):rep(1000000)) end",
    "while true do string.find(('a'):rep(1000000), 'b') end",
    "while true do string.match('a', 'b') end",
    "while true do string.gsub('a', 'b', 'c') end",
};

static void stop_now(int signal_number)
{
    (void)signal_number;
    versus.ours.app.budget.stop = MW_LUA_STOP_CPU;
}

static void stop_soon(void)
{
    struct sigaction action = { .sa_handler = stop_now };
    struct itimerval soon = { .it_value.tv_usec = 30000 };
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
}

TEST(matches_that_explode_end_when_they_are_stopped)
{
    for (size_t i = 0; i < MW_COUNT(endless); i++) {
        versus_open(&versus);
        lua_State *L = versus.ours.L;
        print_message("%s\n", endless[i]);
        assert_int_equal(luaL_loadstring(L, endless[i]), LUA_OK);
        stop_soon();
        assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_ERRRUN);
        assert_true(lua_islightuserdata(L, -1));
        assert_int_equal(versus.ours.app.budget.stop, MW_LUA_STOP_CPU);
        versus_close(&versus);
    }
}

/* ---- in scripts ---- */

static struct world world;

static const struct line_case in_scripts[] = {
    { "print(('a,b'):gsub(',', ';'), ('x=1'):match('(%w)=(%w)'), ('abc'):find('c', 1, true))",
      "log info v1 c1 a;b\tx\t3\t3\n" },
    { "for k, v in ('a=1, b=2'):gmatch('(%w)=(%w)') do print(k, v) end",
      "log info v1 c1 a\t1\nlog info v1 c1 b\t2\n" },
    { "print(string.gsub == (''):rep(0).gsub, pcall(string.gsub, 'a', 'a', print, 'x'))",
      "log info v1 c1 true\tfalse\tbad argument #4 to 'string.gsub' (number expected, got "
      "string)\n" },
    { "print(pcall(string.gsub, 'a', 'a', function() sleep(1) end))", "*cannot wait" },
    { "local co = coroutine.wrap(function() return ('a'):gsub('a', coroutine.yield) end)\n"
      "print(pcall(co))",
      "log info v1 c1 false\tattempt to yield across a C-call boundary\n" },
};

TEST(scripts_find_them_in_the_string_library)
{
    expect_lines(&world, in_scripts, MW_COUNT(in_scripts));
}

TEST(a_result_without_room_ends_its_call_and_no_other)
{
    world_open_capped(&world, (size_t)4 << 20);
    must_load(&world, "local text = ('a'):rep(1 << 17)\n"
                      "return { on_message = function(conn, by)\n"
                      "  if by == 'big' then text:gsub('a', ('b'):rep(1 << 10)) end\n"
                      "  for i = 1, 99 do assert(#text:gsub('.+', '%0%0') == 1 << 18) end\n"
                      "  print('goes on') end }");
    must_open(&world, 1);
    forget(&world);
    say(&world, 1, "big");
    expect_somewhere(&world, "chat.lua:3 not enough memory");
    say(&world, 1, "small");
    expect(&world, "log info v1 c1 goes on\n");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_feature_and_each_error_is_as_in_lua),
        CASE(random_questions_are_answered_as_by_lua),
        CASE(matches_that_explode_end_when_they_are_stopped),
        CASE(scripts_find_them_in_the_string_library),
        CASE(a_result_without_room_ends_its_call_and_no_other),
    };
    return RUN(cases);
}
