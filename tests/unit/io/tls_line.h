/*
 * A TLS connection in a test: near a stream of ours over TCP with its owner, far a client or a
 * plain socket. And the certificates that the tests share, made once a program.
 */
#ifndef MW_TESTS_UNIT_IO_TLS_LINE_H
#define MW_TESTS_UNIT_IO_TLS_LINE_H

#include "core/io/tls.h"
#include "core/io/tls_stream.h" /* its limits, for tests to set */
#include "tests/unit/io/tls_client.h"

struct line {
    struct world world;
    struct mw_tls_loop *tls;
    struct mw_tls_ctx *ctx;
    struct owner owner;
    struct client client;
    int fd; /* the far end where there is no client */
};

static inline struct mw_tls_ctx *new_ctx(struct world *world, const struct mw_tls_setup *setup)
{
    struct mw_tls_ctx *ctx = NULL;
    char why[256];
    int err = mw_tls_ctx_new(&world->mem, setup, &ctx, why);
    assert_string_equal(why, "");
    assert_int_equal(err, MW_OK);
    return ctx;
}

/* Without a far end: line->fd is it. */
static inline void open_plain_line(struct line *line, const struct mw_tls_setup *setup)
{
    int near;
    memset(line, 0, sizeof(*line));
    open_world(&line->world);
    line->tls = mw_tls_loop_new(line->world.loop);
    assert_non_null(line->tls);
    line->ctx = new_ctx(&line->world, setup);
    connect_pair(&near, &line->fd);
    struct mw_stream *below = mw_tcp_adopt(line->world.loop, near);
    take_stream(&line->owner, &line->world,
                mw_tls_accept(line->tls, line->ctx, below, mw_view(NULL, 0)));
    mw_stream_set_reading(line->owner.stream, true);
}

static inline void open_line(struct line *line, const struct mw_tls_setup *setup,
                             const struct client_wish *wish)
{
    open_plain_line(line, setup);
    client_open(&line->client, line->fd, wish);
    line->fd = -1;
}

static inline void drop_line(struct line *line)
{
    if (line->owner.closed == 0)
        drop_stream(&line->owner, false);
    mw_tls_loop_free(line->tls);
    mw_tls_ctx_release(line->ctx);
    close_world(&line->world);
}

static inline void close_line(struct line *line)
{
    drop_line(line);
    if (line->fd < 0)
        client_close(&line->client);
    else
        close(line->fd);
}

static inline struct mw_tls_stats stats_of(const struct line *line)
{
    struct mw_tls_stats stats;
    mw_tls_loop_stats(line->tls, &stats);
    return stats;
}

static inline void client_says(struct line *line, const char *bytes, size_t len)
{
    line->client.bytes = bytes;
    line->client.bytes_len = len;
}

/* The handshake is over at both ends. */
static inline bool is_shaken(void *ctx)
{
    struct line *line = ctx;
    struct mw_tls_facts facts;
    (void)client_run(&line->client);
    return line->client.is_ended ||
           (line->client.is_open && mw_stream_tls(line->owner.stream, &facts));
}

static inline void shake_hands(struct line *line)
{
    wait_until(&line->world, is_shaken, line);
    assert_int_equal(line->client.code, 0);
    assert_false(line->client.is_ended);
}

/* The owner has got as much as the client had to say. */
static inline bool is_heard(void *ctx)
{
    struct line *line = ctx;
    return client_run(&line->client) && line->owner.len > 0;
}

static inline bool owner_has_ended(void *ctx)
{
    struct line *line = ctx;
    if (line->fd < 0)
        (void)client_run(&line->client);
    return line->owner.faults + line->owner.resets + line->owner.fins > 0;
}

static inline long write_bytes(struct line *line, const char *bytes, size_t len)
{
    struct mw_view view = mw_view(bytes, len);
    return mw_stream_write(line->owner.stream, &view, 1);
}

#endif
