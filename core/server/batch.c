/*
 * What has changed between two looks at the project, and which of what was prepared goes live.
 * Called by reload and server; the worker fills in the outcomes.
 */
#include "core/server/batch.h"

#include "core/base/check.h"
#include "core/base/str.h"

static bool script_changed(const struct mw_project *before, const struct mw_project_file *file)
{
    const struct mw_project_file *old = before ? mw_project_script(before, file->path) : 0;
    return !old || old->hash != file->hash;
}

bool mw_batch_lib_changed(const struct mw_batch *batch, struct mw_view path)
{
    const struct mw_project_file *old = batch->before ? mw_project_lib(batch->before, path) : 0;
    const struct mw_project_file *new = mw_project_lib(batch->project, path);
    return !old || !new || old->hash != new->hash;
}

static bool any_lib_changed(const struct mw_batch *batch)
{
    if (!batch->before || batch->before->lib_count != batch->project->lib_count)
        return true;
    for (size_t i = 0; i < batch->project->lib_count; i++) {
        if (mw_batch_lib_changed(batch, batch->project->libs[i].path))
            return true;
    }
    return false;
}

static void list_loads(struct mw_batch *batch)
{
    const struct mw_project *project = batch->project, *before = batch->before;
    for (size_t i = 0; i < project->script_count; i++) {
        const struct mw_project_file *file = &project->scripts[i];
        batch->loads[batch->count++] =
            (struct mw_load){ .name = file->path, .changed = script_changed(before, file) };
    }
    for (size_t i = 0; before && i < before->script_count; i++) {
        const struct mw_project_file *file = &before->scripts[i];
        if (!mw_project_script(project, file->path))
            batch->loads[batch->count++] =
                (struct mw_load){ .name = file->path, .outcome = MW_LOAD_REMOVED, .commit = true };
    }
}

/* Room for every script of both snapshots; never nothing. */
static size_t loads_bytes(const struct mw_batch *batch)
{
    size_t most = batch->project->script_count + (batch->before ? batch->before->script_count : 0);
    return (most + 1) * sizeof *batch->loads;
}

static size_t libs_bytes(const struct mw_batch *batch)
{
    return (batch->project->lib_count + 1) * sizeof *batch->libs;
}

/* Without a load yet. NULL: no memory. */
static struct mw_batch *make(struct mw_project *before, struct mw_project *project)
{
    struct mw_mem mem;
    mw_mem_init(&mem, 0, 0);
    struct mw_batch *batch = mw_alloc_zero(&mem, sizeof *batch);
    if (!batch)
        return 0;
    batch->letter.kind = MW_LETTER_BATCH;
    batch->mem = mem;
    batch->project = mw_project_keep(project);
    batch->before = before ? mw_project_keep(before) : 0;
    batch->libs_changed = before && any_lib_changed(batch);
    batch->loads = mw_alloc_zero(&batch->mem, loads_bytes(batch));
    batch->libs = mw_alloc_zero(&batch->mem, libs_bytes(batch));
    if (!batch->loads || !batch->libs) {
        mw_batch_free(batch);
        return 0;
    }
    for (size_t i = 0; i < project->lib_count; i++)
        batch->libs[i] = (struct mw_source){ project->libs[i].path, project->libs[i].text };
    return batch;
}

int mw_batch_new(struct mw_project *before, struct mw_project *project, struct mw_batch **out)
{
    struct mw_batch *batch = make(before, project);
    if (!batch)
        return MW_ERR_NOMEM;
    list_loads(batch);
    *out = batch;
    return MW_OK;
}

int mw_batch_new_back(struct mw_project *project, struct mw_view script, unsigned as,
                      struct mw_batch **out)
{
    struct mw_batch *batch = make(0, project);
    if (!batch)
        return MW_ERR_NOMEM;
    const struct mw_project_file *file = mw_project_script(project, script);
    batch->loads[batch->count++] =
        (struct mw_load){ .name = file->path, .changed = true, .as = as };
    *out = batch;
    return MW_OK;
}

bool mw_batch_force(struct mw_batch *batch, struct mw_view script)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct mw_load *load = &batch->loads[i];
        if (!mw_view_equal(load->name, script))
            continue;
        load->changed = true;
        return load->outcome == MW_LOAD_UNTOUCHED;
    }
    return false;
}

void mw_batch_free(struct mw_batch *batch)
{
    if (!batch)
        return;
    for (size_t i = 0; i < batch->count; i++)
        mw_free(&batch->mem, batch->loads[i].fault, sizeof(struct mw_fault));
    mw_free(&batch->mem, batch->loads, loads_bytes(batch));
    mw_free(&batch->mem, batch->libs, libs_bytes(batch));
    mw_project_drop(batch->project);
    mw_project_drop(batch->before);
    struct mw_mem last = batch->mem; /* the batch holds its own account */
    mw_free(&last, batch, sizeof *batch);
}

void mw_batch_decide(struct mw_batch *batch)
{
    /* One change of a library is one transaction for everybody who uses it, and for nobody else. */
    bool held_back = false;
    for (size_t i = 0; i < batch->count; i++) {
        const struct mw_load *load = &batch->loads[i];
        bool refused = load->outcome == MW_LOAD_FAULT || load->outcome == MW_LOAD_CONFLICT;
        held_back = held_back || (refused && load->by_lib);
    }
    for (size_t i = 0; i < batch->count; i++) {
        struct mw_load *load = &batch->loads[i];
        if (load->outcome == MW_LOAD_READY)
            load->commit = !(held_back && load->by_lib);
    }
}
