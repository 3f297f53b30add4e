/*
 * The texts of the sideband: finding a mark, telling an aside from a message, writing the server's
 * two. Called by conn_sideband for what goes over an open connection, by the server for the
 * handshake. Keeps nothing and sends nothing.
 */
#include "core/session/sideband.h"

#include <inttypes.h>
#include <stdarg.h>
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

/* The parameter's value; empty where it is not there, or twice. */
static struct mw_view value_in(struct mw_view target)
{
    struct mw_view query = mw_view_from(target, mw_view_find(target, '?', 0) + 1);
    struct mw_view pair, value = mw_view("", 0);
    size_t count = 0;
    while (mw_view_split(&query, '&', &pair)) {
        if (is_ours(pair) && ++count == 1)
            value = mw_view_from(pair, strlen(parameter));
    }
    return count == 1 ? value : mw_view("", 0);
}

/* TOKEN.COUNT */
static bool read_session(struct mw_view text, struct mw_sideband_ask *ask)
{
    size_t dot = mw_view_find(text, '.', 0);
    return mw_resume_token_read(mw_view(text.data, dot), &ask->token) &&
           mw_parse_u64(mw_view_from(text, dot + 1), 0, MW_SIDEBAND_COUNT_MAX, &ask->count);
}

struct mw_sideband_ask mw_sideband_ask(struct mw_view target)
{
    struct mw_view value = value_in(target);
    size_t dot = mw_view_find(value, '.', 0);
    struct mw_sideband_ask ask = { .mark = mw_view(value.data, dot) };
    if (!mw_sideband_is_mark(ask.mark))
        return (struct mw_sideband_ask){ .mark = mw_view("", 0) };
    ask.session = dot < value.len;
    ask.back = ask.session && read_session(mw_view_from(value, dot + 1), &ask);
    return ask;
}

struct mw_view mw_sideband_mark(struct mw_view target)
{
    return mw_sideband_ask(target).mark;
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
    if (text.len - len > MW_SIDEBAND_ASIDE_MAX) /* zeros before a number are none the less bytes */
        return MW_ASIDE_OTHER;
    uint64_t count;
    if (mw_sideband_count(sideband, text, &count))
        return MW_ASIDE_COUNT;
    return mw_sideband_quiet_ms(sideband, text) > 0 ? MW_ASIDE_QUIET : MW_ASIDE_OTHER;
}

static double seconds(mw_ms span_ms)
{
    return span_ms == MW_NEVER ? 0 : (double)span_ms / 1000;
}

/* Behind what stands in `out` already; returns the length of all. */
__attribute__((format(printf, 3, 4))) static size_t put(char out[MW_SIDEBAND_HELLO_MAX], size_t len,
                                                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int more = vsnprintf(out + len, MW_SIDEBAND_HELLO_MAX - len, format, args);
    va_end(args);
    mw_assert(more >= 0 && len + (size_t)more < MW_SIDEBAND_HELLO_MAX);
    return len + (size_t)more;
}

static size_t put_session(char out[MW_SIDEBAND_HELLO_MAX], size_t len,
                          const struct mw_sideband_session *session)
{
    len = put(out, len, ",\"resume\":{\"token\":\"%.*s\",\"for\":%.10g,\"got\":%" PRIu64,
              MW_RESUME_TOKEN_LEN, session->token, seconds(session->for_ms), session->got);
    if (session->back)
        len = put(out, len, ",\"back\":true,\"missed\":%" PRIu64, session->missed);
    return put(out, len, "}");
}

size_t mw_sideband_hello(const struct mw_sideband *sideband, const char *id,
                         const struct mw_limits_ms *limits,
                         const struct mw_sideband_session *session, char out[MW_SIDEBAND_HELLO_MAX])
{
    size_t len = put(out, 0, "%.*s{\"v\":1,\"id\":\"%.16s\",\"ping\":%.10g,\"pong\":%.10g",
                     sideband->mark_len, sideband->mark, id, seconds(limits->ping_ms),
                     seconds(limits->pong_ms));
    if (session)
        len = put_session(out, len, session);
    return put(out, len, "}");
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

bool mw_sideband_count(const struct mw_sideband *sideband, struct mw_view text, uint64_t *count)
{
    size_t len = sideband->mark_len;
    return text.len > len && text.data[len] == '+' &&
           mw_parse_u64(mw_view_from(text, len + 1), 0, MW_SIDEBAND_COUNT_MAX, count);
}

static size_t put_sign(const struct mw_sideband *sideband, char sign,
                       char out[MW_SIDEBAND_ANSWER_MAX])
{
    memcpy(out, sideband->mark, sideband->mark_len);
    out[sideband->mark_len] = sign;
    return (size_t)sideband->mark_len + 1;
}

size_t mw_sideband_question(const struct mw_sideband *sideband, char out[MW_SIDEBAND_ANSWER_MAX])
{
    return put_sign(sideband, '?', out);
}

size_t mw_sideband_answer(const struct mw_sideband *sideband, enum mw_aside to,
                          char out[MW_SIDEBAND_ANSWER_MAX])
{
    if (to != MW_ASIDE_PROBE && to != MW_ASIDE_QUIET)
        return 0;
    return put_sign(sideband, to == MW_ASIDE_PROBE ? '!' : '~', out);
}

static size_t put_number(const struct mw_sideband *sideband, char sign, uint64_t number,
                         char out[MW_SIDEBAND_ANSWER_MAX])
{
    char text[MW_SIDEBAND_ANSWER_MAX + 1]; /* with the NUL */
    int len = snprintf(text, sizeof text, "%.*s%c%" PRIu64, sideband->mark_len, sideband->mark,
                       sign, number);
    mw_assert(len > 0 && len <= MW_SIDEBAND_ANSWER_MAX);
    memcpy(out, text, (size_t)len);
    return (size_t)len;
}

size_t mw_sideband_got(const struct mw_sideband *sideband, uint64_t got,
                       char out[MW_SIDEBAND_ANSWER_MAX])
{
    return put_number(sideband, '+', got, out);
}

size_t mw_sideband_hole(const struct mw_sideband *sideband, uint64_t lost,
                        char out[MW_SIDEBAND_ANSWER_MAX])
{
    return put_number(sideband, '-', lost, out);
}
