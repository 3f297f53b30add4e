/*
 * From the machine's own terms to entries of the flight recorder (flight.h). Called by conn and
 * conn_time where the thing happens, and by the server for what the script did. Changes nothing
 * else of the connection.
 */
#include "core/session/conn_flight.h"

static void note(struct mw_conn *conn, enum mw_flight_kind kind, struct mw_flight_entry entry,
                 mw_ms now_ms)
{
    entry.at_ms = mw_flight_u32(now_ms - conn->opened_ms);
    entry.kind = (uint8_t)kind;
    conn->flight = mw_flight_note(conn->flight, conn->home->mem, entry);
}

/* The first message makes it: who only waits needs none. Without memory there is none. */
static void note_message(struct mw_conn *conn, enum mw_flight_kind kind,
                         struct mw_flight_entry entry, mw_ms now_ms)
{
    if (!conn->flight)
        conn->flight = mw_flight_new(conn->home->mem);
    note(conn, kind, entry, now_ms);
}

void mw_conn_note_received(struct mw_conn *conn, const struct mw_item *item, mw_ms now_ms)
{
    const struct mw_reader *reader = &conn->reading->reader;
    const struct mw_flight_entry entry = {
        .what = mw_frame_first_byte(item->opcode, true, reader->compressed),
        .bytes = mw_flight_u32(reader->received),
        .number = mw_flight_u16(reader->fragments),
    };
    note_message(conn, MW_FLIGHT_IN, entry, now_ms);
}

void mw_conn_note_sent(struct mw_conn *conn, uint8_t first, size_t len, mw_ms now_ms)
{
    note_message(conn, MW_FLIGHT_OUT, mw_conn_sent_entry(first, len), now_ms);
}

void mw_conn_note_control(struct mw_conn *conn, enum mw_flight_kind kind, enum mw_opcode opcode,
                          size_t len, unsigned code, mw_ms now_ms)
{
    const struct mw_flight_entry entry = {
        .what = mw_frame_first_byte(opcode, true, false),
        .bytes = mw_flight_u32(len),
        .number = mw_flight_u16(code),
    };
    note(conn, kind, entry, now_ms);
}

void mw_conn_note_aside(struct mw_conn *conn, bool answered, size_t len, mw_ms now_ms)
{
    const struct mw_flight_entry entry = { .bytes = mw_flight_u32(len), .number = answered };
    note(conn, MW_FLIGHT_ASIDE, entry, now_ms);
}

void mw_conn_note_state(struct mw_conn *conn, enum mw_flight_kind kind, mw_ms now_ms)
{
    const struct mw_flight_entry entry = { .bytes = mw_flight_u32(mw_conn_queued(conn)) };
    note(conn, kind, entry, now_ms);
}

void mw_conn_note_call(struct mw_conn *conn, enum mw_flight_handler handler,
                       enum mw_flight_result result, unsigned took_ms, mw_ms now_ms)
{
    const struct mw_flight_entry entry = {
        .what = (uint8_t)handler,
        .number = (uint16_t)result,
        .took_ms = mw_flight_u16(took_ms),
    };
    if (handler != MW_FLIGHT_ON_MESSAGE || result != MW_FLIGHT_DONE || took_ms)
        note(conn, MW_FLIGHT_CALL, entry, now_ms);
}
