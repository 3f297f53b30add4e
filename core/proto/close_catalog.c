/* The table of close codes. Decides nothing; close.c, session and explain read it. */
#include "core/proto/close_catalog.h"

#include "core/base/check.h"

#define STAY \
    { \
        0 \
    }
#define RETRY(least, most, growth, cap, tries) \
    { \
        true, false, least, most, growth, cap, tries \
    }
#define RESUME(least, most, growth, cap, tries) \
    { \
        true, true, least, most, growth, cap, tries \
    }

static const struct mw_close_row rows[] = {
#define MW_CLOSE_ROW(first, last, key, name, title, sender, policy, level) \
    { first, last, #key, name, title, MW_CLOSE_BY_##sender, policy, MW_CLOSE_##level },
#include "core/proto/close_catalog.def"
#undef MW_CLOSE_ROW
};

const struct mw_close_row *mw_close_row(unsigned code)
{
    for (size_t i = 0; i + 1 < MW_COUNT(rows); i++) {
        if (code <= rows[i].last)
            return &rows[i];
    }
    return &rows[MW_COUNT(rows) - 1];
}

const struct mw_close_row *mw_close_row_at(size_t n)
{
    return n < MW_COUNT(rows) ? &rows[n] : NULL;
}
