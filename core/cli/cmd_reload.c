/*
 * `moonwire reload`, `moonwire rollback` and `moonwire status`: ask the running server, print what
 * it says. Change nothing themselves.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/base/str.h"
#include "core/cli/answer.h"
#include "core/cli/commands.h"
#include "core/cli/control.h"
#include "core/cli/settings.h"
#include "core/server/server.h"

/* Every script may use up its budget as it loads; a server that is stopped never answers. */
#define PATIENCE_MS 60000

/* ---- the answer ---- */

static int hear(struct mw_control *control, bool as_json)
{
    struct mw_view line;
    int err = mw_control_next(control, PATIENCE_MS, &line);
    if (err == MW_ERR_AGAIN)
        return mw_cli_fail(MW_EXIT_FAILED, "", "the server does not answer");
    if (err)
        return mw_cli_fail(MW_EXIT_FAILED, "", "the server has closed the connection");
    return mw_answer_take(&control->mem, line, as_json, 0);
}

/* ---- the request ---- */

/* "scripts/chat.lua" or "DIR/scripts/chat.lua", which is what a shell completes, is chat.lua. */
static struct mw_view script_of(const struct mw_args *args)
{
    struct mw_view script = mw_view_text(args->script);
    const char *dir = args->dir ? args->dir : ".";
    char whole[MW_PLACE_MAX];
    snprintf(whole, sizeof whole, "%s%sscripts/", dir,
             mw_view_ends_with(mw_view_text(dir), "/") ? "" : "/");
    const char *const before[] = { whole, "./", "scripts/" };
    for (size_t i = 0; i < MW_COUNT(before); i++) {
        if (mw_view_starts_with(script, before[i]))
            script = mw_view_from(script, strlen(before[i]));
    }
    return script;
}

static int write_request(struct mw_buf *out, const struct mw_args *args, int64_t to)
{
    struct mw_json_writer json = { .out = out };
    mw_jw_object(&json);
    mw_jw_pair(&json, "cmd", mw_view_text(args->verb));
    if (args->script)
        mw_jw_pair(&json, "script", script_of(args));
    if (to)
        mw_jw_pair_integer(&json, "to", to);
    mw_jw_object_end(&json);
    return json.err;
}

static int ask(const struct mw_args *args, int64_t to)
{
    struct mw_control control;
    struct mw_buf request;
    int code = mw_control_open(&control, args);
    mw_buf_init(&request, &control.mem, 0);
    if (!code && write_request(&request, args, to))
        code = mw_cli_fail(MW_EXIT_FAILED, "", "out of memory");
    if (!code) { /* a server that does not listen to it may have said why */
        (void)mw_control_send(&control, mw_buf_view(&request));
        code = hear(&control, args->json);
    }
    mw_buf_free(&request);
    mw_control_close(&control);
    return code;
}

int mw_cmd_status(const struct mw_args *args)
{
    return ask(args, 0);
}

int mw_cmd_reload(const struct mw_args *given)
{
    struct mw_args args = *given;
    mw_args_settle_word(&args, mw_cli_is_folder);
    return ask(&args, 0);
}

int mw_cmd_rollback(const struct mw_args *given)
{
    uint64_t to = 0;
    struct mw_args args = *given;
    mw_args_settle_word(&args, mw_cli_is_folder);
    if (!args.script)
        return mw_cli_fail(MW_EXIT_USAGE, "",
                           "which script? moonwire rollback [DIR] chat.lua [--to v7]");
    struct mw_view number = mw_view_text(args.to);
    if (mw_view_starts_with(number, "v"))
        number = mw_view_from(number, 1);
    if (args.to && !mw_parse_u64(number, 1, UINT32_MAX, &to))
        return mw_cli_fail(MW_EXIT_USAGE, "", "--to wants the number of a version: --to v7");
    return ask(&args, (int64_t)to);
}
