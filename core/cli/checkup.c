/* Reads the project once and walks the table of checks. Called by cmd_doctor. */
#include "core/cli/checkup.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/cli/peer.h"
#include "core/io/local.h"
#include "core/server/admin_commands.h"
#include "core/server/project.h"

enum needs { NOTHING, FILES, SETTINGS };

static const struct row {
    void (*check)(const struct mw_checkup *checkup, struct mw_doctor_line *line);
    const char *name;
    enum needs needs;
    const char *why;
} rows[] = {
#define MW_CHECKUP(function, name, needs, why) { mw_checkup_##function, name, needs, why },
#include "core/cli/doctor_checks.def"
#undef MW_CHECKUP
};

static void find_server(struct mw_checkup *checkup)
{
    char path[MW_PLACE_MAX];
    if (!checkup->has_settings || !mw_admin_path(&checkup->config, path))
        return;
    int fd = mw_local_dial(path);
    if (fd < 0)
        return;
    mw_peer_name(fd, checkup->server);
    close(fd);
}

/*
 * Who names no folder may stand anywhere, and looking for scripts in all that is below could take
 * minutes: here a project begins with one of these.
 */
static bool looks_like_project(const char *suffix)
{
    bool found = mw_cli_is_folder("scripts") || access("moonwire.lua", F_OK) == 0;
    DIR *here = found ? 0 : opendir(".");
    if (!here)
        return found;
    for (struct dirent *entry = readdir(here); entry && !found; entry = readdir(here))
        found = mw_view_ends_with(mw_view_text(entry->d_name), suffix);
    closedir(here);
    return found;
}

static int read_project(struct mw_checkup *checkup, struct mw_project **project)
{
    struct mw_view suffix = mw_view_text(checkup->engine->suffix);
    if (!checkup->is_wanted && !looks_like_project(checkup->engine->suffix)) {
        snprintf(checkup->no_project, sizeof checkup->no_project,
                 "there is no scripts folder, no moonwire.lua and no script here");
        return MW_ERR_NOT_FOUND;
    }
    int err = mw_places_find(&checkup->places, checkup->config.dir, suffix, checkup->no_project);
    return err ? err
               : mw_project_scan(checkup->places.scripts, suffix, project, checkup->no_project);
}

void mw_checkup_open(struct mw_checkup *checkup, const struct mw_args *args,
                     const struct mw_engine *engine)
{
    struct mw_project *project = 0;
    *checkup = (struct mw_checkup){ .engine = engine, .is_wanted = args->dir != 0 };
    checkup->config.dir = mw_view_text(args->dir ? args->dir : ".");
    if (read_project(checkup, &project))
        return;
    checkup->project = project;
    checkup->no_project[0] = '\0';
    checkup->has_settings = mw_cli_settings_try(args, engine, false, &checkup->config,
                                                &checkup->places, checkup->trouble) == 0;
    find_server(checkup);
}

void mw_checkup_free(struct mw_checkup *checkup)
{
    mw_project_drop((struct mw_project *)checkup->project);
    checkup->project = 0;
}

static const char *what_is_missing(const struct mw_checkup *checkup, enum needs needs)
{
    switch (needs) {
    case NOTHING:
        return 0;
    case FILES:
        return checkup->project ? 0 : "there is no project";
    case SETTINGS:
        if (!checkup->project)
            return "there is no project";
        return checkup->has_settings ? 0 : "the settings have to be mended first";
    }
    return 0;
}

static void run(const struct mw_checkup *checkup, const struct row *row,
                struct mw_doctor_report *report)
{
    struct mw_doctor_line *line = mw_doctor_add(report, row->name);
    const char *missing = what_is_missing(checkup, row->needs);
    if (missing) {
        line->state = MW_DOCTOR_SKIPPED;
        mw_doctor_value(line, "%s", missing);
        return;
    }
    row->check(checkup, line);
    bool is_found = line->state == MW_DOCTOR_WARN || line->state == MW_DOCTOR_FAIL;
    if (is_found && !*line->why)
        mw_doctor_why(line, "%s", row->why);
}

/* Who names no folder may want to know about the machine alone. */
static void tell_project(const struct mw_checkup *checkup, struct mw_doctor_report *report)
{
    struct mw_doctor_line *line = mw_doctor_add(report, "project");
    if (checkup->project) {
        mw_doctor_value(line, "%s, %zu script%s%s%s", checkup->places.scripts,
                        checkup->project->script_count,
                        checkup->project->script_count == 1 ? "" : "s",
                        *checkup->server ? ", served by " : "", checkup->server);
        return;
    }
    line->state = checkup->is_wanted ? MW_DOCTOR_FAIL : MW_DOCTOR_SKIPPED;
    mw_doctor_value(line, "%s", checkup->no_project);
    mw_doctor_fix(line, "moonwire doctor DIR looks at a project\n"
                        "moonwire doctor ws://HOST/PATH walks the way to a server");
}

void mw_checkup_run(const struct mw_checkup *checkup, struct mw_doctor_report *report)
{
    bool has_told = false;
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        if (rows[i].needs != NOTHING && !has_told) {
            tell_project(checkup, report);
            has_told = true;
        }
        if (checkup->project || rows[i].needs == NOTHING)
            run(checkup, &rows[i], report);
    }
}
