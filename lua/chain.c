/*
 * Lua looks a metamethod up by a string whose address it keeps, in a row with those of the others,
 * in the block in which a state begins. The row is known by some of them that follow each other, so
 * nothing is supposed of where in that block it is. To write the address of a string that is in no
 * metatable over one takes a single store, which a signal handler may do, and Lua reads it anew at
 * each step.
 *
 * `__call` leaves no trace. Of `__index` and `__newindex` Lua notes in the metatable that it has
 * found none, so mw_lua_chain_mend takes that note back from every table that there is: Lua has
 * all objects in one list, whose beginning is the word of that block which always has the address
 * of the newest. What is read and written there is looked at by the init, which raises where it is
 * not as supposed; test_chain.c shows it for the Lua that is linked.
 */
#include "lua/chain.h"

#define ROW 3

/* What all objects of Lua 5.4 begin with; `absent` is there in tables only. */
struct object {
    struct object *next;
    unsigned char type, mark;
    unsigned char
        absent; /* a bit for each metamethod that was not found, in the order of the row */
};

#define ABSENT_FIELDS 3 /* __index, __newindex */

typedef const void *volatile word;

/* The place of `row` in the block, or NULL. */
static word *find_row(const struct mw_lua_chain *chain, const void *const row[ROW])
{
    word *words = chain->first_block;
    for (size_t i = 0; i + ROW <= chain->first_bytes / sizeof(void *); i++) {
        if (words[i] == row[0] && words[i + 1] == row[1] && words[i + 2] == row[2])
            return &words[i];
    }
    return NULL;
}

static const void *address_of(lua_State *L, const char *text)
{
    lua_pushstring(L, text);
    const void *address = lua_topointer(L, -1);
    lua_pop(L, 1); /* Lua itself keeps the names of metamethods */
    return address;
}

/* A short string that no script can guess, kept for as long as the state. */
static const void *make_nothing(lua_State *L)
{
    unsigned char noise[16];
    mw_lua_random(L, noise, sizeof(noise));
    noise[0] |= 0x80; /* no name of a metamethod, whatever the host gives */
    lua_pushlstring(L, (const char *)noise, sizeof(noise));
    const void *nothing = lua_topointer(L, -1);
    luaL_ref(L, LUA_REGISTRYINDEX);
    return nothing;
}

static void find_names(lua_State *L, struct mw_lua_chain *chain)
{
    const void *calls[ROW] = {
        address_of(L, "__concat"),
        address_of(L, "__call"),
        address_of(L, "__close"),
    };
    const void *fields[ROW] = {
        address_of(L, "__index"),
        address_of(L, "__newindex"),
        address_of(L, "__gc"),
    };
    word *call = find_row(chain, calls);
    chain->index = find_row(chain, fields);
    if (!call || !chain->index)
        luaL_error(L, "this Lua cannot be kept from following metamethods for ever");
    chain->call = call + 1;
    chain->call_name = calls[1];
    chain->index_name = fields[0];
    chain->newindex_name = fields[1];
}

/* ---- what Lua notes ---- */

static const void *push_table(lua_State *L)
{
    lua_newtable(L);
    return lua_topointer(L, -1);
}

static bool has_address_of_new_table(lua_State *L, const word *at)
{
    const void *table = push_table(L);
    lua_pop(L, 1);
    return *at == table;
}

/* The word that has the address of each new table. */
static word *find_newest(lua_State *L, const struct mw_lua_chain *chain)
{
    word *words = chain->first_block;
    for (size_t i = 0; i < chain->first_bytes / sizeof(void *); i++) {
        if (has_address_of_new_table(L, &words[i]) && has_address_of_new_table(L, &words[i]))
            return &words[i];
    }
    return NULL;
}

static void take_notes_back(const struct mw_lua_chain *chain)
{
    for (struct object *o = (struct object *)(uintptr_t)*chain->newest; o; o = o->next) {
        if (o->type == LUA_TTABLE)
            o->absent &= (unsigned char)~ABSENT_FIELDS;
    }
}

static bool notes(const struct object *meta, unsigned char absent)
{
    return (meta->absent & ABSENT_FIELDS) == absent;
}

/* A metatable that changes, and then lacks the field that is asked for and the one for nil. */
static bool is_as_supposed(lua_State *L, const struct mw_lua_chain *chain)
{
    lua_settop(L, 0);
    const struct object *meta = push_table(L);
    const struct object *table = push_table(L);
    bool is_listed = table->next == meta && table->type == LUA_TTABLE;
    lua_pushvalue(L, 1);
    lua_setmetatable(L, 2);
    lua_pushboolean(L, true);
    lua_setfield(L, 1, "changed");
    bool is_fresh = notes(meta, 0);
    lua_getfield(L, 2, "field");
    bool is_noted = notes(meta, 1);
    lua_setfield(L, 2, "field");
    is_noted = is_noted && notes(meta, ABSENT_FIELDS);
    if (is_listed && is_noted)
        take_notes_back(chain);
    return is_listed && is_fresh && is_noted && notes(meta, 0);
}

static int init(lua_State *L)
{
    struct mw_lua_chain *chain = &mw_lua_app(L)->chain;
    find_names(L, chain);
    chain->nothing = make_nothing(L);
    chain->newest = find_newest(L, chain);
    if (!chain->newest || !is_as_supposed(L, chain))
        luaL_error(L, "this Lua does not keep its objects as those before it");
    return 0;
}

void mw_lua_chain_init(lua_State *L)
{
    lua_pushcfunction(L, init);
    lua_call(L, 0, 0);
}

void mw_lua_chain_mend(struct mw_app *app)
{
    struct mw_lua_chain *chain = &app->chain;
    if (!chain->call)
        return;
    *chain->call = chain->call_name;
    chain->index[0] = chain->index_name;
    chain->index[1] = chain->newindex_name;
    if (chain->is_deep)
        take_notes_back(chain);
    chain->is_deep = false;
}
