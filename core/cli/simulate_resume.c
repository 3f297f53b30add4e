/*
 * `moonwire simulate resume`: schedules of cuts, each of a seed, until one does not hold; that one
 * can be run alone. Touches no network and no project.
 */
#include "core/cli/simulate_resume.h"

#include <stdio.h>

#include "core/base/json.h"
#include "core/base/str.h"
#include "core/cli/settings.h"
#include "core/server/server.h"
#include "core/sim/resume_sim.h"

#define SCHEDULES_MOST 100000000

struct outcome {
    uint64_t first_seed, schedules;
    struct mw_resume_tally tally;
    uint64_t held;      /* of the schedules; fewer than all: the next one did not */
    const char *broken; /* what did not hold */
};

static int read_number(const char *flag, const char *text, uint64_t most, uint64_t *out)
{
    char why[96];
    if (!text || mw_parse_u64(mw_view_text(text), 0, most, out))
        return MW_EXIT_OK;
    snprintf(why, sizeof why, "%s wants a whole number from 0 to %llu", flag,
             (unsigned long long)most);
    return mw_cli_fail(MW_EXIT_USAGE, "", why);
}

static int read_outcome(const struct mw_args *args, struct outcome *outcome)
{
    *outcome = (struct outcome){ .first_seed = 1, .schedules = 10000 };
    if (args->clients || args->rate || args->capacity || args->svg)
        return mw_cli_fail(MW_EXIT_USAGE, "", "simulate resume takes --seed, --schedules, --json");
    int code = read_number("--seed", args->seed, INT64_MAX - SCHEDULES_MOST, &outcome->first_seed);
    return code ? code
                : read_number("--schedules", args->schedules, SCHEDULES_MOST, &outcome->schedules);
}

static void run(struct mw_mem *mem, struct outcome *outcome)
{
    for (; outcome->held < outcome->schedules && !outcome->broken; outcome->held++) {
        outcome->broken =
            mw_resume_simulate(mem, outcome->first_seed + outcome->held, &outcome->tally);
        if (outcome->broken)
            return;
    }
}

static void put_text(const struct outcome *outcome)
{
    printf("%llu schedules of cuts, from seed %llu on\n", (unsigned long long)outcome->held,
           (unsigned long long)outcome->first_seed);
#define PUT(name, text) printf("%10llu  %s\n", (unsigned long long)outcome->tally.name, text);
    MW_RESUME_TALLY_LIST(PUT)
#undef PUT
    if (!outcome->broken)
        puts("No message of a session was lost without a word, none came twice.");
}

static int put_json(struct mw_mem *mem, const struct outcome *outcome)
{
    struct mw_buf text;
    struct mw_json_writer json = { .out = &text };
    mw_buf_init(&text, mem, 0);
    mw_jw_object(&json);
    mw_jw_pair_integer(&json, "first_seed", (int64_t)outcome->first_seed);
    mw_jw_pair_integer(&json, "held", (int64_t)outcome->held);
    if (outcome->broken)
        mw_jw_pair(&json, "broken", mw_view_text(outcome->broken));
#define PUT(name, text) mw_jw_pair_integer(&json, #name, (int64_t)outcome->tally.name);
    MW_RESUME_TALLY_LIST(PUT)
#undef PUT
    mw_jw_object_end(&json);
    if (!json.err)
        printf("%.*s\n", (int)text.len, text.data);
    mw_buf_free(&text);
    return json.err ? mw_cli_fail(MW_EXIT_FAILED, "", "out of memory") : MW_EXIT_OK;
}

int mw_simulate_resume(const struct mw_args *args)
{
    struct outcome outcome;
    struct mw_mem mem;
    char why[160];
    int code = read_outcome(args, &outcome);
    if (code)
        return code;
    mw_mem_init(&mem, 0, 0);
    run(&mem, &outcome);
    if (args->json)
        code = put_json(&mem, &outcome);
    else
        put_text(&outcome);
    if (code || !outcome.broken)
        return code;
    snprintf(why, sizeof why, "%s; again: moonwire simulate resume --schedules 1 --seed %llu",
             outcome.broken, (unsigned long long)(outcome.first_seed + outcome.held));
    return mw_cli_fail(MW_EXIT_FAILED, "", why);
}
