/*
 * Options by table: adding one is a row of config.def and a field. Called by cli before anything
 * runs.
 */
#include "core/server/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/str.h"

enum kind { KIND_TEXT, KIND_CHOICE, KIND_NUMBER };

struct row {
    const char *key, *normal, *help;
    enum kind kind;
    double least, most;
    size_t offset;
};

/* clang-format off */
static const struct row rows[] = {
#define MW_OPTION(key, field, kind, normal, least, most, help) \
    { key, normal, help, KIND_##kind, least, most, offsetof(struct mw_config, field) },
#include "core/server/config.def"
#undef MW_OPTION
};
/* clang-format on */

/* Flags are keys with dashes; one spelling each, made at the first question. */
static const char *const flags[] = {
    "listen", "log-format", "log-level", "compression-memory", "script-memory", "stop-timeout", 0
};
_Static_assert(MW_COUNT(flags) == MW_COUNT(rows) + 1, "one flag for each row of config.def");

static const char *const formats[] = { "auto", "human", "json", 0 };
static const char *const levels[] = { "debug", "info", "warn", "error", 0 };

static const char *const *choices_of(const struct row *row)
{
    return row->offset == offsetof(struct mw_config, log_format) ? formats : levels;
}

static bool is_choice(const char *const *choices, struct mw_view text)
{
    for (; *choices; choices++) {
        if (mw_view_is(text, *choices))
            return true;
    }
    return false;
}

static int refuse(char why[256], const struct row *row, struct mw_view text)
{
    if (row->kind == KIND_NUMBER)
        snprintf(why, 256, "%s = %.*s: a number from %.0f to %.0f is wanted (%s)", row->key,
                 (int)(text.len < 64 ? text.len : 64), text.data, row->least, row->most, row->help);
    else
        snprintf(why, 256, "%s = \"%.*s\": wanted is %s", row->key,
                 (int)(text.len < 64 ? text.len : 64), text.data, row->help);
    return MW_ERR_BAD_ARG;
}

static int set_text(struct mw_config *config, const struct row *row, struct mw_view text,
                    char why[256])
{
    char *field = (char *)config + row->offset;
    bool fits = text.len > 0 && text.len < MW_CONFIG_TEXT_MAX;
    if (!fits || (row->kind == KIND_CHOICE && !is_choice(choices_of(row), text)))
        return refuse(why, row, text);
    memcpy(field, text.data, text.len);
    field[text.len] = '\0';
    return MW_OK;
}

static int set_number(struct mw_config *config, const struct row *row, double number,
                      struct mw_view text, char why[256])
{
    if (!(number >= row->least && number <= row->most))
        return refuse(why, row, text);
    memcpy((char *)config + row->offset, &number, sizeof number);
    return MW_OK;
}

static const struct row *find_row(struct mw_view key)
{
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        if (mw_view_is(key, rows[i].key))
            return &rows[i];
    }
    return 0;
}

static int unknown_key(struct mw_view key, char why[256])
{
    const char *keys[MW_COUNT(rows) + 1] = { 0 };
    for (size_t i = 0; i < MW_COUNT(rows); i++)
        keys[i] = rows[i].key;
    const char *near = mw_nearest_name(key, keys);
    snprintf(why, 256, "there is no option \"%.*s\"%s%s%s", (int)(key.len < 64 ? key.len : 64),
             key.data, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return MW_ERR_NOT_FOUND;
}

int mw_config_set(struct mw_config *config, struct mw_view key, struct mw_view text, char why[256])
{
    const struct row *row = find_row(key);
    if (!row)
        return unknown_key(key, why);
    if (row->kind != KIND_NUMBER)
        return set_text(config, row, text, why);
    char digits[32], *end = 0;
    if (text.len == 0 || text.len >= sizeof digits)
        return refuse(why, row, text);
    memcpy(digits, text.data, text.len);
    digits[text.len] = '\0';
    double number = strtod(digits, &end);
    if (*end)
        return refuse(why, row, text);
    return set_number(config, row, number, text, why);
}

int mw_config_set_scalar(struct mw_config *config, const struct mw_setting *setting, char why[256])
{
    const struct row *row = find_row(setting->key);
    if (!row)
        return unknown_key(setting->key, why);
    if (row->kind == KIND_NUMBER && setting->kind == MW_SETTING_NUMBER) {
        char text[32];
        snprintf(text, sizeof text, "%.17g", setting->number);
        return set_number(config, row, setting->number, mw_view_text(text), why);
    }
    if (row->kind != KIND_NUMBER && setting->kind == MW_SETTING_TEXT)
        return set_text(config, row, setting->text, why);
    char text[64];
    if (setting->kind == MW_SETTING_NUMBER)
        snprintf(text, sizeof text, "%.17g, a number", setting->number);
    else
        snprintf(text, sizeof text, "%s", setting->flag ? "true" : "false");
    return refuse(why, row, setting->kind == MW_SETTING_TEXT ? setting->text : mw_view_text(text));
}

void mw_config_default(struct mw_config *config)
{
    char why[256];
    *config = (struct mw_config){ 0 };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        int err =
            mw_config_set(config, mw_view_text(rows[i].key), mw_view_text(rows[i].normal), why);
        (void)MW_ALWAYS(err == MW_OK);
    }
}

int mw_config_from_environment(struct mw_config *config, char why[256])
{
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        char name[64] = "MOONWIRE_";
        size_t n = strlen(name);
        for (const char *c = rows[i].key; *c; c++)
            name[n++] = (char)(*c == '.' ? '_' : *c - 'a' + 'A');
        name[n] = '\0';
        const char *value = getenv(name);
        int err =
            value ? mw_config_set(config, mw_view_text(rows[i].key), mw_view_text(value), why) : 0;
        if (err)
            return err;
    }
    return MW_OK;
}

const char *mw_config_key_of_flag(struct mw_view flag)
{
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        if (mw_view_is(flag, flags[i]))
            return rows[i].key;
    }
    return 0;
}

const char *mw_config_nearest_flag(struct mw_view flag)
{
    const char *all[MW_COUNT(flags) + 2] = { "help", "version" };
    memcpy(all + 2, flags, sizeof flags);
    return mw_nearest_name(flag, all);
}

const char *mw_config_flag_help(const char *key)
{
    const struct row *row = find_row(mw_view_text(key));
    return row ? row->help : "";
}

bool mw_config_help(size_t n, struct mw_option_help *out)
{
    if (n >= MW_COUNT(rows))
        return false;
    *out = (struct mw_option_help){ flags[n], rows[n].normal, rows[n].help };
    return true;
}

enum mw_log_level mw_config_level(const struct mw_config *config)
{
    int level = MW_LOG_DEBUG;
    while (levels[level + 1] && strcmp(levels[level], config->log_level))
        level++;
    return (enum mw_log_level)level;
}
