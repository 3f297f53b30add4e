/* moonwire.lua: a file of settings, run in a sandbox without any of the server's functions. */
#ifndef MW_LUA_SETTINGS_H
#define MW_LUA_SETTINGS_H

#include "moonwire/app.h"

/* mw_engine.settings */
int mw_lua_settings_read(const struct mw_source *file, mw_setting_fn *each, void *ctx,
                         struct mw_fault *fault);

#endif
