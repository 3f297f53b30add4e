/* Text of anybody's on standard output or error. */
#ifndef MW_CLI_SAY_H
#define MW_CLI_SAY_H

#include <stdio.h>

#include "moonwire/types.h"

/* As it is, but for what would move a cursor or turn the text around (hidden.h): that is \x1b. */
void mw_cli_say(FILE *out, struct mw_view text);

#endif
