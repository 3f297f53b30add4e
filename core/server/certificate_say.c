/* Lines about certificates. Decides nothing. Called by certificates. */
#define _GNU_SOURCE
#include "core/server/certificate_say.h"

#include <stdio.h>
#include <time.h>

#define DAY_S 86400

static const char *date_of(int64_t unix_s, char out[16])
{
    time_t at = (time_t)unix_s;
    struct tm tm;
    if (!gmtime_r(&at, &tm) || strftime(out, 16, "%Y-%m-%d", &tm) == 0)
        snprintf(out, 16, "unknown");
    return out;
}

void mw_certificate_say(struct mw_log *log, const char *what, const struct mw_tls_ctx *ctx)
{
    struct mw_tls_about about;
    char date[16];
    for (size_t i = 0; mw_tls_ctx_about(ctx, i, &about); i++) {
        struct mw_log_line line;
        mw_log_begin(&line, log, MW_LOG_INFO, mw_view_text(what));
        mw_log_text(&line, "subject", mw_view_text(about.subject));
        mw_log_text(&line, "names", mw_view_text(about.names));
        mw_log_text(&line, "expires", mw_view_text(date_of(about.expires_unix_s, date)));
        mw_log_say(&line, "%s: %s  for %s  until %s", what, about.subject, about.names, date);
        mw_log_end(&line);
    }
}

static void warn_of(struct mw_log *log, const struct mw_tls_about *about, const char *what,
                    int64_t unix_s)
{
    struct mw_log_line line;
    char date[16];
    date_of(unix_s, date);
    mw_log_begin(&line, log, MW_LOG_WARN, mw_view_text(what));
    mw_log_text(&line, "subject", mw_view_text(about->subject));
    mw_log_text(&line, "names", mw_view_text(about->names));
    mw_log_text(&line, "date", mw_view_text(date));
    mw_log_say(&line, "%s: %s  for %s  %s\n  replace its files: they are read again at once", what,
               about->subject, about->names, date);
    mw_log_end(&line);
}

void mw_certificate_warn(struct mw_log *log, const struct mw_tls_ctx *ctx, mw_ms unix_ms)
{
    struct mw_tls_about about;
    int64_t now_s = (int64_t)(unix_ms / 1000);
    for (size_t i = 0; mw_tls_ctx_about(ctx, i, &about); i++) {
        if (about.begins_unix_s > now_s)
            warn_of(log, &about, "certificate is not valid yet", about.begins_unix_s);
        else if (about.expires_unix_s <= now_s)
            warn_of(log, &about, "certificate has expired", about.expires_unix_s);
        else if (about.expires_unix_s <= now_s + MW_CERTIFICATE_WARN_DAYS * DAY_S)
            warn_of(log, &about, "certificate expires soon", about.expires_unix_s);
    }
}

void mw_certificate_say_refused(struct mw_log *log, const char *why, bool others_serve)
{
    const char *so = others_serve ? "the ones from before go on serving" : "nothing is served";
    struct mw_log_line line;
    mw_log_begin(&line, log, MW_LOG_ERROR, mw_view_text("certificates refused"));
    mw_log_text(&line, "error", mw_view_text(why));
    mw_log_text(&line, "so", mw_view_text(so));
    mw_log_say(&line, "certificates refused: %s\n  %s", why, so);
    mw_log_end(&line);
}

void mw_certificate_say_throw_away(struct mw_log *log, const char *fingerprint)
{
    struct mw_log_line line;
    mw_log_begin(&line, log, MW_LOG_INFO, mw_view_text("throw-away certificate"));
    mw_log_text(&line, "fingerprint", mw_view_text(fingerprint));
    mw_log_say(&line,
               "throw-away certificate for localhost, until this ends; nobody trusts it\n"
               "    SHA-256  %s\n"
               "    curl -k takes it; a browser asks once, under \"Advanced\"",
               fingerprint);
    mw_log_end(&line);
}
