/*
 * Checking without running: lua/lint reads each file and finds places, Lua's own compiler has the
 * last word on what is Lua, hints.c says what to do. Circles of require are found here, where all
 * files are known.
 *
 * Never runs a script, and loads nothing but text.
 */
#include "lua/check.h"

#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "lua/hints.h"
#include "lua/lint/lint.h"
#include "lua/names.h"
#include "lua/state.h"

/* Some ten files of the largest size; a project has less. */
#define MAX_MEMORY (512u * 1024 * 1024)

/* While it loads, one library requires another. */
struct edge {
    size_t from, to;
    uint32_t at, len;
};

struct checking {
    const struct mw_check *check;
    struct mw_lint_names names;
    struct mw_app app; /* no script: its state, for the compiler alone, and its memory */
    struct mw_lint_array edges;
    int err;
    /* the file at hand */
    const struct mw_source *file;
    size_t lib;        /* its index, or lib_count */
    char refusal[512]; /* of the compiler; empty: none */
    int refusal_line;
    bool is_refusal_told;
    uint32_t seen_at; /* a place and its line, so that the next one is not counted from the top */
    int seen_line;
};

/* ---- places ---- */

static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

static int characters(const char *from, const char *to)
{
    int count = 0;
    for (; from < to; from++)
        count += begins_character(*from);
    return count;
}

static int line_of(struct checking *c, uint32_t at)
{
    if (at < c->seen_at) {
        c->seen_at = 0;
        c->seen_line = 1;
    }
    for (; c->seen_at < at; c->seen_at++)
        c->seen_line += c->file->text.data[c->seen_at] == '\n';
    return c->seen_line;
}

static struct mw_view line_around(struct mw_view text, size_t at)
{
    size_t start = at;
    while (start > 0 && text.data[start - 1] != '\n')
        start--;
    size_t end = mw_view_find(text, '\n', at);
    if (end > start && text.data[end - 1] == '\r')
        end--;
    return mw_view(text.data + start, end - start);
}

/* A place at the end of the file is behind the last thing that stands there. */
static uint32_t step_back(struct mw_view text, uint32_t at)
{
    if (at < text.len)
        return at;
    at = (uint32_t)text.len;
    while (at > 0 && strchr(" \t\r\n", text.data[at - 1]))
        at--;
    return at;
}

static struct mw_finding place_of(struct checking *c, uint32_t at, uint32_t len)
{
    struct mw_view text = c->file->text;
    at = step_back(text, at);
    struct mw_finding finding = { .file = c->file->path, .line = line_of(c, at) };
    finding.text = line_around(text, at);
    const char *start = text.data + at, *line_end = finding.text.data + finding.text.len;
    const char *end = start + len < line_end ? start + len : line_end;
    finding.column = 1 + characters(finding.text.data, start);
    finding.width = characters(start, end);
    if (finding.width < 1)
        finding.width = 1;
    return finding;
}

static void tell(struct checking *c, enum mw_rule rule, struct mw_finding *finding,
                 const char *message, const char *hint)
{
    finding->rule = mw_rules[rule].name;
    finding->severity = mw_rules[rule].severity;
    finding->message = message;
    finding->hint = hint;
    c->check->finding(c->check->ctx, finding);
}

/* ---- hints ---- */

/* What hints.c would say to this message at run time; it wants its own copy of the file. */
static void ask_hint(struct checking *c, int line, const char *message, char *out, size_t size)
{
    struct mw_sources sources = { .script = *c->file };
    struct mw_lua_sources copies;
    out[0] = '\0';
    if (mw_lua_sources_copy(&copies, &c->app.mem, &sources) != MW_OK) {
        c->err = MW_ERR_NOMEM;
        return;
    }
    struct mw_lua_where where = { .L = c->app.L, .sources = &copies, .is_script = true };
    mw_lua_hint(&where, &copies.files[0], line, message, out, size);
    mw_lua_sources_free(&copies, &c->app.mem);
}

/* `null`, `console`: words of other languages. */
static void hint_for_global(struct checking *c, const struct mw_lint_finding *found, int line,
                            char *out, size_t size)
{
    char message[128];
    snprintf(message, sizeof(message), "attempt to call a nil value (global '%.*s')",
             (int)(found->len < 64 ? found->len : 64), c->file->text.data + found->at);
    ask_hint(c, line, message, out, size);
}

/* ---- syntax ---- */

/* "check:3: 'then' expected near '='" */
static void read_refusal(struct checking *c, const char *message)
{
    const char *text = strstr(message, ": ");
    c->refusal_line = 0;
    for (const char *digit = message + strlen("check:"); *digit >= '0' && *digit <= '9'; digit++)
        c->refusal_line = c->refusal_line * 10 + (*digit - '0');
    snprintf(c->refusal, sizeof(c->refusal), "%s", text ? text + 2 : message);
}

static void compile(struct checking *c)
{
    struct mw_view text = c->file->text;
    c->refusal[0] = '\0';
    c->is_refusal_told = false;
    int status = luaL_loadbufferx(c->app.L, text.data, text.len, "=check", "t");
    if (status == LUA_ERRMEM)
        c->err = MW_ERR_NOMEM;
    else if (status != LUA_OK)
        read_refusal(c, lua_tostring(c->app.L, -1));
    lua_settop(c->app.L, 0);
}

static void tell_refusal(struct checking *c, struct mw_finding *finding)
{
    char hint[256];
    c->is_refusal_told = true;
    ask_hint(c, finding->line, c->refusal, hint, sizeof(hint));
    tell(c, MW_RULE_SYNTAX, finding, c->refusal, hint);
}

/* The n-th line begins here, behind its blanks. */
static uint32_t start_of_line(struct mw_view text, int line)
{
    size_t at = 0;
    while (--line > 0 && at < text.len)
        at = mw_view_find(text, '\n', at) + 1;
    while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\t'))
        at++;
    return (uint32_t)(at < text.len ? at : text.len);
}

/* What only the compiler sees: a goto without its label, too many variables. */
static void tell_own_refusal(struct checking *c)
{
    static const char mention[] = "at line ";
    const char *named = strstr(c->refusal, mention);
    int line = named ? 0 : c->refusal_line;
    for (named += named ? sizeof(mention) - 1 : 0; named && *named >= '0' && *named <= '9'; named++)
        line = line * 10 + (*named - '0');
    uint32_t at = start_of_line(c->file->text, line);
    struct mw_finding finding = place_of(c, at, UINT32_MAX / 2);
    tell_refusal(c, &finding);
}

/* ---- what lint tells ---- */

static void take_finding(void *ctx, const struct mw_lint_finding *found)
{
    struct checking *c = ctx;
    char hint[256];
    struct mw_finding finding = place_of(c, found->at, found->len);
    if (found->rule == MW_RULE_SYNTAX) {
        if (*c->refusal)
            tell_refusal(c, &finding);
        return;
    }
    snprintf(hint, sizeof(hint), "%s", found->hint);
    if (!*hint && found->rule == MW_RULE_UNDECLARED_READ)
        hint_for_global(c, found, finding.line, hint, sizeof(hint));
    tell(c, found->rule, &finding, found->message, hint);
}

static void take_route(void *ctx, struct mw_view pattern, uint32_t at, uint32_t len)
{
    struct checking *c = ctx;
    struct mw_finding place = place_of(c, at, len);
    c->check->route(c->check->ctx, pattern, &place);
}

static void take_setting(void *ctx, struct mw_view key, uint32_t at, uint32_t len)
{
    struct checking *c = ctx;
    struct mw_finding place = place_of(c, at, len);
    c->check->setting(c->check->ctx, key, &place);
}

static void take_require(void *ctx, size_t lib, uint32_t at, uint32_t len)
{
    struct checking *c = ctx;
    if (c->lib == c->check->lib_count) /* nothing requires a script */
        return;
    uint32_t index = mw_lint_array_add(&c->edges, &c->app.mem);
    if (index == UINT32_MAX)
        c->err = MW_ERR_NOMEM;
    else
        ((struct edge *)(void *)c->edges.data)[index] = (struct edge){ c->lib, lib, at, len };
}

/* ---- files ---- */

static void check_file(struct checking *c, const struct mw_source *file, enum mw_lint_kind kind)
{
    struct mw_lint_job job = {
        .mem = &c->app.mem,
        .names = &c->names,
        .kind = kind,
        .path = file->path,
        .text = file->text,
        .libs = c->check->libs,
        .lib_count = c->check->lib_count,
        .ctx = c,
        .finding = take_finding,
        .route = take_route,
        .require = take_require,
        .setting = take_setting,
    };
    c->file = file;
    c->seen_at = 0;
    c->seen_line = 1;
    compile(c);
    int err = c->err ? c->err : mw_lint_read(&job);
    if (err == MW_ERR_NOMEM)
        c->err = err;
    else if (*c->refusal && !c->is_refusal_told)
        tell_own_refusal(c);
}

static void check_files(struct checking *c)
{
    const struct mw_check *check = c->check;
    c->lib = check->lib_count;
    if (check->settings)
        check_file(c, check->settings, MW_LINT_SETTINGS);
    for (size_t i = 0; i < check->script_count && !c->err; i++)
        check_file(c, &check->scripts[i], MW_LINT_SCRIPT);
    for (c->lib = 0; c->lib < check->lib_count && !c->err; c->lib++)
        check_file(c, &check->libs[c->lib], MW_LINT_LIBRARY);
}

/* ---- circles ---- */

enum visit { VISIT_NOT_YET, VISIT_ON_THE_WAY, VISIT_DONE };

struct walk {
    size_t lib, next_edge;
};

static const struct edge *edge_at(const struct checking *c, size_t i)
{
    return (const struct edge *)(const void *)c->edges.data + i;
}

/* way[0..depth] leads to the edge that closes the circle. */
static void tell_circle(struct checking *c, const struct walk *way, size_t depth,
                        const struct edge *edge)
{
    char message[512] = "these files require each other in a circle: ";
    size_t start = 0;
    while (way[start].lib != edge->to)
        start++;
    for (size_t i = start; i <= depth + 1; i++) {
        size_t len = strlen(message);
        struct mw_view path = c->check->libs[i <= depth ? way[i].lib : edge->to].path;
        snprintf(message + len, sizeof(message) - len, "%s%.*s", i > start ? " -> " : "",
                 (int)(path.len < 200 ? path.len : 200), path.data);
    }
    c->file = &c->check->libs[edge->from];
    c->seen_at = 0;
    c->seen_line = 1;
    struct mw_finding finding = place_of(c, edge->at, edge->len);
    tell(c, MW_RULE_REQUIRE, &finding, message, "move what both need into a third file");
}

/* Depth first from one library; `way` has room for all of them. */
static void walk_from(struct checking *c, size_t lib, unsigned char *visits, struct walk *way)
{
    size_t depth = 0;
    way[0] = (struct walk){ lib, 0 };
    visits[lib] = VISIT_ON_THE_WAY;
    for (;;) {
        struct walk *here = &way[depth];
        if (here->next_edge == c->edges.count) {
            visits[here->lib] = VISIT_DONE;
            if (depth-- == 0)
                return;
            continue;
        }
        const struct edge *edge = edge_at(c, here->next_edge++);
        if (edge->from != here->lib)
            continue;
        if (visits[edge->to] == VISIT_ON_THE_WAY) {
            tell_circle(c, way, depth, edge);
        } else if (visits[edge->to] == VISIT_NOT_YET) {
            visits[edge->to] = VISIT_ON_THE_WAY;
            way[++depth] = (struct walk){ edge->to, 0 };
        }
    }
}

static void check_circles(struct checking *c)
{
    size_t count = c->check->lib_count;
    if (count == 0 || c->err)
        return;
    unsigned char *visits = mw_alloc_zero(&c->app.mem, count);
    struct walk *way = mw_alloc(&c->app.mem, count * sizeof(*way));
    for (size_t i = 0; visits && way && i < count; i++) {
        if (visits[i] == VISIT_NOT_YET)
            walk_from(c, i, visits, way);
    }
    if (!visits || !way)
        c->err = MW_ERR_NOMEM;
    mw_free(&c->app.mem, visits, count);
    mw_free(&c->app.mem, way, count * sizeof(*way));
}

/* ---- the whole ---- */

int mw_lua_check(const struct mw_check *check)
{
    struct checking c = {
        .check = check,
        .names = { mw_lua_names, mw_lua_conn_method_names, mw_lua_handler_names,
                   check->code_refusal },
        .edges = { .item_bytes = sizeof(struct edge) },
    };
    mw_mem_init(&c.app.mem, NULL, MAX_MEMORY);
    c.app.L = mw_lua_state_new(&c.app);
    if (!c.app.L)
        return MW_ERR_NOMEM;
    check_files(&c);
    check_circles(&c);
    mw_lua_state_close(&c.app);
    mw_lint_array_free(&c.edges, &c.app.mem);
    return c.err;
}
