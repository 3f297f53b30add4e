/*
 * Blocks that a connection has only while it needs them, lent by the worker's pool: what a frame
 * that is not whole yet needs, and what output that waits needs. The connection that gives one back
 * last leaves it warm in the cache for the next one.
 */
#ifndef MW_SESSION_CONN_POOL_H
#define MW_SESSION_CONN_POOL_H

#include "core/proto/message.h"
#include "core/session/outq.h"

/* From bytes fed until they are used up, and then until the frame and the message are whole. */
struct mw_conn_reading {
    struct mw_reader reader;
    /* The frame that is not whole yet: since when it is watched (MW_NEVER), with how many bytes. */
    mw_ms frame_ms;
    uint64_t frame_bytes;
    uint32_t frame_number;
    struct mw_conn_reading *next; /* of the spare ones */
};

/* The pong that a peer gets once it has taken what stands before it. */
struct mw_owed_pong {
    uint8_t len;
    char payload[MW_CONTROL_MAX];
};

/* As long as anything waits to be sent. Who was once too slow for a message keeps it. */
struct mw_conn_sending {
    struct mw_outq out;
    mw_ms last_write_ms;
    struct mw_owed_pong *owed;    /* NULL: none */
    uint64_t dropped, replaced;   /* messages: see mw_conn_dropped, mw_conn_replaced */
    uint32_t answered;            /* bytes that answer what the peer said, more or less */
    uint32_t untold;              /* of `dropped`: since the peer was told last */
    bool choked;                  /* by too many answers */
    struct mw_conn_sending *next; /* of the spare ones */
};

/* Both directions of permessage-deflate, where it was agreed on; all of a window comes later. */
struct mw_conn_deflate {
    struct mw_deflater out;
    struct mw_inflater in;
};

/* What the connections of a worker share. */
struct mw_conn_pool {
    struct mw_mem *mem;
    struct mw_out_pool out; /* chunks of the send queues */
    /* private */
    struct mw_conn_reading *reading;
    struct mw_conn_sending *sending;
    uint32_t reading_count, sending_count;
};

void mw_conn_pool_init(struct mw_conn_pool *pool, struct mw_mem *mem);
/* After every connection was freed. */
void mw_conn_pool_free(struct mw_conn_pool *pool);

/* Lends one that has nothing to do with anybody yet; NULL: no memory. */
struct mw_conn_reading *mw_conn_pool_lend_reading(struct mw_conn_pool *pool);
/* Takes it back in whatever state. */
void mw_conn_pool_take_reading(struct mw_conn_pool *pool, struct mw_conn_reading *reading);

/* The bytes of its queue count for `out_mem`. NULL: no memory. */
struct mw_conn_sending *mw_conn_pool_lend_sending(struct mw_conn_pool *pool,
                                                  struct mw_mem *out_mem);
void mw_conn_pool_take_sending(struct mw_conn_pool *pool, struct mw_conn_sending *sending);

#endif
