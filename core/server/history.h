/*
 * What the last versions of each script were made of, for going back: the live one and the two
 * before it, each with the snapshot of the project from which it was loaded. Belongs to the
 * server's thread.
 */
#ifndef MW_SERVER_HISTORY_H
#define MW_SERVER_HISTORY_H

#include "core/base/list.h"
#include "core/server/batch.h"

#define MW_HISTORY_VERSIONS 3

struct mw_history_entry {
    unsigned version;
    unsigned as; /* the first version of the same sources; `version` itself where it is that one */
    struct mw_project *project; /* a reference */
    bool is_blamed;
};

struct mw_history {
    struct mw_link scripts; /* private */
    struct mw_mem *mem;
};

void mw_history_init(struct mw_history *history, struct mw_mem *mem);
void mw_history_free(struct mw_history *history);

/*
 * Writes down what a committed batch has made live. A version that was gone back to takes the place
 * of the one it was made as, and what came after that one is forgotten: the next step back leads
 * further back. Without memory a script has no history, and cannot be rolled back.
 */
void mw_history_note(struct mw_history *history, const struct mw_batch *batch);

/* True once for each live version of a script: whoever finds it bad is the first to. */
bool mw_history_blame(struct mw_history *history, struct mw_view script);

/* The live version of a script; NULL: unknown. Until the next note. */
const struct mw_history_entry *mw_history_live(const struct mw_history *history,
                                               struct mw_view script);

/*
 * Where a rollback leads: to version `to`, or one step back where that is 0. NULL, and a sentence
 * in `why`: there is no such script, or no such version any more. Until the next note.
 */
const struct mw_history_entry *mw_history_target(const struct mw_history *history,
                                                 struct mw_view script, int64_t to, char why[256]);

#endif
