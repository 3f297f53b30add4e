/*
 * When a client may come back, and whether it may go on where it was: what a script says, what a
 * table says, and what travels in the reason of a Close frame (docs/running.md, "Advice").
 */
#ifndef MOONWIRE_ADVICE_H
#define MOONWIRE_ADVICE_H

#include "moonwire/types.h"

enum mw_advice_kind {
    MW_ADVICE_NONE, /* nothing is said: the code's own policy holds */
    MW_ADVICE_STAY, /* do not come back */
    MW_ADVICE_RETURN,
};

struct mw_advice {
    uint8_t kind;       /* enum mw_advice_kind */
    bool afresh;        /* what the session held is gone: do not ask to resume it */
    uint32_t after_ms;  /* RETURN: not before; at most MW_ADVICE_MAX_MS */
    uint32_t spread_ms; /* ... and at a moment of one's own within so much more */
};

/* A day: who should stay away longer is told to stay away. */
#define MW_ADVICE_MAX_MS 86400000

#endif
