/*
 * Rows of scripts about one code, as voices. Texts are anybody's and stay as they are; the form
 * escapes them. Called by facts, explain and pair.
 */
#include "core/explain/own.h"

#include <stdio.h>

#include "core/base/str.h"
#include "core/base/utf8.h"

static bool is_same_advice(const struct mw_advice *one, const struct mw_advice *two)
{
    if (one->kind != two->kind || one->kind != MW_ADVICE_RETURN)
        return one->kind == two->kind;
    return one->after_ms == two->after_ms && one->spread_ms == two->spread_ms &&
           one->afresh == two->afresh;
}

static bool is_same(const struct mw_here_code *one, const struct mw_here_code *two)
{
    return one->code == two->code && mw_view_equal(one->text, two->text) &&
           mw_view_equal(one->fix, two->fix) && is_same_advice(&one->advice, &two->advice);
}

/* No row before the n-th says the same. */
static bool is_first(const struct mw_here *here, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_same(&here->codes[i], &here->codes[n]))
            return false;
    }
    return true;
}

const struct mw_here_code *mw_own_next(const struct mw_here *here, unsigned code,
                                       const struct mw_here_code *voice)
{
    size_t i = voice ? (size_t)(voice - here->codes) + 1 : 0;
    for (; here && i < here->code_count; i++) {
        if (here->codes[i].code == code && is_first(here, i))
            return &here->codes[i];
    }
    return 0;
}

bool mw_own_is_several(const struct mw_here *here, unsigned code)
{
    const struct mw_here_code *first = mw_own_next(here, code, 0);
    return first && mw_own_next(here, code, first);
}

bool mw_own_is_disputed(const struct mw_here *here, unsigned code)
{
    const struct mw_here_code *first = mw_own_next(here, code, 0), *voice = first;
    while (voice && is_same_advice(&first->advice, &voice->advice))
        voice = mw_own_next(here, code, voice);
    return voice != 0;
}

/* ---- lists ---- */

/* Appends to a list what still fits; gives its new length. */
static size_t add(char out[MW_OWN_NAMES_MAX], size_t len, const char *between, struct mw_view text)
{
    static const char more[] = "...";
    const char *before = len ? between : "";
    size_t room = MW_OWN_NAMES_MAX - len - strlen(between) - 2 * sizeof more;
    bool is_full = len + strlen(between) + 3 * sizeof more >= MW_OWN_NAMES_MAX;
    if (is_full || (len && text.len > room))
        return len >= 3 && !strcmp(out + len - 3, more)
                   ? len
                   : len +
                         (size_t)snprintf(out + len, MW_OWN_NAMES_MAX - len, "%s%s", before, more);
    text = mw_utf8_cut(text, room);
    return len + (size_t)snprintf(out + len, MW_OWN_NAMES_MAX - len, "%s%.*s", before,
                                  (int)text.len, text.len ? text.data : "");
}

void mw_own_names(const struct mw_here *here, unsigned code, const struct mw_here_code *voice,
                  char out[MW_OWN_NAMES_MAX])
{
    size_t len = 0;
    *out = '\0';
    for (size_t i = 0; here && i < here->code_count; i++) {
        const struct mw_here_code *row = &here->codes[i];
        if (row->code == code && (!voice || is_same(row, voice)))
            len = add(out, len, ", ", row->script);
    }
}

/* Two voices may differ in what to do alone. */
static bool is_new_word(const struct mw_here *here, const struct mw_here_code *voice)
{
    const struct mw_here_code *other = mw_own_next(here, voice->code, 0);
    while (other != voice && !mw_view_equal(other->text, voice->text))
        other = mw_own_next(here, voice->code, other);
    return other == voice;
}

void mw_own_words(const struct mw_here *here, unsigned code, char out[MW_OWN_NAMES_MAX])
{
    size_t len = 0;
    *out = '\0';
    const struct mw_here_code *voice = mw_own_next(here, code, 0);
    for (; voice; voice = mw_own_next(here, code, voice)) {
        if (is_new_word(here, voice))
            len = add(out, len, " / ", voice->text);
    }
}
