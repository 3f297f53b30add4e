/* What the server's thread and a worker's write to each other; each kind has its own owner. */
#ifndef MW_SERVER_LETTER_H
#define MW_SERVER_LETTER_H

#include "core/base/check.h"
#include "core/io/mailbox.h"

enum mw_letter_kind {
    MW_LETTER_BATCH,        /* of struct mw_batch: there and back */
    MW_LETTER_CERTIFICATES, /* of struct mw_tls_swap: there and back */
    MW_LETTER_STATUS,       /* of struct mw_status: there and back */
    MW_LETTER_INQUIRY,      /* of struct mw_inquiry: there and back */
    MW_LETTER_WORSE,        /* of struct mw_worse: from the worker */
    MW_LETTER_DRAIN,        /* of struct mw_drain, to the worker */
    MW_LETTER_DRAINING,     /* ... from it: it has begun */
    MW_LETTER_STOPPED,      /* ... and it is over */
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
