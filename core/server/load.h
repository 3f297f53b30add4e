/*
 * Loading scripts on one worker, in two steps: prepare beside what runs, then commit or discard. A
 * batch is one change of the project; it travels between the server's thread and the worker's, and
 * belongs to whoever holds it.
 */
#ifndef MW_SERVER_LOAD_H
#define MW_SERVER_LOAD_H

#include "core/io/mailbox.h"
#include "core/server/project.h"

struct mw_worker;

enum mw_load_outcome {
    MW_LOAD_UNTOUCHED, /* nothing of it changed */
    MW_LOAD_READY,     /* prepared; `commit` decides */
    MW_LOAD_REMOVED,   /* its file is gone */
    MW_LOAD_FAULT,     /* *fault says why */
    MW_LOAD_CONFLICT,  /* another script has an equal pattern: named in fault */
};

struct mw_load {
    struct mw_view name;
    bool changed; /* its own text, against what was last tried */
    bool commit;  /* the server's decision */
    enum mw_load_outcome outcome;
    unsigned from, to;
    double prepare_ms, commit_ms;
    size_t kept, dropped; /* connections */
    struct mw_fault *fault;
    char pattern[256];
};

enum mw_batch_step { MW_BATCH_PREPARE, MW_BATCH_PREPARED, MW_BATCH_COMMIT, MW_BATCH_COMMITTED };

struct mw_batch {
    struct mw_mail mail;
    enum mw_batch_step step;
    struct mw_mem mem;
    struct mw_project *project; /* a reference */
    struct mw_project *before;  /* a reference; NULL at the first load */
    bool libs_changed;
    struct mw_source *libs; /* of project, as engines want them */
    struct mw_load *loads;
    size_t count;
};

/*
 * What has changed from `before` (NULL: everything) to `project`; keeps a reference to both.
 * MW_ERR_NOMEM.
 */
int mw_batch_new(struct mw_project *before, struct mw_project *project, struct mw_batch **out);
void mw_batch_free(struct mw_batch *batch);

/* On the worker's thread. Outcomes are set. */
void mw_load_prepare(struct mw_worker *worker, struct mw_batch *batch);
/* Commits what `commit` says and discards the rest. */
void mw_load_commit(struct mw_worker *worker, struct mw_batch *batch);

/*
 * What to commit: scripts one by one, but all or none where a library changed under them. Number of
 * loads that were refused.
 */
size_t mw_batch_decide(struct mw_batch *batch);

#endif
