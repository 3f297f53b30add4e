/*
 * An immutable counted message: made once, framed once into its head-room, shared by every
 * receiver. Once it is shared nobody changes it. The count is atomic, so a message may cross
 * threads, and the last holder frees it. Such a message is accounted in the figure of the process
 * (mw_shared_alloc), because a mw_mem belongs to one thread.
 */
#ifndef MW_BASE_MSG_H
#define MW_BASE_MSG_H

#include "core/base/mem.h"

/* The longest header of a frame that a server sends: 2 + 8 (RFC 6455 5.2, no mask). */
#define MW_MSG_HEAD_ROOM 10

struct mw_msg;

/*
 * Gives a message of `len` uninitialised payload bytes with one reference, or NULL. With `mem` the
 * bytes belong to it and the message must stay on its thread; with NULL it may cross threads.
 */
struct mw_msg *mw_msg_new(struct mw_mem *mem, size_t len);

/*
 * For a message that crosses threads: gives one that stands for it on the thread of `mem`, with the
 * same bytes and a reference to it. They are counted there as if it held them (capped nowhere), so
 * that what waits on somebody's behalf is seen. NULL: no memory.
 */
struct mw_msg *mw_msg_stand_in(struct mw_mem *mem, struct mw_msg *source);

/*
 * For several messages that stand in one piece, framed already, in the payload of `block`: gives
 * one of them, with a reference to it. NULL: no memory.
 */
struct mw_msg *mw_msg_part(struct mw_msg *block, size_t begin, size_t head_len, size_t payload_len);
/* What it is a part of, whose bytes it keeps from being free; else itself. */
struct mw_msg *mw_msg_block(struct mw_msg *msg);
/* Where in that it begins, header first. */
size_t mw_msg_begin(const struct mw_msg *msg);
/*
 * Gives the bytes from `begin` to `end` of what is sent as a message of their own in the same
 * memory. NULL: no memory.
 */
struct mw_msg *mw_msg_copy(const struct mw_msg *msg, size_t begin, size_t end);

/* Whose bytes it is made of; NULL: the process's. */
const struct mw_mem *mw_msg_mem(const struct mw_msg *msg);

/* The payload, to be written before the message is shared. */
char *mw_msg_payload(struct mw_msg *msg);
size_t mw_msg_payload_len(const struct mw_msg *msg);

/* Copies `head_len` header bytes right before the payload; done once, before sharing. */
void mw_msg_set_head(struct mw_msg *msg, const void *head, size_t head_len);

/* Header and payload in one piece, as sent. Valid as long as a reference is held. */
struct mw_view mw_msg_wire(const struct mw_msg *msg);

struct mw_msg *mw_msg_keep(struct mw_msg *msg); /* one more reference; gives it back */
void mw_msg_drop(struct mw_msg *msg);           /* one less; NULL is allowed */

/* Bytes of messages without a mw_mem now alive in the process. */
size_t mw_msg_bytes_alive(void);

/* Bytes that a message of this payload takes. */
size_t mw_msg_bytes(const struct mw_msg *msg);
/* ... divided by its holders: what one of them has to answer for. */
size_t mw_msg_share(const struct mw_msg *msg);

#endif
