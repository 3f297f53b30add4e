/*
 * The checks of this machine: what the kernel allows. What a figure means is judged apart from
 * reading it. Called by checkup through doctor_checks.def.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/cli/checkup.h"
#include "core/io/listener.h"

/* What scripts, files, the log and the server itself need besides connections. */
#define FILES_BESIDES 100

/* ---- reading ---- */

/* The number that a file of /proc/sys begins with; false: there is none. */
static bool read_number(const char *path, uint64_t *out)
{
    char text[64];
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool has_line = fgets(text, sizeof text, file) != 0;
    (void)fclose(file);
    return has_line && mw_parse_u64(mw_view(text, strspn(text, "0123456789")), 0, UINT64_MAX, out);
}

/* ---- open files ---- */

void mw_checkup_judge_files(struct mw_doctor_line *line, uint64_t soft, uint64_t hard)
{
    uint64_t usable = hard > FILES_BESIDES ? hard - FILES_BESIDES : 0;
    char more[96] = "";
    if (soft < hard)
        snprintf(more, sizeof more, " (the shell's %llu is raised by the server)",
                 (unsigned long long)soft);
    mw_doctor_value(line, "%llu%s: room for about %llu connections", (unsigned long long)hard, more,
                    (unsigned long long)usable);
    if (hard >= 10000)
        return;
    line->state = hard < 1000 ? MW_DOCTOR_FAIL : MW_DOCTOR_WARN;
    mw_doctor_fix(line, "shell: ulimit -Hn 1048576 (as root)\n"
                        "systemd: LimitNOFILE=1048576\n"
                        "docker: --ulimit nofile=1048576:1048576");
}

/* False: cannot be read. */
static bool read_files(uint64_t *soft, uint64_t *hard)
{
    struct rlimit limit;
    uint64_t all;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return false;
    *soft = limit.rlim_cur;
    *hard = limit.rlim_max;
    if (read_number("/proc/sys/fs/file-max", &all) && all < *hard)
        *hard = all; /* of the whole machine */
    return true;
}

void mw_checkup_open_files(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    uint64_t soft, hard;
    (void)checkup;
    if (read_files(&soft, &hard))
        mw_checkup_judge_files(line, soft, hard);
    else
        mw_doctor_value(line, "cannot be read");
}

void mw_checkup_judge_connections(struct mw_doctor_line *line, uint64_t connections, uint64_t hard)
{
    uint64_t usable = hard > FILES_BESIDES ? hard - FILES_BESIDES : 0;
    if (connections == 0) {
        mw_doctor_value(line, "no limit but that of open files");
        return;
    }
    mw_doctor_value(line, "%llu, and open files for about %llu", (unsigned long long)connections,
                    (unsigned long long)usable);
    if (connections <= usable)
        return;
    line->state = MW_DOCTOR_WARN;
    mw_doctor_fix(line, "systemd: LimitNOFILE=%llu\nor: connections = %llu",
                  (unsigned long long)(connections + FILES_BESIDES), (unsigned long long)usable);
}

void mw_checkup_connections(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    uint64_t soft, hard;
    if (read_files(&soft, &hard))
        mw_checkup_judge_connections(line, (uint64_t)checkup->config.connections, hard);
    else
        mw_doctor_value(line, "cannot be read");
}

/* ---- backlog, conntrack ---- */

void mw_checkup_judge_backlog(struct mw_doctor_line *line, uint64_t somaxconn)
{
    mw_doctor_value(line, "net.core.somaxconn is %llu; the server asks for %d",
                    (unsigned long long)somaxconn, MW_LISTENER_BACKLOG);
    if (somaxconn >= 1024)
        return;
    line->state = MW_DOCTOR_WARN;
    mw_doctor_fix(line,
                  "now: sysctl -w net.core.somaxconn=%d\n"
                  "for good: echo net.core.somaxconn=%d > /etc/sysctl.d/60-moonwire.conf\n"
                  "docker: --sysctl net.core.somaxconn=%d",
                  MW_LISTENER_BACKLOG, MW_LISTENER_BACKLOG, MW_LISTENER_BACKLOG);
}

void mw_checkup_backlog(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    uint64_t somaxconn;
    (void)checkup;
    if (read_number("/proc/sys/net/core/somaxconn", &somaxconn))
        mw_checkup_judge_backlog(line, somaxconn);
    else
        mw_doctor_value(line, "cannot be read");
}

void mw_checkup_judge_conntrack(struct mw_doctor_line *line, uint64_t count, uint64_t max)
{
    mw_doctor_value(line, "%llu of %llu rows are taken", (unsigned long long)count,
                    (unsigned long long)max);
    if (max == 0 || count < max / 5 * 4)
        return;
    line->state = MW_DOCTOR_WARN;
    mw_doctor_fix(line, "sysctl -w net.netfilter.nf_conntrack_max=%llu",
                  (unsigned long long)max * 4);
}

void mw_checkup_conntrack(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    uint64_t count, max;
    (void)checkup;
    if (read_number("/proc/sys/net/netfilter/nf_conntrack_count", &count) &&
        read_number("/proc/sys/net/netfilter/nf_conntrack_max", &max))
        mw_checkup_judge_conntrack(line, count, max);
    else
        mw_doctor_value(line, "not in use here");
}

/* ---- the clock ---- */

void mw_checkup_clock(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    struct timespec now = { 0 };
    struct tm tm;
    char text[32] = "unknown";
    (void)checkup;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &tm))
        (void)strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    mw_doctor_value(line, "%s UTC", text);
    if (tm.tm_year + 1900 >= 2025)
        return; /* this program is no older */
    line->state = MW_DOCTOR_FAIL;
    mw_doctor_fix(line, "timedatectl set-ntp true");
}
