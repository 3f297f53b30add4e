/* Conditional requests (RFC 9110 13): If-Match and its four kin against what would be sent. Pure.
 */
#ifndef MW_PROTO_CONDITIONAL_H
#define MW_PROTO_CONDITIONAL_H

#include "core/proto/http.h"

/* What tells one state of a representation from another (RFC 9110 8.8). */
struct mw_validators {
    struct mw_view etag; /* with its quotes; W/ before them: weak */
    bool has_date;       /* modified_s is known, and is one that no later change can have too */
    int64_t modified_s;  /* Unix time */
};

enum mw_precondition {
    MW_PRECONDITION_HOLDS,     /* go on: answer as if there were none */
    MW_PRECONDITION_UNCHANGED, /* 304: the client has it already */
    MW_PRECONDITION_FAILED,    /* 412 */
};

/*
 * For a GET or HEAD that would be answered with 200. Evaluated in the order of RFC 9110 13.2.2;
 * fields that are no dates where one is wanted count as absent.
 */
enum mw_precondition mw_precondition_judge(const struct mw_http_head *head,
                                           const struct mw_validators *now, int64_t now_s);

/* Whether a Range field may be followed: there is no If-Range, or it names just this state. */
bool mw_if_range_holds(const struct mw_http_head *head, const struct mw_validators *now,
                       int64_t now_s);

#endif
