/* What conn and conn_time write into a connection's flight recorder; one line for each occasion. */
#ifndef MW_SESSION_CONN_FLIGHT_H
#define MW_SESSION_CONN_FLIGHT_H

#include "core/session/conn.h"

/* A message has been read, `first` is the first byte of a header: these make the recorder. */
void mw_conn_note_received(struct mw_conn *conn, const struct mw_item *item, mw_ms now_ms);
void mw_conn_note_sent(struct mw_conn *conn, uint8_t first, size_t len, mw_ms now_ms);
/* The entry that it makes, but for the time. */
static inline struct mw_flight_entry mw_conn_sent_entry(uint8_t first, size_t len)
{
    return (struct mw_flight_entry){
        .kind = MW_FLIGHT_OUT, .what = first, .bytes = mw_flight_u32(len), .number = 1
    };
}

/* A control frame came or was queued; code: of a Close frame, else 0. */
void mw_conn_note_control(struct mw_conn *conn, enum mw_flight_kind kind, enum mw_opcode opcode,
                          size_t len, unsigned code, mw_ms now_ms);

/* A text of the sideband came. Makes no recorder: who only waits has probes too. */
void mw_conn_note_aside(struct mw_conn *conn, bool answered, size_t len, mw_ms now_ms);

/* QUEUE_HIGH, QUEUE_LOW, REFUSED, READS_STOP or READS_GO, with what waits. */
void mw_conn_note_state(struct mw_conn *conn, enum mw_flight_kind kind, mw_ms now_ms);

#endif
