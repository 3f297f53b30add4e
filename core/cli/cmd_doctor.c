/*
 * `moonwire doctor`: what is wrong with this machine and a project (doctor_checks.def), or on the
 * way to a server (core/doctor/walk.h). Changes nothing.
 */
#include <stdio.h>

#include "core/cli/checkup.h"
#include "core/cli/commands.h"
#include "core/cli/doctor_path.h"
#include "core/cli/terminal.h"
#include "core/server/server.h"
#include "moonwire/engine_lua.h"
#include "moonwire/version.h"

/* Findings of either kind are 1, as those of check. */
static int print(const struct mw_doctor_report *report, bool json)
{
    struct mw_mem mem;
    struct mw_buf out;
    struct mw_terminal terminal = mw_cli_terminal();
    mw_mem_init(&mem, 0, 0);
    mw_buf_init(&out, &mem, 0);
    int err =
        json ? mw_doctor_render_json(&out, report) : mw_doctor_render(&out, report, &terminal);
    if (!err)
        fwrite(out.data, 1, out.len, stdout);
    (void)fflush(stdout);
    mw_buf_free(&out);
    if (err)
        return mw_cli_fail(MW_EXIT_FAILED, "", "out of memory");
    return mw_doctor_is_well(report) ? MW_EXIT_OK : MW_EXIT_FAILED;
}

static void look_here(const struct mw_args *args, struct mw_doctor_report *report)
{
    static struct mw_checkup checkup; /* the same */
    mw_checkup_open(&checkup, args, mw_engine_lua());
    snprintf(report->title, sizeof report->title, "moonwire %s, this machine", MOONWIRE_VERSION);
    mw_checkup_run(&checkup, report);
    mw_checkup_free(&checkup);
}

int mw_cmd_doctor(const struct mw_args *args)
{
    static struct mw_doctor_report report; /* large, and there is one */
    if (args->words[0])
        return mw_doctor_path(args, &report, print);
    look_here(args, &report);
    return print(&report, args->json);
}
