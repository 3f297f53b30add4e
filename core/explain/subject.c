/* From words to what they name. Called by the command line and by the page of explanations. */
#include "core/explain/subject.h"

#include "core/base/str.h"
#include "core/explain/words.h"
#include "core/proto/close_catalog.h"

static bool read_code(struct mw_view text, unsigned *code)
{
    uint64_t number;
    if (!mw_parse_u64(text, 0, 99999, &number))
        return false;
    *code = (unsigned)number;
    return true;
}

bool mw_subject_of(struct mw_subject *subject, struct mw_view first, struct mw_view second)
{
    *subject = (struct mw_subject){ .kind = second.len ? MW_SUBJECT_PAIR : MW_SUBJECT_CODE };
    if (read_code(first, &subject->code)) {
        if (second.len && !read_code(second, &subject->other))
            return false;
        if (second.len && subject->other == subject->code)
            subject->kind = MW_SUBJECT_CODE;
        return true;
    }
    subject->kind = MW_SUBJECT_CAUSE;
    subject->cause = mw_cause_by_name(first);
    return subject->cause != MW_CAUSE_COUNT && !second.len;
}

const char *mw_subject_nearest(struct mw_view wrong)
{
    const char *names[MW_CAUSE_COUNT + 1] = { 0 };
    for (unsigned i = 0; i < MW_CAUSE_COUNT; i++)
        names[i] = mw_cause_row((enum mw_cause)i)->name;
    return mw_nearest_name(wrong, names);
}

bool mw_subject_at(size_t n, struct mw_subject *subject)
{
    size_t rows = 0;
    while (mw_close_row_at(rows))
        rows++;
    *subject = (struct mw_subject){ 0 };
    if (n < rows) {
        subject->code = mw_close_row_at(n)->first;
        return true;
    }
    n -= rows;
    if (n < MW_CAUSE_COUNT) {
        subject->kind = MW_SUBJECT_CAUSE;
        subject->cause = (enum mw_cause)n;
        return true;
    }
    subject->kind = MW_SUBJECT_PAIR;
    return mw_words_pair_at(n - MW_CAUSE_COUNT, &subject->code, &subject->other);
}
