/*
 * The near end of a server's control channel (core/server/admin.h): one request, its lines.
 * Blocking; for commands that do one thing and end.
 */
#ifndef MW_CLI_CONTROL_H
#define MW_CLI_CONTROL_H

#include "core/base/buf.h"
#include "core/cli/args.h"
#include "core/server/config.h"

struct mw_control {
    int fd;
    struct mw_mem mem;
    struct mw_buf in;
    size_t used;     /* of `in`: lines that were given already */
    bool has_config; /* the settings of the project could be read: of mw_control_try */
    struct mw_config config;
};

/*
 * Reaches the server of the project that the command line names. 0, or an exit code, and then what
 * is wrong, which path was tried and what to do has been said.
 */
int mw_control_open(struct mw_control *control, const struct mw_args *args);

/*
 * The same for who can do without: false where no server can be reached, of which nothing is said.
 * Close it in both cases.
 */
bool mw_control_try(struct mw_control *control, const struct mw_args *args);
void mw_control_close(struct mw_control *control);

/* Sends a line (without its end). MW_ERR_IO: it is not heard, but there may be lines to read. */
int mw_control_send(struct mw_control *control, struct mw_view line);

/*
 * The next line, until the next call. MW_ERR_CLOSED: the server is gone; MW_ERR_AGAIN: it says
 * nothing within `patience_ms`; MW_ERR_NOMEM.
 */
int mw_control_next(struct mw_control *control, int patience_ms, struct mw_view *line);

#endif
