/*
 * The tables of words_*.def, and finding what is said in one of them, text by text, before English
 * is asked. A key that English does not have does not compile.
 */
#include "core/explain/words.h"

#include "core/base/check.h"
#include "core/proto/close_catalog.h"

/* Which row of close_catalog.def. */
enum row_key {
#define MW_CLOSE_ROW(first, last, key, ...) ROW_##key,
#include "core/proto/close_catalog.def"
#undef MW_CLOSE_ROW
};

enum entry_kind { ENTRY_LABEL, ENTRY_CODE, ENTRY_CAUSE, ENTRY_PAIR };

struct mw_words_entry {
    enum entry_kind kind;
    unsigned key, other;
    const char *gloss, *text;
    const char *const *lists[3]; /* by enum mw_words_list; each ends with NULL */
};

#define MW_WORDS_LABEL(key, text) { ENTRY_LABEL, MW_LABEL_##key, 0, 0, text, { 0 } },
#define MW_WORDS_CODE(key, gloss, text, when, fix) \
    { ENTRY_CODE, ROW_##key, 0, gloss, text, { when, fix, 0 } },
#define MW_WORDS_CAUSE(name, text, reasons, fix) \
    { ENTRY_CAUSE, MW_CAUSE_##name, 0, 0, text, { reasons, fix, 0 } },
#define MW_WORDS_PAIR(code, other, differences, when, which) \
    { ENTRY_PAIR, code, other, 0, 0, { when, which, differences } },
#define LINES(...) \
    (const char *const[]) \
    { \
        __VA_ARGS__, 0 \
    }

static const struct mw_words_entry english[] = {
#include "core/explain/words_en.def"
};

static const struct mw_words_entry korean[] = {
#include "core/explain/words_ko.def"
};
static const struct mw_words_entry vietnamese[] = {
#include "core/explain/words_vi.def"
};
static const struct mw_words_entry japanese[] = {
#include "core/explain/words_ja.def"
};

static const struct {
    const struct mw_words_entry *entries;
    size_t count;
} tables[MW_LANG_COUNT] = {
    [MW_LANG_EN] = { english, MW_COUNT(english) },
    [MW_LANG_KO] = { korean, MW_COUNT(korean) },
    [MW_LANG_VI] = { vietnamese, MW_COUNT(vietnamese) },
    [MW_LANG_JA] = { japanese, MW_COUNT(japanese) },
};

/* NULL: this language has none. */
static const struct mw_words_entry *find(enum mw_lang lang, enum entry_kind kind, unsigned key,
                                         unsigned other)
{
    for (size_t i = 0; i < tables[lang].count; i++) {
        const struct mw_words_entry *entry = &tables[lang].entries[i];
        if (entry->kind == kind && entry->key == key && entry->other == other)
            return entry;
    }
    return 0;
}

static struct mw_words words_of(enum mw_lang lang, enum entry_kind kind, unsigned key,
                                unsigned other)
{
    return (struct mw_words){ find(lang, kind, key, other), find(MW_LANG_EN, kind, key, other),
                              lang };
}

struct mw_words mw_words_of_code(enum mw_lang lang, const struct mw_close_row *row)
{
    return words_of(lang, ENTRY_CODE, (unsigned)(row - mw_close_row_at(0)), 0);
}

struct mw_words mw_words_of_cause(enum mw_lang lang, enum mw_cause cause)
{
    return words_of(lang, ENTRY_CAUSE, cause, 0);
}

bool mw_words_of_pair(enum mw_lang lang, unsigned code, unsigned other, struct mw_words *words)
{
    bool is_ordered = code <= other;
    *words = words_of(lang, ENTRY_PAIR, is_ordered ? code : other, is_ordered ? other : code);
    return words->english != 0;
}

bool mw_words_pair_at(size_t n, unsigned *code, unsigned *other)
{
    for (size_t i = 0; i < MW_COUNT(english); i++) {
        if (english[i].kind != ENTRY_PAIR || n-- > 0)
            continue;
        *code = english[i].key;
        *other = english[i].other;
        return true;
    }
    return false;
}

/* ---- one text ---- */

static struct mw_phrase phrase(enum mw_lang lang, const char *own, const char *in_english)
{
    if (own && *own)
        return (struct mw_phrase){ own, lang };
    return (struct mw_phrase){ in_english ? in_english : "", MW_LANG_EN };
}

struct mw_phrase mw_words_gloss(const struct mw_words *words)
{
    return phrase(words->lang, words->own ? words->own->gloss : 0, words->english->gloss);
}

struct mw_phrase mw_words_text(const struct mw_words *words)
{
    return phrase(words->lang, words->own ? words->own->text : 0, words->english->text);
}

struct mw_phrase mw_label(enum mw_lang lang, enum mw_label label)
{
    struct mw_words words = words_of(lang, ENTRY_LABEL, label, 0);
    return mw_words_text(&words);
}

static size_t count_of(const struct mw_words_entry *entry, enum mw_words_list list)
{
    size_t count = 0;
    while (entry && entry->lists[list] && entry->lists[list][count])
        count++;
    return count;
}

size_t mw_words_count(const struct mw_words *words, enum mw_words_list list)
{
    return count_of(words->english, list);
}

struct mw_phrase mw_words_line(const struct mw_words *words, enum mw_words_list list, size_t n)
{
    bool has_own = n < count_of(words->own, list);
    return phrase(words->lang, has_own ? words->own->lists[list][n] : 0,
                  words->english->lists[list][n]);
}
