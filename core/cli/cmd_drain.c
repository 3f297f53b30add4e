/*
 * `moonwire drain`: asks the running server to end, prints what will happen, and with --wait how it
 * went, when its process has let go of everything.
 */
#include "core/base/str.h"
#include "core/cli/answer.h"
#include "core/cli/commands.h"
#include "core/cli/control.h"
#include "core/cli/settings.h"
#include "core/server/server.h"

/* Beyond the longest drain.timeout. */
#define PATIENCE_MS 660000

static struct mw_view request_of(const struct mw_args *args)
{
    static const char *const requests[2][2] = {
        { "{\"cmd\":\"drain\"}", "{\"cmd\":\"drain\",\"wait\":true}" },
        { "{\"cmd\":\"drain\",\"restart\":true}",
          "{\"cmd\":\"drain\",\"restart\":true,\"wait\":true}" },
    };
    return mw_view_text(requests[args->restart][args->wait]);
}

static int no_word(int err)
{
    return mw_cli_fail(MW_EXIT_FAILED, "",
                       err == MW_ERR_AGAIN
                           ? "the server does not answer"
                           : "the server is gone without a word of how it went: see its log");
}

/* The lines of the answer; then, with --wait, the end of the process, which closes the socket. */
static int hear(struct mw_control *control, const struct mw_args *args)
{
    struct mw_view line;
    bool goes_on = true;
    int code = MW_EXIT_OK;
    while (goes_on) {
        int err = mw_control_next(control, PATIENCE_MS, &line);
        if (err)
            return no_word(err);
        code = mw_answer_take(&control->mem, line, args->json, &goes_on);
    }
    if (!code && args->wait && mw_control_next(control, PATIENCE_MS, &line) != MW_ERR_CLOSED)
        code = mw_cli_fail(MW_EXIT_FAILED, "", "the server has drained and does not end");
    return code;
}

int mw_cmd_drain(const struct mw_args *args)
{
    struct mw_control control;
    int code = mw_control_open(&control, args);
    if (!code) { /* a server that does not listen to it may have said why */
        (void)mw_control_send(&control, request_of(args));
        code = hear(&control, args);
    }
    mw_control_close(&control);
    return code;
}
