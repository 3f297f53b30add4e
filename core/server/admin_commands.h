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
#include "core/server/stopping.h"

struct mw_admin_parts {
    struct mw_reload *reload;
    struct mw_crew *crew;
    const struct mw_stopping *stopping;
    void (*begin_drain)(void *server, bool restart); /* once, however often it is asked for */
    void *server;
    struct mw_link drains; /* calls that wait for it */
    bool has_begun;        /* the drain: its facts are there */
};

/* As mw_admin_open; parts are borrowed. */
int mw_admin_commands_open(struct mw_loop *loop, const char *path, struct mw_admin_parts *parts,
                           struct mw_admin **out, char why[256]);

/* A status has come back from the workers; takes it. */
void mw_admin_commands_mail(struct mw_status *status);

/* The server ends: only what asks, or has to do with that, is still done. NULL is allowed. */
void mw_admin_commands_narrow(struct mw_admin *admin);

/* The worker has begun to drain, and has ended: those who wait are told. */
void mw_admin_drain_begun(struct mw_admin_parts *parts);
void mw_admin_drain_over(struct mw_admin_parts *parts);

/* Where the socket of a project is. False: it has none. */
bool mw_admin_path(const struct mw_config *config, char out[MW_PLACE_MAX]);

#endif
