/*
 * The walk along the path to a WebSocket server: name, TCP, TLS, handshake, subprotocol,
 * compression, pings, echoes, fragments, masks, the close, and silence where it is asked for. Each
 * step has a deadline of its own, and its line in the report from the start: what was not reached
 * stays there as skipped, with the reason.
 *
 *   1st connection   handshake, ping, echo, fragments, close     without compression
 *   2nd              compression
 *   3rd, 4th         silence: one is silent, one speaks
 *
 * Where a step ends its connection, the next one opens another.
 */
#ifndef MW_DOCTOR_WALK_H
#define MW_DOCTOR_WALK_H

#include "core/doctor/report.h"
#include "core/outbound/ws_client.h"

struct mw_walk;

struct mw_walk_setup {
    struct mw_outbound *outbound; /* borrowed */
    struct mw_view url;
    const char *path; /* goes in the place of the URL's path and query; NULL */
    const struct mw_header *headers;
    size_t header_count;
    const struct mw_view *protocols;
    size_t protocol_count;
    struct mw_view origin; /* empty: none is sent */
    bool insecure;
    mw_ms wait_ms; /* for each answer */
    mw_ms idle_ms; /* for so long silence is held; 0: not at all */
    struct mw_doctor_report *report;
    void (*done)(void *owner); /* from the loop; the report is whole */
    void *owner;
};

/*
 * Gives a walk and lets it begin; all that the setup points to is borrowed for its life. Done comes
 * from the loop. MW_ERR_BAD_ARG with a sentence in `why` (the URL, a header); MW_ERR_NOMEM,
 * MW_ERR_IO.
 */
int mw_walk_start(const struct mw_walk_setup *setup, struct mw_walk **out, char why[256]);
/* Ends it where it is; what was not reached is skipped for this reason. `done` does not come. */
void mw_walk_stop(struct mw_walk *walk, const char *why);
/* NULL is allowed; also from inside `done`. */
void mw_walk_free(struct mw_walk *walk);

#endif
