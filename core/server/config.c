/*
 * Options by table: adding one is a row of config.def and a field. Called by cli before anything
 * runs.
 */
#include "core/server/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/server/config_value.h"
#include "core/server/process.h"

static const char *const formats[] = { "auto", "human", "json", 0 };
static const char *const levels[] = { "debug", "info", "warn", "error", 0 };
static const char *const versions[] = { "1.2", "1.3", 0 };
static const char *const headers[] = { "x-forwarded-for", "forwarded", 0 };
static const char *const clients[] = { "none", "optional", "required", 0 };

static const struct {
    const char *key;
    const char *const *choices;
} choices[] = {
    { "log.format", formats }, { "log.level", levels },       { "tls.least_version", versions },
    { "tls.client", clients }, { "trusted_header", headers },
};

static const char *const *choices_of(const char *key)
{
    for (size_t i = 0; i < MW_COUNT(choices); i++) {
        if (!strcmp(choices[i].key, key))
            return choices[i].choices;
    }
    return 0;
}

/* clang-format off */
static const struct mw_value_row rows[] = {
#define MW_OPTION(key, field, kind, normal, least, most, help) \
    { key, normal, help, MW_VALUE_##kind, least, most, offsetof(struct mw_config, field), 0 },
#include "core/server/config.def"
#undef MW_OPTION
};
/* clang-format on */

/* ---- finding a row ---- */

/* A row, and the place in its list where the key names one ("tls.certificates[2].key"), from 1. */
struct place {
    const struct mw_value_row *row;
    size_t at;
};

/* "tls.certificates[2].key" gives "tls.certificates[].key" and 2; other keys stay as they are. */
static size_t without_number(struct mw_view key, char out[64])
{
    size_t open = mw_view_find(key, '[', 0), close = mw_view_find(key, ']', open);
    uint64_t at = 0;
    bool has_number = close < key.len &&
                      mw_parse_u64(mw_view(key.data + open + 1, close - open - 1), 1, 9999, &at);
    if (has_number)
        snprintf(out, 64, "%.*s[]%.*s", (int)(open < 48 ? open : 48), key.data,
                 (int)(key.len - close - 1 < 32 ? key.len - close - 1 : 32), key.data + close + 1);
    else
        snprintf(out, 64, "%.*s", (int)(key.len < 63 ? key.len : 63), key.data);
    return (size_t)at;
}

static bool is_listed(const struct mw_value_row *row)
{
    return strchr(row->key, '[') != 0;
}

static bool fits(const struct mw_value_row *row, const char *key)
{
    size_t len = strlen(row->key);
    bool is_item =
        row->kind == MW_VALUE_NETS && !strncmp(key, row->key, len) && !strcmp(key + len, "[]");
    return is_item || !strcmp(key, row->key);
}

static struct place find(struct mw_view key)
{
    char text[64];
    struct place place = { .at = without_number(key, text) };
    for (size_t i = 0; i < MW_COUNT(rows) && key.len < sizeof text; i++) {
        if (fits(&rows[i], text) && !(is_listed(&rows[i]) && place.at == 0))
            place.row = &rows[i];
    }
    return place;
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

/* ---- setting ---- */

static struct mw_value_row with_choices(const struct mw_value_row *row)
{
    struct mw_value_row full = *row;
    full.choices = choices_of(row->key);
    return full;
}

/* NULL: the list is full. */
static void *field_of(struct mw_config *config, const struct place *place, char why[256])
{
    char *field = (char *)config + place->row->offset;
    if (!is_listed(place->row))
        return field;
    size_t most = MW_CONFIG_MAX_PAIRS - 1;
    if (place->at <= most)
        return field + (place->at - 1) * sizeof(struct mw_config_pair);
    snprintf(why, 256, "%s: there is room for %zu of them, this is number %zu", place->row->key,
             most, place->at);
    return 0;
}

int mw_config_set(struct mw_config *config, struct mw_view key, struct mw_view text, char why[256])
{
    struct place place = find(key);
    if (!place.row || place.at)
        return unknown_key(key, why);
    struct mw_value_row row = with_choices(place.row);
    return mw_value_set(&row, key, (char *)config + row.offset, text, why);
}

int mw_config_set_scalar(struct mw_config *config, const struct mw_setting *setting, char why[256])
{
    struct place place = find(setting->key);
    if (!place.row)
        return unknown_key(setting->key, why);
    void *field = field_of(config, &place, why);
    if (!field)
        return MW_ERR_BAD_ARG;
    struct mw_value_row row = with_choices(place.row);
    return mw_value_set_scalar(&row, field, setting, place.at, why);
}

void mw_config_default(struct mw_config *config)
{
    char why[256];
    *config = (struct mw_config){ 0 };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_value_row row = with_choices(&rows[i]);
        int err = mw_value_set(&row, mw_view_text(row.key), (char *)config + row.offset,
                               mw_view_text(row.normal), why);
        (void)MW_ALWAYS(err == MW_OK);
    }
}

void mw_config_default_dev(struct mw_config *config)
{
    mw_config_default(config);
    config->dev = true;
    config->drain_grace = 0;
    config->drain_timeout = 5;
}

int mw_config_from_environment(struct mw_config *config, char why[256])
{
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        char name[64] = "MOONWIRE_";
        size_t n = strlen(name);
        for (const char *c = rows[i].key; *c; c++)
            name[n++] = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : '_');
        name[n] = '\0';
        const char *value = is_listed(&rows[i]) ? 0 : getenv(name);
        struct mw_value_row row = with_choices(&rows[i]);
        if (value && mw_value_set(&row, mw_view_text(name), (char *)config + row.offset,
                                  mw_view_text(value), why))
            return MW_ERR_BAD_ARG;
    }
    return MW_OK;
}

/* ---- flags: keys with dashes ---- */

/* "" for what is of moonwire.lua alone. */
static void put_flag(const struct mw_value_row *row, char out[MW_CONFIG_FLAG_MAX])
{
    size_t n = 0;
    for (const char *c = row->key; *c && !is_listed(row) && n + 1 < MW_CONFIG_FLAG_MAX; c++)
        out[n++] = (char)(*c == '.' || *c == '_' ? '-' : *c);
    out[n] = '\0';
}

const char *mw_config_key_of_flag(struct mw_view flag)
{
    char spelt[MW_CONFIG_FLAG_MAX];
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        put_flag(&rows[i], spelt);
        if (*spelt && mw_view_is(flag, spelt))
            return rows[i].key;
    }
    return 0;
}

bool mw_config_nearest_flag(struct mw_view flag, char out[MW_CONFIG_FLAG_MAX])
{
    char spelt[MW_COUNT(rows)][MW_CONFIG_FLAG_MAX];
    const char *all[MW_COUNT(rows) + 3] = { "help", "version" };
    size_t count = 2;
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        put_flag(&rows[i], spelt[i]);
        if (*spelt[i])
            all[count++] = spelt[i];
    }
    const char *near = mw_nearest_name(flag, all);
    if (near)
        memcpy(out, near, strlen(near) + 1);
    return near != 0;
}

bool mw_config_flag_is_bare(const char *key)
{
    return find(mw_view_text(key)).row->kind == MW_VALUE_BOOL;
}

const char *mw_config_flag_help(const char *key)
{
    const struct mw_value_row *row = find(mw_view_text(key)).row;
    return row ? row->help : "";
}

bool mw_config_help(size_t n, struct mw_option_help *out)
{
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        if (is_listed(&rows[i]) || n-- > 0)
            continue;
        *out = (struct mw_option_help){ .normal = rows[i].normal, .text = rows[i].help };
        put_flag(&rows[i], out->flag);
        return true;
    }
    return false;
}

/* ---- what they say ---- */

static int index_of(const char *const *names, const char *name)
{
    int i = 0;
    while (names[i + 1] && strcmp(names[i], name))
        i++;
    return i;
}

unsigned mw_config_workers(const struct mw_config *config)
{
    unsigned count = (unsigned)config->workers;
    if (count == 0)
        count = mw_process_cpus();
    return count < MW_CONFIG_MAX_WORKERS ? count : MW_CONFIG_MAX_WORKERS;
}

enum mw_log_level mw_config_level(const struct mw_config *config)
{
    return (enum mw_log_level)index_of(levels, config->log_level);
}

enum mw_tls_version mw_config_least_version(const struct mw_config *config)
{
    return (enum mw_tls_version)index_of(versions, config->tls.least_version);
}

enum mw_tls_client mw_config_client(const struct mw_config *config)
{
    return (enum mw_tls_client)index_of(clients, config->tls.client);
}

enum mw_forwarded_by mw_config_forwarded_by(const struct mw_config *config)
{
    return (enum mw_forwarded_by)index_of(headers, config->trusted_header);
}

bool mw_config_has_tls(const struct mw_config *config)
{
    bool has = config->tls.throw_away;
    for (size_t i = 0; i < MW_COUNT(config->tls.pairs); i++)
        has = has || config->tls.pairs[i].cert[0];
    return has;
}

bool mw_config_trusts(const struct mw_config *config, const struct mw_ip *peer)
{
    for (size_t i = 0; i < config->trusted.count; i++) {
        if (mw_net_holds(&config->trusted.items[i], peer))
            return true;
    }
    return false;
}
