/* The table of causes. Decides nothing; conn.c, the driver, the log and explain read it. */
#include "core/session/cause.h"

#include "core/base/str.h"

#define NONE \
    { \
        0 \
    }
#define RETURN(after, spread) \
    { \
        .kind = MW_ADVICE_RETURN, .after_ms = (after), .spread_ms = (spread) \
    }

static const struct mw_cause_row rows[MW_CAUSE_COUNT] = {
#define MW_CAUSE(name, who, code, wire, advice) \
    { #name, MW_WHO_##who, (code), (wire) ? (wire) : (code), advice },
#include "core/session/cause.def"
#undef MW_CAUSE
};

const struct mw_cause_row *mw_cause_row(enum mw_cause cause)
{
    return &rows[cause];
}

enum mw_cause mw_cause_by_name(struct mw_view name)
{
    unsigned i = 0;
    while (i < MW_CAUSE_COUNT && !mw_view_is(name, rows[i].name))
        i++;
    return (enum mw_cause)i;
}

const char *mw_who_name(enum mw_who who)
{
    static const char *const names[] = { "client", "server", "network" };
    return names[who];
}
