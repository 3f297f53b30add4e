/* An answer of the control channel, and what stands in it. */
#ifndef MW_CLI_REPLY_H
#define MW_CLI_REPLY_H

#include "core/base/json.h"
#include "core/cli/control.h"

struct mw_reply {
    struct mw_control control;
    struct mw_view line;        /* as it came */
    struct mw_json_doc *doc;    /* owned */
    const struct mw_json *root; /* an object */
    bool ok;                    /* the server has done it */
};

/*
 * Sends a request and waits for its last line. 0, or an exit code, and then what is wrong has been
 * said. Free it in any case.
 */
int mw_reply_get(struct mw_reply *reply, const struct mw_args *args, struct mw_view request);
void mw_reply_free(struct mw_reply *reply);

/* Says on standard error what the server has refused, and what to do; gives MW_EXIT_FAILED. */
int mw_reply_refused(const struct mw_reply *reply);

/* Members of an object: where one is missing, or of another kind, empty, 0, false or NULL. */
struct mw_view mw_reply_text(const struct mw_json *object, const char *key);
double mw_reply_number(const struct mw_json *object, const char *key);
bool mw_reply_flag(const struct mw_json *object, const char *key);
const struct mw_json *mw_reply_list(const struct mw_json *object, const char *key);
const struct mw_json *mw_reply_object(const struct mw_json *object, const char *key);
bool mw_reply_has(const struct mw_json *object, const char *key);

#endif
