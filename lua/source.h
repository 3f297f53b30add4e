/*
 * The files that a version is made of, copied, so that errors can show their lines and `require`
 * find them later.
 */
#ifndef MW_LUA_SOURCE_H
#define MW_LUA_SOURCE_H

#include "core/base/mem.h"
#include "moonwire/app.h"

struct mw_lua_source {
    char *path; /* "lib/rooms.lua" */
    char *text;
    size_t path_len, text_len;
    bool is_used;                          /* was required */
    bool is_loading;                       /* is running for the first time */
    const struct mw_lua_source *wanted_by; /* while it loads */
};

/* files[0] is the script, the others are libraries. */
struct mw_lua_sources {
    struct mw_lua_source *files;
    size_t count;
};

/* MW_OK or MW_ERR_NOMEM; then nothing is held. */
int mw_lua_sources_copy(struct mw_lua_sources *out, struct mw_mem *mem,
                        const struct mw_sources *sources);
void mw_lua_sources_free(struct mw_lua_sources *sources, struct mw_mem *mem);

struct mw_lua_source *mw_lua_sources_find(const struct mw_lua_sources *sources,
                                          struct mw_view path);

/* The n-th line (from 1) without its end, or an empty view. */
struct mw_view mw_lua_source_line(const struct mw_lua_source *source, int line);

#endif
