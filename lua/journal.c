/*
 * Undo and redo of what a candidate does to `state`.
 *
 * `written` is one flat list, because a big state is many small tables: a segment is
 *
 *     table, metatable or false, was it changed?, number of fields, key, value, key, value ...
 *
 * and a table that nobody touched gives its fields in the same order again, so comparing is one
 * walk without look-ups and without memory. Called by mod_state.c; knows nothing of versions.
 */
#include "lua/journal.h"

#include <string.h>

#include "lua/budget.h"
#include "lua/plain.h"

enum { AT_TABLE = 1, AT_META = 2, AT_CHANGED = 3, AT_COUNT = 4, HEADER = 4 };

static char gone;     /* stands for nil among changes */
static char its_meta; /* stands for the key of a change of metatable */

void mw_lua_journal_init(struct mw_lua_journal *journal)
{
    *journal = (struct mw_lua_journal){
        .written = LUA_NOREF,
        .seen = LUA_NOREF,
        .changes = LUA_NOREF,
    };
}

static void unref(struct mw_app *app, int *place)
{
    luaL_unref(app->L, LUA_REGISTRYINDEX, *place);
    *place = LUA_NOREF;
}

static void drop_written(struct mw_app *app, struct mw_lua_journal *journal)
{
    unref(app, &journal->written);
    unref(app, &journal->seen);
    journal->len = journal->scan = 0;
    mw_lua_lower_cap(app, &journal->lifted);
}

void mw_lua_journal_drop(struct mw_app *app, struct mw_lua_journal *journal)
{
    drop_written(app, journal);
    unref(app, &journal->changes);
}

/* ---- writing down ---- */

enum { JOURNAL = 1, TABLE = 2, WRITTEN = 3, SEEN = 4 }; /* stack of `add` */

static void put(lua_State *L, lua_Integer at)
{
    lua_rawseti(L, WRITTEN, at);
}

static void push_meta_or_false(lua_State *L, int table)
{
    if (!lua_getmetatable(L, table))
        lua_pushboolean(L, false);
}

/* The segment counts when it is complete: `len` is set last. */
static void write_segment(lua_State *L, struct mw_lua_journal *journal, int table)
{
    lua_Integer at = journal->len, count = 0;
    lua_pushvalue(L, table);
    put(L, at + AT_TABLE);
    push_meta_or_false(L, table);
    put(L, at + AT_META);
    lua_pushboolean(L, false);
    put(L, at + AT_CHANGED);
    lua_pushinteger(L, 0);
    put(L, at + AT_COUNT);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        mw_lua_poll(L);
        lua_pushvalue(L, -2);
        put(L, at + HEADER + 2 * count + 1);
        put(L, at + HEADER + 2 * count + 2);
        count++;
    }
    lua_pushinteger(L, count);
    put(L, at + AT_COUNT);
    lua_pushvalue(L, table);
    lua_pushboolean(L, true);
    lua_rawset(L, SEEN);
    journal->len = at + HEADER + 2 * count;
}

static void write_once(lua_State *L, struct mw_lua_journal *journal, int table)
{
    lua_pushvalue(L, table);
    bool is_new = lua_rawget(L, SEEN) == LUA_TNIL;
    lua_pop(L, 1);
    if (is_new && !mw_lua_is_protected(L, table))
        write_segment(L, journal, table);
}

static lua_Integer end_of(lua_State *L, int written, lua_Integer at)
{
    lua_rawgeti(L, written, at + AT_COUNT);
    lua_Integer count = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return at + HEADER + 2 * count;
}

/* Tables that are named in segments get their own; `scan` stays behind where memory runs out. */
static void follow(lua_State *L, struct mw_lua_journal *journal)
{
    while (journal->scan < journal->len) {
        lua_Integer end = end_of(L, WRITTEN, journal->scan);
        for (lua_Integer i = journal->scan + HEADER + 1; i <= end; i++) {
            mw_lua_poll(L);
            if (lua_rawgeti(L, WRITTEN, i) == LUA_TTABLE)
                write_once(L, journal, lua_gettop(L));
            lua_pop(L, 1);
        }
        journal->scan = end;
    }
}

static void push_or_make(lua_State *L, int *place)
{
    if (*place == LUA_NOREF) {
        lua_newtable(L);
        *place = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, *place);
}

static int add(lua_State *L)
{
    struct mw_lua_journal *journal = lua_touserdata(L, JOURNAL);
    push_or_make(L, &journal->written);
    push_or_make(L, &journal->seen);
    write_once(L, journal, TABLE);
    follow(L, journal);
    return 0;
}

void mw_lua_journal_add(lua_State *L, struct mw_lua_journal *journal, int index)
{
    struct mw_app *app = mw_lua_app(L);
    struct mw_lua_lift lift;
    index = lua_absindex(L, index);
    luaL_checkstack(L, 4, "state");
    lua_pushcfunction(L, add);
    lua_pushlightuserdata(L, journal);
    lua_pushvalue(L, index);
    mw_lua_lift_cap(app, &lift);
    int status = lua_pcall(L, 2, 0, 0);
    mw_lua_lift_end(app, &lift, &journal->lifted);
    if (status != LUA_OK)
        lua_error(L);
}

/* ---- comparing ---- */

/* 1 and 1.0 are equal to Lua, but not the same; NaN is the same as NaN. */
static bool is_same(lua_State *L, int a, int b)
{
    if (lua_type(L, a) != LUA_TNUMBER || lua_type(L, b) != LUA_TNUMBER)
        return lua_rawequal(L, a, b);
    if (lua_isinteger(L, a) || lua_isinteger(L, b))
        return lua_isinteger(L, a) && lua_isinteger(L, b) && lua_rawequal(L, a, b);
    lua_Number x = lua_tonumber(L, a), y = lua_tonumber(L, b);
    return memcmp(&x, &y, sizeof(x)) == 0;
}

enum { UNDO_WRITTEN = 1, UNDO_TABLE = 2, UNDO_META = 3, UNDO_TOP = 3 }; /* stack of what follows */

/* Key and value on top, both popped: those at `i` of the list? */
static bool is_as_written(lua_State *L, lua_Integer i)
{
    lua_rawgeti(L, UNDO_WRITTEN, i + 1);
    lua_rawgeti(L, UNDO_WRITTEN, i + 2);
    bool is_equal = lua_rawequal(L, -2, -4) && is_same(L, -1, -3);
    lua_pop(L, 3); /* the key stays for lua_next */
    return is_equal;
}

static bool has_its_meta(lua_State *L)
{
    push_meta_or_false(L, UNDO_TABLE);
    bool is_equal = lua_rawequal(L, -1, UNDO_META);
    lua_pop(L, 1);
    return is_equal;
}

static bool is_untouched(lua_State *L, lua_Integer at)
{
    lua_Integer i = at + HEADER, end = end_of(L, UNDO_WRITTEN, at);
    if (!has_its_meta(L))
        return false;
    lua_pushnil(L);
    while (lua_next(L, UNDO_TABLE)) {
        if (i == end || !is_as_written(L, i))
            return false;
        i += 2;
    }
    return i == end;
}

typedef void segment_fn(lua_State *L, struct mw_lua_journal *journal, lua_Integer at);

/* Calls `each` for the segments, with the table and its metatable in their stack places. */
static void for_each_segment(lua_State *L, segment_fn *each, bool is_changed_only)
{
    struct mw_lua_journal *journal = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, journal->written);
    for (lua_Integer at = 0; at < journal->len; at = end_of(L, UNDO_WRITTEN, at)) {
        lua_rawgeti(L, UNDO_WRITTEN, at + AT_TABLE);
        lua_rawgeti(L, UNDO_WRITTEN, at + AT_META);
        lua_rawgeti(L, UNDO_WRITTEN, at + AT_CHANGED);
        bool is_changed = lua_toboolean(L, -1);
        lua_settop(L, UNDO_TOP);
        if (is_changed || !is_changed_only)
            each(L, journal, at);
        lua_settop(L, UNDO_WRITTEN);
    }
}

static void mark_changed(lua_State *L, struct mw_lua_journal *journal, lua_Integer at)
{
    (void)journal;
    if (is_untouched(L, at))
        return;
    lua_settop(L, UNDO_TOP);
    lua_pushboolean(L, true);
    lua_rawseti(L, UNDO_WRITTEN, at + AT_CHANGED);
}

static int mark_all(lua_State *L)
{
    for_each_segment(L, mark_changed, false);
    return 0;
}

/* ---- what was changed ---- */

enum { LIST_BEFORE = UNDO_TOP + 1, LIST_CHANGES, LIST_TOP = LIST_CHANGES };

/* Takes key and value from the top. */
static void note_change(lua_State *L)
{
    lua_Integer len = (lua_Integer)lua_rawlen(L, LIST_CHANGES);
    lua_pushvalue(L, UNDO_TABLE);
    lua_rawseti(L, LIST_CHANGES, len + 1);
    lua_pushvalue(L, -2);
    lua_rawseti(L, LIST_CHANGES, len + 2);
    lua_rawseti(L, LIST_CHANGES, len + 3);
    lua_pop(L, 1);
}

static void push_fields_before(lua_State *L, lua_Integer at)
{
    lua_Integer end = end_of(L, UNDO_WRITTEN, at);
    lua_createtable(L, 0, 0);
    for (lua_Integer i = at + HEADER; i < end; i += 2) {
        lua_rawgeti(L, UNDO_WRITTEN, i + 1);
        lua_rawgeti(L, UNDO_WRITTEN, i + 2);
        lua_rawset(L, LIST_BEFORE);
    }
}

static void note_set_fields(lua_State *L)
{
    lua_pushnil(L);
    while (lua_next(L, UNDO_TABLE)) {
        lua_pushvalue(L, -2);
        lua_rawget(L, LIST_BEFORE);
        bool is_old = is_same(L, -1, -2);
        lua_pop(L, 1);
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        if (is_old)
            lua_pop(L, 2);
        else
            note_change(L);
    }
}

static void note_lost_fields(lua_State *L, lua_Integer at)
{
    lua_Integer end = end_of(L, UNDO_WRITTEN, at);
    for (lua_Integer i = at + HEADER; i < end; i += 2) {
        lua_rawgeti(L, UNDO_WRITTEN, i + 1);
        lua_pushvalue(L, -1);
        bool is_lost = lua_rawget(L, UNDO_TABLE) == LUA_TNIL;
        lua_pop(L, 1);
        lua_pushlightuserdata(L, &gone);
        if (is_lost)
            note_change(L);
        lua_settop(L, LIST_TOP);
    }
}

static void list_changes(lua_State *L, struct mw_lua_journal *journal, lua_Integer at)
{
    push_fields_before(L, at);
    lua_rawgeti(L, LUA_REGISTRYINDEX, journal->changes);
    note_set_fields(L);
    note_lost_fields(L, at);
    if (has_its_meta(L))
        return;
    lua_pushlightuserdata(L, &its_meta);
    push_meta_or_false(L, UNDO_TABLE);
    note_change(L);
}

static int list_all_changes(lua_State *L)
{
    struct mw_lua_journal *journal = lua_touserdata(L, 1);
    unref(mw_lua_app(L), &journal->changes); /* of an attempt that ran out of memory */
    lua_newtable(L);
    journal->changes = luaL_ref(L, LUA_REGISTRYINDEX);
    for_each_segment(L, list_changes, true);
    return 0;
}

/* ---- back and forth ---- */

/* Empties the table and fills it again, so it can be begun anew where memory had run out. */
static void put_back(lua_State *L, struct mw_lua_journal *journal, lua_Integer at)
{
    (void)journal;
    lua_Integer end = end_of(L, UNDO_WRITTEN, at);
    lua_pushnil(L);
    while (lua_next(L, UNDO_TABLE)) { /* clearing a field is allowed while walking */
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, UNDO_TABLE);
    }
    for (lua_Integer i = at + HEADER; i < end; i += 2) {
        lua_rawgeti(L, UNDO_WRITTEN, i + 1);
        lua_rawgeti(L, UNDO_WRITTEN, i + 2);
        lua_rawset(L, UNDO_TABLE);
    }
    if (lua_istable(L, UNDO_META))
        lua_pushvalue(L, UNDO_META);
    else
        lua_pushnil(L);
    lua_setmetatable(L, UNDO_TABLE);
}

static int put_all_back(lua_State *L)
{
    for_each_segment(L, put_back, true);
    return 0;
}

static void do_again(lua_State *L, int table)
{
    int key = table + 1, value = table + 2;
    bool is_meta = lua_touserdata(L, key) == &its_meta;
    if (lua_touserdata(L, value) == &gone || (is_meta && !lua_istable(L, value))) {
        lua_settop(L, key);
        lua_pushnil(L);
    }
    if (is_meta)
        lua_setmetatable(L, table);
    else
        lua_rawset(L, table);
}

static int do_all_again(lua_State *L)
{
    struct mw_lua_journal *journal = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, journal->changes);
    lua_Integer len = (lua_Integer)lua_rawlen(L, 2);
    for (lua_Integer i = 1; i <= len; i += 3) {
        lua_rawgeti(L, 2, i);
        lua_rawgeti(L, 2, i + 1);
        lua_rawgeti(L, 2, i + 2);
        do_again(L, 3);
        lua_settop(L, 2);
    }
    return 0;
}

int mw_lua_journal_take_back(struct mw_app *app, struct mw_lua_journal *journal, bool is_kept,
                             bool *is_whole)
{
    *is_whole = true;
    if (journal->len == 0) {
        drop_written(app, journal);
        return MW_OK;
    }
    int kept = MW_OK;
    int found = mw_lua_try_hard(app, mark_all, journal);
    if (is_kept && found == MW_OK)
        kept = mw_lua_try_hard(app, list_all_changes, journal);
    *is_whole = found == MW_OK && mw_lua_try_hard(app, put_all_back, journal) == MW_OK;
    drop_written(app, journal);
    return *is_whole ? kept : MW_ERR_NOMEM;
}

int mw_lua_journal_commit(struct mw_app *app, struct mw_lua_journal *journal)
{
    int err = MW_OK;
    if (journal->changes != LUA_NOREF)
        err = mw_lua_try_hard(app, do_all_again, journal);
    mw_lua_journal_drop(app, journal);
    return err;
}
