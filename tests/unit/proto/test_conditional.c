/* conditional: each field alone, all of them in order, and what is no date or no tag. */
#include "core/proto/conditional.h"

#include "tests/unit/unit.h"

#define NOW_S  784111900
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define SAVED  "Sun, 06 Nov 1994 08:49:37 GMT" /* when the file was saved */
#define AFTER  "Sun, 06 Nov 1994 08:49:38 GMT"

#define HOLDS     MW_PRECONDITION_HOLDS
#define UNCHANGED MW_PRECONDITION_UNCHANGED
#define FAILED    MW_PRECONDITION_FAILED

static const struct mw_validators strong = { MW_VIEW("\"a-1\""), true, 784111777 };
static const struct mw_validators weak = { MW_VIEW("W/\"a-1\""), false, 784111777 };

#define MAX_FIELDS 4

/* "name: value" each. */
static struct mw_http_head head_of(const char *const fields[MAX_FIELDS],
                                   struct mw_header headers[MAX_FIELDS])
{
    size_t count = 0;
    for (; count < MAX_FIELDS && fields[count]; count++) {
        const char *colon = strchr(fields[count], ':');
        assert_non_null(colon);
        headers[count].name = mw_view(fields[count], (size_t)(colon - fields[count]));
        headers[count].value = mw_view_text(colon + 2);
    }
    return (struct mw_http_head){ .headers = headers, .header_count = count };
}

static const struct {
    enum mw_precondition strong, weak;
    const char *fields[MAX_FIELDS];
} cases[] = {
    { HOLDS, HOLDS, { 0 } },
    { HOLDS, HOLDS, { "range: bytes=0-1" } },

    { HOLDS, FAILED, { "if-match: \"a-1\"" } },
    { HOLDS, HOLDS, { "if-match: *" } },
    { HOLDS, FAILED, { "if-match: \"x\", \"a-1\"" } },
    { HOLDS, FAILED, { "if-match: \"x\",,\t\"a-1\" ," } },
    { HOLDS, FAILED, { "if-match: \"x\"", "if-match: \"a-1\"" } },
    { FAILED, FAILED, { "if-match: W/\"a-1\"" } }, /* the strong comparison */
    { FAILED, FAILED, { "if-match: \"x\"" } },
    { FAILED, FAILED, { "if-match: \"A-1\"" } },
    { FAILED, FAILED, { "if-match: \"a-1" } },
    { FAILED, FAILED, { "if-match: a-1" } },
    { FAILED, FAILED, { "if-match: " } },
    { FAILED, FAILED, { "if-match: \"x,\"a-1\"" } }, /* `x,` is a tag, and then nonsense */

    { UNCHANGED, UNCHANGED, { "if-none-match: \"a-1\"" } },
    { UNCHANGED, UNCHANGED, { "if-none-match: W/\"a-1\"" } }, /* the weak comparison */
    { UNCHANGED, UNCHANGED, { "if-none-match: *" } },
    { UNCHANGED, UNCHANGED, { "if-none-match: \"x\", \"y,z\", W/\"a-1\"" } },
    { UNCHANGED, UNCHANGED, { "if-none-match: \"x\"", "if-none-match: \"a-1\"" } },
    { HOLDS, HOLDS, { "if-none-match: \"x\"" } },
    { HOLDS, HOLDS, { "if-none-match: w/\"a-1\"" } },
    { HOLDS, HOLDS, { "if-none-match: a-1" } },
    { HOLDS, HOLDS, { "if-none-match: \"x, \"a-1\"" } },
    { HOLDS, HOLDS, { "if-none-match: \"*\"" } },
    { HOLDS, HOLDS, { "if-none-match: " } },

    { UNCHANGED, HOLDS, { "if-modified-since: " SAVED } },
    { UNCHANGED, HOLDS, { "if-modified-since: " AFTER } },
    { UNCHANGED, HOLDS, { "if-modified-since: Sunday, 06-Nov-94 08:49:37 GMT" } },
    { UNCHANGED, HOLDS, { "if-modified-since: Sun Nov  6 08:49:37 1994" } },
    { HOLDS, HOLDS, { "if-modified-since: " BEFORE } },
    { HOLDS, HOLDS, { "if-modified-since: Sunday, 06-Nov-94 08:49:36 GMT" } },
    { HOLDS, HOLDS, { "if-modified-since: Sun Nov  6 08:49:36 1994" } },
    { HOLDS, HOLDS, { "if-modified-since: yesterday" } },
    { HOLDS, HOLDS, { "if-modified-since: " } },
    { HOLDS, HOLDS, { "if-modified-since: " SAVED, "if-modified-since: " SAVED } },

    { HOLDS, HOLDS, { "if-unmodified-since: " SAVED } },
    { HOLDS, HOLDS, { "if-unmodified-since: " AFTER } },
    { FAILED, HOLDS, { "if-unmodified-since: " BEFORE } },
    { FAILED, HOLDS, { "if-unmodified-since: Sunday, 06-Nov-94 08:49:36 GMT" } },
    { FAILED, HOLDS, { "if-unmodified-since: Sun Nov  6 08:49:36 1994" } },
    { HOLDS, HOLDS, { "if-unmodified-since: yesterday" } },
    { HOLDS, HOLDS, { "if-unmodified-since: " BEFORE, "if-unmodified-since: " BEFORE } },

    /* tags go before dates: 13.1.3, 13.1.4 */
    { HOLDS, HOLDS, { "if-none-match: \"x\"", "if-modified-since: " AFTER } },
    { UNCHANGED, UNCHANGED, { "if-none-match: \"a-1\"", "if-modified-since: " BEFORE } },
    { HOLDS, FAILED, { "if-match: \"a-1\"", "if-unmodified-since: " BEFORE } },
    { FAILED, FAILED, { "if-match: \"x\"", "if-unmodified-since: " AFTER } },

    /* what may fail goes before what may be unchanged: 13.2.2 */
    { FAILED, FAILED, { "if-none-match: \"a-1\"", "if-match: \"x\"" } },
    { UNCHANGED, FAILED, { "if-none-match: \"a-1\"", "if-match: \"a-1\"" } },
    { FAILED, HOLDS, { "if-modified-since: " SAVED, "if-unmodified-since: " BEFORE } },
    { UNCHANGED, HOLDS, { "if-modified-since: " SAVED, "if-unmodified-since: " SAVED } },
    { HOLDS,
      HOLDS,
      { "if-match: *", "if-none-match: \"x\"", "if-unmodified-since: " BEFORE,
        "if-modified-since: " AFTER } },
    { UNCHANGED, FAILED, { "if-match: \"a-1\"", "if-modified-since: " SAVED } },
    { FAILED, UNCHANGED, { "if-unmodified-since: " BEFORE, "if-none-match: \"a-1\"" } },
};

TEST(preconditions_lead_to_the_answer_of_the_standard)
{
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct mw_header headers[MAX_FIELDS];
        struct mw_http_head head = head_of(cases[i].fields, headers);
        enum mw_precondition got = mw_precondition_judge(&head, &strong, NOW_S),
                             weakly = mw_precondition_judge(&head, &weak, NOW_S);
        if (got != cases[i].strong || weakly != cases[i].weak)
            fail_msg("case %zu (%s): %d, with a weak tag %d", i,
                     cases[i].fields[0] ? cases[i].fields[0] : "none", (int)got, (int)weakly);
    }
}

static const struct {
    bool strong, weak;
    const char *fields[MAX_FIELDS];
} if_ranges[] = {
    { true, true, { 0 } },
    { true, false, { "if-range: \"a-1\"" } },
    { false, false, { "if-range: W/\"a-1\"" } },
    { false, false, { "if-range: \"x\"" } },
    { false, false, { "if-range: \"x\", \"a-1\"" } }, /* it is one tag, no list */
    { false, false, { "if-range: \"a-1\", \"x\"" } },
    { false, false, { "if-range: *" } },
    { true, false, { "if-range: " SAVED } },
    { true, false, { "if-range: Sun Nov  6 08:49:37 1994" } },
    { false, false, { "if-range: " AFTER } }, /* exactly, not "at least" */
    { false, false, { "if-range: " BEFORE } },
    { false, false, { "if-range: " } },
    { false, false, { "if-range: nonsense" } },
    { false, false, { "if-range: \"a-1\"", "if-range: \"a-1\"" } },
};

TEST(a_range_is_followed_if_it_is_of_just_this_state)
{
    for (size_t i = 0; i < MW_COUNT(if_ranges); i++) {
        struct mw_header headers[MAX_FIELDS];
        struct mw_http_head head = head_of(if_ranges[i].fields, headers);
        if (mw_if_range_holds(&head, &strong, NOW_S) != if_ranges[i].strong ||
            mw_if_range_holds(&head, &weak, NOW_S) != if_ranges[i].weak)
            fail_msg("case %zu: %s", i, if_ranges[i].fields[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(preconditions_lead_to_the_answer_of_the_standard),
        CASE(a_range_is_followed_if_it_is_of_just_this_state),
    };
    return RUN(tests);
}
