/*
 * One change of the project on its way around the workers: what changed, and what became of it.
 * Belongs to whoever holds it; only the project itself is shared.
 */
#ifndef MW_SERVER_BATCH_H
#define MW_SERVER_BATCH_H

#include "core/server/letter.h"
#include "core/server/project.h"

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
    bool by_lib;  /* a library that its live version uses has changed */
    bool commit;  /* the server's decision */
    enum mw_load_outcome outcome;
    unsigned from, to;
    unsigned as;   /* going back: the version that was made of these sources first; 0: from disk */
    uint64_t hash; /* of what the version is made of: the script, and the libraries that it uses */
    double prepare_ms, commit_ms; /* of all workers */
    size_t kept, dropped;         /* connections, of all workers */
    bool rebuilt;                 /* committed into an app of its own */
    struct mw_carried carried;
    struct mw_fault *fault;
    unsigned refused_by; /* worker; those with lower numbers had it ready */
    char pattern[256];
};

/* Each goes around all workers. SURVEY is for several: what one uses concerns all of them. */
enum mw_batch_step { MW_BATCH_PREPARE, MW_BATCH_SURVEY, MW_BATCH_COMMIT };

struct mw_batch {
    struct mw_letter letter;
    enum mw_batch_step step;
    struct mw_mem mem;
    struct mw_project *project; /* a reference */
    struct mw_project *before;  /* a reference; NULL at the first load */
    bool libs_changed;
    struct mw_source *libs; /* of project, as engines want them */
    struct mw_load *loads;
    size_t count;
    char why[160]; /* of going back without having been told to; "" */
};

/*
 * What has changed from `before` (NULL: everything) to `project`; keeps a reference to both.
 * MW_ERR_NOMEM.
 */
int mw_batch_new(struct mw_project *before, struct mw_project *project, struct mw_batch **out);
/* One script, which is in `project`, made of its sources there although the disk has others. */
int mw_batch_new_back(struct mw_project *project, struct mw_view script, unsigned as,
                      struct mw_batch **out);
void mw_batch_free(struct mw_batch *batch);

/* This script is loaded although nothing of it has changed. False: there is none. */
bool mw_batch_force(struct mw_batch *batch, struct mw_view script);

/*
 * What to commit: scripts one by one, but all or none of those that use a changed library.
 */
void mw_batch_decide(struct mw_batch *batch);

/* The library at this path is new, gone, or another one than before. */
bool mw_batch_lib_changed(const struct mw_batch *batch, struct mw_view path);

#endif
