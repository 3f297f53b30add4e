/* Between host_real and the log. Never waits, never fails: what does not fit is counted. */
#include "core/server/script_log.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/base/utf8.h"
#include "moonwire/bounds.h"

/* Where a flood goes on, it is told of once in so long. */
#define TELL_MS 1000

static void tell(struct mw_script_log *lines)
{
    struct mw_log_line line;
    mw_alarm_stop(lines->loop, &lines->telling);
    if (lines->dropped == 0)
        return;
    mw_log_begin(&line, lines->log, MW_LOG_WARN,
                 mw_view_text("log lines of a script were dropped: it writes more of them a second "
                              "than a log can use"));
    mw_log_text(&line, "script", lines->script);
    mw_log_integer(&line, "dropped", (int64_t)lines->dropped);
    mw_log_integer(&line, "per_second", MW_BOUND_LOG_LINES_PER_S);
    mw_log_end(&line);
    lines->dropped = 0;
}

static void on_telling(struct mw_alarm *alarm)
{
    tell(MW_OWNER(alarm, struct mw_script_log, telling));
}

void mw_script_log_init(struct mw_script_log *lines, struct mw_log *log, struct mw_loop *loop,
                        struct mw_view script)
{
    *lines = (struct mw_script_log){ .log = log, .loop = loop, .script = script };
    mw_alarm_init(&lines->telling, on_telling);
}

void mw_script_log_end(struct mw_script_log *lines)
{
    if (lines->log)
        tell(lines);
}

/* ---- a line ---- */

/* Fields that the server itself writes: a script's of the same name must not pass for them. */
static bool is_reserved(struct mw_view key)
{
    static const char *const names[] = { "ts", "level", "msg", "script", "v", "conn", "left_out" };
    for (size_t i = 0; i < MW_COUNT(names); i++) {
        if (mw_view_is(key, names[i]))
            return true;
    }
    return false;
}

static void put_field(struct mw_log_line *line, const struct mw_log_field *field)
{
    char key[24];
    if (!is_reserved(field->key)) {
        mw_log_json(line, field->key, field->json);
        return;
    }
    int len = snprintf(key, sizeof key, "field.%.*s", (int)field->key.len, field->key.data);
    mw_log_json(line, mw_view(key, (size_t)len), field->json);
}

/* Whole fields as long as there is room; the number of those that had none. */
static void put_fields(struct mw_log_line *line, const struct mw_log_field *fields, size_t count,
                       size_t room)
{
    size_t n = 0;
    for (; n < count && fields[n].key.len + fields[n].json.len <= room; n++) {
        room -= fields[n].key.len + fields[n].json.len;
        put_field(line, &fields[n]);
    }
    if (n < count)
        mw_log_integer(line, "left_out", (int64_t)(count - n));
}

static bool may_write(struct mw_script_log *lines)
{
    double most = MW_BOUND_LOG_LINES_PER_S;
    if (mw_rate_take(&lines->rate, most, most, mw_loop_now(lines->loop)))
        return true;
    lines->dropped++;
    if (!mw_timer_is_running(&lines->telling.timer))
        mw_alarm_set(lines->loop, &lines->telling, mw_loop_now(lines->loop) + TELL_MS);
    return false;
}

void mw_script_log_write(struct mw_script_log *lines, enum mw_log_level level, unsigned version,
                         mw_id conn, struct mw_view message, const struct mw_log_field *fields,
                         size_t count)
{
    struct mw_log_line line;
    /* What nobody wants to see takes nobody's place. */
    if (level < lines->log->level || !may_write(lines))
        return;
    struct mw_view shown = mw_utf8_cut(message, MW_BOUND_LOG_LINE_BYTES);
    mw_log_begin(&line, lines->log, level, shown);
    mw_log_text(&line, "script", lines->script);
    mw_log_integer(&line, "v", version);
    if (conn) {
        char id[17];
        mw_id_text(conn, id);
        mw_log_text(&line, "conn", mw_view_text(id));
    }
    if (shown.len < message.len)
        mw_log_integer(&line, "cut_bytes", (int64_t)(message.len - shown.len));
    put_fields(&line, fields, count, MW_BOUND_LOG_LINE_BYTES - shown.len);
    mw_log_end(&line);
}
