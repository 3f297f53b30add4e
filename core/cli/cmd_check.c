/*
 * `moonwire check`: what is wrong with a project, as lines for people or one JSON document for
 * programs. Serves nothing and changes nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/hidden.h"
#include "core/base/json.h"
#include "core/base/str.h"
#include "core/cli/commands.h"
#include "core/cli/settings.h"
#include "core/server/check.h"
#include "core/server/server.h"
#include "moonwire/engine_lua.h"

/* ---- for people ---- */

/* Of a long line so much is shown around the place. */
#define SHOWN_BEFORE 60
#define SHOWN_IN_ALL 120

struct paint {
    const char *error, *warning, *mark, *plain;
};

static struct paint paint_for(FILE *out)
{
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    bool is_plain =
        !isatty(fileno(out)) || (no_colour && *no_colour) || (term && !strcmp(term, "dumb"));
    if (is_plain)
        return (struct paint){ "", "", "", "" };
    return (struct paint){ "\x1b[31;1m", "\x1b[33;1m", "\x1b[32m", "\x1b[0m" };
}

static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

/* Bytes of the character at the start, which may be broken; one at least. */
static size_t character_len(struct mw_view text)
{
    size_t len = 1;
    while (len < text.len && !begins_character(text.data[len]))
        len++;
    return len;
}

/* A script may hold anything: what would move a terminal's cursor is shown as a dot. */
static void print_character(FILE *out, struct mw_view text)
{
    if (mw_hidden_at(text, 0, NULL))
        fputc('.', out);
    else
        fprintf(out, "%.*s", (int)text.len, text.data);
}

static void print_safe(FILE *out, const char *chars)
{
    for (struct mw_view text = mw_view_text(chars); text.len;) {
        size_t len = character_len(text);
        print_character(out, mw_view(text.data, len));
        text = mw_view_from(text, len);
    }
}

/* Characters first..last of a line, from 1; as blanks, where only their width matters. */
static void print_part(FILE *out, const char *chars, int first, int last, bool as_blanks)
{
    struct mw_view text = mw_view_text(chars);
    for (int at = 1; text.len && at <= last; at++) {
        size_t len = character_len(text);
        if (at >= first && *text.data == '\t')
            fputc('\t', out);
        else if (at >= first && as_blanks)
            fputc(' ', out);
        else if (at >= first)
            print_character(out, mw_view(text.data, len));
        text = mw_view_from(text, len);
    }
}

static void print_frame(FILE *out, const struct mw_found *found, const struct paint *paint)
{
    int first = found->column > SHOWN_BEFORE + 20 ? found->column - SHOWN_BEFORE : 1;
    int last = first + SHOWN_IN_ALL - 1;
    if (!*found->text)
        return;
    fprintf(out, "%5d | ", found->line);
    print_part(out, found->text, first, last, false);
    fputs("\n      | ", out);
    print_part(out, found->text, first, found->column - 1, true);
    fprintf(out, "%s^", paint->mark);
    for (int i = 1; i < found->width && found->column + i <= last; i++)
        fputc('~', out);
    fprintf(out, "%s\n", paint->plain);
}

static const char *severity_name(enum mw_severity severity)
{
    return severity == MW_SEVERITY_ERROR ? "error" : "warning";
}

static void print_found(FILE *out, const struct mw_found *found, const struct paint *paint)
{
    bool is_error = found->severity == MW_SEVERITY_ERROR;
    print_safe(out, found->file);
    fprintf(out, ":%d:%d: %s%s:%s ", found->line, found->column,
            is_error ? paint->error : paint->warning, severity_name(found->severity), paint->plain);
    print_safe(out, found->message);
    fprintf(out, " [%s]\n", found->rule);
    print_frame(out, found, paint);
    if (!*found->hint)
        return;
    fputs("  hint: ", out);
    print_safe(out, found->hint);
    fputc('\n', out);
}

static void print_count(FILE *out, const char *before, size_t count, const char *what)
{
    fprintf(out, "%s%zu %s%s", before, count, what, count == 1 ? "" : "s");
}

static void print_all(const struct mw_findings *findings, size_t files)
{
    struct paint paint = paint_for(stdout);
    for (size_t i = 0; i < findings->count; i++)
        print_found(stdout, &findings->items[i], &paint);
    print_count(stdout, "", files, "file");
    if (findings->count) {
        print_count(stdout, ", ", mw_findings_count(findings, MW_SEVERITY_ERROR), "error");
        print_count(stdout, ", ", mw_findings_count(findings, MW_SEVERITY_WARNING), "warning");
        putchar('\n');
    } else {
        puts(", nothing found");
    }
}

/* ---- for programs ---- */

static void write_found(struct mw_json_writer *w, const struct mw_found *found)
{
    mw_jw_object(w);
    mw_jw_pair(w, "file", mw_view_text(found->file));
    mw_jw_pair_integer(w, "line", found->line);
    mw_jw_pair_integer(w, "column", found->column);
    mw_jw_pair_integer(w, "end_column", found->column + found->width);
    mw_jw_pair(w, "severity", mw_view_text(severity_name(found->severity)));
    mw_jw_pair(w, "rule", mw_view_text(found->rule));
    mw_jw_pair(w, "message", mw_view_text(found->message));
    mw_jw_pair(w, "hint", mw_view_text(found->hint));
    mw_jw_pair(w, "source", mw_view_text(found->text));
    mw_jw_object_end(w);
}

static int write_all(const struct mw_findings *findings, size_t files, struct mw_buf *out)
{
    struct mw_json_writer w = { .out = out };
    mw_jw_object(&w);
    mw_jw_key(&w, mw_view_text("ok"));
    mw_jw_bool(&w, findings->count == 0);
    mw_jw_pair_integer(&w, "files", (int64_t)files);
    mw_jw_pair_integer(&w, "errors", (int64_t)mw_findings_count(findings, MW_SEVERITY_ERROR));
    mw_jw_pair_integer(&w, "warnings", (int64_t)mw_findings_count(findings, MW_SEVERITY_WARNING));
    mw_jw_key(&w, mw_view_text("findings"));
    mw_jw_array(&w);
    for (size_t i = 0; i < findings->count; i++)
        write_found(&w, &findings->items[i]);
    mw_jw_array_end(&w);
    mw_jw_object_end(&w);
    return w.err;
}

static int print_json(const struct mw_findings *findings, size_t files)
{
    struct mw_buf out;
    mw_buf_init(&out, findings->mem, 0);
    int err = write_all(findings, files, &out);
    if (!err) {
        fwrite(out.data, 1, out.len, stdout);
        putchar('\n');
    }
    mw_buf_free(&out);
    return err;
}

/* ---- the verb ---- */

int mw_cmd_check(const struct mw_args *args)
{
    const struct mw_engine *engine = mw_engine_lua();
    struct mw_places places;
    struct mw_findings findings;
    struct mw_mem mem;
    size_t files = 0;
    char why[512];
    if (mw_places_find(&places, mw_view_text(args->dir ? args->dir : "."),
                       mw_view_text(engine->suffix), why))
        return mw_cli_fail(MW_EXIT_CONFIG, "", why);
    mw_mem_init(&mem, 0, 0);
    mw_findings_init(&findings, &mem);
    int err = mw_check_project(&findings, engine, &places, &files, why);
    int code = findings.count ? MW_EXIT_FAILED : MW_EXIT_OK;
    if (err)
        code = mw_cli_fail(MW_EXIT_FAILED, "", why);
    else if (!args->json)
        print_all(&findings, files);
    else if (print_json(&findings, files))
        code = mw_cli_fail(MW_EXIT_FAILED, "", "out of memory");
    mw_findings_free(&findings);
    return code;
}
