/*
 * Messages of a turn in one piece. Between session/broadcast, which asks for a framed message, and
 * session/outq, which sees that one goes on where the other ends. Knows no receivers.
 *
 * Gain: 16 messages to each of 1 000 receivers took 460 instructions a delivery where each was
 * copied into every queue.
 */
#include "core/session/roll.h"

#include "core/base/check.h"
#include "core/proto/frame.h"

void mw_roll_init(struct mw_roll *roll, struct mw_mem *mem)
{
    *roll = (struct mw_roll){ .mem = mem };
}

static void let_go(struct mw_roll *roll)
{
    mw_msg_drop(roll->block);
    roll->block = 0;
    roll->used = 0;
}

/* As much again as the turn has had: one message alone in its turn gets just its own room. */
static size_t size_for(const struct mw_roll *roll, size_t need)
{
    size_t left = roll->before > roll->in_turn ? roll->before - roll->in_turn : 0;
    size_t size = left > roll->in_turn ? left : roll->in_turn;
    size = size < MW_ROLL_BLOCK_BYTES ? size : MW_ROLL_BLOCK_BYTES;
    return size > need ? size : need;
}

static bool has_room(struct mw_roll *roll, size_t need)
{
    if (roll->block && mw_msg_payload_len(roll->block) - roll->used >= need)
        return true;
    let_go(roll);
    roll->block = mw_msg_new(roll->mem, size_for(roll, need));
    return roll->block != NULL;
}

struct mw_msg *mw_roll_put(struct mw_roll *roll, enum mw_opcode kind, struct mw_view data)
{
    uint8_t head[MW_FRAME_HEAD_MAX];
    if (data.len > MW_ROLL_MESSAGE_BYTES)
        return 0;
    size_t head_len = mw_frame_encode(head, kind, true, data.len, 0);
    if (!has_room(roll, head_len + data.len))
        return 0;
    struct mw_msg *msg = mw_msg_part(roll->block, roll->used, head_len, data.len);
    if (!msg)
        return 0;
    char *to = mw_msg_payload(roll->block) + roll->used;
    memcpy(to, head, head_len);
    if (data.len)
        memcpy(to + head_len, data.data, data.len);
    roll->used += head_len + data.len;
    roll->in_turn += head_len + data.len;
    return msg;
}

void mw_roll_end(struct mw_roll *roll)
{
    roll->before = roll->in_turn;
    roll->in_turn = 0;
    let_go(roll);
}
