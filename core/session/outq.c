/*
 * The send queue of a connection. Never writes: the driver takes vectors and tells what has left.
 * Called by session/conn.
 *
 * A segment is a chunk of copied frames, one frame too large for a chunk, or a reference to a
 * message; each ends on a frame boundary, so the control lane may cut in between any two of them.
 */
#include "core/session/outq.h"

#include "core/base/check.h"
#include "core/proto/mask.h"
#include "core/session/outq_keys.h"

/*
 * A worker keeps 1 MiB of spare chunks at most: what a turn of some hundred answers needs; and as
 * much of spare references, for a message to that many receivers (300 of 1 400 instructions for
 * each went into malloc and free).
 */
#define SPARE_CHUNKS     256
#define SPARE_REFERENCES 16384

void mw_out_pool_init(struct mw_out_pool *pool, struct mw_mem *mem)
{
    *pool = (struct mw_out_pool){ .mem = mem,
                                  .chunks = { .max = SPARE_CHUNKS },
                                  .references = { .max = SPARE_REFERENCES } };
}

static void free_spare(struct mw_out_pool *pool, struct mw_out_spare *spare)
{
    while (spare->first) {
        struct mw_out_seg *seg = spare->first;
        spare->first = seg->next;
        mw_free(pool->mem, seg, sizeof *seg + seg->cap);
    }
    spare->count = 0;
}

void mw_out_pool_free(struct mw_out_pool *pool)
{
    free_spare(pool, &pool->chunks);
    free_spare(pool, &pool->references);
}

/* NULL: segments of this size are not kept. */
static struct mw_out_spare *spare_of(struct mw_out_pool *pool, size_t cap)
{
    if (cap == 0)
        return &pool->references;
    return cap == MW_OUT_CHUNK_BYTES ? &pool->chunks : 0;
}

static struct mw_out_seg *seg_new(struct mw_outq *queue, size_t cap)
{
    struct mw_out_spare *spare = spare_of(queue->pool, cap);
    struct mw_out_seg *seg = spare ? spare->first : 0;
    if (seg) {
        spare->first = seg->next;
        spare->count--;
        mw_mem_lend(queue->mem, queue->pool->mem, sizeof *seg + cap);
    } else {
        seg = mw_alloc(queue->mem, sizeof *seg + cap);
    }
    if (seg)
        *seg = (struct mw_out_seg){ .cap = cap };
    return seg;
}

static void seg_free(struct mw_outq *queue, struct mw_out_seg *seg)
{
    struct mw_out_spare *spare = spare_of(queue->pool, seg->cap);
    if (seg->keyed)
        mw_out_keys_remove(&queue->keys, queue->mem, seg);
    mw_msg_drop(seg->msg);
    if (spare && spare->count < spare->max) {
        mw_mem_hand_back(queue->mem, queue->pool->mem, sizeof *seg + seg->cap);
        seg->next = spare->first;
        spare->first = seg;
        spare->count++;
        return;
    }
    mw_free(queue->mem, seg, sizeof *seg + seg->cap);
}

/* What is left of a frame whose payload lies elsewhere: its header, then the payload. */
static size_t lent_views(const struct mw_out_seg *seg, struct mw_view views[2])
{
    size_t count = 0, begin = seg->begin, head_len = seg->head_len;
    if (begin < head_len) {
        views[count++] = mw_view(seg->bytes + begin, head_len - begin);
        begin = head_len;
    }
    views[count++] = mw_view(seg->lent + (begin - head_len), seg->end - begin);
    return count;
}

static struct mw_view seg_view(const struct mw_out_seg *seg)
{
    const char *bytes = seg->msg ? mw_msg_wire(seg->msg).data : seg->bytes;
    return mw_view(bytes + seg->begin, seg->end - seg->begin);
}

void mw_outq_init(struct mw_outq *queue, struct mw_out_pool *pool, struct mw_mem *mem)
{
    *queue = (struct mw_outq){ .pool = pool, .mem = mem };
}

static void free_all(struct mw_outq *queue, struct mw_out_seg *seg)
{
    while (seg) {
        struct mw_out_seg *next = seg->next;
        seg_free(queue, seg);
        seg = next;
    }
}

void mw_outq_free(struct mw_outq *queue)
{
    if (!queue->pool)
        return;
    free_all(queue, queue->head);
    free_all(queue, queue->control_head);
    mw_outq_init(queue, queue->pool, queue->mem);
}

/* So much more than twice its own bytes a reference may keep from being free. */
#define KEPT_ALONG_BYTES 512

/* Without memory it stays as it is. */
static void let_go_of_rest(struct mw_out_seg *seg)
{
    size_t len = seg->end - seg->begin;
    if (!seg->msg || seg->handed_out || mw_msg_wire(seg->msg).len <= 2 * len + KEPT_ALONG_BYTES)
        return;
    struct mw_msg *alone = mw_msg_copy(seg->msg, seg->begin, seg->end);
    if (!alone)
        return;
    mw_msg_drop(seg->msg);
    seg->msg = alone;
    seg->begin = 0;
    seg->end = len;
}

/* What stands last may yet grow; from now on that is another one. */
static void append(struct mw_outq *queue, struct mw_out_seg *seg)
{
    if (queue->tail)
        let_go_of_rest(queue->tail);
    if (queue->tail)
        queue->tail->next = seg;
    else
        queue->head = seg;
    queue->tail = seg;
}

static void append_control(struct mw_outq *queue, struct mw_out_seg *seg)
{
    if (queue->control_tail)
        queue->control_tail->next = seg;
    else
        queue->control_head = seg;
    queue->control_tail = seg;
}

/*
 * Room for `need` bytes at the end of a lane: in its last chunk, in a fresh one, or in a segment of
 * its own.
 */
static struct mw_out_seg *room_for(struct mw_outq *queue, size_t need, bool control)
{
    struct mw_out_seg *last = control ? queue->control_tail : queue->tail;
    bool is_chunk = last && !last->msg && !last->is_lent && last->control == control;
    if (is_chunk && last->cap - last->end >= need)
        return last;
    struct mw_out_seg *seg = seg_new(queue, need > MW_OUT_CHUNK_BYTES ? need : MW_OUT_CHUNK_BYTES);
    if (!seg)
        return 0;
    seg->control = control;
    if (control)
        append_control(queue, seg);
    else
        append(queue, seg);
    return seg;
}

/* From here on a reference is worth its segment. */
#define JOINED_BYTES 512

enum lane { DATA, COMPRESSED_DATA, UNFINISHED_DATA, CONTROL };

static int put_frame(struct mw_outq *queue, enum mw_opcode opcode, struct mw_view payload,
                     const uint8_t mask[4], enum lane lane)
{
    uint8_t head[MW_FRAME_HEAD_MAX];
    size_t head_len = mw_frame_encode(head, opcode, lane != UNFINISHED_DATA, payload.len, mask);
    if (lane == COMPRESSED_DATA)
        mw_frame_set_compressed(head);
    struct mw_out_seg *seg = room_for(queue, head_len + payload.len, lane == CONTROL);
    if (!seg)
        return MW_ERR_NOMEM;
    char *to = seg->bytes + seg->end;
    memcpy(to, head, head_len);
    if (payload.len)
        memcpy(to + head_len, payload.data, payload.len);
    if (mask)
        mw_mask((uint8_t *)to + head_len, payload.len, mask, 0);
    seg->end += head_len + payload.len;
    queue->bytes += head_len + payload.len;
    return MW_OK;
}

int mw_outq_put(struct mw_outq *queue, enum mw_opcode opcode, struct mw_view payload,
                const uint8_t mask[4])
{
    return put_frame(queue, opcode, payload, mask, DATA);
}

int mw_outq_lend(struct mw_outq *queue, enum mw_opcode opcode, struct mw_view payload)
{
    struct mw_out_seg *seg = seg_new(queue, MW_FRAME_HEAD_MAX + payload.len);
    if (!seg)
        return MW_ERR_NOMEM;
    size_t head_len = mw_frame_encode((uint8_t *)seg->bytes, opcode, true, payload.len, NULL);
    seg->is_lent = true;
    seg->lent = payload.data;
    seg->head_len = (uint8_t)head_len;
    seg->end = head_len + payload.len;
    append(queue, seg);
    queue->bytes += seg->end;
    return MW_OK;
}

static void take_over(struct mw_out_seg *seg)
{
    size_t from = seg->begin > seg->head_len ? seg->begin : seg->head_len;
    memcpy(seg->bytes + from, seg->lent + (from - seg->head_len), seg->end - from);
    seg->is_lent = false;
    seg->lent = NULL;
}

/* It is the last but for what a write has called forth, such as the note of a gap. */
void mw_outq_settle(struct mw_outq *queue)
{
    for (struct mw_out_seg *seg = queue->head; seg; seg = seg->next) {
        if (seg->is_lent)
            take_over(seg);
    }
}

int mw_outq_put_compressed(struct mw_outq *queue, enum mw_opcode opcode, struct mw_view payload,
                           const uint8_t mask[4])
{
    return put_frame(queue, opcode, payload, mask, COMPRESSED_DATA);
}

int mw_outq_put_piece(struct mw_outq *queue, enum mw_opcode opcode, bool fin,
                      struct mw_view payload, const uint8_t mask[4])
{
    return put_frame(queue, opcode, payload, mask, fin ? DATA : UNFINISHED_DATA);
}

int mw_outq_put_control(struct mw_outq *queue, enum mw_opcode opcode, struct mw_view payload,
                        const uint8_t mask[4])
{
    return put_frame(queue, opcode, payload, mask, CONTROL);
}

static int put_bytes(struct mw_outq *queue, struct mw_view bytes, bool control)
{
    struct mw_out_seg *seg = room_for(queue, bytes.len, control);
    if (!seg)
        return MW_ERR_NOMEM;
    memcpy(seg->bytes + seg->end, bytes.data, bytes.len);
    seg->end += bytes.len;
    queue->bytes += bytes.len;
    return MW_OK;
}

bool mw_outq_ends_at(const struct mw_outq *queue, const struct mw_msg *block, size_t place)
{
    return queue->tail && queue->tail->msg == block && queue->tail->end == place;
}

void mw_outq_grow(struct mw_outq *queue, size_t bytes)
{
    queue->tail->end += bytes;
    queue->bytes += bytes;
}

static bool goes_on(const struct mw_outq *queue, struct mw_msg *msg)
{
    const struct mw_msg *block = mw_msg_block(msg);
    return block != msg && mw_outq_ends_at(queue, block, mw_msg_begin(msg));
}

/*
 * A segment of its own for each of many small messages would cost many times the bytes that the
 * queue counts: so only for the first, and for one that others may join, behind a reference that
 * has grown to some size or a chunk that is half full.
 */
static bool may_refer(const struct mw_outq *queue, struct mw_msg *msg, size_t len)
{
    const struct mw_out_seg *last = queue->tail;
    if (!last || len > MW_OUT_COPY_MAX)
        return true;
    size_t worth = last->msg ? JOINED_BYTES : MW_OUT_CHUNK_BYTES / 2;
    return mw_msg_block(msg) != msg && last->end - last->begin >= worth;
}

int mw_outq_put_msg(struct mw_outq *queue, struct mw_msg *msg)
{
    struct mw_view wire = mw_msg_wire(msg);
    if (goes_on(queue, msg)) {
        mw_outq_grow(queue, wire.len);
        return MW_OK;
    }
    if (!may_refer(queue, msg, wire.len))
        return put_bytes(queue, wire, false);
    struct mw_out_seg *seg = seg_new(queue, 0);
    if (!seg)
        return MW_ERR_NOMEM;
    seg->msg = mw_msg_keep(mw_msg_block(msg));
    seg->begin = mw_msg_begin(msg);
    seg->end = seg->begin + wire.len;
    append(queue, seg);
    queue->bytes += wire.len;
    return MW_OK;
}

struct mw_out_seg *mw_outq_find(const struct mw_outq *queue, struct mw_view key)
{
    return mw_out_keys_find(queue->keys, key);
}

const struct mw_msg *mw_outq_waiting(const struct mw_out_seg *seg)
{
    return seg->msg;
}

void mw_outq_replace(struct mw_outq *queue, struct mw_out_seg *seg, struct mw_msg *msg)
{
    mw_assert(seg->keyed && !seg->has_begun);
    struct mw_msg *old = seg->msg;
    seg->msg = mw_msg_keep(msg);
    queue->bytes -= seg->end;
    seg->end = mw_msg_wire(msg).len;
    queue->bytes += seg->end;
    mw_msg_drop(old);
}

uint64_t mw_outq_number(const struct mw_out_seg *seg)
{
    return seg->number;
}

int mw_outq_put_keyed(struct mw_outq *queue, struct mw_view key, struct mw_msg *msg,
                      uint64_t number)
{
    mw_assert(key.len > 0 && key.len < MW_OUT_CHUNK_BYTES);
    struct mw_out_seg *seg = seg_new(queue, key.len);
    if (!seg)
        return MW_ERR_NOMEM;
    seg->number = number;
    memcpy(seg->bytes, key.data, key.len);
    if (mw_out_keys_add(&queue->keys, queue->mem, seg)) {
        seg_free(queue, seg);
        return MW_ERR_NOMEM;
    }
    seg->msg = mw_msg_keep(msg);
    seg->end = mw_msg_wire(msg).len;
    append(queue, seg);
    queue->bytes += seg->end;
    return MW_OK;
}

size_t mw_outq_keys_weight(const struct mw_outq *queue)
{
    return mw_out_keys_count(queue->keys) * MW_OUT_KEYED_COST;
}

/*
 * In a segment of its own size: each of those who come in one turn would need a chunk of 4 KiB for
 * 129 bytes, and the pool would keep them (64 at once: 0.2 MB, for good).
 */
int mw_outq_put_raw(struct mw_outq *queue, struct mw_view bytes)
{
    mw_assert(bytes.len > 0);
    struct mw_out_seg *seg = seg_new(queue, bytes.len);
    if (!seg)
        return MW_ERR_NOMEM;
    seg->control = true;
    seg->end = bytes.len;
    memcpy(seg->bytes, bytes.data, bytes.len);
    append_control(queue, seg);
    queue->bytes += bytes.len;
    return MW_OK;
}

void mw_outq_drop(struct mw_outq *queue)
{
    struct mw_out_seg **link = &queue->head, *last = 0;
    while (*link) {
        struct mw_out_seg *seg = *link;
        if (seg->handed_out || seg->control) {
            last = seg;
            link = &seg->next;
            continue;
        }
        *link = seg->next;
        queue->bytes -= seg->end - seg->begin;
        seg_free(queue, seg);
    }
    queue->tail = last;
}

/*
 * Puts the control lane before the data that has not begun to leave, behind control frames that
 * stand there already.
 */
static void splice_control(struct mw_outq *queue)
{
    if (!queue->control_head)
        return;
    struct mw_out_seg **place = &queue->head;
    if (queue->head && queue->head->has_begun)
        place = &queue->head->next;
    while (*place && (*place)->control)
        place = &(*place)->next;
    queue->control_tail->next = *place;
    *place = queue->control_head;
    if (!queue->control_tail->next)
        queue->tail = queue->control_tail;
    queue->control_head = queue->control_tail = 0;
}

static void hand_out(struct mw_outq *queue, struct mw_out_seg *seg)
{
    if (seg->keyed)
        mw_out_keys_remove(&queue->keys, queue->mem, seg);
    seg->handed_out = true;
}

static inline size_t fill(struct mw_outq *queue, struct mw_view *vectors, size_t max, bool stays)
{
    splice_control(queue);
    size_t n = 0;
    for (struct mw_out_seg *seg = queue->head; seg && n < max; seg = seg->next) {
        if (seg->is_lent && max - n < 2)
            break;
        if (stays)
            hand_out(queue, seg);
        if (seg->is_lent)
            n += lent_views(seg, vectors + n);
        else
            vectors[n++] = seg_view(seg);
    }
    return n;
}

size_t mw_outq_iov(struct mw_outq *queue, struct mw_view *vectors, size_t max)
{
    return fill(queue, vectors, max, true);
}

size_t mw_outq_show(struct mw_outq *queue, struct mw_view *vectors, size_t max)
{
    return fill(queue, vectors, max, false);
}

/* A frame of which something has left leaves whole. */
static void leave_in_part(struct mw_outq *queue, struct mw_out_seg *seg, size_t bytes)
{
    if (bytes == 0)
        return;
    seg->begin += bytes;
    seg->has_begun = true;
    hand_out(queue, seg);
}

void mw_outq_written(struct mw_outq *queue, size_t bytes)
{
    mw_assert(bytes <= queue->bytes);
    queue->bytes -= bytes;
    while (queue->head) {
        struct mw_out_seg *seg = queue->head;
        size_t left = seg->end - seg->begin;
        if (bytes < left) {
            leave_in_part(queue, seg, bytes);
            return;
        }
        bytes -= left;
        queue->head = seg->next;
        if (!queue->head)
            queue->tail = 0;
        seg_free(queue, seg);
    }
}

static size_t msg_held(const struct mw_out_seg *seg)
{
    size_t left = seg->end - seg->begin, share = mw_msg_share(seg->msg);
    return left > share ? left : share;
}

size_t mw_outq_held(const struct mw_outq *queue, const struct mw_mem *mem)
{
    size_t bytes = 0;
    for (const struct mw_out_seg *seg = queue->head; seg; seg = seg->next) {
        if (queue->mem == mem)
            bytes += sizeof *seg + seg->cap;
        if (seg->msg && mw_msg_mem(seg->msg) == mem)
            bytes += msg_held(seg);
    }
    return bytes;
}

/* `keyed`: how many of its messages can be replaced is added. */
static size_t lane_bytes(const struct mw_outq *queue, const struct mw_out_seg *seg,
                         const struct mw_out_seg *tail, size_t *keyed, bool *sound)
{
    size_t bytes = 0;
    const struct mw_out_seg *last = 0;
    for (; seg; last = seg, seg = seg->next) {
        bytes += seg->end - seg->begin;
        *keyed += seg->keyed;
        if (seg->keyed && (seg->handed_out || mw_outq_find(queue, mw_out_seg_key(seg)) != seg))
            *sound = false;
        if (seg->begin >= seg->end || (!seg->msg && seg->end > seg->cap))
            *sound = false;
    }
    if (last != tail)
        *sound = false;
    return bytes;
}

bool mw_outq_validate(const struct mw_outq *queue)
{
    bool sound = true;
    size_t keyed = 0;
    size_t bytes = lane_bytes(queue, queue->head, queue->tail, &keyed, &sound) +
                   lane_bytes(queue, queue->control_head, queue->control_tail, &keyed, &sound);
    return sound && bytes == queue->bytes && keyed == mw_out_keys_count(queue->keys);
}
