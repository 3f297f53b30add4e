/* Command lines: a verb, flags in any place, at most one folder, for some verbs a script or words.
 */
#ifndef MW_CLI_ARGS_H
#define MW_CLI_ARGS_H

#include "core/server/config.h"

/* A flag that may be given several times; further ones are refused. */
#define MW_ARG_LIST_MAX 32
struct mw_arg_list {
    size_t count;
    const char *items[MW_ARG_LIST_MAX];
};

struct mw_args {
    const char *verb;   /* "help" where --help was given; NULL: none */
    const char *dir;    /* NULL: not given */
    const char *script; /* "chat.lua", "chat", for verbs that take one; NULL: not given */
    bool help;
    /* flags of some verbs alone */
    bool json, restart, wait;
    /* of explain: what is to be explained; of why: an id; of close: an id, a code, a reason */
    const char *words[3]; /* NULL: not given */
    const char *last;     /* of why; NULL: not given */
    bool all, markdown;
    const char *lang; /* NULL: not given */
    const char *to;   /* NULL: not given */
    /* of connect and doctor */
    struct mw_arg_list headers, protocols;
    const char *origin, *timeout; /* NULL: not given */
    bool insecure;
    const char *path, *idle; /* the same, of doctor */
    /* of connect */
    struct mw_arg_list sends;
    const char *ca, *stay, *ping; /* NULL: not given; stay: --wait */
    bool jsonl, id, verbose, reconnect, no_compress, no_history, no_slash;
    const char *clients, *seed, *rate, *capacity, *svg, *schedules; /* the same, of simulate */
    /* the same, of bench, with clients and rate */
    const char *mode, *messages, *seconds, *size, *depth, *sources, *pid;
    const char *warmup, *body, *deflate, *spin;
    bool bare, abrupt, impatient, cut;
    /* flags of config.def in order, "--listen" "X" as pairs of argv entries */
    int flag_count;
    const char *flags[32][2];
};

/* MW_OK, or MW_ERR_BAD_ARG with a sentence in `why`. Borrows argv. */
int mw_args_parse(struct mw_args *args, int argc, char **argv, char why[256]);

/*
 * For a verb that takes a script: a single word that could be the folder's name or the script's
 * without ".lua" is the script's where there is no such folder.
 */
void mw_args_settle_word(struct mw_args *args, bool (*is_folder)(const char *path));

/* Sets what the flags say. As mw_config_set. */
int mw_args_apply(const struct mw_args *args, struct mw_config *config, char why[256]);

#endif
