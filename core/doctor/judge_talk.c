/*
 * Verdicts on an open connection: what comes back, what does not, and how it ended. Called by the
 * walk.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/doctor/judge.h"
#include "core/proto/close.h"

#define BROWSERS_1006 "Browsers show 1006 and no reason."
/* So much slower than the handshake, which is more work, a ping is not by itself. */
#define SLOW_US 150000

void mw_doctor_end_of(struct mw_doctor_end *end, const struct mw_ws_ended *ended)
{
    end->is_over = true;
    end->opened = ended->opened;
    end->ours = ended->ours;
    end->clean = ended->clean;
    end->fault = ended->fault;
    end->cause = ended->cause;
    end->rule = ended->rule;
    end->code = ended->code;
    end->uptime_ms = ended->uptime_ms;
    end->silent_ms = ended->silent_ms;
    snprintf(end->text, sizeof end->text, "%s", ended->text ? ended->text : "");
    end->byte_count = ended->bytes.len < sizeof end->bytes ? ended->bytes.len : sizeof end->bytes;
    if (end->byte_count)
        memcpy(end->bytes, ended->bytes.data, end->byte_count);
}

void mw_doctor_end_said(struct mw_doctor_end *end, struct mw_view payload)
{
    const unsigned char *bytes = (const unsigned char *)payload.data;
    end->has_close = true;
    end->said_code = payload.len >= 2 ? (unsigned)bytes[0] << 8 | bytes[1] : 1005;
    if (payload.len > 2)
        snprintf(end->said, sizeof end->said, "%.*s", (int)(payload.len - 2), payload.data + 2);
}

void mw_doctor_put_seconds(char out[32], mw_ms ms)
{
    if (ms < 100000)
        snprintf(out, 32, "%llu.%llu s", (unsigned long long)(ms / 1000),
                 (unsigned long long)(ms % 1000 / 100));
    else
        snprintf(out, 32, "%llu s", (unsigned long long)((ms + 500) / 1000));
}

/* ---- a connection that ended too early ---- */

static const char *fix_of(enum mw_rule rule)
{
    static const struct {
        enum mw_rule rule;
        const char *fix;
    } fixes[] = {
        { MW_RULE_HTTP_TEXT, "something still speaks HTTP on the upgraded connection: take other "
                             "proxies off this path\nnode: one 'upgrade' listener per server" },
        { MW_RULE_MASKED, "a server masks no frame: this one answers as a client would" },
        { MW_RULE_RSV, "something compresses that was not asked to, or rewrites frames: compare "
                       "with a connection that goes to the server directly" },
    };
    for (size_t i = 0; i < MW_COUNT(fixes); i++) {
        if (fixes[i].rule == rule)
            return fixes[i].fix;
    }
    return "the server is at fault, or something on the path changes bytes: compare with a "
           "connection that goes to the server directly";
}

static void tell_rule(struct mw_doctor_line *line, const struct mw_doctor_end *end,
                      const char *during)
{
    char hex[3 * sizeof end->bytes + 1] = "";
    for (size_t i = 0; i < end->byte_count; i++)
        snprintf(hex + 3 * i, 4, " %02X", end->bytes[i]);
    mw_doctor_value(line, "a frame from there breaks a rule, %s", during);
    mw_doctor_why(line,
                  "%s (its first bytes:%s). A browser ends the connection with 1002 and shows "
                  "1006.",
                  mw_rule_text(end->rule), hex);
    if (end->rule == MW_RULE_HTTP_TEXT)
        mw_doctor_value(line, "plain HTTP in place of a frame, %s", during);
    mw_doctor_fix(line, "%s", fix_of(end->rule));
}

/* By the way TCP ended. */
static const char *how_cut(const struct mw_doctor_end *end)
{
    if (end->cause == MW_CAUSE_peer_reset)
        return "reset (RST)";
    if (end->cause == MW_CAUSE_tls_error)
        return "ended by a fault of TLS";
    return "cut (FIN) without a Close frame";
}

static void tell_cut(struct mw_doctor_line *line, const struct mw_doctor_end *end,
                     const struct mw_doctor_who *who, const char *during)
{
    char after[32];
    mw_doctor_put_seconds(after, end->uptime_ms);
    mw_doctor_value(line, "%s after %s, %s", how_cut(end), after, during);
    mw_doctor_why(line, "The server ends a connection with a Close frame; what ends it without one "
                        "is something on the path, or a server that died. " BROWSERS_1006);
    if (*who->conn_id)
        mw_doctor_fix(line, "on the server: moonwire why %s tells how it looked from there",
                      who->conn_id);
    else
        mw_doctor_fix(line,
                      "the server's log, and that of what stands in front, at this moment\n"
                      "the same with the server's own address: moonwire doctor ws://HOST:PORT");
}

static void tell_closed(struct mw_doctor_line *line, const struct mw_doctor_end *end,
                        const struct mw_doctor_who *who, const char *during)
{
    mw_doctor_value(line, "closed with %u%s%s%s, %s", end->said_code, *end->said ? " \"" : "",
                    end->said, *end->said ? "\"" : "", during);
    mw_doctor_why(line, "It was the server that ended it, or something in front that speaks "
                        "WebSocket in its name; a browser shows the same code and reason.");
    mw_doctor_fix(line, "moonwire explain %u", end->said_code);
    if (*who->conn_id)
        mw_doctor_fix(line, "moonwire explain %u\non the server: moonwire why %s", end->said_code,
                      who->conn_id);
}

void mw_doctor_judge_death(struct mw_doctor_line *line, const struct mw_doctor_end *end,
                           const struct mw_doctor_who *who, const char *during)
{
    line->state = MW_DOCTOR_FAIL;
    if (end->rule != MW_RULE_NONE)
        tell_rule(line, end, during);
    else if (end->has_close)
        tell_closed(line, end, who, during);
    else
        tell_cut(line, end, who, during);
}

/* ---- ping ---- */

static void put_ms(char out[32], uint64_t us)
{
    snprintf(out, 32, us < 10000 ? "%.1f" : "%.0f", (double)us / 1000);
}

static void tell_no_pong(struct mw_doctor_line *line, const struct mw_doctor_pings *pings,
                         mw_ms waited_ms)
{
    char waited[32];
    mw_doctor_put_seconds(waited, waited_ms);
    line->state = MW_DOCTOR_FAIL;
    if (pings->pushed_bytes) {
        mw_doctor_value(line, "the answer came only when more was sent (%u bytes)",
                        pings->pushed_bytes);
        mw_doctor_why(line, "Something on the path holds back what is small until more has come. "
                            "Messages arrive late and in heaps, and pings time out.");
        mw_doctor_fix(line, "what stands in front: no buffering of answers for this path\n"
                            "antivirus and company proxies: wss:// passes most of them untouched");
        return;
    }
    mw_doctor_value(line, "no answer in %s", waited);
    mw_doctor_why(line,
                  "The server, or something on the path, swallows control frames. Who pings to "
                  "see whether the other side lives ends such a connection: 1006.");
    mw_doctor_fix(line,
                  "does what stands in front speak WebSocket itself? it has to pass pings on");
}

void mw_doctor_judge_pings(struct mw_doctor_line *line, const struct mw_doctor_pings *pings,
                           mw_ms waited_ms)
{
    char least[32], most[32];
    if (pings->answered == 0 || pings->pushed_bytes) {
        tell_no_pong(line, pings, waited_ms);
        return;
    }
    line->state = MW_DOCTOR_OK;
    put_ms(least, pings->least_us);
    put_ms(most, pings->most_us);
    if (pings->answered == 1)
        mw_doctor_value(line, "%s ms", least);
    else
        mw_doctor_value(line, "%s to %s ms", least, most);
    if (pings->least_us < 2 * pings->handshake_us + SLOW_US)
        return;
    line->state = MW_DOCTOR_WARN;
    mw_doctor_why(line, "The handshake took less, though it is more work. Something on the path "
                        "holds back what is small for a while.");
    mw_doctor_fix(line, "TCP_NODELAY in what stands in front (nginx: tcp_nodelay on; HAProxy: "
                        "option http-no-delay)");
}

/* ---- echo ---- */

static void put_size(char out[32], size_t size)
{
    if (size >= 1048576 && size % 1048576 == 0)
        snprintf(out, 32, "%zu MiB", size / 1048576);
    else
        snprintf(out, 32, "%zu bytes", size);
}

static void tell_echo(struct mw_doctor_line *line, const struct mw_doctor_echo *echo,
                      const char *size, const char *passed)
{
    char waited[32];
    mw_doctor_put_seconds(waited, echo->waited_ms);
    line->state = MW_DOCTOR_FAIL;
    switch (echo->fault) {
    case MW_DOCTOR_ECHO_FINE:
    case MW_DOCTOR_ECHO_TOO_LARGE:
        return;
    case MW_DOCTOR_ECHO_MISSING:
        mw_doctor_value(line, "%s did not come back in %s; %s did", size, waited, passed);
        mw_doctor_why(line, "Something on the path, or the server, drops or holds what is larger, "
                            "and does not say so.");
        mw_doctor_fix(line, "compare with a connection that goes to the server directly\n"
                            "a tunnel or VPN in between? ping -M do -s 1400 HOST shows its MTU");
        return;
    case MW_DOCTOR_ECHO_CHANGED:
        mw_doctor_value(line, "%s came back changed, from byte %zu on", size, echo->came);
        mw_doctor_why(line, "Something on the path, or the server, changes what is sent. Clients "
                            "get wrong data, or 1002 and 1007.");
        mw_doctor_fix(line, "compare with a connection that goes to the server directly\n"
                            "wss:// instead of ws:// keeps boxes on the path out of the frames");
        return;
    case MW_DOCTOR_ECHO_SHORTER:
        mw_doctor_value(line, "%s came back as %zu", size, echo->came);
        mw_doctor_why(line, "Messages are cut short there, and nobody is told.");
        mw_doctor_fix(line, "a limit of the server, or of a proxy that rebuilds messages");
        return;
    }
}

void mw_doctor_judge_echo(struct mw_doctor_line *line, const struct mw_doctor_echo *echo)
{
    char size[32], passed[32];
    put_size(size, echo->size);
    put_size(passed, echo->passed);
    line->state = MW_DOCTOR_OK;
    if (echo->fault == MW_DOCTOR_ECHO_FINE)
        mw_doctor_value(line, "1 byte to %s came back whole", passed);
    else if (echo->fault == MW_DOCTOR_ECHO_TOO_LARGE)
        mw_doctor_value(line,
                        "up to %s came back whole; the server takes no %s (1009, "
                        "limits.message)",
                        passed, size);
    else
        tell_echo(line, echo, size, echo->passed ? passed : "nothing else");
}

/* ---- close ---- */

static void tell_bad_close(struct mw_doctor_line *line, const char *why, const char *fix)
{
    line->state = MW_DOCTOR_FAIL;
    mw_doctor_why(line, "%s", why);
    mw_doctor_fix(line, "%s", fix);
}

void mw_doctor_judge_close(struct mw_doctor_line *line, const struct mw_doctor_end *end,
                           unsigned code)
{
    line->state = MW_DOCTOR_OK;
    bool must_not_be_sent =
        end->has_close && end->said_code != 1005 && mw_close_code_refusal(end->said_code) != NULL;
    if (must_not_be_sent || end->rule == MW_RULE_CLOSE_CODE ||
        end->rule == MW_RULE_CLOSE_ONE_BYTE || end->rule == MW_RULE_CLOSE_UTF8) {
        mw_doctor_value(line, "the Close frame that came back breaks a rule (code %u)",
                        end->said_code);
        tell_bad_close(line,
                       "A code such as 1006 must never be sent. A browser answers with 1002 "
                       "and shows 1006.",
                       "the server, or what stands in front, makes up its Close frames wrongly");
    } else if (!end->has_close && end->rule != MW_RULE_NONE) {
        mw_doctor_value(line, "a frame in place of the Close frame breaks a rule");
        tell_bad_close(line, mw_rule_text(end->rule),
                       "the server is at fault, or something on the "
                       "path changes bytes");
    } else if (!end->has_close) {
        mw_doctor_value(line, "%u was sent, and no Close frame came back", code);
        tell_bad_close(line,
                       "A browser waits for one, and then shows 1006 although it closed in "
                       "order.",
                       "does the server answer Close? does something in front end TCP at once "
                       "instead of passing it on?");
    } else if (end->said_code != code) {
        line->state = MW_DOCTOR_WARN;
        mw_doctor_value(line, "%u was sent, and %u came back", code, end->said_code);
        mw_doctor_why(line, "A browser shows the code that came back.");
        mw_doctor_fix(line, "a server answers with the code that it got (RFC 6455 5.5.1)");
    } else {
        mw_doctor_value(line, "%u came back", code);
    }
}
