/*
 * The few types that every layer and both ports share: views, ids, times, opcodes, errors.
 * Plain C types only; no function here allocates.
 */
#ifndef MOONWIRE_TYPES_H
#define MOONWIRE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that somebody else owns. Not terminated by a NUL unless a declaration says so. */
struct mw_view {
    const char *data;
    size_t len;
};

static inline struct mw_view mw_view(const char *data, size_t len)
{
    return (struct mw_view){ data, len };
}

static inline struct mw_view mw_view_text(const char *text)
{
    return mw_view(text, text ? strlen(text) : 0);
}

/* A string literal as the initializer of a static view. */
/* clang-format off */
#define MW_VIEW(literal) { (literal), sizeof(literal) - 1 }
/* clang-format on */

/*
 * A connection outside its worker: worker (8 bits), generation (24), slot (32). Never a pointer: a
 * stale id finds nothing. 0 is no connection.
 */
typedef uint64_t mw_id;

/* A moment or a span in milliseconds; moments are of the monotonic clock unless named `unix`. */
typedef uint64_t mw_ms;

#define MW_NEVER UINT64_MAX

/* RFC 6455 5.2 */
enum mw_opcode {
    MW_OPCODE_CONTINUATION = 0x0,
    MW_OPCODE_TEXT = 0x1,
    MW_OPCODE_BINARY = 0x2,
    MW_OPCODE_CLOSE = 0x8,
    MW_OPCODE_PING = 0x9,
    MW_OPCODE_PONG = 0xA,
};

/* What is known of the TLS below a connection, once its handshake is over. Texts end in a NUL. */
struct mw_tls_facts {
    char version[8];          /* "TLSv1.3" */
    char cipher[64];          /* IANA's name: "TLS_AES_128_GCM_SHA256" */
    char sni[256];            /* the host name that the client asked for; "" without */
    char client_subject[512]; /* of its verified certificate, cut where longer; "" without */
};

/* A name and a text for each error, from one list, so that they cannot drift apart. */
#define MW_ERR_LIST(X) \
    X(NOMEM, -1, "out of memory") \
    X(AGAIN, -2, "not enough bytes yet, or the other side is not ready") \
    X(CLOSED, -3, "the connection is closed or closing") \
    X(GONE, -4, "no connection, timer or topic has this id") \
    X(FULL, -5, "a limit is reached") \
    X(BAD_UTF8, -6, "the text is not valid UTF-8") \
    X(BAD_CODE, -7, "this close code must not be sent") \
    X(BAD_ARG, -8, "an argument is out of its range") \
    X(PROTOCOL, -9, "the peer broke a rule of the protocol") \
    X(SCRIPT, -10, "the script failed") \
    X(IO, -11, "the operating system refused") \
    X(DROPPED, -12, "the message was dropped because the queue is full") \
    X(NOT_FOUND, -13, "there is no such thing") \
    X(QUOTA, -14, "the script has used up its share")

enum mw_err {
    MW_OK = 0,
#define MW_ERR_ENUM(name, number, text) MW_ERR_##name = (number),
    MW_ERR_LIST(MW_ERR_ENUM)
#undef MW_ERR_ENUM
};

#endif
