/*
 * The files of certificates and keys as they lie on disk at one moment. For certificates; blocks,
 * for as long as a few small files take.
 */
#ifndef MW_SERVER_CERTIFICATE_FILES_H
#define MW_SERVER_CERTIFICATE_FILES_H

#include "core/server/config.h"

#define MW_CERTIFICATE_FILES_MAX (2 * MW_CONFIG_MAX_PAIRS + 1)

/* A text with a NUL behind it, which is not counted. */
struct mw_certificate_text {
    char *data;
    size_t len;
};

struct mw_certificate_files {
    struct mw_mem *mem;
    struct mw_tls_pair pairs[MW_CONFIG_MAX_PAIRS]; /* named by their files */
    size_t pair_count;
    struct mw_view client_ca;
    uint64_t hash; /* of all that was read */
    /* private */
    struct mw_certificate_text texts[MW_CERTIFICATE_FILES_MAX];
    size_t text_count;
};

/*
 * Reads all that the options name; borrows the config. MW_OK, or MW_ERR_* with a sentence in `why`.
 * To be freed either way.
 */
int mw_certificate_files_read(struct mw_certificate_files *files, struct mw_mem *mem,
                              const struct mw_config *config, char why[512]);
/* Keys are wiped out. */
void mw_certificate_files_free(struct mw_certificate_files *files);

#define MW_CERTIFICATE_PATH_MAX 4096

/* The n-th file that the options name, from 0, below the project; false past the last. */
bool mw_certificate_path(const struct mw_config *config, size_t n,
                         char out[MW_CERTIFICATE_PATH_MAX]);

#endif
