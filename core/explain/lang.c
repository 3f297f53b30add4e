/*
 * Choosing a language. An unknown one in the environment is nobody's mistake and means English; an
 * unknown one that somebody typed is the caller's to refuse. Reads no environment itself.
 */
#include "core/explain/lang.h"

#include "core/base/check.h"
#include "core/base/str.h"

static const struct {
    const char *tag, *name;
} languages[] = {
    [MW_LANG_EN] = { "en", "English" },
    [MW_LANG_KO] = { "ko", "한국어" },
    [MW_LANG_VI] = { "vi", "Tiếng Việt" },
    [MW_LANG_JA] = { "ja", "日本語" },
};

const char *mw_lang_tag(enum mw_lang lang)
{
    return languages[lang].tag;
}

const char *mw_lang_name(enum mw_lang lang)
{
    return languages[lang].name;
}

bool mw_lang_of_tag(struct mw_view tag, enum mw_lang *lang)
{
    size_t len = 0;
    while (len < tag.len && !strchr("_-.@", tag.data[len]))
        len++;
    for (size_t i = 0; i < MW_COUNT(languages); i++) {
        if (!mw_view_is_nocase(mw_view(tag.data, len), languages[i].tag))
            continue;
        *lang = (enum mw_lang)i;
        return true;
    }
    return false;
}

/* ---- the environment ---- */

/* The first that is set and not empty; an empty view where none is. */
static struct mw_view first_set(const char *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i] && *values[i])
            return mw_view_text(values[i]);
    }
    return mw_view(0, 0);
}

static enum mw_lang english_unless(struct mw_view tag)
{
    enum mw_lang lang = MW_LANG_EN;
    (void)mw_lang_of_tag(tag, &lang);
    return lang;
}

/* A user's list in order of preference; as with gettext, it decides alone. */
static enum mw_lang of_language(struct mw_view list)
{
    enum mw_lang lang = MW_LANG_EN;
    struct mw_view tag;
    while (mw_view_split(&list, ':', &tag)) {
        if (mw_lang_of_tag(tag, &lang))
            break;
    }
    return lang;
}

enum mw_lang mw_lang_of_env(const struct mw_lang_env *env)
{
    const char *const locales[] = { env->lc_all, env->lc_messages, env->lang };
    struct mw_view own = mw_view_text(env->moonwire_lang);
    struct mw_view locale = first_set(locales, MW_COUNT(locales));
    if (own.len)
        return english_unless(own);
    bool is_plain = !locale.len || mw_view_is(locale, "C") || mw_view_is(locale, "POSIX");
    if (env->language && *env->language && !is_plain)
        return of_language(mw_view_text(env->language));
    return english_unless(locale);
}

bool mw_lang_env_is_utf8(const struct mw_lang_env *env)
{
    const char *const locales[] = { env->lc_all, env->lc_ctype, env->lang };
    struct mw_view locale = first_set(locales, MW_COUNT(locales));
    struct mw_view codeset = mw_view_from(locale, mw_view_find(locale, '.', 0) + 1);
    codeset.len = mw_view_find(codeset, '@', 0);
    return mw_view_is_nocase(codeset, "UTF-8") || mw_view_is_nocase(codeset, "utf8");
}

/* ---- a browser's list ---- */

static bool is_refused(struct mw_view parameters)
{
    parameters = mw_view_trim(parameters);
    if (!mw_view_starts_with(parameters, "q=0"))
        return false;
    for (size_t i = strlen("q=0"); i < parameters.len; i++) {
        if (parameters.data[i] >= '1' && parameters.data[i] <= '9')
            return false;
    }
    return true;
}

/* In order, which is how browsers write it; weights only refuse. */
enum mw_lang mw_lang_of_list(struct mw_view list)
{
    enum mw_lang lang = MW_LANG_EN;
    struct mw_view item;
    while (mw_view_split(&list, ',', &item)) {
        size_t end = mw_view_find(item, ';', 0);
        struct mw_view tag = mw_view_trim(mw_view(item.data, end));
        if (!is_refused(mw_view_from(item, end + 1)) && mw_lang_of_tag(tag, &lang))
            break;
    }
    return lang;
}
