/*
 * Whether a script's affinity can be had, and whom a value belongs to. Called by load and check
 * when a version is made, and by handover for each handshake.
 */
#include "core/server/affinity.h"

#include <stdio.h>

#include "core/base/digest.h"
#include "core/base/str.h"

/* "room, team": the parameters of a pattern, cut where they are longer. */
static void list_params(const struct mw_pattern *pattern, char *out, size_t max_bytes)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < pattern->count && len < max_bytes; i++) {
        const struct mw_segment *segment = &pattern->segments[i];
        if (segment->kind != MW_SEGMENT_LITERAL)
            len += (size_t)snprintf(out + len, max_bytes - len, "%s\"%.*s\"", len ? " or " : "",
                                    (int)(segment->text.len < 64 ? segment->text.len : 64),
                                    segment->text.data);
    }
}

bool mw_affinity_fits(const struct mw_pattern *pattern, struct mw_view name,
                      struct mw_affinity_fault *fault)
{
    char params[160];
    if (name.len == 0)
        return true;
    for (size_t i = 0; i < pattern->count; i++) {
        if (pattern->segments[i].kind != MW_SEGMENT_LITERAL &&
            mw_view_equal(pattern->segments[i].text, name))
            return true;
    }
    int len = (int)(name.len < 64 ? name.len : 64);
    list_params(pattern, params, sizeof params);
    snprintf(fault->message, sizeof fault->message,
             "affinity is \"%.*s\", but the route %.200s has no such parameter", len, name.data,
             pattern->text);
    if (params[0])
        snprintf(fault->hint, sizeof fault->hint, "the route has %s", params);
    else
        snprintf(fault->hint, sizeof fault->hint,
                 "give the script a route with it, such as M.route = \"/game/:%.*s\"", len,
                 name.data);
    return false;
}

/* FNV-1a hardly stirs the upper bits of short texts; what this multiplies in comes from all. */
static uint64_t stir(uint64_t hash)
{
    hash ^= hash >> 33;
    hash *= UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 33;
}

unsigned mw_affinity_worker(struct mw_view script, struct mw_view value, unsigned workers)
{
    uint64_t hash = mw_hash64(value, stir(mw_hash64(script, 0)));
    return (unsigned)(stir(hash) % workers);
}
