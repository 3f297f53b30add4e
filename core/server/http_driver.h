/* Requests before an upgrade, on a client in phase HTTP. */
#ifndef MW_SERVER_HTTP_DRIVER_H
#define MW_SERVER_HTTP_DRIVER_H

#include "core/server/client.h"

/* The client was accepted then: its time for a head has begun. False: no memory. */
bool mw_http_driver_open(struct mw_client *client, mw_ms at_ms);
/*
 * Takes some of the bytes, and returns how many: the next ones may be the next phase's. 0: there is
 * no room for them, and no going on.
 */
size_t mw_http_driver_read(struct mw_client *client, char *bytes, size_t len);
void mw_http_driver_settle(struct mw_client *client);
void mw_http_driver_alarm(struct mw_client *client);
/* The stream has ended. */
void mw_http_driver_end(struct mw_client *client, enum mw_stream_end how);
/*
 * Puts a refusal as the answer to the current request, with Retry-After and what its body says of
 * that (refusal.h); `extra` are other header lines, or NULL.
 */
void mw_http_driver_refuse(struct mw_client *client, unsigned status, const char *error,
                           struct mw_view detail, const char *extra);
/* With other advice than that of refusal.def and the status: a slot of a drain. */
void mw_http_driver_refuse_until(struct mw_client *client, unsigned status, const char *error,
                                 struct mw_view detail, const struct mw_advice *retry);
/*
 * For static_files: the answer's head is in http->out and no body follows, or all of it has left.
 */
void mw_http_driver_answered(struct mw_client *client);
void mw_http_driver_close(struct mw_client *client);

#endif
