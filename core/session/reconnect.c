/*
 * The policy of a client that comes back. Decides from numbers alone: knows no connection, clock or
 * timer; outbound/returning waits for what is said here, and sim/herd does so ten thousandfold.
 */
#include "core/session/reconnect.h"

#include <limits.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/proto/close.h"

struct range {
    mw_ms least_ms, most_ms;
};

/* ---- how long ---- */

mw_ms mw_reconnect_grown(const struct mw_close_policy *policy, mw_ms ms, unsigned failures)
{
    while (failures-- > 0 && ms < policy->cap_ms)
        ms *= policy->growth;
    return mw_ms_min(ms, policy->cap_ms);
}

/* The floor does not grow: where it met the cap, all would come at one moment again. */
static struct range range_of_policy(const struct mw_close_policy *policy, unsigned failures)
{
    return (struct range){ policy->least_ms,
                           mw_reconnect_grown(policy, policy->most_ms, failures) };
}

static mw_ms later(mw_ms a, mw_ms b)
{
    return a > b ? a : b;
}

/*
 * As told, to the letter, as long as it works. A server that says "at once" to a client which it
 * cannot keep would be asked without end: what has failed comes no sooner than after a cut line.
 */
static struct range range_of_advice(const struct mw_advice *advice, unsigned failures)
{
    struct range told = { advice->after_ms, (mw_ms)advice->after_ms + advice->spread_ms };
    if (failures == 0)
        return told;
    struct range own = range_of_policy(&mw_close_row(MW_CLOSE_ABNORMAL)->policy, failures);
    return (struct range){ later(told.least_ms, own.least_ms), later(told.most_ms, own.most_ms) };
}

/* ---- whether ---- */

const struct mw_close_row *mw_reconnect_row_of_status(unsigned status)
{
    static const struct {
        unsigned first, last, code;
    } rows[] = {
        { 101, 101, MW_CLOSE_PROTOCOL_ERROR }, /* an answer that breaks the handshake's rules */
        { 401, 401, 3000 },
        { 403, 403, 3003 },
        { 408, 408, MW_CLOSE_INTERNAL },
        { 429, 429, MW_CLOSE_TRY_LATER },
        { 502, 502, 1014 },
        { 503, 503, MW_CLOSE_TRY_LATER },
        { 504, 504, 1014 },
        { 500, 599, MW_CLOSE_INTERNAL },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        if (status >= rows[i].first && status <= rows[i].last)
            return mw_close_row(rows[i].code);
    }
    return mw_close_row(MW_CLOSE_UNSUPPORTED_DATA);
}

static bool is_refusal(const struct mw_reconnect_end *end)
{
    return !end->opened && end->status != 0;
}

static const struct mw_close_policy *policy_of(const struct mw_reconnect_end *end)
{
    const struct mw_close_row *row =
        is_refusal(end) ? mw_reconnect_row_of_status(end->status) : mw_close_row(end->code);
    return &row->policy;
}

static enum mw_reconnect_why judge_policy(const struct mw_close_policy *policy,
                                          const struct mw_reconnect_end *end, unsigned failures)
{
    if (!policy->retry)
        return is_refusal(end) ? MW_RECONNECT_REFUSED : MW_RECONNECT_CODE;
    return policy->tries && failures >= policy->tries ? MW_RECONNECT_TRIES : MW_RECONNECT_RETURNS;
}

static enum mw_reconnect_why judge(const struct mw_reconnect_end *end, unsigned failures)
{
    if (end->ours)
        return MW_RECONNECT_OURS;
    switch ((enum mw_advice_kind)end->advice.kind) {
    case MW_ADVICE_STAY:
        return MW_RECONNECT_TOLD;
    case MW_ADVICE_RETURN:
        return MW_RECONNECT_RETURNS;
    case MW_ADVICE_NONE:
        break;
    }
    return judge_policy(policy_of(end), end, failures);
}

/* ---- both ---- */

/* An attempt that never opened leaves the session as it was, unless it is told otherwise. */
static void note_session(struct mw_reconnect *client, const struct mw_reconnect_end *end)
{
    if (end->opened)
        client->resumable = policy_of(end)->resume;
    if (end->advice.afresh)
        client->resumable = false;
}

struct mw_reconnect_step mw_reconnect_next(struct mw_reconnect *client,
                                           const struct mw_reconnect_end *end, struct mw_rng *rng)
{
    if (end->opened && end->uptime_ms >= MW_RECONNECT_UPTIME_MS)
        client->failures = 0;
    enum mw_reconnect_why why = judge(end, client->failures);
    if (why != MW_RECONNECT_RETURNS) {
        *client = (struct mw_reconnect){ 0 };
        return (struct mw_reconnect_step){ .why = why };
    }
    note_session(client, end);
    struct range range = end->advice.kind == MW_ADVICE_RETURN
                             ? range_of_advice(&end->advice, client->failures)
                             : range_of_policy(policy_of(end), client->failures);
    if (client->failures < UINT_MAX)
        client->failures++;
    return (struct mw_reconnect_step){
        .why = why,
        .after_ms = range.least_ms + mw_rng_below(rng, range.most_ms - range.least_ms + 1),
        .least_ms = range.least_ms,
        .most_ms = range.most_ms,
        .attempt = client->failures,
        .resume = client->resumable,
    };
}

/* ---- names ---- */

static const struct {
    const char *name, *text;
} whys[] = {
    [MW_RECONNECT_RETURNS] = { "returns", "it comes back" },
    [MW_RECONNECT_OURS] = { "ours", "it was closed from this side" },
    [MW_RECONNECT_TOLD] = { "told", "the server said not to come back" },
    [MW_RECONNECT_CODE] = { "code", "the code says that it would only happen again" },
    [MW_RECONNECT_REFUSED] = { "refused", "the server would only refuse it again" },
    [MW_RECONNECT_TRIES] = { "tries", "it has failed too often in a row" },
};

const char *mw_reconnect_why_name(enum mw_reconnect_why why)
{
    return whys[why].name;
}

const char *mw_reconnect_why_text(enum mw_reconnect_why why)
{
    return whys[why].text;
}
