/*
 * `codes`: the close codes that have a name of their own as rows that nobody can change, and
 * codes.explain(code[, other]), the text of `moonwire explain`. All of it is the host's; a script's
 * own codes are its M.codes (codes.c).
 */
#include "lua/api.h"
#include "lua/sandbox.h"

/* ---- rows ---- */

static double seconds(uint32_t ms)
{
    return ms / 1000.0;
}

static void push_row(lua_State *L, const struct mw_code_facts *facts)
{
    lua_newtable(L);
    mw_lua_set_integer(L, "code", facts->code);
    mw_lua_set_text(L, "name", mw_view_text(facts->name));
    mw_lua_set_text(L, "title", mw_view_text(facts->title));
    mw_lua_set_text(L, "description", mw_view_text(facts->description));
    mw_lua_set_bool(L, "sendable", facts->is_sendable);
    mw_lua_set_bool(L, "retry", facts->retry);
    mw_lua_set_bool(L, "resume", facts->resume);
    if (facts->retry) {
        mw_lua_set_number(L, "after", seconds(facts->least_ms));
        mw_lua_set_number(L, "spread", seconds(facts->most_ms - facts->least_ms));
    }
    mw_lua_freeze(L);
}

void mw_lua_codes_rows(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    struct mw_code_facts facts;
    luaL_checkstack(L, 8, NULL);
    for (size_t i = 0; app->host->code_facts(i, &facts); i++) {
        push_row(L, &facts);
        lua_rawseti(L, -2, (lua_Integer)facts.code);
    }
}

/* ---- codes.explain ---- */

static unsigned check_code(lua_State *L, int arg)
{
    lua_Integer code = luaL_checkinteger(L, arg);
    luaL_argcheck(L, code >= 0 && code <= UINT16_MAX, arg, "a close code is 0 to 65535");
    return (unsigned)code;
}

static int keep(void *ctx, struct mw_view text)
{
    return mw_buf_put_view(ctx, text);
}

static int explain(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    unsigned code = check_code(L, 1);
    unsigned other = lua_isnoneornil(L, 2) ? code : check_code(L, 2);
    mw_buf_clear(&app->scratch);
    if (app->host->explain(app->host_app, code, other, keep, &app->scratch))
        return luaL_error(L, "codes.explain: out of memory");
    mw_lua_push_view(L, mw_buf_view(&app->scratch));
    return 1;
}

const luaL_Reg mw_lua_codes_functions[] = {
    { "explain", explain },
    { NULL, NULL },
};
