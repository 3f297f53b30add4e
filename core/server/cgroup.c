/*
 * Reads /proc/self/cgroup (cgroups(7)), then the limits of the group that it names and of all above
 * it. In a container the path may be that of the host, of which nothing but the top is seen: then
 * that is what counts. Called by server, once.
 */
#include "core/server/cgroup.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/server/process.h"

#define PATH_BYTES 1024

/* v1 says "no limit" by a number near 2^63; nobody has that much. */
#define NO_LIMIT (1ull << 60)

/* Two kinds of hierarchy: by the second field of a line, where it is seen, and its file. */
static const struct kind {
    const char *controller, *mount, *file;
} kinds[] = {
    { "", "/sys/fs/cgroup", "memory.max" },
    { "memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes" },
};

static uint64_t least(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a | b;
    return a < b ? a : b;
}

/* "max", or a number and a newline. */
static uint64_t limit_of(const char *root, const struct kind *kind, struct mw_view group)
{
    char path[PATH_BYTES], text[MW_PROCESS_TEXT_BYTES];
    uint64_t bytes = 0;
    int len = snprintf(path, sizeof path, "%s%s%.*s/%s", root, kind->mount, (int)group.len,
                       group.data, kind->file);
    if (len < 0 || (size_t)len >= sizeof path)
        return 0;
    struct mw_view rest = mw_process_text(path, text), number;
    if (!mw_view_split(&rest, '\n', &number))
        return 0;
    return mw_parse_u64(number, 0, NO_LIMIT, &bytes) && bytes < NO_LIMIT ? bytes : 0;
}

/* Of the group "/a/b", of "/a", and of the top. */
static uint64_t limit_from(const char *root, const struct kind *kind, struct mw_view group)
{
    uint64_t bytes = 0;
    while (group.len && group.data[group.len - 1] == '/')
        group.len--;
    for (;;) {
        bytes = least(bytes, limit_of(root, kind, group));
        if (group.len == 0)
            return bytes;
        while (group.len && group.data[--group.len] != '/') {
        }
    }
}

static bool lists(struct mw_view controllers, const char *wanted)
{
    struct mw_view name;
    if (!*wanted)
        return controllers.len == 0;
    while (mw_view_split(&controllers, ',', &name)) {
        if (mw_view_is(name, wanted))
            return true;
    }
    return false;
}

/* "4:cpu,memory:/system.slice/moonwire.service", or with nothing between the colons for v2. */
static uint64_t limit_by_line(const char *root, struct mw_view line)
{
    struct mw_view number, controllers;
    uint64_t bytes = 0;
    if (!mw_view_split(&line, ':', &number) || !mw_view_split(&line, ':', &controllers))
        return 0;
    for (size_t i = 0; i < MW_COUNT(kinds); i++) {
        if (lists(controllers, kinds[i].controller))
            bytes = least(bytes, limit_from(root, &kinds[i], line));
    }
    return bytes;
}

uint64_t mw_cgroup_memory_limit(const char *root)
{
    char path[PATH_BYTES], text[MW_PROCESS_TEXT_BYTES];
    uint64_t bytes = 0;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    struct mw_view rest = mw_process_text(path, text), line;
    while (mw_view_split(&rest, '\n', &line))
        bytes = least(bytes, limit_by_line(root, line));
    return bytes;
}
