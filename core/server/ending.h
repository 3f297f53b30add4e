/*
 * What is told of a connection's end: to the app, to the log, to those who ask later. The end
 * itself is ws_driver's.
 */
#ifndef MW_SERVER_ENDING_H
#define MW_SERVER_ENDING_H

#include "core/base/ip.h"
#include "core/proto/frame.h"
#include "core/server/cuts.h"
#include "core/server/end_record.h"
#include "moonwire/app.h"

struct mw_client;
struct mw_route;

/* Where texts of a description stand; on the stack of who asks. */
struct mw_ending_room {
    char hex[2 * MW_FRAME_HEAD_MAX];
    char ip[MW_IP_TEXT_LEN];
    char fault[768];
    struct mw_flight_entry flight[MW_FLIGHT_ENTRIES];
};

/* The end of a client whose end has begun; into `room`, the connection and static texts. */
void mw_ending_describe(const struct mw_client *client, struct mw_ending_room *room,
                        struct mw_end *end);

/* The log's line, the record, the counts, and what the route's deaths show. Once for each. */
void mw_ending_tell(struct mw_client *client, const struct mw_end *end,
                    struct mw_ending_room *room);

/*
 * The network has ended its connection, but not its session: what the route's deaths show. Its end
 * is told when that is over.
 */
void mw_ending_cut(struct mw_client *client);

/* What there is to know of one that is there, whether its end has begun or not. */
void mw_ending_look(const struct mw_client *client, struct mw_ending_room *room,
                    struct mw_end_record *facts);

/* Of a route that is freed. */
void mw_ending_forget(struct mw_route *route);

#endif
