/* A temporary folder of a test, gone at its end with all that is in it. */
#ifndef MW_TESTS_UNIT_IO_FOLDER_H
#define MW_TESTS_UNIT_IO_FOLDER_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct folder {
    char path[256];
};

/* A path below the folder; valid until the eighth call from here. */
static inline const char *below(const struct folder *folder, const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % MW_COUNT(paths)];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder->path, name);
    return path;
}

static inline void make_folder(struct folder *folder)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder->path, sizeof(folder->path), "%s/mw-test-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(folder->path));
}

/* Takes the descriptor. */
static inline void remove_entries_(int folder)
{
    DIR *entries = fdopendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (entry->d_type == DT_DIR)
            remove_entries_(openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        int flags = entry->d_type == DT_DIR ? AT_REMOVEDIR : 0;
        assert_int_equal(unlinkat(folder, name, flags), 0);
    }
    closedir(entries);
}

static inline void remove_tree(const char *path)
{
    remove_entries_(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    assert_int_equal(rmdir(path), 0);
}

static inline void remove_folder(struct folder *folder)
{
    remove_tree(folder->path);
}

static inline void make_below(const struct folder *folder, const char *name)
{
    assert_int_equal(mkdir(below(folder, name), 0700), 0);
}

static inline void write_file(const struct folder *folder, const char *name, const char *text)
{
    int fd = open(below(folder, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static inline void move_file(const struct folder *folder, const char *from, const char *to)
{
    assert_int_equal(rename(below(folder, from), below(folder, to)), 0);
}

static inline void link_file(const struct folder *folder, const char *target, const char *name)
{
    assert_int_equal(symlink(target, below(folder, name)), 0);
}

static inline void delete_file(const struct folder *folder, const char *name)
{
    assert_int_equal(unlink(below(folder, name)), 0);
}

#endif
