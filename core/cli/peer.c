/* Looks through /proc; where a process is not ours to look at, it says so. Called by the checkup.
 */
#define _GNU_SOURCE
#include "core/cli/peer.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void name_process(long pid, char out[128])
{
    char path[64], name[64] = "a process";
    snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    FILE *file = fopen(path, "re");
    if (file) {
        if (fgets(name, sizeof name, file))
            name[strcspn(name, "\n")] = '\0';
        (void)fclose(file);
    }
    snprintf(out, 128, "%s (pid %ld)", name, pid);
}

void mw_peer_name(int fd, char out[128])
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid > 0)
        name_process(peer.pid, out);
    else
        snprintf(out, 128, "another process");
}

/* Whether one of its descriptors is the socket; false too where we may not look. */
static bool has_socket(long pid, const char *wanted)
{
    char path[64], link[64];
    snprintf(path, sizeof path, "/proc/%ld/fd", pid);
    DIR *fds = opendir(path);
    if (!fds)
        return false;
    bool found = false;
    for (struct dirent *entry = readdir(fds); entry && !found; entry = readdir(fds)) {
        ssize_t len = readlinkat(dirfd(fds), entry->d_name, link, sizeof link - 1);
        if (len < 0)
            continue;
        link[len] = '\0';
        found = strcmp(link, wanted) == 0;
    }
    closedir(fds);
    return found;
}

void mw_socket_owner_name(uint64_t inode, char out[128])
{
    char wanted[64];
    snprintf(out, 128, "a process of another user");
    snprintf(wanted, sizeof wanted, "socket:[%llu]", (unsigned long long)inode);
    DIR *processes = inode ? opendir("/proc") : 0;
    if (!processes)
        return;
    for (struct dirent *entry = readdir(processes); entry; entry = readdir(processes)) {
        long pid = strtol(entry->d_name, 0, 10);
        if (pid <= 0 || !has_socket(pid, wanted))
            continue;
        name_process(pid, out);
        break;
    }
    closedir(processes);
}
