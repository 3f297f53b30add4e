/*
 * What scripts say about a code of their own. Several may: those that say the same are one voice,
 * whose first row stands for it.
 */
#ifndef MW_EXPLAIN_OWN_H
#define MW_EXPLAIN_OWN_H

#include "core/explain/here.h"

/* Room for the names of many scripts; what does not fit is "...". */
#define MW_OWN_NAMES_MAX 160

/* The voice behind `voice` (NULL: the first one). NULL past the last; `here` may be NULL. */
const struct mw_here_code *mw_own_next(const struct mw_here *here, unsigned code,
                                       const struct mw_here_code *voice);

/* There is more than one voice; their words or their advice differ. */
bool mw_own_is_several(const struct mw_here *here, unsigned code);
bool mw_own_is_disputed(const struct mw_here *here, unsigned code);

/* Who says it: "chat.lua, game.lua"; all that say anything about `code` where voice is NULL. */
void mw_own_names(const struct mw_here *here, unsigned code, const struct mw_here_code *voice,
                  char out[MW_OWN_NAMES_MAX]);

/* What it is called, each word once: "kicked / moved". */
void mw_own_words(const struct mw_here *here, unsigned code, char out[MW_OWN_NAMES_MAX]);

#endif
