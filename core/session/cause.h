/* The causes of an end as a table (cause.def): scripts, logs and tests speak these names. */
#ifndef MW_SESSION_CAUSE_H
#define MW_SESSION_CAUSE_H

#include "moonwire/advice.h"

enum mw_who { MW_WHO_CLIENT, MW_WHO_SERVER, MW_WHO_NETWORK };

enum mw_cause {
#define MW_CAUSE(name, who, code, wire, advice) MW_CAUSE_##name,
#include "core/session/cause.def"
#undef MW_CAUSE
    MW_CAUSE_COUNT
};

struct mw_cause_row {
    const char *name;
    enum mw_who who;
    unsigned code;      /* reported unless the peer or a script named another */
    unsigned wire_code; /* sent unless a script named another */
    struct mw_advice advice;
};

const struct mw_cause_row *mw_cause_row(enum mw_cause cause);

/* By name; MW_CAUSE_COUNT where there is none of it. */
enum mw_cause mw_cause_by_name(struct mw_view name);

/* "client", "server", "network". Static. */
const char *mw_who_name(enum mw_who who);

#endif
