/*
 * A line of text that is being typed, as a machine: bytes of a terminal go in, in pieces of any
 * size, and it never waits for the next one; what is to be shown comes out. One row, of which the
 * part around the cursor is shown. With the lines that were typed before. Pure.
 */
#ifndef MW_CLI_LINE_EDIT_H
#define MW_CLI_LINE_EDIT_H

#include "core/base/buf.h"

#define MW_LINE_MAX      65536 /* bytes; what is typed beyond is not taken */
#define MW_LINE_PAST_MAX 500

enum mw_line_event {
    MW_LINE_NOTHING,
    MW_LINE_CHANGED, /* to be drawn again */
    MW_LINE_ENTERED, /* it is whole: mw_line_text, then mw_line_take */
    MW_LINE_ENDED,   /* ctrl-D in an empty line */
    MW_LINE_CLEAR,   /* ctrl-L: the screen is to be wiped */
};

struct mw_line_past {
    char *text;
    size_t len;
};

struct mw_line {
    struct mw_mem *mem;
    struct mw_buf text;                         /* UTF-8 */
    size_t at;                                  /* of the cursor, in bytes */
    struct mw_buf draft;                        /* what was typed before the past was looked at */
    struct mw_buf cut;                          /* what ctrl-K, ctrl-U or ctrl-W took */
    struct mw_line_past past[MW_LINE_PAST_MAX]; /* oldest first */
    size_t past_count;
    size_t looked_at; /* which of them is shown; past_count: none */
    char keys[16];    /* of a sequence of escape, or of a character, that is not whole */
    size_t key_count;
};

void mw_line_init(struct mw_line *line, struct mw_mem *mem);
void mw_line_free(struct mw_line *line);

/* One byte from the terminal. No memory: it is not taken. */
enum mw_line_event mw_line_key(struct mw_line *line, char byte);

/* Until the next key. */
static inline struct mw_view mw_line_text(const struct mw_line *line)
{
    return mw_buf_view(&line->text);
}

/* Puts it to the past, and begins an empty one. */
void mw_line_take(struct mw_line *line);

/* Puts a line to the past. What is empty, too long or as the last one is not kept. */
void mw_line_remember(struct mw_line *line, struct mw_view text);

/*
 * From wherever the cursor stands in the row: wipes it, writes `prompt` and what fits of the line
 * in `cells`, and puts the cursor where it belongs. Where the terminal is ASCII all else is '?'.
 * MW_ERR_NOMEM.
 */
int mw_line_draw(const struct mw_line *line, struct mw_buf *out, const char *prompt, unsigned cells,
                 bool ascii);

#endif
