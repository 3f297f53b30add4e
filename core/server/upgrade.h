/* From an upgrade request to an open WebSocket, or to its refusal. */
#ifndef MW_SERVER_UPGRADE_H
#define MW_SERVER_UPGRADE_H

#include "core/base/buf.h"
#include "core/proto/http.h"
#include "core/server/client.h"
#include "moonwire/app.h"

/* The current request wants to become a WebSocket; path is normalised. */
void mw_upgrade(struct mw_client *client, struct mw_view path);
/* It is the turn of a client whose script had to be waited for: on_open. */
void mw_upgrade_ask(struct mw_client *client);
/* What on_open, which had waited, has decided; NULL: it failed. */
void mw_upgrade_decide(struct mw_client *client, const struct mw_verdict *verdict);
/* The time for a decision is over: on_open waits still, or had no turn at all. */
void mw_upgrade_expire(struct mw_client *client);
/*
 * Ends a client whose on_open has not decided yet: it is upgraded first, so that it can read the
 * code (0: the cause's). The advice (NULL: none) stands in the place of the cause's.
 */
void mw_upgrade_give_up(struct mw_client *client, enum mw_cause cause, unsigned code,
                        struct mw_view reason, const struct mw_advice *advice);

/* ---- for comeback ---- */

/* Where parts of a request stand; on the stack of who asks. */
struct mw_upgrade_room {
    struct mw_tls_facts tls;
    char query[MW_HTTP_MAX_TARGET];
};
/* The request of a client in OPENING as the app sees it; into `room`, the client, its head. */
void mw_upgrade_request(const struct mw_client *client, struct mw_upgrade_room *room,
                        struct mw_request *request);
/* Nothing is read until there is a decision, which has its time. */
void mw_upgrade_wait(struct mw_client *client);
/*
 * What came behind the request are frames already: to client->unheard, which is there if there are
 * any.
 */
void mw_upgrade_keep_rest(struct mw_client *client, struct mw_http_conn *http);

/*
 * The hello of a client to whoever has this sideband (NULL: nothing). `missed`: the client's
 * session is back, and so many messages are lost; NULL: it is new, if there is one.
 */
int mw_upgrade_put_hello(const struct mw_client *client, const struct mw_sideband *sideband,
                         const uint64_t *missed, struct mw_buf *answer);

#endif
