/*
 * `moonwire why` and `moonwire close`: ask the running server about a connection, or have it end
 * one. What the reply means is verdict.c's.
 */
#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/cli/commands.h"
#include "core/cli/ends_list.h"
#include "core/cli/reply.h"
#include "core/cli/settings.h"
#include "core/cli/verdict.h"
#include "core/proto/close.h"
#include "core/server/inquiry.h"
#include "core/server/log.h"
#include "core/server/server.h"

/* Of `moonwire why` without anything: so many lines, of as many ends as can be asked for. */
#define ORDINARY_ROWS 10

/* ---- requests ---- */

struct request {
    struct mw_mem mem;
    struct mw_buf text;
    struct mw_json_writer json;
};

static struct mw_json_writer *begin(struct request *request, const char *cmd)
{
    mw_mem_init(&request->mem, 0, 0);
    mw_buf_init(&request->text, &request->mem, 0);
    request->json = (struct mw_json_writer){ .out = &request->text };
    mw_jw_object(&request->json);
    mw_jw_pair(&request->json, "cmd", mw_view_text(cmd));
    return &request->json;
}

/* As mw_reply_get. */
static int ask(struct request *request, const struct mw_args *args, struct mw_reply *reply)
{
    *reply = (struct mw_reply){ .control.fd = -1 };
    mw_jw_object_end(&request->json);
    int code = request->json.err ? mw_cli_fail(MW_EXIT_FAILED, "", "out of memory")
                                 : mw_reply_get(reply, args, mw_buf_view(&request->text));
    mw_buf_free(&request->text);
    return code;
}

/* ---- why ---- */

static int put_one(struct mw_buf *out, const struct mw_json *conns)
{
    struct mw_json_iter iter = mw_json_iter(conns);
    const struct mw_json *conn;
    struct mw_view key;
    int err = MW_OK;
    while (!err && mw_json_iter_next(&iter, &key, &conn))
        err = mw_verdict(out, conn, mw_clock_unix_ms());
    return err;
}

/* `last` were asked for. */
static int put_list(struct mw_buf *out, const struct mw_json *conns, const struct mw_args *args,
                    size_t last)
{
    if (mw_json_count(conns) == 0)
        return mw_buf_put_text(out, "no connection has ended in the last 15 minutes\n");
    return mw_ends_list(out, conns, mw_json_count(conns) < last, args->last ? last : ORDINARY_ROWS);
}

/* `last` is 0 where one connection was asked for. */
static int print(const struct mw_args *args, const struct mw_reply *reply, size_t last)
{
    struct mw_mem mem;
    struct mw_buf out;
    const struct mw_json *conns = mw_reply_list(reply->root, "conns");
    mw_mem_init(&mem, 0, 0);
    mw_buf_init(&out, &mem, 0);
    int err;
    if (args->json)
        err = mw_buf_putf(&out, "%.*s\n", (int)reply->line.len, reply->line.data);
    else
        err = !conns ? MW_OK : last ? put_list(&out, conns, args, last) : put_one(&out, conns);
    fwrite(out.data, 1, out.len, stdout);
    mw_buf_free(&out);
    return err ? mw_cli_fail(MW_EXIT_FAILED, "", "out of memory") : MW_EXIT_OK;
}

static int bad_id(const char *text)
{
    char why[200];
    if (mw_cli_is_folder(text))
        snprintf(why, sizeof why, "a folder is written with a slash or a dot: ./%.64s", text);
    else
        snprintf(
            why, sizeof why,
            "\"%.64s\" is no connection's id: it is hex digits, as \"conn\" in the log; moonwire "
            "why --last 20 lists the last ends",
            text);
    return mw_cli_fail(MW_EXIT_USAGE, "", why);
}

int mw_cmd_why(const struct mw_args *args)
{
    mw_id id;
    uint64_t last = 0;
    const char *word = args->words[0];
    if (word && args->last)
        return mw_cli_fail(MW_EXIT_USAGE, "", "an id, or --last: not both");
    if (word && !mw_id_read(mw_view_text(word), &id))
        return bad_id(word);
    if (args->last && !mw_parse_u64(mw_view_text(args->last), 1, MW_INQUIRY_MAX, &last))
        return mw_cli_fail(MW_EXIT_USAGE, "", "--last wants a number from 1 to 200");
    if (!word && !last)
        last = args->json ? ORDINARY_ROWS : MW_INQUIRY_MAX;
    struct request request;
    struct mw_reply reply;
    struct mw_json_writer *json = begin(&request, "why");
    if (word)
        mw_jw_pair(json, "id", mw_view_text(word));
    else
        mw_jw_pair_integer(json, "last", (int64_t)last);
    int code = ask(&request, args, &reply);
    if (!code && (reply.ok || args->json))
        code = print(args, &reply, word ? 0 : (size_t)last);
    if (!code && !reply.ok)
        code = args->json ? MW_EXIT_FAILED : mw_reply_refused(&reply);
    mw_reply_free(&reply);
    return code;
}

/* ---- close ---- */

static int put_close(struct mw_json_writer *json, const struct mw_args *args)
{
    uint64_t code = 0;
    mw_jw_pair(json, "id", mw_view_text(args->words[0]));
    if (args->words[1] && !mw_parse_u64(mw_view_text(args->words[1]), 0, UINT16_MAX, &code))
        return mw_cli_fail(MW_EXIT_USAGE, "", "the code has to be a number, such as 1008 or 4001");
    const char *why = args->words[1] ? mw_close_code_refusal((unsigned)code) : 0;
    if (why)
        return mw_cli_fail(MW_EXIT_USAGE, args->words[1], why);
    if (code)
        mw_jw_pair_integer(json, "code", (int64_t)code);
    if (args->words[2])
        mw_jw_pair(json, "reason", mw_view_text(args->words[2]));
    return MW_EXIT_OK;
}

static int tell_closed(const struct mw_args *args, const struct mw_reply *reply)
{
    if (args->json)
        printf("%.*s\n", (int)reply->line.len, reply->line.data);
    if (!reply->ok)
        return args->json ? MW_EXIT_FAILED : mw_reply_refused(reply);
    if (!args->json)
        printf("%s is being closed with %.0f; moonwire why %s tells how it went\n", args->words[0],
               mw_reply_number(reply->root, "code"), args->words[0]);
    return MW_EXIT_OK;
}

int mw_cmd_close(const struct mw_args *args)
{
    mw_id id;
    if (!args->words[0])
        return mw_cli_fail(MW_EXIT_USAGE, "",
                           "which connection? moonwire close ID [CODE [REASON]]");
    if (!mw_id_read(mw_view_text(args->words[0]), &id))
        return bad_id(args->words[0]);
    struct request request;
    struct mw_reply reply;
    int code = put_close(begin(&request, "close"), args);
    if (code) {
        mw_buf_free(&request.text);
        return code;
    }
    code = ask(&request, args, &reply);
    if (!code)
        code = tell_closed(args, &reply);
    mw_reply_free(&reply);
    return code;
}
