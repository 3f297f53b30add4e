/* Strings that grow. Under the functions of the string library that are ours. */
#include "lua/build.h"

#include "lua/budget.h"

void mw_build_init(struct mw_build *build, lua_State *L)
{
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    lua_pushnil(L);
    build->L = L;
    build->slot = lua_gettop(L);
    build->data = build->first;
    build->len = 0;
    build->cap = sizeof(build->first);
    build->stop = &mw_lua_app(L)->budget.stop;
}

/* By half as much again each time: the script pays for what stays unused. */
void mw_build_reserve(struct mw_build *build, size_t more)
{
    mw_lua_poll(build->L);
    if (more <= build->cap - build->len)
        return;
    if (more > SIZE_MAX / 2 - build->len)
        luaL_error(build->L, "resulting string too large");
    size_t need = build->len + more, cap = build->cap + build->cap / 2;
    mw_lua_check_string(build->L, need);
    if (cap < need)
        cap = need;
    char *data = lua_newuserdatauv(build->L, cap, 0);
    memcpy(data, build->data, build->len);
    lua_replace(build->L, build->slot);
    build->data = data;
    build->cap = cap;
}

void mw_build_put_top(struct mw_build *build)
{
    mw_build_put(build, mw_lua_view(build->L, -1));
    lua_pop(build->L, 1);
}
