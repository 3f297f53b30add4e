/*
 * A byte stream as a table: TCP is one instance, TLS over it another. The owner gets events, one
 * at a time.
 *
 * Life: given by mw_listener (or made by a dialler) without an owner; attach; read/write; close;
 * `closed` comes from the loop, never from inside close; then the stream frees itself. After close
 * no other event comes.
 */
#ifndef MW_IO_STREAM_H
#define MW_IO_STREAM_H

#include "moonwire/types.h"

#define MW_STREAM_MAX_VECTORS 64
#define MW_STREAM_ADDRESS_LEN 56 /* "[0123:...:cdef%interface]:65535" and a NUL */

struct mw_stream;
struct mw_parcel; /* parcel.h */

enum mw_stream_end {
    MW_STREAM_FIN,   /* the peer has finished sending */
    MW_STREAM_RESET, /* reset, or any other error of the network */
    /*
     * What came is not TLS, or the handshake failed: mw_stream_fault says why. The alert for the
     * peer is written already; finish and a bounded wait before close let it arrive.
     */
    MW_STREAM_TLS_ERROR,
};

struct mw_stream_events {
    /*
     * Bytes of that place or of the receive buffer, which the owner may change; until the call
     * returns.
     */
    void (*read)(void *owner, char *bytes, size_t len);
    /* Nothing more will be read; at most once. */
    void (*end)(void *owner, enum mw_stream_end how);
    /*
     * The write that was in flight is over: taken whole, or the peer is gone, and then the next
     * write says so. Either way its bytes are the owner's again.
     */
    void (*written)(void *owner);
    /* The last event. */
    void (*closed)(void *owner);
    /*
     * Asked before a read: where the owner wants the bytes, and how many at most; NULL: in the
     * loop's receive buffer. A stream need not ask, and nothing may be read. NULL: always there.
     */
    char *(*place)(void *owner, size_t *room);
};

struct mw_stream_ops {
    void (*set_reading)(struct mw_stream *stream, bool on);
    long (*write)(struct mw_stream *stream, const struct mw_view *vectors, size_t count);
    long (*offer)(struct mw_stream *stream, const struct mw_view *vectors,
                  size_t count); /* NULL: all that is written may stay in flight */
    void (*finish)(struct mw_stream *stream);
    void (*close)(struct mw_stream *stream, bool reset);
    void (*peer)(const struct mw_stream *stream, char out[MW_STREAM_ADDRESS_LEN]);
    size_t (*untaken)(const struct mw_stream *stream);
    bool (*tls)(const struct mw_stream *stream, struct mw_tls_facts *out); /* NULL: never */
    const char *(*fault)(const struct mw_stream *stream);                  /* NULL: none */
    int (*pack)(struct mw_stream *stream, struct mw_parcel *out);          /* NULL: it stays */
};

struct mw_stream {
    const struct mw_stream_ops *ops;
    const struct mw_stream_events *events;
    void *owner;
};

static inline void mw_stream_attach(struct mw_stream *stream, const struct mw_stream_events *events,
                                    void *owner)
{
    stream->events = events;
    stream->owner = owner;
}

/* Off by default. With reading off neither `read` nor a FIN is reported. */
static inline void mw_stream_set_reading(struct mw_stream *stream, bool on)
{
    stream->ops->set_reading(stream, on);
}

/*
 * Writes now what the kernel takes and returns how many bytes that were. Where it is less than the
 * sum, the rest is in flight: its bytes are borrowed until `written`, and no other write may be
 * made before. MW_ERR_CLOSED: the peer is gone, or there was no memory for what stays in
 * flight (an `end` follows from the loop, even with reading off, or has come). At most
 * MW_STREAM_MAX_VECTORS vectors.
 */
static inline long mw_stream_write(struct mw_stream *stream, const struct mw_view *vectors,
                                   size_t count)
{
    return stream->ops->write(stream, vectors, count);
}

/*
 * The same, but what the kernel does not take now is left with the caller: nothing is in flight
 * afterwards. Only where the stream can.
 */
static inline bool mw_stream_can_offer(const struct mw_stream *stream)
{
    return stream->ops->offer;
}
static inline long mw_stream_offer(struct mw_stream *stream, const struct mw_view *vectors,
                                   size_t count)
{
    return stream->ops->offer(stream, vectors, count);
}

/* Half-close: after what is in flight, tell the peer that nothing more comes. Reading goes on. */
static inline void mw_stream_finish(struct mw_stream *stream)
{
    stream->ops->finish(stream);
}

/* Drops what is in flight. With `reset` the peer gets an RST at once. */
static inline void mw_stream_close(struct mw_stream *stream, bool reset)
{
    stream->ops->close(stream, reset);
}

/*
 * Bytes written that the peer has not taken yet, those in flight included: as long as nothing is
 * written it only falls, and while it falls the peer is slow, not gone.
 */
static inline size_t mw_stream_untaken(const struct mw_stream *stream)
{
    return stream->ops->untaken(stream);
}

/* The peer's numeric address without its port, NUL-terminated; "" when it is gone. */
static inline void mw_stream_peer(const struct mw_stream *stream, char out[MW_STREAM_ADDRESS_LEN])
{
    stream->ops->peer(stream, out);
}

/* False: the stream is plain, or its handshake is not over. */
static inline bool mw_stream_tls(const struct mw_stream *stream, struct mw_tls_facts *out)
{
    return stream->ops->tls && stream->ops->tls(stream, out);
}

/* After an MW_STREAM_TLS_ERROR a sentence for people; "" otherwise. Until the stream is freed. */
static inline const char *mw_stream_fault(const struct mw_stream *stream)
{
    return stream->ops->fault ? stream->ops->fault(stream) : "";
}

#endif
