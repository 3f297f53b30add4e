/*
 * A version of a script: its environment, its module cache, its handlers. It is a candidate from
 * `prepare` to `commit`, then live, then retired as long as calls of it wait. Its Lua objects are
 * garbage when it is freed.
 */
#ifndef MW_LUA_VERSION_H
#define MW_LUA_VERSION_H

#include "core/base/list.h"
#include "lua/engine.h"
#include "lua/journal.h"
#include "lua/source.h"

#define MW_LUA_HANDLER_LIST(X) \
    X(ON_START, on_start) \
    X(ON_STOP, on_stop) \
    X(ON_OPEN, on_open) \
    X(ON_RESUME, on_resume) \
    X(ON_MESSAGE, on_message) \
    X(ON_DRAIN, on_drain) \
    X(ON_CLOSE, on_close) \
    X(ON_RELOAD, on_reload) \
    X(DECIDE_CLOSE, decide_close) \
    X(ADVISE_RECONNECT, advise_reconnect)

enum mw_lua_handler {
#define MW_LUA_HANDLER_ENUM(name, key) MW_LUA_##name,
    MW_LUA_HANDLER_LIST(MW_LUA_HANDLER_ENUM)
#undef MW_LUA_HANDLER_ENUM
        MW_LUA_HANDLER_COUNT,
};

struct mw_lua_version {
    struct mw_link link; /* of app->retired, or alone */
    unsigned number;
    size_t calls; /* running or waiting */

    /* Registry places, LUA_NOREF where there is none. */
    int handlers[MW_LUA_HANDLER_COUNT];
    int env;    /* the environment table of its chunks */
    int loaded; /* path -> what require gives */
    int module; /* the table that the script returned */
    int kept;   /* what `spec` points into */
    int writes; /* assignments to `state` while it loaded; none once it is live */
    int draft;  /* while it loads: all of `state` as it sees it, once it has asked for that */
    struct mw_lua_journal journal; /* what it does to tables inside of `state` while it loads */

    bool wants_json;
    struct mw_link timers; /* those that end with it; not started while it is a candidate */
    struct mw_lua_sources sources;
    struct mw_route_spec spec;
};

/* The four of app.h. */
int mw_lua_version_prepare(struct mw_app *app, const struct mw_sources *sources, unsigned number,
                           const struct mw_route_spec **spec, struct mw_fault *fault);
void mw_lua_version_commit(struct mw_app *app);
void mw_lua_version_discard(struct mw_app *app);
bool mw_lua_version_uses(const struct mw_app *app, struct mw_view lib_path);

/* A call begins and ends. */
struct mw_lua_version *mw_lua_version_keep(struct mw_lua_version *version);
void mw_lua_version_release(struct mw_app *app, struct mw_lua_version *version);

/* With the state already closed: gives back what C holds. */
void mw_lua_version_free_all(struct mw_app *app);

static inline bool mw_lua_version_has(const struct mw_lua_version *version,
                                      enum mw_lua_handler handler)
{
    return version && version->handlers[handler] >= 0;
}

#endif
