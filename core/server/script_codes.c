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

bool mw_script_code_find(const struct mw_worker *worker, unsigned code, struct mw_here_code *out)
{
    for (const struct mw_link *at = worker->routes.next; at != &worker->routes; at = at->next) {
        const struct mw_route *route = MW_OWNER(at, const struct mw_route, link);
        const struct mw_code_spec *row = speaks(route) ? mw_route_spec_code(route->spec, code) : 0;
        if (!row)
            continue;
        *out = (struct mw_here_code){ .code = code,
                                      .script = route->name,
                                      .text = row->name,
                                      .fix = row->fix,
                                      .has_retry = row->advice.kind != MW_ADVICE_NONE,
                                      .retry = row->advice.kind == MW_ADVICE_RETURN };
        return true;
    }
    return false;
}

/* ---- copies ---- */

static void copy_text(char *out, size_t size, struct mw_view text)
{
    text = mw_utf8_cut(text, size - 1);
    snprintf(out, size, "%.*s", (int)text.len, text.len ? text.data : "");
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
        codes[i].code = row->code;
        codes[i].has_retry = row->advice.kind != MW_ADVICE_NONE;
        codes[i].retry = row->advice.kind == MW_ADVICE_RETURN;
        copy_text(codes[i].script, sizeof codes[i].script, route->name);
        copy_text(codes[i].text, sizeof codes[i].text, row->name);
        copy_text(codes[i].fix, sizeof codes[i].fix, row->fix);
    }
    return codes;
}

void mw_script_codes_free(struct mw_mem *mem, struct mw_script_code *codes, size_t count)
{
    mw_free(mem, codes, count * sizeof *codes);
}

/* ---- JSON ---- */

static void put_row(struct mw_json_writer *json, const struct mw_script_code *row)
{
    mw_jw_object(json);
    mw_jw_pair_integer(json, "code", row->code);
    mw_jw_pair(json, "script", mw_view_text(row->script));
    mw_jw_pair(json, "text", mw_view_text(row->text));
    if (row->has_retry) {
        mw_jw_key(json, mw_view_text("retry"));
        mw_jw_bool(json, row->retry);
    }
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
