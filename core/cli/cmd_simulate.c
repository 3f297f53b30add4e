/*
 * `moonwire simulate herd`: what a crowd does that is cut off at once, with and without advice, as
 * text, JSON or a picture. Touches no network and no project.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/base/str.h"
#include "core/cli/commands.h"
#include "core/cli/settings.h"
#include "core/cli/simulate_resume.h"
#include "core/server/server.h"
#include "core/session/return_plan.h"
#include "core/sim/chart.h"
#include "core/sim/herd.h"

struct outcome {
    struct mw_herd_setup setup;
    struct mw_herd_run runs[MW_HERD_EVENTS][MW_HERD_POLICIES];
};

/* ---- the command line ---- */

static const struct number {
    const char *flag;
    size_t arg, field;
    uint64_t normal, least, most;
} numbers[] = {
    { "--clients", offsetof(struct mw_args, clients), offsetof(struct mw_herd_setup, clients),
      10000, 1, 1000000 },
    { "--seed", offsetof(struct mw_args, seed), offsetof(struct mw_herd_setup, seed), 1, 0,
      INT64_MAX },
    { "--rate", offsetof(struct mw_args, rate), offsetof(struct mw_herd_setup, rate_per_s), 500, 1,
      100000 },
    { "--capacity", offsetof(struct mw_args, capacity),
      offsetof(struct mw_herd_setup, capacity_per_s), 2000, 1, 1000000 },
};
_Static_assert(sizeof(size_t) == sizeof(uint64_t), "a row of the table sets either");

static int read_setup(const struct mw_args *args, struct mw_herd_setup *setup)
{
    char why[128];
    if (!args->dir || strcmp(args->dir, "herd") != 0 || args->schedules)
        return mw_cli_fail(MW_EXIT_USAGE, "", "simulate what? moonwire simulate herd, or resume");
    for (size_t i = 0; i < MW_COUNT(numbers); i++) {
        const struct number *row = &numbers[i];
        const char *text = *(const char *const *)((const char *)args + row->arg);
        uint64_t *field = (uint64_t *)((char *)setup + row->field);
        *field = row->normal;
        if (!text || mw_parse_u64(mw_view_text(text), row->least, row->most, field))
            continue;
        snprintf(why, sizeof why, "%s wants a whole number from %llu to %llu", row->flag,
                 (unsigned long long)row->least, (unsigned long long)row->most);
        return mw_cli_fail(MW_EXIT_USAGE, "", why);
    }
    return MW_EXIT_OK;
}

/* ---- text ---- */

static uint32_t highest(const struct outcome *outcome, size_t event)
{
    uint32_t top = 0;
    for (size_t policy = 0; policy < MW_HERD_POLICIES; policy++) {
        uint32_t peak = outcome->runs[event][policy].peak;
        top = peak > top ? peak : top;
    }
    return top;
}

static int put_line(struct mw_buf *out, const struct outcome *outcome, size_t policy,
                    const struct mw_herd_run *run)
{
    char when[48];
    if (run->back == outcome->setup.clients)
        snprintf(when, sizeof when, "%7.1f s", (double)run->back_ms / 1000);
    else
        snprintf(when, sizeof when, "%zu not in 2 h", outcome->setup.clients - run->back);
    return mw_buf_putf(out, "  %-14s %7u/s %10llu   %s\n",
                       mw_herd_policy_text((enum mw_herd_policy)policy), run->peak,
                       (unsigned long long)run->attempts, when);
}

static int put_table(struct mw_buf *out, const struct outcome *outcome, size_t event)
{
    int err = mw_buf_putf(out, "\nafter %s\n  %-14s %9s %10s   %9s\n",
                          mw_herd_event_text((enum mw_herd_event)event), "", "peak", "attempts",
                          "all back");
    for (size_t policy = 0; !err && policy < MW_HERD_POLICIES; policy++)
        err = put_line(out, outcome, policy, &outcome->runs[event][policy]);
    return err;
}

static int put_curves(struct mw_buf *out, const struct outcome *outcome, size_t event)
{
    int err = MW_OK;
    for (size_t policy = 0; !err && policy < MW_HERD_POLICIES; policy++) {
        const struct mw_herd_run *run = &outcome->runs[event][policy];
        const struct mw_chart_series series = {
            .values = run->arrivals,
            .count = run->seconds,
        };
        err = mw_buf_putf(out, "\n%s, %s: arrivals a second\n",
                          mw_herd_event_name((enum mw_herd_event)event),
                          mw_herd_policy_text((enum mw_herd_policy)policy));
        if (!err)
            err = mw_chart_text(out, &series, highest(outcome, event));
    }
    return err;
}

static int put_text(struct mw_buf *out, const struct outcome *outcome)
{
    const struct mw_herd_setup *setup = &outcome->setup;
    int err =
        mw_buf_putf(out,
                    "%zu clients are cut off; %llu a second are asked back; the server takes "
                    "%llu handshakes a second (seed %llu)\n",
                    setup->clients, (unsigned long long)setup->rate_per_s,
                    (unsigned long long)setup->capacity_per_s, (unsigned long long)setup->seed);
    for (size_t event = 0; !err && event < MW_HERD_EVENTS; event++)
        err = put_table(out, outcome, event);
    for (size_t event = 0; !err && event < MW_HERD_EVENTS; event++)
        err = put_curves(out, outcome, event);
    return err;
}

/* ---- JSON ---- */

static void put_run(struct mw_json_writer *json, const struct outcome *outcome, size_t event,
                    size_t policy)
{
    const struct mw_herd_run *run = &outcome->runs[event][policy];
    mw_jw_object(json);
    mw_jw_pair(json, "after", mw_view_text(mw_herd_event_name((enum mw_herd_event)event)));
    mw_jw_pair(json, "policy", mw_view_text(mw_herd_policy_name((enum mw_herd_policy)policy)));
    mw_jw_pair_integer(json, "peak", run->peak);
    mw_jw_pair_integer(json, "attempts", (int64_t)run->attempts);
    mw_jw_pair_integer(json, "back", (int64_t)run->back);
    mw_jw_pair_integer(json, "back_ms", (int64_t)run->back_ms);
    mw_jw_key(json, mw_view_text("arrivals"));
    mw_jw_array(json);
    for (size_t i = 0; i < run->seconds; i++)
        mw_jw_integer(json, run->arrivals[i]);
    mw_jw_array_end(json);
    mw_jw_object_end(json);
}

/* What the clients of a drain are told, in the order of their slots: [after, latest] in ms. */
static void put_slots(struct mw_json_writer *json, const struct mw_herd_setup *setup)
{
    const struct mw_return_plan plan = mw_return_plan(setup->clients, setup->rate_per_s, 0, 0);
    mw_jw_key(json, mw_view_text("slots"));
    mw_jw_array(json);
    for (size_t i = 0; i < setup->clients; i++) {
        const struct mw_advice slot = mw_return_slot(&plan, i);
        mw_jw_array(json);
        mw_jw_integer(json, slot.after_ms);
        mw_jw_integer(json, slot.after_ms + slot.spread_ms);
        mw_jw_array_end(json);
    }
    mw_jw_array_end(json);
}

static int put_json(struct mw_buf *out, const struct outcome *outcome)
{
    struct mw_json_writer json = { .out = out };
    mw_jw_object(&json);
    for (size_t i = 0; i < MW_COUNT(numbers); i++)
        mw_jw_pair_integer(
            &json, numbers[i].flag + 2,
            (int64_t) * (const uint64_t *)((const char *)&outcome->setup + numbers[i].field));
    mw_jw_key(&json, mw_view_text("runs"));
    mw_jw_array(&json);
    for (size_t event = 0; event < MW_HERD_EVENTS; event++) {
        for (size_t policy = 0; policy < MW_HERD_POLICIES; policy++)
            put_run(&json, outcome, event, policy);
    }
    mw_jw_array_end(&json);
    put_slots(&json, &outcome->setup);
    mw_jw_object_end(&json);
    return json.err ? json.err : mw_buf_put_byte(out, '\n');
}

/* ---- the picture ---- */

static int put_svg(struct mw_buf *out, const struct outcome *outcome)
{
    struct mw_chart_series series[MW_HERD_POLICIES * MW_HERD_EVENTS];
    const char *columns[MW_HERD_EVENTS];
    uint32_t tops[MW_HERD_EVENTS];
    struct mw_chart_panels panels = {
        .columns = columns,
        .tops = tops,
        .column_count = MW_HERD_EVENTS,
        .series = series,
        .row_count = MW_HERD_POLICIES,
        .limit = (uint32_t)outcome->setup.capacity_per_s,
    };
    for (size_t event = 0; event < MW_HERD_EVENTS; event++) {
        tops[event] = highest(outcome, event);
        columns[event] = mw_herd_event_text((enum mw_herd_event)event);
        for (size_t policy = 0; policy < MW_HERD_POLICIES; policy++) {
            const struct mw_herd_run *run = &outcome->runs[event][policy];
            series[policy * MW_HERD_EVENTS + event] =
                (struct mw_chart_series){ mw_herd_policy_text((enum mw_herd_policy)policy),
                                          run->arrivals, run->seconds };
            panels.seconds = run->seconds > panels.seconds ? run->seconds : panels.seconds;
        }
    }
    return mw_chart_svg(out, &panels);
}

static int write_whole(const char *path, struct mw_view text)
{
    FILE *file = fopen(path, "w");
    bool is_whole = file && fwrite(text.data, 1, text.len, file) == text.len;
    if (file && fclose(file) != 0)
        is_whole = false;
    return is_whole ? MW_EXIT_OK : mw_cli_fail(MW_EXIT_FAILED, path, "cannot be written");
}

/* ---- the whole ---- */

static int simulate(struct mw_mem *mem, struct outcome *outcome)
{
    int err = MW_OK;
    for (size_t event = 0; event < MW_HERD_EVENTS; event++) {
        for (size_t policy = 0; !err && policy < MW_HERD_POLICIES; policy++)
            err = mw_herd_simulate(mem, &outcome->setup, (enum mw_herd_event)event,
                                   (enum mw_herd_policy)policy, &outcome->runs[event][policy]);
    }
    return err;
}

static void free_runs(struct mw_mem *mem, struct outcome *outcome)
{
    for (size_t event = 0; event < MW_HERD_EVENTS; event++) {
        for (size_t policy = 0; policy < MW_HERD_POLICIES; policy++)
            mw_herd_free(mem, &outcome->runs[event][policy]);
    }
}

static int tell(struct mw_mem *mem, const struct mw_args *args, const struct outcome *outcome)
{
    struct mw_buf text;
    int code = MW_EXIT_OK;
    mw_buf_init(&text, mem, 0);
    int err = args->json ? put_json(&text, outcome) : put_text(&text, outcome);
    if (!err)
        fwrite(text.data, 1, text.len, stdout);
    mw_buf_clear(&text);
    if (!err && args->svg)
        err = put_svg(&text, outcome);
    if (!err && args->svg)
        code = write_whole(args->svg, mw_buf_view(&text));
    mw_buf_free(&text);
    return err ? mw_cli_fail(MW_EXIT_FAILED, "", "out of memory") : code;
}

int mw_cmd_simulate(const struct mw_args *args)
{
    struct outcome outcome = { 0 };
    struct mw_mem mem;
    if (args->dir && strcmp(args->dir, "resume") == 0)
        return mw_simulate_resume(args);
    int code = read_setup(args, &outcome.setup);
    if (code)
        return code;
    mw_mem_init(&mem, 0, 0);
    if (simulate(&mem, &outcome))
        code = mw_cli_fail(MW_EXIT_FAILED, "", "out of memory");
    else
        code = tell(&mem, args, &outcome);
    free_runs(&mem, &outcome);
    return code;
}
