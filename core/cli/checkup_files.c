/*
 * The checks of a project's files: whether they are sound, and whether a change to them would be
 * seen. Called by checkup through doctor_checks.def.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/cli/checkup.h"
#include "core/server/check.h"
#include "core/server/project.h"

/* ---- settings and scripts ---- */

void mw_checkup_settings(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    struct mw_view rest = mw_view_text(checkup->trouble), first;
    if (checkup->has_settings) {
        bool has_file = access(checkup->places.settings, F_OK) == 0;
        mw_doctor_value(line, "%s", has_file ? checkup->places.settings : "the defaults");
        return;
    }
    line->state = MW_DOCTOR_FAIL;
    if (mw_view_split(&rest, '\n', &first))
        mw_doctor_value(line, "%.*s", (int)first.len, first.data);
    mw_doctor_fix(line, "moonwire check %.*s", (int)checkup->config.dir.len,
                  checkup->config.dir.data);
}

/* Of moonwire.lua there is a line of its own. */
static void count_findings(struct mw_doctor_line *line, const struct mw_checkup *checkup,
                           const struct mw_findings *findings, size_t files)
{
    const struct mw_found *first = 0;
    size_t errors = 0, warnings = 0;
    for (size_t i = 0; i < findings->count; i++) {
        const struct mw_found *found = &findings->items[i];
        if (!strcmp(found->file, checkup->places.settings))
            continue;
        first = first ? first : found;
        errors += found->severity == MW_SEVERITY_ERROR;
        warnings += found->severity == MW_SEVERITY_WARNING;
    }
    mw_doctor_value(line, "%zu file%s, %zu error%s, %zu warning%s", files, files == 1 ? "" : "s",
                    errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
    if (!first)
        return;
    line->state = errors ? MW_DOCTOR_FAIL : MW_DOCTOR_WARN;
    mw_doctor_why(line, "The first: %s:%d: %s", first->file, first->line, first->message);
    mw_doctor_fix(line, "moonwire check %.*s", (int)checkup->config.dir.len,
                  checkup->config.dir.data);
}

void mw_checkup_scripts(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    struct mw_findings findings;
    struct mw_mem mem;
    size_t files = 0;
    char why[512];
    mw_mem_init(&mem, 0, 0);
    mw_findings_init(&findings, &mem);
    if (mw_check_project(&findings, checkup->engine, &checkup->places, &files, why)) {
        line->state = MW_DOCTOR_FAIL;
        mw_doctor_value(line, "%s", why);
    } else {
        count_findings(line, checkup, &findings, files);
    }
    mw_findings_free(&findings);
}

/* ---- whether changes are seen ---- */

static void tell_no_watch(struct mw_doctor_line *line, int error, const char *folder)
{
    line->state = MW_DOCTOR_FAIL;
    mw_doctor_value(line, "%s: %s", folder, strerror(error));
    if (error == EMFILE)
        mw_doctor_fix(line, "sysctl -w fs.inotify.max_user_instances=1024");
    else if (error == ENOSPC)
        mw_doctor_fix(line, "sysctl -w fs.inotify.max_user_watches=524288");
    else
        mw_doctor_fix(line, "ls -ld %s", folder);
}

/* Does what the server does, and gives it back. */
void mw_checkup_watching(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    const struct mw_project *project = checkup->project;
    int fd = inotify_init1(IN_CLOEXEC);
    if (fd < 0) {
        tell_no_watch(line, errno, "inotify");
        return;
    }
    mw_doctor_value(line, "%zu folder%s", project->folder_count,
                    project->folder_count == 1 ? "" : "s");
    for (size_t i = 0; i < project->folder_count; i++) {
        if (inotify_add_watch(fd, project->folders[i], IN_CREATE) >= 0 || errno == ENOENT)
            continue;
        tell_no_watch(line, errno, project->folders[i]);
        break;
    }
    close(fd);
}

/* One of the octal escapes of proc(5), "\040", or the byte itself. */
static size_t unescape(struct mw_view text, char *out)
{
    bool is_escape = text.len >= 4 && text.data[0] == '\\';
    for (size_t i = 1; is_escape && i < 4; i++)
        is_escape = text.data[i] >= '0' && text.data[i] <= '7';
    *out = is_escape
               ? (char)((text.data[1] - '0') * 64 + (text.data[2] - '0') * 8 + text.data[3] - '0')
               : text.data[0];
    return is_escape ? 4 : 1;
}

static bool is_path(struct mw_view escaped, struct mw_view path)
{
    size_t at = 0;
    while (escaped.len && at < path.len) {
        char byte;
        escaped = mw_view_from(escaped, unescape(escaped, &byte));
        if (byte != path.data[at++])
            return false;
    }
    return escaped.len == 0 && at == path.len;
}

bool mw_checkup_is_mount(struct mw_view mountinfo, struct mw_view path)
{
    struct mw_view row, field;
    while (mw_view_split(&mountinfo, '\n', &row)) {
        size_t number = 0;
        while (number < 5 && mw_view_split(&row, ' ', &field))
            number++;
        if (number == 5 && is_path(field, path))
            return true;
    }
    return false;
}

/* /proc/self/mountinfo, whole; empty where it cannot be read. */
static void read_mounts(struct mw_buf *out)
{
    char part[4096];
    FILE *file = fopen("/proc/self/mountinfo", "re");
    size_t n = file ? fread(part, 1, sizeof part, file) : 0;
    for (; n > 0 && mw_buf_put(out, part, n) == MW_OK; n = fread(part, 1, sizeof part, file))
        ;
    if (file)
        (void)fclose(file);
}

static bool is_mounted_alone(const struct mw_checkup *checkup, const struct mw_project_file *file,
                             struct mw_view mounts)
{
    char path[MW_PLACE_MAX + 512];
    struct stat own, folder;
    if (stat(checkup->places.scripts, &folder))
        return false;
    snprintf(path, sizeof path, "%s/%s", checkup->places.scripts, file->path.data);
    char real[PATH_MAX];
    bool is_there = realpath(path, real) != 0;
    /* Through a link it may well be on another device, and the link is what is watched. */
    bool is_link = lstat(path, &own) == 0 && S_ISLNK(own.st_mode);
    bool is_other = !is_link && stat(path, &own) == 0 && own.st_dev != folder.st_dev;
    return is_there && !is_link && (is_other || mw_checkup_is_mount(mounts, mw_view_text(real)));
}

void mw_checkup_mounts(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    struct mw_mem mem;
    struct mw_buf mounts;
    mw_mem_init(&mem, 0, 0);
    mw_buf_init(&mounts, &mem, 0);
    read_mounts(&mounts);
    mw_doctor_value(line, "no script is mounted alone");
    for (size_t i = 0; i < checkup->project->script_count; i++) {
        const struct mw_project_file *file = &checkup->project->scripts[i];
        if (!is_mounted_alone(checkup, file, mw_buf_view(&mounts)))
            continue;
        line->state = MW_DOCTOR_WARN;
        mw_doctor_value(line, "%s is a mount of a single file", file->path.data);
        mw_doctor_fix(line,
                      "mount its folder instead: docker run -v $PWD/scripts:/app/scripts ...");
        break;
    }
    mw_buf_free(&mounts);
}

void mw_checkup_filesystem(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    static const struct {
        long magic;
        const char *name;
    } remote[] = {
        { 0x6969, "NFS" },      { 0xFF534D42, "CIFS" },
        { 0xFE534D42, "SMB" },  { 0x01021997, "9p, a folder of the host" },
        { 0x65735546, "FUSE" }, { 0x786F4256, "vboxsf" },
        { 0x00C36400, "Ceph" },
    };
    struct statfs fs;
    mw_doctor_value(line, "of this machine");
    for (size_t i = 0; statfs(checkup->places.scripts, &fs) == 0 && i < MW_COUNT(remote); i++) {
        if ((unsigned long)fs.f_type != (unsigned long)remote[i].magic)
            continue;
        line->state = MW_DOCTOR_WARN;
        mw_doctor_value(line, "%s is on %s", checkup->places.scripts, remote[i].name);
        mw_doctor_fix(line, "after a change from there: moonwire reload %.*s",
                      (int)checkup->config.dir.len, checkup->config.dir.data);
        break;
    }
}

void mw_checkup_saved_later(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    int64_t now_s = time(0);
    mw_doctor_value(line, "no file is of a time that is to come");
    for (size_t i = 0; i < checkup->project->script_count; i++) {
        const struct mw_project_file *file = &checkup->project->scripts[i];
        int64_t ahead_s = file->stamp.modified_ns / 1000000000 - now_s;
        if (ahead_s <= 60)
            continue;
        line->state = MW_DOCTOR_WARN;
        mw_doctor_value(line, "%s was saved %lld s from now", file->path.data, (long long)ahead_s);
        mw_doctor_fix(line, "is the clock right? date\ntouch %s/%s", checkup->places.scripts,
                      file->path.data);
        break;
    }
}
