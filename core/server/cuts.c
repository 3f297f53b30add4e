/*
 * Looking for one number in many deaths. Called by ending for each connection that the network has
 * ended; what is found is a line of the log, and nothing is changed.
 *
 * How random deaths are kept from looking like a limit: short times are left out, since all random
 * ones are dense there; the number has to be that of most moments; and a few moments have to be
 * closer to each other than many.
 */
#include "core/server/cuts.h"

#include "core/base/check.h"

/* Below that no proxy cuts, and people leave. */
#define LEAST_SILENCE_MS  10000
#define LEAST_LIFETIME_MS 60000

/* Alike: within 2 %, or 1.5 s. */
#define NEAR_MS      1500
#define NEAR_PERCENT 2

/* Most: three of four. */
#define MOST_PERCENT 75

/* So many moments are enough when they lie within `part` of what is alike (in percent). */
static const struct {
    unsigned moments, part;
} enough[] = { { 5, 50 }, { 10, 100 } };

/* What is known to have such a limit by default; in seconds. */
static const struct {
    enum mw_cut_kind kind;
    unsigned after_s;
    const char *who;
} known[] = {
    { MW_CUT_SILENCE, 30, "some home routers: 30 s" },
    { MW_CUT_SILENCE, 55, "Heroku's router: 55 s" },
    { MW_CUT_SILENCE, 60, "the default of nginx (proxy_read_timeout) and of AWS ALB is 60 s" },
    { MW_CUT_SILENCE, 100, "Cloudflare: 100 s" },
    { MW_CUT_SILENCE, 240, "Azure's load balancer: 240 s" },
    { MW_CUT_SILENCE, 350, "AWS NLB: 350 s" },
    { MW_CUT_SILENCE, 600, "AWS API Gateway: 10 min" },
    { MW_CUT_SILENCE, 3600, "HAProxy's documentation has timeout tunnel 1h" },
    { MW_CUT_LIFETIME, 240, "the shutdown timeout of ingress-nginx workers: 240 s after a reload" },
    { MW_CUT_LIFETIME, 7200, "AWS API Gateway: 2 h in all" },
};

static mw_ms near_ms(mw_ms value_ms)
{
    mw_ms near = value_ms * NEAR_PERCENT / 100;
    return near > NEAR_MS ? near : NEAR_MS;
}

static bool is_within(mw_ms a_ms, mw_ms b_ms, mw_ms span_ms)
{
    return a_ms > b_ms ? a_ms - b_ms <= span_ms : b_ms - a_ms <= span_ms;
}

/* 0: it says nothing of this kind. */
static mw_ms value_of(const struct mw_cut_death *death, enum mw_cut_kind kind)
{
    bool was_idle = is_within(death->lasted_ms, death->silent_ms, near_ms(death->lasted_ms));
    switch (kind) {
    case MW_CUT_SILENCE:
        return death->by_timeout ? 0 : death->silent_ms;
    case MW_CUT_LIFETIME:
        return was_idle ? 0 : death->lasted_ms;
    }
    return 0;
}

static mw_ms least_of(enum mw_cut_kind kind)
{
    return kind == MW_CUT_SILENCE ? LEAST_SILENCE_MS : LEAST_LIFETIME_MS;
}

/*
 * Moments at which somebody died with a value within `span_ms` of `value_ms`. The longer the value,
 * the farther apart they have to be: those who came together leave together.
 */
static unsigned count_moments(const struct mw_cuts *cuts, enum mw_cut_kind kind, mw_ms now_ms,
                              mw_ms value_ms, mw_ms span_ms)
{
    unsigned kept = cuts->noted < MW_CUTS_MOMENTS ? cuts->noted : MW_CUTS_MOMENTS, moments = 0;
    mw_ms last_ms = MW_NEVER;
    for (unsigned i = cuts->noted - kept; i != cuts->noted; i++) {
        const struct mw_cut_death *death = &cuts->deaths[i % MW_CUTS_MOMENTS];
        bool is_apart = last_ms == MW_NEVER || death->at_ms - last_ms >= 2 * near_ms(value_ms);
        if (now_ms - death->at_ms > MW_CUTS_SPAN_MS || !is_apart ||
            !is_within(value_of(death, kind), value_ms, span_ms))
            continue;
        last_ms = death->at_ms;
        moments++;
    }
    return moments;
}

static bool is_found(const struct mw_cuts *cuts, enum mw_cut_kind kind,
                     const struct mw_cut_death *death, struct mw_cut_finding *finding)
{
    mw_ms value_ms = value_of(death, kind);
    if (value_ms < least_of(kind))
        return false;
    unsigned all = count_moments(cuts, kind, death->at_ms, value_ms, MW_NEVER);
    for (size_t i = 0; i < MW_COUNT(enough); i++) {
        mw_ms span_ms = near_ms(value_ms) * enough[i].part / 100;
        unsigned alike = count_moments(cuts, kind, death->at_ms, value_ms, span_ms);
        if (alike < enough[i].moments || alike * 100 < all * MOST_PERCENT)
            continue;
        *finding = (struct mw_cut_finding){ .kind = kind, .moments = alike, .after_ms = value_ms };
        return true;
    }
    return false;
}

/* ---- what it means ---- */

const char *mw_cut_known(enum mw_cut_kind kind, mw_ms after_ms)
{
    for (size_t i = 0; i < MW_COUNT(known); i++) {
        mw_ms known_ms = (mw_ms)known[i].after_s * 1000;
        if (known[i].kind == kind && is_within(known_ms, after_ms, near_ms(known_ms)))
            return known[i].who;
    }
    return "";
}

/* One ping may get lost; an age leaves time to come back. */
static unsigned better_s(enum mw_cut_kind kind, mw_ms after_ms)
{
    static const unsigned round[] = { 240, 120, 60, 45, 25, 20, 15, 10, 8, 5, 4 };
    if (kind == MW_CUT_LIFETIME)
        return (unsigned)(after_ms / 1000 * 9 / 10);
    for (size_t i = 0; i < MW_COUNT(round); i++) {
        if ((mw_ms)round[i] * 1000 * 2 < after_ms)
            return round[i];
    }
    return round[MW_COUNT(round) - 1];
}

/* ---- one more ---- */

static bool may_tell(const struct mw_cuts *cuts, enum mw_cut_kind kind, mw_ms now_ms)
{
    return !cuts->has_told[kind] || now_ms - cuts->told_ms[kind] >= MW_CUTS_SPAN_MS;
}

/* False: it belongs to the moment before. */
static bool keep(struct mw_cuts *cuts, const struct mw_cut_death *death)
{
    const struct mw_cut_death *last = &cuts->deaths[(cuts->noted - 1) % MW_CUTS_MOMENTS];
    if (cuts->noted > 0 && death->at_ms - last->at_ms < MW_CUTS_MOMENT_MS)
        return false;
    cuts->deaths[cuts->noted++ % MW_CUTS_MOMENTS] = *death;
    if (cuts->noted == 0)
        cuts->noted = MW_CUTS_MOMENTS;
    return true;
}

bool mw_cuts_note(struct mw_cuts *cuts, const struct mw_cut_death *death,
                  struct mw_cut_finding *finding)
{
    if (!keep(cuts, death))
        return false;
    for (int i = 0; i < MW_CUT_KINDS; i++) {
        enum mw_cut_kind kind = (enum mw_cut_kind)i;
        if (!may_tell(cuts, kind, death->at_ms) || !is_found(cuts, kind, death, finding))
            continue;
        finding->known = mw_cut_known(kind, finding->after_ms);
        finding->better_s = better_s(kind, finding->after_ms);
        cuts->has_told[kind] = true;
        cuts->told_ms[kind] = death->at_ms;
        return true;
    }
    return false;
}
