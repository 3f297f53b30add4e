/* What happens to `moonwire connect`, for programs: an object a line, everything exact. */
#include "core/base/json.h"
#include "core/base/str.h"
#include "core/cli/connect_event.h"

/* ---- pieces ---- */

static void put_ms(struct mw_json_writer *w, const char *key, uint64_t us)
{
    mw_jw_key(w, mw_view_text(key));
    mw_jw_number(w, (double)us / 1000);
}

static void put_text(struct mw_json_writer *w, const char *key, struct mw_view text)
{
    if (text.len)
        mw_jw_pair(w, key, text);
}

static void put_hex(struct mw_json_writer *w, const char *key, struct mw_view bytes)
{
    struct mw_buf hex;
    mw_buf_init(&hex, w->out->mem, 0);
    for (size_t i = 0; !w->err && i < bytes.len; i++)
        w->err = mw_buf_putf(&hex, "%02x", (unsigned char)bytes.data[i]);
    mw_jw_pair(w, key, mw_buf_view(&hex));
    mw_buf_free(&hex);
}

static void put_advice(struct mw_json_writer *w, const struct mw_advice *advice)
{
    switch ((enum mw_advice_kind)advice->kind) {
    case MW_ADVICE_NONE:
        return;
    case MW_ADVICE_STAY:
        mw_jw_key(w, mw_view_text("retry"));
        mw_jw_bool(w, false);
        break;
    case MW_ADVICE_RETURN:
        mw_jw_key(w, mw_view_text("retry"));
        mw_jw_object(w);
        mw_jw_pair_integer(w, "least_ms", advice->after_ms);
        mw_jw_pair_integer(w, "most_ms", (int64_t)advice->after_ms + advice->spread_ms);
        mw_jw_object_end(w);
        break;
    }
    mw_jw_key(w, mw_view_text("resume"));
    mw_jw_bool(w, !advice->afresh);
}

/* ---- members of each kind ---- */

static void put_data(struct mw_json_writer *w, const struct mw_connect_event *event)
{
    bool is_text = event->opcode == MW_OPCODE_TEXT;
    mw_jw_pair(w, "type", mw_view_text(is_text ? "text" : "binary"));
    if (is_text)
        mw_jw_pair(w, "data", event->data);
    else
        put_hex(w, "hex", event->data);
    if (event->kind == MW_CONNECT_message && event->after_us != MW_NEVER)
        put_ms(w, "after_ms", event->after_us);
}

static void put_payload(struct mw_json_writer *w, const struct mw_connect_event *event)
{
    put_hex(w, "hex", event->data);
    if (event->kind == MW_CONNECT_pong && event->after_us != MW_NEVER)
        put_ms(w, "rtt_ms", event->after_us);
}

static void put_headers(struct mw_json_writer *w, const struct mw_ws_answer *answer)
{
    mw_jw_key(w, mw_view_text("headers"));
    mw_jw_array(w);
    for (size_t i = 0; i < answer->header_count; i++) {
        mw_jw_array(w);
        mw_jw_string(w, answer->headers[i].name);
        mw_jw_string(w, answer->headers[i].value);
        mw_jw_array_end(w);
    }
    mw_jw_array_end(w);
}

static void put_path(struct mw_json_writer *w, const struct mw_ws_path *path)
{
    mw_jw_key(w, mw_view_text("steps"));
    mw_jw_object(w);
    for (int step = MW_WS_RESOLVE; step < MW_WS_OPEN; step++) {
        if (path->passed[step] || (int)path->step == step)
            put_ms(w, mw_ws_step_name((enum mw_ws_step)step), path->took_us[step]);
    }
    mw_jw_object_end(w);
    if (path->address)
        mw_jw_pair(w, "address", mw_view_text(path->address->text));
    if (path->is_secure && path->passed[MW_WS_SECURE])
        mw_jw_pair(w, "tls", mw_view_text(path->tls.version));
    if (!path->answer)
        return;
    mw_jw_pair_integer(w, "status", path->answer->status);
    put_text(w, "server", path->answer->server);
    put_text(w, "protocol", path->answer->protocol);
    mw_jw_key(w, mw_view_text("compression"));
    mw_jw_bool(w, path->answer->deflate.on);
    put_headers(w, path->answer);
    put_text(w, "body", path->answer->body);
}

static void put_counts(struct mw_json_writer *w, const struct mw_connect_counts *counts)
{
    put_ms(w, "open_ms", counts->open_us);
    mw_jw_pair_integer(w, "received", (int64_t)counts->received);
    mw_jw_pair_integer(w, "received_bytes", (int64_t)counts->received_bytes);
    mw_jw_pair_integer(w, "sent", (int64_t)counts->sent);
    mw_jw_pair_integer(w, "sent_bytes", (int64_t)counts->sent_bytes);
    mw_jw_pair_integer(w, "queued_bytes", (int64_t)counts->queued_bytes);
}

/* Who, for programs: those of `why`, with this side as the client. */
static void put_end(struct mw_json_writer *w, const struct mw_ws_ended *ended)
{
    mw_jw_pair_integer(w, "code", ended->code);
    mw_jw_pair(w, "name", mw_view_text(mw_close_row(ended->code)->name));
    mw_jw_pair(w, "who", mw_view_text(mw_who_name(ended->who)));
    mw_jw_key(w, mw_view_text("ours"));
    mw_jw_bool(w, ended->ours);
    mw_jw_key(w, mw_view_text("clean"));
    mw_jw_bool(w, ended->clean);
    put_text(w, "reason", ended->said);
    put_advice(w, &ended->advice);
}

static void put_closed(struct mw_json_writer *w, const struct mw_connect_event *event)
{
    const struct mw_ws_ended *ended = event->ended;
    put_end(w, ended);
    if (!ended->ours) /* those are the causes of a server; what we did is told by `ours` */
        mw_jw_pair(w, "cause", mw_view_text(mw_cause_row(ended->cause)->name));
    put_text(w, "rule", mw_view_text(mw_rule_text(ended->rule)));
    if (ended->bytes.len)
        put_hex(w, "bytes", ended->bytes);
    mw_jw_pair_integer(w, "silent_ms", (int64_t)ended->silent_ms);
    put_counts(w, event->counts);
    put_text(w, "connection", mw_view_text(event->id));
}

static void put_failed(struct mw_json_writer *w, const struct mw_connect_event *event)
{
    mw_jw_pair(w, "fault", mw_view_text(mw_ws_fault_name(event->ended->fault)));
    mw_jw_pair(w, "text", mw_view_text(event->ended->text));
    mw_jw_pair(w, "step", mw_view_text(mw_ws_step_name(event->path->step)));
    put_end(w, event->ended);
    put_path(w, event->path);
}

static void put_next(struct mw_json_writer *w, const struct mw_connect_event *event)
{
    const struct mw_reconnect_step *step = event->step;
    mw_jw_pair(w, "why", mw_view_text(mw_reconnect_why_name(step->why)));
    mw_jw_pair(w, "text", mw_view_text(mw_reconnect_why_text(step->why)));
    if (step->why != MW_RECONNECT_RETURNS)
        return;
    mw_jw_pair_integer(w, "after_ms", (int64_t)step->after_ms);
    mw_jw_pair_integer(w, "least_ms", (int64_t)step->least_ms);
    mw_jw_pair_integer(w, "most_ms", (int64_t)step->most_ms);
    mw_jw_pair_integer(w, "return", step->attempt);
}

static void put_members(struct mw_json_writer *w, const struct mw_connect_event *event)
{
    switch (event->kind) {
    case MW_CONNECT_open:
        put_path(w, event->path);
        return;
    case MW_CONNECT_sent:
    case MW_CONNECT_message:
        put_data(w, event);
        return;
    case MW_CONNECT_ping:
    case MW_CONNECT_pong:
        put_payload(w, event);
        return;
    case MW_CONNECT_hello:
        mw_jw_pair(w, "connection", event->data);
        return;
    case MW_CONNECT_closed:
        put_closed(w, event);
        return;
    case MW_CONNECT_failed:
        put_failed(w, event);
        return;
    case MW_CONNECT_next:
        put_next(w, event);
        return;
    case MW_CONNECT_stats:
        put_counts(w, event->counts);
        return;
    case MW_CONNECT_error:
        mw_jw_pair(w, "text", event->data);
        return;
    }
}

int mw_connect_json(struct mw_buf *out, const struct mw_connect_event *event)
{
    struct mw_json_writer w = { .out = out };
    mw_jw_object(&w);
    mw_jw_pair(&w, "event", mw_view_text(mw_connect_event_name(event->kind)));
    put_ms(&w, "at_ms", event->at_us);
    put_members(&w, event);
    mw_jw_object_end(&w);
    return w.err ? w.err : mw_buf_put_byte(out, '\n');
}
