/*
 * What is published reaches the connections of this worker: those of its own scripts' messages at
 * once, those of other workers' when the inbox is looked at, and what a topic has kept when a
 * connection joins it. The order of a topic is the same everywhere (hub/topic.h).
 */
#ifndef MW_SERVER_FANOUT_H
#define MW_SERVER_FANOUT_H

#include "moonwire/host.h"

struct mw_client;
struct mw_route;
struct mw_worker;

struct mw_saying {
    struct mw_view topic, data;
    enum mw_opcode kind;
    mw_id except;                  /* who does not get it; 0: nobody */
    const struct mw_send_how *how; /* NULL: as the route of each receiver says */
};

/* For the worker: the hub and its inbox, before the loop is there; the end of what it waits for. */
void mw_fanout_open(struct mw_worker *worker);
void mw_fanout_close(struct mw_worker *worker);

/* As mw_host.publish; *offset is set where the topic has a history, else 0. */
long mw_fanout_publish(struct mw_route *route, const struct mw_saying *saying, uint64_t *offset);

/* The letter has come that something stands in the inbox. */
void mw_fanout_take(struct mw_worker *worker);

/* As mw_host.subscribe. */
int mw_fanout_subscribe(struct mw_client *client, struct mw_view topic,
                        const struct mw_subscribe_how *how, struct mw_subscribed *told);
/* As mw_host.unsubscribe. */
int mw_fanout_unsubscribe(struct mw_client *client, struct mw_view topic);
/* All topics, at the end of the connection. */
void mw_fanout_leave(struct mw_client *client);

#endif
