/*
 * Does what lines want, in order. Lines of -x and of a pipe wait for each other, and a pipe is not
 * read further than the connection takes it; what is typed is done at once.
 */
#include <stdio.h>

#include "core/base/json.h"
#include "core/base/str.h"
#include "core/base/utf8.h"
#include "core/cli/connect.h"
#include "core/cli/connect_words.h"
#include "core/io/signals.h"
#include "core/proto/close.h"

/* From half of the queue on `drained` is told, and until then nothing more is sent. */
static bool is_full(const struct mw_connect *connect)
{
    struct mw_ws_client *client = mw_returning_client(connect->returning);
    return client && mw_ws_client_queued(client) > connect->options.limits.queue / 2;
}

static bool is_typed(const struct mw_connect *connect)
{
    return connect->input && mw_input_is_edited(connect->input);
}

static void set_alarm(struct mw_connect *connect, mw_ms after_ms)
{
    mw_alarm_set(connect->loop, &connect->play.alarm, mw_loop_now(connect->loop) + after_ms);
}

static void wait_in(struct mw_connect *connect, enum mw_play_state state)
{
    connect->play.state = state;
}

/* ---- going on ---- */

static bool has_sends(const struct mw_connect *connect)
{
    return connect->play.sends_done < connect->options.sends.count;
}

static void play_send(struct mw_connect *connect);

/* The next line, wherever it comes from; or the end of all. */
static void go_on(struct mw_connect *connect)
{
    struct mw_play *play = &connect->play;
    bool is_ready = connect->is_open && play->state == MW_PLAY_READY;
    if (is_ready && has_sends(connect)) {
        play_send(connect);
        return;
    }
    if (connect->input)
        mw_input_set(connect->input, is_typed(connect) ? connect->is_open : is_ready);
    if (!is_ready || !play->is_input_over)
        return;
    play->state = MW_PLAY_LAST;
    bool stays = connect->options.has_wait || connect->options.sends.count == 0;
    set_alarm(connect, stays && !is_typed(connect) ? connect->options.wait_ms : 0);
}

static void be_ready(struct mw_connect *connect)
{
    connect->play.state = MW_PLAY_READY;
    mw_alarm_stop(connect->loop, &connect->play.alarm);
    go_on(connect);
}

/* ---- what lines want ---- */

static void fail(struct mw_connect *connect, const char *why)
{
    mw_screen_error(&connect->screen, why);
    if (is_typed(connect))
        return;
    connect->play.failed = true; /* nobody is there to type it again */
    mw_connect_quit(connect);
}

static const char *text_of(int err)
{
    switch (err) {
    case MW_ERR_BAD_UTF8:
        return "not sent: a text has to be UTF-8; for bytes there is /hex";
    case MW_ERR_CLOSED:
        return "not sent: the connection is not open";
    case MW_ERR_DROPPED:
        return "not sent: the server does not take what was sent before";
    case MW_ERR_NOMEM:
        return "not sent: out of memory";
    case MW_ERR_BAD_CODE:
        return "this code must not be sent: 1000 to 1003, 1007 to 1014 or 3000 to 4999";
    default:
        return "not sent";
    }
}

static bool send(struct mw_connect *connect, enum mw_opcode opcode, struct mw_view data)
{
    int err = mw_connect_send(connect, opcode, data);
    if (err)
        fail(connect, text_of(err));
    return !err;
}

static void send_json(struct mw_connect *connect, struct mw_view text)
{
    char why[160];
    struct mw_json_error error;
    struct mw_json_doc *doc = mw_json_parse(&connect->mem, text, &error);
    if (doc) {
        mw_json_doc_free(doc);
        (void)send(connect, MW_OPCODE_TEXT, text);
        return;
    }
    snprintf(why, sizeof why, "not sent: at byte %zu it is no JSON: %s", error.at, error.text);
    fail(connect, why);
}

static void send_hex(struct mw_connect *connect, struct mw_view digits)
{
    struct mw_buf bytes;
    mw_buf_init(&bytes, &connect->mem, 0);
    if (mw_words_hex(&bytes, digits))
        fail(connect, text_of(MW_ERR_NOMEM));
    else
        (void)send(connect, MW_OPCODE_BINARY, mw_buf_view(&bytes));
    mw_buf_free(&bytes);
}

static bool read_file(struct mw_buf *out, const char *path)
{
    char bytes[16384];
    size_t got;
    int err = MW_OK;
    FILE *file = fopen(path, "re");
    while (file && !err && (got = fread(bytes, 1, sizeof bytes, file)) > 0)
        err = mw_buf_put(out, bytes, got);
    bool is_whole = file && !ferror(file) && !err;
    if (file)
        fclose(file);
    return is_whole;
}

static void send_file(struct mw_connect *connect, struct mw_view path)
{
    char name[1024], why[1200];
    struct mw_buf bytes;
    mw_buf_init(&bytes, &connect->mem, MW_INPUT_LINE_MAX);
    snprintf(name, sizeof name, "%.*s", path.len < 1000 ? (int)path.len : 1000, path.data);
    bool is_text = true;
    if (!read_file(&bytes, name)) {
        snprintf(why, sizeof why, "not sent: %s cannot be read, or is larger than a message", name);
        fail(connect, why);
    } else {
        is_text = mw_utf8_valid(mw_buf_view(&bytes));
        (void)send(connect, is_text ? MW_OPCODE_TEXT : MW_OPCODE_BINARY, mw_buf_view(&bytes));
    }
    mw_buf_free(&bytes);
}

static void close_with(struct mw_connect *connect, const struct mw_words_line *words)
{
    struct mw_ws_client *client = mw_returning_client(connect->returning);
    unsigned code = words->code ? words->code : MW_CLOSE_NORMAL;
    int err = MW_ERR_CLOSED;
    if (words->text.len > MW_CLOSE_REASON_MAX) {
        fail(connect, "a reason has room for 123 bytes");
        return;
    }
    if (client && connect->is_open)
        err = mw_ws_client_close(client, code, words->text);
    if (err)
        fail(connect, text_of(err));
}

static void repeat(struct mw_connect *connect)
{
    struct mw_play *play = &connect->play;
    play->state = MW_PLAY_REPEAT;
    while (play->left && !is_full(connect)) {
        if (!send(connect, MW_OPCODE_TEXT, mw_buf_view(&play->text)))
            play->left = 1; /* was told once */
        play->left--;
        if (play->left && play->every_ms) {
            set_alarm(connect, play->every_ms);
            return;
        }
    }
    if (!play->left)
        be_ready(connect);
}

static void begin_repeat(struct mw_connect *connect, const struct mw_words_line *words)
{
    struct mw_play *play = &connect->play;
    mw_buf_clear(&play->text);
    if (mw_buf_put_view(&play->text, words->text)) {
        fail(connect, text_of(MW_ERR_NOMEM));
        return;
    }
    play->left = words->count;
    play->every_ms = words->span_ms;
    repeat(connect);
}

/* Answers may be here before the line that waits for them is read, and count all the same. */
static void wait_for_messages(struct mw_connect *connect, uint64_t count)
{
    struct mw_play *play = &connect->play;
    uint64_t here = play->come < count ? play->come : count;
    play->come -= here;
    play->left = count - here;
    if (play->left)
        wait_in(connect, MW_PLAY_MESSAGES);
}

static void begin_wait(struct mw_connect *connect, const struct mw_words_line *words)
{
    if (words->span_ms) {
        wait_in(connect, MW_PLAY_PAUSE);
        set_alarm(connect, words->span_ms);
    } else {
        wait_for_messages(connect, words->count);
    }
}

static void ping(struct mw_connect *connect, struct mw_view payload)
{
    int err = mw_connect_ping(connect, payload);
    if (err)
        fail(connect, text_of(err));
}

static void do_words(struct mw_connect *connect, const struct mw_words_line *words)
{
    switch (words->word) {
    case MW_WORD_text:
        (void)send(connect, MW_OPCODE_TEXT, words->text);
        return;
    case MW_WORD_ping:
        ping(connect, words->text);
        return;
    case MW_WORD_close:
        close_with(connect, words);
        return;
    case MW_WORD_json:
        send_json(connect, words->text);
        return;
    case MW_WORD_hex:
        send_hex(connect, words->text);
        return;
    case MW_WORD_file:
        send_file(connect, words->text);
        return;
    case MW_WORD_wait:
        begin_wait(connect, words);
        return;
    case MW_WORD_repeat:
        begin_repeat(connect, words);
        return;
    case MW_WORD_stats:
        mw_connect_stats(connect);
        return;
    case MW_WORD_help:
        mw_screen_help(&connect->screen);
        return;
    case MW_WORD_quit:
        mw_connect_quit(connect);
        return;
    }
}

static void do_line(struct mw_connect *connect, struct mw_view line)
{
    char why[256];
    struct mw_words_line words;
    if (mw_words_line_read(line, connect->options.commands, &words, why)) {
        fail(connect, why);
        return;
    }
    do_words(connect, &words);
    if (connect->play.state == MW_PLAY_READY && is_full(connect))
        wait_in(connect, MW_PLAY_ROOM);
}

void mw_play_line(struct mw_connect *connect, struct mw_view line)
{
    do_line(connect, line);
    go_on(connect);
}

/* ---- -x ---- */

static bool wants_answer(struct mw_view line, bool commands, enum mw_play_state *state)
{
    char why[256];
    struct mw_words_line words;
    if (mw_words_line_read(line, commands, &words, why))
        return false;
    *state = words.word == MW_WORD_ping ? MW_PLAY_PONG : MW_PLAY_ANSWER;
    return words.word == MW_WORD_text || words.word == MW_WORD_json || words.word == MW_WORD_hex ||
           words.word == MW_WORD_file || words.word == MW_WORD_ping;
}

/* With --wait all are sent at once, and what comes is for whoever reads it. */
static void play_send(struct mw_connect *connect)
{
    struct mw_play *play = &connect->play;
    struct mw_view line = mw_view_text(connect->options.sends.items[play->sends_done++]);
    enum mw_play_state state;
    do_line(connect, line);
    bool waits = !connect->options.has_wait && !play->failed && connect->is_open &&
                 play->state == MW_PLAY_READY &&
                 wants_answer(line, connect->options.commands, &state);
    if (waits) {
        wait_in(connect, state);
        set_alarm(connect, connect->options.patience_ms);
    } else {
        go_on(connect);
    }
}

static void miss_answer(struct mw_connect *connect)
{
    char why[80];
    connect->play.missed = true;
    snprintf(why, sizeof why, "no answer came within %g s",
             (double)connect->options.patience_ms / 1000);
    mw_screen_error(&connect->screen, why);
    be_ready(connect);
}

/* ---- what happens ---- */

static void on_alarm(struct mw_alarm *alarm)
{
    struct mw_connect *connect = MW_OWNER(alarm, struct mw_connect, play.alarm);
    switch (connect->play.state) {
    case MW_PLAY_ANSWER:
    case MW_PLAY_PONG:
        miss_answer(connect);
        return;
    case MW_PLAY_PAUSE:
        be_ready(connect);
        return;
    case MW_PLAY_REPEAT:
        repeat(connect);
        return;
    case MW_PLAY_LAST:
        mw_connect_quit(connect);
        return;
    case MW_PLAY_READY:
    case MW_PLAY_MESSAGES:
    case MW_PLAY_ROOM:
        return;
    }
}

void mw_play_init(struct mw_connect *connect)
{
    connect->play = (struct mw_play){ .is_input_over = connect->options.sends.count > 0 };
    mw_buf_init(&connect->play.text, &connect->mem, 0);
    mw_alarm_init(&connect->play.alarm, on_alarm);
}

void mw_play_free(struct mw_connect *connect)
{
    if (connect->loop)
        mw_alarm_stop(connect->loop, &connect->play.alarm);
    mw_buf_free(&connect->play.text);
}

void mw_play_input_over(struct mw_connect *connect)
{
    connect->play.is_input_over = true;
    go_on(connect);
}

void mw_play_opened(struct mw_connect *connect)
{
    be_ready(connect);
}

/* What was waited for does not come any more; all else waits for the next connection. */
void mw_play_closed(struct mw_connect *connect)
{
    struct mw_play *play = &connect->play;
    play->missed |= play->state == MW_PLAY_ANSWER || play->state == MW_PLAY_PONG;
    play->state = MW_PLAY_READY;
    mw_alarm_stop(connect->loop, &play->alarm);
    if (connect->input)
        mw_input_set(connect->input, false);
}

void mw_play_message(struct mw_connect *connect)
{
    struct mw_play *play = &connect->play;
    if (play->state == MW_PLAY_ANSWER)
        be_ready(connect);
    else if (play->state != MW_PLAY_MESSAGES)
        play->come++;
    else if (--play->left == 0)
        be_ready(connect);
}

void mw_play_pong(struct mw_connect *connect)
{
    if (connect->play.state == MW_PLAY_PONG)
        be_ready(connect);
}

void mw_play_room(struct mw_connect *connect)
{
    if (connect->play.state == MW_PLAY_ROOM)
        be_ready(connect);
    else if (connect->play.state == MW_PLAY_REPEAT)
        repeat(connect);
}
