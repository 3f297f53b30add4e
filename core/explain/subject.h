/* What somebody wants explained: a code, two codes, a cause. */
#ifndef MW_EXPLAIN_SUBJECT_H
#define MW_EXPLAIN_SUBJECT_H

#include "core/session/cause.h"

enum mw_subject_kind { MW_SUBJECT_CODE, MW_SUBJECT_PAIR, MW_SUBJECT_CAUSE };

struct mw_subject {
    enum mw_subject_kind kind;
    unsigned code, other; /* of a pair both */
    enum mw_cause cause;
};

/*
 * What "1006", "1001" and "1006", or "protocol_error" name; `second` is empty without one. A number
 * has at most five digits. False: nothing.
 */
bool mw_subject_of(struct mw_subject *subject, struct mw_view first, struct mw_view second);

/* The name or number that was probably meant, or NULL. Static. */
const char *mw_subject_nearest(struct mw_view wrong);

/*
 * The n-th thing that there is to explain: codes and ranges in order, causes, written pairs. False
 * past the last.
 */
bool mw_subject_at(size_t n, struct mw_subject *subject);

#endif
