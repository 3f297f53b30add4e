/* Asks the environment and the terminal. Called by the commands that write for people. */
#include "core/cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ORDINARY_CELLS 80

struct mw_lang_env mw_cli_lang_env(void)
{
    return (struct mw_lang_env){
        .moonwire_lang = getenv("MOONWIRE_LANG"),
        .language = getenv("LANGUAGE"),
        .lc_all = getenv("LC_ALL"),
        .lc_messages = getenv("LC_MESSAGES"),
        .lc_ctype = getenv("LC_CTYPE"),
        .lang = getenv("LANG"),
    };
}

struct mw_terminal mw_cli_terminal(void)
{
    struct winsize size;
    struct mw_lang_env env = mw_cli_lang_env();
    const char *kind = getenv("TERM"), *plain = getenv("NO_COLOR");
    bool is_terminal = isatty(STDOUT_FILENO);
    bool has_size = is_terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col > 0;
    return (struct mw_terminal){
        .cells = has_size ? size.ws_col : ORDINARY_CELLS,
        .ascii = !mw_lang_env_is_utf8(&env),
        .bold = is_terminal && kind && strcmp(kind, "dumb") != 0 && !(plain && *plain),
    };
}
