/* What standard output is: how wide, which characters, whether it takes colours. */
#ifndef MW_CLI_TERMINAL_H
#define MW_CLI_TERMINAL_H

#include "core/explain/lang.h"
#include "core/explain/render.h"

/* Borrows from the environment. */
struct mw_lang_env mw_cli_lang_env(void);

/* By the environment and the terminal; a file or a pipe has 80 cells and no colours. */
struct mw_terminal mw_cli_terminal(void);

#endif
