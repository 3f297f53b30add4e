/*
 * The checks of what serving needs besides sound files: its socket, folder, address, certificates.
 * Called by checkup through doctor_checks.def.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/cli/checkup.h"
#include "core/cli/peer.h"
#include "core/io/listener.h"
#include "core/io/local.h"
#include "core/server/admin_commands.h"
#include "core/server/certificate_files.h"
#include "core/server/certificate_say.h"

#define DAY_S 86400

/* ---- the admin socket and its folder ---- */

static void tell_no_server(struct mw_doctor_line *line, const char *path)
{
    struct stat st;
    if (lstat(path, &st)) {
        mw_doctor_value(line, "nobody serves this project now");
    } else if (!S_ISSOCK(st.st_mode)) {
        line->state = MW_DOCTOR_FAIL;
        mw_doctor_value(line, "%s is there, and is no socket", path);
        mw_doctor_fix(line, "mv %s %s.old", path, path);
    } else {
        line->state = MW_DOCTOR_WARN;
        mw_doctor_value(line, "%s was left behind by a server that is gone", path);
        mw_doctor_why(line, "That server did not end in order: it was killed, perhaps for memory, "
                            "and its clients saw 1006. The next one replaces the socket.");
        mw_doctor_fix(line, "dmesg | grep -i 'killed process'\n"
                            "journalctl -u YOUR-SERVICE -n 50");
    }
}

void mw_checkup_admin(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    char path[MW_PLACE_MAX];
    if (!mw_admin_path(&checkup->config, path)) {
        mw_doctor_value(line, "off, by admin.socket");
        return;
    }
    int fd = mw_local_dial(path);
    if (fd >= 0) {
        mw_doctor_value(line, "%s answers", checkup->server);
        close(fd);
    } else if (fd == MW_ERR_NOT_FOUND) {
        tell_no_server(line, path);
    } else {
        line->state = MW_DOCTOR_FAIL;
        mw_doctor_value(line, "%s: %s", path, strerror(errno));
        mw_doctor_fix(line, "ls -l %s\nrun moonwire as the user that the server runs as", path);
    }
}

/* The folder that a path stands in. */
static void folder_of(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(path, MW_PLACE_MAX, ".");
    else
        slash[slash == path] = '\0';
}

void mw_checkup_data(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    char path[MW_PLACE_MAX];
    if (!mw_admin_path(&checkup->config, path)) {
        mw_doctor_value(line, "not needed");
        return;
    }
    folder_of(path);
    bool is_there = access(path, F_OK) == 0;
    mw_doctor_value(line, "%s%s", path, is_there ? "" : " will be made");
    if (!is_there)
        folder_of(path);
    if (access(path, W_OK | X_OK) == 0)
        return;
    line->state = MW_DOCTOR_FAIL;
    mw_doctor_value(line, "%s: %s", path, strerror(errno));
    mw_doctor_fix(line, "chown %ld %s\nor, of the server: --admin-socket /run/moonwire/app.sock",
                  (long)geteuid(), path);
}

/* ---- the address ---- */

/* A row of /proc/net/tcp: "0: 0100007F:1F90 00000000:0000 0A ... inode ..."; 0A: it listens. */
static uint64_t inode_of_row(struct mw_view row, unsigned port)
{
    struct mw_view fields[10], field;
    size_t count = 0;
    char wanted[16];
    uint64_t inode;
    snprintf(wanted, sizeof wanted, ":%04X", port);
    while (count < MW_COUNT(fields) && mw_view_split(&row, ' ', &field)) {
        if (field.len)
            fields[count++] = field;
    }
    bool listens = count == MW_COUNT(fields) && mw_view_ends_with(fields[1], wanted) &&
                   mw_view_is(fields[3], "0A");
    return listens && mw_parse_u64(fields[9], 0, UINT64_MAX, &inode) ? inode : 0;
}

uint64_t mw_checkup_listener_inode(struct mw_view table, unsigned port)
{
    struct mw_view row;
    uint64_t inode = 0;
    while (!inode && mw_view_split(&table, '\n', &row))
        inode = inode_of_row(row, port);
    return inode;
}

static uint64_t inode_in_file(const char *path, unsigned port)
{
    char row[256];
    uint64_t inode = 0;
    FILE *file = fopen(path, "re");
    while (file && !inode && fgets(row, sizeof row, file))
        inode = mw_checkup_listener_inode(mw_view_text(row), port);
    if (file)
        (void)fclose(file);
    return inode;
}

static unsigned port_of(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    uint64_t port = 0;
    return colon && mw_parse_u64(mw_view_text(colon + 1), 0, UINT16_MAX, &port) ? (unsigned)port
                                                                                : 0;
}

static void tell_taken(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    char owner[128];
    unsigned port = port_of(checkup->config.listen);
    uint64_t inode = inode_in_file("/proc/net/tcp", port);
    mw_socket_owner_name(inode ? inode : inode_in_file("/proc/net/tcp6", port), owner);
    if (*checkup->server && !strcmp(owner, checkup->server)) {
        mw_doctor_value(line, "%s: this project's server, %s", checkup->config.listen, owner);
        return;
    }
    line->state = MW_DOCTOR_FAIL;
    mw_doctor_value(line, "%s is taken by %s", checkup->config.listen, owner);
    mw_doctor_fix(line, "ss -ltnp 'sport = :%u'\nor another port: --listen :%u", port,
                  port < UINT16_MAX ? port + 1 : port - 1);
}

void mw_checkup_port(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    const char *listen = checkup->config.listen;
    int error = mw_listener_try(mw_view_text(listen));
    if (error == 0) {
        mw_doctor_value(line, "%s is free", listen);
        return;
    }
    if (error == EADDRINUSE) {
        tell_taken(checkup, line);
        return;
    }
    line->state = MW_DOCTOR_FAIL;
    mw_doctor_value(line, "%s: %s", listen, strerror(error));
    if (error == EACCES)
        mw_doctor_fix(line, "setcap cap_net_bind_service=+ep $(command -v moonwire)\n"
                            "systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE");
    else if (error == EADDRNOTAVAIL)
        mw_doctor_fix(line, "ip -brief address shows what this machine has; :%u is all of them",
                      port_of(listen));
    else
        mw_doctor_fix(line, "listen = \"127.0.0.1:8080\", \"[::1]:8080\" or \":8080\"");
}

/* ---- certificates ---- */

void mw_checkup_judge_dates(struct mw_doctor_line *line, const char *subject, int64_t from_unix_s,
                            int64_t until_unix_s, int64_t now_unix_s)
{
    long long days = (long long)((until_unix_s - now_unix_s) / DAY_S);
    if (until_unix_s <= now_unix_s) {
        line->state = MW_DOCTOR_FAIL;
        mw_doctor_value(line, "%s has expired %lld days ago", subject, -days);
    } else if (from_unix_s > now_unix_s) {
        line->state = MW_DOCTOR_FAIL;
        mw_doctor_value(line, "%s is not valid before %lld days from now", subject,
                        (long long)((from_unix_s - now_unix_s + DAY_S - 1) / DAY_S));
    } else {
        line->state = days < MW_CERTIFICATE_WARN_DAYS ? MW_DOCTOR_WARN : MW_DOCTOR_OK;
        mw_doctor_value(line, "%s, %lld days left", subject, days);
    }
    if (line->state != MW_DOCTOR_OK)
        mw_doctor_fix(line, "certbot renew, or whatever gave you this one\n"
                            "the server reads the new files by itself");
}

/* The one that ends first. */
static void judge_context(struct mw_doctor_line *line, const struct mw_tls_ctx *ctx)
{
    struct mw_tls_about about, first = { .expires_unix_s = INT64_MAX };
    for (size_t i = 0; mw_tls_ctx_about(ctx, i, &about); i++) {
        if (about.expires_unix_s < first.expires_unix_s)
            first = about;
    }
    mw_checkup_judge_dates(line, first.subject, first.begins_unix_s, first.expires_unix_s, time(0));
}

static int read_context(const struct mw_checkup *checkup, struct mw_tls_ctx **ctx, char why[512])
{
    struct mw_mem mem;
    struct mw_certificate_files files;
    mw_mem_init(&mem, 0, 0);
    int err = mw_certificate_files_read(&files, &mem, &checkup->config, why);
    if (!err) {
        const struct mw_tls_setup setup = {
            .pairs = files.pairs,
            .pair_count = files.pair_count,
            .least = mw_config_least_version(&checkup->config),
            .client = mw_config_client(&checkup->config),
            .client_ca = files.client_ca,
        };
        err = mw_tls_ctx_new(&mem, &setup, ctx, why);
    }
    mw_certificate_files_free(&files);
    return err;
}

void mw_checkup_certificates(const struct mw_checkup *checkup, struct mw_doctor_line *line)
{
    struct mw_tls_ctx *ctx = 0;
    char why[512] = "";
    if (!mw_config_has_tls(&checkup->config)) {
        mw_doctor_value(line, "none: connections are not TLS");
    } else if (read_context(checkup, &ctx, why)) {
        line->state = MW_DOCTOR_FAIL;
        mw_doctor_value(line, "%s", *why ? why : "out of memory");
        mw_doctor_fix(line, "moonwire serve says the same; docs/running.md, TLS");
    } else {
        judge_context(line, ctx);
    }
    mw_tls_ctx_release(ctx);
}
