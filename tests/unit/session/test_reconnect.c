/* The policy of a client that returns, against the cases that every client of ours keeps to. */
#include "core/session/reconnect.h"

#include <stdio.h>

#include "core/base/json.h"
#include "core/session/advice.h"
#include "tests/unit/unit.h"

/* Tests run from the top of the tree. */
#define VECTORS "tests/client/policy.json"
#define DRAWS   200

static struct mw_mem mem;

/* ---- reading them ---- */

static struct mw_json_doc *read_vectors(void)
{
    static char text[1 << 20];
    struct mw_json_error error = { 0 };
    FILE *file = fopen(VECTORS, "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    struct mw_json_doc *doc = mw_json_parse(&mem, mw_view(text, len), &error);
    if (!doc)
        fail_msg("%s at byte %zu", error.text, error.at);
    return doc;
}

static const struct mw_json *field(const struct mw_json *object, const char *name)
{
    struct mw_json_iter iter = mw_json_iter(object);
    struct mw_view key;
    const struct mw_json *value;
    while (mw_json_iter_next(&iter, &key, &value)) {
        if (key.len == strlen(name) && memcmp(key.data, name, key.len) == 0)
            return value;
    }
    return NULL;
}

static unsigned number(const struct mw_json *object, const char *name)
{
    const struct mw_json *value = field(object, name);
    return value ? (unsigned)mw_json_integer(value) : 0;
}

static bool flag(const struct mw_json *object, const char *name)
{
    const struct mw_json *value = field(object, name);
    return value && mw_json_bool(value);
}

static struct mw_advice advice_of(const struct mw_json *end)
{
    struct mw_advice advice = { 0 };
    const struct mw_json *reason = field(end, "reason"), *retry = field(end, "retry");
    if (reason)
        (void)mw_advice_read(mw_json_string(reason), &advice);
    if (retry && mw_json_kind(retry) == MW_JSON_BOOL)
        advice.kind = MW_ADVICE_STAY;
    else if (retry)
        advice = (struct mw_advice){ .kind = MW_ADVICE_RETURN,
                                     .after_ms = 1000 * number(retry, "after"),
                                     .spread_ms = 1000 * number(retry, "spread") };
    return advice;
}

static struct mw_reconnect_end end_of(const struct mw_json *end)
{
    return (struct mw_reconnect_end){
        .code = number(end, "code"),
        .status = number(end, "status"),
        .advice = advice_of(end),
        .uptime_ms = number(end, "uptime"),
        .opened = flag(end, "opened"),
        .ours = flag(end, "ours"),
    };
}

/* ---- keeping to them ---- */

/* Each draw of a step from the same memory: all within, and not all in one half. */
static void check_draws(const struct mw_reconnect *before, const struct mw_reconnect_end *end,
                        struct mw_rng *rng)
{
    unsigned low = 0;
    for (unsigned i = 0; i < DRAWS; i++) {
        struct mw_reconnect client = *before;
        struct mw_reconnect_step step = mw_reconnect_next(&client, end, rng);
        assert_in_range(step.after_ms, step.least_ms, step.most_ms);
        low += step.after_ms - step.least_ms <= (step.most_ms - step.least_ms) / 2;
    }
    struct mw_reconnect client = *before;
    struct mw_reconnect_step step = mw_reconnect_next(&client, end, rng);
    if (step.most_ms > step.least_ms + 1)
        assert_in_range(low, DRAWS / 4, 3 * DRAWS / 4);
}

static void check_step(struct mw_reconnect *client, const struct mw_json *step, struct mw_rng *rng)
{
    const struct mw_json *then = field(step, "then"), *stays = field(then, "stays");
    const struct mw_reconnect_end end = end_of(field(step, "end"));
    const struct mw_reconnect before = *client;
    struct mw_reconnect_step got = mw_reconnect_next(client, &end, rng);
    if (stays) {
        assert_view(mw_json_string(stays), mw_reconnect_why_name(got.why));
        assert_int_equal(got.attempt, 0);
        return;
    }
    assert_string_equal(mw_reconnect_why_name(got.why), "returns");
    assert_int_equal(got.attempt, number(then, "attempt"));
    assert_int_equal(got.least_ms, number(then, "least"));
    assert_int_equal(got.most_ms, number(then, "most"));
    assert_int_equal(got.resume, flag(then, "resume"));
    check_draws(&before, &end, rng);
}

TEST(every_case_that_clients_share_is_kept)
{
    struct mw_json_doc *doc = read_vectors();
    struct mw_json_iter cases = mw_json_iter(field(mw_json_root(doc), "cases"));
    const struct mw_json *one, *step;
    struct mw_rng rng;
    mw_rng_seed(&rng, 1);
    while (mw_json_iter_next(&cases, NULL, &one)) {
        struct mw_reconnect client = { 0 };
        struct mw_view name = mw_json_string(field(one, "name"));
        struct mw_json_iter steps = mw_json_iter(field(one, "steps"));
        print_message("    %.*s\n", (int)name.len, name.data);
        while (mw_json_iter_next(&steps, NULL, &step))
            check_step(&client, step, &rng);
    }
    mw_json_doc_free(doc);
    assert_mem_empty(&mem);
}

/* A row that is added needs its case. */
TEST(the_cases_name_the_first_and_the_last_code_of_every_row)
{
    static bool seen[65536];
    struct mw_json_doc *doc = read_vectors();
    struct mw_json_iter cases = mw_json_iter(field(mw_json_root(doc), "cases"));
    const struct mw_json *one, *step;
    while (mw_json_iter_next(&cases, NULL, &one)) {
        struct mw_json_iter steps = mw_json_iter(field(one, "steps"));
        while (mw_json_iter_next(&steps, NULL, &step))
            seen[number(field(step, "end"), "code") & 0xffff] = true;
    }
    mw_json_doc_free(doc);
    const struct mw_close_row *row;
    for (size_t i = 0; (row = mw_close_row_at(i)); i++) {
        assert_true(seen[row->first]);
        assert_true(seen[row->last]);
    }
}

TEST(no_row_lets_a_crowd_return_as_one)
{
    const struct mw_close_row *row;
    struct mw_rng rng;
    mw_rng_seed(&rng, 2);
    for (size_t i = 0; (row = mw_close_row_at(i)); i++) {
        struct mw_reconnect client = { 0 };
        const struct mw_reconnect_end end = { .code = row->first, .opened = true };
        for (int failures = 0; failures < 100; failures++) {
            struct mw_reconnect_step step = mw_reconnect_next(&client, &end, &rng);
            if (step.why != MW_RECONNECT_RETURNS)
                break;
            assert_true(step.least_ms >= 250);
            assert_true(step.most_ms - step.least_ms >= 750);
        }
    }
}

TEST(failures_without_number_do_not_wrap)
{
    struct mw_rng rng;
    mw_rng_seed(&rng, 3);
    struct mw_reconnect client = { .failures = UINT32_MAX - 1 };
    const struct mw_reconnect_end end = { .code = 1006 };
    for (int i = 0; i < 3; i++) {
        struct mw_reconnect_step step = mw_reconnect_next(&client, &end, &rng);
        assert_int_equal(step.most_ms, 30000);
    }
}

TEST(every_reason_to_stay_has_a_sentence)
{
    for (int why = 0; why <= MW_RECONNECT_TRIES; why++)
        assert_true(strlen(mw_reconnect_why_text((enum mw_reconnect_why)why)) > 10);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(every_case_that_clients_share_is_kept),
        CASE(the_cases_name_the_first_and_the_last_code_of_every_row),
        CASE(no_row_lets_a_crowd_return_as_one),
        CASE(failures_without_number_do_not_wrap),
        CASE(every_reason_to_stay_has_a_sentence),
    };
    mw_mem_init(&mem, NULL, 0);
    return RUN(cases);
}
