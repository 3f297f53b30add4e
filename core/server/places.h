/* Where things of a project are, from the folder that was named. */
#ifndef MW_SERVER_PLACES_H
#define MW_SERVER_PLACES_H

#include "moonwire/types.h"

#define MW_PLACE_MAX 4096

struct mw_places {
    char scripts[MW_PLACE_MAX];      /* DIR/scripts, or DIR where there is no such folder */
    char public_files[MW_PLACE_MAX]; /* DIR/public, or <scripts>/public */
    char settings[MW_PLACE_MAX];     /* DIR/moonwire.lua */
};

/*
 * MW_OK, or MW_ERR_NOT_FOUND with a sentence in `why`: the folder is missing, is none, cannot be
 * read, or holds no script with this suffix.
 */
int mw_places_find(struct mw_places *places, struct mw_view dir, struct mw_view suffix,
                   char why[512]);

#endif
