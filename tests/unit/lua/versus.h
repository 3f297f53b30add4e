/*
 * Our pattern functions against those of Lua's string library, each in a bare state of its own of
 * the same process: the same question must get the same answer, results, captures and messages.
 */
#ifndef MW_TESTS_UNIT_LUA_VERSUS_H
#define MW_TESTS_UNIT_LUA_VERSUS_H

#include "core/base/buf.h"
#include "core/base/rng.h"
#include "lua/engine.h"

struct side {
    struct lua_State *L;
    struct mw_app app; /* that our functions work for; only what they need of it */
    struct mw_buf answer;
};

struct versus {
    struct mw_mem mem; /* of the answers */
    struct side ours, theirs;
};

enum asked {
    ASKED_FIND,
    ASKED_FIND_PLAIN,
    ASKED_MATCH,
    ASKED_GMATCH,
    ASKED_GSUB,       /* by a string */
    ASKED_GSUB_TABLE, /* what it answers depends on `by` and the captures */
    ASKED_GSUB_FUNCTION,
    ASKED_WAYS,
};

struct question {
    enum asked asked;
    struct mw_view subject, pattern, by;
    bool has_number; /* `init`, or how many to replace at most */
    int64_t number;
};

void versus_open(struct versus *versus);
void versus_close(struct versus *versus);

/* Both answer; are the answers the same? They stay in `answer` until the next question. */
bool versus_agree(struct versus *versus, const struct question *question);

/* The same for a file of Lua, which is run with `string` and the base library. */
bool versus_agree_on_file(struct versus *versus, const char *path);

/*
 * Lua's own matcher cannot be stopped: how much of a subject it can be given with this pattern such
 * that it surely ends within some thousand steps from each place.
 */
struct mw_view versus_bounded(struct mw_view subject, struct mw_view pattern);

#endif
