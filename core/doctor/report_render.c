/*
 * A report for people, a row for each line and what to do below it, and for programs. Called by the
 * command line.
 */
#include <stdio.h>

#include "core/base/hidden.h"
#include "core/base/json.h"
#include "core/base/str.h"
#include "core/doctor/report.h"
#include "core/explain/wrap.h"

#define LEAST_CELLS 40
#define GAP         2

/* ---- for people ---- */

struct page {
    struct mw_buf *out;
    const struct mw_terminal *wish;
    size_t cells, indent; /* of the column of values */
    int err;
};

struct mark {
    const char *text, *ascii, *colour;
};

static struct mark mark_of(enum mw_doctor_state state)
{
    switch (state) {
    case MW_DOCTOR_OK:
        return (struct mark){ "\u2713", "ok  ", "\033[32m" };
    case MW_DOCTOR_WARN:
        return (struct mark){ "!", "warn", "\033[33;1m" };
    case MW_DOCTOR_FAIL:
        return (struct mark){ "\u2717", "FAIL", "\033[31;1m" };
    case MW_DOCTOR_SKIPPED:
        return (struct mark){ "\u2013", "-   ", "" };
    }
    return (struct mark){ "", "", "" };
}

static void put(struct page *page, const char *text)
{
    if (!page->err)
        page->err = mw_buf_put_text(page->out, text);
}

static void put_blanks(struct page *page, size_t count)
{
    while (count-- > 0)
        put(page, " ");
}

static bool is_shown(const struct mw_glyph *glyph, bool ascii)
{
    return !mw_hidden_point(glyph->first) && glyph->first != 0xFFFD &&
           (!ascii || glyph->first < 0x7F);
}

/* What a server or a file's name says may hold anything. */
static void put_text(struct page *page, struct mw_view text)
{
    struct mw_glyph glyph;
    while (!page->err && mw_glyph_next(&text, &glyph))
        page->err = is_shown(&glyph, page->wish->ascii) ? mw_buf_put_view(page->out, glyph.bytes)
                                                        : mw_buf_put_byte(page->out, '?');
}

/* Rows that begin in the column of values; the first one's indent has been written. */
static void put_wrapped(struct page *page, const char *text)
{
    struct mw_view rest = mw_view_text(text), row;
    for (bool is_first = true; mw_wrap_next(&rest, page->cells - page->indent, &row);
         is_first = false) {
        if (!is_first)
            put_blanks(page, page->indent);
        put_text(page, row);
        put(page, "\n");
    }
}

/* Lines to be typed stay whole, wherever the terminal breaks them. */
static void put_fix(struct page *page, const char *fix)
{
    struct mw_view rest = mw_view_text(fix), row;
    while (mw_view_split(&rest, '\n', &row)) {
        put_blanks(page, page->indent);
        put(page, page->wish->ascii ? "> " : "\u2192 ");
        put_text(page, row);
        put(page, "\n");
    }
}

static void put_mark(struct page *page, enum mw_doctor_state state)
{
    struct mark mark = mark_of(state);
    bool is_painted = page->wish->bold && *mark.colour;
    put(page, " ");
    put(page, is_painted ? mark.colour : "");
    put(page, page->wish->ascii ? mark.ascii : mark.text);
    put(page, is_painted ? "\033[0m" : "");
    put(page, " ");
}

static void put_line(struct page *page, const struct mw_doctor_line *line)
{
    size_t mark_cells = page->wish->ascii ? 6 : 3;
    char value[sizeof line->value + 32];
    put_mark(page, line->state);
    put(page, line->name);
    put_blanks(page, page->indent - mark_cells - strlen(line->name));
    if (line->took_ms >= 0)
        snprintf(value, sizeof value, "%s (%lld ms)", line->value, (long long)line->took_ms);
    else
        snprintf(value, sizeof value, "%s", line->value);
    put_wrapped(page, *value ? value : "ok");
    if (*line->why) {
        put_blanks(page, page->indent);
        put_wrapped(page, line->why);
    }
    put_fix(page, line->fix);
}

/* How many lines from here on were skipped for the same reason. */
static size_t count_alike(const struct mw_doctor_report *report, size_t first)
{
    size_t i = first;
    while (i < report->count && report->lines[i].state == MW_DOCTOR_SKIPPED &&
           !*report->lines[i].fix && !strcmp(report->lines[i].value, report->lines[first].value))
        i++;
    return i - first;
}

/* One row for all of them. */
static void put_skipped(struct page *page, const struct mw_doctor_report *report, size_t first,
                        size_t count)
{
    struct mw_doctor_line row = { .name = "skipped", .state = MW_DOCTOR_SKIPPED, .took_ms = -1 };
    size_t len = 0;
    for (size_t i = first; i < first + count && len < sizeof row.value; i++) {
        int n = snprintf(row.value + len, sizeof row.value - len, "%s%s", i > first ? ", " : "",
                         report->lines[i].name);
        len += n > 0 ? (size_t)n : 0;
    }
    if (len < sizeof row.value)
        snprintf(row.value + len, sizeof row.value - len, ": %s", report->lines[first].value);
    put_line(page, &row);
}

static size_t widest_name(const struct mw_doctor_report *report)
{
    size_t widest = 0;
    for (size_t i = 0; i < report->count; i++) {
        size_t len = strlen(report->lines[i].name);
        widest = len > widest ? len : widest;
    }
    return widest;
}

static void put_count(struct page *page, const struct mw_doctor_report *report)
{
    size_t failed = mw_doctor_count(report, MW_DOCTOR_FAIL);
    size_t warned = mw_doctor_count(report, MW_DOCTOR_WARN);
    if (page->err)
        return;
    if (report->is_cut_short)
        put(page, "interrupted: ");
    if (failed + warned == 0)
        page->err = mw_buf_put_text(page->out, "nothing found\n");
    else
        page->err = mw_buf_putf(page->out, "%zu failed, %zu warning%s\n", failed, warned,
                                warned == 1 ? "" : "s");
}

int mw_doctor_render(struct mw_buf *out, const struct mw_doctor_report *report,
                     const struct mw_terminal *terminal)
{
    struct page page = {
        .out = out,
        .wish = terminal,
        .cells = terminal->cells < LEAST_CELLS ? LEAST_CELLS : terminal->cells,
        .indent = (terminal->ascii ? 6 : 3) + widest_name(report) + GAP,
    };
    put_text(&page, mw_view_text(report->title));
    put(&page, "\n");
    for (size_t i = 0; i < report->count;) {
        size_t alike = count_alike(report, i);
        if (alike > 1)
            put_skipped(&page, report, i, alike);
        else
            put_line(&page, &report->lines[i]);
        i += alike > 1 ? alike : 1;
    }
    put_count(&page, report);
    return page.err;
}

/* ---- for programs ---- */

static const char *state_name(enum mw_doctor_state state)
{
    switch (state) {
    case MW_DOCTOR_OK:
        return "ok";
    case MW_DOCTOR_WARN:
        return "warn";
    case MW_DOCTOR_FAIL:
        return "fail";
    case MW_DOCTOR_SKIPPED:
        return "skipped";
    }
    return "";
}

static void write_line(struct mw_json_writer *w, const struct mw_doctor_line *line)
{
    struct mw_view rest = mw_view_text(line->fix), row;
    mw_jw_object(w);
    mw_jw_pair(w, "name", mw_view_text(line->name));
    mw_jw_pair(w, "state", mw_view_text(state_name(line->state)));
    mw_jw_pair(w, "value", mw_view_text(line->value));
    mw_jw_pair(w, "why", mw_view_text(line->why));
    mw_jw_key(w, mw_view_text("fix"));
    mw_jw_array(w);
    while (mw_view_split(&rest, '\n', &row))
        mw_jw_string(w, row);
    mw_jw_array_end(w);
    if (line->took_ms >= 0)
        mw_jw_pair_integer(w, "took_ms", line->took_ms);
    mw_jw_object_end(w);
}

int mw_doctor_render_json(struct mw_buf *out, const struct mw_doctor_report *report)
{
    struct mw_json_writer w = { .out = out };
    mw_jw_object(&w);
    mw_jw_key(&w, mw_view_text("ok"));
    mw_jw_bool(&w, mw_doctor_is_well(report));
    mw_jw_pair(&w, "target", mw_view_text(report->title));
    mw_jw_pair_integer(&w, "failed", (int64_t)mw_doctor_count(report, MW_DOCTOR_FAIL));
    mw_jw_pair_integer(&w, "warnings", (int64_t)mw_doctor_count(report, MW_DOCTOR_WARN));
    mw_jw_key(&w, mw_view_text("checks"));
    mw_jw_array(&w);
    for (size_t i = 0; i < report->count; i++)
        write_line(&w, &report->lines[i]);
    mw_jw_array_end(&w);
    mw_jw_object_end(&w);
    return w.err ? w.err : mw_buf_put_byte(out, '\n');
}
