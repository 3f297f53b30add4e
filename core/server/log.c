/*
 * Formats events. Every thread builds its own line; only the finished line is handed to the sink.
 */
#include "core/server/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/hidden.h"
#include "core/base/str.h"
#include "core/base/utf8.h"

/* Lines waiting for a slow reader: some ten thousand, then they are counted instead. */
#define SINK_BYTES        (4u << 20)
#define CLOSE_PATIENCE_MS 2000 /* of a reader that takes nothing; twice that in all */

#define TOO_SLOW "log lines were lost: the reader of the log is too slow"
static const struct mw_sink_note human_note = { "moonwire: ", " " TOO_SLOW };
static const struct mw_sink_note json_note = {
    "{\"level\":\"warn\",\"msg\":\"" TOO_SLOW "\",\"lost\":",
    "}",
};

int mw_log_open(struct mw_log *log, int fd, bool json, bool colour, enum mw_log_level level)
{
    *log = (struct mw_log){ .level = level, .json = json, .colour = colour };
    log->sink = mw_sink_new(fd, SINK_BYTES, json ? json_note : human_note);
    return log->sink ? MW_OK : MW_ERR_NOMEM;
}

void mw_log_capture(struct mw_log *log, bool json, struct mw_buf *out)
{
    *log = (struct mw_log){ .level = MW_LOG_DEBUG, .json = json, .captured = out };
}

void mw_log_close(struct mw_log *log)
{
    mw_sink_free(log->sink, CLOSE_PATIENCE_MS);
    log->sink = 0;
}

void mw_log_finish(struct mw_log *log)
{
    mw_sink_finish(log->sink, CLOSE_PATIENCE_MS);
}

static const struct {
    const char *name;
    const char *label; /* on a terminal */
    const char *colour;
} levels[] = {
    [MW_LOG_DEBUG] = { "debug", "debug", "\x1b[2m" },
    [MW_LOG_INFO] = { "info", "     ", "" },
    [MW_LOG_WARN] = { "warn", "warn ", "\x1b[33m" },
    [MW_LOG_ERROR] = { "error", "error", "\x1b[31m" },
};

/* The last digits of a number, from `to` on; gives what is behind them. */
static char *put_digits(char *to, unsigned number, unsigned count)
{
    for (unsigned i = count; i-- > 0; number /= 10)
        to[i] = (char)('0' + number % 10);
    return to + count;
}

/* "2026-11-21T14:03:02.250Z" by hand: strftime and snprintf took 2 000 instructions for it. */
static struct mw_view write_stamp(char text[40], const struct tm *tm, unsigned ms)
{
    const struct {
        unsigned number, digits;
        char before;
    } parts[] = {
        { (unsigned)tm->tm_mon + 1, 2, '-' }, { (unsigned)tm->tm_mday, 2, '-' },
        { (unsigned)tm->tm_hour, 2, 'T' },    { (unsigned)tm->tm_min, 2, ':' },
        { (unsigned)tm->tm_sec, 2, ':' },     { ms, 3, '.' },
    };
    char *to = put_digits(text, (unsigned)tm->tm_year + 1900, 4);
    for (size_t i = 0; i < MW_COUNT(parts); i++) {
        *to++ = parts[i].before;
        to = put_digits(to, parts[i].number, parts[i].digits);
    }
    *to++ = 'Z';
    return mw_view(text, (size_t)(to - text));
}

static void put_time(struct mw_log_line *line)
{
    mw_ms now_ms = mw_clock_unix_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    char text[40];
    if (line->log->json) {
        gmtime_r(&seconds, &tm);
        mw_jw_pair(&line->json, "ts", write_stamp(text, &tm, (unsigned)(now_ms % 1000)));
    } else {
        localtime_r(&seconds, &tm);
        strftime(text, sizeof text, "%H:%M:%S", &tm);
        (void)mw_buf_putf(&line->text, "%s ", text);
    }
}

static void put_prefix(struct mw_log_line *line, enum mw_log_level level)
{
    const char *colour = line->log->colour ? levels[level].colour : "";
    put_time(line);
    (void)mw_buf_putf(&line->text, "%s%s%s ", colour, levels[level].label,
                      *colour ? "\x1b[0m" : "");
}

/* Of a line: as much as most of them take, so that it need not grow. */
#define USUAL_BYTES 512

void mw_log_begin(struct mw_log_line *line, struct mw_log *log, enum mw_log_level level,
                  struct mw_view message)
{
    *line = (struct mw_log_line){ .log = level >= log->level ? log : 0 };
    if (!line->log)
        return;
    mw_mem_init(&line->mem, 0, 0);
    mw_buf_init(&line->text, &line->mem, 0);
    mw_buf_init(&line->human, &line->mem, 0);
    line->json.out = &line->text;
    if (log->json) {
        (void)mw_buf_reserve(&line->text, USUAL_BYTES); /* or it grows, or the line is cut */
        mw_jw_object(&line->json);
        put_time(line);
        mw_jw_pair(&line->json, "level", mw_view_text(levels[level].name));
        mw_jw_pair(&line->json, "msg", message);
        return;
    }
    if (!log->captured)
        put_prefix(line, level);
    (void)mw_buf_put_view(&line->human, message);
}

/* Starts a field; true where the value follows as JSON. On a terminal fields are key=value. */
static bool begin_field(struct mw_log_line *line, struct mw_view key)
{
    if (!line->log)
        return false;
    if (line->log->json) {
        mw_jw_key(&line->json, key);
    } else {
        (void)mw_buf_put_text(&line->human, "  ");
        (void)mw_buf_put_view(&line->human, key);
        (void)mw_buf_put_byte(&line->human, '=');
        line->json.out = &line->human;
        line->json.need_comma = false;
    }
    return true;
}

void mw_log_text(struct mw_log_line *line, const char *key, struct mw_view value)
{
    if (begin_field(line, mw_view_text(key)))
        mw_jw_string(&line->json, value);
}

void mw_log_number(struct mw_log_line *line, const char *key, double value)
{
    if (begin_field(line, mw_view_text(key)))
        mw_jw_number(&line->json, value);
}

void mw_log_integer(struct mw_log_line *line, const char *key, int64_t value)
{
    if (begin_field(line, mw_view_text(key)))
        mw_jw_integer(&line->json, value);
}

void mw_log_json(struct mw_log_line *line, struct mw_view key, struct mw_view json)
{
    if (begin_field(line, key))
        mw_jw_raw(&line->json, json);
}

void mw_log_say(struct mw_log_line *line, const char *format, ...)
{
    if (!line->log || line->log->json)
        return;
    mw_buf_clear(&line->human);
    va_list args;
    va_start(args, format);
    (void)mw_buf_vputf(&line->human, format, args);
    va_end(args);
}

/* Of one line, as \x1b. */
static int put_hidden(struct mw_buf *out, struct mw_view bytes)
{
    int err = MW_OK;
    for (size_t i = 0; i < bytes.len && !err; i++)
        err = mw_buf_putf(out, "\\x%02x", (unsigned char)bytes.data[i]);
    return err;
}

static int put_text(struct mw_buf *out, struct mw_view text)
{
    int err = MW_OK;
    for (size_t i = 0; i < text.len && !err;) {
        size_t hidden = mw_hidden_at(text, i, 0), len = hidden ? hidden : 1;
        struct mw_view bytes = mw_view(text.data + i, len);
        err = hidden ? put_hidden(out, bytes) : mw_buf_put_view(out, bytes);
        i += len;
    }
    return err;
}

/* A byte that is no text may be a command: 9B alone, to a terminal of eight bits. */
int mw_log_put_line(struct mw_buf *out, struct mw_view text)
{
    int err = MW_OK;
    while (text.len > 0 && !err) {
        size_t broken, whole = mw_utf8_valid_len(text, &broken);
        err = put_text(out, mw_view(text.data, whole));
        if (!err)
            err = put_hidden(out, mw_view(text.data + whole, broken));
        text = mw_view_from(text, whole + broken);
    }
    return err;
}

/*
 * What a script or a peer says must not move the cursor of the person who reads it, nor begin a
 * line that looks like one of ours: further lines begin with a blank.
 */
void mw_log_put_visible(struct mw_buf *out, struct mw_view text)
{
    struct mw_view row;
    for (size_t at = 0; at < text.len; at += row.len) {
        size_t end = at;
        while (end < text.len && text.data[end] != '\n' && text.data[end] != '\t')
            end++;
        row = mw_view(text.data + at, end - at);
        if (at > 0 && text.data[at - 1] == '\n' && text.data[at] != ' ')
            (void)mw_buf_put_text(out, "    ");
        (void)mw_log_put_line(out, row);
        if (end < text.len) {
            (void)mw_buf_put_byte(out, text.data[end]);
            row.len++;
        }
    }
}

void mw_log_end(struct mw_log_line *line)
{
    if (!line->log)
        return;
    if (line->log->json)
        mw_jw_object_end(&line->json);
    else
        mw_log_put_visible(&line->text, mw_buf_view(&line->human));
    (void)mw_buf_put_byte(&line->text, '\n');
    if (line->log->captured)
        (void)mw_buf_put_view(line->log->captured, mw_buf_view(&line->text));
    else
        mw_sink_write(line->log->sink, mw_buf_view(&line->text));
    mw_buf_free(&line->text);
    mw_buf_free(&line->human);
    line->log = 0;
}

void mw_log_note(struct mw_log *log, enum mw_log_level level, const char *message)
{
    struct mw_log_line line;
    mw_log_begin(&line, log, level, mw_view_text(message));
    mw_log_end(&line);
}

/* "chat.lua v3  script error in on_message, conn 1000000000f, /chat/:room" */
static void say_who(struct mw_buf *text, const struct mw_log_fault_facts *facts,
                    const struct mw_fault *fault)
{
    char id[17];
    (void)mw_buf_put_view(text, facts->script);
    if (fault->version)
        (void)mw_buf_putf(text, " v%u", fault->version);
    (void)mw_buf_putf(text, "  %s", facts->what);
    if (*fault->handler && strcmp(fault->handler, "load"))
        (void)mw_buf_putf(text, " in %s", fault->handler);
    if (fault->conn) {
        mw_id_text(fault->conn, id);
        (void)mw_buf_putf(text, ", conn %s", id);
    }
    if (*facts->route && strcmp(fault->handler, "load"))
        (void)mw_buf_putf(text, ", %s", facts->route);
    if (*facts->so)
        (void)mw_buf_putf(text, ": %s", facts->so);
}

static void say_fault(struct mw_log_line *line, const struct mw_log_fault_facts *facts,
                      const struct mw_fault *fault)
{
    struct mw_buf text;
    mw_buf_init(&text, &line->mem, 0);
    say_who(&text, facts, fault);
    (void)mw_buf_put_text(&text, "\n  ");
    if (*fault->file && fault->line)
        (void)mw_buf_putf(&text, "%s:%d: ", fault->file, fault->line);
    else if (*fault->file)
        (void)mw_buf_putf(&text, "%s: ", fault->file);
    (void)mw_buf_put_text(&text, fault->message);
    if (*fault->frame)
        (void)mw_buf_putf(&text, "\n%s", fault->frame);
    if (*fault->samples)
        (void)mw_buf_putf(&text, "\n  time went to %s", fault->samples);
    if (*fault->hint)
        (void)mw_buf_putf(&text, "\n  hint: %s", fault->hint);
    if (*fault->trace)
        (void)mw_buf_putf(&text, "\n%s", fault->trace);
    const char *whole = mw_buf_cstr(&text);
    mw_log_say(line, "%s", whole ? whole : fault->message);
    mw_buf_free(&text);
}

void mw_log_fault(struct mw_log *log, const struct mw_log_fault_facts *facts,
                  const struct mw_fault *fault)
{
    struct mw_log_line line;
    mw_log_begin(&line, log, MW_LOG_ERROR, mw_view_text(facts->what));
    if (!line.log)
        return;
    const struct {
        const char *key;
        const char *text;
    } texts[] = {
        { "route", facts->route },     { "file", fault->file }, { "error", fault->message },
        { "frame", fault->frame },     { "hint", fault->hint }, { "trace", fault->trace },
        { "samples", fault->samples }, { "so", facts->so },     { "handler", fault->handler },
    };
    mw_log_text(&line, "script", facts->script);
    mw_log_integer(&line, "v", fault->version);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (*texts[i].text)
            mw_log_text(&line, texts[i].key, mw_view_text(texts[i].text));
    }
    if (fault->line)
        mw_log_integer(&line, "line", fault->line);
    if (fault->conn) {
        char id[17];
        mw_id_text(fault->conn, id);
        mw_log_text(&line, "conn", mw_view_text(id));
    }
    if (!log->json)
        say_fault(&line, facts, fault);
    mw_log_end(&line);
}

void mw_id_text(mw_id id, char out[17])
{
    static const char digits[] = "0123456789abcdef";
    size_t len = 1;
    while (len < 16 && id >> (4 * len))
        len++;
    out[len] = '\0';
    for (; len > 0; id >>= 4)
        out[--len] = digits[id & 15];
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

bool mw_id_read(struct mw_view text, mw_id *id)
{
    *id = 0;
    if (text.len == 0 || text.len > 16)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int digit = hex_digit(text.data[i]);
        if (digit < 0)
            return false;
        *id = *id << 4 | (mw_id)digit;
    }
    return *id != 0;
}
