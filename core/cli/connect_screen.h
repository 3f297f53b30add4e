/* Where the events of `moonwire connect` are written, in which form. */
#ifndef MW_CLI_CONNECT_SCREEN_H
#define MW_CLI_CONNECT_SCREEN_H

#include "core/cli/connect_event.h"
#include "core/cli/connect_input.h"

struct mw_screen {
    struct mw_buf text; /* of the event that is being written */
    struct mw_connect_look look;
    bool jsonl;
    uint64_t began_us;
    struct mw_input *input; /* borrowed, may be NULL: its prompt makes way */
};

/* Asks the environment and the terminal. */
void mw_screen_init(struct mw_screen *screen, struct mw_mem *mem, enum mw_lang lang, bool verbose,
                    bool jsonl);
void mw_screen_free(struct mw_screen *screen);

/*
 * For people messages go to standard output and all else to standard error; for programs all goes
 * to standard output. at_us is filled in.
 */
void mw_screen_show(struct mw_screen *screen, struct mw_connect_event event);

/* An error of what was typed, or anything else that is to be said. */
void mw_screen_error(struct mw_screen *screen, const char *text);

/* The table of commands. */
void mw_screen_help(struct mw_screen *screen);

#endif
