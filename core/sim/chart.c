/* Draws what sim/herd has counted. Knows no herd. */
#include "core/sim/chart.h"

#define TEXT_ROWS  24
#define TEXT_WIDTH 56

/* Of the SVG, in tenths of a pixel. */
#define PANEL_WIDTH  3800
#define PANEL_HEIGHT 900
#define GAP          400
#define MARGIN       300
#define HEADING      500
#define AXIS         300

/* ---- text ---- */

static uint32_t highest(const struct mw_chart_series *series, size_t from, size_t count)
{
    uint32_t most = 0;
    for (size_t i = from; i < from + count && i < series->count; i++) {
        if (series->values[i] > most)
            most = series->values[i];
    }
    return most;
}

/* Something is never nothing. */
static size_t scaled(uint32_t value, uint32_t top, size_t width)
{
    size_t len = top ? (size_t)((uint64_t)value * width / top) : 0;
    return value && !len ? 1 : len;
}

int mw_chart_text(struct mw_buf *out, const struct mw_chart_series *series, uint32_t top)
{
    static const char bar[] = "########################################################";
    size_t step = (series->count + TEXT_ROWS - 1) / TEXT_ROWS;
    int err = MW_OK;
    for (size_t at = 0; !err && at < series->count; at += step) {
        uint32_t value = highest(series, at, step);
        size_t len = scaled(value, top, TEXT_WIDTH);
        err = mw_buf_putf(out, "  %5zu s %7u%s%.*s\n", at, value, len ? " " : "", (int)len, bar);
    }
    return err;
}

/* ---- SVG ---- */

static int put_head(struct mw_buf *out, size_t width, size_t height)
{
    return mw_buf_putf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %zu %zu\" width=\"%zu\" "
        "height=\"%zu\">\n"
        "<style>\n"
        "text { font: 120px sans-serif; fill: #555 }\n"
        ".name { font-weight: bold }\n"
        ".end { text-anchor: end }\n"
        ".bars { fill: #3b6ea5 }\n"
        ".axis { stroke: #999; stroke-width: 8; fill: none }\n"
        ".limit { stroke: #c0562b; stroke-width: 8; stroke-dasharray: 40 30; fill: none }\n"
        "@media (prefers-color-scheme: dark) { text { fill: #bbb } .bars { fill: #7fb0e6 } }\n"
        "</style>\n",
        width, height, width / 10, height / 10);
}

static size_t left_of(size_t column)
{
    return MARGIN + column * (PANEL_WIDTH + GAP);
}

static size_t y_of(size_t row)
{
    return HEADING + row * (PANEL_HEIGHT + GAP);
}

static size_t x_of(const struct mw_chart_panels *panels, size_t second)
{
    return second * PANEL_WIDTH / (panels->seconds ? panels->seconds : 1);
}

/* One path of steps; seconds in which nothing happens are left out. */
static int put_bars(struct mw_buf *out, const struct mw_chart_panels *panels,
                    const struct mw_chart_series *series, uint32_t top, size_t left, size_t bottom)
{
    int err = mw_buf_put_text(out, "<path class=\"bars\" d=\"");
    for (size_t i = 0; !err && i < series->count && i < panels->seconds; i++) {
        size_t height = scaled(series->values[i], top, PANEL_HEIGHT);
        size_t x = x_of(panels, i), width = x_of(panels, i + 1) - x;
        if (height)
            err =
                mw_buf_putf(out, "M%zu %zuv-%zuh%zuv%zuz", left + x, bottom, height, width, height);
    }
    return err ? err : mw_buf_put_text(out, "\"/>\n");
}

static int put_panel(struct mw_buf *out, const struct mw_chart_panels *panels, size_t row,
                     size_t column)
{
    const struct mw_chart_series *series = &panels->series[row * panels->column_count + column];
    size_t left = left_of(column), y = y_of(row), bottom = y + PANEL_HEIGHT;
    uint32_t top = panels->tops[column];
    size_t limit = bottom - scaled(panels->limit, top, PANEL_HEIGHT);
    int err = put_bars(out, panels, series, top, left, bottom);
    if (!err)
        err = mw_buf_putf(out,
                          "<path class=\"axis\" d=\"M%zu %zuh%d\"/>\n"
                          "<path class=\"limit\" d=\"M%zu %zuh%d\"/>\n"
                          "<text class=\"end name\" x=\"%zu\" y=\"%zu\">%s</text>\n"
                          "<text class=\"end\" x=\"%zu\" y=\"%zu\">peak %u/s</text>\n",
                          left, bottom, PANEL_WIDTH, left, limit, PANEL_WIDTH, left + PANEL_WIDTH,
                          y + 140, series->name, left + PANEL_WIDTH, y + 290,
                          highest(series, 0, series->count));
    return err;
}

static int put_axis(struct mw_buf *out, const struct mw_chart_panels *panels, size_t left, size_t y)
{
    return mw_buf_putf(out,
                       "<text x=\"%zu\" y=\"%zu\">0 s</text>\n"
                       "<text class=\"end\" x=\"%zu\" y=\"%zu\">%zu s</text>\n",
                       left, y, left + PANEL_WIDTH, y, panels->seconds);
}

int mw_chart_svg(struct mw_buf *out, const struct mw_chart_panels *panels)
{
    size_t columns = panels->column_count, rows = panels->row_count;
    size_t width = 2 * MARGIN + columns * PANEL_WIDTH + (columns - 1) * GAP;
    size_t height = y_of(rows) - GAP + AXIS;
    int err = put_head(out, width, height);
    for (size_t c = 0; !err && c < columns; c++) {
        err = mw_buf_putf(out, "<text class=\"name\" x=\"%zu\" y=\"250\">%s</text>\n", left_of(c),
                          panels->columns[c]);
        for (size_t r = 0; !err && r < rows; r++)
            err = put_panel(out, panels, r, c);
        if (!err)
            err = put_axis(out, panels, left_of(c), y_of(rows) - GAP + AXIS / 2 + 50);
    }
    return err ? err : mw_buf_put_text(out, "</svg>\n");
}
