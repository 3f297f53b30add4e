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

struct mw_msg;

/* By what a file is known to be the same without reading it. */
struct mw_project_stamp {
    bool is_settled; /* false: it might be changed again and look the same */
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns; /* Unix time */
};

struct mw_project_file {
    struct mw_view path; /* below the script folder: "chat.lua", "lib/rooms.lua"; ends in a NUL */
    struct mw_view text; /* ends in a NUL, uncounted */
    uint64_t hash;
    const char *problem; /* static: why it cannot be read; NULL: it could */
    struct mw_project_stamp stamp;
    struct mw_msg *bytes; /* private: holds text, which the same file of another snapshot shares */
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
 * Reads every script and library. MW_OK; MW_ERR_NOMEM; MW_ERR_IO with a sentence in `why`:
 * something that is there could not be read now, so that a snapshot would lie (a script that is
 * missing in one has been deleted). A script that cannot be read at all is in the snapshot, with
 * its problem; a library of that kind is not, and is named in `why`.
 */
int mw_project_scan(const char *folder, struct mw_view suffix, struct mw_project **out,
                    char why[512]);

/*
 * The same, where something is known already: what looks as it did in `before` (NULL: nothing
 * does) is not read again, and its text is shared with it.
 */
struct mw_project_look {
    const char *folder;
    struct mw_view suffix;
    const struct mw_project *before;
    mw_ms now_unix_ms; /* what was changed shortly before is read the next time too */
};
int mw_project_look(const struct mw_project_look *look, struct mw_project **out, char why[512]);

struct mw_project *mw_project_keep(struct mw_project *project);
void mw_project_drop(struct mw_project *project); /* NULL is allowed */

/* The file of this path among scripts or libs; NULL: none. */
const struct mw_project_file *mw_project_script(const struct mw_project *project,
                                                struct mw_view path);
/* The same for a name as people say it, perhaps without the suffix. */
const struct mw_project_file *mw_project_named(const struct mw_project *project,
                                               struct mw_view name, struct mw_view suffix);
const struct mw_project_file *mw_project_lib(const struct mw_project *project, struct mw_view path);

/* Same files with the same contents. */
bool mw_project_equal(const struct mw_project *a, const struct mw_project *b);

/*
 * Reads one whole file: gives *text, free with mw_free(mem, text, len + 1). MW_ERR_NOT_FOUND,
 * MW_ERR_BAD_ARG (no regular file), MW_ERR_FULL, MW_ERR_NOMEM, MW_ERR_IO with errno.
 */
int mw_read_file(struct mw_mem *mem, const char *path, char **text, size_t *len);

#endif
