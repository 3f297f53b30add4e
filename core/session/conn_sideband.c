/*
 * Asides on an open connection. Called by conn for each text of a client that has a mark, and by
 * conn_time while nothing is read; touches neither the counts of messages nor limits.rate nor the
 * time of the last one. A server's only: what it says is never masked.
 */
#include "core/session/conn_sideband.h"

#include "core/base/clock.h"
#include "core/session/conn_flight.h"
#include "core/session/conn_parts.h"
#include "core/session/conn_replay.h"

/*
 * False: not now, or not possible. Behind a full queue there is enough to hear, and who does not
 * read its answers is not sent more of them.
 */
static bool say_answer(struct mw_conn *conn, enum mw_aside to, mw_ms now_ms)
{
    struct mw_sideband *sideband = conn->sideband;
    char text[MW_SIDEBAND_ANSWER_MAX];
    if (now_ms < sideband->answer_at_ms || mw_conn_queued(conn) > conn->home->limits->queue)
        return false;
    if (mw_conn_begin_output(conn, now_ms))
        return false;
    const bool tells = conn->replay && to == MW_ASIDE_PROBE;
    size_t len = tells ? mw_sideband_got(sideband, conn->replay->received, text)
                       : mw_sideband_answer(sideband, to, text);
    if (mw_outq_put(&conn->sending->out, MW_OPCODE_TEXT, mw_view(text, len), 0))
        return false;
    if (tells)
        conn->replay->told = conn->replay->received;
    sideband->answer_at_ms = now_ms + MW_SIDEBAND_ANSWER_MS;
    return true;
}

/*
 * The doctor measures how much silence the path bears. Whoever keeps asking is not found out when
 * it is gone, as nobody is who answers pings and does nothing else.
 */
static bool keep_quiet(struct mw_conn *conn, struct mw_view text, mw_ms now_ms)
{
    if (!say_answer(conn, MW_ASIDE_QUIET, now_ms))
        return false;
    if (conn->home->limits->ping_ms != MW_NEVER)
        conn->ping_at_ms = mw_ms_add(now_ms, mw_sideband_quiet_ms(conn->sideband, text));
    return true;
}

/* False: there is no session to count in. */
static bool take_count(struct mw_conn *conn, struct mw_view text, mw_ms now_ms)
{
    uint64_t count;
    if (!conn->replay || !mw_sideband_count(conn->sideband, text, &count))
        return false;
    mw_conn_take_count(conn, count, now_ms);
    return true;
}

enum mw_aside mw_conn_take_aside(struct mw_conn *conn, const struct mw_item *item, mw_ms now_ms)
{
    enum mw_aside aside = mw_sideband_read(conn->sideband, item->opcode, item->data);
    bool answered = false;
    switch (aside) {
    case MW_ASIDE_NONE:
        return aside;
    case MW_ASIDE_PROBE:
        answered = say_answer(conn, MW_ASIDE_PROBE, now_ms);
        break;
    case MW_ASIDE_QUIET:
        answered = keep_quiet(conn, item->data, now_ms);
        break;
    case MW_ASIDE_COUNT:
        if (!take_count(conn, item->data, now_ms))
            aside = MW_ASIDE_OTHER;
        break;
    case MW_ASIDE_OTHER:
        break;
    }
    mw_conn_note_aside(conn, answered, item->data.len, now_ms);
    return aside;
}

void mw_conn_tell_count(struct mw_conn *conn, mw_ms now_ms)
{
    char text[MW_SIDEBAND_ANSWER_MAX];
    if (!mw_conn_owes_count(conn) || !MW_ALWAYS(conn->sideband))
        return;
    size_t len = mw_sideband_got(conn->sideband, conn->replay->received, text);
    if (!mw_conn_begin_output(conn, now_ms) &&
        !mw_outq_put(&conn->sending->out, MW_OPCODE_TEXT, mw_view(text, len), 0))
        conn->replay->told = conn->replay->received;
}

void mw_conn_assure(struct mw_conn *conn, mw_ms now_ms)
{
    if (conn->sideband)
        (void)say_answer(conn, MW_ASIDE_PROBE, now_ms);
}
