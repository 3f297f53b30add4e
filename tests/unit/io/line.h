/* A connection of a test: the near end is a stream on the loop, the far end a plain socket. */
#ifndef MW_TESTS_UNIT_IO_LINE_H
#define MW_TESTS_UNIT_IO_LINE_H

#include <stdlib.h>

#include "tests/unit/io/sockets.h"

#define FLOOD (32U << 20) /* more than two socket buffers hold */

struct line {
    struct world world;
    struct owner owner;
    struct far far;
    size_t said; /* by the far end, where a test counts it */
};

static inline void open_line(struct line *line)
{
    int near;
    *line = (struct line){ .far = { .fd = -1 } };
    open_world(&line->world);
    connect_pair(&near, &line->far.fd);
    take_stream(&line->owner, &line->world, mw_tcp_adopt(line->world.loop, near));
}

static inline void close_line(struct line *line)
{
    if (line->owner.closed == 0)
        drop_stream(&line->owner, false);
    close(line->far.fd);
    close_world(&line->world);
    assert_int_equal(line->owner.closed, 1);
}

static inline void say(struct line *line, const char *text)
{
    assert_int_equal(write(line->far.fd, text, strlen(text)), (ssize_t)strlen(text));
}

static inline long write_bytes(struct line *line, const char *bytes, size_t len)
{
    struct mw_view view = mw_view(bytes, len);
    return mw_stream_write(line->owner.stream, &view, 1);
}

static inline bool has_far_len(void *ctx)
{
    struct line *line = ctx;
    read_far(&line->far);
    return line->far.len >= line->owner.len;
}

/* Enough for a part to stay in flight, in many vectors, so that the cut falls inside of one. */
static inline struct mw_view *new_flood(char **bytes)
{
    static struct mw_view vectors[MW_STREAM_MAX_VECTORS];
    *bytes = malloc(FLOOD);
    assert_non_null(*bytes);
    for (size_t i = 0; i < FLOOD; i++)
        (*bytes)[i] = (char)(i * 31 + i / 251);
    size_t each = FLOOD / MW_COUNT(vectors);
    for (size_t i = 0; i < MW_COUNT(vectors); i++)
        vectors[i] = mw_view(*bytes + i * each, each);
    return vectors;
}

#endif
