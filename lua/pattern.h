/*
 * Patterns as the Lua 5.4 reference manual has them (6.4.1), matched step by step, so that a match
 * that would take hours can be stopped at any moment. Pure: knows no Lua state, allocates nothing,
 * uses about 10 KiB of the stack whatever the pattern is.
 *
 *   struct mw_match match;
 *   mw_match_init(&match, subject, pattern, stop);
 *   if (mw_match_next(&match, 0, MW_MATCH_ANY_END) == MW_MATCH_FOUND) ... match.start, match.end
 *
 * As in Lua a pattern is not checked beforehand: what is wrong with it is found when a match gets
 * there, or never.
 */
#ifndef MW_LUA_PATTERN_H
#define MW_LUA_PATTERN_H

#include "lua/pattern_item.h"

#define MW_MAX_CAPTURES 32

/* Lengths of captures that are none. */
#define MW_CAPTURE_OPEN     SIZE_MAX       /* its ')' was not reached */
#define MW_CAPTURE_POSITION (SIZE_MAX - 1) /* `()`: its start is what was captured */

#define MW_MATCH_ANY_END SIZE_MAX

enum mw_match_result {
    MW_MATCH_FOUND,
    MW_MATCH_NONE,
    MW_MATCH_STOPPED, /* `stop` was set: nothing is known */
    /* The pattern is wrong: */
    MW_MATCH_CUT_ESCAPE,    /* '%' at its end */
    MW_MATCH_CUT_SET,       /* '[' without ']' */
    MW_MATCH_CUT_BALANCE,   /* %b without two bytes behind it */
    MW_MATCH_CUT_FRONTIER,  /* %f without a set behind it */
    MW_MATCH_BAD_INDEX,     /* %1 to %9 without such a capture: bad_index */
    MW_MATCH_BAD_CLOSE,     /* ')' without '(' */
    MW_MATCH_MANY_CAPTURES, /* more than MW_MAX_CAPTURES */
    MW_MATCH_TOO_COMPLEX,   /* more choices open at once than Lua allows */
};

struct mw_capture {
    size_t start, len; /* len may be one of MW_CAPTURE_* */
};

/* What a match of the pattern begins with: found when the first try fails. */
enum mw_match_first {
    MW_MATCH_FIRST_UNKNOWN,
    MW_MATCH_FIRST_ITEM, /* with a byte that `first` takes */
    MW_MATCH_FIRST_ELSE,
};

struct mw_match {
    struct mw_view subject, pattern; /* borrowed */
    const volatile int *stop;        /* lua/bytes.h; borrowed */
    bool is_anchored;                /* matches at the place where the search begins, or nowhere */

    /* What was FOUND: */
    size_t start, end;
    unsigned capture_count;
    struct mw_capture captures[MW_MAX_CAPTURES];

    int bad_index;

    /* pattern.c's own */
    enum mw_match_first has_first;
    struct mw_item first;
};

/* For an anchored match take the '^' off the pattern and set is_anchored afterwards. */
static inline void mw_match_init(struct mw_match *match, struct mw_view subject,
                                 struct mw_view pattern, const volatile int *stop)
{
    match->subject = subject;
    match->pattern = pattern;
    match->stop = stop;
    match->is_anchored = false;
    match->has_first = MW_MATCH_FIRST_UNKNOWN;
}

/*
 * Looks for the first place at or after `from` (<= subject.len) where the pattern matches, and does
 * not end at `not_end`: who goes through all matches leaves out an empty one at the end of the
 * last.
 */
enum mw_match_result mw_match_next(struct mw_match *match, size_t from, size_t not_end);

/* Has the pattern no magic byte, so that it stands for itself? */
bool mw_pattern_is_plain(struct mw_view pattern, const volatile int *stop);

#endif
