/*
 * What lies on disk. Decides which file is a script, which a library and which neither
 * (docs/scripting.md); loads nothing. Called by server at start and by reload in the pool.
 */
#include "core/server/project.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/digest.h"
#include "core/base/str.h"

#define MAX_DEPTH 16

struct mw_project_store {
    struct mw_project project;
    atomic_uint references;
    struct mw_mem mem;
    struct mw_project_file *scripts, *libs;
    size_t script_cap, lib_cap, folder_cap;
    char **folders;
};

/* One walk over the script folder. */
struct scan {
    struct mw_project_store *store;
    struct mw_view suffix;
    const char *root;    /* as named */
    char real[PATH_MAX]; /* where libraries must stay */
    char *why;
};

/* ---- places ---- */

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool holds_script(const char *folder, struct mw_view suffix)
{
    struct mw_project *project = 0;
    char why[512];
    bool found =
        mw_project_scan(folder, suffix, &project, why) == MW_OK && project->script_count > 0;
    mw_project_drop(project);
    return found;
}

static int join(char out[4096], const char *folder, const char *name)
{
    int n = snprintf(out, 4096, "%s/%s", folder, name);
    return n > 0 && n < 4096 ? MW_OK : MW_ERR_BAD_ARG;
}

int mw_places_find(struct mw_places *places, struct mw_view dir, struct mw_view suffix,
                   char why[512])
{
    char root[3072];
    if (dir.len == 0 || dir.len >= sizeof root) {
        snprintf(why, 512, "the path of the project folder is empty or too long");
        return MW_ERR_NOT_FOUND;
    }
    memcpy(root, dir.data, dir.len);
    root[dir.len] = '\0';
    if (!is_folder(root)) {
        snprintf(why, 512, "%.256s: %s. Name the folder that holds your scripts: moonwire dev DIR",
                 root, errno == ENOENT ? "there is no such folder" : "this is not a folder");
        return MW_ERR_NOT_FOUND;
    }
    if (join(places->scripts, root, "scripts") || !is_folder(places->scripts))
        snprintf(places->scripts, sizeof places->scripts, "%s", root);
    if (join(places->public_files, root, "public") || !is_folder(places->public_files))
        (void)snprintf(places->public_files, sizeof places->public_files, "%.4080s/public",
                       places->scripts);
    if (join(places->settings, root, "moonwire.lua") || !holds_script(places->scripts, suffix)) {
        snprintf(
            why, 512,
            "%.256s holds no script. Write one, for instance echo%.*s, and start again: its path "
            "will be /echo",
            places->scripts, (int)suffix.len, suffix.data);
        return MW_ERR_NOT_FOUND;
    }
    return MW_OK;
}

/* ---- reading ---- */

static int read_open(struct mw_mem *mem, int fd, char **text, size_t *len)
{
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        return MW_ERR_NOT_FOUND;
    if (st.st_size > MW_PROJECT_MAX_FILE_BYTES)
        return MW_ERR_FULL;
    size_t cap = (size_t)st.st_size, n = 0;
    char *bytes = mw_alloc(mem, cap + 1);
    if (!bytes)
        return MW_ERR_NOMEM;
    while (n < cap) {
        ssize_t got = read(fd, bytes + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    if (n < cap) { /* cut short while it was read: the next scan sees it whole */
        mw_free(mem, bytes, cap + 1);
        return MW_ERR_IO;
    }
    bytes[n] = '\0';
    *text = bytes;
    *len = n;
    return MW_OK;
}

int mw_read_file(struct mw_mem *mem, const char *path, char **text, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? MW_ERR_NOT_FOUND : MW_ERR_IO;
    int err = read_open(mem, fd, text, len);
    close(fd);
    return err;
}

/* ---- the snapshot ---- */

static int add_file(struct mw_project_store *store, bool is_lib, const struct mw_project_file *file)
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

static int add_folder(struct mw_project_store *store, const char *path)
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

static void store_free(struct mw_project_store *store)
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
            mw_free(mem, (char *)file->text.data, file->text.len + 1);
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

static struct mw_project_store *store_new(void)
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

static struct mw_project *store_seal(struct mw_project_store *store)
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

/* ---- walking ---- */

static bool is_in_lib(struct mw_view path)
{
    return mw_view_starts_with(path, "lib/");
}

/* Neither hidden nor private, not the folder of static files, not the settings. */
static bool is_candidate(struct mw_view path, struct mw_view name)
{
    if (name.len == 0 || name.data[0] == '.')
        return false;
    if (is_in_lib(path))
        return true;
    return name.data[0] != '_' && !mw_view_is(path, "public") && !mw_view_is(path, "moonwire.lua");
}

static bool is_script_name(const struct scan *scan, struct mw_view path, struct mw_view name)
{
    char test[32];
    int n = snprintf(test, sizeof test, "_test%.*s", (int)scan->suffix.len, scan->suffix.data);
    bool fits = name.len > scan->suffix.len && !memcmp(name.data + name.len - scan->suffix.len,
                                                       scan->suffix.data, scan->suffix.len);
    return fits && (is_in_lib(path) || n < 0 || !mw_view_ends_with(name, test));
}

/* A library must really lie below the script folder: no symbolic link out (docs/scripting.md). */
static bool stays_inside(const struct scan *scan, const char *real)
{
    size_t n = strlen(scan->real);
    return !strncmp(real, scan->real, n) && real[n] == '/';
}

/* A link's target lies in a folder of its own, where a change must be seen too. */
static int watch_target(struct scan *scan, char *real)
{
    char *slash = strrchr(real, '/');
    if (!slash || slash == real)
        return MW_OK;
    *slash = '\0';
    int err = is_folder(real) ? add_folder(scan->store, real) : MW_OK;
    *slash = '/';
    return err;
}

static int take_file(struct scan *scan, const char *full, struct mw_view path, bool is_link)
{
    struct mw_project_store *store = scan->store;
    char real[PATH_MAX];
    if (is_link) {
        if (!realpath(full, real) || (is_in_lib(path) && !stays_inside(scan, real)))
            return MW_OK;
        int err = watch_target(scan, real);
        if (err)
            return err;
    }
    char *text = 0;
    size_t len = 0;
    int err = mw_read_file(&store->mem, full, &text, &len);
    if (err == MW_ERR_FULL)
        snprintf(scan->why, 512, "%.256s is larger than %d bytes and is left out", full,
                 MW_PROJECT_MAX_FILE_BYTES);
    if (err)
        return err == MW_ERR_NOMEM ? err : MW_OK;
    char *copy = mw_mem_copy(&store->mem, path);
    struct mw_project_file file = { { copy, path.len },
                                    { text, len },
                                    mw_hash64(mw_view(text, len), 0) };
    if (copy && add_file(store, is_in_lib(path), &file) == MW_OK)
        return MW_OK;
    mw_free(&store->mem, text, len + 1);
    if (copy)
        mw_free(&store->mem, copy, path.len + 1);
    return MW_ERR_NOMEM;
}

static int walk(struct scan *scan, const char *below, int depth);

static int take_entry(struct scan *scan, const char *below, const char *entry, int depth)
{
    char path[1024], full[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s%s%s", below, *below ? "/" : "", entry);
    int m = snprintf(full, sizeof full, "%s/%s", scan->root, path);
    struct mw_view path_view = mw_view_text(path), name = mw_view_text(entry);
    if (n < 0 || (size_t)n >= sizeof path || m < 0 || (size_t)m >= sizeof full ||
        !is_candidate(path_view, name))
        return MW_OK;
    struct stat st;
    if (lstat(full, &st))
        return MW_OK;
    bool is_link = S_ISLNK(st.st_mode);
    if (is_link && stat(full, &st))
        return MW_OK;
    if (S_ISDIR(st.st_mode))
        return depth < MAX_DEPTH ? walk(scan, path, depth + 1) : MW_OK;
    if (!S_ISREG(st.st_mode) || !is_script_name(scan, path_view, name))
        return MW_OK;
    return take_file(scan, full, path_view, is_link);
}

static int walk(struct scan *scan, const char *below, int depth)
{
    char folder[PATH_MAX];
    int n = snprintf(folder, sizeof folder, "%s%s%s", scan->root, *below ? "/" : "", below);
    DIR *dir = n > 0 && (size_t)n < sizeof folder ? opendir(folder) : 0;
    if (!dir) {
        snprintf(scan->why, 512, "%.256s cannot be read: %s", folder, strerror(errno));
        return *below ? MW_OK : MW_ERR_IO;
    }
    int err = add_folder(scan->store, folder);
    for (struct dirent *entry; !err && (entry = readdir(dir));)
        err = take_entry(scan, below, entry->d_name, depth);
    closedir(dir);
    return err;
}

int mw_project_scan(const char *folder, struct mw_view suffix, struct mw_project **out,
                    char why[512])
{
    why[0] = '\0';
    struct scan scan = { .store = store_new(), .suffix = suffix, .root = folder, .why = why };
    if (!scan.store)
        return MW_ERR_NOMEM;
    int err = MW_OK;
    if (!realpath(folder, scan.real)) {
        snprintf(why, 512, "%.256s cannot be read: %s", folder, strerror(errno));
        err = MW_ERR_IO;
    }
    if (!err)
        err = walk(&scan, "", 0);
    if (err) {
        store_free(scan.store);
        return err;
    }
    *out = store_seal(scan.store);
    return MW_OK;
}

struct mw_project *mw_project_keep(struct mw_project *project)
{
    atomic_fetch_add(&project->store->references, 1);
    return project;
}

void mw_project_drop(struct mw_project *project)
{
    if (project && atomic_fetch_sub(&project->store->references, 1) == 1)
        store_free(project->store);
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
