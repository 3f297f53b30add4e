/*
 * What is kept of a connection for who asks why it ended: one block with its texts and the entries
 * of its flight recorder. The same shape tells of a connection that is still there.
 */
#ifndef MW_SERVER_END_RECORD_H
#define MW_SERVER_END_RECORD_H

#include "core/base/json.h"
#include "core/base/list.h"
#include "core/session/cause.h"
#include "core/session/flight.h"

struct mw_end_record {
    size_t size;         /* of the block; 0: facts that are no record yet, with borrowed texts */
    struct mw_link link; /* of whoever holds it */

    mw_id id;
    const char *state;       /* "closed", or of a live one what it does; static */
    bool is_live, is_clean;  /* live: the end has not been told yet, and cause and code may be 0 */
    mw_ms at_ms, at_unix_ms; /* of the end, or of the look */
    uint64_t nth;            /* which of the process's ends it was, from 1; 0: of a live one */
    unsigned version;        /* of the script */
    unsigned code;           /* 1005 and 1006 included; 0: no end has begun */
    enum mw_cause cause;     /* MW_CAUSE_COUNT: none */
    mw_ms lasted_ms, silent_ms, ping_ms; /* ping_ms: between pings; MW_NEVER: none are sent */
    unsigned pings_unanswered;
    uint32_t rtt_ms;             /* UINT32_MAX: not known */
    uint64_t sent, received;     /* messages */
    uint64_t dropped, replaced;  /* messages that it did not get, by a policy */
    uint64_t queued;             /* bytes that waited to be sent */
    uint64_t part_have, part_of; /* bytes of a frame that was not whole; 0: there was none */
    const char *option, *unit; /* "limits.queue", "bytes": the limit that ended it; NULL; static */
    double limit;              /* what it allowed */

    struct mw_view script, route, path, ip, reason, rule, detail, bytes;
    struct mw_view name, fix; /* what the script says of the code; empty: nothing */
    struct mw_view fault;     /* the last error of the script, where it was this connection's */

    size_t flight_count;
    const struct mw_flight_entry *flight; /* the oldest first */
};

/*
 * Gives a copy that owns its texts and entries; NULL: no memory. Texts of more than
 * MW_END_TEXT_MAX bytes are cut there.
 */
#define MW_END_TEXT_MAX 512
struct mw_end_record *mw_end_record_new(struct mw_mem *mem, const struct mw_end_record *facts);
void mw_end_record_free(struct mw_mem *mem, struct mw_end_record *record);

/* As an object; the next value of `json`. */
void mw_end_record_json(const struct mw_end_record *record, struct mw_json_writer *json);

#endif
