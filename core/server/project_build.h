/* How a snapshot of the project is put together; only project.c and project_scan.c include this. */
#ifndef MW_SERVER_PROJECT_BUILD_H
#define MW_SERVER_PROJECT_BUILD_H

#include <stdatomic.h>

#include "core/server/project.h"

/* What owns a snapshot's memory. Changes until it is sealed, then never again. */
struct mw_project_store {
    struct mw_project project;
    atomic_uint references;
    struct mw_mem mem;
    struct mw_project_file *scripts, *libs;
    size_t script_cap, lib_cap, folder_cap;
    char **folders;
};

/* NULL: no memory. */
struct mw_project_store *mw_project_store_new(void);
void mw_project_store_free(struct mw_project_store *store);

/* Takes the path of `file`, which belongs to store->mem, and its bytes, on MW_OK. MW_ERR_NOMEM. */
int mw_project_add_file(struct mw_project_store *store, bool is_lib,
                        const struct mw_project_file *file);
/* Copies; once is enough. MW_ERR_NOMEM. */
int mw_project_add_folder(struct mw_project_store *store, const char *path);

/* Gives the finished snapshot with one reference. */
struct mw_project *mw_project_seal(struct mw_project_store *store);

#endif
