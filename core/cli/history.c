/*
 * A line a line, oldest first. What people type may hold tokens, so nobody else may read it, also
 * where somebody made the file before us. Called by connect_input.
 */
#include "core/cli/history.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/str.h"

#define KEPT_BYTES 65536  /* of the file's end, which is what is read */
#define FILE_BYTES 262144 /* a longer one is cut to what is read */

bool mw_history_path(char out[MW_HISTORY_PATH_MAX])
{
    static const char name[] = "moonwire/connect_history";
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int len = 0;
    if (state && *state == '/') /* the specification has others ignored */
        len = snprintf(out, MW_HISTORY_PATH_MAX, "%s/%s", state, name);
    else if (home && *home == '/')
        len = snprintf(out, MW_HISTORY_PATH_MAX, "%s/.local/state/%s", home, name);
    return len > 0 && len < MW_HISTORY_PATH_MAX;
}

/* Each folder above the file that is not there. */
static void make_folders(const char *path)
{
    char folder[MW_HISTORY_PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(folder, 0700);
        *slash = '/';
    }
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t wrote = write(fd, bytes, len);
        if (wrote <= 0)
            return false;
        bytes += wrote;
        len -= (size_t)wrote;
    }
    return true;
}

/* The new one takes the old one's place whole, or not at all. */
static void cut_file(const char *path, struct mw_view text)
{
    char fresh[MW_HISTORY_PATH_MAX + 8];
    snprintf(fresh, sizeof fresh, "%s.XXXXXX", path);
    int fd = mkstemp(fresh); /* 0600 */
    if (fd < 0)
        return;
    bool is_whole = write_all(fd, text.data, text.len);
    close(fd);
    if (!is_whole || rename(fresh, path) < 0)
        (void)unlink(fresh);
}

/* The end of the file, from the beginning of a line on. */
static struct mw_view read_end(int fd, char *bytes, off_t size)
{
    off_t from = size > KEPT_BYTES ? size - KEPT_BYTES : 0;
    ssize_t got = pread(fd, bytes, KEPT_BYTES, from);
    struct mw_view text = mw_view(bytes, got > 0 ? (size_t)got : 0);
    return from ? mw_view_from(text, mw_view_find(text, '\n', 0) + 1) : text;
}

void mw_history_load(struct mw_line *line, const char *path)
{
    static char bytes[KEPT_BYTES];
    struct stat info;
    struct mw_view row;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    if (!fstat(fd, &info) && S_ISREG(info.st_mode)) {
        struct mw_view text = read_end(fd, bytes, info.st_size);
        if (info.st_size > FILE_BYTES && text.len)
            cut_file(path, text);
        while (mw_view_split(&text, '\n', &row))
            mw_line_remember(line, row);
    }
    close(fd);
}

void mw_history_add(const char *path, struct mw_view text)
{
    struct stat info;
    if (!text.len || text.data[0] == ' ')
        return;
    make_folders(path);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0)
        return;
    if (!fstat(fd, &info) && S_ISREG(info.st_mode)) {
        (void)fchmod(fd, 0600);
        (void)(write_all(fd, text.data, text.len) && write_all(fd, "\n", 1));
    }
    close(fd);
}
