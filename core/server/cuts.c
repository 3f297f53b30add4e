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

/* Most: three of four. */
#define MOST_PERCENT 75

/* So many moments are enough when they lie within `part` of what is alike (in percent). */
static const struct {
    unsigned moments, part;
} enough[] = { { 5, 50 }, { 10, 100 } };

static bool is_within(mw_ms a_ms, mw_ms b_ms, mw_ms span_ms)
{
    return a_ms > b_ms ? a_ms - b_ms <= span_ms : b_ms - a_ms <= span_ms;
}

/* 0: it says nothing of this kind. */
static mw_ms value_of(const struct mw_cut_death *death, enum mw_cut_kind kind)
{
    bool was_idle =
        is_within(death->lasted_ms, death->silent_ms, mw_idle_near_ms(death->lasted_ms));
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
        bool is_apart =
            last_ms == MW_NEVER || death->at_ms - last_ms >= 2 * mw_idle_near_ms(value_ms);
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
        mw_ms span_ms = mw_idle_near_ms(value_ms) * enough[i].part / 100;
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
    const struct mw_idle_limit *limit = mw_idle_limit_of(kind, after_ms);
    return limit ? limit->says : "";
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
        finding->better_s = mw_idle_better_s(kind, finding->after_ms);
        cuts->has_told[kind] = true;
        cuts->told_ms[kind] = death->at_ms;
        return true;
    }
    return false;
}
