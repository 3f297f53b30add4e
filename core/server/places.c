/*
 * The folders of a project (docs/running.md). Called by cli before anything runs; changes nothing.
 */
#include "core/server/places.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core/server/project.h"

static bool is_folder(const char *path)
{
    struct stat st;
    if (stat(path, &st))
        return false;
    errno = ENOTDIR; /* where it is none */
    return S_ISDIR(st.st_mode);
}

/* MW_OK where the folder holds a script that could be served. */
static int check_scripts(const char *folder, struct mw_view suffix, char why[512])
{
    struct mw_project *project = 0;
    int err = mw_project_scan(folder, suffix, &project, why);
    if (err)
        return err;
    bool found = project->script_count > 0;
    mw_project_drop(project);
    if (found)
        return MW_OK;
    snprintf(why, 512,
             "%.256s holds no script. Write one, for instance echo%.*s, and start again: its path "
             "will be /echo",
             folder, (int)suffix.len, suffix.data);
    return MW_ERR_NOT_FOUND;
}

static int join(char out[4096], const char *folder, const char *name)
{
    int n = snprintf(out, 4096, "%s/%s", folder, name);
    return n > 0 && n < 4096 ? MW_OK : MW_ERR_BAD_ARG;
}

int mw_places_find(struct mw_places *places, struct mw_view dir, struct mw_view suffix,
                   char why[512])
{
    char root[3072];
    if (dir.len == 0 || dir.len >= sizeof root) {
        snprintf(why, 512, "the path of the project folder is empty or too long");
        return MW_ERR_NOT_FOUND;
    }
    memcpy(root, dir.data, dir.len);
    root[dir.len] = '\0';
    if (!is_folder(root)) {
        snprintf(why, 512, "%.256s: %s. DIR is the folder that holds your scripts", root,
                 errno == ENOENT ? "there is no such folder" : "this is not a folder");
        return MW_ERR_NOT_FOUND;
    }
    if (join(places->scripts, root, "scripts") || !is_folder(places->scripts))
        snprintf(places->scripts, sizeof places->scripts, "%s", root);
    if (join(places->public_files, root, "public") || !is_folder(places->public_files))
        (void)snprintf(places->public_files, sizeof places->public_files, "%.4080s/public",
                       places->scripts);
    if (join(places->settings, root, "moonwire.lua")) {
        snprintf(why, 512, "the path of the project folder is too long");
        return MW_ERR_NOT_FOUND;
    }
    return check_scripts(places->scripts, suffix, why) ? MW_ERR_NOT_FOUND : MW_OK;
}
