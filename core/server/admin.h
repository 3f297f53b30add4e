/*
 * The control channel: one line of JSON asks, lines of JSON answer, over a Unix socket that only
 * this user reaches. What can be asked is a table of commands; this file knows none of them.
 *
 *   {"cmd":"reload","script":"chat.lua"}
 *   {"ok":true,...}
 *
 * An answer is any number of lines with "event" and one last line with "ok"; where that is false it
 * has "error" and perhaps "hint". A client's requests are answered one after the other.
 */
#ifndef MW_SERVER_ADMIN_H
#define MW_SERVER_ADMIN_H

#include "core/base/json.h"
#include "core/io/loop.h"

/* Same uid or root, so this is against accidents: a loop that forgets to close, a lost reader. */
#define MW_ADMIN_MAX_CLIENTS   16
#define MW_ADMIN_REQUEST_BYTES 16384
#define MW_ADMIN_ANSWER_BYTES  4194304 /* that wait for a client */
#define MW_ADMIN_PATIENCE_MS   10000   /* for a request, and for a client that does not read */

struct mw_admin;

/* A request in the hands of its command, which ends it, now or later. */
struct mw_admin_call {
    const struct mw_json *request; /* an object; until the end */
    /*
     * Set by a command that waits: the client is gone or the channel closes. The command has to
     * end the call there and then, without an answer: whatever is still said goes nowhere.
     */
    void (*gone)(struct mw_admin_call *call);
    void *ctx; /* the command's own */
    /* private */
    struct mw_mem *mem;
    struct mw_admin_client *client; /* NULL: gone */
    struct mw_json_doc *doc;
    struct mw_buf line;
    struct mw_json_writer json;
};

struct mw_admin_command {
    const char *name;
    void (*run)(void *ctx, struct mw_admin_call *call); /* takes the call */
    const char *help;
};

struct mw_admin_setup {
    struct mw_loop *loop;
    const char *path;                        /* copied */
    const struct mw_admin_command *commands; /* ends with a row without a name; borrowed */
    void *ctx;                               /* first argument of every command */
};

/* As mw_local_open. */
int mw_admin_open(const struct mw_admin_setup *setup, struct mw_admin **out, char why[256]);

/*
 * From now on only these commands (ends with NULL) are run, all others refused with `why`. Both are
 * static. NULL is allowed.
 */
void mw_admin_narrow(struct mw_admin *admin, const char *const *names, const char *why);

/* Says what is still to be said, ends what is being answered (`gone`); frees itself by the loop.
 * NULL is allowed. */
void mw_admin_close(struct mw_admin *admin);

/* ---- for commands ---- */

/* A member of the request; empty where it is missing. False: it is there and no text. */
bool mw_admin_text(const struct mw_admin_call *call, const char *key, struct mw_view *out);
/* The same for a whole number; 0 where it is missing. */
bool mw_admin_number(const struct mw_admin_call *call, const char *key, int64_t *out);
/* The same for true and false, which is what a missing one is. */
bool mw_admin_flag(const struct mw_admin_call *call, const char *key, bool *out);

/* Begins a line before the last one, for the caller to put members into; `end` sends it. */
struct mw_json_writer *mw_admin_event(struct mw_admin_call *call, const char *name);
void mw_admin_event_end(struct mw_admin_call *call);

/* Begins the last line, with "ok"; `end` sends it and frees the call. */
struct mw_json_writer *mw_admin_answer(struct mw_admin_call *call, bool ok);
void mw_admin_end(struct mw_admin_call *call);

/* A whole answer that is a refusal; `hint` may be "". Frees the call. */
void mw_admin_refuse(struct mw_admin_call *call, const char *error, const char *hint);

#endif
