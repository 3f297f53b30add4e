/*
 * Figures of each second as bars: lines of text for a terminal, panels of an SVG for a page. Whole
 * numbers only, so that the same figures are the same bytes everywhere.
 */
#ifndef MW_SIM_CHART_H
#define MW_SIM_CHART_H

#include "core/base/buf.h"

struct mw_chart_series {
    const char *name;
    const uint32_t *values; /* of each second; borrowed */
    size_t count;
};

/*
 * At most 24 lines, so each may be of several seconds: the highest of them is what it shows. A bar
 * of full width is `top`. MW_ERR_NOMEM.
 */
int mw_chart_text(struct mw_buf *out, const struct mw_chart_series *series, uint32_t top);

/* Panels side by side in rows, those of a column of one scale, with a line across at `limit`. */
struct mw_chart_panels {
    const char *const *columns; /* a heading for each */
    const uint32_t *tops;       /* ... and the value of full height */
    size_t column_count;
    const struct mw_chart_series *series; /* row after row */
    size_t row_count;
    uint32_t limit;
    size_t seconds; /* of the axis */
};

/* A whole document. Its names are ours: nothing in them is escaped. MW_ERR_NOMEM. */
int mw_chart_svg(struct mw_buf *out, const struct mw_chart_panels *panels);

#endif
