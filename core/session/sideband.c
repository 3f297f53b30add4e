/*
 * The texts of the sideband: finding a mark, telling an aside from a message, writing the server's
 * two. Called by conn_sideband for what goes over an open connection, by the server for the
 * handshake. Keeps nothing and sends nothing.
 */
#include "core/session/sideband.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"

static const char parameter[] = "moonwire=";

static bool is_mark_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

bool mw_sideband_is_mark(struct mw_view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_mark_char(text.data[i]))
            return false;
    }
    return text.len >= MW_SIDEBAND_MARK_MIN && text.len <= MW_SIDEBAND_MARK_MAX;
}

/* As it is written, not as it decodes: who speaks the sideband has no need to escape it. */
static bool is_ours(struct mw_view pair)
{
    return mw_view_starts_with(pair, parameter) || mw_view_is(pair, "moonwire");
}

struct mw_view mw_sideband_mark(struct mw_view target)
{
    struct mw_view query = mw_view_from(target, mw_view_find(target, '?', 0) + 1);
    struct mw_view pair, mark = mw_view("", 0);
    size_t count = 0;
    while (mw_view_split(&query, '&', &pair)) {
        if (is_ours(pair) && ++count == 1)
            mark = mw_view_from(pair, strlen(parameter));
    }
    return count == 1 && mw_sideband_is_mark(mark) ? mark : mw_view("", 0);
}

static bool has_ours(struct mw_view query)
{
    struct mw_view pair;
    while (mw_view_split(&query, '&', &pair)) {
        if (is_ours(pair))
            return true;
    }
    return false;
}

struct mw_view mw_sideband_hide(struct mw_view query, char *room)
{
    struct mw_view pair;
    size_t len = 0;
    if (!has_ours(query))
        return query;
    while (mw_view_split(&query, '&', &pair)) {
        if (is_ours(pair))
            continue;
        if (len)
            room[len++] = '&';
        if (pair.len)
            memcpy(room + len, pair.data, pair.len);
        len += pair.len;
    }
    return mw_view(room, len);
}

void mw_sideband_init(struct mw_sideband *sideband, struct mw_view mark)
{
    mw_assert(mw_sideband_is_mark(mark));
    *sideband = (struct mw_sideband){ .mark_len = (uint8_t)mark.len };
    memcpy(sideband->mark, mark.data, mark.len);
}

enum mw_aside mw_sideband_read(const struct mw_sideband *sideband, enum mw_opcode opcode,
                               struct mw_view text)
{
    size_t len = sideband->mark_len;
    if (opcode != MW_OPCODE_TEXT || text.len < len || memcmp(text.data, sideband->mark, len) != 0)
        return MW_ASIDE_NONE;
    if (text.len == len + 1 && text.data[len] == '?')
        return MW_ASIDE_PROBE;
    return mw_sideband_quiet_ms(sideband, text) > 0 ? MW_ASIDE_QUIET : MW_ASIDE_OTHER;
}

static double seconds(mw_ms span_ms)
{
    return span_ms == MW_NEVER ? 0 : (double)span_ms / 1000;
}

size_t mw_sideband_hello(const struct mw_sideband *sideband, const char *id,
                         const struct mw_limits_ms *limits, char out[MW_SIDEBAND_HELLO_MAX])
{
    int len = snprintf(
        out, MW_SIDEBAND_HELLO_MAX, "%.*s{\"v\":1,\"id\":\"%.16s\",\"ping\":%.10g,\"pong\":%.10g}",
        sideband->mark_len, sideband->mark, id, seconds(limits->ping_ms), seconds(limits->pong_ms));
    mw_assert(len > 0 && len < MW_SIDEBAND_HELLO_MAX);
    return (size_t)len;
}

mw_ms mw_sideband_quiet_ms(const struct mw_sideband *sideband, struct mw_view text)
{
    size_t len = sideband->mark_len;
    uint64_t seconds;
    if (text.len <= len || text.data[len] != '~' ||
        !mw_parse_u64(mw_view_from(text, len + 1), 1, MW_SIDEBAND_QUIET_MAX_S, &seconds))
        return 0;
    return seconds * 1000;
}

size_t mw_sideband_answer(const struct mw_sideband *sideband, enum mw_aside to,
                          char out[MW_SIDEBAND_ANSWER_MAX])
{
    if (to != MW_ASIDE_PROBE && to != MW_ASIDE_QUIET)
        return 0;
    memcpy(out, sideband->mark, sideband->mark_len);
    out[sideband->mark_len] = to == MW_ASIDE_PROBE ? '!' : '~';
    return (size_t)sideband->mark_len + 1;
}
