/*
 * The stages of `moonwire check`: settings, files, loading, routes. What a later stage finds again
 * is not told again. Called by the verb; opens no socket and starts no thread.
 */
#include "core/server/check.h"

#include <stdio.h>

#include "core/base/cpu_tick.h"
#include "core/base/str.h"
#include "core/proto/close.h"
#include "core/server/check_stage.h"

struct mw_finding mw_check_error(enum mw_check_rule rule, struct mw_view file, const char *message,
                                 const char *hint)
{
    static const char *const names[] = {
#define MW_SERVER_RULE(id, name, what) name,
#include "core/server/check_rules.def"
#undef MW_SERVER_RULE
    };
    return (struct mw_finding){
        .file = file,
        .line = 1,
        .column = 1,
        .width = 1,
        .severity = MW_SEVERITY_ERROR,
        .rule = names[rule],
        .message = message,
        .hint = hint,
    };
}

void mw_check_point(struct mw_finding *finding, struct mw_view source, int line)
{
    struct mw_view found = { 0 };
    for (int n = 0; n < line && mw_view_split(&source, '\n', &found); n++) {
    }
    struct mw_view trimmed = mw_view_trim(found);
    if (line <= 0)
        return;
    finding->line = line;
    finding->text = found;
    finding->column = trimmed.len ? 1 + (int)(trimmed.data - found.data) : 1;
    finding->width = trimmed.len ? (int)trimmed.len : 1;
}

void mw_check_add(struct mw_checking *c, const struct mw_finding *finding)
{
    bool is_settings = c->settings.path.data && finding->file.data == c->settings.path.data;
    mw_findings_add(c->findings, is_settings ? c->settings_folder : c->places->scripts, finding);
}

/* ---- what the engine tells ---- */

static void take_finding(void *ctx, const struct mw_finding *finding)
{
    mw_check_add(ctx, finding);
}

/* A script that does not load still has the route that is written in it. */
static void take_route(void *ctx, struct mw_view pattern, const struct mw_finding *place)
{
    struct mw_checking *c = ctx;
    const char *why;
    for (size_t i = 0; i < c->script_count; i++) {
        struct mw_check_script *script = &c->scripts[i];
        if (!mw_view_equal(script->name, place->file))
            continue;
        script->place = *place;
        mw_pattern_free(&script->pattern, c->mem);
        if (mw_pattern_parse(&script->pattern, c->mem, pattern, &why) == MW_ERR_NOMEM)
            c->findings->err = MW_ERR_NOMEM;
    }
}

static int ask_engine(struct mw_checking *c)
{
    const struct mw_check check = {
        .scripts = c->script_sources,
        .script_count = c->script_count,
        .libs = c->lib_sources,
        .lib_count = c->lib_count,
        .settings = c->settings.text.data ? &c->settings : 0,
        .code_refusal = mw_close_code_refusal,
        .ctx = c,
        .finding = take_finding,
        .route = take_route,
        .setting = mw_check_place_setting,
    };
    return c->engine->check(&check);
}

/* ---- files ---- */

/* What could be read; what could not is told. Gives how many. */
static size_t take_files(struct mw_checking *c, const struct mw_project_file *files, size_t count,
                         struct mw_source *sources)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        if (files[i].problem) {
            struct mw_finding finding =
                mw_check_error(MW_CHECK_UNREADABLE, files[i].path, files[i].problem, "");
            mw_check_add(c, &finding);
        } else {
            sources[taken++] = (struct mw_source){ files[i].path, files[i].text };
        }
    }
    return taken;
}

static int take_project(struct mw_checking *c)
{
    const struct mw_project *project = c->project;
    c->script_sources = mw_alloc_zero(c->mem, project->script_count * sizeof(struct mw_source));
    c->lib_sources = mw_alloc_zero(c->mem, project->lib_count * sizeof(struct mw_source));
    c->scripts = mw_alloc_zero(c->mem, project->script_count * sizeof *c->scripts);
    bool has_scripts = !project->script_count || (c->script_sources && c->scripts);
    if (!has_scripts || (project->lib_count && !c->lib_sources))
        return MW_ERR_NOMEM;
    c->script_count = take_files(c, project->scripts, project->script_count, c->script_sources);
    c->lib_count = take_files(c, project->libs, project->lib_count, c->lib_sources);
    for (size_t i = 0; i < c->script_count; i++) {
        c->scripts[i].name = c->script_sources[i].path;
        c->scripts[i].source = c->script_sources[i].text;
        c->scripts[i].place = mw_check_error(MW_CHECK_ROUTE, c->scripts[i].name, "", "");
        mw_check_point(&c->scripts[i].place, c->scripts[i].source, 1);
    }
    return MW_OK;
}

static void free_files(struct mw_checking *c)
{
    for (size_t i = 0; c->scripts && i < c->script_count; i++)
        mw_pattern_free(&c->scripts[i].pattern, c->mem);
    if (c->project) {
        size_t scripts = c->project->script_count, libs = c->project->lib_count;
        mw_free(c->mem, c->script_sources, scripts * sizeof(struct mw_source));
        mw_free(c->mem, c->scripts, scripts * sizeof *c->scripts);
        mw_free(c->mem, c->lib_sources, libs * sizeof(struct mw_source));
    }
    if (c->settings.text.data)
        mw_free(c->mem, (void *)(uintptr_t)c->settings.text.data, c->settings.text.len + 1);
}

/* ---- the whole ---- */

static int check(struct mw_checking *c)
{
    int err = take_project(c);
    if (err)
        return err;
    mw_check_run_settings(c);
    err = ask_engine(c);
    if (err)
        return err;
    mw_check_tell_settings(c);
    mw_check_load(c);
    mw_check_routes(c);
    mw_findings_sort(c->findings);
    return c->findings->err;
}

/* The scan names a library that it had to leave out. */
static void tell_left_out(struct mw_checking *c, const char *what)
{
    struct mw_finding finding = mw_check_error(MW_CHECK_UNREADABLE, mw_view_text("lib"), what, "");
    if (*what)
        mw_check_add(c, &finding);
}

static void find_settings_folder(struct mw_checking *c)
{
    snprintf(c->settings_folder, sizeof c->settings_folder, "%s", c->places->settings);
    char *slash = strrchr(c->settings_folder, '/');
    if (slash)
        *slash = '\0';
    else
        c->settings_folder[0] = '\0';
}

int mw_check_project(struct mw_findings *findings, const struct mw_engine *engine,
                     const struct mw_places *places, size_t *files, char why[512])
{
    struct mw_project *project = 0;
    if (mw_cpu_tick_start()) {
        snprintf(why, 512,
                 "scripts cannot be loaded safely: the system gives no timer (see ulimit "
                 "-i)");
        return MW_ERR_IO;
    }
    int err = mw_project_scan(places->scripts, mw_view_text(engine->suffix), &project, why);
    if (err)
        return err;
    struct mw_checking *c = mw_alloc_zero(findings->mem, sizeof *c);
    if (c) {
        c->findings = findings;
        c->engine = engine;
        c->places = places;
        c->mem = findings->mem;
        c->project = project;
        mw_config_default(&c->config);
        find_settings_folder(c);
        tell_left_out(c, why);
        err = check(c);
        *files = c->script_count + c->lib_count + (c->settings.text.data != 0);
        free_files(c);
    }
    if (!c || err)
        snprintf(why, 512, "out of memory");
    mw_free(findings->mem, c, sizeof *c);
    mw_project_drop(project);
    return c ? err : MW_ERR_NOMEM;
}
