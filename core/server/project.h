/*
 * The scripts of a project as they lie on disk at one moment: an immutable, counted snapshot that
 * may cross threads. Scanning blocks, so it is done in the pool once the server runs.
 */
#ifndef MW_SERVER_PROJECT_H
#define MW_SERVER_PROJECT_H

#include "core/base/mem.h"
#include "moonwire/app.h"

/* A script is text that people write; what is larger is a mistake. */
#define MW_PROJECT_MAX_FILE_BYTES 4194304

struct mw_project_file {
    struct mw_view path; /* below the script folder: "chat.lua", "lib/rooms.lua" */
    struct mw_view text;
    uint64_t hash;
};

struct mw_project {
    const struct mw_project_file *scripts; /* sorted by path */
    size_t script_count;
    const struct mw_project_file *libs;
    size_t lib_count;
    const char *const *folders; /* to be watched; absolute or relative as the root was */
    size_t folder_count;
    /* private */
    struct mw_project_store *store;
};

/*
 * Where things are, from the folder that was named: DIR/scripts or DIR; DIR/public or
 * <scripts>/public.
 */
struct mw_places {
    char scripts[4096];
    char public_files[4096];
    char settings[4096]; /* DIR/moonwire.lua */
};

/*
 * MW_OK, or MW_ERR_NOT_FOUND with a sentence in `why`: the folder is missing, is none, or holds no
 * script with this suffix.
 */
int mw_places_find(struct mw_places *places, struct mw_view dir, struct mw_view suffix,
                   char why[512]);

/*
 * Reads every script and library. MW_OK; MW_ERR_NOMEM; MW_ERR_IO with a sentence in `why`: the
 * folder cannot be read. Files that vanish meanwhile or are too large are left out (the latter
 * named in `why`).
 */
int mw_project_scan(const char *folder, struct mw_view suffix, struct mw_project **out,
                    char why[512]);

struct mw_project *mw_project_keep(struct mw_project *project);
void mw_project_drop(struct mw_project *project); /* NULL is allowed */

/* The file of this path among scripts or libs; NULL: none. */
const struct mw_project_file *mw_project_script(const struct mw_project *project,
                                                struct mw_view path);
const struct mw_project_file *mw_project_lib(const struct mw_project *project, struct mw_view path);

/* Same files with the same contents. */
bool mw_project_equal(const struct mw_project *a, const struct mw_project *b);

/*
 * Reads one whole file: gives *text, free with mw_free(mem, text, len + 1). MW_ERR_NOT_FOUND,
 * MW_ERR_FULL, MW_ERR_IO, MW_ERR_NOMEM.
 */
int mw_read_file(struct mw_mem *mem, const char *path, char **text, size_t *len);

#endif
