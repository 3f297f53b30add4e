/*
 * A flight recorder: the last few things that happened to a connection, for who asks afterwards why
 * it ended. Up to sixteen entries of sixteen bytes, made with the connection's first message, so
 * that who only waits pays nothing, and who says little pays little. Pure; the time is told.
 *
 * What repeats itself is one entry with a count: a thousand messages of a broadcast do not wash
 * away what came before them.
 */
#ifndef MW_SESSION_FLIGHT_H
#define MW_SESSION_FLIGHT_H

#include "core/base/mem.h"

#define MW_FLIGHT_ENTRIES 16

#define MW_FLIGHT_KIND_LIST(X) \
    X(IN, "in")                 /* what: first byte of the header; bytes: on the wire */ \
    X(OUT, "out")               /* the same, queued; bytes: of the payload */ \
    X(CALL, "call")             /* what: enum mw_flight_handler; number: enum mw_flight_result */ \
    X(QUEUE_HIGH, "queue_high") /* bytes wait: more than half of limits.queue */ \
    X(QUEUE_LOW, "queue_low")   /* ... and less than that again */ \
    X(REFUSED, "refused")       /* bytes wait, and no more are taken */ \
    X(READS_STOP, "reads_stop") /* what the peer says is left in its hands for a while */ \
    X(READS_GO, "reads_go") \
    X(ASIDE, "aside") /* a text of the sideband; number: 1 where it was answered */ \
    X(AWAY, "away")   /* the network has cut it; it may come back */ \
    X(BACK, "back")   /* ... and has */

enum mw_flight_kind {
#define MW_FLIGHT_KIND(name, text) MW_FLIGHT_##name,
    MW_FLIGHT_KIND_LIST(MW_FLIGHT_KIND)
#undef MW_FLIGHT_KIND
        MW_FLIGHT_KINDS
};

enum mw_flight_handler { MW_FLIGHT_ON_MESSAGE, MW_FLIGHT_ON_DRAIN };

enum mw_flight_result {
    MW_FLIGHT_DONE,
    MW_FLIGHT_WAITS,    /* the handler has yielded */
    MW_FLIGHT_WENT_ON,  /* ... and has ended since */
    MW_FLIGHT_FAILED,   /* an error, or it was stopped */
    MW_FLIGHT_BAD_JSON, /* it was not called */
};

struct mw_flight_entry {
    uint32_t at_ms;   /* since the opening; of the last of `times`; stands still after 49 days */
    uint32_t bytes;   /* of all of them; stands still at 4 GiB */
    uint16_t times;   /* in a row, at least 1; stands still at 65535 */
    uint16_t number;  /* of a Close frame its code (0: none); of a message its frames */
    uint16_t took_ms; /* of a call: CPU time, in whole ticks */
    uint8_t kind;     /* enum mw_flight_kind */
    uint8_t what;
};

struct mw_flight {
    uint32_t noted; /* entries ever; the next one goes to this place of the ring */
    uint32_t room;  /* a power of two, MW_FLIGHT_ENTRIES at most */
    struct mw_flight_entry entries[];
};

/* Room for a message and its answer. NULL: no memory. */
struct mw_flight *mw_flight_new(struct mw_mem *mem);
void mw_flight_free(struct mw_flight *flight, struct mw_mem *mem); /* NULL is allowed */

/*
 * `times` is set here. Gives the recorder back, which may have grown; without memory for that it
 * forgets earlier. NULL: nothing is kept.
 */
struct mw_flight *mw_flight_note(struct mw_flight *flight, struct mw_mem *mem,
                                 struct mw_flight_entry entry);

/*
 * The same for one more of what the last entry tells of, and nothing that could fail. False: it is
 * something else, or there is no room for more of it: nothing was done.
 */
static inline bool mw_flight_repeat(struct mw_flight *flight, const struct mw_flight_entry *entry)
{
    if (!flight || flight->noted == 0)
        return false;
    struct mw_flight_entry *last = &flight->entries[(flight->noted - 1) & (flight->room - 1)];
    if (last->kind != entry->kind || last->what != entry->what || last->number != entry->number ||
        last->times == UINT16_MAX || last->bytes > UINT32_MAX - entry->bytes)
        return false;
    last->at_ms = entry->at_ms;
    last->bytes += entry->bytes;
    last->times++;
    return true;
}

/* Copies what is kept, the oldest first; returns how many. NULL: none. */
size_t mw_flight_copy(const struct mw_flight *flight,
                      struct mw_flight_entry out[MW_FLIGHT_ENTRIES]);

/* A number as a field of an entry: as it is, or as much as the field holds. */
static inline uint32_t mw_flight_u32(uint64_t number)
{
    return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}
static inline uint16_t mw_flight_u16(uint64_t number)
{
    return number < UINT16_MAX ? (uint16_t)number : UINT16_MAX;
}

/* "in", "done", "on_message": how JSON and people know them. Static. */
const char *mw_flight_kind_name(enum mw_flight_kind kind);
const char *mw_flight_result_name(enum mw_flight_result result);
const char *mw_flight_handler_name(enum mw_flight_handler handler);

#endif
