/* Finds the socket by the project's settings, as the server does. Called by answer and here. */
#define _GNU_SOURCE
#include "core/cli/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/cli/settings.h"
#include "core/io/local.h"
#include "core/server/admin_commands.h"
#include "core/server/server.h"
#include "moonwire/engine_lua.h"

#define READ_BYTES 4096

static int nobody_there(const char *path, int err)
{
    if (err == MW_ERR_NOT_FOUND)
        fprintf(
            stderr,
            "moonwire: no server listens at %s\n"
            "  is it running, and of this folder? name the folder that moonwire serve was given, "
            "and --admin-socket where it was given one\n",
            path);
    else
        fprintf(stderr, "moonwire: %s: %s\n", path, strerror(errno));
    return MW_EXIT_UNAVAILABLE;
}

static void start(struct mw_control *control)
{
    *control = (struct mw_control){ .fd = -1 };
    mw_mem_init(&control->mem, 0, 0);
    mw_buf_init(&control->in, &control->mem, 0);
}

/*
 * Without moonwire.lua there is nothing in a folder that could be wrong, and nothing is said about
 * one that is no project at all.
 */
static bool settings_without_complaint(const struct mw_args *args, struct mw_config *config)
{
    struct mw_places places;
    char path[MW_PLACE_MAX], why[512];
    const char *dir = args->dir ? args->dir : ".";
    int len = snprintf(path, sizeof path, "%s/moonwire.lua", dir);
    if (len < 0 || (size_t)len >= sizeof path)
        return false;
    if (access(path, R_OK) == 0)
        return mw_cli_settings(args, mw_engine_lua(), true, config, &places) == MW_EXIT_OK;
    mw_config_default(config);
    config->dir = mw_view_text(dir);
    return mw_config_from_environment(config, why) == MW_OK &&
           mw_args_apply(args, config, why) == MW_OK;
}

bool mw_control_try(struct mw_control *control, const struct mw_args *args)
{
    char path[MW_PLACE_MAX];
    start(control);
    control->has_config = settings_without_complaint(args, &control->config);
    if (control->has_config && mw_admin_path(&control->config, path))
        control->fd = mw_local_dial(path);
    return control->fd >= 0;
}

int mw_control_open(struct mw_control *control, const struct mw_args *args)
{
    struct mw_config config;
    struct mw_places places;
    char path[MW_PLACE_MAX];
    start(control);
    int code = mw_cli_settings(args, mw_engine_lua(), true, &config, &places);
    if (code)
        return code;
    if (!mw_admin_path(&config, path))
        return mw_cli_fail(MW_EXIT_UNAVAILABLE, "",
                           "admin.socket is off: a server of this project cannot be talked to");
    control->fd = mw_local_dial(path);
    return control->fd < 0 ? nobody_there(path, control->fd) : MW_EXIT_OK;
}

void mw_control_close(struct mw_control *control)
{
    if (control->fd >= 0)
        close(control->fd);
    mw_buf_free(&control->in);
}

static int send_all(int fd, struct mw_view bytes)
{
    while (bytes.len) {
        ssize_t n = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return MW_ERR_IO;
        bytes = mw_view_from(bytes, (size_t)n);
    }
    return MW_OK;
}

int mw_control_send(struct mw_control *control, struct mw_view line)
{
    int err = send_all(control->fd, line);
    return err ? err : send_all(control->fd, mw_view("\n", 1));
}

static int read_more(struct mw_control *control, int patience_ms)
{
    struct pollfd waits = { .fd = control->fd, .events = POLLIN };
    int ready = poll(&waits, 1, patience_ms);
    if (ready == 0)
        return MW_ERR_AGAIN;
    if (mw_buf_reserve(&control->in, READ_BYTES))
        return MW_ERR_NOMEM;
    ssize_t n = recv(control->fd, control->in.data + control->in.len, READ_BYTES, 0);
    if (n < 0 && errno == EINTR)
        return MW_OK;
    if (n <= 0)
        return MW_ERR_CLOSED;
    control->in.len += (size_t)n;
    return MW_OK;
}

int mw_control_next(struct mw_control *control, int patience_ms, struct mw_view *line)
{
    mw_buf_skip(&control->in, control->used);
    control->used = 0;
    for (size_t seen = 0;;) {
        struct mw_view in = mw_buf_view(&control->in);
        size_t end = mw_view_find(in, '\n', seen);
        if (end < in.len) {
            control->used = end + 1;
            *line = mw_view(in.data, end);
            return MW_OK;
        }
        seen = in.len;
        int err = read_more(control, patience_ms);
        if (err)
            return err;
    }
}
