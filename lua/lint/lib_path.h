/* The names that `require` takes. */
#ifndef MW_LINT_LIB_PATH_H
#define MW_LINT_LIB_PATH_H

#include "moonwire/types.h"

/* Longer than any sensible file name; room for "lib/" and ".lua". */
#define MW_LIB_NAME_MAX 200
#define MW_LIB_PATH_MAX (MW_LIB_NAME_MAX + 16)

/*
 * "rooms" and "game/rooms" and "game.rooms" as "lib/rooms.lua" and so on, with a NUL behind. False
 * for what is no name: it has segments of letters, digits, _ and -, joined by single dots or
 * slashes, so neither ".." nor an absolute path is one.
 */
bool mw_lib_path(struct mw_view name, char path[MW_LIB_PATH_MAX]);

#endif
