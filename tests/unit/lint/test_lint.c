/* What every rule stands on. The rules themselves are tried with the real names, in unit/lua. */
#include "lua/lint/lint.h"

#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "tests/unit/unit.h"

static const char *const *names_of(const char *library)
{
    static const char *const globals[] = { "print", "require", "state", "string", NULL };
    static const char *const none[] = { NULL };
    if (strcmp(library, "_G") == 0)
        return globals;
    return strcmp(library, "print") && strcmp(library, "require") && strcmp(library, "state")
               ? none
               : NULL;
}

static const char *refusal(unsigned code)
{
    (void)code;
    return NULL;
}

static void take_finding(void *ctx, const struct mw_lint_finding *finding)
{
    unsigned *seen = ctx;
    *seen |= 1u << finding->rule;
}

static void take_route(void *ctx, struct mw_view pattern, uint32_t at, uint32_t len)
{
    (void)ctx, (void)pattern, (void)at, (void)len;
}

static void take_require(void *ctx, size_t lib, uint32_t at, uint32_t len)
{
    (void)ctx, (void)lib, (void)at, (void)len;
}

/* A bit for each rule that has spoken. */
static int lint(struct mw_mem *mem, enum mw_lint_kind kind, const char *text, unsigned *seen)
{
    static const char *const none[] = { NULL };
    static const struct mw_lint_names names = { names_of, none, none, refusal };
    struct mw_lint_job job = {
        .mem = mem,
        .names = &names,
        .kind = kind,
        .path = mw_view_text("a.lua"),
        .text = mw_view_text(text),
        .ctx = seen,
        .finding = take_finding,
        .route = take_route,
        .require = take_require,
        .setting = take_route,
    };
    *seen = 0;
    return mw_lint_read(&job);
}

TEST(a_syntax_error_is_the_only_finding)
{
    struct mw_mem mem;
    unsigned seen;
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(lint(&mem, MW_LINT_SCRIPT, "usr = 1 usr = = 2", &seen), MW_OK);
    assert_int_equal(seen, 1u << MW_RULE_SYNTAX);
    assert_mem_empty(&mem);
}

TEST(a_library_need_not_return_a_table)
{
    struct mw_mem mem;
    unsigned seen;
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(lint(&mem, MW_LINT_LIBRARY, "print(1)", &seen), MW_OK);
    assert_int_equal(seen, 0);
    assert_int_equal(lint(&mem, MW_LINT_SCRIPT, "print(1)", &seen), MW_OK);
    assert_int_equal(seen, 1u << MW_RULE_NO_MODULE);
    assert_mem_empty(&mem);
}

TEST(every_rule_has_a_name_of_its_own)
{
    for (size_t i = 0; i < MW_RULES; i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(mw_rules[i].name, mw_rules[j].name);
    }
}

static bool lint_everything(struct mw_mem *mem)
{
    unsigned seen;
    int err = lint(mem, MW_LINT_SCRIPT,
                   "-- moonwire: ignore-file undeclared-read\n"
                   "local M = { route = '/x', on_open = function(conn) return false, 403 end }\n"
                   "state.x = function() return usr end\nusr = 1\nM.a, M.b = 1\nreturn M\n",
                   &seen);
    if (err != MW_OK)
        assert_int_equal(err, MW_ERR_NOMEM);
    else
        assert_true(seen & 1u << MW_RULE_UNDECLARED_WRITE && seen & 1u << MW_RULE_STATE_VALUE &&
                    !(seen & 1u << MW_RULE_UNDECLARED_READ));
    return err == MW_OK;
}

TEST(without_memory_it_says_so)
{
    assert_true(fail_each_allocation(lint_everything) > 5);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_syntax_error_is_the_only_finding),
        CASE(a_library_need_not_return_a_table),
        CASE(every_rule_has_a_name_of_its_own),
        CASE(without_memory_it_says_so),
    };
    return RUN(cases);
}
