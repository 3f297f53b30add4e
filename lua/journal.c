/*
 * Undo and redo of what a candidate does to `state`.
 *
 * A big state is many small tables, so what they held is one flat list, and a table that nobody
 * touched gives its fields in the same order again: comparing is one walk without look-ups and
 * without memory. Called by mod_state.c; knows nothing of versions.
 */
#include "lua/journal.h"

#include <string.h>

#include "lua/budget.h"
#include "lua/plain.h"

enum { AT_TABLE = 1, AT_META = 2, HEADER = 2 };

static char gone;     /* stands for nil among changes */
static char its_meta; /* stands for the key of a change of metatable */

void mw_lua_journal_init(struct mw_lua_journal *journal)
{
    *journal = (struct mw_lua_journal){
        .written = LUA_NOREF,
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
    mw_lua_seen_free(&journal->seen, &app->mem);
    mw_free(&app->mem, journal->segments, journal->room * sizeof(*journal->segments));
    journal->segments = NULL;
    journal->count = journal->room = journal->followed = 0;
    journal->is_torn = false;
    mw_lua_lower_cap(app, &journal->lifted);
}

void mw_lua_journal_drop(struct mw_app *app, struct mw_lua_journal *journal)
{
    drop_written(app, journal);
    unref(app, &journal->changes);
}

/* ---- writing down ---- */

enum { JOURNAL = 1, TABLE = 2, WRITTEN = 3 }; /* stack of `add` */

static void put(lua_State *L, lua_Integer at)
{
    lua_rawseti(L, WRITTEN, at);
}

static void push_meta_or_false(lua_State *L, int table)
{
    if (!lua_getmetatable(L, table))
        lua_pushboolean(L, false);
}

static size_t end_of(const struct mw_lua_segment *segment)
{
    return segment->at + HEADER + 2 * segment->fields;
}

/* It counts when it is complete. */
static struct mw_lua_segment *new_segment(lua_State *L, struct mw_lua_journal *journal)
{
    struct mw_lua_segment *segments = journal->segments, *last;
    if (journal->count == journal->room) {
        size_t room = journal->room ? journal->room * 2 : 16;
        segments = mw_realloc(&mw_lua_app(L)->mem, segments, journal->room * sizeof(*segments),
                              room * sizeof(*segments));
        if (!segments)
            luaL_error(L, "not enough memory");
        journal->segments = segments;
        journal->room = room;
    }
    last = &segments[journal->count];
    *last = (struct mw_lua_segment){ .at = journal->count ? end_of(last - 1) : 0 };
    return last;
}

static void write_segment(lua_State *L, struct mw_lua_journal *journal, int table)
{
    struct mw_lua_segment *segment = new_segment(L, journal);
    lua_Integer at = (lua_Integer)segment->at + HEADER;
    lua_pushvalue(L, table);
    put(L, at - HEADER + AT_TABLE);
    push_meta_or_false(L, table);
    put(L, at - HEADER + AT_META);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        mw_lua_poll(L);
        lua_pushvalue(L, -2);
        put(L, ++at);
        put(L, ++at);
        segment->fields++;
    }
    journal->count++;
}

static void write_once(lua_State *L, struct mw_lua_journal *journal, int table)
{
    if (mw_lua_is_protected(L, table))
        return;
    int is_new = mw_lua_seen_add(&journal->seen, &mw_lua_app(L)->mem, lua_topointer(L, table));
    if (is_new < 0)
        luaL_error(L, "not enough memory");
    if (is_new > 0)
        write_segment(L, journal, table);
}

/* Tables that are named in segments get their own. */
static void follow(lua_State *L, struct mw_lua_journal *journal)
{
    for (; journal->followed < journal->count; journal->followed++) {
        struct mw_lua_segment segment = journal->segments[journal->followed];
        for (size_t i = segment.at + HEADER + 1; i <= end_of(&segment); i++) {
            mw_lua_poll(L);
            if (lua_rawgeti(L, WRITTEN, (lua_Integer)i) == LUA_TTABLE)
                write_once(L, journal, lua_gettop(L));
            lua_pop(L, 1);
        }
    }
}

static int add(lua_State *L)
{
    struct mw_lua_journal *journal = lua_touserdata(L, JOURNAL);
    if (journal->is_torn)
        luaL_error(L, "`state` cannot be read any more: there was not enough memory or time");
    journal->is_torn = true;
    if (journal->written == LUA_NOREF) {
        lua_newtable(L);
        journal->written = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, journal->written);
    write_once(L, journal, TABLE);
    follow(L, journal);
    journal->is_torn = false;
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
    lua_gc(L, LUA_GCSTOP); /* nothing becomes garbage here, and marking a growing list is slow */
    int status = lua_pcall(L, 2, 0, 0);
    lua_gc(L, LUA_GCRESTART);
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

/* stack of what follows */
enum { UNDO_WRITTEN = 1, UNDO_CHANGES, UNDO_TABLE, UNDO_META, UNDO_TOP = UNDO_META };

/* Key and value behind place `i` of the list. */
static void push_field(lua_State *L, size_t i)
{
    lua_rawgeti(L, UNDO_WRITTEN, (lua_Integer)i + 1);
    lua_rawgeti(L, UNDO_WRITTEN, (lua_Integer)i + 2);
}

/* The value on top is popped: is this the field written behind place `i`? */
static bool is_as_written(lua_State *L, size_t i)
{
    push_field(L, i);
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

static bool is_untouched(lua_State *L, const struct mw_lua_segment *segment)
{
    size_t i = segment->at + HEADER, end = end_of(segment);
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

typedef void segment_fn(lua_State *L, struct mw_lua_segment *segment);

/* Calls `each` for the segments, with the table and its metatable in their stack places. */
static void for_each_segment(lua_State *L, segment_fn *each, bool is_changed_only)
{
    const struct mw_lua_journal *journal = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, journal->written);
    lua_rawgeti(L, LUA_REGISTRYINDEX, journal->changes);
    for (size_t i = 0; i < journal->count; i++) {
        struct mw_lua_segment *segment = &journal->segments[i];
        if (is_changed_only && !segment->is_changed)
            continue;
        lua_rawgeti(L, UNDO_WRITTEN, (lua_Integer)segment->at + AT_TABLE);
        lua_rawgeti(L, UNDO_WRITTEN, (lua_Integer)segment->at + AT_META);
        each(L, segment);
        lua_settop(L, UNDO_CHANGES);
    }
}

static void mark_changed(lua_State *L, struct mw_lua_segment *segment)
{
    segment->is_changed = !is_untouched(L, segment);
}

static int mark_all(lua_State *L)
{
    for_each_segment(L, mark_changed, false);
    return 0;
}

/* ---- what was changed ---- */

enum { LIST_BEFORE = UNDO_TOP + 1, LIST_TOP = LIST_BEFORE };

/* Takes key and value from the top. */
static void note_change(lua_State *L)
{
    lua_Integer len = (lua_Integer)lua_rawlen(L, UNDO_CHANGES);
    lua_pushvalue(L, UNDO_TABLE);
    lua_rawseti(L, UNDO_CHANGES, len + 1);
    lua_pushvalue(L, -2);
    lua_rawseti(L, UNDO_CHANGES, len + 2);
    lua_rawseti(L, UNDO_CHANGES, len + 3);
    lua_pop(L, 1);
}

static void push_fields_before(lua_State *L, const struct mw_lua_segment *segment)
{
    lua_newtable(L);
    for (size_t i = segment->at + HEADER; i < end_of(segment); i += 2) {
        push_field(L, i);
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

static void note_lost_fields(lua_State *L, const struct mw_lua_segment *segment)
{
    for (size_t i = segment->at + HEADER; i < end_of(segment); i += 2) {
        lua_rawgeti(L, UNDO_WRITTEN, (lua_Integer)i + 1);
        lua_pushvalue(L, -1);
        bool is_lost = lua_rawget(L, UNDO_TABLE) == LUA_TNIL;
        lua_pop(L, 1);
        lua_pushlightuserdata(L, &gone);
        if (is_lost)
            note_change(L);
        lua_settop(L, LIST_TOP);
    }
}

static void list_changes(lua_State *L, struct mw_lua_segment *segment)
{
    push_fields_before(L, segment);
    note_set_fields(L);
    note_lost_fields(L, segment);
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
static void put_back(lua_State *L, struct mw_lua_segment *segment)
{
    lua_pushnil(L);
    while (lua_next(L, UNDO_TABLE)) { /* clearing a field is allowed while walking */
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, UNDO_TABLE);
    }
    for (size_t i = segment->at + HEADER; i < end_of(segment); i += 2) {
        push_field(L, i);
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
    if (journal->count == 0) {
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
