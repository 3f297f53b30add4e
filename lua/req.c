/*
 * The upgrade request as a plain table: path, target, params, query, query_all, headers, cookies,
 * ip, id, tls, resume. All of it was bounded by whoever read the request's head.
 */
#include "lua/req.h"

#include "core/base/percent.h"
#include "core/base/str.h"
#include "lua/conn.h"

/* ---- query ---- */

/* Pushes the decoded text; where it is not well-formed, as it came. */
static void push_decoded(lua_State *L, struct mw_view text)
{
    luaL_Buffer decoded;
    char *out = luaL_buffinitsize(L, &decoded, text.len + 1);
    long len = mw_percent_decode(text, true, out);
    if (len < 0) {
        memcpy(out, text.data, text.len);
        len = (long)text.len;
    }
    luaL_pushresultsize(&decoded, (size_t)len);
}

/* all[key] gets one more value. Key at -2, value at -1; both stay. */
static void add_to_list(lua_State *L, int all)
{
    lua_pushvalue(L, -2);
    if (lua_rawget(L, all) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -3);
        lua_pushvalue(L, -2);
        lua_rawset(L, all);
    }
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

/* "a=1&b=2&a=3": query = { a = "3", b = "2" }, query_all = { a = { "1", "3" }, b = { "2" } } */
static void add_query(lua_State *L, int req, struct mw_view query)
{
    struct mw_view pair;
    lua_newtable(L);
    lua_newtable(L);
    int last = req + 1, all = req + 2;
    while (mw_view_split(&query, '&', &pair)) {
        size_t equals = mw_view_find(pair, '=', 0);
        if (pair.len == 0)
            continue;
        push_decoded(L, mw_view(pair.data, equals));
        push_decoded(L, mw_view_from(pair, equals + 1));
        add_to_list(L, all);
        lua_rawset(L, last);
    }
    lua_setfield(L, req, "query_all");
    lua_setfield(L, req, "query");
}

/* ---- headers ---- */

static void add_header(lua_State *L, int headers, const struct mw_header *header)
{
    mw_lua_push_view(L, header->name);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, headers) == LUA_TSTRING) { /* RFC 9110 5.3: repeated ones are one list */
        lua_pushliteral(L, ", ");
        mw_lua_push_view(L, header->value);
        lua_concat(L, 3);
    } else {
        lua_pop(L, 1);
        mw_lua_push_view(L, header->value);
    }
    lua_rawset(L, headers);
}

static void add_headers(lua_State *L, int req, const struct mw_request *request)
{
    lua_createtable(L, 0, (int)request->header_count);
    for (size_t i = 0; i < request->header_count; i++)
        add_header(L, req + 1, &request->headers[i]);
    lua_setfield(L, req, "headers");
}

/* ---- cookies ---- */

static struct mw_view unquote(struct mw_view value)
{
    bool is_quoted = value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"';
    return is_quoted ? mw_view(value.data + 1, value.len - 2) : value;
}

/* RFC 6265 5.4: the more specific cookie comes first, so the first one of a name counts. */
static void add_cookie(lua_State *L, int cookies, struct mw_view pair)
{
    pair = mw_view_trim(pair);
    size_t equals = mw_view_find(pair, '=', 0);
    if (equals == 0 || equals == pair.len)
        return;
    mw_lua_push_view(L, mw_view_trim(mw_view(pair.data, equals)));
    lua_pushvalue(L, -1);
    bool is_new = lua_rawget(L, cookies) == LUA_TNIL;
    lua_pop(L, 1);
    mw_lua_push_view(L, unquote(mw_view_trim(mw_view_from(pair, equals + 1))));
    if (is_new)
        lua_rawset(L, cookies);
    else
        lua_pop(L, 2);
}

static void add_cookies(lua_State *L, int req, const struct mw_request *request)
{
    struct mw_view pair;
    lua_newtable(L);
    for (size_t i = 0; i < request->header_count; i++) {
        if (!mw_view_is(request->headers[i].name, "cookie"))
            continue;
        struct mw_view rest = request->headers[i].value;
        while (mw_view_split(&rest, ';', &pair))
            add_cookie(L, req + 1, pair);
    }
    lua_setfield(L, req, "cookies");
}

/* ---- TLS ---- */

static void add_tls(lua_State *L, int req, const struct mw_tls_facts *tls)
{
    if (!tls)
        return;
    lua_createtable(L, 0, 4);
    mw_lua_set_text(L, "version", mw_view_text(tls->version));
    mw_lua_set_text(L, "cipher", mw_view_text(tls->cipher));
    if (*tls->sni)
        mw_lua_set_text(L, "sni", mw_view_text(tls->sni));
    if (*tls->client_subject)
        mw_lua_set_text(L, "client_subject", mw_view_text(tls->client_subject));
    lua_setfield(L, req, "tls");
}

/* ---- a session that is back ---- */

static void add_return(lua_State *L, int req, const struct mw_return *back)
{
    if (!back)
        return;
    lua_createtable(L, 0, 3);
    mw_lua_set_integer(L, "missed", (int64_t)back->missed);
    mw_lua_set_integer(L, "replayed", (int64_t)back->replayed);
    mw_lua_set_number(L, "away", back->away_s);
    lua_setfield(L, req, "resume");
}

void mw_lua_req_push(lua_State *L, const struct mw_request *request,
                     const struct mw_conn_info *info)
{
    char id[MW_LUA_ID_BYTES];
    luaL_checkstack(L, 12, NULL);
    lua_createtable(L, 0, 10);
    int req = lua_gettop(L);
    mw_lua_id_text(request->conn, id);
    mw_lua_set_text(L, "id", mw_view_text(id));
    mw_lua_set_text(L, "path", request->path);
    mw_lua_set_text(L, "target", request->target);
    mw_lua_set_text(L, "ip", request->ip.len ? request->ip : info->ip);
    mw_lua_push_params(L, info);
    lua_setfield(L, req, "params");
    add_query(L, req, request->query);
    add_headers(L, req, request);
    add_cookies(L, req, request);
    add_tls(L, req, request->tls);
    add_return(L, req, request->back);
}
