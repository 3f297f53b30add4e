/*
 * A question about connections, around all workers or to the one that knows: each copies what it
 * knows into the letter, so that nobody looks at a running worker from outside, and none writes
 * JSON itself.
 */
#ifndef MW_SERVER_INQUIRY_H
#define MW_SERVER_INQUIRY_H

#include "core/base/buf.h"
#include "core/proto/close.h"
#include "core/server/end_counts.h"
#include "core/server/end_record.h"
#include "core/server/letter.h"
#include "core/server/metrics_sheet.h"
#include "core/server/script_codes.h"

struct mw_worker;

/* As many ends are told at once. */
#define MW_INQUIRY_MAX 200

enum mw_inquiry_kind {
    MW_INQUIRY_CONN,    /* of one connection, that is there or has ended: records, one */
    MW_INQUIRY_LAST,    /* of the last ends: records, the last one first */
    MW_INQUIRY_COUNTS,  /* of the last hour: counts */
    MW_INQUIRY_CLOSE,   /* one connection is to be closed */
    MW_INQUIRY_METRICS, /* of everything: sheet and text */
};

/* Belongs to whoever holds it. */
struct mw_inquiry {
    struct mw_letter letter;
    struct mw_mem mem;
    enum mw_inquiry_kind kind;
    void *asker;            /* of the server's thread; NULL: nobody waits for it any more */
    struct mw_worker *home; /* NULL, or the worker that asks for its client `id`, instead */

    /* what is asked */
    mw_id id;
    size_t last;   /* 1 to MW_INQUIRY_MAX */
    unsigned code; /* of CLOSE: sendable */
    size_t reason_len;
    char reason[MW_CLOSE_REASON_MAX];

    /* what is answered */
    bool is_whole;  /* false: there was no memory for all of it */
    char why[256];  /* not empty: why there is no answer */
    char hint[128]; /* what to do then; may be empty */
    struct mw_link records;
    size_t record_count;
    struct mw_end_count *counts; /* the most frequent first */
    size_t count, cap;
    mw_ms span_ms;                /* how far back they go */
    struct mw_script_code *codes; /* of COUNTS: what scripts say about codes of their own */
    size_t code_count;
    struct mw_metrics_sheet sheet; /* of METRICS, and what it says when all have added theirs */
    struct mw_buf text;
};

/* NULL: no memory. */
struct mw_inquiry *mw_inquiry_new(enum mw_inquiry_kind kind, void *asker);
void mw_inquiry_free(struct mw_inquiry *inquiry);

/* It is about one connection, which one worker knows. */
bool mw_inquiry_is_of_one(const struct mw_inquiry *inquiry);

/* On the worker's thread: adds what this worker knows, or does what is asked. */
void mw_inquiry_answer(struct mw_inquiry *inquiry, struct mw_worker *worker);

#endif
