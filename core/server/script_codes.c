/*
 * M.codes of all scripts of a worker, for explanations: found for a page, copied for the server's
 * thread. Called by explain_page, inquiry (on the worker) and admin_why.
 */
#include "core/server/script_codes.h"

#include <stdio.h>

#include "core/base/utf8.h"
#include "core/server/worker.h"

static bool speaks(const struct mw_route *route)
{
    return route->spec && !route->removed;
}

/* The n-th row of all scripts, and whose it is; NULL past the last. */
static const struct mw_code_spec *row_at(const struct mw_worker *worker, size_t n,
                                         const struct mw_route **route)
{
    for (const struct mw_link *at = worker->routes.next; at != &worker->routes; at = at->next) {
        *route = MW_OWNER(at, const struct mw_route, link);
        size_t count = speaks(*route) ? (*route)->spec->code_count : 0;
        if (n < count)
            return &(*route)->spec->codes[n];
        n -= count;
    }
    return 0;
}

size_t mw_script_codes_of(const struct mw_worker *worker, unsigned code, struct mw_here_code *out,
                          size_t room)
{
    size_t count = 0;
    const struct mw_link *at = worker->routes.next;
    for (; at != &worker->routes && count < room; at = at->next) {
        const struct mw_route *route = MW_OWNER(at, const struct mw_route, link);
        const struct mw_code_spec *row = speaks(route) ? mw_route_spec_code(route->spec, code) : 0;
        if (row)
            out[count++] =
                (struct mw_here_code){ code, route->name, row->name, row->fix, row->advice };
    }
    return count;
}

/* ---- copies ---- */

static void copy_text(char *out, size_t size, struct mw_view text)
{
    text = mw_utf8_cut(text, size - 1);
    snprintf(out, size, "%.*s", (int)text.len, text.len ? text.data : "");
}

void mw_script_code_copy(struct mw_script_code *out, struct mw_view script,
                         const struct mw_code_spec *row)
{
    out->code = row->code;
    out->advice = row->advice;
    copy_text(out->script, sizeof out->script, script);
    copy_text(out->text, sizeof out->text, row->name);
    copy_text(out->fix, sizeof out->fix, row->fix);
}

struct mw_script_code *mw_script_codes_copy(const struct mw_worker *worker, struct mw_mem *mem,
                                            size_t *count)
{
    const struct mw_route *route;
    *count = 0;
    while (*count < MW_SCRIPT_CODES_MAX && row_at(worker, *count, &route))
        (*count)++;
    struct mw_script_code *codes = *count ? mw_alloc_zero(mem, *count * sizeof *codes) : 0;
    for (size_t i = 0; codes && i < *count; i++) {
        const struct mw_code_spec *row = row_at(worker, i, &route);
        mw_script_code_copy(&codes[i], route->name, row);
    }
    return codes;
}

void mw_script_codes_free(struct mw_mem *mem, struct mw_script_code *codes, size_t count)
{
    mw_free(mem, codes, count * sizeof *codes);
}

/* ---- JSON ---- */

static void put_bool(struct mw_json_writer *json, const char *key, bool value)
{
    mw_jw_key(json, mw_view_text(key));
    mw_jw_bool(json, value);
}

static void put_advice(struct mw_json_writer *json, const struct mw_advice *advice)
{
    if (advice->kind != MW_ADVICE_NONE)
        put_bool(json, "retry", advice->kind == MW_ADVICE_RETURN);
    if (advice->kind != MW_ADVICE_RETURN)
        return;
    mw_jw_pair_integer(json, "after_ms", advice->after_ms);
    mw_jw_pair_integer(json, "spread_ms", advice->spread_ms);
    if (advice->afresh)
        put_bool(json, "resume", false);
}

static void put_row(struct mw_json_writer *json, const struct mw_script_code *row)
{
    mw_jw_object(json);
    mw_jw_pair_integer(json, "code", row->code);
    mw_jw_pair(json, "script", mw_view_text(row->script));
    mw_jw_pair(json, "text", mw_view_text(row->text));
    put_advice(json, &row->advice);
    if (*row->fix)
        mw_jw_pair(json, "fix", mw_view_text(row->fix));
    mw_jw_object_end(json);
}

void mw_script_codes_json(const struct mw_script_code *codes, size_t count,
                          struct mw_json_writer *json)
{
    mw_jw_array(json);
    for (size_t i = 0; i < count; i++)
        put_row(json, &codes[i]);
    mw_jw_array_end(json);
}
