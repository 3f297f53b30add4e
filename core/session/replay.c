/*
 * The ring of what a session keeps. Filled by the connection machine (conn_replay) while there is
 * one, by the driver while there is none. Knows neither time nor tokens, and sends nothing.
 */
#include "core/session/replay.h"

#include "core/base/check.h"
#include "core/proto/frame.h"

#define RING_LEAST 8

void mw_replay_init(struct mw_replay *replay, struct mw_mem *mem, size_t max_bytes)
{
    *replay = (struct mw_replay){ .mem = mem, .max_bytes = max_bytes };
}

void mw_replay_begin(struct mw_replay *replay)
{
    replay->heard = false;
    replay->asked = replay->acked;
    replay->told = replay->received;
}

/* ---- the ring ---- */

static struct mw_replay_entry *entry_at(const struct mw_replay *replay, size_t i)
{
    return &replay->ring[(replay->first + i) % replay->capacity];
}

const struct mw_replay_entry *mw_replay_at(const struct mw_replay *replay, size_t i)
{
    mw_assert(i < replay->count);
    return entry_at(replay, i);
}

static size_t cost(const struct mw_replay_entry *entry)
{
    return MW_REPLAY_ENTRY_BYTES + (entry->msg ? mw_msg_wire(entry->msg).len : 0);
}

static uint64_t span(const struct mw_replay_entry *entry)
{
    return entry->msg ? 1 : entry->lost;
}

static void free_ring(struct mw_replay *replay)
{
    mw_free(replay->mem, replay->ring, replay->capacity * sizeof *replay->ring);
    replay->ring = 0;
    replay->capacity = replay->first = 0;
}

static void pop(struct mw_replay *replay)
{
    struct mw_replay_entry *entry = entry_at(replay, 0);
    replay->gone += span(entry);
    replay->bytes -= cost(entry);
    mw_msg_drop(entry->msg);
    replay->first = (replay->first + 1) % replay->capacity;
    replay->count--;
}

/* What has nothing to keep owns nothing. */
static void tidy(struct mw_replay *replay)
{
    while (replay->count && !entry_at(replay, 0)->msg)
        pop(replay); /* a hole that nothing stands before needs no place of its own */
    if (replay->count == 0)
        free_ring(replay);
}

static void keep_bound(struct mw_replay *replay)
{
    while (replay->bytes > replay->max_bytes)
        pop(replay);
    tidy(replay);
}

static bool make_room(struct mw_replay *replay)
{
    if (replay->count < replay->capacity)
        return true;
    size_t capacity = replay->capacity ? replay->capacity * 2 : RING_LEAST;
    struct mw_replay_entry *ring = mw_alloc(replay->mem, capacity * sizeof *ring);
    if (!ring)
        return false;
    for (size_t i = 0; i < replay->count; i++)
        ring[i] = *entry_at(replay, i);
    size_t count = replay->count;
    free_ring(replay);
    replay->ring = ring;
    replay->capacity = capacity;
    replay->count = count;
    return true;
}

/* Takes the reference. Without room for it, it is gone, and so must be all before it. */
static void push(struct mw_replay *replay, struct mw_replay_entry entry)
{
    replay->sent += span(&entry);
    if (!make_room(replay)) {
        mw_msg_drop(entry.msg);
        while (replay->count)
            pop(replay);
        replay->gone = replay->sent;
        free_ring(replay);
        return;
    }
    replay->count++;
    *entry_at(replay, replay->count - 1) = entry;
    replay->bytes += cost(&entry);
    keep_bound(replay);
}

void mw_replay_free(struct mw_replay *replay)
{
    while (replay->count)
        pop(replay);
    if (replay->ring)
        free_ring(replay);
}

void mw_replay_set_bound(struct mw_replay *replay, size_t max_bytes)
{
    replay->max_bytes = max_bytes;
    keep_bound(replay);
}

/* ---- to the client ---- */

struct mw_msg *mw_replay_frame(struct mw_mem *mem, enum mw_opcode opcode, struct mw_view payload)
{
    uint8_t head[MW_FRAME_HEAD_MAX];
    struct mw_msg *msg = mw_msg_new(mem, payload.len);
    if (!msg)
        return 0;
    if (payload.len)
        memcpy(mw_msg_payload(msg), payload.data, payload.len);
    mw_msg_set_head(msg, head, mw_frame_encode(head, opcode, true, payload.len, 0));
    return msg;
}

void mw_replay_sent(struct mw_replay *replay, struct mw_msg *msg)
{
    push(replay, (struct mw_replay_entry){ .msg = mw_msg_keep(msg) });
}

void mw_replay_send(struct mw_replay *replay, enum mw_opcode opcode, struct mw_view payload)
{
    struct mw_msg *msg = mw_replay_frame(replay->mem, opcode, payload);
    if (msg)
        push(replay, (struct mw_replay_entry){ .msg = msg });
    else
        mw_replay_lost(replay, 1);
}

void mw_replay_lost(struct mw_replay *replay, uint64_t lost)
{
    struct mw_replay_entry *last = replay->count ? entry_at(replay, replay->count - 1) : 0;
    mw_assert(lost > 0);
    if (!last || last->msg) {
        push(replay, (struct mw_replay_entry){ .lost = lost });
        return;
    }
    last->lost += lost;
    replay->sent += lost;
}

/* The entry that has this number, looked for where it is likely: at the end. NULL: none has. */
static struct mw_replay_entry *entry_of(const struct mw_replay *replay, uint64_t number)
{
    uint64_t last = replay->sent;
    for (size_t i = replay->count; i > 0 && number <= last; i--) {
        struct mw_replay_entry *entry = entry_at(replay, i - 1);
        last -= span(entry);
        if (number > last)
            return entry;
    }
    return 0;
}

void mw_replay_swap(struct mw_replay *replay, uint64_t number, struct mw_msg *msg)
{
    struct mw_replay_entry *entry = entry_of(replay, number);
    if (!entry || !entry->msg)
        return;
    replay->bytes -= cost(entry);
    mw_msg_drop(entry->msg);
    entry->msg = mw_msg_keep(msg);
    replay->bytes += cost(entry);
    keep_bound(replay);
}

/* ---- from the client ---- */

bool mw_replay_acked(struct mw_replay *replay, uint64_t count)
{
    if (count < replay->acked || count > replay->sent)
        return false;
    replay->acked = count;
    while (replay->count && replay->gone + span(entry_at(replay, 0)) <= count)
        pop(replay);
    /* The rest of a hole is in front now, and goes with it. */
    tidy(replay);
    return true;
}

enum mw_replay_verdict mw_replay_return(struct mw_replay *replay, uint64_t count, uint64_t *missed)
{
    if (!mw_replay_acked(replay, count))
        return MW_REPLAY_NONSENSE;
    *missed = replay->gone > count ? replay->gone - count : 0;
    return *missed ? MW_REPLAY_HOLE : MW_REPLAY_WHOLE;
}

bool mw_replay_validate(const struct mw_replay *replay)
{
    uint64_t numbers = replay->gone;
    size_t bytes = 0;
    for (size_t i = 0; i < replay->count; i++) {
        const struct mw_replay_entry *entry = entry_at(replay, i);
        if (!entry->msg == !entry->lost)
            return false;
        numbers += span(entry);
        bytes += cost(entry);
    }
    bool owns_nothing = replay->count > 0 || !replay->ring;
    return owns_nothing && numbers == replay->sent && bytes == replay->bytes &&
           bytes <= replay->max_bytes && replay->acked <= replay->gone;
}
