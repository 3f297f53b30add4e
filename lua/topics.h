/* M.topics: what the topics of a script keep. */
#ifndef MW_LUA_TOPICS_H
#define MW_LUA_TOPICS_H

#include "lua/version.h"

/* Reads the value on top into version->spec, or raises what is wrong with it. */
void mw_lua_topics_read(lua_State *L, struct mw_lua_version *version, const char *key);

#endif
