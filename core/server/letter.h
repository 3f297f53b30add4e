/*
 * What the server's thread and the workers' write to each other; each kind has its own owner. What
 * goes "around" is sent to the first worker, goes from one to the next, and back to the server.
 */
#ifndef MW_SERVER_LETTER_H
#define MW_SERVER_LETTER_H

#include "core/base/check.h"
#include "core/io/mailbox.h"

enum mw_letter_kind {
    MW_LETTER_BATCH,        /* of struct mw_batch: around, once for each step */
    MW_LETTER_CERTIFICATES, /* of struct mw_tls_swap: around */
    MW_LETTER_STATUS,       /* of struct mw_status: around */
    MW_LETTER_INQUIRY,      /* of struct mw_inquiry: around, or to one worker and back */
    MW_LETTER_HANDOVER,     /* of struct mw_handover: from worker to worker */
    MW_LETTER_WORSE,        /* of struct mw_worse: from the worker */
    MW_LETTER_DRAIN,        /* of struct mw_drain, to the worker */
    MW_LETTER_DRAINING,     /* ... from it: it has begun */
    MW_LETTER_STOPPED,      /* ... and it is over */
    MW_LETTER_PUBLICATIONS, /* of a worker itself: something stands in its inbox */
    MW_LETTER_REMOTE,       /* of struct mw_remote, from one worker to another, which frees it */
    MW_LETTER_LEAVE,        /* to the worker: so are all others, its thread may end */
};

struct mw_letter {
    struct mw_mail mail;
    enum mw_letter_kind kind;
};

static inline struct mw_letter *mw_letter_of(struct mw_mail *mail)
{
    return MW_OWNER(mail, struct mw_letter, mail);
}

#endif
