/* Key paths. Used by json, by the check of `state` and by inspect; changes no table. */
#include "lua/path.h"

bool mw_lua_path_enter(struct mw_lua_path *path, lua_State *L, int table)
{
    if (path->depth == MW_BOUND_JSON_DEPTH)
        return false;
    path->table[path->depth] = lua_topointer(L, table);
    path->key_at[path->depth] = 0;
    path->depth++;
    return true;
}

void mw_lua_path_leave(struct mw_lua_path *path)
{
    path->depth--;
}

bool mw_lua_path_has(const struct mw_lua_path *path, lua_State *L, int index)
{
    const void *table = lua_topointer(L, index);
    for (int i = 0; i < path->depth; i++) {
        if (path->table[i] == table)
            return true;
    }
    return false;
}

bool mw_lua_is_identifier(struct mw_view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return text.len > 0;
}

/* Never by __tostring: paths are also made where no code of a script may run. */
static void push_plain_text(lua_State *L, int index)
{
    int type = lua_type(L, index);
    if (type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN)
        luaL_tolstring(L, index, NULL);
    else
        lua_pushstring(L, luaL_typename(L, index));
}

static void add_key(luaL_Buffer *text, lua_State *L, int key, bool is_first)
{
    if (lua_type(L, key) == LUA_TSTRING && mw_lua_is_identifier(mw_lua_view(L, key))) {
        if (!is_first)
            luaL_addchar(text, '.');
        lua_pushvalue(L, key);
        luaL_addvalue(text);
        return;
    }
    bool is_text = lua_type(L, key) == LUA_TSTRING;
    luaL_addstring(text, is_text ? "[\"" : "[");
    push_plain_text(L, key);
    luaL_addvalue(text);
    luaL_addstring(text, is_text ? "\"]" : "]");
}

void mw_lua_path_push(const struct mw_lua_path *path, lua_State *L, const char *root)
{
    luaL_Buffer text;
    luaL_checkstack(L, 8, NULL);
    luaL_buffinit(L, &text);
    luaL_addstring(&text, root);
    for (int i = 0; i < path->depth && path->key_at[i]; i++)
        add_key(&text, L, path->key_at[i], i == 0 && *root == '\0');
    luaL_pushresult(&text);
    if (lua_rawlen(L, -1) == 0) {
        lua_pop(L, 1);
        lua_pushliteral(L, "the value");
    }
}
