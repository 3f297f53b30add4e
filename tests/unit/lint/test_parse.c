#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "lua/lint/tree.h"
#include "tests/unit/unit.h"

/* NULL: it is Lua; else the offset and the text of the error. */
static void expect(const char *text, const char *error)
{
    struct mw_mem mem;
    struct mw_tree tree;
    char got[256] = "";
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_tree_parse(&tree, &mem, mw_view_text(text), NULL, NULL), MW_OK);
    if (tree.has_error)
        snprintf(got, sizeof(got), "%u %s", tree.error_at.at, tree.error);
    assert_string_equal(got, error ? error : "");
    mw_tree_free(&tree);
    assert_mem_empty(&mem);
}

TEST(what_lua_accepts_is_accepted)
{
    static const char *const texts[] = {
        "",
        ";;;",
        "local a <const>, b <close> = 1, nil",
        "local function f(a, b, ...) return ... end",
        "function a.b.c:d(x) self.x = x end",
        "for i = 1, 10, 2 do break end for k, v in pairs(t) do end",
        "repeat local x = 1 until x",
        "goto done ::done::",
        "if a then elseif b then else end while a do end do end",
        "a.b[1].c, d = f(), ...",
        "f'x' f\"x\" f[[x]] f{} f() a:b'x' a:b{} a.b.c()",
        "return",
        "return;",
        "return 1, 2;",
        "return {1, 2; a = 3, ['b'] = 4, f(), }",
        "x = -2 ^ 2 .. 'a' .. 'b' // 1 >> 2 << 3 & 4 | 5 ~ 6 and not #a or ~b",
        "x = (a)(b); (c).d = 1",
        "local x = function() end",
        "return function(...) local a, b = ... return a end",
    };
    for (size_t i = 0; i < MW_COUNT(texts); i++)
        expect(texts[i], NULL);
}

TEST(an_error_is_at_the_token_where_lua_gives_up)
{
    expect("if a = b then end", "5 'then' expected near '='");
    expect("x += 1", "2 syntax error near '+'");
    expect("a.b", "3 syntax error near the end of the file");
    expect("f() = 1", "4 syntax error near '='");
    expect("(a) = 1", "4 syntax error near '='");
    expect("local t = { a = 1 b = 2 }", "18 '}' expected (to close '{' at line 1) near 'b'");
    expect("function f()\n",
           "13 'end' expected (to close 'function' at line 1) near the end of the "
           "file");
    expect("end", "0 the end of the file expected near 'end'");
    expect("return 1 x = 2", "9 the end of the file expected near 'x'");
    expect("x = = 1", "4 unexpected symbol near '='");
    expect("a:b = 1", "4 function arguments expected near '='");
    expect("for 1 = 2 do end", "4 <name> expected near '1'");
    expect("for a do end", "6 '=' or 'in' expected near 'do'");
    expect("x = 'abc", "4 unfinished string");
    expect("a ! b", "2 unexpected symbol");
    expect("break", "0 break outside a loop");
    expect("while a do f = function() break end end", "26 break outside a loop");
    expect("function f() return ... end", "20 cannot use '...' outside a vararg function near "
                                          "'...'");
    expect("local x <const> = 1; x = 2", "21 attempt to assign to const variable 'x'");
    expect("local x <constant> = 1", "9 unknown attribute 'constant'");
    expect("local a <close>, b <close> = 1, 2", "17 multiple to-be-closed variables in local list");
    expect("function f(a, 1) end", "14 <name> or '...' expected near '1'");
}

/* Lua gives up at 200; a little later is early enough. */
TEST(nesting_is_bounded)
{
    char text[8192];
    memset(text, '(', sizeof(text) - 1);
    memcpy(text, "x = ", 4);
    text[sizeof(text) - 1] = '\0';
    expect(text, "253 too deeply nested");
    for (size_t i = 0; i + 3 < sizeof(text); i += 3)
        memcpy(text + i, "do ", 3);
    text[sizeof(text) / 3 * 3 - 3] = '\0';
    expect(text, "750 too deeply nested");
}

/* A long row is no nesting. */
TEST(rows_are_not_bounded)
{
    struct mw_mem mem;
    struct mw_buf text;
    struct mw_tree tree;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&text, &mem, 0);
    assert_int_equal(mw_buf_put_text(&text, "x = a"), MW_OK);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(mw_buf_put_text(&text, i % 2 ? ".b(c)" : " + d"), MW_OK);
    assert_int_equal(mw_tree_parse(&tree, &mem, mw_buf_view(&text), NULL, NULL), MW_OK);
    assert_false(tree.has_error);
    mw_tree_free(&tree);
    mw_buf_free(&text);
    assert_mem_empty(&mem);
}

/* The names of a text: '.' for a global, else the number of the local variable. */
static void expect_names(const char *text, const char *want)
{
    struct mw_mem mem;
    struct mw_tree tree;
    char got[256] = "";
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_tree_parse(&tree, &mem, mw_view_text(text), NULL, NULL), MW_OK);
    assert_false(tree.has_error);
    for (mw_node_at at = 1; at < tree.nodes.count; at++) {
        const struct mw_node *node = mw_tree_node(&tree, at);
        size_t len = strlen(got);
        if (node->kind == MW_NODE_NAME && node->local)
            snprintf(got + len, sizeof(got) - len, "%u", node->local);
        else if (node->kind == MW_NODE_NAME)
            snprintf(got + len, sizeof(got) - len, ".");
    }
    assert_string_equal(got, want);
    mw_tree_free(&tree);
    assert_mem_empty(&mem);
}

TEST(names_are_traced_to_their_innermost_variable)
{
    expect_names("local a a = a", "11");
    expect_names("local a = a", ".");
    expect_names("local a local a = a x = a", "1.2");
    expect_names("do local a end x = a", "..");
    expect_names("local function f() f() end f()", "11");
    expect_names("local f = function() f() end", ".");
    expect_names("for i = i, 1 do i() end i()", ".1.");
    expect_names("for k, v in pairs(k) do v(k) end", "..21");
    expect_names("for a, b in function() local c return c end do b() end", "32");
    expect_names("repeat local a until a x = a", "1..");
    expect_names("function f(a) a() end a()", ".1.");
    expect_names("local t function t:f(a) self(a) end", "123");
    expect_names("if a then local b else b() end", "..");
    expect_names("local a while a do local a a() end a()", "121");
}

/* A table of a few hundred names: it grows while names are visible. */
TEST(names_are_found_however_many_there_are)
{
    struct mw_mem mem;
    struct mw_buf text;
    struct mw_tree tree;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&text, &mem, 0);
    for (int i = 0; i < 500; i++)
        assert_int_equal(mw_buf_putf(&text, "local n%d\n", i), MW_OK);
    for (int i = 0; i < 500; i++)
        assert_int_equal(mw_buf_putf(&text, "n%d()\n", i), MW_OK);
    assert_int_equal(mw_tree_parse(&tree, &mem, mw_buf_view(&text), NULL, NULL), MW_OK);
    uint32_t expected = 1;
    for (mw_node_at at = 1; at < tree.nodes.count; at++) {
        if (mw_tree_node(&tree, at)->kind == MW_NODE_NAME)
            assert_int_equal(mw_tree_node(&tree, at)->local, expected++);
    }
    assert_int_equal(expected, 501);
    mw_tree_free(&tree);
    mw_buf_free(&text);
    assert_mem_empty(&mem);
}

static const char everything[] =
    "local a, b <const> = 1, { x = function(p, ...) return p, ... end, [2] = 'y'; 3 }\n"
    "for i = 1, 2 do for k, v in pairs(b) do a = a + k * v end end\n"
    "function a.b:c(d) if d then self:e(d) elseif not d then repeat local z until z end end\n"
    "return a, b\n";

static bool parse_everything(struct mw_mem *mem)
{
    struct mw_tree tree;
    int err = mw_tree_parse(&tree, mem, mw_view_text(everything), NULL, NULL);
    if (err != MW_OK)
        assert_int_equal(err, MW_ERR_NOMEM);
    else
        assert_false(tree.has_error);
    mw_tree_free(&tree);
    return err == MW_OK;
}

TEST(without_memory_it_says_so)
{
    assert_true(fail_each_allocation(parse_everything) > 5);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(what_lua_accepts_is_accepted),
        CASE(an_error_is_at_the_token_where_lua_gives_up),
        CASE(nesting_is_bounded),
        CASE(rows_are_not_bounded),
        CASE(names_are_traced_to_their_innermost_variable),
        CASE(names_are_found_however_many_there_are),
        CASE(without_memory_it_says_so),
    };
    return RUN(cases);
}
