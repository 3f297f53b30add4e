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
    char *payload;         /* in its own bytes, or in the source's */
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
    msg->payload = msg->bytes + MW_MSG_HEAD_ROOM;
    atomic_init(&msg->references, 1);
    msg->head_len = 0;
    msg->payload_len = len;
    return msg;
}

static struct mw_msg *show(struct mw_mem *mem, struct mw_msg *source, size_t at, size_t len)
{
    struct mw_msg *msg = mw_msg_new(mem, 0);
    if (!msg)
        return NULL;
    msg->source = mw_msg_keep(source);
    msg->payload = source->payload + at;
    msg->payload_len = len;
    return msg;
}

struct mw_msg *mw_msg_stand_in(struct mw_mem *mem, struct mw_msg *source)
{
    mw_assert(mem && !source->mem && !source->source);
    struct mw_msg *msg = show(mem, source, 0, source->payload_len);
    if (!msg)
        return NULL;
    msg->head_len = source->head_len;
    mw_mem_lend(mem, NULL, msg->payload_len);
    return msg;
}

struct mw_msg *mw_msg_part(struct mw_msg *block, size_t begin, size_t head_len, size_t payload_len)
{
    mw_assert(!block->source && head_len <= MW_MSG_HEAD_ROOM &&
              begin + head_len + payload_len <= block->payload_len);
    struct mw_msg *msg = show(block->mem, block, begin + head_len, payload_len);
    if (msg)
        msg->head_len = (unsigned)head_len;
    return msg;
}

struct mw_msg *mw_msg_block(struct mw_msg *msg)
{
    bool is_part = msg->source && msg->source->mem == msg->mem;
    return is_part ? msg->source : msg;
}

size_t mw_msg_begin(const struct mw_msg *msg)
{
    bool is_part = msg->source && msg->source->mem == msg->mem;
    return is_part ? (size_t)(msg->payload - msg->head_len - msg->source->payload) : 0;
}

struct mw_msg *mw_msg_copy(const struct mw_msg *msg, size_t begin, size_t end)
{
    struct mw_msg *copy = mw_msg_new(msg->mem, end - begin);
    if (copy)
        memcpy(copy->payload, mw_msg_wire(msg).data + begin, end - begin);
    return copy;
}

const struct mw_mem *mw_msg_mem(const struct mw_msg *msg)
{
    return msg->mem;
}

char *mw_msg_payload(struct mw_msg *msg)
{
    return msg->payload;
}

size_t mw_msg_payload_len(const struct mw_msg *msg)
{
    return msg->payload_len;
}

void mw_msg_set_head(struct mw_msg *msg, const void *head, size_t head_len)
{
    mw_assert(head_len <= MW_MSG_HEAD_ROOM && msg->head_len == 0);
    memcpy(msg->payload - head_len, head, head_len);
    msg->head_len = (unsigned)head_len;
}

struct mw_view mw_msg_wire(const struct mw_msg *msg)
{
    return mw_view(msg->payload - msg->head_len, msg->head_len + msg->payload_len);
}

struct mw_msg *mw_msg_keep(struct mw_msg *msg)
{
    /* Whoever keeps already holds one: there is nothing to order. */
    atomic_fetch_add_explicit(&msg->references, 1, memory_order_relaxed);
    return msg;
}

static void end_shown(struct mw_msg *msg)
{
    struct mw_mem *mem = msg->mem;
    bool is_stand_in = msg->source->mem != mem;
    if (is_stand_in)
        mw_mem_hand_back(mem, NULL, msg->payload_len);
    mw_msg_drop(msg->source);
    if (mem)
        mw_free(mem, msg, block_bytes(0));
    else
        mw_shared_free(msg, block_bytes(0));
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
        end_shown(msg);
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

size_t mw_msg_share(const struct mw_msg *msg)
{
    return mw_msg_bytes(msg) / atomic_load_explicit(&msg->references, memory_order_relaxed);
}
