/* The lines of a report; decides nothing. Filled by the checks of cli and by the walk. */
#include "core/doctor/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/check.h"

struct mw_doctor_line *mw_doctor_add(struct mw_doctor_report *report, const char *name)
{
    mw_assert(report->count < MW_DOCTOR_LINES_MAX);
    size_t at = report->count < MW_DOCTOR_LINES_MAX ? report->count++ : MW_DOCTOR_LINES_MAX - 1;
    report->lines[at] = (struct mw_doctor_line){ .name = name, .took_ms = -1 };
    return &report->lines[at];
}

/* A character that was cut in two is left out whole. */
static void put(char *out, size_t size, const char *format, va_list args)
{
    int len = vsnprintf(out, size, format, args);
    if (len < 0)
        out[0] = '\0';
    if (len < (int)size)
        return;
    size_t end = size - 1;
    while (end > 0 && ((unsigned char)out[end - 1] & 0xC0) == 0x80)
        end--;
    if (end > 0 && (unsigned char)out[end - 1] >= 0xC0)
        end--;
    out[end] = '\0';
}

#define PUT(field) \
    do { \
        va_list args; \
        va_start(args, format); \
        put(line->field, sizeof line->field, format, args); \
        va_end(args); \
    } while (0)

void mw_doctor_value(struct mw_doctor_line *line, const char *format, ...)
{
    PUT(value);
}

void mw_doctor_why(struct mw_doctor_line *line, const char *format, ...)
{
    PUT(why);
}

void mw_doctor_fix(struct mw_doctor_line *line, const char *format, ...)
{
    PUT(fix);
}

size_t mw_doctor_count(const struct mw_doctor_report *report, enum mw_doctor_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++)
        count += report->lines[i].state == state;
    return count;
}

bool mw_doctor_is_well(const struct mw_doctor_report *report)
{
    return !report->is_cut_short &&
           mw_doctor_count(report, MW_DOCTOR_FAIL) + mw_doctor_count(report, MW_DOCTOR_WARN) == 0;
}
