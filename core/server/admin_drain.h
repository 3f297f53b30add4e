/*
 * `drain` of the control channel: begins the end of the server, says what will happen, and for who
 * waits how it went.
 */
#ifndef MW_SERVER_ADMIN_DRAIN_H
#define MW_SERVER_ADMIN_DRAIN_H

#include "core/server/admin_commands.h"

/* A command: {"cmd":"drain","restart":true,"wait":true}. */
void mw_admin_run_drain(void *parts, struct mw_admin_call *call);

#endif
