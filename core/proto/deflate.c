/*
 * Compression of messages over zlib, and the only file that knows it. Called by session/conn and
 * session/broadcast to send, by proto/message to receive.
 *
 * Why receiving does not use zlib's own window of the agreed size: whether zlib notices a distance
 * that leaves such a window depends on how its input was cut, and our answers must not. So messages
 * are inflated with the full 32 KiB window of a decompressor that is lent for the message, after
 * the connection's last 2^bits bytes were given to it as a dictionary. That is also less memory:
 * 4 KiB for each connection instead of 11.
 */
#include "core/proto/deflate.h"

#include <limits.h>

#include <zlib.h>

#include "core/base/check.h"
#include "core/base/str.h"

/* Hash chains to a window of 2^12; zlib's own 8 costs seven times as much for a tenth of gain. */
#define MEM_LEVEL 5

/* Lazy matching (4 and above) costs half as much again for a twentieth of gain on JSON. */
#define LEVEL 3

/* Decompressors a worker keeps for the next message: one serves all that arrive whole. */
#define SPARE_MAX 2

/* Bytes asked for at least when a message grows; the buffer doubles by itself. */
#define STEP_MIN 256
#define STEP_MAX 4096

/* RFC 7692 7.2.1: the end of every payload, which is not sent. */
static const char tail[4] = { 0x00, 0x00, (char)0xFF, (char)0xFF };

/* ---- zlib's memory: it tells no sizes on free, mw_mem wants them ---- */

union block {
    size_t bytes;
    max_align_t align;
};

static void *z_alloc(void *mem, uInt items, uInt size)
{
    size_t bytes = sizeof(union block) + (size_t)items * size;
    union block *block = mw_alloc(mem, bytes);
    if (!block)
        return Z_NULL;
    block->bytes = bytes;
    return block + 1;
}

static void z_free(void *mem, void *address)
{
    union block *block = (union block *)address - 1;
    mw_free(mem, block, block->bytes);
}

/* ---- the pool ---- */

struct mw_compressor {
    struct mw_link link;       /* in pool->kept */
    struct mw_deflater *owner; /* NULL: shared */
    size_t bytes;              /* all that it costs */
    z_stream z;
};

struct mw_decompressor {
    struct mw_decompressor *next; /* in pool->spare */
    bool ended;                   /* behind a final block, and no byte after it */
    z_stream z;
};

void mw_deflate_pool_init(struct mw_deflate_pool *pool, struct mw_mem *mem, size_t max_bytes)
{
    *pool = (struct mw_deflate_pool){ .mem = mem, .max_bytes = max_bytes };
    mw_list_init(&pool->kept);
}

bool mw_deflate_pool_has_room(const struct mw_deflate_pool *pool, uint8_t bits)
{
    size_t window = (size_t)1 << bits;
    return window <= pool->max_bytes && pool->promised_bytes <= pool->max_bytes - window;
}

static void compressor_free(struct mw_deflate_pool *pool, struct mw_compressor *compressor)
{
    if (!compressor)
        return;
    deflateEnd(&compressor->z);
    mw_free(pool->mem, compressor, sizeof *compressor);
}

static struct mw_compressor *compressor_new(struct mw_deflate_pool *pool, uint8_t bits)
{
    size_t before = pool->mem->bytes;
    struct mw_compressor *compressor = mw_alloc_zero(pool->mem, sizeof *compressor);
    if (!compressor)
        return NULL;
    mw_list_init(&compressor->link);
    compressor->z.zalloc = z_alloc;
    compressor->z.zfree = z_free;
    compressor->z.opaque = pool->mem;
    if (deflateInit2(&compressor->z, LEVEL, Z_DEFLATED, -bits, MEM_LEVEL, Z_DEFAULT_STRATEGY)) {
        mw_free(pool->mem, compressor, sizeof *compressor);
        return NULL;
    }
    compressor->bytes = pool->mem->bytes - before;
    return compressor;
}

static void decompressor_free(struct mw_deflate_pool *pool, struct mw_decompressor *stream)
{
    inflateEnd(&stream->z);
    mw_free(pool->mem, stream, sizeof *stream);
}

static struct mw_decompressor *decompressor_new(struct mw_deflate_pool *pool)
{
    struct mw_decompressor *stream = mw_alloc_zero(pool->mem, sizeof *stream);
    if (!stream)
        return NULL;
    stream->z.zalloc = z_alloc;
    stream->z.zfree = z_free;
    stream->z.opaque = pool->mem;
    if (inflateInit2(&stream->z, -MAX_WBITS)) {
        mw_free(pool->mem, stream, sizeof *stream);
        return NULL;
    }
    return stream;
}

void mw_deflate_pool_free(struct mw_deflate_pool *pool)
{
    mw_assert(mw_list_is_empty(&pool->kept) && pool->kept_bytes == 0);
    mw_assert(pool->promised_bytes == 0);
    for (size_t bits = 0; bits < MW_COUNT(pool->shared); bits++) {
        compressor_free(pool, pool->shared[bits]);
        pool->shared[bits] = NULL;
    }
    while (pool->spare) {
        struct mw_decompressor *stream = pool->spare;
        pool->spare = stream->next;
        decompressor_free(pool, stream);
    }
    pool->spare_count = 0;
}

/* ---- out ---- */

void mw_deflater_init(struct mw_deflater *deflater, struct mw_deflate_pool *pool, uint8_t bits,
                      bool takeover)
{
    mw_assert(bits >= MW_DEFLATE_BITS_MIN && bits <= MW_DEFLATE_BITS_MAX);
    *deflater = (struct mw_deflater){ .pool = pool, .bits = bits, .takeover = takeover };
}

/* Takes the compressor away from its connection. */
static void let_go(struct mw_deflate_pool *pool, struct mw_compressor *compressor)
{
    mw_list_remove(&compressor->link);
    pool->kept_bytes -= compressor->bytes;
    compressor->owner->own = NULL;
    compressor_free(pool, compressor);
}

void mw_deflater_free(struct mw_deflater *deflater)
{
    if (deflater && deflater->own)
        let_go(deflater->pool, deflater->own);
}

static void keep_to_cap(struct mw_deflate_pool *pool)
{
    while (pool->kept_bytes > pool->max_bytes && !mw_list_is_empty(&pool->kept)) {
        struct mw_compressor *oldest = MW_OWNER(pool->kept.next, struct mw_compressor, link);
        if (oldest->link.next == &pool->kept)
            return; /* whoever sends now keeps at least its own */
        let_go(pool, oldest);
    }
}

static struct mw_compressor *own_compressor(struct mw_deflater *deflater)
{
    struct mw_deflate_pool *pool = deflater->pool;
    struct mw_compressor *own = deflater->own;
    if (own) {
        mw_list_remove(&own->link);
        mw_list_push(&pool->kept, &own->link);
        return own;
    }
    own = compressor_new(pool, deflater->bits);
    if (!own)
        return NULL;
    own->owner = deflater;
    deflater->own = own;
    mw_list_push(&pool->kept, &own->link);
    pool->kept_bytes += own->bytes;
    keep_to_cap(pool);
    return own;
}

/* Without a past. */
static struct mw_compressor *shared_compressor(struct mw_deflater *deflater)
{
    struct mw_compressor **shared = &deflater->pool->shared[deflater->bits];
    if (*shared)
        deflateReset(&(*shared)->z);
    else
        *shared = compressor_new(deflater->pool, deflater->bits);
    return *shared;
}

void mw_deflater_forget(struct mw_deflater *deflater)
{
    if (deflater->own)
        deflateReset(&deflater->own->z);
}

/* All of the message and a flush. zlib wants to be asked again as long as it fills its room. */
static int compress_all(z_stream *z, struct mw_view message, struct mw_buf *out)
{
    size_t room = deflateBound(z, (uLong)message.len) + STEP_MIN;
    z->next_in = (Bytef *)message.data;
    z->avail_in = (uInt)message.len;
    do {
        int err = mw_buf_reserve(out, room);
        if (err)
            return MW_ERR_NOMEM;
        z->next_out = (Bytef *)out->data + out->len;
        z->avail_out = (uInt)room;
        deflate(z, Z_SYNC_FLUSH);
        out->len += room - z->avail_out;
        room = STEP_MAX;
    } while (z->avail_out == 0);
    return MW_OK;
}

int mw_deflater_run(struct mw_deflater *deflater, struct mw_view message, struct mw_buf *out)
{
    if (message.len == 0) /* RFC 7692 7.2.3.6; zlib flushes nothing twice */
        return mw_buf_put_byte(out, 0) ? MW_ERR_NOMEM : MW_OK;
    if (message.len > UINT_MAX / 2)
        return MW_ERR_NOMEM;
    struct mw_compressor *compressor =
        deflater->takeover ? own_compressor(deflater) : shared_compressor(deflater);
    if (!compressor)
        return MW_ERR_NOMEM;
    size_t before = out->len;
    if (compress_all(&compressor->z, message, out) != MW_OK) {
        out->len = before;
        mw_deflater_forget(deflater);
        return MW_ERR_NOMEM;
    }
    mw_assert(out->len - before > sizeof tail);
    out->len -= sizeof tail;
    mw_assert(memcmp(out->data + out->len, tail, sizeof tail) == 0);
    return MW_OK;
}

/* ---- in ---- */

void mw_inflater_init(struct mw_inflater *inflater, struct mw_deflate_pool *pool, uint8_t bits,
                      bool takeover)
{
    *inflater = (struct mw_inflater){ .pool = pool, .takeover = takeover };
    mw_buf_init(&inflater->history, pool->mem, (size_t)1 << bits);
    if (takeover)
        pool->promised_bytes += inflater->history.max_bytes;
}

static void give_back(struct mw_inflater *inflater)
{
    struct mw_deflate_pool *pool = inflater->pool;
    struct mw_decompressor *stream = inflater->stream;
    inflater->stream = NULL;
    if (!stream)
        return;
    if (pool->spare_count == SPARE_MAX) {
        decompressor_free(pool, stream);
        return;
    }
    stream->next = pool->spare;
    pool->spare = stream;
    pool->spare_count++;
}

void mw_inflater_free(struct mw_inflater *inflater)
{
    if (!inflater || !inflater->pool)
        return;
    give_back(inflater);
    if (inflater->takeover)
        inflater->pool->promised_bytes -= inflater->history.max_bytes;
    inflater->takeover = false;
    inflater->pool->kept_bytes -= inflater->history.cap;
    mw_buf_free(&inflater->history);
}

static struct mw_decompressor *take_stream(struct mw_deflate_pool *pool)
{
    struct mw_decompressor *stream = pool->spare;
    if (!stream)
        return decompressor_new(pool);
    pool->spare = stream->next;
    pool->spare_count--;
    inflateReset(&stream->z);
    return stream;
}

/* A message begins, with what went before it as far as the window reaches. */
static int begin(struct mw_inflater *inflater)
{
    inflater->stream = take_stream(inflater->pool);
    if (!inflater->stream)
        return MW_ERR_NOMEM;
    inflater->stream->ended = false;
    const struct mw_buf *history = &inflater->history;
    if (history->len == 0)
        return MW_OK;
    int err = inflateSetDictionary(&inflater->stream->z, (const Bytef *)history->data,
                                   (uInt)history->len);
    return err ? MW_ERR_NOMEM : MW_OK;
}

/* Room behind `out`: 0 where its cap is reached. */
static int make_room(struct mw_buf *out, size_t input, size_t *room)
{
    size_t left = out->max_bytes ? out->max_bytes - out->len : STEP_MAX;
    size_t step = input < STEP_MIN ? STEP_MIN : input < STEP_MAX ? input : STEP_MAX;
    if (out->cap == out->len && mw_buf_reserve(out, step < left ? step : left) != MW_OK)
        return MW_ERR_NOMEM;
    *room = out->cap - out->len;
    if (*room > left)
        *room = left;
    if (*room > INT_MAX)
        *room = INT_MAX;
    return MW_OK;
}

/* One call of zlib's. At the cap it may write one byte, which then is one too many. */
static int step(struct mw_decompressor *stream, struct mw_buf *out)
{
    z_stream *z = &stream->z;
    Bytef one_too_many;
    size_t room;
    int err = make_room(out, z->avail_in, &room);
    if (err)
        return err;
    z->next_out = room ? (Bytef *)out->data + out->len : &one_too_many;
    z->avail_out = room ? (uInt)room : 1;
    if (z->avail_in)
        stream->ended = false;
    err = inflate(z, Z_NO_FLUSH);
    if (room == 0 && z->avail_out == 0)
        return MW_ERR_FULL;
    if (room)
        out->len += room - z->avail_out;
    switch (err) {
    case Z_OK:
    case Z_BUF_ERROR: /* there was nothing to do */
        return MW_OK;
    case Z_STREAM_END:
        /* RFC 7692 7.2.3.4: more blocks may follow a final one, in the same window. */
        stream->ended = true;
        inflateResetKeep(z);
        return MW_OK;
    case Z_MEM_ERROR:
        return MW_ERR_NOMEM;
    default:
        return MW_ERR_PROTOCOL;
    }
}

int mw_inflater_feed(struct mw_inflater *inflater, struct mw_view piece, struct mw_buf *out)
{
    int err = inflater->stream ? MW_OK : begin(inflater);
    if (err || piece.len == 0)
        return err;
    if (piece.len > INT_MAX)
        return MW_ERR_NOMEM;
    z_stream *z = &inflater->stream->z;
    z->next_in = (Bytef *)piece.data;
    z->avail_in = (uInt)piece.len;
    do {
        err = step(inflater->stream, out);
    } while (!err && (z->avail_in > 0 || z->avail_out == 0));
    return err;
}

/* zlib.h on inflate: 128 is set behind a block, and below 64 are the bits not used yet. */
static bool is_behind_a_block(const z_stream *z)
{
    return (z->data_type & 128) && (z->data_type & 63) == 0;
}

/* Keeps the end of all that was received so far. */
static int remember(struct mw_inflater *inflater, struct mw_view message)
{
    struct mw_buf *history = &inflater->history;
    if (!inflater->takeover)
        return MW_OK;
    if (message.len > history->max_bytes)
        message = mw_view_from(message, message.len - history->max_bytes);
    if (history->len > history->max_bytes - message.len)
        mw_buf_skip(history, history->len - (history->max_bytes - message.len));
    size_t before = history->cap;
    int err = mw_buf_put_view(history, message);
    inflater->pool->kept_bytes += history->cap - before;
    keep_to_cap(inflater->pool);
    return err;
}

int mw_inflater_end(struct mw_inflater *inflater, struct mw_buf *out)
{
    /*
     * RFC 7692 7.2.2: the tail is put back. Some senders end with a final block and nothing behind
     * it, which says the same.
     */
    if (!inflater->stream->ended) {
        int err = mw_inflater_feed(inflater, mw_view(tail, sizeof tail), out);
        if (err)
            return err;
        if (!is_behind_a_block(&inflater->stream->z))
            return MW_ERR_PROTOCOL;
    }
    give_back(inflater);
    return remember(inflater, mw_buf_view(out));
}

bool mw_inflater_validate(const struct mw_inflater *inflater)
{
    const struct mw_buf *history = &inflater->history;
    if (!inflater->pool)
        return !inflater->stream && !history->data;
    return history->len <= history->max_bytes && (inflater->takeover || history->len == 0);
}

/* ---- files ---- */

/* Added to the window: a header of gzip instead of zlib's. */
#define GZIP_BITS 16

int mw_gzip(struct mw_view bytes, struct mw_buf *out)
{
    z_stream z = { .zalloc = z_alloc, .zfree = z_free, .opaque = out->mem };
    if (bytes.len > UINT_MAX)
        return MW_ERR_NOMEM;
    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP_BITS, MAX_MEM_LEVEL,
                     Z_DEFAULT_STRATEGY))
        return MW_ERR_NOMEM;
    size_t most = deflateBound(&z, bytes.len);
    int err = most > UINT_MAX || mw_buf_reserve(out, most) ? MW_ERR_NOMEM : MW_OK;
    if (!err) {
        z.next_in = (z_const Bytef *)bytes.data;
        z.avail_in = (uInt)bytes.len;
        z.next_out = (Bytef *)out->data + out->len;
        z.avail_out = (uInt)most;
        (void)MW_ALWAYS(deflate(&z, Z_FINISH) == Z_STREAM_END);
        out->len += most - z.avail_out;
    }
    deflateEnd(&z);
    return err;
}
