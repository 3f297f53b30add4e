/*
 * Asks a server for the ends of the last hour and its scripts' own codes (the command `closes` of
 * the control channel). An explanation does without it, so nothing that goes wrong is said. Called
 * by cmd_explain.
 */
#include "core/cli/here.h"

#include "core/base/json.h"
#include "core/base/str.h"

/* An answer is made at once or not at all. */
#define PATIENCE_MS 2000

/* A member of an object, or NULL. */
static const struct mw_json *member(const struct mw_json *object, const char *name,
                                    enum mw_json_kind kind)
{
    if (mw_json_kind(object) != MW_JSON_OBJECT)
        return 0;
    struct mw_json_iter iter = mw_json_iter(object);
    const struct mw_json *value;
    struct mw_view key;
    while (mw_json_iter_next(&iter, &key, &value)) {
        if (mw_view_is(key, name))
            return mw_json_kind(value) == kind ? value : 0;
    }
    return 0;
}

static struct mw_view text(const struct mw_json *object, const char *name)
{
    const struct mw_json *value = member(object, name, MW_JSON_STRING);
    return value ? mw_json_string(value) : mw_view("", 0);
}

static uint64_t number(const struct mw_json *object, const char *name)
{
    const struct mw_json *value = member(object, name, MW_JSON_INTEGER);
    return value && mw_json_integer(value) > 0 ? (uint64_t)mw_json_integer(value) : 0;
}

/* The server counts by script; here it is code and cause that matter. */
static void add_end(struct mw_cli_here *here, const struct mw_here_end *end)
{
    for (size_t i = 0; i < here->here.end_count; i++) {
        struct mw_here_end *other = &here->ends[i];
        if (other->code != end->code || !mw_view_equal(other->cause, end->cause))
            continue;
        other->count += end->count;
        return;
    }
    if (here->here.end_count < MW_CLI_HERE_ENDS)
        here->ends[here->here.end_count++] = *end;
}

static void read_ends(struct mw_cli_here *here, const struct mw_json *list)
{
    struct mw_json_iter iter = mw_json_iter(list);
    const struct mw_json *row;
    struct mw_view key;
    while (mw_json_iter_next(&iter, &key, &row)) {
        const struct mw_here_end end = { (unsigned)number(row, "code"), text(row, "cause"),
                                         text(row, "who"), number(row, "count") };
        add_end(here, &end);
    }
    here->here.ends = here->ends;
}

static struct mw_advice advice(const struct mw_json *row)
{
    const struct mw_json *retry = member(row, "retry", MW_JSON_BOOL);
    const struct mw_json *resume = member(row, "resume", MW_JSON_BOOL);
    if (!retry)
        return (struct mw_advice){ 0 };
    if (!mw_json_bool(retry))
        return (struct mw_advice){ .kind = MW_ADVICE_STAY };
    return (struct mw_advice){ .kind = MW_ADVICE_RETURN,
                               .afresh = resume && !mw_json_bool(resume),
                               .after_ms = (uint32_t)number(row, "after_ms"),
                               .spread_ms = (uint32_t)number(row, "spread_ms") };
}

static void read_codes(struct mw_cli_here *here, const struct mw_json *list)
{
    struct mw_json_iter iter = mw_json_iter(list);
    const struct mw_json *row;
    struct mw_view key;
    while (mw_json_iter_next(&iter, &key, &row) && here->here.code_count < MW_CLI_HERE_CODES) {
        here->codes[here->here.code_count++] = (struct mw_here_code){
            .code = (unsigned)number(row, "code"),
            .script = text(row, "script"),
            .text = text(row, "text"),
            .fix = text(row, "fix"),
            .advice = advice(row),
        };
    }
    here->here.codes = here->codes;
}

void mw_cli_here_read(struct mw_cli_here *here, const struct mw_json_doc *answer)
{
    const struct mw_json *root = mw_json_root(answer);
    const struct mw_json *ends = member(root, "closes", MW_JSON_ARRAY);
    const struct mw_json *codes = member(root, "codes", MW_JSON_ARRAY);
    if (ends)
        read_ends(here, ends);
    if (codes)
        read_codes(here, codes);
}

const struct mw_here *mw_cli_here_ask(struct mw_cli_here *here, const struct mw_args *args)
{
    struct mw_json_error error;
    struct mw_view line;
    *here = (struct mw_cli_here){ 0 };
    if (!mw_control_try(&here->control, args) ||
        mw_control_send(&here->control, mw_view_text("{\"cmd\":\"closes\"}")) ||
        mw_control_next(&here->control, PATIENCE_MS, &line))
        return 0;
    here->answer = mw_json_parse(&here->control.mem, line, &error);
    if (here->answer)
        mw_cli_here_read(here, here->answer);
    return here->here.ends ? &here->here : 0;
}

void mw_cli_here_free(struct mw_cli_here *here)
{
    mw_json_doc_free(here->answer);
    mw_buf_free(&here->rows);
    mw_control_close(&here->control);
}
