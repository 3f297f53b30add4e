/*
 * The verdict on silence: from two connections that were held at the same time, one silent as far
 * as the server lets it be, one that spoke all the time. Where only the silent one was cut, silence
 * is what is limited; where both were, at the same age, life is. Called by the walk.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/doctor/judge.h"
#include "core/explain/idle_limits.h"

/*
 * What two ends may lie apart and still be of one age; and how much later than it happened an end
 * is seen, on a machine that is busy.
 */
#define ALIKE_MS 500

static const char *how(const struct mw_doctor_end *end)
{
    if (end->cause == MW_CAUSE_peer_reset)
        return "by RST";
    return end->cause == MW_CAUSE_tls_error ? "by a fault of TLS" : "by FIN, without a Close frame";
}

/* What to type where the time tells nothing, by who answered. HAProxy does not say its name. */
static const char *change_of(enum mw_cut_kind kind, const char *server)
{
    static const struct {
        const char *name, *change;
    } rows[] = {
        { "nginx", "nginx: proxy_read_timeout 1h;\nnginx: proxy_send_timeout 1h;" },
        { "Apache", "Apache: ProxyTimeout 3600" },
        { "envoy", "envoy: stream_idle_timeout, and idle_timeout of the route" },
        { "Caddy", "Caddy: stream_timeout of reverse_proxy" },
    };
    if (kind == MW_CUT_LIFETIME)
        return "what stands in front: its limit on how long a connection may last\n"
               "is it reloaded at such times? (nginx: worker_shutdown_timeout)";
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        if (!strncmp(server, rows[i].name, strlen(rows[i].name)))
            return rows[i].change;
    }
    return "HAProxy: timeout tunnel 1h, else timeout client and timeout server count\n"
           "nginx: proxy_read_timeout 1h;";
}

/* What is known to do that, and what to type; or what would have to be looked for. */
static void tell_limit(struct mw_doctor_line *line, enum mw_cut_kind kind, mw_ms after_ms,
                       const struct mw_doctor_who *who)
{
    const struct mw_idle_limit *known = mw_idle_limit_of(kind, after_ms);
    unsigned better_s = mw_idle_better_s(kind, after_ms);
    char ours[128];
    snprintf(ours, sizeof ours, "in the script: limits = { %s = %u }",
             kind == MW_CUT_SILENCE ? "ping" : "age", better_s);
    mw_doctor_why(line,
                  "Something on the path ends connections by itself; browsers show 1006 and "
                  "no reason. %s%s%s.",
                  known ? "That fits " : "No default of a common proxy is that short or long",
                  known ? known->says : "",
                  known && !known->is_verified ? " (not verified by us)" : "");
    mw_doctor_fix(line, "%s\n%s", known ? known->change : change_of(kind, who->server), ours);
}

static void tell_server(struct mw_doctor_line *line, const struct mw_doctor_end *end)
{
    char after[32];
    mw_doctor_put_seconds(after, end->uptime_ms);
    line->state = MW_DOCTOR_WARN;
    mw_doctor_value(line, "closed with %u%s%s%s after %s, by the server", end->said_code,
                    *end->said ? " \"" : "", end->said, *end->said ? "\"" : "", after);
    mw_doctor_why(line, "That is a rule of the server's own: a browser shows the code.");
    mw_doctor_fix(line, "moonwire explain %u\nin the script: limits = { idle, age, ping }",
                  end->said_code);
}

/* The pings that a connection has otherwise come before the cut: twice, so that one may get lost.
 */
static void tell_kept_open(struct mw_doctor_line *line, const struct mw_doctor_end *end,
                           const struct mw_doctor_who *who, const char *silent)
{
    mw_doctor_value(line,
                    "cut %s after %s of silence (to half a second); the server's pings, every "
                    "%u s, come before that",
                    how(end), silent, who->ping_s);
    if ((mw_ms)who->ping_s * 2000 <= end->silent_ms) {
        line->state = MW_DOCTOR_OK;
        return;
    }
    line->state = MW_DOCTOR_WARN;
    mw_doctor_why(line, "One ping that is lost, or late, is enough for the connection to be cut.");
    mw_doctor_fix(line, "in the script: limits = { ping = %u }",
                  mw_idle_better_s(MW_CUT_SILENCE, end->silent_ms));
}

static void tell_silence(struct mw_doctor_line *line, const struct mw_doctor_idle *idle,
                         const struct mw_doctor_who *who)
{
    const struct mw_doctor_end *end = &idle->silent.end;
    char silent[32];
    mw_doctor_put_seconds(silent, end->silent_ms);
    if (idle->is_promised && who->ping_s && (mw_ms)who->ping_s * 1000 < end->silent_ms) {
        tell_kept_open(line, end, who, silent);
        return;
    }
    line->state = MW_DOCTOR_FAIL;
    mw_doctor_value(line,
                    "cut %s after %s of silence (to half a second); one that spoke stayed "
                    "open",
                    how(end), silent);
    tell_limit(line, MW_CUT_SILENCE, end->silent_ms, who);
}

static void tell_lifetime(struct mw_doctor_line *line, const struct mw_doctor_end *end,
                          const struct mw_doctor_who *who)
{
    char after[32];
    mw_doctor_put_seconds(after, end->uptime_ms);
    line->state = MW_DOCTOR_FAIL;
    mw_doctor_value(line, "cut %s after %s of life (to half a second), although it spoke", how(end),
                    after);
    tell_limit(line, MW_CUT_LIFETIME, end->uptime_ms, who);
}

static void tell_open(struct mw_doctor_line *line, const struct mw_doctor_idle *idle,
                      const struct mw_doctor_who *who)
{
    char held[32], quiet[32];
    bool is_kept = idle->silent.quiet_ms + 1000 < idle->wanted_ms;
    mw_doctor_put_seconds(held, idle->wanted_ms);
    mw_doctor_put_seconds(quiet, idle->silent.quiet_ms);
    line->state = MW_DOCTOR_OK;
    mw_doctor_value(line, "nothing cut it in %s; the longest silence was %s%s", held, quiet,
                    !is_kept ? ""
                    : who->ping_s
                        ? ", for the server's pings end it: a longer limit cannot be seen from here"
                        : ", for the server spoke: a longer limit cannot be seen from here");
    if (is_kept)
        mw_doctor_fix(line, "to see it, name a route with limits = { ping = 0 }: --path /ROUTE");
}

void mw_doctor_judge_idle(struct mw_doctor_line *line, const struct mw_doctor_idle *idle,
                          const struct mw_doctor_who *who)
{
    const struct mw_doctor_end *silent = &idle->silent.end, *talking = &idle->talking.end;
    mw_ms apart_ms = silent->uptime_ms > talking->uptime_ms
                         ? silent->uptime_ms - talking->uptime_ms
                         : talking->uptime_ms - silent->uptime_ms;
    bool both = silent->is_over && talking->is_over;
    if (!silent->is_over && !talking->is_over)
        tell_open(line, idle, who);
    else if (silent->is_over && silent->rule == MW_RULE_NONE && silent->has_close)
        tell_server(line, silent);
    else if (both && apart_ms <= ALIKE_MS)
        tell_lifetime(line, talking, who);
    else if (silent->is_over && (!both || silent->uptime_ms < talking->uptime_ms))
        tell_silence(line, idle, who);
    else if (talking->has_close)
        tell_server(line, talking);
    else
        tell_lifetime(line, talking, who);
}
