/*
 * Lua text: what our parser refuses Lua refuses, what Lua refuses our parser refuses but for labels
 * and limits, and checking it as a script, a library and settings never fails, points inside of the
 * file, and lets go of all memory. The input is the text.
 */
#include "core/proto/close.h"
#include "lua/lint/tree.h"
#include "moonwire/engine_lua.h"
#include "tests/fuzz/fuzz.h"

struct seen {
    struct mw_view text;
    bool is_refused;      /* by Lua's own compiler, */
    bool is_beyond_parse; /* for something that our parser leaves to it */
    unsigned count;
};

static bool is_label_or_limit(const char *message)
{
    static const char *const words[] = { "label", "too many", "overflow", "too long",
                                         "jumps into" };
    for (size_t i = 0; i < MW_COUNT(words); i++) {
        if (strstr(message, words[i]))
            return true;
    }
    return false;
}

static void see_place(const struct seen *seen, const struct mw_finding *place)
{
    const char *start = seen->text.data, *end = start + seen->text.len;
    CHECK(place->line >= 1 && place->column >= 1 && place->width >= 1);
    CHECK(place->text.data >= start && place->text.data + place->text.len <= end);
    CHECK((size_t)place->column <= place->text.len + 1);
}

static void see_finding(void *ctx, const struct mw_finding *finding)
{
    struct seen *seen = ctx;
    see_place(seen, finding);
    CHECK(*finding->message != '\0' && finding->hint != NULL);
    if (strcmp(finding->rule, "syntax") == 0) {
        seen->is_refused = true;
        seen->is_beyond_parse = is_label_or_limit(finding->message);
    }
    seen->count++;
}

static void see_route(void *ctx, struct mw_view pattern, const struct mw_finding *place)
{
    CHECK(pattern.len > 0 && pattern.data[0] == '/');
    see_place(ctx, place);
}

static void see_setting(void *ctx, struct mw_view key, const struct mw_finding *place)
{
    CHECK(key.len > 0);
    see_place(ctx, place);
}

/* One file in this role. */
static struct seen check_as(struct mw_view text, int role)
{
    struct mw_source source = { mw_view_text(role == 1 ? "lib/a.lua" : "a.lua"), text };
    struct seen seen = { .text = text };
    struct mw_check check = {
        .scripts = &source,
        .script_count = role == 0,
        .libs = &source,
        .lib_count = role == 1,
        .settings = role == 2 ? &source : NULL,
        .code_refusal = mw_close_code_refusal,
        .ctx = &seen,
        .finding = see_finding,
        .route = see_route,
        .setting = see_setting,
    };
    CHECK(mw_engine_lua()->check(&check) == MW_OK);
    CHECK(seen.count < 1100);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mw_mem mem;
    struct mw_tree tree;
    mw_mem_init(&mem, NULL, 0);
    char *copy = exact_copy(mw_view((const char *)data, size));
    struct mw_view text = mw_view(copy, size);
    CHECK(mw_tree_parse(&tree, &mem, text, NULL, NULL) == MW_OK);
    CHECK(!tree.has_error || tree.error_at.at <= size);
    struct seen seen = check_as(text, 0);
    CHECK(seen.is_refused || !tree.has_error);
    CHECK(!seen.is_refused || tree.has_error || seen.is_beyond_parse);
    CHECK(check_as(text, 1).is_refused == seen.is_refused);
    CHECK(check_as(text, 2).is_refused == seen.is_refused);
    mw_tree_free(&tree);
    CHECK(mw_mem_is_empty(&mem));
    free(copy);
    return 0;
}
