/*
 * From a name and a port to a connected stream: addresses by the system's resolver, tried one after
 * the other, but the next one begins already where one takes long (RFC 8305 5), with the families
 * in turn. The first that connects is given; what became of each can be read. No proxies.
 */
#ifndef MW_IO_DIAL_H
#define MW_IO_DIAL_H

#include "core/io/loop.h"
#include "core/io/stream.h"

#define MW_DIAL_ADDRESSES  16 /* more are not tried */
#define MW_DIAL_STAGGER_MS 250

enum mw_dial_state {
    MW_DIAL_WAITING,
    MW_DIAL_TRYING,
    MW_DIAL_FAILED,    /* error says why */
    MW_DIAL_CONNECTED, /* the stream is this one's */
    MW_DIAL_LEFT,      /* another one was faster */
};

struct mw_dial_address {
    char text[MW_STREAM_ADDRESS_LEN]; /* numeric, without port */
    bool is_v6;
    enum mw_dial_state state;
    uint64_t took_us;  /* until it connected or failed */
    const char *error; /* "connection refused"; NULL but where FAILED. Static */
};

/* Where it failed. */
enum mw_dial_fault {
    MW_DIAL_FAULT_NONE,
    MW_DIAL_FAULT_RESOLVE, /* the name has no address, or nobody could say */
    MW_DIAL_FAULT_CONNECT, /* no address took the connection; see each */
    MW_DIAL_FAULT_NOMEM,
};

struct mw_dial;

/* Of these two functions the last one called ends the dial: it frees itself after it. */
struct mw_dial_events {
    /* The addresses are known, in the order in which they are tried. */
    void (*resolved)(void *owner, const struct mw_dial *dial);
    /* stream: given, attached to nobody; NULL: failed, and mw_dial_fault says how. */
    void (*done)(void *owner, const struct mw_dial *dial, struct mw_stream *stream);
};

struct mw_dial_setup {
    const char *host; /* a name, or a numeric address without brackets; copied */
    uint16_t port;
    int family;            /* 0: any; 4 or 6: those alone */
    mw_ms connect_wait_ms; /* for each address; the resolver has its own times */
    const struct mw_dial_events *events;
    void *owner;
};

/* Gives a dial; events come from the loop, never from here. MW_ERR_NOMEM, MW_ERR_IO. */
int mw_dial_start(struct mw_loop *loop, const struct mw_dial_setup *setup, struct mw_dial **out);
/*
 * No event comes any more; it frees itself when the loop has let go of it. (A resolver that is at
 * work cannot be stopped: mw_loop_finish waits for it.)
 */
void mw_dial_cancel(struct mw_dial *dial);

size_t mw_dial_count(const struct mw_dial *dial);
/* Until the dial ends. */
const struct mw_dial_address *mw_dial_addresses(const struct mw_dial *dial);
uint64_t mw_dial_resolve_us(const struct mw_dial *dial);
enum mw_dial_fault mw_dial_fault(const struct mw_dial *dial);
/* "no such name", "connection refused": of the resolver, or of the last address. Static; "". */
const char *mw_dial_error(const struct mw_dial *dial);

#endif
