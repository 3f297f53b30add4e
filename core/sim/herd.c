/*
 * Clients as timers of a wheel, the server as a bucket of tokens. Called by cli/cmd_simulate, which
 * draws what comes of it.
 */
#include "core/sim/herd.h"

#include "core/base/clock.h"
#include "core/base/rate.h"
#include "core/base/rng.h"
#include "core/base/wheel.h"
#include "core/session/reconnect.h"
#include "core/session/return_plan.h"

/* Moments of the run begin here: 0 would be no moment for a bucket. */
#define BEGIN_MS 1000

/* As drain.timeout by default: what the closes may take. */
#define CLOSES_MOST_MS 2500

static const struct {
    const char *name, *text;
    unsigned code;
    mw_ms down_ms;
} events[] = {
#define MW_HERD_EVENT(name, code, down_ms, text) { #name, text, code, down_ms },
    MW_HERD_EVENT_LIST(MW_HERD_EVENT)
#undef MW_HERD_EVENT
};

static const struct {
    const char *name, *text;
} policies[] = {
#define MW_HERD_POLICY(name, text) { #name, text },
    MW_HERD_POLICY_LIST(MW_HERD_POLICY)
#undef MW_HERD_POLICY
};

struct client {
    struct mw_timer timer;
    uint32_t tries;   /* that have failed */
    uint32_t last_ms; /* the delay before */
    struct mw_reconnect policy;
};

struct herd {
    const struct mw_herd_setup *setup;
    enum mw_herd_event event;
    enum mw_herd_policy policy;
    const struct mw_close_policy *row; /* of the code */
    struct mw_return_plan plan;
    struct mw_rng rng;
    struct mw_rate door;
    struct mw_wheel wheel;
    struct client *clients;
    struct mw_herd_run *run;
};

/* ---- when ---- */

/* least to most, both included */
static mw_ms between(struct mw_rng *rng, mw_ms least_ms, mw_ms most_ms)
{
    return least_ms + mw_rng_below(rng, most_ms - least_ms + 1);
}

/* By the client that we ship: what it was told, else its own policy. */
static mw_ms shipped_ms(struct herd *herd, struct client *client,
                        const struct mw_reconnect_end *end)
{
    return mw_reconnect_next(&client->policy, end, &herd->rng).after_ms;
}

static mw_ms delay_ms(struct herd *herd, struct client *client)
{
    const struct mw_close_policy *row = herd->row;
    mw_ms least_ms = mw_reconnect_grown(row, row->least_ms, client->tries);
    const struct mw_reconnect_end end = { .code = events[herd->event].code };
    switch (herd->policy) {
    case MW_HERD_BY_no_jitter:
        return least_ms;
    case MW_HERD_BY_full_jitter:
        return between(&herd->rng, 0, least_ms);
    case MW_HERD_BY_decorrelated:
        return mw_ms_min(row->cap_ms,
                         between(&herd->rng, row->least_ms, (mw_ms)client->last_ms * 3));
    case MW_HERD_BY_slots:
        return shipped_ms(herd, client, &end);
    case MW_HERD_POLICIES:
        break;
    }
    return MW_NEVER;
}

/* From the moment at which all are cut off, or the first one is. They had been there for long. */
static mw_ms first_ms(struct herd *herd, size_t i)
{
    struct client *client = &herd->clients[i];
    if (herd->policy != MW_HERD_BY_slots || herd->event != MW_HERD_drain)
        return delay_ms(herd, client);
    const struct mw_reconnect_end end = {
        .code = events[herd->event].code,
        .advice = mw_return_slot(&herd->plan, i),
        .uptime_ms = MW_RECONNECT_UPTIME_MS,
        .opened = true,
    };
    return mw_return_close_ms(&herd->plan, i) + shipped_ms(herd, client, &end);
}

/* ---- the run ---- */

static bool is_taken(struct herd *herd, mw_ms at_ms)
{
    double capacity = (double)herd->setup->capacity_per_s;
    return at_ms >= BEGIN_MS + events[herd->event].down_ms &&
           mw_rate_take(&herd->door, capacity, capacity, at_ms);
}

static void note_arrival(struct mw_herd_run *run, mw_ms since_ms)
{
    size_t second = (size_t)(since_ms / 1000);
    if (run->seconds <= second)
        run->seconds = second + 1;
    if (++run->arrivals[second] > run->peak)
        run->peak = run->arrivals[second];
    run->attempts++;
}

static void arrive(struct herd *herd, struct client *client, mw_ms at_ms)
{
    mw_ms since_ms = at_ms - BEGIN_MS;
    if (since_ms >= MW_HERD_MAX_S * 1000)
        return;
    note_arrival(herd->run, since_ms);
    if (is_taken(herd, at_ms)) {
        herd->run->back++;
        herd->run->back_ms = since_ms;
        return;
    }
    client->tries++;
    client->last_ms = (uint32_t)delay_ms(herd, client);
    mw_wheel_start(&herd->wheel, &client->timer, mw_ms_add(at_ms, client->last_ms));
}

static void cut_off(struct herd *herd)
{
    for (size_t i = 0; i < herd->setup->clients; i++) {
        struct client *client = &herd->clients[i];
        mw_timer_init(&client->timer);
        client->last_ms = herd->row->least_ms;
        mw_ms after_ms = first_ms(herd, i);
        client->last_ms = (uint32_t)after_ms;
        mw_wheel_start(&herd->wheel, &client->timer, BEGIN_MS + after_ms);
    }
}

static void run_out(struct herd *herd)
{
    for (mw_ms at_ms; (at_ms = mw_wheel_next(&herd->wheel)) != MW_NEVER;) {
        mw_wheel_advance(&herd->wheel, at_ms);
        for (struct mw_timer *timer; (timer = mw_wheel_pop(&herd->wheel));)
            arrive(herd, MW_OWNER(timer, struct client, timer), timer->at_ms);
    }
}

int mw_herd_simulate(struct mw_mem *mem, const struct mw_herd_setup *setup,
                     enum mw_herd_event event, enum mw_herd_policy policy, struct mw_herd_run *run)
{
    struct herd herd = {
        .setup = setup,
        .event = event,
        .policy = policy,
        .row = &mw_close_row(events[event].code)->policy,
        .plan = mw_return_plan(setup->clients, setup->rate_per_s, 0, CLOSES_MOST_MS),
        .run = run,
    };
    size_t size = setup->clients * sizeof *herd.clients;
    *run = (struct mw_herd_run){ 0 };
    herd.clients = mw_alloc_zero(mem, size);
    run->arrivals = mw_alloc_zero(mem, MW_HERD_MAX_S * sizeof *run->arrivals);
    if (!herd.clients || !run->arrivals) {
        mw_free(mem, herd.clients, size);
        mw_herd_free(mem, run);
        return MW_ERR_NOMEM;
    }
    mw_rng_seed(&herd.rng, setup->seed);
    mw_wheel_init(&herd.wheel, BEGIN_MS);
    cut_off(&herd);
    run_out(&herd);
    mw_free(mem, herd.clients, size);
    return MW_OK;
}

void mw_herd_free(struct mw_mem *mem, struct mw_herd_run *run)
{
    mw_free(mem, run->arrivals, MW_HERD_MAX_S * sizeof *run->arrivals);
    run->arrivals = 0;
}

/* ---- names ---- */

const char *mw_herd_event_name(enum mw_herd_event event)
{
    return events[event].name;
}

const char *mw_herd_event_text(enum mw_herd_event event)
{
    return events[event].text;
}

const char *mw_herd_policy_name(enum mw_herd_policy policy)
{
    return policies[policy].name;
}

const char *mw_herd_policy_text(enum mw_herd_policy policy)
{
    return policies[policy].text;
}
