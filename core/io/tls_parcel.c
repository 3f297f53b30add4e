/*
 * A TLS stream leaves its loop and comes to another. Its block and what hangs on it stay where they
 * lie in memory: mbedTLS nowhere promises that a context may be moved. What changes hands are the
 * accounts, and what points to the loop.
 */
#include "core/base/check.h"
#include "core/io/tls_stream.h"

/* The stream's own, three buffers and a name. */
#define MAX_BLOCKS 5

struct block {
    void *at;
    size_t bytes;
};

/* Those that exist. */
static size_t blocks_of(struct mw_tls_stream *tls, struct block out[MAX_BLOCKS])
{
    const struct block all[MAX_BLOCKS] = {
        { tls->input.data, tls->input.cap },
        { tls->flying.data, tls->flying.cap },
        { tls->waiting.data, tls->waiting.cap },
        { tls->sni, tls->sni ? strlen(tls->sni) + 1 : 0 },
        { tls, sizeof(*tls) }, /* the last one: all others are found by it */
    };
    size_t count = 0;
    for (size_t i = 0; i < MAX_BLOCKS; i++) {
        if (all[i].at)
            out[count++] = all[i];
    }
    return count;
}

static size_t sum_of(const struct block *blocks, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += blocks[i].bytes;
    return sum;
}

static bool may_travel(const struct mw_tls_stream *tls)
{
    return tls->state == MW_TLS_OPEN && !tls->is_broken && !tls->is_finished &&
           !tls->has_said_bye && !tls->is_closing && !tls->is_client;
}

int mw_tls_pack(struct mw_stream *stream, struct mw_parcel *out)
{
    struct mw_tls_stream *tls = MW_OWNER(stream, struct mw_tls_stream, stream);
    struct block blocks[MAX_BLOCKS];
    struct mw_parcel parcel;
    if (!may_travel(tls))
        return MW_ERR_CLOSED;
    int err = mw_stream_pack(tls->below, &parcel);
    if (err)
        return err;
    mw_stream_attach(tls->below, stream->events, stream->owner); /* for its `closed` */
    mw_stream_attach(stream, NULL, NULL);
    mw_turn_task_remove(&tls->later);
    mw_buf_skip(&tls->flying, tls->flying.len - parcel.unsent_bytes);
    parcel.unsent_bytes = tls->rest.bytes;
    mw_tls_drop_rest(tls);
    mw_tls_fall_asleep(&tls->sleep, &tls->ssl, &tls->loop->pool);
    struct mw_tls_pair_size size = mw_tls_pool_send(&tls->loop->pool, &tls->ssl);
    parcel.tls = tls;
    parcel.tls_sizes[0] = size.in_bytes;
    parcel.tls_sizes[1] = size.out_bytes;
    size_t count = blocks_of(tls, blocks);
    mw_mem_send(mw_loop_mem(tls->loop->loop), sum_of(blocks, count), count);
    tls->loop->streams--;
    tls->loop = NULL;
    tls->below = NULL;
    *out = parcel;
    return MW_OK;
}

void mw_tls_drop_packed(struct mw_tls_stream *tls)
{
    struct block blocks[MAX_BLOCKS];
    mbedtls_ssl_free(&tls->ssl);
    mw_tls_ctx_release(tls->ctx);
    size_t count = blocks_of(tls, blocks);
    for (size_t i = 0; i < count; i++)
        mw_shared_free(blocks[i].at, blocks[i].bytes);
}

/* Nothing is wanted of it yet, and the stream below will tell its end again. */
static void begin_anew(struct mw_tls_stream *tls, struct mw_mem *mem)
{
    tls->input.mem = tls->flying.mem = tls->waiting.mem = mem;
    tls->is_wanted = tls->is_reading = false;
    tls->is_below_over = tls->is_end_told = false;
    tls->owes_written = false;
    mbedtls_ssl_set_user_data_p(&tls->ssl, &tls->loop->hello);
}

struct mw_stream *mw_tls_unpack(struct mw_tls_loop *loop, struct mw_parcel *parcel,
                                struct mw_stream *below)
{
    struct mw_tls_stream *tls = parcel->tls;
    struct mw_mem *mem = mw_loop_mem(loop->loop);
    struct block blocks[MAX_BLOCKS];
    size_t count = blocks_of(tls, blocks);
    if (!mw_mem_take(mem, sum_of(blocks, count), count)) {
        mw_tls_drop_packed(tls);
        mw_stream_close(below, false);
        return NULL;
    }
    mw_tls_put_on(tls, loop, below);
    begin_anew(tls, mem);
    mw_tls_pool_take(&loop->pool, &tls->ssl,
                     (struct mw_tls_pair_size){ parcel->tls_sizes[0], parcel->tls_sizes[1] });
    if (tls->flying.len > 0)
        mw_tls_fly_on(tls);
    if (tls->flying.len == 0)
        mw_tls_flush(tls);
    return &tls->stream;
}
