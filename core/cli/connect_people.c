/*
 * What happens to `moonwire connect`, in lines for people. Nothing of the server's moves the cursor
 * or passes for a line of ours.
 */
#include <stdio.h>

#include "core/base/hidden.h"
#include "core/base/str.h"
#include "core/base/utf8.h"
#include "core/cli/connect_event.h"
#include "core/explain/width.h"
#include "core/server/log.h"

/* Of one message, on a terminal; a file or a pipe gets all of it. */
#define TEXT_MAX  16384
#define BYTES_MAX 256

/* Where the times stand, if the row is so long. */
#define TIME_COLUMN 58

/* ---- pieces ---- */

const char *mw_connect_event_name(enum mw_connect_event_kind kind)
{
    static const char *const names[] = {
#define NAME(name) #name,
        MW_CONNECT_EVENT_LIST(NAME)
#undef NAME
    };
    return names[kind];
}

const char *mw_connect_who(enum mw_who who)
{
    switch (who) {
    case MW_WHO_CLIENT:
        return "this side";
    case MW_WHO_SERVER:
        return "the server";
    case MW_WHO_NETWORK:
        break;
    }
    return "the network";
}

int mw_connect_put_span(struct mw_buf *out, uint64_t us)
{
    double ms = (double)us / 1000, s = ms / 1000;
    if (s < 1)
        return mw_buf_putf(out, ms < 10 ? "%.1f ms" : "%.0f ms", ms);
    if (s < 600)
        return mw_buf_putf(out, s < 60 ? "%.1f s" : "%.0f s", s);
    return s < 36000 ? mw_buf_putf(out, "%.0f min", s / 60) : mw_buf_putf(out, "%.0f h", s / 3600);
}

int mw_connect_put_advice(struct mw_buf *out, const struct mw_advice *advice)
{
    int err = MW_OK;
    switch ((enum mw_advice_kind)advice->kind) {
    case MW_ADVICE_NONE:
        return MW_OK;
    case MW_ADVICE_STAY:
        err = mw_buf_put_text(out, "do not come back");
        break;
    case MW_ADVICE_RETURN:
        err = mw_buf_put_text(out, advice->after_ms || advice->spread_ms ? "come back in "
                                                                         : "come back at once");
        if (!err && (advice->after_ms || advice->spread_ms))
            err = mw_connect_put_span(out, (uint64_t)advice->after_ms * 1000);
        if (!err && advice->spread_ms)
            err = mw_buf_put_text(out, " to ");
        if (!err && advice->spread_ms)
            err = mw_connect_put_span(out, ((uint64_t)advice->after_ms + advice->spread_ms) * 1000);
        break;
    }
    if (!err && advice->afresh)
        err = mw_buf_put_text(out, "; the session is gone");
    return err;
}

int mw_connect_put_hex(struct mw_buf *out, struct mw_view bytes, size_t most)
{
    int err = MW_OK;
    for (size_t i = 0; !err && i < bytes.len && i < most; i++)
        err = mw_buf_putf(out, i ? " %02x" : "%02x", (unsigned char)bytes.data[i]);
    return err;
}

static const char *dot(const struct mw_connect_look *look)
{
    return look->ascii ? ", " : " \xc2\xb7 ";
}

/* ---- messages ---- */

/* Rows but the first begin with a bar, so that no text can pass for another message. */
static int put_text(struct mw_buf *out, struct mw_view text, bool is_terminal)
{
    int err = MW_OK;
    for (size_t i = 0; !err && i < text.len; i++) {
        char c = text.data[i];
        size_t hidden = c == '\n' || c == '\t' ? 0 : mw_hidden_at(text, i, NULL);
        if (!hidden)
            err = mw_buf_put_byte(out, c);
        if (!err && c == '\n' && is_terminal)
            err = mw_buf_put_text(out, "| ");
        for (size_t k = 0; !err && k < hidden; k++)
            err = mw_buf_putf(out, "\\x%02x", (unsigned char)text.data[i + k]);
        i += hidden ? hidden - 1 : 0;
    }
    return err;
}

static size_t last_row(struct mw_view text)
{
    size_t start = 0;
    for (size_t at = mw_view_find(text, '\n', 0); at < text.len;
         at = mw_view_find(text, '\n', at + 1))
        start = at + 1;
    return mw_width(mw_view_from(text, start));
}

/* "      +0.3 ms" behind the row that begins at `start`. */
static int put_time(struct mw_buf *out, size_t start, uint64_t us,
                    const struct mw_connect_look *look)
{
    if (us == MW_NEVER)
        return MW_OK;
    struct mw_view written = mw_view(out->data + start, out->len - start);
    size_t used = last_row(written);
    size_t column = look->cells > TIME_COLUMN + 12 ? TIME_COLUMN : 0;
    int pad = used + 2 < column ? (int)(column - used) : 2;
    int err = mw_buf_putf(out, "%*s%s+", pad, "", look->bold ? "\x1b[2m" : "");
    if (!err)
        err = mw_connect_put_span(out, us);
    return err || !look->bold ? err : mw_buf_put_text(out, "\x1b[0m");
}

static int put_payload(struct mw_buf *out, enum mw_opcode opcode, struct mw_view data,
                       const struct mw_connect_look *look)
{
    bool is_text = opcode == MW_OPCODE_TEXT;
    size_t most = !look->is_terminal ? data.len : is_text ? TEXT_MAX : BYTES_MAX;
    struct mw_view shown = is_text ? mw_utf8_cut(data, most) : data;
    int err = MW_OK;
    if (!is_text && look->is_terminal)
        err = mw_buf_putf(out, "%zu bytes: ", data.len);
    if (!err)
        err =
            is_text ? put_text(out, shown, look->is_terminal) : mw_connect_put_hex(out, data, most);
    size_t left = is_text ? data.len - shown.len : data.len > most ? data.len - most : 0;
    return err || !left ? err : mw_buf_putf(out, " ... and %zu bytes more (--jsonl has all)", left);
}

static int put_message(struct mw_buf *out, const struct mw_connect_event *event,
                       const struct mw_connect_look *look)
{
    size_t start = out->len;
    int err = look->is_terminal ? mw_buf_put_text(out, "< ") : MW_OK;
    if (!err)
        err = put_payload(out, event->opcode, event->data, look);
    if (!err && look->is_terminal)
        err = put_time(out, start, event->after_us, look);
    return err ? err : mw_buf_put_byte(out, '\n');
}

static int put_sent(struct mw_buf *out, const struct mw_connect_event *event,
                    const struct mw_connect_look *look)
{
    int err = mw_buf_put_text(out, "> ");
    if (!err)
        err = put_payload(out, event->opcode, event->data, look);
    return err ? err : mw_buf_put_byte(out, '\n');
}

static int put_control(struct mw_buf *out, const struct mw_connect_event *event,
                       const struct mw_connect_look *look)
{
    size_t start = out->len;
    bool is_ping = event->kind == MW_CONNECT_ping;
    int err = mw_buf_put_text(out, is_ping ? "< ping" : "< pong");
    if (!err && event->data.len)
        err = mw_buf_put_byte(out, ' ');
    if (!err)
        err = mw_log_put_line(out, event->data);
    if (!err)
        err = put_time(out, start, event->after_us, look);
    return err ? err : mw_buf_put_byte(out, '\n');
}

/* ---- the connection ---- */

static int put_steps(struct mw_buf *out, const struct mw_ws_path *path)
{
    int err = MW_OK;
    for (int step = MW_WS_RESOLVE; !err && step < MW_WS_OPEN; step++) {
        if (!path->passed[step])
            continue;
        err = mw_buf_putf(out, "  %-5s", mw_ws_step_name((enum mw_ws_step)step));
        if (!err)
            err = mw_connect_put_span(out, path->took_us[step]);
        if (!err && step == MW_WS_CONNECT && path->address)
            err = mw_buf_putf(out, "  %s", path->address->text);
        if (!err && step == MW_WS_SECURE)
            err = mw_buf_putf(out, "  %s %s", path->tls.version, path->tls.cipher);
        if (!err)
            err = mw_buf_put_byte(out, '\n');
    }
    return err;
}

static int put_headers(struct mw_buf *out, const struct mw_ws_answer *answer)
{
    int err = mw_buf_putf(out, "  answer %u\n", answer->status);
    for (size_t i = 0; !err && i < answer->header_count; i++) {
        err = mw_buf_put_text(out, "    ");
        if (!err)
            err = mw_log_put_line(out, answer->headers[i].name);
        if (!err)
            err = mw_buf_put_text(out, ": ");
        if (!err)
            err = mw_log_put_line(out, answer->headers[i].value);
        if (!err)
            err = mw_buf_put_byte(out, '\n');
    }
    return err;
}

static int put_open(struct mw_buf *out, const struct mw_connect_event *event,
                    const struct mw_connect_look *look)
{
    const struct mw_ws_path *path = event->path;
    const struct mw_ws_answer *answer = path->answer;
    uint64_t us = 0;
    for (int step = MW_WS_RESOLVE; step < MW_WS_OPEN; step++)
        us += path->took_us[step];
    int err = mw_buf_put_text(out, "connected in ");
    if (!err)
        err = mw_connect_put_span(out, us);
    if (!err && path->is_secure)
        err = mw_buf_putf(out, "%s%s", dot(look), path->tls.version);
    if (!err && path->is_secure && path->peer && !path->peer->is_trusted)
        err = mw_buf_put_text(out, ", certificate not trusted");
    if (!err && answer->deflate.on)
        err = mw_buf_putf(out, "%spermessage-deflate", dot(look));
    if (!err && answer->protocol.len)
        err = mw_buf_putf(out, "%sprotocol ", dot(look));
    if (!err)
        err = mw_log_put_line(out, answer->protocol);
    if (!err && look->is_terminal)
        err = mw_buf_putf(out, "%stype /help", dot(look));
    if (!err)
        err = mw_buf_put_byte(out, '\n');
    if (!err && look->verbose)
        err = put_steps(out, path);
    return err || !look->verbose ? err : put_headers(out, answer);
}

static int put_stats(struct mw_buf *out, const struct mw_connect_event *event,
                     const struct mw_connect_look *look)
{
    const struct mw_connect_counts *counts = event->counts;
    int err = mw_buf_put_text(out, "open for ");
    if (!err)
        err = mw_connect_put_span(out, counts->open_us);
    return err ? err
               : mw_buf_putf(
                     out, "%s%llu in (%llu bytes), %llu out (%llu bytes)%s%llu bytes wait\n",
                     dot(look), (unsigned long long)counts->received,
                     (unsigned long long)counts->received_bytes, (unsigned long long)counts->sent,
                     (unsigned long long)counts->sent_bytes, dot(look),
                     (unsigned long long)counts->queued_bytes);
}

static int put_next(struct mw_buf *out, const struct mw_connect_event *event)
{
    const struct mw_reconnect_step *step = event->step;
    if (step->why == MW_RECONNECT_OURS)
        return MW_OK;
    if (step->why != MW_RECONNECT_RETURNS)
        return mw_buf_putf(out, "not coming back: %s\n", mw_reconnect_why_text(step->why));
    int err = mw_buf_put_text(out, "coming back in ");
    if (!err)
        err = mw_connect_put_span(out, step->after_ms * 1000);
    if (!err)
        err = mw_buf_putf(out, " (return %u, drawn between ", step->attempt);
    if (!err)
        err = mw_connect_put_span(out, step->least_ms * 1000);
    if (!err)
        err = mw_buf_put_text(out, " and ");
    if (!err)
        err = mw_connect_put_span(out, step->most_ms * 1000);
    return err ? err : mw_buf_put_text(out, ")\n");
}

static int put_line(struct mw_buf *out, const char *before, struct mw_view text, const char *behind)
{
    int err = mw_buf_put_text(out, before);
    if (!err)
        err = mw_log_put_line(out, text);
    return err ? err : mw_buf_put_text(out, behind);
}

int mw_connect_people(struct mw_buf *out, const struct mw_connect_event *event,
                      const struct mw_connect_look *look)
{
    switch (event->kind) {
    case MW_CONNECT_open:
        return put_open(out, event, look);
    case MW_CONNECT_sent:
        return put_sent(out, event, look);
    case MW_CONNECT_message:
        return put_message(out, event, look);
    case MW_CONNECT_ping: /* the server's are its own affair */
        return look->verbose ? put_control(out, event, look) : MW_OK;
    case MW_CONNECT_pong:
        return put_control(out, event, look);
    case MW_CONNECT_hello:
        return put_line(out, "connection ", event->data, "\n");
    case MW_CONNECT_closed:
    case MW_CONNECT_failed:
        return mw_connect_verdict(out, event, look);
    case MW_CONNECT_next:
        return put_next(out, event);
    case MW_CONNECT_stats:
        return put_stats(out, event, look);
    case MW_CONNECT_error:
        return put_line(out, "moonwire: ", event->data, "\n");
    }
    return MW_OK;
}
