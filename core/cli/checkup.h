/*
 * What `moonwire doctor` looks at on this machine and in a project. It changes nothing, asks
 * nobody for more than a moment, and says of each thing how it is.
 */
#ifndef MW_CLI_CHECKUP_H
#define MW_CLI_CHECKUP_H

#include "core/cli/settings.h"
#include "core/doctor/report.h"

struct mw_project;

struct mw_checkup {
    const struct mw_engine *engine;
    bool has_settings;                /* config holds, and may be served with */
    struct mw_config config;          /* its `dir` always holds */
    struct mw_places places;          /* where there is a project */
    const struct mw_project *project; /* NULL: there is none */
    bool is_wanted;                   /* a folder was named, so there should be one */
    char trouble[MW_CLI_WHY_MAX];     /* why there are no settings; "" */
    char no_project[512];             /* why there is no project; "" */
    char server[128];                 /* who serves this project now; "": nobody */
};

/* Reads the project that the command line names. To be freed. */
void mw_checkup_open(struct mw_checkup *checkup, const struct mw_args *args,
                     const struct mw_engine *engine);
void mw_checkup_free(struct mw_checkup *checkup);

/* All of doctor_checks.def, in order. */
void mw_checkup_run(const struct mw_checkup *checkup, struct mw_doctor_report *report);

/*
 * One check: gets a line that is well, and fills in its value; where something is found, its state
 * and what to type too, and why where the row's own text would not do.
 */
#define MW_CHECKUP(function, name, needs, why) \
    void mw_checkup_##function(const struct mw_checkup *checkup, struct mw_doctor_line *line);
#include "core/cli/doctor_checks.def"
#undef MW_CHECKUP

/* ---- for the checks and their tests ---- */

/* What a limit on open files means. `hard` is what the server raises its own to. */
void mw_checkup_judge_files(struct mw_doctor_line *line, uint64_t soft, uint64_t hard);
/* What the option `connections` (0: none) means beside that limit. */
void mw_checkup_judge_connections(struct mw_doctor_line *line, uint64_t connections, uint64_t hard);
void mw_checkup_judge_backlog(struct mw_doctor_line *line, uint64_t somaxconn);
void mw_checkup_judge_conntrack(struct mw_doctor_line *line, uint64_t count, uint64_t max);
/* `until` and `from` are of the certificate that ends first. */
void mw_checkup_judge_dates(struct mw_doctor_line *line, const char *subject, int64_t from_unix_s,
                            int64_t until_unix_s, int64_t now_unix_s);
/* Whether a path is a mount point, by the text of /proc/self/mountinfo (proc(5)). */
bool mw_checkup_is_mount(struct mw_view mountinfo, struct mw_view path);
/*
 * The inode of the socket that listens on this port, by the text of /proc/net/tcp or tcp6; 0: none.
 */
uint64_t mw_checkup_listener_inode(struct mw_view table, unsigned port);

#endif
