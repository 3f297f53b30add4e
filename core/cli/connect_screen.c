/*
 * Writes, and nothing else. A terminal that is not UTF-8 gets ASCII; a file or a pipe gets a text
 * as it is, but for what could move a cursor.
 */
#include "core/cli/connect_screen.h"

#include <stdio.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/cli/connect_words.h"
#include "core/cli/terminal.h"
#include "core/explain/width.h"

void mw_screen_init(struct mw_screen *screen, struct mw_mem *mem, enum mw_lang lang, bool verbose,
                    bool jsonl)
{
    struct mw_terminal terminal = mw_cli_terminal();
    *screen = (struct mw_screen){
        .jsonl = jsonl,
        .began_us = mw_clock_monotonic_us(),
        .look = { .is_terminal = isatty(STDOUT_FILENO) != 0,
                  .ascii = terminal.ascii,
                  .bold = terminal.bold && isatty(STDERR_FILENO),
                  .verbose = verbose,
                  .cells = terminal.cells,
                  .lang = terminal.ascii ? MW_LANG_EN : lang },
    };
    mw_buf_init(&screen->text, mem, 0);
}

void mw_screen_free(struct mw_screen *screen)
{
    mw_buf_free(&screen->text);
}

static void write_ascii(FILE *to, struct mw_view text)
{
    struct mw_glyph glyph;
    while (mw_glyph_next(&text, &glyph)) {
        if (glyph.first < 0x80)
            fwrite(glyph.bytes.data, 1, glyph.bytes.len, to);
        else
            fputs(glyph.cells == 2 ? "??" : "?", to);
    }
}

static void write_out(struct mw_screen *screen, FILE *to)
{
    struct mw_view text = mw_buf_view(&screen->text);
    bool is_terminal = to == stderr ? isatty(STDERR_FILENO) : screen->look.is_terminal;
    if (!text.len)
        return;
    if (screen->input)
        mw_input_make_way(screen->input);
    if (screen->look.ascii && is_terminal)
        write_ascii(to, text);
    else
        fwrite(text.data, 1, text.len, to);
    fflush(to);
}

/* What is typed stands there already; what a pipe or -x sends does not. */
static bool is_wanted(const struct mw_screen *screen, enum mw_connect_event_kind kind)
{
    bool is_edited = screen->input && mw_input_is_edited(screen->input);
    return kind != MW_CONNECT_sent || screen->jsonl || (screen->look.is_terminal && !is_edited);
}

void mw_screen_show(struct mw_screen *screen, struct mw_connect_event event)
{
    if (!is_wanted(screen, event.kind))
        return;
    event.at_us = mw_clock_monotonic_us() - screen->began_us;
    mw_buf_clear(&screen->text);
    int err = screen->jsonl ? mw_connect_json(&screen->text, &event)
                            : mw_connect_people(&screen->text, &event, &screen->look);
    if (err) {
        mw_buf_clear(&screen->text);
        fputs("moonwire: no memory to show what has come\n", stderr);
        return;
    }
    bool is_data = screen->jsonl || event.kind == MW_CONNECT_message;
    write_out(screen, is_data ? stdout : stderr);
}

void mw_screen_error(struct mw_screen *screen, const char *text)
{
    mw_screen_show(
        screen, (struct mw_connect_event){ .kind = MW_CONNECT_error, .data = mw_view_text(text) });
}

void mw_screen_help(struct mw_screen *screen)
{
    const char *row[3];
    mw_buf_clear(&screen->text);
    for (size_t i = 0; mw_words_help(i, row); i++)
        (void)mw_buf_putf(&screen->text, "  %-8s %-17s %s\n", row[0], row[1], row[2]);
    (void)mw_buf_put_text(&screen->text, "  //TEXT                     send a text that begins "
                                         "with /\n");
    write_out(screen, stderr);
}
