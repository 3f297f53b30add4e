/*
 * Words for an end. The facts are the server's, what causes mean stands in core/explain; here is
 * what the facts of this one connection say beyond that. Called by cmd_why.
 */
#include "core/cli/verdict.h"

#include <stdio.h>
#include <time.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/cli/reply.h"
#include "core/explain/words.h"
#include "core/explain/wrap.h"
#include "core/server/cuts.h"
#include "core/server/log.h"

#define ROW_CELLS 80

/* Of what waits so much may be the Close frame that told of the end. */
#define CLOSE_FRAME_MAX 127

/* ---- small pieces ---- */

struct page {
    struct mw_buf *out;
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

/* Text of anybody's: no line of it may look like one of ours, so it has none. */
static void put(struct page *page, const struct mw_json *conn, const char *key)
{
    note(page, mw_log_put_line(page->out, mw_reply_text(conn, key)));
}

static void say(struct page *page, const char *text)
{
    note(page, mw_buf_put_text(page->out, text));
}

static unsigned whole(const struct mw_json *object, const char *key)
{
    double number = mw_reply_number(object, key);
    return number > 0 && number < UINT32_MAX ? (unsigned)number : 0;
}

int mw_verdict_span(struct mw_buf *out, double seconds)
{
    if (seconds < 1)
        return mw_buf_putf(out, "%.0f ms", seconds * 1000);
    if (seconds < 600)
        return mw_buf_putf(out, seconds < 10 ? "%.1f s" : "%.0f s", seconds);
    if (seconds < 36000)
        return mw_buf_putf(out, "%.0f min", seconds / 60);
    return mw_buf_putf(out, "%.0f h", seconds / 3600);
}

static void put_span(struct page *page, double seconds)
{
    note(page, mw_verdict_span(page->out, seconds));
}

static void put_moment(struct page *page, double unix_s)
{
    char text[40];
    struct tm tm;
    time_t time = (time_t)unix_s;
    if (gmtime_r(&time, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm))
        say(page, text);
}

/* A paragraph behind a mark ("1 ", "- "), with its further rows below its first word. */
static void put_item(struct page *page, const char *mark, struct mw_view text)
{
    struct mw_view row;
    size_t indent = 4 + strlen(mark);
    bool is_first = true;
    while (mw_wrap_next(&text, ROW_CELLS - indent, &row)) {
        putf(page, "%*s%s", is_first ? 4 : (int)indent, "", is_first ? mark : "");
        note(page, mw_buf_put_view(page->out, row));
        say(page, "\n");
        is_first = false;
    }
}

/* ---- facts ---- */

static void put_head(struct page *page, const struct mw_json *conn)
{
    if (!mw_reply_has(conn, "cause")) {
        put(page, conn, "state");
        say(page, "\n");
        return;
    }
    putf(page, "%u ", whole(conn, "code"));
    put(page, conn, "name");
    say(page, ": ");
    put(page, conn, "cause");
    say(page, ", by the ");
    put(page, conn, "who");
    say(page, "\n");
}

static void put_place(struct page *page, const struct mw_json *conn)
{
    say(page, "  connection  ");
    put(page, conn, "conn");
    say(page, " on ");
    put(page, conn, "path");
    say(page, ", ");
    put(page, conn, "script");
    putf(page, " v%u, from ", whole(conn, "v"));
    put(page, conn, "ip");
    say(page, "\n");
}

static void put_time(struct page *page, const struct mw_json *conn, mw_ms now_unix_ms)
{
    double at_s = mw_reply_number(conn, "at"), ago_s = (double)now_unix_ms / 1000 - at_s;
    if (mw_reply_flag(conn, "live")) {
        say(page, "  open        for ");
    } else {
        say(page, "  ended       ");
        put_moment(page, at_s);
        say(page, ", ");
        put_span(page, ago_s > 0 ? ago_s : 0);
        say(page, " ago, after ");
    }
    put_span(page, mw_reply_number(conn, "lasted"));
    say(page, "\n");
}

static void put_figures(struct page *page, const struct mw_json *conn)
{
    putf(page, "  messages    received %u, sent %u", whole(conn, "received"), whole(conn, "sent"));
    if (mw_reply_has(conn, "dropped"))
        putf(page, ", dropped %u for it reads too slowly", whole(conn, "dropped"));
    if (mw_reply_has(conn, "replaced"))
        putf(page, ", replaced by newer ones %u", whole(conn, "replaced"));
    if (mw_reply_has(conn, "rtt"))
        putf(page, "; a ping and its answer took %.0f ms", mw_reply_number(conn, "rtt") * 1000);
    say(page, "\n  silent      for ");
    put_span(page, mw_reply_number(conn, "silent"));
    if (mw_reply_has(conn, "ping"))
        putf(page, "; of the pings, one every %g s, %u not answered", mw_reply_number(conn, "ping"),
             whole(conn, "pings_unanswered"));
    else
        say(page, "; no pings are sent (limits.ping = 0)");
    say(page, "\n");
    if (whole(conn, "queued") > CLOSE_FRAME_MAX)
        putf(page, "  waiting     %u bytes to be sent\n", whole(conn, "queued"));
}

/* A text of anybody's behind its label, with its further rows below its first word. */
static void put_long(struct page *page, const char *label, struct mw_view text)
{
    struct mw_buf line;
    struct mw_view row;
    mw_buf_init(&line, page->out->mem, 0);
    note(page, mw_log_put_line(&line, text));
    struct mw_view rest = mw_buf_view(&line);
    for (bool is_first = true; mw_wrap_next(&rest, ROW_CELLS - strlen(label), &row);
         is_first = false) {
        putf(page, "%*s", (int)strlen(label), is_first ? label : "");
        note(page, mw_buf_put_view(page->out, row));
        say(page, "\n");
    }
    mw_buf_free(&line);
}

static int hex_of(char digit)
{
    return digit <= '9' ? digit - '0' : digit - 'a' + 10;
}

/* The bytes of a frame's header that are plain text were no header: "485454502f ("HTTP/")". */
static void put_bytes(struct page *page, struct mw_view hex)
{
    char text[16];
    size_t len = 0;
    for (size_t i = 0; i + 1 < hex.len && len + 1 < sizeof text; i += 2) {
        int byte = hex_of(hex.data[i]) * 16 + hex_of(hex.data[i + 1]);
        if (byte < ' ' || byte > '~')
            break;
        text[len++] = (char)byte;
    }
    say(page, "  bytes       ");
    note(page, mw_log_put_line(page->out, hex));
    if (len > 2 && len * 2 == hex.len)
        putf(page, " (\"%.*s\")", (int)len, text);
    say(page, "\n");
}

/* The reason of a breach is its rule. */
static bool is_rule(const struct mw_json *conn)
{
    return mw_view_equal(mw_reply_text(conn, "reason"), mw_reply_text(conn, "rule"));
}

static void put_texts(struct page *page, const struct mw_json *conn)
{
    static const struct {
        const char *key, *label;
    } rows[] = {
        { "reason", "  reason      " },
        { "rule", "  rule        " },
        { "detail", "  detail      " },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        bool is_said = i == 0 && is_rule(conn);
        if (!is_said && mw_reply_has(conn, rows[i].key))
            put_long(page, rows[i].label, mw_reply_text(conn, rows[i].key));
    }
    if (mw_reply_has(conn, "bytes"))
        put_bytes(page, mw_reply_text(conn, "bytes"));
    if (mw_reply_has(conn, "fault"))
        put_long(page, "  error       ", mw_reply_text(conn, "fault"));
}

/* As it was when the connection ended; a save may have changed it since. */
static void put_limit(struct page *page, const struct mw_json *conn)
{
    const struct mw_json *limit = mw_reply_object(conn, "limit");
    if (!limit) /* none, or a server of another version */
        return;
    say(page, "  limit       ");
    put(page, limit, "option");
    putf(page, " was %.15g ", mw_reply_number(limit, "value"));
    put(page, limit, "unit");
    say(page, "\n");
}

/* ---- the last of it ---- */

static void put_frame(struct page *page, const struct mw_json *entry)
{
    put(page, entry, "frame");
    if (mw_reply_has(entry, "code"))
        putf(page, " %u", whole(entry, "code"));
    putf(page, ", %u bytes", whole(entry, "bytes"));
    if (whole(entry, "rsv") & 4)
        say(page, ", compressed");
    if (mw_reply_has(entry, "frames"))
        putf(page, ", in %u frames", whole(entry, "frames"));
}

static void put_call(struct page *page, const struct mw_json *entry)
{
    static const struct {
        const char *result, *text;
    } results[] = {
        { "done", " was called" },
        { "waits", " waits (it has yielded)" },
        { "went_on", " went on and has ended" },
        { "failed", " failed" },
        { "bad_json", " was not called: the message is no JSON" },
    };
    struct mw_view result = mw_reply_text(entry, "result");
    put(page, entry, "handler");
    for (size_t i = 0; i < MW_COUNT(results); i++) {
        if (mw_view_is(result, results[i].result))
            say(page, results[i].text);
    }
    if (mw_reply_has(entry, "cpu_ms"))
        putf(page, ", %u ms of CPU time", whole(entry, "cpu_ms"));
}

static void put_state(struct page *page, const struct mw_json *entry, struct mw_view what)
{
    unsigned queued = whole(entry, "queued");
    if (mw_view_is(what, "queue_high"))
        putf(page, "queue is more than half full: %u bytes wait", queued);
    else if (mw_view_is(what, "queue_low"))
        putf(page, "queue is less than half full again: %u bytes wait", queued);
    else if (mw_view_is(what, "refused"))
        putf(page, "a message found no room: %u bytes wait", queued);
    else if (mw_view_is(what, "reads_stop"))
        say(page, "reading stops until the script is ready, or answers are taken");
    else if (mw_view_is(what, "reads_go"))
        say(page, "reading goes on");
    else if (mw_view_is(what, "away"))
        say(page, "the network has cut it: the client may come back");
    else if (mw_view_is(what, "back"))
        say(page, "the client is back");
    else if (mw_view_is(what, "aside"))
        say(page, mw_reply_flag(entry, "answered") ? "the client asked for a sign of life"
                                                   : "a text of the client's sideband");
}

static void put_entry(struct page *page, const struct mw_json *entry, double end_s)
{
    struct mw_view what = mw_reply_text(entry, "what");
    double before_s = end_s - mw_reply_number(entry, "at");
    bool is_in = mw_view_is(what, "in"), is_out = mw_view_is(what, "out");
    putf(page, "  %10.3f  %-7s", before_s > 0.0005 ? -before_s : 0.0,
         is_in                      ? "in"
         : is_out                   ? "out"
         : mw_view_is(what, "call") ? "script"
                                    : "");
    if (is_in || is_out)
        put_frame(page, entry);
    else if (mw_view_is(what, "call"))
        put_call(page, entry);
    else
        put_state(page, entry, what);
    if (mw_reply_has(entry, "times"))
        putf(page, " (%u times, together)", whole(entry, "times"));
    say(page, "\n");
}

static void put_flight(struct page *page, const struct mw_json *conn)
{
    const struct mw_json *flight = mw_reply_list(conn, "flight"), *entry;
    struct mw_view key;
    if (!flight || mw_json_count(flight) == 0) {
        say(page, "  no message has come or gone\n");
        return;
    }
    bool is_live = mw_reply_flag(conn, "live");
    say(page, is_live ? "  the last of it, in seconds before now\n"
                      : "  the last of it, in seconds before the end\n");
    struct mw_json_iter iter = mw_json_iter(flight);
    while (mw_json_iter_next(&iter, &key, &entry))
        put_entry(page, entry, mw_reply_number(conn, "lasted"));
}

/* ---- what this one's facts say ---- */

static bool is_by_network(const struct mw_json *conn)
{
    return mw_view_is(mw_reply_text(conn, "who"), "network");
}

static void see(struct page *page, const char *text)
{
    put_item(page, "- ", mw_view_text(text));
}

/* A round number of seconds that something on the path is known for; and what to change. */
static void see_limit(struct page *page, const struct mw_json *conn)
{
    static const struct {
        enum mw_cut_kind kind;
        const char *key, *format;
    } kinds[] = {
        { MW_CUT_SILENCE, "silent",
          "It had been silent for as long as something allows (%s): limits.ping = %u prevents "
          "that." },
        { MW_CUT_LIFETIME, "lasted",
          "It was as old as something allows (%s): with limits.age = %u clients are told to come "
          "back before." },
    };
    char text[256];
    struct mw_view cause = mw_reply_text(conn, "cause");
    if (!mw_view_is(cause, "peer_fin") && !mw_view_is(cause, "peer_reset"))
        return;
    for (size_t i = 0; i < MW_COUNT(kinds); i++) {
        mw_ms after_ms = (mw_ms)(mw_reply_number(conn, kinds[i].key) * 1000);
        const char *known = mw_cut_known(kinds[i].kind, after_ms);
        if (!*known)
            continue;
        snprintf(text, sizeof text, kinds[i].format, known,
                 mw_idle_better_s(kinds[i].kind, after_ms));
        see(page, text);
        return;
    }
}

static void see_silence(struct page *page, const struct mw_json *conn)
{
    double silent_s = mw_reply_number(conn, "silent"), lasted_s = mw_reply_number(conn, "lasted");
    if (lasted_s < 1)
        see(page, "It ended within a second of its opening: a client that failed at once, or one "
                  "that was never meant to stay.");
    else if (silent_s < 1)
        see(page, "It was heard of until the end, so the path was sound: the client, or what it "
                  "runs in, went away.");
    if (whole(conn, "pings_unanswered"))
        see(page, "It did not answer pings, so it was gone before the end was seen.");
}

static void see_part(struct page *page, const struct mw_json *conn)
{
    char text[128];
    if (!mw_reply_has(conn, "part_have"))
        return;
    snprintf(text, sizeof text, "It ended in the middle of a frame: %.0f of %.0f bytes had come.",
             mw_reply_number(conn, "part_have"), mw_reply_number(conn, "part_of"));
    see(page, text);
}

/* The error is not what came before, but what ended it. */
static bool is_by_fault(const struct mw_json *conn)
{
    return mw_view_starts_with(mw_reply_text(conn, "cause"), "script_") &&
           !mw_view_is(mw_reply_text(conn, "cause"), "script_close");
}

static void put_seen(struct page *page, const struct mw_json *conn)
{
    size_t before = page->out->len;
    say(page, "  here\n");
    size_t begun = page->out->len;
    if (is_by_network(conn)) {
        see_limit(page, conn);
        see_silence(page, conn);
        see_part(page, conn);
    }
    if (mw_reply_has(conn, "fault") && !is_by_fault(conn))
        see(page, "Before that, a call for this connection failed: the error above.");
    if (page->out->len == begun)
        page->out->len = before;
}

/* ---- what causes mean ---- */

static void put_list(struct page *page, const char *heading, const struct mw_words *words,
                     enum mw_words_list list)
{
    size_t count = mw_words_count(words, list);
    if (count)
        say(page, heading);
    for (size_t i = 0; i < count; i++) {
        char mark[16];
        snprintf(mark, sizeof mark, list == MW_WORDS_WHEN ? "%zu " : "- ", i + 1);
        put_item(page, mark, mw_view_text(mw_words_line(words, list, i).text));
    }
}

static void put_meaning(struct page *page, const struct mw_json *conn)
{
    enum mw_cause cause = mw_cause_by_name(mw_reply_text(conn, "cause"));
    if (cause == MW_CAUSE_COUNT) /* a server of another version */
        return;
    struct mw_words words = mw_words_of_cause(MW_LANG_EN, cause);
    say(page, "  what happened\n");
    put_item(page, "", mw_view_text(mw_words_text(&words).text));
    put_seen(page, conn);
    put_list(page, "  likely reasons\n", &words, MW_WORDS_WHEN);
    bool has_own = mw_reply_has(conn, "fix"); /* of the script that chose the code */
    if (has_own) {
        say(page, "  what to do\n");
        put_long(page, "    - ", mw_reply_text(conn, "fix"));
    }
    put_list(page, has_own ? "" : "  what to do\n", &words, MW_WORDS_FIX);
}

int mw_verdict(struct mw_buf *out, const struct mw_json *conn, mw_ms now_unix_ms)
{
    struct page page = { .out = out };
    put_head(&page, conn);
    put_place(&page, conn);
    put_time(&page, conn, now_unix_ms);
    put_figures(&page, conn);
    put_texts(&page, conn);
    put_limit(&page, conn);
    put_flight(&page, conn);
    if (mw_reply_has(conn, "cause"))
        put_meaning(&page, conn);
    return page.err;
}

int mw_verdict_line(struct mw_buf *out, const struct mw_json *conn)
{
    struct page page = { .out = out };
    put_moment(&page, mw_reply_number(conn, "at"));
    say(&page, "  ");
    put(&page, conn, "conn");
    say(&page, "  ");
    put(&page, conn, "path");
    putf(&page, "  %u ", whole(conn, "code"));
    put(&page, conn, "cause");
    say(&page, ", by the ");
    put(&page, conn, "who");
    say(&page, ", after ");
    put_span(&page, mw_reply_number(conn, "lasted"));
    say(&page, "\n");
    return page.err;
}
