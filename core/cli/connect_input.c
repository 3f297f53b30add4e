/*
 * Standard input as lines. A terminal is read key by key, with its own editing off, so that the
 * prompt can step aside for what arrives; INT still is a signal. Sends nothing, prints nothing but
 * the prompt, on standard error.
 */
#include "core/cli/connect_input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/cli/history.h"
#include "core/io/readable.h"

#define PROMPT         "> "
#define ORDINARY_CELLS 80
#define READ_BYTES     65536

struct mw_input {
    struct mw_input_setup setup;
    struct mw_readable *readable;
    struct mw_turn_task later;
    bool is_on, is_over, is_let_go;
    const char *why; /* it is over */
    /* where it is not edited */
    struct mw_buf bytes; /* that are no whole line yet, or that nobody wants yet */
    size_t given;        /* of them */
    size_t searched;     /* so far behind these there is no \n */
    /* where it is */
    bool is_edited, is_shown;
    struct termios before;
    struct mw_line line;
    char history[MW_HISTORY_PATH_MAX]; /* "": none */
};

/* ---- the prompt ---- */

static unsigned cells(void)
{
    struct winsize size;
    bool has_size = !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 0;
    return has_size ? size.ws_col : ORDINARY_CELLS;
}

static void write_out(const struct mw_buf *out)
{
    fwrite(out->data, 1, out->len, stderr);
    fflush(stderr);
}

static void show(struct mw_input *input)
{
    struct mw_buf out;
    mw_buf_init(&out, input->line.mem, 0);
    if (!mw_line_draw(&input->line, &out, PROMPT, cells(), input->setup.ascii))
        write_out(&out);
    mw_buf_free(&out);
    input->is_shown = true;
}

void mw_input_make_way(struct mw_input *input)
{
    if (!input->is_edited || !input->is_shown)
        return;
    fputs("\r\x1b[K", stderr);
    fflush(stderr);
    input->is_shown = false;
    mw_turn_task_add(input->setup.loop, &input->later);
}

/* What was entered stays where it is, as a row of its own. */
static void leave_row(struct mw_input *input)
{
    fputs("\n", stderr);
    fflush(stderr);
    input->is_shown = false;
}

/* ---- the terminal ---- */

static struct mw_input *to_restore; /* at exit, whatever led to it */

static void restore(void)
{
    if (to_restore)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &to_restore->before);
    to_restore = NULL;
}

/* A key is there at once and is not shown by the terminal. Stopping (ctrl-Z) would leave it so. */
static bool begin_editing(struct mw_input *input)
{
    static bool is_told;
    const char *kind = getenv("TERM");
    struct termios raw;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || !kind || !*kind ||
        !strcmp(kind, "dumb") || tcgetattr(STDIN_FILENO, &input->before) < 0)
        return false;
    raw = input->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)IXON;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
        return false;
    to_restore = input;
    if (!is_told)
        (void)atexit(restore);
    is_told = true;
    return true;
}

/* ---- lines ---- */

static void end(struct mw_input *input, const char *why)
{
    if (input->is_over)
        return;
    input->is_over = true;
    input->why = why;
    mw_readable_set(input->readable, false);
    mw_turn_task_add(input->setup.loop, &input->later);
}

static void take_entered(struct mw_input *input)
{
    struct mw_buf line = input->line.text; /* lent out, so that the line can be empty meanwhile */
    mw_buf_init(&input->line.text, input->line.mem, MW_LINE_MAX);
    mw_line_remember(&input->line, mw_buf_view(&line));
    mw_line_take(&input->line);
    if (input->history[0])
        mw_history_add(input->history, mw_buf_view(&line));
    leave_row(input);
    if (line.len)
        input->setup.line(input->setup.owner, mw_buf_view(&line));
    mw_buf_free(&line);
    mw_turn_task_add(input->setup.loop, &input->later);
}

static void take_key(struct mw_input *input, char byte, bool *is_changed)
{
    switch (mw_line_key(&input->line, byte)) {
    case MW_LINE_NOTHING:
        return;
    case MW_LINE_CHANGED:
        *is_changed = true;
        return;
    case MW_LINE_CLEAR:
        fputs("\x1b[H\x1b[2J", stderr);
        *is_changed = true;
        return;
    case MW_LINE_ENTERED:
        if (*is_changed)
            show(input);
        *is_changed = false;
        take_entered(input);
        return;
    case MW_LINE_ENDED:
        leave_row(input);
        end(input, "");
        return;
    }
}

static void take_keys(struct mw_input *input, const char *bytes, size_t len)
{
    bool is_changed = false;
    for (size_t i = 0; i < len && !input->is_over; i++)
        take_key(input, bytes[i], &is_changed);
    if (is_changed && !input->is_over)
        show(input);
}

/* The next whole line, without its end. */
static bool next_line(struct mw_input *input, struct mw_view *line)
{
    struct mw_view rest = mw_view_from(mw_buf_view(&input->bytes), input->given);
    size_t len = mw_view_find(rest, '\n', input->searched);
    if (len >= rest.len) {
        input->searched = rest.len;
        return false;
    }
    *line = mw_view(rest.data, len);
    input->given += len + 1;
    input->searched = 0;
    return true;
}

static void drop_given(struct mw_input *input)
{
    mw_buf_skip(&input->bytes, input->given);
    input->given = 0;
}

/* What is behind the last \n is a line at the end; the owner may want no more after any of them. */
static void give_rest(struct mw_input *input)
{
    const char *why = input->why;
    if (input->bytes.len)
        input->setup.line(input->setup.owner, mw_buf_view(&input->bytes));
    mw_buf_clear(&input->bytes);
    if (!input->is_on)
        return;
    input->why = NULL;
    input->setup.ended(input->setup.owner, why);
}

static void give_lines(struct mw_input *input)
{
    struct mw_view line;
    while (input->is_on && next_line(input, &line))
        input->setup.line(input->setup.owner, line);
    drop_given(input);
    if (input->is_on && input->is_over && input->why)
        give_rest(input);
}

static void on_readable(void *ctx)
{
    static char bytes[READ_BYTES];
    struct mw_input *input = ctx;
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        end(input, got < 0 && errno != EIO ? strerror(errno) : "");
    else if (input->is_edited)
        take_keys(input, bytes, (size_t)got);
    else if (mw_buf_put(&input->bytes, bytes, (size_t)got))
        end(input, "a line is longer than a message may be");
    mw_turn_task_add(input->setup.loop, &input->later);
}

static void on_later(struct mw_turn_task *task)
{
    struct mw_input *input = MW_OWNER(task, struct mw_input, later);
    give_lines(input);
    if (input->is_edited && input->is_on && !input->is_shown && !input->is_over)
        show(input);
}

void mw_input_set(struct mw_input *input, bool on)
{
    if (input->is_on == on)
        return;
    input->is_on = on;
    if (!on)
        mw_input_make_way(input);
    if (!input->is_over)
        mw_readable_set(input->readable, on);
    mw_turn_task_add(input->setup.loop, &input->later);
}

bool mw_input_is_edited(const struct mw_input *input)
{
    return input->is_edited;
}

/* ---- life ---- */

int mw_input_open(const struct mw_input_setup *setup, struct mw_input **out)
{
    struct mw_mem *mem = mw_loop_mem(setup->loop);
    struct mw_input *input = mw_alloc_zero(mem, sizeof *input);
    if (!input)
        return MW_ERR_NOMEM;
    input->setup = *setup;
    mw_buf_init(&input->bytes, mem, MW_INPUT_LINE_MAX);
    mw_line_init(&input->line, mem);
    mw_turn_task_init(&input->later, on_later);
    int err = mw_readable_open(setup->loop, STDIN_FILENO, on_readable, input, &input->readable);
    if (err) {
        mw_free(mem, input, sizeof *input);
        return err;
    }
    input->is_edited = setup->wants_editing && begin_editing(input);
    if (input->is_edited && setup->history) {
        snprintf(input->history, sizeof input->history, "%s", setup->history);
        mw_history_load(&input->line, input->history);
    }
    *out = input;
    return MW_OK;
}

void mw_input_close(struct mw_input *input)
{
    if (!input)
        return;
    mw_input_make_way(input);
    restore();
    mw_turn_task_remove(&input->later);
    mw_readable_close(input->readable);
    mw_line_free(&input->line);
    mw_buf_free(&input->bytes);
    mw_free(mw_loop_mem(input->setup.loop), input, sizeof *input);
}
