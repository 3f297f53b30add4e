/* Reads and prints lines of the control channel. Called by the commands that ask a server. */
#include "core/cli/answer.h"

#include <stdio.h>

#include "core/cli/reply.h"
#include "core/cli/say.h"
#include "core/cli/settings.h"
#include "core/server/server.h"

static void print_line(FILE *out, const char *before, struct mw_view text)
{
    fputs(before, out);
    mw_cli_say(out, text);
    fputc('\n', out);
}

/* What the server reports, or why it has done nothing. */
static void say(const struct mw_json *answer, bool ok)
{
    struct mw_view text = mw_reply_text(answer, "text"), error = mw_reply_text(answer, "error");
    struct mw_view hint = mw_reply_text(answer, "hint");
    if (text.len)
        print_line(ok ? stdout : stderr, "", text);
    else if (ok)
        puts("nothing has changed");
    if (error.len)
        print_line(stderr, "moonwire: ", error);
    if (hint.len)
        print_line(stderr, "  ", hint);
}

int mw_answer_take(struct mw_mem *mem, struct mw_view line, bool as_json, bool *is_event)
{
    struct mw_json_error error;
    struct mw_json_doc *doc = mw_json_parse(mem, line, &error);
    const struct mw_json *answer = doc ? mw_json_root(doc) : 0;
    if (is_event)
        *is_event = false;
    if (!answer || mw_json_kind(answer) != MW_JSON_OBJECT) {
        mw_json_doc_free(doc);
        return mw_cli_fail(MW_EXIT_FAILED, "", "the server's answer cannot be read");
    }
    bool announces = mw_reply_text(answer, "event").len > 0;
    bool ok = announces || mw_reply_flag(answer, "ok");
    if (as_json)
        print_line(stdout, "", line);
    else
        say(answer, ok);
    (void)fflush(stdout);
    if (is_event)
        *is_event = announces;
    mw_json_doc_free(doc);
    return ok ? MW_EXIT_OK : MW_EXIT_FAILED;
}
