/*
 * Reads the files that tls.* names, whole, and nothing else: what is in them is core/io's to judge.
 * Called by certificates, on the server's thread.
 */
#include "core/server/certificate_files.h"

#include <errno.h>
#include <stdio.h>

#include "core/base/digest.h"
#include "core/server/project.h"

/* The n-th name of a file in the options; NULL past the last. */
static const char *name_of(const struct mw_config_tls *tls, size_t n)
{
    for (size_t i = 0; i < MW_CONFIG_MAX_PAIRS; i++) {
        const struct mw_config_pair *pair = &tls->pairs[i];
        if (!*pair->cert)
            continue;
        if (n < 2)
            return n == 0 ? pair->cert : pair->key;
        n -= 2;
    }
    return n == 0 && *tls->client_ca ? tls->client_ca : 0;
}

bool mw_certificate_path(const struct mw_config *config, size_t n,
                         char out[MW_CERTIFICATE_PATH_MAX])
{
    const char *name = name_of(&config->tls, n);
    if (!name)
        return false;
    int dir_len = *name == '/' ? 0 : (int)config->dir.len;
    int len = snprintf(out, MW_CERTIFICATE_PATH_MAX, "%.*s%s%s", dir_len, config->dir.data,
                       dir_len ? "/" : "", name);
    if (len < 0 || len >= MW_CERTIFICATE_PATH_MAX)
        out[0] = '\0'; /* is no file */
    return true;
}

/* Of the error that was last, errno included. */
static void say_unread(const char *path, int err, char why[512])
{
    const char *reason = "it cannot be read", *more = "";
    if (err == MW_ERR_NOT_FOUND)
        reason = "there is no such file";
    else if (err == MW_ERR_BAD_ARG)
        reason = "it is no regular file";
    else if (err == MW_ERR_FULL)
        reason = "it is too large";
    else if (err == MW_ERR_NOMEM)
        reason = "out of memory";
    else
        more = strerror(errno);
    snprintf(why, 512, "%.400s: %s%s%.60s", path, reason, *more ? ": " : "", more);
}

static int read_text(struct mw_certificate_files *files, const char *path, char why[512])
{
    struct mw_certificate_text *text = &files->texts[files->text_count];
    int err = mw_read_file(files->mem, path, &text->data, &text->len);
    if (err) {
        say_unread(path, err, why);
        return err;
    }
    files->text_count++;
    files->hash = mw_hash64(mw_view(text->data, text->len), files->hash);
    return MW_OK;
}

static struct mw_view view_of(const struct mw_certificate_text *text)
{
    return mw_view(text->data, text->len);
}

/* Texts stand in the order of name_of. */
static void arrange(struct mw_certificate_files *files, const struct mw_config_tls *tls)
{
    for (; files->pair_count < files->text_count / 2; files->pair_count++) {
        size_t first = 2 * files->pair_count;
        files->pairs[files->pair_count] = (struct mw_tls_pair){
            .chain_name = name_of(tls, first),
            .key_name = name_of(tls, first + 1),
            .chain = view_of(&files->texts[first]),
            .key = view_of(&files->texts[first + 1]),
        };
    }
    if (files->text_count % 2)
        files->client_ca = view_of(&files->texts[files->text_count - 1]);
}

int mw_certificate_files_read(struct mw_certificate_files *files, struct mw_mem *mem,
                              const struct mw_config *config, char why[512])
{
    char path[MW_CERTIFICATE_PATH_MAX];
    *files = (struct mw_certificate_files){ .mem = mem };
    for (size_t n = 0; mw_certificate_path(config, n, path); n++) {
        int err = read_text(files, path, why);
        if (err)
            return err;
    }
    arrange(files, &config->tls);
    return MW_OK;
}

void mw_certificate_files_free(struct mw_certificate_files *files)
{
    for (size_t i = 0; i < files->text_count; i++) {
        explicit_bzero(files->texts[i].data, files->texts[i].len);
        mw_free(files->mem, files->texts[i].data, files->texts[i].len + 1);
    }
    files->text_count = files->pair_count = 0;
}
