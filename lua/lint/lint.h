/*
 * What can be known of one script without running it: reads it and tells what is wrong. Knows the
 * language and the shape of a script; which names exist it is told.
 */
#ifndef MW_LINT_LINT_H
#define MW_LINT_LINT_H

#include "lua/lint/tree.h"
#include "moonwire/app.h"

enum mw_rule {
#define MW_RULE(id, name, severity, what) MW_RULE_##id,
#include "lua/lint/rules.def"
#undef MW_RULE
    MW_RULES,
};

struct mw_rule_row {
    const char *name;
    enum mw_severity severity;
    const char *what;
};
/* One row for each rule. */
extern const struct mw_rule_row mw_rules[];

/* The names that exist for scripts. All lists end in NULL. */
struct mw_lint_names {
    const char *const *(*of)(const char *library); /* as mw_lua_names; NULL: no such list */
    const char *const *conn_methods, *const *handlers;
    const char *(*code_refusal)(unsigned code); /* as in host.h */
};

struct mw_lint_finding {
    enum mw_rule rule;
    uint32_t at, len;  /* bytes of the text */
    char message[256]; /* begins with a small letter or a name, no full stop */
    char hint[200];    /* may be empty */
};

/* What a file is for. */
enum mw_lint_kind { MW_LINT_SCRIPT, MW_LINT_LIBRARY, MW_LINT_SETTINGS };

/* One file to be read. All views are borrowed. */
struct mw_lint_job {
    struct mw_mem *mem;
    const struct mw_lint_names *names;
    enum mw_lint_kind kind;
    struct mw_view path, text;
    const struct mw_source *libs; /* what require can find */
    size_t lib_count;
    void *ctx; /* of the functions below */
    void (*finding)(void *ctx, const struct mw_lint_finding *finding);
    /* The route that the script gives itself, where that is plain to see. */
    void (*route)(void *ctx, struct mw_view pattern, uint32_t at, uint32_t len);
    /* While it loads, the file requires libs[lib]. */
    void (*require)(void *ctx, size_t lib, uint32_t at, uint32_t len);
    /* Of settings: the value of this key ("log.level") stands here. */
    void (*setting)(void *ctx, struct mw_view key, uint32_t at, uint32_t len);
};

/*
 * MW_OK whatever was found; MW_ERR_NOMEM, MW_ERR_FULL (a text of 2 GiB). A file with a syntax error
 * gives that finding alone.
 */
int mw_lint_read(const struct mw_lint_job *job);

#endif
