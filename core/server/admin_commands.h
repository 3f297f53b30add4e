/*
 * What can be asked over the control channel: one table of commands. Another one is a row, and what
 * it works on a member of the parts.
 */
#ifndef MW_SERVER_ADMIN_COMMANDS_H
#define MW_SERVER_ADMIN_COMMANDS_H

#include "core/server/admin.h"
#include "core/server/config.h"
#include "core/server/places.h"
#include "core/server/reload.h"
#include "core/server/status.h"

struct mw_admin_parts {
    struct mw_reload *reload;
    struct mw_worker *worker;
};

/* As mw_admin_open; parts are borrowed. */
int mw_admin_commands_open(struct mw_loop *loop, const char *path, struct mw_admin_parts *parts,
                           struct mw_admin **out, char why[256]);

/* A status has come back from the worker; takes it. */
void mw_admin_commands_mail(struct mw_status *status);

/* Where the socket of a project is. False: it has none. */
bool mw_admin_path(const struct mw_config *config, char out[MW_PLACE_MAX]);

#endif
