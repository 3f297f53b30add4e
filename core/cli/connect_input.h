/*
 * What is typed or piped to `moonwire connect`, in lines. On a terminal with a cursor they are
 * edited (line_edit.h) while other things are printed above them; else they come as they are.
 */
#ifndef MW_CLI_CONNECT_INPUT_H
#define MW_CLI_CONNECT_INPUT_H

#include "core/io/loop.h"

/* As large as a message may be. */
#define MW_INPUT_LINE_MAX (64u << 20)

struct mw_input;

struct mw_input_setup {
    struct mw_loop *loop;
    bool wants_editing; /* where the terminal can */
    bool ascii;
    const char *history; /* path; NULL: none. Copied */
    /* From the loop. The line is the owner's until it returns, and may have any bytes but \n. */
    void (*line)(void *owner, struct mw_view line);
    /* Nothing more comes. why: "" at the end of input, else what is wrong with it; static */
    void (*ended)(void *owner, const char *why);
    void *owner;
};

/* Gives it stopped and without a prompt. MW_ERR_NOMEM, MW_ERR_IO. */
int mw_input_open(const struct mw_input_setup *setup, struct mw_input **out);
/* The terminal is as it was before. NULL is allowed. */
void mw_input_close(struct mw_input *input);

/* Lines are wanted, or not yet. With editing this shows and takes away the prompt. */
void mw_input_set(struct mw_input *input, bool on);
bool mw_input_is_edited(const struct mw_input *input);

/* Before something is printed: the prompt goes, and is back at the end of the turn. */
void mw_input_make_way(struct mw_input *input);

#endif
