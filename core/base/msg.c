/*
 * Counted messages: one allocation holds the count, head-room for a frame header, and the payload,
 * so a broadcast of n receivers is one frame and n references. Knows nothing of frames; the bytes
 * of the header are told to it.
 */
#include "core/base/msg.h"

#include <stdatomic.h>

#include "core/base/check.h"

struct mw_msg {
    struct mw_mem *mem;    /* borrowed; NULL: the shared allocator */
    struct mw_msg *source; /* whose bytes it shows; NULL: its own */
    atomic_uint references;
    unsigned head_len;
    size_t payload_len;
    char bytes[]; /* MW_MSG_HEAD_ROOM, then the payload; a header stands right before the payload */
};

static size_t block_bytes(size_t payload_len)
{
    return sizeof(struct mw_msg) + MW_MSG_HEAD_ROOM + payload_len;
}

struct mw_msg *mw_msg_new(struct mw_mem *mem, size_t len)
{
    if (len > PTRDIFF_MAX - block_bytes(0))
        return NULL;
    size_t bytes = block_bytes(len);
    struct mw_msg *msg = mem ? mw_alloc(mem, bytes) : mw_shared_alloc(bytes);
    if (!msg)
        return NULL;
    msg->mem = mem;
    msg->source = NULL;
    atomic_init(&msg->references, 1);
    msg->head_len = 0;
    msg->payload_len = len;
    return msg;
}

struct mw_msg *mw_msg_stand_in(struct mw_mem *mem, struct mw_msg *source)
{
    mw_assert(!source->mem && !source->source);
    struct mw_msg *msg = mw_msg_new(mem, 0);
    if (!msg)
        return NULL;
    msg->source = mw_msg_keep(source);
    msg->head_len = source->head_len;
    msg->payload_len = source->payload_len;
    mw_mem_lend(mem, NULL, msg->payload_len);
    return msg;
}

const struct mw_mem *mw_msg_mem(const struct mw_msg *msg)
{
    return msg->mem;
}

char *mw_msg_payload(struct mw_msg *msg)
{
    return (msg->source ? msg->source->bytes : msg->bytes) + MW_MSG_HEAD_ROOM;
}

size_t mw_msg_payload_len(const struct mw_msg *msg)
{
    return msg->payload_len;
}

void mw_msg_set_head(struct mw_msg *msg, const void *head, size_t head_len)
{
    mw_assert(head_len <= MW_MSG_HEAD_ROOM && msg->head_len == 0);
    memcpy(mw_msg_payload(msg) - head_len, head, head_len);
    msg->head_len = (unsigned)head_len;
}

struct mw_view mw_msg_wire(const struct mw_msg *msg)
{
    const char *bytes = msg->source ? msg->source->bytes : msg->bytes;
    return mw_view(bytes + MW_MSG_HEAD_ROOM - msg->head_len, msg->head_len + msg->payload_len);
}

struct mw_msg *mw_msg_keep(struct mw_msg *msg)
{
    /* Whoever keeps already holds one: there is nothing to order. */
    atomic_fetch_add_explicit(&msg->references, 1, memory_order_relaxed);
    return msg;
}

static void end_stand_in(struct mw_msg *msg)
{
    mw_mem_hand_back(msg->mem, NULL, msg->payload_len);
    mw_msg_drop(msg->source);
    mw_free(msg->mem, msg, block_bytes(0));
}

void mw_msg_drop(struct mw_msg *msg)
{
    if (!msg)
        return;
    /* The last holder must see that all others are done reading before it frees. */
    if (atomic_fetch_sub_explicit(&msg->references, 1, memory_order_acq_rel) != 1)
        return;
    size_t bytes = block_bytes(msg->payload_len);
    if (msg->source)
        end_stand_in(msg);
    else if (msg->mem)
        mw_free(msg->mem, msg, bytes);
    else
        mw_shared_free(msg, bytes);
}

size_t mw_msg_bytes_alive(void)
{
    return mw_shared_bytes();
}

size_t mw_msg_bytes(const struct mw_msg *msg)
{
    return block_bytes(msg->source ? 0 : msg->payload_len);
}
