/*
 * One request to a running server, one answer. Called by the commands that ask; what an answer
 * means is theirs.
 */
#include "core/cli/reply.h"

#include <stdio.h>

#include "core/base/str.h"
#include "core/cli/say.h"
#include "core/cli/settings.h"
#include "core/server/server.h"

/* Every script may use up its budget as it loads; a server that is stopped never answers. */
#define PATIENCE_MS 60000

/* ---- members ---- */

static const struct mw_json *member(const struct mw_json *object, const char *key)
{
    if (!object || mw_json_kind(object) != MW_JSON_OBJECT)
        return 0;
    struct mw_json_iter iter = mw_json_iter(object);
    const struct mw_json *value;
    struct mw_view name;
    while (mw_json_iter_next(&iter, &name, &value)) {
        if (mw_view_is(name, key))
            return value;
    }
    return 0;
}

bool mw_reply_has(const struct mw_json *object, const char *key)
{
    return member(object, key) != 0;
}

struct mw_view mw_reply_text(const struct mw_json *object, const char *key)
{
    const struct mw_json *value = member(object, key);
    bool is_text = value && mw_json_kind(value) == MW_JSON_STRING;
    return is_text ? mw_json_string(value) : mw_view("", 0);
}

double mw_reply_number(const struct mw_json *object, const char *key)
{
    const struct mw_json *value = member(object, key);
    if (value && mw_json_kind(value) == MW_JSON_INTEGER)
        return (double)mw_json_integer(value);
    return value && mw_json_kind(value) == MW_JSON_NUMBER ? mw_json_number(value) : 0;
}

bool mw_reply_flag(const struct mw_json *object, const char *key)
{
    const struct mw_json *value = member(object, key);
    return value && mw_json_kind(value) == MW_JSON_BOOL && mw_json_bool(value);
}

const struct mw_json *mw_reply_list(const struct mw_json *object, const char *key)
{
    const struct mw_json *value = member(object, key);
    return value && mw_json_kind(value) == MW_JSON_ARRAY ? value : 0;
}

const struct mw_json *mw_reply_object(const struct mw_json *object, const char *key)
{
    const struct mw_json *value = member(object, key);
    return value && mw_json_kind(value) == MW_JSON_OBJECT ? value : 0;
}

/* ---- asking ---- */

static int read_answer(struct mw_reply *reply)
{
    struct mw_json_error error;
    int err = mw_control_next(&reply->control, PATIENCE_MS, &reply->line);
    if (err)
        return mw_cli_fail(MW_EXIT_FAILED, "",
                           err == MW_ERR_AGAIN ? "the server does not answer"
                                               : "the server has closed the connection");
    reply->doc = mw_json_parse(&reply->control.mem, reply->line, &error);
    reply->root = reply->doc ? mw_json_root(reply->doc) : 0;
    if (!reply->root || mw_json_kind(reply->root) != MW_JSON_OBJECT)
        return mw_cli_fail(MW_EXIT_FAILED, "", "the server's answer cannot be read");
    reply->ok = mw_reply_flag(reply->root, "ok");
    return MW_EXIT_OK;
}

int mw_reply_get(struct mw_reply *reply, const struct mw_args *args, struct mw_view request)
{
    *reply = (struct mw_reply){ .ok = false };
    int code = mw_control_open(&reply->control, args);
    if (code)
        return code;
    /* A server that does not listen to it may have said why. */
    (void)mw_control_send(&reply->control, request);
    return read_answer(reply);
}

void mw_reply_free(struct mw_reply *reply)
{
    mw_json_doc_free(reply->doc);
    mw_control_close(&reply->control);
}

static void say_line(const char *before, struct mw_view text)
{
    fputs(before, stderr);
    mw_cli_say(stderr, text);
    fputc('\n', stderr);
}

int mw_reply_refused(const struct mw_reply *reply)
{
    struct mw_view error = mw_reply_text(reply->root, "error");
    struct mw_view hint = mw_reply_text(reply->root, "hint");
    say_line("moonwire: ", error);
    if (hint.len)
        say_line("  ", hint);
    return MW_EXIT_FAILED;
}
