/*
 * What the server holds on behalf of one script, beside the script's own memory: messages that wait
 * to be sent, by connection or shared, and topics with who is in them. An account is its route's,
 * and lives on without it until the last thing in it has gone: messages of a script wait in queues
 * of others, too.
 *
 * The cap (script.queued) is kept where something is about to be queued, never where it is
 * allocated, so that Close frames and pongs always find their room.
 */
#ifndef MW_SERVER_ACCOUNT_H
#define MW_SERVER_ACCOUNT_H

#include "core/base/list.h"
#include "core/hub/sub.h"
#include "core/io/loop.h"
#include "core/server/rare.h"
#include "core/session/roll.h"

struct mw_worker;

struct mw_account {
    struct mw_link link; /* in worker->accounts */
    struct mw_worker *worker;
    struct mw_mem mem; /* below the worker's */
    struct mw_hub_party party;
    size_t max_bytes;
    struct mw_view name; /* of the script, while the route is there */
    struct mw_rare rare; /* what is told of the cap */
    mw_ms spent_ms;      /* the turn in which no client was left to end; 0: none */
    bool is_left;        /* by its route */
    struct mw_roll roll; /* what it publishes in this turn */
    struct mw_turn_task end_of_turn;
};

/* For the script of this name (borrowed until it is left). NULL: no memory. */
struct mw_account *mw_account_new(struct mw_worker *worker, struct mw_view name);
/* The route goes; the account goes when it is empty. NULL is allowed. */
void mw_account_leave(struct mw_account *account);
/* Frees those that were left and are empty by now. */
void mw_account_sweep(struct mw_worker *worker);

/* Where its small messages of this turn are joined, until the turn ends. */
struct mw_roll *mw_account_roll(struct mw_account *account);

/*
 * Whether `bytes` more may be queued. At the cap what is kept for sessions that are away goes
 * first. Then the clients that keep the most waiting are tried once more and then ended as slow
 * consumers, until a quarter of the cap is free; those that were ended so before and still take
 * nothing are cut at the end of the turn.
 */
bool mw_account_has_room(struct mw_account *account, size_t bytes);

#endif
