/* `moonwire metrics`: asks the running server for its counters and prints them as they came. */
#include <stdio.h>

#include "core/base/str.h"
#include "core/cli/commands.h"
#include "core/cli/reply.h"
#include "core/cli/settings.h"
#include "core/server/server.h"

int mw_cmd_metrics(const struct mw_args *args)
{
    struct mw_reply reply;
    int code = mw_reply_get(&reply, args, mw_view_text("{\"cmd\":\"metrics\"}"));
    if (!code && !reply.ok)
        code = mw_reply_refused(&reply);
    if (!code) {
        struct mw_view text = mw_reply_text(reply.root, "text");
        bool is_whole = fwrite(text.data, 1, text.len, stdout) == text.len && !fflush(stdout);
        code = is_whole ? MW_EXIT_OK : mw_cli_fail(MW_EXIT_FAILED, "", "it cannot be written");
    }
    mw_reply_free(&reply);
    return code;
}
