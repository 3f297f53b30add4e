/*
 * Looks at what lies on disk: decides which file is a script, which a library and which neither
 * (docs/scripting.md), and reads them into a snapshot, but for those that look as they did before.
 * Loads nothing. Blocks: called at start, and by reload in the pool.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/msg.h"
#include "core/base/str.h"
#include "core/server/project_build.h"

#define MAX_DEPTH 16

/* Two changes within one step of a file system's clock look like one; the coarsest, FAT's, is 2 s.
 */
#define SETTLED_MS 2000

/* One walk over the script folder. */
struct scan {
    struct mw_project_store *store;
    const struct mw_project_look *look;
    char real[PATH_MAX]; /* where libraries must stay */
    char *why;
};

/* An entry of a folder. */
struct entry {
    const char *full;    /* root and path */
    struct mw_view path; /* below the root */
    bool is_link;
    char real[PATH_MAX];           /* of a link: where it leads */
    struct mw_project_stamp stamp; /* from before it is read, so never newer than what is read */
};

/* ---- reading ---- */

/* A descriptor of a regular file and its size. */
static int open_regular(const char *path, int *out, size_t *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? MW_ERR_NOT_FOUND : MW_ERR_IO;
    int err = fstat(fd, &st) ? MW_ERR_IO : MW_OK;
    if (!err && !S_ISREG(st.st_mode))
        err = MW_ERR_BAD_ARG;
    if (!err && st.st_size > MW_PROJECT_MAX_FILE_BYTES)
        err = MW_ERR_FULL;
    if (err) {
        int why = errno;
        close(fd);
        errno = why;
        return err;
    }
    *out = fd;
    *size = (size_t)st.st_size;
    return MW_OK;
}

/* Reads `len` bytes, puts a NUL behind them, and closes. */
static int read_whole(int fd, char *bytes, size_t len)
{
    size_t n = 0;
    int why = EAGAIN; /* cut short while it was read */
    while (n < len) {
        ssize_t got = read(fd, bytes + n, len - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            why = errno;
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    bytes[n] = '\0';
    close(fd);
    errno = why;
    return n < len ? MW_ERR_IO : MW_OK;
}

int mw_read_file(struct mw_mem *mem, const char *path, char **text, size_t *len)
{
    int fd;
    size_t size;
    int err = open_regular(path, &fd, &size);
    if (err)
        return err;
    char *bytes = mw_alloc(mem, size + 1);
    if (!bytes) {
        close(fd);
        return MW_ERR_NOMEM;
    }
    err = read_whole(fd, bytes, size);
    if (err) {
        mw_free(mem, bytes, size + 1);
        return err;
    }
    *text = bytes;
    *len = size;
    return MW_OK;
}

/* The same into a block that several snapshots can share. */
static int read_shared(const char *path, struct mw_msg **out)
{
    int fd;
    size_t size;
    int err = open_regular(path, &fd, &size);
    if (err)
        return err;
    struct mw_msg *bytes = mw_msg_new(NULL, size + 1);
    if (!bytes) {
        close(fd);
        return MW_ERR_NOMEM;
    }
    err = read_whole(fd, mw_msg_payload(bytes), size);
    if (err) {
        mw_msg_drop(bytes);
        return err;
    }
    *out = bytes;
    return MW_OK;
}

/* ---- knowing a file again ---- */

static int64_t ns_of(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

static struct mw_project_stamp stamp_of(const struct scan *scan, const struct stat *st)
{
    int64_t settled_ns = ((int64_t)scan->look->now_unix_ms - SETTLED_MS) * 1000000;
    struct mw_project_stamp stamp = {
        .device = st->st_dev,
        .inode = st->st_ino,
        .size = (uint64_t)st->st_size,
        .modified_ns = ns_of(&st->st_mtim),
        .changed_ns = ns_of(&st->st_ctim),
    };
    stamp.is_settled = stamp.modified_ns < settled_ns && stamp.changed_ns < settled_ns;
    return stamp;
}

static bool is_same_stamp(const struct mw_project_stamp *a, const struct mw_project_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
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
    int n = snprintf(test, sizeof test, "_test%.*s", (int)scan->look->suffix.len,
                     scan->look->suffix.data);
    bool fits = name.len > scan->look->suffix.len &&
                !memcmp(name.data + name.len - scan->look->suffix.len, scan->look->suffix.data,
                        scan->look->suffix.len);
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

/* Takes the bytes of `found`. */
static int add(struct scan *scan, const struct entry *entry, const struct mw_project_file *found)
{
    struct mw_mem *mem = &scan->store->mem;
    struct mw_project_file file = *found;
    char *path = mw_mem_copy(mem, entry->path);
    file.path = mw_view(path, entry->path.len);
    file.stamp = entry->stamp;
    if (path && mw_project_add_file(scan->store, is_in_lib(entry->path), &file) == MW_OK)
        return MW_OK;
    if (path)
        mw_free(mem, path, entry->path.len + 1);
    mw_msg_drop(file.bytes);
    return MW_ERR_NOMEM;
}

/* The same file of the snapshot before, where it cannot have changed; NULL: read it. */
static const struct mw_project_file *known(const struct scan *scan, const struct entry *entry)
{
    const struct mw_project *before = scan->look->before;
    if (!before)
        return 0;
    const struct mw_project_file *file = is_in_lib(entry->path)
                                             ? mw_project_lib(before, entry->path)
                                             : mw_project_script(before, entry->path);
    bool is_same =
        file && file->bytes && file->stamp.is_settled && is_same_stamp(&file->stamp, &entry->stamp);
    return is_same ? file : 0;
}

static int take_again(struct scan *scan, const struct entry *entry,
                      const struct mw_project_file *file)
{
    (void)mw_msg_keep(file->bytes);
    return add(scan, entry, file);
}

/* One that cannot be read: a script of that kind is there with its problem, a library is not. */
static int take_problem(struct scan *scan, const struct entry *entry, const char *problem)
{
    if (is_in_lib(entry->path)) {
        snprintf(scan->why, 512, "%.256s is left out: %s", entry->full, problem);
        return MW_OK;
    }
    const struct mw_project_file file = {
        .hash = mw_hash64(mw_view_text(problem), 1),
        .problem = problem,
    };
    return add(scan, entry, &file);
}

static int take_text(struct scan *scan, const struct entry *entry)
{
    struct mw_msg *bytes = 0;
    int err = read_shared(entry->full, &bytes);
    if (err == MW_ERR_NOMEM)
        return err;
    if (err == MW_ERR_NOT_FOUND || err == MW_ERR_BAD_ARG)
        return MW_OK;
    const char *problem = problem_of(err);
    if (err)
        return problem ? take_problem(scan, entry, problem) : cannot_read(scan, entry->full);
    struct mw_view text = mw_view(mw_msg_payload(bytes), mw_msg_payload_len(bytes) - 1);
    const struct mw_project_file file = {
        .text = text,
        .hash = mw_hash64(text, 0),
        .bytes = bytes,
    };
    return add(scan, entry, &file);
}

static int take_file(struct scan *scan, const struct entry *entry)
{
    int err = watch_target(scan, entry);
    if (err)
        return err;
    const struct mw_project_file *same = known(scan, entry);
    return same ? take_again(scan, entry, same) : take_text(scan, entry);
}

static int walk(struct scan *scan, const char *below, int depth);

static int take_entry(struct scan *scan, const char *below, const char *name, int depth)
{
    char path[1024], full[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s%s%s", below, *below ? "/" : "", name);
    int m = snprintf(full, sizeof full, "%s/%s", scan->look->folder, path);
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
    entry.stamp = stamp_of(scan, &st);
    return take_file(scan, &entry);
}

/* NULL with errno 0: no further one. */
static struct dirent *next_entry(DIR *dir)
{
    errno = 0;
    return readdir(dir);
}

static int walk(struct scan *scan, const char *below, int depth)
{
    char folder[PATH_MAX];
    int n = snprintf(folder, sizeof folder, "%s%s%s", scan->look->folder, *below ? "/" : "", below);
    if (n < 0 || (size_t)n >= sizeof folder)
        return MW_OK;
    DIR *dir = opendir(folder);
    if (!dir)
        return cannot_read(scan, folder);
    int err = mw_project_add_folder(scan->store, folder);
    struct dirent *entry;
    while (!err && (entry = next_entry(dir)))
        err = take_entry(scan, below, entry->d_name, depth);
    if (!err && errno) /* or else scripts that are there would count as removed */
        err = cannot_read(scan, folder);
    closedir(dir);
    return err;
}

int mw_project_look(const struct mw_project_look *look, struct mw_project **out, char why[512])
{
    why[0] = '\0';
    struct scan scan = { .store = mw_project_store_new(), .look = look, .why = why };
    if (!scan.store)
        return MW_ERR_NOMEM;
    int err = MW_OK;
    if (!realpath(look->folder, scan.real)) {
        snprintf(why, 512, "%.256s cannot be read: %s", look->folder, strerror(errno));
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

int mw_project_scan(const char *folder, struct mw_view suffix, struct mw_project **out,
                    char why[512])
{
    const struct mw_project_look look = {
        .folder = folder,
        .suffix = suffix,
        .now_unix_ms = mw_clock_unix_ms(),
    };
    return mw_project_look(&look, out, why);
}
