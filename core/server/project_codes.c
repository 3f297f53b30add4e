/*
 * Loads the scripts of a folder one after the other and keeps what they say about a code or two.
 * Opens no socket and starts no thread. Called by cli where no server answers.
 */
#include "core/server/project_codes.h"

#include <stdio.h>

#include "core/base/cpu_tick.h"
#include "core/server/project.h"
#include "core/server/rehearse.h"

struct reading {
    const struct mw_project_codes *wish;
    struct mw_buf *rows;
    struct mw_view script;
    int err;
};

static void take_row(struct reading *reading, const struct mw_code_spec *row)
{
    struct mw_script_code copy;
    bool is_full = reading->rows->len >= MW_SCRIPT_CODES_MAX * sizeof copy;
    if (reading->err || is_full)
        return;
    memset(&copy, 0, sizeof copy);
    mw_script_code_copy(&copy, reading->script, row);
    reading->err = mw_buf_put(reading->rows, &copy, sizeof copy);
}

static void take_spec(void *ctx, const struct mw_route_spec *spec)
{
    struct reading *reading = ctx;
    const struct mw_project_codes *wish = reading->wish;
    const struct mw_code_spec *row = mw_route_spec_code(spec, wish->code);
    if (row)
        take_row(reading, row);
    row = wish->other == wish->code ? 0 : mw_route_spec_code(spec, wish->other);
    if (row)
        take_row(reading, row);
}

static void read_one(struct reading *reading, const struct mw_project_file *file,
                     const struct mw_source *libs, size_t lib_count)
{
    const struct mw_project_codes *wish = reading->wish;
    const struct mw_sources sources = { { file->path, file->text }, libs, lib_count };
    const struct mw_rehearsal rehearsal = { wish->engine, wish->config, reading, take_spec };
    struct mw_fault fault = { 0 };
    reading->script = file->path;
    int err = MW_ERR_BAD_ARG;
    if (file->problem)
        snprintf(fault.message, sizeof fault.message, "%s", file->problem);
    else
        err = mw_rehearse(&rehearsal, &sources, &fault);
    if (err == MW_ERR_NOMEM)
        reading->err = err;
    else if (err)
        wish->fault(wish->ctx, file->path, &fault);
}

static int read_all(struct reading *reading, const struct mw_project *project)
{
    struct mw_mem *mem = reading->rows->mem;
    size_t size = (project->lib_count + 1) * sizeof(struct mw_source), count = 0;
    struct mw_source *libs = mw_alloc(mem, size);
    if (!libs)
        return MW_ERR_NOMEM;
    for (size_t i = 0; i < project->lib_count; i++) {
        if (!project->libs[i].problem)
            libs[count++] = (struct mw_source){ project->libs[i].path, project->libs[i].text };
    }
    for (size_t i = 0; i < project->script_count && !reading->err; i++)
        read_one(reading, &project->scripts[i], libs, count);
    mw_free(mem, libs, size);
    return reading->err;
}

int mw_project_codes_read(const struct mw_project_codes *wish, struct mw_buf *rows, char why[512])
{
    struct reading reading = { .wish = wish, .rows = rows };
    struct mw_project *project = 0;
    if (mw_cpu_tick_start()) {
        snprintf(why, 512, "scripts cannot be loaded safely: the system gives no timer");
        return MW_ERR_IO;
    }
    int err = mw_project_scan(wish->folder, mw_view_text(wish->engine->suffix), &project, why);
    if (err)
        return err;
    err = read_all(&reading, project);
    if (err)
        snprintf(why, 512, "out of memory");
    mw_project_drop(project);
    return err;
}
