/*
 * What the walk does on an open connection: pings, messages of sizes that boxes on a path break,
 * fragments, the close, and a message with compression. Words of verdicts are judge_talk.c's.
 * Called by walk through its table.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/doctor/walk_parts.h"

#define PINGS 5
/* What a box that waits for more is given, when a ping has brought nothing. */
#define PUSH_PINGS       80
#define QUESTION_WAIT_MS 3000

/*
 * Where boxes on a path change their mind: the three forms of a frame's length and their edges
 * (RFC 6455 5.2), a packet of Ethernet in a tunnel, a page, a record of TLS, and what is large.
 */
static const size_t sizes[] = { 1, 125, 126, 1400, 4096, 16384, 65535, 65536, 1048576 };

static const char question[] = "moonwire doctor: does this route send back what it gets?";
static const char *const pieces[] = { "moonwire doctor: a fragment, ", "another fragment, ",
                                      "the last fragment" };

static struct mw_doctor_line *line_of(struct mw_walk *walk)
{
    return mw_walk_line(walk, mw_walk_tasks[walk->task].line);
}

/* What may still come on it belongs to a task that is over. */
static void drop_connection(struct mw_walk *walk)
{
    mw_ws_client_free(walk->client);
    walk->client = NULL;
}

static void skip_echoless(struct mw_walk *walk)
{
    line_of(walk)->state = MW_DOCTOR_SKIPPED;
    mw_doctor_value(line_of(walk), "the route does not send back what it gets");
    mw_walk_next(walk);
}

/* Frames that break rules would break them in every task that follows. */
static void judge_death(struct mw_walk *walk, const char *during)
{
    struct mw_doctor_line *line = line_of(walk);
    bool is_masked = walk->end.rule == MW_RULE_MASKED;
    if (is_masked) {
        mw_doctor_value(line, "a masked frame ended it");
        line = mw_walk_line(walk, MW_WALK_MASKING);
    }
    mw_doctor_judge_death(line, &walk->end, &walk->who, during);
    if (walk->end.rule != MW_RULE_NONE)
        walk->is_spoilt = true;
    mw_walk_next(walk);
}

/* ---- ping ---- */

static void ping(struct mw_walk *walk)
{
    walk->pings.asked++;
    (void)mw_ws_client_ping(walk->client, mw_view_text("doctor"));
    mw_walk_wait(walk, walk->setup.wait_ms);
}

static void begin_pings(struct mw_walk *walk)
{
    const struct mw_ws_path *path = mw_ws_client_path(walk->client);
    walk->pings = (struct mw_doctor_pings){ .handshake_us = path->took_us[MW_WS_UPGRADE] };
    ping(walk);
}

static void judge_pings(struct mw_walk *walk)
{
    mw_doctor_judge_pings(line_of(walk), &walk->pings, walk->setup.wait_ms);
    /* What is held back would be blamed again in every task that waits. */
    walk->is_spoilt = walk->pings.pushed_bytes > 0;
    if (line_of(walk)->state == MW_DOCTOR_FAIL)
        drop_connection(walk);
    mw_walk_next(walk);
}

static void on_pong(struct mw_walk *walk, uint64_t rtt_us)
{
    struct mw_doctor_pings *pings = &walk->pings;
    if (pings->asked > PINGS) {
        pings->pushed_bytes = (pings->asked - pings->answered) * (MW_CONTROL_MAX + 6);
        judge_pings(walk);
        return;
    }
    if (pings->answered == 0 || rtt_us < pings->least_us)
        pings->least_us = rtt_us;
    if (pings->answered == 0 || rtt_us > pings->most_us)
        pings->most_us = rtt_us;
    if (++pings->answered < PINGS)
        ping(walk);
    else
        judge_pings(walk);
}

static void push_pings(struct mw_walk *walk)
{
    char payload[MW_CONTROL_MAX];
    memset(payload, 'p', sizeof payload);
    walk->pings.asked = PINGS;
    for (size_t i = 0; i < PUSH_PINGS; i++)
        (void)mw_ws_client_ping(walk->client, mw_view(payload, sizeof payload));
    walk->pings.asked += PUSH_PINGS;
    walk->pings.answered = 0;
    mw_walk_wait(walk, walk->setup.wait_ms);
}

static void on_no_pong(struct mw_walk *walk)
{
    if (walk->pings.asked > PINGS) {
        walk->pings.answered = 0;
        judge_pings(walk);
    } else {
        push_pings(walk);
    }
}

static void on_ping_ended(struct mw_walk *walk)
{
    judge_death(walk, "while a ping was on its way");
}

/* ---- echo ---- */

static void fill(struct mw_walk *walk, size_t size)
{
    struct mw_rng *rng = &walk->setup.outbound->rng;
    mw_buf_clear(&walk->sent);
    if (mw_buf_reserve(&walk->sent, size))
        return;
    for (size_t i = 0; i < size; i++)
        walk->sent.data[i] = (char)('A' + mw_rng_below(rng, 26));
    walk->sent.len = size;
}

/* Uncompressed and in one frame, so that the length is what the path sees. */
static void send_size(struct mw_walk *walk)
{
    fill(walk, sizes[walk->size]);
    walk->echo.size = sizes[walk->size];
    (void)mw_ws_client_send_frame(walk->client, MW_OPCODE_TEXT, true, mw_buf_view(&walk->sent));
    mw_walk_wait(walk, walk->setup.wait_ms);
}

static void judge_echo(struct mw_walk *walk, enum mw_doctor_echo_fault fault)
{
    walk->echo.fault = fault;
    walk->echo.waited_ms = walk->setup.wait_ms;
    mw_doctor_judge_echo(line_of(walk), &walk->echo);
    if (fault != MW_DOCTOR_ECHO_FINE)
        drop_connection(walk);
    mw_walk_next(walk);
}

static void begin_echo(struct mw_walk *walk)
{
    mw_ms wait_ms = walk->setup.wait_ms;
    walk->is_asking = true;
    walk->echo = (struct mw_doctor_echo){ .size = sizeof question - 1 };
    (void)mw_ws_client_send_frame(walk->client, MW_OPCODE_TEXT, true, mw_view_text(question));
    mw_walk_wait(walk, wait_ms < QUESTION_WAIT_MS ? wait_ms : QUESTION_WAIT_MS);
}

static size_t first_difference(struct mw_view a, struct mw_view b)
{
    size_t at = 0;
    while (at < a.len && at < b.len && a.data[at] == b.data[at])
        at++;
    return at;
}

/* What is neither the message nor like it is somebody else's: a route may say more. */
static void on_echo(struct mw_walk *walk, struct mw_view data)
{
    struct mw_view sent = walk->is_asking ? mw_view_text(question) : mw_buf_view(&walk->sent);
    size_t alike = first_difference(data, sent);
    if (alike == sent.len && data.len == sent.len && walk->is_asking) {
        walk->is_asking = false;
        walk->echoes = true;
        walk->size = 0;
        send_size(walk);
    } else if (alike == sent.len && data.len == sent.len) {
        walk->echo.passed = sent.len;
        if (++walk->size < MW_COUNT(sizes))
            send_size(walk);
        else
            judge_echo(walk, MW_DOCTOR_ECHO_FINE);
    } else if (data.len == sent.len) {
        walk->echoes = true;
        walk->echo.came = alike;
        judge_echo(walk, MW_DOCTOR_ECHO_CHANGED);
    } else if (data.len && alike == data.len && !walk->is_asking) {
        walk->echo.came = data.len;
        judge_echo(walk, MW_DOCTOR_ECHO_SHORTER);
    }
}

static void on_echo_late(struct mw_walk *walk)
{
    struct mw_doctor_line *line = line_of(walk);
    if (!walk->is_asking) {
        judge_echo(walk, MW_DOCTOR_ECHO_MISSING);
        return;
    }
    line->state = MW_DOCTOR_SKIPPED;
    mw_doctor_value(line, "this route does not send back what it gets, so sizes are not judged");
    mw_doctor_fix(line, "name a route that echoes: --path /echo");
    mw_walk_next(walk);
}

static void on_echo_ended(struct mw_walk *walk)
{
    char during[80];
    if (walk->end.said_code == 1009 && !walk->is_asking) {
        judge_echo(walk, MW_DOCTOR_ECHO_TOO_LARGE);
        return;
    }
    snprintf(during, sizeof during, "while a message of %zu bytes was on its way", walk->echo.size);
    judge_death(walk, during);
}

/* ---- fragments ---- */

static void begin_fragments(struct mw_walk *walk)
{
    if (!walk->echoes) {
        skip_echoless(walk);
        return;
    }
    mw_buf_clear(&walk->sent);
    for (size_t i = 0; i < MW_COUNT(pieces); i++) {
        enum mw_opcode opcode = i ? MW_OPCODE_CONTINUATION : MW_OPCODE_TEXT;
        (void)mw_buf_put_text(&walk->sent, pieces[i]);
        (void)mw_ws_client_send_frame(walk->client, opcode, i + 1 == MW_COUNT(pieces),
                                      mw_view_text(pieces[i]));
        if (i == 0)
            (void)mw_ws_client_ping(walk->client, mw_view_text("between"));
    }
}

static bool is_part(struct mw_view part, struct mw_view whole)
{
    for (size_t at = 0; part.len && at + part.len <= whole.len; at++) {
        if (!memcmp(whole.data + at, part.data, part.len))
            return true;
    }
    return false;
}

static void tell_fragments(struct mw_walk *walk, size_t came)
{
    struct mw_doctor_line *line = line_of(walk);
    line->state = MW_DOCTOR_FAIL;
    if (came)
        mw_doctor_value(line, "a message of three pieces came back as %zu of its %zu bytes", came,
                        walk->sent.len);
    else
        mw_doctor_value(line, "a message of three pieces did not come back");
    mw_doctor_why(line, "The server, or something that rebuilds messages, does not put pieces "
                        "together. Browsers send large messages in pieces.");
    mw_doctor_fix(line, "compare with a connection that goes to the server directly");
    drop_connection(walk);
    mw_walk_next(walk);
}

static void on_fragments(struct mw_walk *walk, struct mw_view data)
{
    struct mw_view whole = mw_buf_view(&walk->sent);
    if (mw_view_equal(data, whole)) {
        line_of(walk)->state = MW_DOCTOR_OK;
        mw_doctor_value(line_of(walk), "three pieces, with a ping between, came back as one");
        mw_walk_next(walk);
    } else if (is_part(data, whole)) {
        tell_fragments(walk, data.len);
    }
}

static void on_fragments_late(struct mw_walk *walk)
{
    tell_fragments(walk, 0);
}

static void on_fragments_ended(struct mw_walk *walk)
{
    judge_death(walk, "while a message of three pieces was on its way");
}

/* ---- the close, and what was seen of masks until then ---- */

#define OUR_CODE 1000

static void begin_close(struct mw_walk *walk)
{
    (void)mw_ws_client_close(walk->client, OUR_CODE, mw_view_text("doctor"));
    mw_walk_wait(walk, MW_CONN_CLOSE_WAIT_MS + walk->setup.wait_ms);
}

static void judge_masking(struct mw_walk *walk)
{
    struct mw_doctor_line *line = mw_walk_line(walk, MW_WALK_MASKING);
    if (*line->value || walk->frames == 0)
        return;
    line->state = MW_DOCTOR_OK;
    mw_doctor_value(line, "no frame of the server is masked%s",
                    walk->echoes ? "; ours arrive as they were sent" : "");
}

static void on_close_ended(struct mw_walk *walk)
{
    judge_masking(walk);
    if (walk->end.rule == MW_RULE_MASKED)
        judge_death(walk, "when it was closed");
    else
        mw_doctor_judge_close(line_of(walk), &walk->end, OUR_CODE);
    mw_walk_next(walk);
}

static void on_close_late(struct mw_walk *walk)
{
    mw_ws_client_abort(walk->client);
}

/* ---- compression ---- */

/* In order: the server has no reason to wonder. */
static void leave(struct mw_walk *walk)
{
    walk->is_leaving = true;
    begin_close(walk);
}

static void tell_compression(struct mw_walk *walk, const char *what)
{
    struct mw_doctor_line *line = line_of(walk);
    line->state = MW_DOCTOR_FAIL;
    mw_doctor_value(line, "agreed on (%s), and then %s", walk->terms, what);
    mw_doctor_why(line, "Something in front takes the browser's offer and does not keep to it, or "
                        "rewrites frames. Browsers always offer: they show 1006, or 1002.");
    mw_doctor_fix(line,
                  "let what stands in front pass Sec-WebSocket-Extensions on as it is, in both "
                  "directions\nor switch it off: in the script: compression = false");
}

static void begin_compression(struct mw_walk *walk)
{
    struct mw_doctor_line *line = line_of(walk);
    walk->is_leaving = false;
    line->state = MW_DOCTOR_OK;
    if (!walk->has_terms)
        mw_doctor_value(line, "not agreed on: the server, or something in front, does not want it");
    else if (!walk->echoes)
        mw_doctor_value(line, "%s; not tried, for the route does not send back", walk->terms);
    if (*line->value) {
        leave(walk);
        return;
    }
    mw_buf_clear(&walk->sent);
    for (size_t i = 0; i < 100; i++)
        (void)mw_buf_put_text(&walk->sent, question);
    (void)mw_ws_client_send(walk->client, MW_OPCODE_TEXT, mw_buf_view(&walk->sent));
}

static void on_compressed(struct mw_walk *walk, struct mw_view data)
{
    if (walk->is_leaving || !mw_view_equal(data, mw_buf_view(&walk->sent)))
        return;
    mw_doctor_value(line_of(walk), "%s; %zu bytes came back whole", walk->terms, data.len);
    leave(walk);
}

static void on_compression_late(struct mw_walk *walk)
{
    if (!walk->is_leaving)
        tell_compression(walk, "a compressed message did not come back");
    drop_connection(walk);
    mw_walk_next(walk);
}

static void on_compression_ended(struct mw_walk *walk)
{
    char what[220];
    const struct mw_doctor_end *end = &walk->end;
    if (end->rule != MW_RULE_NONE)
        snprintf(what, sizeof what, "a frame broke a rule: %s", mw_rule_text(end->rule));
    else if (end->has_close)
        snprintf(what, sizeof what, "closed with %u%s%s%s at the first compressed message",
                 end->said_code, *end->said ? " \"" : "", end->said, *end->said ? "\"" : "");
    else
        snprintf(what, sizeof what, "cut at the first compressed message");
    if (!walk->is_leaving)
        tell_compression(walk, what);
    mw_walk_next(walk);
}

/* ---- silence: walk_idle.c ---- */

static void on_nothing(struct mw_walk *walk)
{
    (void)walk;
}

const struct mw_walk_task mw_walk_tasks[] = {
    { MW_WALK_PING, false, false, begin_pings, NULL, on_pong, on_no_pong, on_ping_ended },
    { MW_WALK_ECHO, false, false, begin_echo, on_echo, NULL, on_echo_late, on_echo_ended },
    { MW_WALK_FRAGMENTS, false, false, begin_fragments, on_fragments, NULL, on_fragments_late,
      on_fragments_ended },
    { MW_WALK_CLOSE, false, false, begin_close, NULL, NULL, on_close_late, on_close_ended },
    { MW_WALK_COMPRESSION, true, false, begin_compression, on_compressed, NULL, on_compression_late,
      on_compression_ended },
    { MW_WALK_IDLE, false, true, mw_walk_idle_begin, NULL, NULL, mw_walk_idle_late, on_nothing },
    { .begin = NULL },
};
