/*
 * Patterns: our functions answer each question as Lua's own do, with the same results, captures and
 * messages. The input: two bytes that choose what is asked, a line that is the pattern, a line that
 * is the replacement, and the subject.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/lua/versus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct versus versus;
    static bool is_open;
    if (!is_open)
        versus_open(&versus);
    is_open = true;
    struct mw_view input = mw_view((const char *)data, size);
    size_t choice = take_byte(&input), number = take_byte(&input);
    struct question question = {
        .pattern = take_line(&input),
        .by = take_line(&input),
        .has_number = choice & 8,
        .number = (int64_t)(number % 32) - 12,
    };
    char *pattern = exact_copy(question.pattern), *by = exact_copy(question.by);
    question.pattern.data = pattern;
    question.by.data = by;
    question.subject = versus_bounded(input, question.pattern);
    if (choice & 16) { /* all ways, for one price */
        for (int way = 0; way < ASKED_WAYS; way++) {
            question.asked = (enum asked)way;
            CHECK(versus_agree(&versus, &question));
        }
    } else {
        question.asked = (enum asked)(choice % ASKED_WAYS);
        CHECK(versus_agree(&versus, &question));
    }
    free(pattern);
    free(by);
    return 0;
}
