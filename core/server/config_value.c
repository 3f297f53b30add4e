/*
 * From text, or a scalar of moonwire.lua, to the field of an option: kinds, bounds, and what to say
 * of a value that is none. Knows no option by name. Called by config.
 */
#include "core/server/config_value.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/proto/url.h"

static void say_wanted(const struct mw_value_row *row, char out[160])
{
    switch (row->kind) {
    case MW_VALUE_NUMBER:
        snprintf(out, 160, "a number from %.0f to %.0f is wanted (%s)", row->least, row->most,
                 row->help);
        break;
    case MW_VALUE_AUTO:
        snprintf(out, 160, "a whole number from %.0f to %.0f or \"auto\" is wanted (%s)",
                 row->least, row->most, row->help);
        break;
    case MW_VALUE_BOOL:
        snprintf(out, 160, "true or false is wanted (%s)", row->help);
        break;
    case MW_VALUE_NETS:
        snprintf(out, 160,
                 "wanted are addresses and networks such as 10.0.0.0/8, ::1, with zeros behind the "
                 "prefix; %d at most",
                 MW_CONFIG_MAX_NETS);
        break;
    case MW_VALUE_TEXT:
    case MW_VALUE_CHOICE:
    case MW_VALUE_PATH:
        snprintf(out, 160, "wanted is %s", row->help);
        break;
    }
}

/* The value as somebody wrote it. */
struct shown {
    struct mw_view text;
    const char *quote, *note;
};

static int refuse(char why[256], const struct mw_value_row *row, struct mw_view name,
                  const struct shown *value)
{
    char wanted[160];
    say_wanted(row, wanted);
    snprintf(why, 256, "%.*s = %s%.*s%s%s: %.120s", (int)(name.len < 48 ? name.len : 48), name.data,
             value->quote, (int)(value->text.len < 64 ? value->text.len : 64), value->text.data,
             value->quote, value->note, wanted);
    return MW_ERR_BAD_ARG;
}

/* ---- each kind; false: the text is no such value ---- */

static bool copy_text(char field[MW_CONFIG_TEXT_MAX], struct mw_view text)
{
    if (text.len >= MW_CONFIG_TEXT_MAX || mw_view_find(text, '\0', 0) < text.len)
        return false;
    if (text.len)
        memcpy(field, text.data, text.len);
    field[text.len] = '\0';
    return true;
}

static bool take_text(const struct mw_value_row *row, char *field, struct mw_view text)
{
    double len = (double)text.len;
    return len >= row->least && len <= row->most && copy_text(field, text);
}

static bool take_choice(const struct mw_value_row *row, char *field, struct mw_view text)
{
    for (const char *const *choice = row->choices; *choice; choice++) {
        if (mw_view_is(text, *choice))
            return copy_text(field, text);
    }
    return false;
}

/* What no request can ask for would be a quiet way to switch it off. */
static bool take_path(char *field, struct mw_view text)
{
    char normal[MW_CONFIG_TEXT_MAX];
    bool is_path = text.len < sizeof normal && mw_path_normalise(text, normal) == (long)text.len &&
                   mw_view_equal(mw_view(normal, text.len), text);
    return (is_path || mw_view_is(text, "off")) && copy_text(field, text);
}

static bool take_number(const struct mw_value_row *row, double *field, double number)
{
    if (!(number >= row->least && number <= row->most))
        return false;
    *field = number;
    return true;
}

static bool read_number(struct mw_view text, double *number)
{
    char digits[32], *end = 0;
    if (text.len == 0 || text.len >= sizeof digits)
        return false;
    memcpy(digits, text.data, text.len);
    digits[text.len] = '\0';
    *number = strtod(digits, &end);
    return !*end;
}

static bool take_auto(const struct mw_value_row *row, double *field, struct mw_view text)
{
    uint64_t number = 0;
    if (!mw_view_is(text, "auto") &&
        !mw_parse_u64(text, (uint64_t)row->least, (uint64_t)row->most, &number))
        return false;
    *field = (double)number;
    return true;
}

static bool take_bool(bool *field, struct mw_view text)
{
    bool is_true = mw_view_is(text, "true") || mw_view_is(text, "1");
    if (!is_true && !mw_view_is(text, "false") && !mw_view_is(text, "0"))
        return false;
    *field = is_true;
    return true;
}

static bool add_net(struct mw_config_nets *nets, struct mw_view text)
{
    if (nets->count == MW_COUNT(nets->items) || !mw_net_parse(text, &nets->items[nets->count]))
        return false;
    nets->count++;
    return true;
}

/* *wrong: the one that is refused. */
static bool take_nets(struct mw_config_nets *field, struct mw_view text, struct mw_view *wrong)
{
    struct mw_config_nets nets = { 0 };
    struct mw_view rest = text, part;
    while (mw_view_split(&rest, ',', &part)) {
        *wrong = mw_view_trim(part);
        if (!add_net(&nets, *wrong))
            return false;
    }
    *field = nets;
    return true;
}

/* A list of moonwire.lua comes item by item, and replaces what there was before. */
static bool take_net_at(struct mw_config_nets *field, size_t at, struct mw_view text)
{
    struct mw_config_nets nets = *field;
    if (at == 1)
        nets.count = 0;
    if (at != nets.count + 1 || !add_net(&nets, text))
        return false;
    *field = nets;
    return true;
}

/* ---- for config ---- */

int mw_value_set(const struct mw_value_row *row, struct mw_view name, void *field,
                 struct mw_view text, char why[256])
{
    bool taken = false;
    double number;
    switch (row->kind) {
    case MW_VALUE_TEXT:
        taken = take_text(row, field, text);
        break;
    case MW_VALUE_CHOICE:
        taken = take_choice(row, field, text);
        break;
    case MW_VALUE_PATH:
        taken = take_path(field, text);
        break;
    case MW_VALUE_NUMBER:
        taken = read_number(text, &number) && take_number(row, field, number);
        break;
    case MW_VALUE_AUTO:
        taken = take_auto(row, field, text);
        break;
    case MW_VALUE_BOOL:
        taken = take_bool(field, text);
        break;
    case MW_VALUE_NETS:
        taken = take_nets(field, text, &text);
        break;
    }
    bool is_bare = (row->kind == MW_VALUE_NUMBER || row->kind == MW_VALUE_BOOL) && text.len > 0;
    const struct shown value = { text, is_bare ? "" : "\"", "" };
    return taken ? MW_OK : refuse(why, row, name, &value);
}

static bool is_of_kind(const struct mw_value_row *row, const struct mw_setting *setting)
{
    switch (setting->kind) {
    case MW_SETTING_TEXT:
        return row->kind != MW_VALUE_NUMBER && row->kind != MW_VALUE_BOOL;
    case MW_SETTING_NUMBER:
        return row->kind == MW_VALUE_NUMBER || row->kind == MW_VALUE_AUTO;
    case MW_SETTING_BOOL:
        return row->kind == MW_VALUE_BOOL;
    }
    return false;
}

static struct mw_view written(const struct mw_setting *setting, char out[64])
{
    switch (setting->kind) {
    case MW_SETTING_TEXT:
        return setting->text;
    case MW_SETTING_NUMBER:
        snprintf(out, 64, "%.17g", setting->number);
        break;
    case MW_SETTING_BOOL:
        snprintf(out, 64, "%s", setting->flag ? "true" : "false");
        break;
    }
    return mw_view_text(out);
}

/* Of a value that looks right it has to be said what it is: "true" is not true. */
static int refuse_kind(char why[256], const struct mw_value_row *row,
                       const struct mw_setting *setting, struct mw_view text)
{
    struct shown value = { text, "", "" };
    switch (setting->kind) {
    case MW_SETTING_TEXT:
        value.quote = "\"";
        value.note = ", a text";
        break;
    case MW_SETTING_NUMBER:
        value.note = ", a number";
        break;
    case MW_SETTING_BOOL:
        break;
    }
    return refuse(why, row, setting->key, &value);
}

int mw_value_set_scalar(const struct mw_value_row *row, void *field,
                        const struct mw_setting *setting, size_t at, char why[256])
{
    char out[64] = "";
    struct mw_view text = written(setting, out);
    if (!is_of_kind(row, setting))
        return refuse_kind(why, row, setting, text);
    if (row->kind != MW_VALUE_NETS || at == 0)
        return mw_value_set(row, setting->key, field, text, why);
    const struct shown value = { text, "\"", "" };
    return take_net_at(field, at, text) ? MW_OK : refuse(why, row, setting->key, &value);
}
