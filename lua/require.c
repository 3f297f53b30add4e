/*
 * `require "rooms"` finds lib/rooms.lua among the sources that the version was given, and nothing
 * else: no file is opened here, and a name that could mean another place is refused by its
 * spelling.
 *
 * Each version has its own cache, so a reload runs libraries anew.
 */
#include "lua/require.h"

#include <string.h>

#include "core/base/str.h"
#include "lua/budget.h"
#include "lua/hints.h"
#include "lua/lint/lib_path.h"

/*
 * The compiler is given the text in small pieces, because one line can be much work to it: each
 * element of a long chain of `elseif` or `or` walks over all before it. Measured with up to 4 MiB
 * of such chains, lists, jumps and long tokens (Lua 5.4.7, -O2): between two pieces of 64 bytes at
 * most 3 ms of a chain, after 6 s of it, and 6 ms where a table of the compiler or a long token
 * doubles. With pieces of 4 KiB the chain took 150 ms.
 */
#define PIECE_BYTES 64

static const char *read_piece(lua_State *L, void *rest_of_text, size_t *len)
{
    struct mw_view *rest = rest_of_text;
    mw_lua_poll(L);
    struct mw_view piece = *rest;
    if (piece.len > PIECE_BYTES)
        piece.len = PIECE_BYTES;
    *rest = mw_view_from(*rest, piece.len);
    *len = piece.len;
    return piece.data;
}

void mw_lua_load_source(lua_State *L, struct mw_lua_version *version,
                        const struct mw_lua_source *file)
{
    const char *name = lua_pushfstring(L, "@%s", file->path);
    struct mw_view rest = mw_view(file->text, file->text_len);
    int status = lua_load(L, read_piece, &rest, name, "t");
    if (status != LUA_OK)
        lua_error(L);
    lua_remove(L, -2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, version->env);
    lua_setupvalue(L, -2, 1);
}

static int raise_not_found(lua_State *L, const struct mw_lua_sources *sources, struct mw_view path)
{
    const char *nearest = mw_lua_nearest_lib(sources, path);
    if (!nearest)
        return luaL_error(L, "there is no %s", path.data);
    return luaL_error(L, "there is no %s; did you mean %s?", path.data, nearest);
}

/* "lib/a.lua -> lib/b.lua -> lib/a.lua" */
static int raise_circle(lua_State *L, const struct mw_lua_source *file,
                        const struct mw_lua_source *wanted_by)
{
    lua_pushstring(L, file->path);
    for (; wanted_by; wanted_by = wanted_by->wanted_by) {
        lua_pushfstring(L, "%s -> %s", wanted_by->path, lua_tostring(L, -1));
        lua_remove(L, -2);
        if (wanted_by == file)
            break;
    }
    return luaL_error(L, "these files require each other in a circle: %s", lua_tostring(L, -1));
}

/* The file whose code asks, as far as it is one that loads just now. */
static struct mw_lua_source *asking_file(lua_State *L, const struct mw_lua_sources *sources)
{
    lua_Debug ar;
    if (!lua_getstack(L, 1, &ar) || !lua_getinfo(L, "S", &ar) || ar.source[0] != '@')
        return NULL;
    struct mw_lua_source *file = mw_lua_sources_find(sources, mw_view_text(ar.source + 1));
    return file && file->is_loading ? file : NULL;
}

/* Runs the file; whatever happens, it no longer counts as loading. */
static void run_file(lua_State *L, struct mw_lua_version *version, struct mw_lua_source *file)
{
    mw_lua_load_source(L, version, file);
    file->is_loading = true;
    file->wanted_by = asking_file(L, &version->sources);
    int status = lua_pcall(L, 0, 1, 0);
    file->is_loading = false;
    file->wanted_by = NULL;
    if (status != LUA_OK)
        lua_error(L);
}

int mw_lua_require(lua_State *L)
{
    struct mw_lua_version *version = mw_lua_app(L)->running->version;
    struct mw_view name = mw_lua_check_text(L, 1);
    char path_text[MW_LIB_PATH_MAX];
    if (!mw_lib_path(name, path_text))
        return luaL_error(L,
                          "'%s' is no name of a library: require \"rooms\" finds lib/rooms.lua, "
                          "and nothing outside of lib is found",
                          name.data);
    struct mw_view path = mw_view_text(path_text);
    struct mw_lua_source *file = mw_lua_sources_find(&version->sources, path);
    if (!file)
        return raise_not_found(L, &version->sources, path);
    lua_settop(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, version->loaded);
    lua_pushstring(L, file->path);
    if (lua_rawget(L, 2) != LUA_TNIL)
        return 1;
    if (file->is_loading)
        return raise_circle(L, file, asking_file(L, &version->sources));
    file->is_used = true;
    run_file(L, version, file);
    if (lua_isnil(L, -1))
        lua_pushboolean(L, true);
    lua_pushstring(L, file->path);
    lua_pushvalue(L, -2);
    lua_rawset(L, 2);
    return 1;
}
