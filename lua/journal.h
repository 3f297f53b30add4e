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

#include "lua/seen.h"
#include "lua/state.h"

/* What one table held; its objects are a stretch of `written`. */
struct mw_lua_segment {
    size_t at; /* behind it: the table, its metatable or false, key, value, key, value ... */
    size_t fields;
    bool is_changed; /* found at the end of the load */
};

/* Registry places are LUA_NOREF where there is nothing yet. */
struct mw_lua_journal {
    int written; /* list of all objects of all segments: keeps them alive */
    int changes; /* list of triples: table, key, value */
    struct mw_lua_segment *segments;
    size_t count, room;
    size_t followed;         /* segments whose tables have their own */
    struct mw_lua_seen seen; /* tables that have one */
    bool is_torn;            /* memory or time ran out while one was written */
    size_t lifted;           /* bytes by which the app's cap stands higher meanwhile */
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
