/* What the stages of a check share; only check.c, check_settings.c and check_load.c include this.
 */
#ifndef MW_SERVER_CHECK_STAGE_H
#define MW_SERVER_CHECK_STAGE_H

#include "core/server/check.h"
#include "core/server/config.h"
#include "core/server/project.h"
#include "core/server/router.h"

enum mw_check_rule {
#define MW_SERVER_RULE(id, name, what) MW_CHECK_##id,
#include "core/server/check_rules.def"
#undef MW_SERVER_RULE
};

/* A setting that would be refused. */
struct mw_check_complaint {
    char key[128]; /* empty: settings that contradict each other */
    char why[256];
    bool is_told;
};

/* A script and the route that it wants. */
struct mw_check_script {
    struct mw_view name;
    struct mw_view source;
    struct mw_pattern pattern; /* text NULL: not known */
    struct mw_finding place;   /* of its route; the top of the file where it is not written down */
};

struct mw_checking {
    struct mw_findings *findings;
    const struct mw_engine *engine;
    const struct mw_places *places;
    struct mw_mem *mem;
    struct mw_config config;
    char settings_folder[MW_PLACE_MAX];
    struct mw_source settings; /* text.data NULL: there are none */
    struct mw_check_complaint complaints[16];
    size_t complaint_count;
    bool has_settings_fault; /* they do not run */
    struct mw_fault settings_fault;
    const struct mw_project *project;
    struct mw_source *script_sources, *lib_sources; /* those that could be read */
    size_t script_count, lib_count;
    struct mw_check_script *scripts; /* one for each of script_sources */
};

/* An error at the top of a file; the caller points it elsewhere. */
struct mw_finding mw_check_error(enum mw_check_rule rule, struct mw_view file, const char *message,
                                 const char *hint);
/* Points to the whole line, 0: to the top of the file. */
void mw_check_point(struct mw_finding *finding, struct mw_view source, int line);
void mw_check_add(struct mw_checking *c, const struct mw_finding *finding);

/* ---- stages: check_settings.c ---- */

/* Reads and runs moonwire.lua, where there is one; what is wrong with it is noted down. */
void mw_check_run_settings(struct mw_checking *c);
/* ctx is the struct mw_checking: the engine has found where a value stands. */
void mw_check_place_setting(void *ctx, struct mw_view key, const struct mw_finding *place);
/* Tells what has found no place. */
void mw_check_tell_settings(struct mw_checking *c);

/* ---- stages: check_load.c ---- */

/* Loads each script where nobody hears it, and learns its route. */
void mw_check_load(struct mw_checking *c);
/* Routes that are none, and routes that two scripts want. */
void mw_check_routes(struct mw_checking *c);

#endif
