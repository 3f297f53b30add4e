/*
 * The suffix of a close reason, both ways. Who advises what is decided by scripts, cause.def and
 * the drain; what a client makes of it by its own policy.
 */
#include "core/session/advice.h"

#include <stdio.h>

#include "core/base/str.h"
#include "core/base/utf8.h"
#include "core/proto/close_catalog.h"

/* ";retry=86400000-172800000;resume=no" */
#define SUFFIX_MAX 48

static const char retry_key[] = ";retry=", resume_no[] = ";resume=no";

/* ---- writing ---- */

static uint32_t latest_ms(const struct mw_advice *advice)
{
    return advice->after_ms + advice->spread_ms;
}

static size_t put_suffix(char out[SUFFIX_MAX], const struct mw_advice *advice)
{
    const char *rest = advice->afresh ? resume_no : "";
    int len = 0;
    switch ((enum mw_advice_kind)advice->kind) {
    case MW_ADVICE_NONE:
        break;
    case MW_ADVICE_STAY:
        len = snprintf(out, SUFFIX_MAX, "%sno%s", retry_key, rest);
        break;
    case MW_ADVICE_RETURN:
        if (advice->spread_ms)
            len = snprintf(out, SUFFIX_MAX, "%s%u-%u%s", retry_key, advice->after_ms,
                           latest_ms(advice), rest);
        else
            len = snprintf(out, SUFFIX_MAX, "%s%u%s", retry_key, advice->after_ms, rest);
        break;
    }
    return (size_t)len;
}

size_t mw_advice_put(char out[MW_CLOSE_REASON_MAX], struct mw_view text,
                     const struct mw_advice *advice)
{
    char suffix[SUFFIX_MAX];
    size_t suffix_len = put_suffix(suffix, advice);
    text = mw_utf8_cut(text, MW_CLOSE_REASON_MAX - suffix_len);
    if (text.len)
        memcpy(out, text.data, text.len);
    memcpy(out + text.len, suffix, suffix_len);
    return text.len + suffix_len;
}

/* ---- reading ---- */

static bool take_text(struct mw_view *rest, const char *text)
{
    size_t len = strlen(text);
    if (rest->len < len || memcmp(rest->data, text, len) != 0)
        return false;
    *rest = mw_view(rest->data + len, rest->len - len);
    return true;
}

/* Digits, at most those of two days in ms. */
static bool take_ms(struct mw_view *rest, uint32_t *ms)
{
    size_t digits = 0;
    uint32_t value = 0;
    while (digits < rest->len && rest->data[digits] >= '0' && rest->data[digits] <= '9') {
        if (digits == 9)
            return false;
        value = value * 10 + (uint32_t)(rest->data[digits++] - '0');
    }
    *rest = mw_view(rest->data + digits, rest->len - digits);
    *ms = value;
    return digits > 0 && value <= 2 * MW_ADVICE_MAX_MS;
}

/* What stands behind ";retry=", to the last byte. */
static bool read_value(struct mw_view rest, struct mw_advice *advice)
{
    uint32_t latest = 0;
    if (take_text(&rest, "no")) {
        advice->kind = MW_ADVICE_STAY;
    } else if (take_ms(&rest, &advice->after_ms)) {
        advice->kind = MW_ADVICE_RETURN;
        if (take_text(&rest, "-")) {
            if (!take_ms(&rest, &latest) || latest < advice->after_ms)
                return false;
            advice->spread_ms = latest - advice->after_ms;
        }
    } else {
        return false;
    }
    advice->afresh = take_text(&rest, resume_no);
    return rest.len == 0;
}

size_t mw_advice_read(struct mw_view reason, struct mw_advice *advice)
{
    size_t key_len = strlen(retry_key);
    for (size_t at = reason.len; at-- > 0;) {
        struct mw_view rest = mw_view(reason.data + at, reason.len - at);
        if (rest.len < key_len || memcmp(rest.data, retry_key, key_len) != 0)
            continue;
        *advice = (struct mw_advice){ 0 };
        if (read_value(mw_view(rest.data + key_len, rest.len - key_len), advice))
            return at;
        break;
    }
    *advice = (struct mw_advice){ 0 };
    return reason.len;
}

/* ---- against the code's own policy ---- */

struct mw_advice mw_advice_of_policy(const struct mw_close_policy *policy)
{
    if (!policy->retry)
        return (struct mw_advice){ .kind = MW_ADVICE_STAY };
    return (struct mw_advice){ .kind = MW_ADVICE_RETURN,
                               .afresh = !policy->resume,
                               .after_ms = policy->least_ms,
                               .spread_ms = policy->most_ms - policy->least_ms };
}

bool mw_advice_tells_more(const struct mw_advice *advice, unsigned code)
{
    struct mw_advice known = mw_advice_of_policy(&mw_close_row(code)->policy);
    if (advice->kind != MW_ADVICE_RETURN)
        return advice->kind != MW_ADVICE_NONE && advice->kind != known.kind;
    return known.kind != MW_ADVICE_RETURN || advice->after_ms != known.after_ms ||
           advice->spread_ms != known.spread_ms || (advice->afresh && !known.afresh);
}

static bool is_mistakable(struct mw_view text)
{
    struct mw_advice read;
    (void)mw_advice_read(mw_utf8_cut(text, MW_CLOSE_REASON_MAX), &read);
    return read.kind != MW_ADVICE_NONE;
}

struct mw_advice mw_advice_to_put(struct mw_view text, const struct mw_advice *advice,
                                  unsigned code)
{
    if (mw_advice_tells_more(advice, code))
        return *advice;
    if (!is_mistakable(text))
        return (struct mw_advice){ 0 };
    if (advice->kind != MW_ADVICE_NONE)
        return *advice;
    return mw_advice_of_policy(&mw_close_row(code)->policy);
}
