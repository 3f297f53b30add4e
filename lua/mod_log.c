/*
 * log.debug, info, warn, error and print. A message is text for people; fields are a table whose
 * values become JSON, and what JSON cannot say is described instead: a log line never fails for its
 * content.
 */
#include "lua/api.h"

#include "lua/budget.h"
#include "lua/build.h"
#include "lua/mod_json.h"
#include "lua/sched.h"
#include "lua/text.h"

/* More belongs into one field that is a table. */
#define MAX_FIELDS 32

struct record {
    struct mw_log_field fields[MAX_FIELDS];
    size_t ends[MAX_FIELDS]; /* of each value in the buffer, which moves while it grows */
    size_t count;
};

/* The text of the key on top, without asking its metatable: the buffer of the values is in use. */
static const char *push_key_text(lua_State *L)
{
    int type = lua_type(L, -1);
    bool is_plain = type == LUA_TSTRING || type == LUA_TNUMBER;
    return is_plain ? luaL_tolstring(L, -1, NULL) : lua_pushstring(L, lua_typename(L, type));
}

/* Keys and values of the table at `index`; keys stay on the stack, values go into `out`. */
static void read_fields(lua_State *L, int index, struct record *record, struct mw_buf *out)
{
    luaL_checkstack(L, MAX_FIELDS + 8, "log");
    lua_pushnil(L);
    while (record->count < MAX_FIELDS && lua_next(L, index)) {
        mw_lua_json_write(L, -1, out, true);
        lua_pop(L, 1);
        record->fields[record->count].key = mw_view_text(push_key_text(L));
        record->ends[record->count++] = out->len;
        lua_insert(L, -2); /* the text stays below the key, from which lua_next goes on */
    }
    size_t start = 0;
    for (size_t i = 0; i < record->count; i++) {
        record->fields[i].json = mw_view(out->data + start, record->ends[i] - start);
        start = record->ends[i];
    }
}

static int write_record(lua_State *L, enum mw_log_level level)
{
    struct mw_app *app = mw_lua_app(L);
    struct record record;
    record.count = 0;
    luaL_checkany(L, 1);
    lua_settop(L, 2);
    mw_lua_tolstring(L, 1, NULL);
    lua_replace(L, 1);
    mw_buf_clear(&app->scratch);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        read_fields(L, 2, &record, &app->scratch);
    }
    app->host->log(app->host_app, level, mw_lua_version_running(app), app->running->conn,
                   mw_lua_view(L, 1), record.fields, record.count);
    return 0;
}

static int log_debug(lua_State *L)
{
    return write_record(L, MW_LOG_DEBUG);
}

static int log_info(lua_State *L)
{
    return write_record(L, MW_LOG_INFO);
}

static int log_warn(lua_State *L)
{
    return write_record(L, MW_LOG_WARN);
}

static int log_error(lua_State *L)
{
    return write_record(L, MW_LOG_ERROR);
}

const luaL_Reg mw_lua_log_functions[] = {
    { "debug", log_debug }, { "info", log_info }, { "warn", log_warn },
    { "error", log_error }, { NULL, NULL },
};

/* print(...): log.info of all its arguments with tabs between. */
int mw_lua_print(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    struct mw_build text;
    int count = lua_gettop(L);
    mw_build_init(&text, L);
    for (int i = 1; i <= count; i++) {
        mw_lua_poll(L);
        if (i > 1)
            mw_build_put(&text, mw_view("\t", 1));
        mw_lua_tolstring(L, i, NULL);
        mw_build_put_top(&text);
    }
    mw_build_push(&text);
    app->host->log(app->host_app, MW_LOG_INFO, mw_lua_version_running(app), app->running->conn,
                   mw_lua_view(L, -1), NULL, 0);
    return 0;
}
