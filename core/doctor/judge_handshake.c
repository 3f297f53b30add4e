/*
 * Verdicts on the answer to a handshake: who gave it, what it means, what would change it. Called
 * by the walk.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/base/str.h"
#include "core/doctor/judge.h"

#define MW_FIX_UPGRADE \
    "nginx: proxy_http_version 1.1;\n" \
    "nginx: proxy_set_header Upgrade $http_upgrade;\n" \
    "nginx: proxy_set_header Connection \"upgrade\";\n" \
    "Apache: ProxyPass /PATH ws://SERVER/PATH, or upgrade=websocket"

#define BROWSERS "Browsers show 1006 and no reason."

static const struct status {
    unsigned least, most;
    const char *why, *fix;
} statuses[] = {
#define MW_STATUS(least, most, why, fix) { least, most, why, fix },
#include "core/doctor/statuses.def"
#undef MW_STATUS
};

/* ---- who it was ---- */

static struct mw_view text_of(const struct mw_json *object, const char *name)
{
    struct mw_json_iter iter = mw_json_iter(object);
    const struct mw_json *value;
    struct mw_view key;
    while (mw_json_iter_next(&iter, &key, &value)) {
        if (mw_view_is(key, name))
            return mw_json_kind(value) == MW_JSON_STRING ? mw_json_string(value) : mw_view("", 0);
    }
    return mw_view("", 0);
}

bool mw_doctor_is_word(struct mw_view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_plain && c != '_' && c != '-')
            return false;
    }
    return text.len > 0 && text.len <= MW_DOCTOR_WORD_MAX;
}

/* A refusal of ours (http_out.h): its error and detail; false: it is somebody else's. */
static bool read_refusal(struct mw_view body, char error[64], char detail[200])
{
    struct mw_mem mem;
    struct mw_json_error where;
    mw_mem_init(&mem, 0, 0);
    struct mw_json_doc *doc = mw_json_parse(&mem, body, &where);
    const struct mw_json *root = doc ? mw_json_root(doc) : NULL;
    bool is_object = root && mw_json_kind(root) == MW_JSON_OBJECT;
    struct mw_view name = is_object ? text_of(root, "error") : mw_view("", 0);
    struct mw_view more = is_object ? text_of(root, "detail") : mw_view("", 0);
    snprintf(error, 64, "%.*s", (int)name.len, name.data ? name.data : "");
    snprintf(detail, 200, "%.*s", (int)more.len, more.data ? more.data : "");
    bool is_ours = mw_doctor_is_word(name) && more.len > 0;
    mw_json_doc_free(doc);
    return is_ours;
}

void mw_doctor_who_of(struct mw_doctor_who *who, const struct mw_ws_answer *answer)
{
    char error[64], detail[200];
    snprintf(who->server, sizeof who->server, "%.*s", (int)answer->server.len,
             answer->server.data ? answer->server.data : "");
    who->is_ours = who->is_ours || mw_view_is(answer->server, "moonwire") ||
                   read_refusal(answer->body, error, detail);
}

/* "\"nginx/1.22.1\", not from moonwire" */
static void name_who(const struct mw_doctor_who *who, char out[128])
{
    if (who->is_ours && *who->server && strcmp(who->server, "moonwire") != 0)
        snprintf(out, 128, "moonwire, through \"%s\"", who->server);
    else if (who->is_ours)
        snprintf(out, 128, "moonwire");
    else if (*who->server)
        snprintf(out, 128, "\"%s\", not from moonwire", who->server);
    else
        snprintf(out, 128, "somebody who gives no name");
}

/* ---- refusals ---- */

static struct mw_view header(const struct mw_ws_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        if (mw_view_is_nocase(answer->headers[i].name, name))
            return answer->headers[i].value;
    }
    return mw_view("", 0);
}

static void tell_ours(struct mw_doctor_line *line, const struct mw_doctor_who *who,
                      const char *error, const char *detail)
{
    if (strstr(error, "upgrade")) {
        bool is_known = *who->server && strcmp(who->server, "moonwire") != 0;
        mw_doctor_why(line,
                      "The request came there without the Upgrade header that was sent: %s%s%s "
                      "does not pass it on. " BROWSERS,
                      is_known ? "\"" : "", is_known ? who->server : "something in front",
                      is_known ? "\"" : "");
        mw_doctor_fix(line, MW_FIX_UPGRADE);
        return;
    }
    mw_doctor_why(line, "The server itself refuses (%s). " BROWSERS, detail);
    if (strstr(error, "origin"))
        mw_doctor_fix(line, "with the page's origin: --origin https://YOUR.SITE\n"
                            "or, in the script: origins = { \"https://YOUR.SITE\" }");
    else if (!strcmp(error, "no_route"))
        mw_doctor_fix(line, "moonwire status lists the paths of its scripts\n" MW_FIX_UPGRADE);
    else
        mw_doctor_fix(line, "the server's log has this refusal, with its error \"%s\"", error);
}

static void tell_status(struct mw_doctor_line *line, const struct mw_ws_answer *answer,
                        bool sent_origin)
{
    const struct status *row = statuses;
    while (answer->status < row->least || answer->status > row->most)
        row++;
    struct mw_view location = header(answer, "location");
    bool is_tls = answer->body.len && strstr(row->fix, "wss://") &&
                  mw_view_find(answer->body, 'H', 0) < answer->body.len &&
                  memmem(answer->body.data, answer->body.len, "HTTPS port", 10);
    mw_doctor_why(line, "%s%s " BROWSERS, row->why,
                  answer->status == 403 && !sent_origin ? " No Origin was sent; browsers send one."
                                                        : "");
    if (is_tls)
        mw_doctor_fix(line, "that port is for TLS: wss:// instead of ws://");
    else if (location.len)
        mw_doctor_fix(line, "it leads to %.*s\n%s", (int)(location.len < 200 ? location.len : 200),
                      location.data, row->fix);
    else
        mw_doctor_fix(line, "%s", row->fix);
}

static void tell_refused(struct mw_doctor_line *line, const struct mw_doctor_who *who,
                         const struct mw_ws_answer *answer, bool sent_origin)
{
    char name[128], error[64], detail[200];
    name_who(who, name);
    if (read_refusal(answer->body, error, detail)) {
        mw_doctor_value(line, "HTTP %u from %s: %s", answer->status, name, error);
        tell_ours(line, who, error, detail);
    } else {
        mw_doctor_value(line, "HTTP %u from %s", answer->status, name);
        tell_status(line, answer, sent_origin);
    }
}

/* ---- answers that are none ---- */

/* A TLS alert, or a handshake: RFC 8446 5.1. */
static bool looks_like_tls(struct mw_view bytes)
{
    return bytes.len >= 2 && (bytes.data[0] == 0x15 || bytes.data[0] == 0x16) && bytes.data[1] == 3;
}

static void tell_not_http(struct mw_doctor_line *line, const struct mw_ws_ended *ended)
{
    if (looks_like_tls(ended->first_bytes)) {
        mw_doctor_value(line, "TLS is spoken at that port");
        mw_doctor_why(line, "The request went there in plain text. " BROWSERS);
        mw_doctor_fix(line, "wss:// instead of ws://");
        return;
    }
    mw_doctor_value(line, "what answers does not speak HTTP");
    mw_doctor_why(line, "%s. " BROWSERS,
                  ended->text && *ended->text ? ended->text : "It is another service");
    mw_doctor_fix(line, "is the port right?");
}

static void tell_cut(struct mw_doctor_line *line, const struct mw_ws_ended *ended, bool is_late)
{
    mw_doctor_value(line, is_late ? "no answer in time" : "cut before an answer came");
    mw_doctor_why(line, "The request was sent, and %s. " BROWSERS,
                  is_late                       ? "nothing came back"
                  : ended->text && *ended->text ? ended->text
                                                : "the connection ended");
    mw_doctor_fix(line, "%s",
                  is_late ? "is the server busy? moonwire status\n--timeout S waits longer"
                          : "TLS at that port? wss:// instead of ws://\n"
                            "does what stands in front allow WebSockets at all?");
}

static void tell_bad_answer(struct mw_doctor_line *line, const struct mw_ws_ended *ended)
{
    mw_doctor_value(line, "the answer breaks a rule: %s", ended->text ? ended->text : "");
    mw_doctor_why(line, "A server, or something that answers in its name, does not know the "
                        "handshake; a cache that gives an old answer does that too. " BROWSERS);
    mw_doctor_fix(line, "is this a WebSocket server? is there a cache in front? it must not keep "
                        "answers of this path");
}

static void tell_failed(struct mw_doctor_line *line, const struct mw_doctor_who *who,
                        bool sent_origin, const struct mw_ws_path *path,
                        const struct mw_ws_ended *ended)
{
    line->state = MW_DOCTOR_FAIL;
    switch (ended->fault) {
    case MW_WS_FAULT_refused:
        tell_refused(line, who, path->answer, sent_origin);
        return;
    case MW_WS_FAULT_not_http:
        tell_not_http(line, ended);
        return;
    case MW_WS_FAULT_bad_answer:
        tell_bad_answer(line, ended);
        return;
    case MW_WS_FAULT_timeout:
    case MW_WS_FAULT_cut:
    case MW_WS_FAULT_tls:
        tell_cut(line, ended, ended->fault == MW_WS_FAULT_timeout);
        return;
    case MW_WS_FAULT_none:
    case MW_WS_FAULT_cancelled:
    case MW_WS_FAULT_no_memory:
    case MW_WS_FAULT_no_address:
    case MW_WS_FAULT_no_connection:
        mw_doctor_value(line, "%s", ended->text ? ended->text : "failed");
        return;
    }
}

void mw_doctor_judge_handshake(struct mw_doctor_line *line, const struct mw_doctor_who *who,
                               bool sent_origin, const struct mw_ws_path *path,
                               const struct mw_ws_ended *ended)
{
    char name[128];
    if (ended) {
        tell_failed(line, who, sent_origin, path, ended);
        return;
    }
    line->state = MW_DOCTOR_OK;
    line->took_ms = (int64_t)((path->took_us[MW_WS_UPGRADE] + 500) / 1000);
    name_who(who, name);
    mw_doctor_value(line, "101 from %s", name);
}

void mw_doctor_judge_subprotocol(struct mw_doctor_line *line, const char *wanted,
                                 struct mw_view chosen)
{
    if (!*wanted) {
        line->state = MW_DOCTOR_SKIPPED;
        mw_doctor_value(line, "none was asked for: -s NAME asks");
        return;
    }
    line->state = chosen.len ? MW_DOCTOR_OK : MW_DOCTOR_FAIL;
    if (chosen.len) {
        mw_doctor_value(line, "%.*s", (int)chosen.len, chosen.data);
        return;
    }
    mw_doctor_value(line, "none of \"%s\" was taken", wanted);
    mw_doctor_why(line, "Browsers end the connection when they have asked for a subprotocol and "
                        "get none: 1006, and no reason.");
    mw_doctor_fix(line,
                  "in the script: protocols = { \"%s\" }\n"
                  "or does a proxy drop Sec-WebSocket-Protocol?",
                  wanted);
}
