/*
 * Looks at what lies on disk: decides which file is a script, which a library and which neither
 * (docs/scripting.md), and reads them into a snapshot. Loads nothing. Blocks: called at start, and
 * by reload in the pool.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/digest.h"
#include "core/base/str.h"
#include "core/server/project_build.h"

#define MAX_DEPTH 16

/* One walk over the script folder. */
struct scan {
    struct mw_project_store *store;
    struct mw_view suffix;
    const char *root;    /* as named */
    char real[PATH_MAX]; /* where libraries must stay */
    char *why;
};

/* An entry of a folder. */
struct entry {
    const char *full;    /* root and path */
    struct mw_view path; /* below the root */
    bool is_link;
    char real[PATH_MAX]; /* of a link: where it leads */
};

/* ---- reading ---- */

static int read_open(struct mw_mem *mem, int fd, char **text, size_t *len)
{
    struct stat st;
    if (fstat(fd, &st))
        return MW_ERR_IO;
    if (!S_ISREG(st.st_mode))
        return MW_ERR_BAD_ARG;
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
    if (n < cap) { /* cut short while it was read */
        mw_free(mem, bytes, cap + 1);
        errno = EAGAIN;
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
    int why = errno;
    close(fd);
    errno = why;
    return err;
}

/* ---- what may fail ---- */

/* Gone meanwhile, or a link to nothing: that is absence, and nothing else is. */
static bool is_absence(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

static int cannot_read(struct scan *scan, const char *path)
{
    if (is_absence(errno))
        return MW_OK;
    snprintf(scan->why, 512, "%.256s cannot be read: %s", path, strerror(errno));
    return MW_ERR_IO;
}

/* ---- which files ---- */

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

/* `place` is `folder` or lies below it; both real. */
static bool is_within(const char *place, const char *folder)
{
    size_t n = strlen(folder);
    return !strncmp(place, folder, n) && (place[n] == '/' || place[n] == '\0');
}

/* A library must really lie below the script folder: no symbolic link out. */
static bool leads_out(const struct scan *scan, const struct entry *entry)
{
    bool is_lib = is_in_lib(entry->path) || mw_view_is(entry->path, "lib");
    return entry->is_link && is_lib && !is_within(entry->real, scan->real);
}

/* A link to a folder in which it lies itself has no end. */
static bool leads_back(const struct entry *entry)
{
    char parent[PATH_MAX], real[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", entry->full);
    *strrchr(parent, '/') = '\0';
    return entry->is_link && realpath(parent, real) && is_within(real, entry->real);
}

/* ---- walking ---- */

/* A link's target lies in a folder of its own, where a change must be seen too. */
static int watch_target(struct scan *scan, const struct entry *entry)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", entry->real);
    char *slash = strrchr(folder, '/');
    if (!entry->is_link || !slash || slash == folder)
        return MW_OK;
    *slash = '\0';
    return mw_project_add_folder(scan->store, folder);
}

/* Why a file that is there will not be read however often one tries; NULL: it was, or may be. */
static const char *problem_of(int err)
{
    if (err == MW_ERR_FULL)
        return "the file is larger than 4 MiB";
    if (err == MW_ERR_IO && (errno == EACCES || errno == EPERM))
        return "the file cannot be read: permission denied";
    return 0;
}

static int add(struct scan *scan, const struct entry *entry, const struct mw_project_file *found)
{
    struct mw_mem *mem = &scan->store->mem;
    struct mw_project_file file = *found;
    char *path = mw_mem_copy(mem, entry->path);
    file.path = mw_view(path, entry->path.len);
    if (path && mw_project_add_file(scan->store, is_in_lib(entry->path), &file) == MW_OK)
        return MW_OK;
    if (path)
        mw_free(mem, path, entry->path.len + 1);
    return MW_ERR_NOMEM;
}

static int take_file(struct scan *scan, const struct entry *entry)
{
    char *text = 0;
    size_t len = 0;
    int err = watch_target(scan, entry);
    if (err)
        return err;
    err = mw_read_file(&scan->store->mem, entry->full, &text, &len);
    if (err == MW_ERR_NOMEM)
        return err;
    if (err == MW_ERR_NOT_FOUND || err == MW_ERR_BAD_ARG)
        return MW_OK;
    const char *problem = problem_of(err);
    if (err && !problem)
        return cannot_read(scan, entry->full);
    if (problem && is_in_lib(entry->path)) {
        snprintf(scan->why, 512, "%.256s is left out: %s", entry->full, problem);
        return MW_OK;
    }
    struct mw_view bytes = mw_view(text, len);
    const struct mw_project_file file = {
        .text = bytes,
        .hash = mw_hash64(problem ? mw_view_text(problem) : bytes, problem ? 1 : 0),
        .problem = problem,
    };
    err = add(scan, entry, &file);
    if (err && text)
        mw_free(&scan->store->mem, text, len + 1);
    return err;
}

static int walk(struct scan *scan, const char *below, int depth);

static int take_entry(struct scan *scan, const char *below, const char *name, int depth)
{
    char path[1024], full[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s%s%s", below, *below ? "/" : "", name);
    int m = snprintf(full, sizeof full, "%s/%s", scan->root, path);
    struct entry entry = { .full = full, .path = mw_view_text(path) };
    struct mw_view name_view = mw_view_text(name);
    if (n < 0 || (size_t)n >= sizeof path || m < 0 || (size_t)m >= sizeof full ||
        !is_candidate(entry.path, name_view))
        return MW_OK;
    struct stat st;
    if (lstat(full, &st))
        return cannot_read(scan, full);
    entry.is_link = S_ISLNK(st.st_mode);
    if (entry.is_link && (stat(full, &st) || !realpath(full, entry.real)))
        return cannot_read(scan, full);
    if (leads_out(scan, &entry))
        return MW_OK;
    if (S_ISDIR(st.st_mode))
        return depth < MAX_DEPTH && !leads_back(&entry) ? walk(scan, path, depth + 1) : MW_OK;
    if (!S_ISREG(st.st_mode) || !is_script_name(scan, entry.path, name_view))
        return MW_OK;
    return take_file(scan, &entry);
}

static int walk(struct scan *scan, const char *below, int depth)
{
    char folder[PATH_MAX];
    int n = snprintf(folder, sizeof folder, "%s%s%s", scan->root, *below ? "/" : "", below);
    if (n < 0 || (size_t)n >= sizeof folder)
        return MW_OK;
    DIR *dir = opendir(folder);
    if (!dir)
        return cannot_read(scan, folder);
    int err = mw_project_add_folder(scan->store, folder);
    for (struct dirent *entry; !err && (entry = readdir(dir));)
        err = take_entry(scan, below, entry->d_name, depth);
    closedir(dir);
    return err;
}

int mw_project_scan(const char *folder, struct mw_view suffix, struct mw_project **out,
                    char why[512])
{
    why[0] = '\0';
    struct scan scan = { .store = mw_project_store_new(), .suffix = suffix, .root = folder };
    scan.why = why;
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
        mw_project_store_free(scan.store);
        return err;
    }
    *out = mw_project_seal(scan.store);
    return MW_OK;
}
