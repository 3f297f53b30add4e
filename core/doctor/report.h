/*
 * What the doctor has found: a line for each thing that was looked at, in order, and its two forms.
 * Texts are English and kept in the report, whose size is fixed: a report cannot fail for memory.
 */
#ifndef MW_DOCTOR_REPORT_H
#define MW_DOCTOR_REPORT_H

#include "core/base/buf.h"
#include "core/explain/render.h"

#define MW_DOCTOR_LINES_MAX 40

enum mw_doctor_state {
    MW_DOCTOR_OK,
    MW_DOCTOR_WARN, /* works now, and will hurt */
    MW_DOCTOR_FAIL,
    MW_DOCTOR_SKIPPED, /* was not looked at; the value says why */
};

struct mw_doctor_line {
    const char *name; /* static: "open files", "handshake" */
    enum mw_doctor_state state;
    char value[320]; /* what was found */
    char why[640];   /* sentences: what it means and why it matters; "" where all is well */
    char fix[640];   /* what to type or to change, in lines that are not broken; "" */
    int64_t took_ms; /* -1: of no interest */
};

struct mw_doctor_report {
    char title[320];   /* what was looked at */
    bool is_cut_short; /* by an interrupt: it cannot be well */
    size_t count;
    struct mw_doctor_line lines[MW_DOCTOR_LINES_MAX];
};

/* A new line that is well and says nothing; the last one again where there is no room. */
struct mw_doctor_line *mw_doctor_add(struct mw_doctor_report *report, const char *name);

/* Texts that are too long are cut at a character. */
void mw_doctor_value(struct mw_doctor_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void mw_doctor_why(struct mw_doctor_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void mw_doctor_fix(struct mw_doctor_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

size_t mw_doctor_count(const struct mw_doctor_report *report, enum mw_doctor_state state);
/* Whole, and neither warnings nor failures. */
bool mw_doctor_is_well(const struct mw_doctor_report *report);

/*
 * For a terminal: marks are ASCII where it is. What is no text, and what would move a cursor, is
 * shown as '?'. MW_ERR_NOMEM.
 */
int mw_doctor_render(struct mw_buf *out, const struct mw_doctor_report *report,
                     const struct mw_terminal *terminal);
/* One object and a line's end. MW_ERR_NOMEM. */
int mw_doctor_render_json(struct mw_buf *out, const struct mw_doctor_report *report);

#endif
