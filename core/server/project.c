/*
 * A snapshot of the project: files with their hashes, counted, immutable once sealed. Reads nothing
 * itself; project_scan.c puts it together, reload compares it, load takes scripts out of it.
 */
#include "core/server/project.h"

#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/msg.h"
#include "core/base/str.h"
#include "core/server/project_build.h"

int mw_project_add_file(struct mw_project_store *store, bool is_lib,
                        const struct mw_project_file *file)
{
    struct mw_project_file **files = is_lib ? &store->libs : &store->scripts;
    size_t *count = is_lib ? &store->project.lib_count : &store->project.script_count;
    size_t *cap = is_lib ? &store->lib_cap : &store->script_cap;
    if (*count == *cap) {
        size_t more = *cap ? *cap * 2 : 8, size = sizeof **files;
        struct mw_project_file *grown = mw_realloc(&store->mem, *files, *cap * size, more * size);
        if (!grown)
            return MW_ERR_NOMEM;
        *files = grown;
        *cap = more;
    }
    (*files)[(*count)++] = *file;
    return MW_OK;
}

int mw_project_add_folder(struct mw_project_store *store, const char *path)
{
    size_t *count = &store->project.folder_count;
    for (size_t i = 0; i < *count; i++) {
        if (!strcmp(store->folders[i], path))
            return MW_OK;
    }
    if (*count == store->folder_cap) {
        size_t more = store->folder_cap ? store->folder_cap * 2 : 8, size = sizeof(char *);
        char **grown =
            mw_realloc(&store->mem, store->folders, store->folder_cap * size, more * size);
        if (!grown)
            return MW_ERR_NOMEM;
        store->folders = grown;
        store->folder_cap = more;
    }
    char *copy = mw_mem_copy(&store->mem, mw_view_text(path));
    if (!copy)
        return MW_ERR_NOMEM;
    store->folders[(*count)++] = copy;
    return MW_OK;
}

void mw_project_store_free(struct mw_project_store *store)
{
    struct mw_mem *mem = &store->mem;
    const struct {
        struct mw_project_file *files;
        size_t count, cap;
    } lists[] = {
        { store->scripts, store->project.script_count, store->script_cap },
        { store->libs, store->project.lib_count, store->lib_cap },
    };
    for (size_t l = 0; l < MW_COUNT(lists); l++) {
        for (size_t i = 0; i < lists[l].count; i++) {
            struct mw_project_file *file = &lists[l].files[i];
            mw_free(mem, (char *)file->path.data, file->path.len + 1);
            mw_msg_drop(file->bytes);
        }
        mw_free(mem, lists[l].files, lists[l].cap * sizeof *lists[l].files);
    }
    for (size_t i = 0; i < store->project.folder_count; i++)
        mw_free(mem, store->folders[i], strlen(store->folders[i]) + 1);
    mw_free(mem, store->folders, store->folder_cap * sizeof(char *));
    struct mw_mem last = *mem; /* the store holds its own account */
    mw_free(&last, store, sizeof *store);
    mw_assert(mw_mem_is_empty(&last));
}

struct mw_project_store *mw_project_store_new(void)
{
    struct mw_mem mem;
    mw_mem_init(&mem, 0, 0);
    struct mw_project_store *store = mw_alloc_zero(&mem, sizeof *store);
    if (!store)
        return 0;
    store->mem = mem;
    atomic_init(&store->references, 1);
    store->project.store = store;
    return store;
}

static int by_path(const void *a, const void *b)
{
    const struct mw_project_file *x = a, *y = b;
    return mw_view_compare(x->path, y->path);
}

struct mw_project *mw_project_seal(struct mw_project_store *store)
{
    struct mw_project *project = &store->project;
    if (project->script_count)
        qsort(store->scripts, project->script_count, sizeof *store->scripts, by_path);
    if (project->lib_count)
        qsort(store->libs, project->lib_count, sizeof *store->libs, by_path);
    project->scripts = store->scripts;
    project->libs = store->libs;
    project->folders = (const char *const *)store->folders;
    return project;
}

struct mw_project *mw_project_keep(struct mw_project *project)
{
    atomic_fetch_add(&project->store->references, 1);
    return project;
}

void mw_project_drop(struct mw_project *project)
{
    if (project && atomic_fetch_sub(&project->store->references, 1) == 1)
        mw_project_store_free(project->store);
}

/* ---- looking things up ---- */

static const struct mw_project_file *find(const struct mw_project_file *files, size_t count,
                                          struct mw_view path)
{
    struct mw_project_file key = { .path = path };
    return count ? bsearch(&key, files, count, sizeof *files, by_path) : 0;
}

const struct mw_project_file *mw_project_script(const struct mw_project *project,
                                                struct mw_view path)
{
    return find(project->scripts, project->script_count, path);
}

const struct mw_project_file *mw_project_named(const struct mw_project *project,
                                               struct mw_view name, struct mw_view suffix)
{
    const struct mw_project_file *exact = mw_project_script(project, name);
    for (size_t i = 0; !exact && i < project->script_count; i++) {
        const struct mw_project_file *file = &project->scripts[i];
        struct mw_view path = file->path;
        if (path.len == name.len + suffix.len &&
            mw_view_equal(mw_view(path.data, name.len), name) &&
            mw_view_equal(mw_view_from(path, name.len), suffix))
            return file;
    }
    return exact;
}

const struct mw_project_file *mw_project_lib(const struct mw_project *project, struct mw_view path)
{
    return find(project->libs, project->lib_count, path);
}

static bool same_files(const struct mw_project_file *a, size_t a_count,
                       const struct mw_project_file *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++) {
        if (a[i].hash != b[i].hash || !mw_view_equal(a[i].path, b[i].path))
            return false;
    }
    return true;
}

bool mw_project_equal(const struct mw_project *a, const struct mw_project *b)
{
    return same_files(a->scripts, a->script_count, b->scripts, b->script_count) &&
           same_files(a->libs, a->lib_count, b->libs, b->lib_count);
}
