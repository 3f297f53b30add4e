/*
 * moonwire.lua as `serve` would read it, only that it does not stop at the first complaint. Called
 * by check.c: first it runs, then the engine says where its values stand.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/server/check_stage.h"

static struct mw_check_complaint *complain(struct mw_checking *c, struct mw_view key)
{
    static struct mw_check_complaint one_too_many;
    bool has_room = c->complaint_count < MW_COUNT(c->complaints);
    struct mw_check_complaint *complaint =
        has_room ? &c->complaints[c->complaint_count] : &one_too_many;
    snprintf(complaint->key, sizeof complaint->key, "%.*s", (int)(key.len < 127 ? key.len : 127),
             key.len ? key.data : "");
    return complaint;
}

static bool take_setting(void *ctx, const struct mw_setting *setting)
{
    struct mw_checking *c = ctx;
    struct mw_check_complaint *complaint = complain(c, setting->key);
    if (mw_config_set_scalar(&c->config, setting, complaint->why) != MW_OK)
        c->complaint_count += c->complaint_count < MW_COUNT(c->complaints);
    return true;
}

void mw_check_run_settings(struct mw_checking *c)
{
    char *text = 0;
    size_t len = 0;
    int err = mw_read_file(c->mem, c->places->settings, &text, &len);
    if (err == MW_ERR_NOT_FOUND)
        return;
    c->settings.path = mw_view_text("moonwire.lua");
    if (err) {
        struct mw_finding finding =
            mw_check_error(MW_CHECK_UNREADABLE, c->settings.path, "cannot be read", "");
        mw_check_add(c, &finding);
        return;
    }
    c->settings.text = mw_view(text, len);
    c->has_settings_fault =
        c->engine->settings(&c->settings, take_setting, c, &c->settings_fault) != MW_OK;
    struct mw_check_complaint *complaint = complain(c, mw_view(0, 0));
    if (!c->complaint_count && mw_config_check(&c->config, complaint->why) != MW_OK)
        c->complaint_count++;
}

void mw_check_place_setting(void *ctx, struct mw_view key, const struct mw_finding *place)
{
    struct mw_checking *c = ctx;
    for (size_t i = 0; i < c->complaint_count; i++) {
        struct mw_check_complaint *complaint = &c->complaints[i];
        if (complaint->is_told || !mw_view_is(key, complaint->key))
            continue;
        struct mw_finding finding =
            mw_check_error(MW_CHECK_SETTINGS, c->settings.path, complaint->why, "");
        finding.line = place->line;
        finding.column = place->column;
        finding.width = place->width;
        finding.text = place->text;
        mw_check_add(c, &finding);
        complaint->is_told = true;
    }
}

void mw_check_tell_settings(struct mw_checking *c)
{
    const struct mw_fault *fault = &c->settings_fault;
    for (size_t i = 0; i < c->complaint_count; i++) {
        struct mw_finding finding =
            mw_check_error(MW_CHECK_SETTINGS, c->settings.path, c->complaints[i].why, "");
        if (!c->complaints[i].is_told)
            mw_check_add(c, &finding);
    }
    if (!c->has_settings_fault || mw_findings_has(c->findings, NULL, c->settings_folder,
                                                  c->settings.path, fault->line, fault->message))
        return;
    struct mw_finding finding =
        mw_check_error(MW_CHECK_SETTINGS, c->settings.path, fault->message, fault->hint);
    mw_check_point(&finding, c->settings.text, fault->line);
    mw_check_add(c, &finding);
}
