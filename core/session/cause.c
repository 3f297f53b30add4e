/* The table of causes. Decides nothing; conn.c and the log read it. */
#include "core/session/cause.h"

static const struct mw_cause_row rows[MW_CAUSE_COUNT] = {
#define MW_CAUSE(name, who, code, wire) { #name, MW_WHO_##who, (code), (wire) ? (wire) : (code) },
#include "core/session/cause.def"
#undef MW_CAUSE
};

const struct mw_cause_row *mw_cause_row(enum mw_cause cause)
{
    return &rows[cause];
}

const char *mw_who_name(enum mw_who who)
{
    static const char *const names[] = { "client", "server", "network" };
    return names[who];
}
