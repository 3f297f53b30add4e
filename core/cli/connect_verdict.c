/*
 * Why a connection ended, or never was, as far as a client can know, in plain words; then what
 * core/explain says of its code. Called for each end.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/base/utf8.h"
#include "core/cli/connect_event.h"
#include "core/cli/reply.h"
#include "core/explain/idle_limits.h"
#include "core/explain/words.h"
#include "core/explain/wrap.h"
#include "core/server/log.h"

#define ROW_CELLS  80
#define BODY_SHOWN 400

/* ---- small pieces ---- */

struct page {
    struct mw_buf *out;
    const struct mw_connect_event *event;
    const struct mw_ws_ended *ended;
    const struct mw_ws_path *path;
    const struct mw_connect_look *look;
    int err; /* the first one */
};

static void note(struct page *page, int err)
{
    if (!page->err)
        page->err = err;
}

static void putf(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void putf(struct page *page, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note(page, mw_buf_vputf(page->out, format, args));
    va_end(args);
}

static void say(struct page *page, const char *text)
{
    note(page, mw_buf_put_text(page->out, text));
}

/* A paragraph behind a label or a mark, with its further rows below its first word. */
static void put_item(struct page *page, const char *mark, struct mw_view text)
{
    struct mw_view row;
    size_t cells = page->look->cells < ROW_CELLS ? page->look->cells : ROW_CELLS;
    size_t indent = strlen(mark), room = cells > indent + 24 ? cells - indent : 24;
    for (bool is_first = true; mw_wrap_next(&text, room, &row); is_first = false) {
        putf(page, "%*s", (int)indent, is_first ? mark : "");
        note(page, mw_buf_put_view(page->out, row));
        say(page, "\n");
    }
}

/* A fact: text of anybody's. Nothing where it is empty. */
static void put_fact(struct page *page, const char *label, struct mw_view text)
{
    char mark[32];
    struct mw_buf line;
    mw_buf_init(&line, page->out->mem, 0);
    note(page, mw_log_put_line(&line, text));
    snprintf(mark, sizeof mark, "  %-11s ", label);
    put_item(page, mark, mw_buf_view(&line));
    mw_buf_free(&line);
}

static void put_words(struct page *page, const char *label, const char *text)
{
    put_fact(page, label, mw_view_text(text));
}

static void put_advice(struct page *page)
{
    struct mw_buf line;
    mw_buf_init(&line, page->out->mem, 0);
    note(page, mw_connect_put_advice(&line, &page->ended->advice));
    put_fact(page, "advice", mw_buf_view(&line));
    mw_buf_free(&line);
}

static void put_span(struct page *page, mw_ms ms)
{
    note(page, mw_connect_put_span(page->out, ms * 1000));
}

static void bold(struct page *page, bool on)
{
    if (page->look->bold)
        say(page, on ? "\x1b[1m" : "\x1b[0m");
}

/* ---- one that was open ---- */

static void put_head(struct page *page)
{
    const struct mw_ws_ended *ended = page->ended;
    const struct mw_connect_counts *counts = page->event->counts;
    const char *dot = page->look->ascii ? "," : " \xc2\xb7";
    bold(page, true);
    putf(page, "closed %u (%s) by %s", ended->code, mw_close_row(ended->code)->name,
         mw_connect_who(ended->who));
    bold(page, false);
    say(page, " after ");
    note(page, mw_connect_put_span(page->out, counts->open_us));
    putf(page, "%s %llu in, %llu out\n", dot, (unsigned long long)counts->received,
         (unsigned long long)counts->sent);
}

/* What a client sees of each cause; of all others the code says what there is to say. */
static const char *seen_of(enum mw_cause cause)
{
    static const struct {
        enum mw_cause cause;
        const char *text;
    } rows[] = {
        { MW_CAUSE_peer_fin, "the stream ended (FIN) and no Close frame had come" },
        { MW_CAUSE_peer_reset, "the connection was reset (RST) and no Close frame had come" },
        { MW_CAUSE_tls_error, "TLS broke: bytes came that are not of this session" },
        { MW_CAUSE_ping_timeout, "the server did not answer our ping" },
        { MW_CAUSE_write_timeout, "the server took no bytes any more" },
        { MW_CAUSE_protocol_error, "the server broke a rule of the protocol, so this side closed" },
        { MW_CAUSE_http_on_websocket, "HTTP came where frames were due: something on the path, a "
                                      "proxy or a second listener, answered on this stream" },
        { MW_CAUSE_bad_utf8, "the server sent a text that is not UTF-8, so this side closed" },
        { MW_CAUSE_bad_compression,
          "the server sent a message that does not inflate, so this side closed" },
        { MW_CAUSE_message_too_big, "the server sent a message of more than 64 MiB" },
        { MW_CAUSE_inflated_too_big, "the server sent a message that inflates too far" },
        { MW_CAUSE_out_of_memory, "there was no memory on this side" },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        if (rows[i].cause == cause)
            return rows[i].text;
    }
    return "";
}

/* Silence, or an age, that something on paths is known for. */
static void put_limit(struct page *page)
{
    const struct mw_ws_ended *ended = page->ended;
    if (ended->who != MW_WHO_NETWORK)
        return;
    const struct mw_idle_limit *idle = mw_idle_limit_of(MW_CUT_SILENCE, ended->silent_ms);
    const struct mw_idle_limit *age = mw_idle_limit_of(MW_CUT_LIFETIME, ended->uptime_ms);
    if (idle)
        put_words(page, "fits", idle->says);
    else if (age)
        put_words(page, "fits", age->says);
}

static void put_silence(struct page *page)
{
    if (page->ended->who != MW_WHO_NETWORK)
        return;
    say(page, "  silent      for ");
    put_span(page, page->ended->silent_ms);
    if (page->ended->pings_unanswered)
        putf(page, "; %u of our pings not answered", page->ended->pings_unanswered);
    say(page, "\n");
}

static void put_rule(struct page *page)
{
    struct mw_buf bytes;
    put_words(page, "rule", mw_rule_text(page->ended->rule));
    mw_buf_init(&bytes, page->out->mem, 0);
    note(page, mw_connect_put_hex(&bytes, page->ended->bytes, page->ended->bytes.len));
    put_fact(page, "bytes", mw_buf_view(&bytes));
    mw_buf_free(&bytes);
}

static void put_open_facts(struct page *page)
{
    put_fact(page, "reason", page->ended->said);
    put_advice(page);
    put_words(page, "seen", seen_of(page->ended->cause));
    put_rule(page);
    put_silence(page);
    put_limit(page);
    if (page->event->id)
        put_words(page, "connection", page->event->id);
}

/* ---- one that never was ---- */

static void put_failed_head(struct page *page)
{
    const struct mw_ws_path *path = page->path;
    uint64_t us = 0;
    for (int step = MW_WS_RESOLVE; step < MW_WS_OPEN; step++)
        us += path->took_us[step];
    bold(page, true);
    putf(page, "not connected: %s", mw_ws_fault_text(page->ended->fault));
    bold(page, false);
    putf(page, " (at %s, after ", mw_ws_step_name(path->step));
    note(page, mw_connect_put_span(page->out, us));
    say(page, ")\n");
}

static void put_addresses(struct page *page)
{
    char text[160];
    for (size_t i = 0; i < page->path->address_count; i++) {
        const struct mw_dial_address *address = &page->path->addresses[i];
        if (address->state != MW_DIAL_FAILED)
            continue;
        snprintf(text, sizeof text, "%s: %s", address->text, address->error);
        put_words(page, "tried", text);
    }
}

static void put_certificate(struct page *page)
{
    const struct mw_tls_peer *peer = page->path->peer;
    if (!peer)
        return;
    put_words(page, "subject", peer->about.subject);
    put_words(page, "issuer", peer->issuer);
    put_words(page, "names", peer->about.names);
    if (!peer->is_trusted)
        put_words(page, "to try", "--ca FILE with who signed it; --insecure takes any certificate");
}

/* Our own refusals say more than a status. */
static bool put_told(struct page *page, struct mw_view body)
{
    struct mw_json_error error;
    struct mw_json_doc *doc = mw_json_parse(page->out->mem, body, &error);
    const struct mw_json *root = doc ? mw_json_root(doc) : NULL;
    bool is_ours = root && mw_json_kind(root) == MW_JSON_OBJECT && mw_reply_has(root, "error");
    if (is_ours) {
        put_fact(page, "error", mw_reply_text(root, "error"));
        put_fact(page, "cause", mw_reply_text(root, "cause"));
        put_fact(page, "detail", mw_reply_text(root, "detail"));
    }
    if (doc)
        mw_json_doc_free(doc);
    return is_ours;
}

static struct mw_view header(const struct mw_ws_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        if (mw_view_is(answer->headers[i].name, name))
            return answer->headers[i].value;
    }
    return mw_view("", 0);
}

static void put_answer(struct page *page)
{
    char status[16];
    const struct mw_ws_answer *answer = page->path->answer;
    if (!answer)
        return;
    snprintf(status, sizeof status, "%u", answer->status);
    put_words(page, "status", status);
    put_fact(page, "server", answer->server);
    put_fact(page, "location", header(answer, "location"));
    if (!put_told(page, answer->body))
        put_fact(page, "body", mw_utf8_cut(answer->body, BODY_SHOWN));
}

/* What somebody sees who is not as close as we are. */
static void put_failed_facts(struct page *page)
{
    enum mw_ws_fault fault = page->ended->fault;
    if (fault != MW_WS_FAULT_refused && fault != MW_WS_FAULT_no_connection)
        put_words(page, "because", page->ended->text);
    put_addresses(page);
    if (fault == MW_WS_FAULT_tls)
        put_certificate(page);
    put_answer(page);
    put_fact(page, "came", page->ended->first_bytes);
    put_advice(page);
    if (page->ended->ours)
        return;
    put_words(page, "browsers", "show 1006 for this, without a reason");
}

/* ---- what the code means ---- */

static void put_list(struct page *page, const char *heading, const struct mw_words *words,
                     enum mw_words_list list)
{
    size_t count = mw_words_count(words, list);
    if (count)
        putf(page, "  %s\n", heading);
    for (size_t i = 0; i < count; i++) {
        char mark[16];
        snprintf(mark, sizeof mark, list == MW_WORDS_WHEN ? "    %zu " : "    - ", i + 1);
        put_item(page, mark, mw_view_text(mw_words_line(words, list, i).text));
    }
}

static const char *label(const struct page *page, enum mw_label label)
{
    return mw_label(page->look->lang, label).text;
}

/* An end that somebody of this side wanted needs no explanation. */
static bool is_ordinary(const struct mw_ws_ended *ended)
{
    bool is_friendly = ended->code == MW_CLOSE_NORMAL || ended->code == MW_CLOSE_GOING_AWAY ||
                       ended->code == MW_CLOSE_NO_STATUS;
    return ended->clean && (ended->ours || is_friendly);
}

static void put_meaning(struct page *page)
{
    const struct mw_close_row *row = mw_close_row(page->ended->code);
    struct mw_words words = mw_words_of_code(page->look->lang, row);
    putf(page, "  %s\n", label(page, MW_LABEL_HAPPENED));
    put_item(page, "    ", mw_view_text(mw_words_text(&words).text));
    put_list(page, label(page, MW_LABEL_REASONS), &words, MW_WORDS_WHEN);
    put_list(page, label(page, MW_LABEL_FIX), &words, MW_WORDS_FIX);
}

static void put_next(struct page *page)
{
    const char *id = page->event->id;
    say(page, "  next        ");
    if (id && *id)
        putf(page, "moonwire why %s, where the server runs\n", id);
    else if (page->event->kind == MW_CONNECT_failed || page->ended->who == MW_WHO_NETWORK) {
        say(page, "moonwire doctor ");
        note(page, mw_log_put_line(page->out, page->event->url));
        say(page, "\n");
    } else
        putf(page, "moonwire explain %u\n", page->ended->code);
}

int mw_connect_verdict(struct mw_buf *out, const struct mw_connect_event *event,
                       const struct mw_connect_look *look)
{
    struct page page = {
        .out = out, .event = event, .ended = event->ended, .path = event->path, .look = look
    };
    bool was_open = event->kind == MW_CONNECT_closed;
    if (was_open) {
        put_head(&page);
        put_open_facts(&page);
    } else {
        put_failed_head(&page);
        if (event->again)
            return page.err;
        put_failed_facts(&page);
    }
    bool is_told = was_open ? is_ordinary(event->ended) : event->ended->ours;
    if (was_open && (!is_told || look->verbose))
        put_meaning(&page);
    if (!is_told)
        put_next(&page);
    return page.err;
}
