/*
 * Loads each script as `serve` would, in an app that is thrown away: errors of its first lines and
 * routes that are calculated show only then. Called by check.c when the files have been read.
 *
 * Never calls a handler: what a script does when somebody connects is not tried.
 */
#include <stdio.h>

#include "core/base/str.h"
#include "core/server/affinity.h"
#include "core/server/check_stage.h"
#include "core/server/rehearse.h"

/* ---- loading ---- */

static void tell_fault(struct mw_checking *c, const struct mw_check_script *script,
                       const struct mw_fault *fault)
{
    struct mw_view file = mw_view_text(fault->file), source = script->source;
    /* A stop is nothing that reading finds, but a library is loaded by all who use it. */
    const char *rule = fault->kind == MW_FAULT_ERROR ? NULL : "load";
    if (mw_findings_has(c->findings, rule, c->places->scripts, *fault->file ? file : script->name,
                        fault->line, fault->message))
        return;
    for (size_t i = 0; i < c->lib_count; i++) {
        if (mw_view_equal(c->lib_sources[i].path, file))
            source = c->lib_sources[i].text;
    }
    struct mw_finding finding = mw_check_error(MW_CHECK_LOAD, *fault->file ? file : script->name,
                                               fault->message, fault->hint);
    mw_check_point(&finding, source, fault->line);
    mw_check_add(c, &finding);
}

/* Where the route is written down; at the top of the file where it is not. */
static void tell_of_route(struct mw_checking *c, const struct mw_check_script *script,
                          const char *message, const char *hint)
{
    struct mw_finding finding = mw_check_error(MW_CHECK_ROUTE, script->name, message, hint);
    finding.line = script->place.line;
    finding.column = script->place.column;
    finding.width = script->place.width;
    finding.text = script->place.text;
    mw_check_add(c, &finding);
}

static int read_pattern(struct mw_checking *c, struct mw_check_script *script, struct mw_view route)
{
    char message[512];
    const char *why = "";
    mw_pattern_free(&script->pattern, c->mem);
    int err = route.len ? mw_pattern_parse(&script->pattern, c->mem, route, &why)
                        : mw_pattern_of_file(&script->pattern, c->mem, script->name,
                                             mw_view_text(c->engine->suffix), &why);
    if (err != MW_ERR_BAD_ARG)
        return err;
    snprintf(message, sizeof message, "the route \"%.*s\" cannot be used: %s",
             (int)(route.len < 200 ? route.len : 200), route.len ? route.data : "", why);
    tell_of_route(c, script, message,
                  "M.route is a path such as \"/chat/:room\" or \"/files/*rest\"");
    return MW_OK;
}

static void check_affinity(struct mw_checking *c, const struct mw_check_script *script,
                           struct mw_view affinity)
{
    struct mw_affinity_fault why;
    if (script->pattern.text && !mw_affinity_fits(&script->pattern, affinity, &why))
        tell_of_route(c, script, why.message, why.hint);
}

struct loading {
    struct mw_checking *c;
    struct mw_check_script *script;
};

static void take_spec(void *ctx, const struct mw_route_spec *spec)
{
    const struct loading *loading = ctx;
    if (read_pattern(loading->c, loading->script, spec->pattern) == MW_ERR_NOMEM)
        loading->c->findings->err = MW_ERR_NOMEM;
    else
        check_affinity(loading->c, loading->script, spec->affinity);
}

static void load_one(struct mw_checking *c, struct mw_check_script *script)
{
    const struct mw_sources sources = { { script->name, script->source },
                                        c->lib_sources,
                                        c->lib_count };
    struct loading loading = { c, script };
    const struct mw_rehearsal rehearsal = { c->engine, &c->config, &loading, take_spec };
    struct mw_fault fault = { 0 };
    int err = mw_rehearse(&rehearsal, &sources, &fault);
    if (err == MW_ERR_NOMEM)
        c->findings->err = MW_ERR_NOMEM;
    else if (err)
        tell_fault(c, script, &fault);
}

void mw_check_load(struct mw_checking *c)
{
    for (size_t i = 0; i < c->script_count && !c->findings->err; i++)
        load_one(c, &c->scripts[i]);
}

/* ---- routes ---- */

static void tell_collision(struct mw_checking *c, const struct mw_check_script *script,
                           const struct mw_check_script *other)
{
    char message[1024];
    snprintf(message, sizeof message, "%.*s and %.*s both want the route %s",
             (int)(script->name.len < 200 ? script->name.len : 200), script->name.data,
             (int)(other->name.len < 200 ? other->name.len : 200), other->name.data,
             script->pattern.text);
    struct mw_finding finding = script->place;
    finding.rule = "route";
    finding.severity = MW_SEVERITY_ERROR;
    finding.message = message;
    finding.hint = "give one of them another M.route";
    mw_check_add(c, &finding);
}

/* Told of the later one in order of names: it is the one that `serve` refuses. */
void mw_check_routes(struct mw_checking *c)
{
    for (size_t i = 0; i < c->script_count; i++) {
        for (size_t j = 0; j < i && c->scripts[i].pattern.text; j++) {
            if (!c->scripts[j].pattern.text ||
                mw_pattern_compare(&c->scripts[i].pattern, &c->scripts[j].pattern) != 0)
                continue;
            tell_collision(c, &c->scripts[i], &c->scripts[j]);
            break;
        }
    }
}
