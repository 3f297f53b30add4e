/* What `moonwire check` has found: kept, put in order, told twice only once. */
#ifndef MW_SERVER_FINDINGS_H
#define MW_SERVER_FINDINGS_H

#include "core/base/mem.h"
#include "moonwire/app.h"

/* Its texts are its own copies. */
struct mw_found {
    const char *file; /* the path to open: "app/scripts/chat.lua" */
    int line, column; /* from 1; columns count characters */
    int width;        /* characters to point at */
    const char *text; /* of the line; empty where it is very long, or nobody's */
    const char *rule; /* its name */
    enum mw_severity severity;
    const char *message;
    const char *hint; /* may be empty */
};

struct mw_findings {
    struct mw_mem *mem;
    struct mw_found *items;
    size_t count, cap;
    int err; /* MW_ERR_NOMEM: some are missing */
};

/* `mem` is borrowed until free. */
void mw_findings_init(struct mw_findings *findings, struct mw_mem *mem);
void mw_findings_free(struct mw_findings *findings);

/* Copies what the finding says, but for its file: `folder`/finding->file is the path to show. */
void mw_findings_add(struct mw_findings *findings, const char *folder,
                     const struct mw_finding *finding);

/* An error of this rule (NULL: any) in this line, or with this message, is known already. */
bool mw_findings_has(const struct mw_findings *findings, const char *rule, const char *folder,
                     struct mw_view file, int line, const char *message);

/* By file, line and column. */
void mw_findings_sort(struct mw_findings *findings);

size_t mw_findings_count(const struct mw_findings *findings, enum mw_severity severity);

#endif
