/*
 * One TLS connection, as the files that make it share it. Nobody else includes this.
 *
 *   tls.c            its life: events from below, calls from above, how it ends
 *   tls_handshake.c  from the hello to the first byte
 *   tls_verify.c     a client looks at the server's certificate
 *   tls_in.c         ciphertext in, plaintext to the owner
 *   tls_out.c        plaintext in, ciphertext to the stream below
 *   tls_parcel.c     from one loop to another
 */
#ifndef MW_IO_TLS_STREAM_H
#define MW_IO_TLS_STREAM_H

#include "core/base/buf.h"
#include "core/io/parcel.h"
#include "core/io/tls.h"
#include "core/io/tls_queue.h"
#include "core/io/tls_sleep.h"

#define MW_TLS_HEADER_BYTES 5     /* RFC 8446 5.1 */
#define MW_TLS_RECORD_BYTES 16384 /* of plaintext in a record */
#define MW_TLS_MORE_BYTES   2048  /* what encryption may add (RFC 5246 6.2.3) */

/* All that a read from below can become, and the record that was begun before it. */
#define MW_TLS_PLAIN_BYTES (MW_LOOP_READ_BYTES + MW_TLS_RECORD_BYTES + MW_TLS_MORE_BYTES)

struct mw_tls_loop {
    struct mw_loop *loop;
    struct mw_tls_queue queue;
    struct mw_tls_pool pool;
    struct mw_tls_hello hello; /* of the handshake whose turn it is */
    struct mw_view hand[2];    /* whole records for the call of mbedTLS that is being made */
    char *plain;               /* MW_TLS_PLAIN_BYTES: lent to the owner that reads */
    char *packed;              /* MW_TLS_RECORD_BYTES: small vectors on their way into a record */
    bool is_decrypting;        /* mbedTLS may not write then */
    size_t streams;
    uint64_t full, resumed, failed;
};

enum mw_tls_state {
    MW_TLS_HELLO,   /* nothing of mbedTLS exists, input grows to the first record */
    MW_TLS_SHAKING, /* counted as begun in the queue */
    MW_TLS_OPEN,
    MW_TLS_OVER, /* nothing of mbedTLS is left; what comes is dropped */
};

/* What is left of a write. Vectors are borrowed, or copied to the heap while it is in flight. */
struct mw_tls_rest {
    const struct mw_view *vectors;
    size_t count, at, skip; /* skip: of the bytes of vectors[at] */
    size_t bytes;           /* left */
};

struct mw_tls_stream {
    struct mw_stream stream;
    struct mw_stream *below;
    struct mw_tls_loop *loop;
    struct mw_tls_ctx *ctx; /* holds a reference */
    enum mw_tls_state state;
    enum mw_stream_end end; /* where has_end */
    bool is_client;
    bool has_heard; /* a client: the server has said something */
    bool has_end, is_end_told;
    bool is_wanted;     /* the owner wants to read */
    bool is_reading;    /* the stream below was told to */
    bool is_below_over; /* it has told its end */
    bool is_broken;     /* nothing more can be written */
    bool is_finished;   /* the owner writes no more */
    bool has_said_bye;  /* nor do we */
    bool is_below_finished, is_closing;
    bool is_full;            /* the handshake showed a certificate: it was not resumed */
    bool owes_written;       /* to the owner; `rest` may be empty then */
    struct mw_tls_turn turn; /* in the queue of handshakes */
    struct mw_turn_task later;
    struct mw_buf input; /* ciphertext kept: a record's part; whole ones while they wait */
    struct mw_buf flying, waiting; /* ciphertext: below has it; it is for below's next write */
    struct mw_tls_rest rest;
    const char *fault;        /* static */
    char *sni;                /* NULL: none; of a client, the host that it wants */
    struct mw_tls_peer *peer; /* of a client; NULL: nothing was shown yet */
    struct mw_tls_sleep sleep;
    mbedtls_ssl_context ssl;
};

/* ---- tls.c ---- */

/* Stands on this loop and this stream from now on, which is told what to do from here. */
void mw_tls_put_on(struct mw_tls_stream *tls, struct mw_tls_loop *loop, struct mw_stream *below);
/* Ends it because of `code` (mbedTLS's, or ours); `has_said` an alert about it already. */
void mw_tls_fail(struct mw_tls_stream *tls, int code, bool has_said);
/* Ends it like a reset: no memory, or the stream below is gone. */
void mw_tls_break(struct mw_tls_stream *tls);
/* No handshake any more, and nothing of mbedTLS: what comes is dropped. */
void mw_tls_quit(struct mw_tls_stream *tls);
/* The peer has finished sending; told in its turn. */
void mw_tls_end(struct mw_tls_stream *tls, enum mw_stream_end how);
/* It is open, or never will be: makes room in the queue. */
void mw_tls_leave_queue(struct mw_tls_stream *tls);
void mw_tls_do_later(struct mw_tls_stream *tls);
/* Reads from below or not, as its state asks for. */
void mw_tls_update_reading(struct mw_tls_stream *tls);

/* ---- tls_handshake.c ---- */

/* More of the handshake has come. */
void mw_tls_hear(struct mw_tls_stream *tls, struct mw_view bytes);
void mw_tls_on_turn(struct mw_tls_turn *turn);
void mw_tls_on_drop(struct mw_tls_turn *turn);

/* ---- tls_verify.c ---- */

/* Of a client, before its hello: whose certificate it expects. False: no memory. */
bool mw_tls_expect(struct mw_tls_stream *tls);
/* ... and after the handshake: what was agreed on. */
void mw_tls_agree(struct mw_tls_stream *tls);

/* ---- tls_in.c ---- */

int mw_tls_receive(void *tls, unsigned char *out, size_t max_bytes);
/* How many of the bytes are whole records. */
size_t mw_tls_whole(struct mw_view bytes);
bool mw_tls_has_whole_input(const struct mw_tls_stream *tls);
/* Decrypts what is kept and `bytes`, and tells the owner. Only where it is open and wanted. */
void mw_tls_take_in(struct mw_tls_stream *tls, struct mw_view bytes);
/* Keeps the bytes. False: there was no memory, and it is broken. */
bool mw_tls_keep_input(struct mw_tls_stream *tls, struct mw_view bytes);
/* Drops records that were kept and are done with. */
void mw_tls_drop_input(struct mw_tls_stream *tls, size_t len);
/* Lets mbedTLS drop the message that it holds on to, so that it can sleep. 0 or its code. */
int mw_tls_settle(struct mw_tls_stream *tls);

/* ---- tls_out.c ---- */

int mw_tls_transmit(void *tls, const unsigned char *bytes, size_t len);
long mw_tls_write(struct mw_stream *stream, const struct mw_view *vectors, size_t count);
void mw_tls_finish(struct mw_stream *stream);
size_t mw_tls_untaken(const struct mw_stream *stream);
/* Ciphertext to the stream below. */
void mw_tls_flush(struct mw_tls_stream *tls);
/* Writes anew what another stream below had not brought away. */
void mw_tls_fly_on(struct mw_tls_stream *tls);
/* What waits to be written, as far as it goes. From the loop only: tells `written`. */
void mw_tls_push_out(struct mw_tls_stream *tls);
void mw_tls_drop_rest(struct mw_tls_stream *tls);

/* ---- tls_parcel.c ---- */

int mw_tls_pack(struct mw_stream *stream, struct mw_parcel *out);
/* Takes both. NULL: no memory. */
struct mw_stream *mw_tls_unpack(struct mw_tls_loop *loop, struct mw_parcel *parcel,
                                struct mw_stream *below);
/* Any thread. */
void mw_tls_drop_packed(struct mw_tls_stream *tls);

#endif
