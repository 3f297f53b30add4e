/*
 * The four languages of explanations, and which one somebody wants: by a tag, by the variables of
 * the environment, by what a browser lists. Pure; who reads the environment is the caller.
 */
#ifndef MW_EXPLAIN_LANG_H
#define MW_EXPLAIN_LANG_H

#include "moonwire/types.h"

enum mw_lang { MW_LANG_EN, MW_LANG_KO, MW_LANG_VI, MW_LANG_JA, MW_LANG_COUNT };

/* "ko": what --lang takes, and HTML and JSON say. Static. */
const char *mw_lang_tag(enum mw_lang lang);

/* As its speakers call it. Static. */
const char *mw_lang_name(enum mw_lang lang);

/* "ko", "ko_KR.UTF-8", "ko-KR", in any letter case. False: none of the four. */
bool mw_lang_of_tag(struct mw_view tag, enum mw_lang *lang);

/* The variables that choose, each NULL where it is not set; an empty one counts as not set. */
struct mw_lang_env {
    const char *moonwire_lang, *language, *lc_all, *lc_messages, *lc_ctype, *lang;
};

/*
 * MOONWIRE_LANG, else LANGUAGE (a list with colons, which gettext does not look at in the locales C
 * and POSIX), LC_ALL, LC_MESSAGES, LANG; English where that names none of the four.
 */
enum mw_lang mw_lang_of_env(const struct mw_lang_env *env);

/* The characters of the terminal are UTF-8, by LC_ALL, LC_CTYPE or LANG. */
bool mw_lang_env_is_utf8(const struct mw_lang_env *env);

/* The first of the four in an Accept-Language (RFC 9110 12.5.4) that is not refused with q=0. */
enum mw_lang mw_lang_of_list(struct mw_view list);

#endif
