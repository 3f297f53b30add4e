/*
 * The transaction on tables that outlive versions. A candidate works on the tables themselves, so
 * whatever it keeps of them stays good; each is written down before the candidate gets hold of it.
 * When its load is over they are put back as they were, and what it changed waits as a list for its
 * commit.
 *
 * Costs as much as what the candidate has reached, not as much as there is.
 */
#ifndef MW_LUA_JOURNAL_H
#define MW_LUA_JOURNAL_H

#include "lua/state.h"

/* Registry places are LUA_NOREF where there is nothing yet. */
struct mw_lua_journal {
    int written;      /* list of what the tables held, one segment each (journal.c) */
    int seen;         /* set of the tables in it */
    int changes;      /* list of triples: table, key, value */
    lua_Integer len;  /* of `written` */
    lua_Integer scan; /* up to here the tables in it were followed */
    size_t lifted;    /* bytes by which the app's cap stands higher meanwhile */
};

void mw_lua_journal_init(struct mw_lua_journal *journal);

/*
 * Writes down the table at `index` and every table that can be reached from it, unless it was.
 * Inside of a call of the candidate. Raises: the candidate must not get the table then.
 */
void mw_lua_journal_add(lua_State *L, struct mw_lua_journal *journal, int index);

/*
 * Puts everything back. With `is_kept` what was changed stays for mw_lua_journal_commit, and
 * MW_ERR_NOMEM says that it could not be kept. *is_whole tells whether all was put back: only
 * where the system has no memory left it is not.
 */
int mw_lua_journal_take_back(struct mw_app *app, struct mw_lua_journal *journal, bool is_kept,
                             bool *is_whole);

/*
 * Does it again: only the fields that the candidate had changed are written. MW_ERR_NOMEM: the
 * system has no memory left; some are not.
 */
int mw_lua_journal_commit(struct mw_app *app, struct mw_lua_journal *journal);

/* Forgets everything. Never raises. */
void mw_lua_journal_drop(struct mw_app *app, struct mw_lua_journal *journal);

#endif
