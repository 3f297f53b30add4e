/*
 * The words of words_*.def: what is said about codes, causes and pairs, in four languages. A text
 * that a language lacks is English, and says so. Everything is static.
 */
#ifndef MW_EXPLAIN_WORDS_H
#define MW_EXPLAIN_WORDS_H

#include "core/explain/lang.h"
#include "core/session/cause.h"

struct mw_close_row;

#define MW_WORDS_CODE(...)
#define MW_WORDS_CAUSE(...)
#define MW_WORDS_PAIR(...)
#define MW_WORDS_LABEL(key, text) MW_LABEL_##key,
enum mw_label {
#include "core/explain/words_en.def"
    MW_LABEL_COUNT
};
#undef MW_WORDS_LABEL
#undef MW_WORDS_CODE
#undef MW_WORDS_CAUSE
#undef MW_WORDS_PAIR

/* A text and the language that it is in, which is English where the wanted one lacks it. */
struct mw_phrase {
    const char *text;
    enum mw_lang lang;
};

struct mw_phrase mw_label(enum mw_lang lang, enum mw_label label);

/* What is said about one thing; private but for being there. */
struct mw_words_entry;
struct mw_words {
    const struct mw_words_entry *own, *english;
    enum mw_lang lang;
};

struct mw_words mw_words_of_code(enum mw_lang lang, const struct mw_close_row *row);
struct mw_words mw_words_of_cause(enum mw_lang lang, enum mw_cause cause);

/* Of two codes in either order; false: nobody has written about this pair. */
bool mw_words_of_pair(enum mw_lang lang, unsigned code, unsigned other, struct mw_words *words);

/* The pairs that somebody has written about, in order; false past the last. */
bool mw_words_pair_at(size_t n, unsigned *code, unsigned *other);

/* A code's title in that language; "" in English, whose title is the registered one. */
struct mw_phrase mw_words_gloss(const struct mw_words *words);

/* The description of a code, or what a cause stands for. */
struct mw_phrase mw_words_text(const struct mw_words *words);

/*
 * The lists: of a code WHEN and FIX, of a cause REASONS (as WHEN) and FIX, of a pair all three with
 * WHICH in the place of FIX.
 */
enum mw_words_list { MW_WORDS_WHEN, MW_WORDS_FIX, MW_WORDS_DIFFERENCES };
size_t mw_words_count(const struct mw_words *words, enum mw_words_list list);
struct mw_phrase mw_words_line(const struct mw_words *words, enum mw_words_list list, size_t n);

#endif
