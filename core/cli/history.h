/* The lines that were typed to `moonwire connect`, in a file that only their owner can read. */
#ifndef MW_CLI_HISTORY_H
#define MW_CLI_HISTORY_H

#include "core/cli/line_edit.h"

#define MW_HISTORY_PATH_MAX 512

/*
 * $XDG_STATE_HOME/moonwire/connect_history, or that below ~/.local/state. False: there is no home.
 */
bool mw_history_path(char out[MW_HISTORY_PATH_MAX]);

/*
 * Remembers the last lines of the file, and makes it shorter where it has grown too long. None is
 * there: nothing happens.
 */
void mw_history_load(struct mw_line *line, const char *path);

/*
 * Appends a line; makes folders (0700) and file (0600) where they lack. A line that begins with a
 * blank is not kept. What cannot be written is lost: nobody's work depends on it.
 */
void mw_history_add(const char *path, struct mw_view text);

#endif
