/*
 * Verdicts on the way to a server: name, address, TLS. Called by the walk, and by nobody who has
 * not tried.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/ip.h"
#include "core/base/str.h"
#include "core/doctor/judge.h"

#define DAY_S     86400
#define WARN_DAYS 14

static void set_took(struct mw_doctor_line *line, const struct mw_ws_path *path,
                     enum mw_ws_step step)
{
    line->took_ms = (int64_t)((path->took_us[step] + 500) / 1000);
}

static bool is_numeric(const char *host)
{
    return strchr(host, ':') || host[strspn(host, "0123456789.")] == '\0';
}

/* ---- the name ---- */

static void join_addresses(const struct mw_ws_path *path, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < path->address_count && len < size; i++) {
        int n = snprintf(out + len, size - len, "%s%s", i ? ", " : "", path->addresses[i].text);
        len += n > 0 ? (size_t)n : 0;
    }
}

void mw_doctor_judge_dns(struct mw_doctor_line *line, const char *host,
                         const struct mw_ws_path *path, const struct mw_ws_ended *ended)
{
    char list[256];
    if (ended) {
        line->state = MW_DOCTOR_FAIL;
        mw_doctor_value(line, "%s: %s", host,
                        ended->fault == MW_WS_FAULT_cancelled ? "no name server answers in time"
                        : ended->text                         ? ended->text
                                                              : "no address");
        mw_doctor_why(line, "Without an address nobody gets anywhere. Browsers show 1006 and no "
                            "reason.");
        mw_doctor_fix(line, "getent ahosts %s\nis the name spelled right? is its record published?",
                      host);
        return;
    }
    line->state = MW_DOCTOR_OK;
    join_addresses(path, list, sizeof list);
    if (is_numeric(host)) {
        mw_doctor_value(line, "%s is an address already", host);
        return;
    }
    mw_doctor_value(line, "%s", list);
    set_took(line, path, MW_WS_RESOLVE);
}

/* ---- the address ---- */

static void tell_unreachable(struct mw_doctor_line *line, unsigned port,
                             const struct mw_ws_path *path, const struct mw_ws_ended *ended)
{
    const struct mw_dial_address *last =
        path->address_count ? &path->addresses[path->address_count - 1] : NULL;
    const char *error = last && last->error ? last->error : ended->text ? ended->text : "failed";
    bool is_refused = strstr(error, "refused") != NULL;
    line->state = MW_DOCTOR_FAIL;
    mw_doctor_value(line, "%s port %u: %s", last ? last->text : "no address", port, error);
    mw_doctor_why(line, "%s Browsers show 1006 and no reason.",
                  is_refused ? "The machine is there, but nobody listens on that port."
                             : "Nobody answers: a firewall drops it, or the machine is away.");
    mw_doctor_fix(line, "on the server: ss -ltn 'sport = :%u'\n%s", port,
                  is_refused ? "moonwire listens on 127.0.0.1:8080 unless --listen says otherwise"
                             : "is the port open in the firewall, and published by the container?");
}

void mw_doctor_judge_tcp(struct mw_doctor_line *line, unsigned port, const struct mw_ws_path *path,
                         const struct mw_ws_ended *ended)
{
    if (ended) {
        tell_unreachable(line, port, path, ended);
        return;
    }
    line->state = MW_DOCTOR_OK;
    mw_doctor_value(line, "%s port %u", path->address ? path->address->text : "connected", port);
    set_took(line, path, MW_WS_CONNECT);
    for (size_t i = 0; i < path->address_count; i++) {
        const struct mw_dial_address *other = &path->addresses[i];
        if (other->state != MW_DIAL_FAILED)
            continue;
        line->state = MW_DOCTOR_WARN;
        mw_doctor_why(line,
                      "%s, which the name has as well, failed: %s. Clients that try it first "
                      "wait, or give up.",
                      other->text, other->error ? other->error : "no connection");
        mw_doctor_fix(line,
                      "listen there too (--listen :%u is all addresses), or take the %s "
                      "record away",
                      port, other->is_v6 ? "AAAA" : "A");
    }
}

/* ---- TLS ---- */

/* What may be wrong with a certificate, the worst first. */
static const struct flaw {
    size_t field;
    const char *why, *fix;
} flaws[] = {
    { offsetof(struct mw_tls_peer, is_expired), "The certificate is over.",
      "certbot renew, or whatever gave you this one; moonwire reads the new files by itself" },
    { offsetof(struct mw_tls_peer, is_not_yet), "The certificate is not valid yet.",
      "is the clock right, here and there? date -u" },
    { offsetof(struct mw_tls_peer, is_other_name), "The certificate is for another name.",
      "connect by a name that is in it, or have this one put into its subjectAltName" },
    { offsetof(struct mw_tls_peer, is_self_signed), "The certificate is signed by itself.",
      "for people: a certificate of a public authority (certbot)\nto go on here: --insecure" },
    { offsetof(struct mw_tls_peer, is_revoked), "The certificate was revoked.", "get a new one" },
    { offsetof(struct mw_tls_peer, is_weak), "The certificate is too weak.",
      "a new one: ECDSA P-256, or RSA with 2048 bits" },
    { offsetof(struct mw_tls_peer, is_misused), "The certificate is not meant for servers.",
      "one with serverAuth in its extendedKeyUsage, or without that list" },
    { offsetof(struct mw_tls_peer, is_unknown),
      "Nobody that this machine trusts has signed the certificate; perhaps one in between is "
      "missing.",
      "serve the whole chain (fullchain.pem), not the certificate alone\nto go on here: "
      "--insecure" },
};

static const struct flaw *flaw_of(const struct mw_tls_peer *peer)
{
    for (size_t i = 0; peer && i < MW_COUNT(flaws); i++) {
        if (*(const bool *)((const char *)peer + flaws[i].field))
            return &flaws[i];
    }
    return NULL;
}

static void tell_flaw(struct mw_doctor_line *line, const struct flaw *flaw, const char *host,
                      const struct mw_tls_peer *peer)
{
    mw_doctor_why(line,
                  "%s It is of %s, for %s; it was asked for %s. Browsers show 1006 and no "
                  "reason, or a page of warning where one opens https:// there.",
                  flaw->why, peer->about.subject,
                  *peer->about.names ? peer->about.names : "no name", host);
    mw_doctor_fix(line, "%s", flaw->fix);
}

static void tell_no_tls(struct mw_doctor_line *line, const struct mw_doctor_tls_view *view,
                        const struct mw_ws_path *path, const struct mw_ws_ended *ended)
{
    const struct flaw *flaw = flaw_of(path->peer);
    line->state = MW_DOCTOR_FAIL;
    mw_doctor_value(line, "%s", ended->text && *ended->text ? ended->text : "no TLS");
    if (flaw) {
        tell_flaw(line, flaw, view->host, path->peer);
        return;
    }
    mw_doctor_why(line, "TLS did not come about. Browsers show 1006 and no reason.");
    mw_doctor_fix(line,
                  "ws:// instead of wss:// where that port is plain; or the port for TLS\n"
                  "openssl s_client -connect %s:%u -servername %s",
                  view->host, view->port, view->host);
}

static void tell_days(struct mw_doctor_line *line, const struct mw_doctor_tls_view *view,
                      const struct mw_tls_peer *peer, const char *version)
{
    long long days = (long long)((peer->about.expires_unix_s - view->now_unix_s) / DAY_S);
    mw_doctor_value(line, "%s, certificate ok, %lld days left", version, days);
    if (days >= WARN_DAYS)
        return;
    line->state = MW_DOCTOR_WARN;
    mw_doctor_why(line, "From then on nobody gets in, and browsers show 1006 and no reason.");
    mw_doctor_fix(line, "%s", flaws[0].fix);
}

void mw_doctor_judge_tls(struct mw_doctor_line *line, const struct mw_doctor_tls_view *view,
                         const struct mw_ws_path *path, const struct mw_ws_ended *ended)
{
    if (!path->is_secure) {
        line->state = MW_DOCTOR_SKIPPED;
        mw_doctor_value(line, "ws:// is plain");
        return;
    }
    if (ended) {
        tell_no_tls(line, view, path, ended);
        return;
    }
    const char *version = *path->tls.version ? path->tls.version : "TLS";
    const struct flaw *flaw = flaw_of(path->peer);
    line->state = MW_DOCTOR_OK;
    set_took(line, path, MW_WS_SECURE);
    if (flaw) {
        line->state = MW_DOCTOR_WARN;
        mw_doctor_value(line, "%s, taken because of --insecure", version);
        tell_flaw(line, flaw, view->host, path->peer);
    } else if (path->peer) {
        tell_days(line, view, path->peer, version);
    } else {
        mw_doctor_value(line, "%s", version);
    }
}
