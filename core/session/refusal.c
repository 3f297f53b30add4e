/*
 * The handshake's side of advice: what a Close frame says in its reason, an HTTP answer says in
 * Retry-After and in its body. Decides nothing else. Called for each refusal: by http_conn for what
 * is no request, by server/http_driver for those that are.
 */
#include "core/session/refusal.h"

#include "core/base/check.h"
#include "core/session/cause.h"

/*
 * Where the cause has no advice of its own: what is the server's fault (RFC 9110 15.6) or a matter
 * of time passes; all else will be the same the next time.
 */
static struct mw_advice advice_of_status(unsigned status)
{
    static const struct mw_advice later = { .kind = MW_ADVICE_RETURN,
                                            .after_ms = 5000,
                                            .spread_ms = 25000 };
    bool passes = status == 408 || status == 425 || status == 429 || status == 500 ||
                  (status >= 502 && status <= 504);
    return passes ? later : (struct mw_advice){ .kind = MW_ADVICE_STAY };
}

struct mw_http_told mw_refusal_told(unsigned status, const char *error)
{
    static const struct {
        const char *error;
        enum mw_cause cause;
    } rows[] = {
#define MW_REFUSAL(error, cause) { #error, MW_CAUSE_##cause },
#include "core/session/refusal.def"
#undef MW_REFUSAL
    };
    struct mw_http_told told = { .retry = advice_of_status(status) };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        const struct mw_cause_row *row = mw_cause_row(rows[i].cause);
        if (strcmp(rows[i].error, error) != 0)
            continue;
        told.cause = row->name;
        if (row->advice.kind != MW_ADVICE_NONE)
            told.retry = row->advice;
    }
    return told;
}
