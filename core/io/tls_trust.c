/* Where systems keep their bundle of authorities. Reads a file, judges nothing. */
#include "core/io/tls_trust.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"

static const char *const places[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
    "/etc/ssl/ca-bundle.pem",             /* openSUSE */
    "/etc/ssl/cert.pem",                  /* macOS, the BSDs */
};

static int read_all(FILE *file, struct mw_buf *out)
{
    char bytes[16384];
    size_t len;
    while ((len = fread(bytes, 1, sizeof(bytes), file)) > 0) {
        if (mw_buf_put(out, bytes, len))
            return MW_ERR_NOMEM;
    }
    return ferror(file) ? MW_ERR_IO : MW_OK;
}

static FILE *open_first(void)
{
    for (size_t i = 0; i < MW_COUNT(places); i++) {
        FILE *file = fopen(places[i], "rbe");
        if (file)
            return file;
    }
    return NULL;
}

int mw_tls_trust_load(struct mw_buf *out, char why[256])
{
    const char *own = getenv("SSL_CERT_FILE");
    bool has_own = own && *own;
    FILE *file = has_own ? fopen(own, "rbe") : open_first();
    if (!file && has_own)
        (void)snprintf(why, 256, "%.160s, which SSL_CERT_FILE names, cannot be read", own);
    else if (!file)
        (void)snprintf(why, 256,
                       "this system has no bundle of authorities; install "
                       "ca-certificates, or name a file in SSL_CERT_FILE");
    if (!file)
        return MW_ERR_NOT_FOUND;
    int err = read_all(file, out);
    if (err == MW_ERR_IO)
        (void)snprintf(why, 256, "the bundle of authorities cannot be read");
    (void)fclose(file);
    return err;
}
