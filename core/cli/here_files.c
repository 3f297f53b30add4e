/*
 * What the scripts of a project say about a code where no server runs that could be asked: they are
 * loaded as `moonwire check` does. Called by cmd_explain behind here.
 */
#include <dirent.h>
#include <stdio.h>

#include "core/base/str.h"
#include "core/cli/here.h"
#include "core/cli/settings.h"
#include "core/explain/subject.h"
#include "core/server/log.h"
#include "core/server/project_codes.h"
#include "core/server/server.h"
#include "moonwire/engine_lua.h"

static bool is_of_scripts(unsigned code)
{
    return code >= 3000 && code <= 4999;
}

/* A script, a folder of scripts or settings lie in the current folder. */
static bool looks_like_project(const char *suffix)
{
    bool is_one = mw_cli_is_folder("scripts");
    DIR *folder = is_one ? 0 : opendir(".");
    const struct dirent *entry;
    while (folder && !is_one && (entry = readdir(folder)))
        is_one = mw_view_ends_with(mw_view_text(entry->d_name), suffix);
    if (folder)
        closedir(folder);
    return is_one;
}

/* One line, whatever the names and the message hold. */
static void tell_fault(void *ctx, struct mw_view script, const struct mw_fault *fault)
{
    const char *folder = ctx;
    struct mw_mem mem;
    struct mw_buf text;
    mw_mem_init(&mem, 0, 0);
    mw_buf_init(&text, &mem, 0);
    (void)mw_log_put_line(&text, script);
    (void)mw_buf_put_text(&text, " does not load, so what it says is not known: ");
    (void)mw_log_put_line(&text, mw_view_text(fault->file));
    if (fault->line)
        (void)mw_buf_putf(&text, ":%d", fault->line);
    (void)mw_buf_put_text(&text, *fault->file ? ": " : "");
    (void)mw_log_put_line(&text, mw_view_text(fault->message));
    fprintf(stderr, "moonwire: %s/%.*s\n", folder, (int)text.len, text.len ? text.data : "");
    mw_buf_free(&text);
}

static void take_rows(struct mw_cli_here *here)
{
    const struct mw_script_code *rows = (const void *)here->rows.data;
    size_t count = here->rows.len / sizeof *rows;
    for (size_t i = 0; i < count && i < MW_CLI_HERE_CODES; i++)
        here->codes[here->here.code_count++] =
            (struct mw_here_code){ rows[i].code, mw_view_text(rows[i].script),
                                   mw_view_text(rows[i].text), mw_view_text(rows[i].fix),
                                   rows[i].advice };
    here->here.codes = here->codes;
}

/* False: what is wrong has been said, or there is nothing. */
static bool find_scripts(struct mw_cli_here *here, const struct mw_args *args, const char *suffix)
{
    struct mw_places places;
    char why[512];
    if (!args->dir && !looks_like_project(suffix))
        return false;
    if (mw_places_find(&places, mw_view_text(args->dir ? args->dir : "."), mw_view_text(suffix),
                       why)) {
        if (args->dir)
            (void)mw_cli_fail(MW_EXIT_FAILED, "", why);
        return false;
    }
    snprintf(here->folder, sizeof here->folder, "%s", places.scripts);
    return true;
}

const struct mw_here *mw_cli_here_read_files(struct mw_cli_here *here, const struct mw_args *args,
                                             const struct mw_subject *subject)
{
    const struct mw_engine *engine = mw_engine_lua();
    char why[512];
    bool is_code = subject->kind != MW_SUBJECT_CAUSE;
    if (!is_code || (!is_of_scripts(subject->code) && !is_of_scripts(subject->other)) ||
        !find_scripts(here, args, engine->suffix))
        return 0;
    if (!here->control.has_config)
        mw_config_default(&here->control.config);
    const struct mw_project_codes wish = { engine,        &here->control.config, here->folder,
                                           subject->code, subject->other,        here->folder,
                                           tell_fault };
    mw_buf_init(&here->rows, &here->control.mem, 0);
    if (mw_project_codes_read(&wish, &here->rows, why)) {
        (void)mw_cli_fail(MW_EXIT_FAILED, "", why);
        return 0;
    }
    here->here = (struct mw_here){ .folder = here->folder };
    take_rows(here);
    return &here->here;
}
