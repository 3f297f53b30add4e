/*
 * inspect(v): values as text, for logs and errors. Deterministic (keys are sorted) and safe to use
 * on any value: it calls nothing of the script, and its output is bounded.
 */
#include "lua/inspect.h"

#include <stdlib.h>

#include "core/base/hidden.h"
#include "core/base/str.h"
#include "lua/budget.h"
#include "lua/path.h"
#include "lua/sandbox.h"

#define MAX_NESTING 8     /* deeper tables are shown as { ... } */
#define MAX_ITEMS   200   /* of one table */
#define MAX_BYTES   65536 /* of the whole text */

struct printer {
    lua_State *L;
    struct mw_buf *out;
    struct mw_lua_path path;
    size_t start;
};

static void print_value(struct printer *p, int index);

static bool is_full(const struct printer *p)
{
    return p->out->len - p->start > MAX_BYTES;
}

static void put(struct printer *p, struct mw_view text)
{
    if (is_full(p))
        return;
    size_t room = MAX_BYTES + 1 - (p->out->len - p->start); /* the byte too many says "full" */
    if (text.len > room)
        text.len = room;
    if (mw_buf_put_view(p->out, text) != MW_OK)
        luaL_error(p->L, "not enough memory");
}

static void put_text(struct printer *p, const char *text)
{
    put(p, mw_view_text(text));
}

/* As Lua would read it: \226\128\174. */
static void print_hidden(struct printer *p, struct mw_view bytes)
{
    char escaped[8];
    for (size_t i = 0; i < bytes.len; i++) {
        snprintf(escaped, sizeof(escaped), "\\%03d", (unsigned char)bytes.data[i]);
        put_text(p, escaped);
    }
}

static void print_string(struct printer *p, struct mw_view text)
{
    put_text(p, "\"");
    size_t len;
    for (size_t i = 0; i < text.len && !is_full(p); i += len) {
        char c = text.data[i];
        size_t hidden = mw_hidden_at(text, i, NULL);
        len = hidden ? hidden : 1;
        if (c == '"' || c == '\\')
            put_text(p, c == '"' ? "\\\"" : "\\\\");
        else if (c == '\n')
            put_text(p, "\\n");
        else if (hidden)
            print_hidden(p, mw_view(text.data + i, len));
        else
            put(p, mw_view(text.data + i, 1));
    }
    put_text(p, "\"");
}

static void print_number(struct printer *p, int index)
{
    put_text(p, luaL_tolstring(p->L, index, NULL));
    lua_pop(p->L, 1);
}

/* ---- keys in order: numbers, then strings, then the rest ---- */

struct key {
    int rank;
    double number;
    struct mw_view text;
    int at; /* stack index in the list of keys */
};

static int compare_keys(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank - b->rank;
    if (a->rank == 0)
        return (a->number > b->number) - (a->number < b->number);
    return a->rank == 1 ? mw_view_compare(a->text, b->text) : a->at - b->at;
}

static struct key describe_key(lua_State *L, int index, int at)
{
    struct key key = { .rank = 2, .at = at };
    if (lua_type(L, index) == LUA_TNUMBER) {
        key.rank = 0;
        key.number = lua_tonumber(L, index);
    } else if (lua_type(L, index) == LUA_TSTRING) {
        key.rank = 1;
        key.text = mw_lua_view(L, index);
    }
    return key;
}

/*
 * Pushes a list of the keys of `table` and a userdata that orders them. Only up to MAX_ITEMS keys
 * are looked at: which ones of a larger table is up to it.
 */
static int sort_keys(lua_State *L, int table, const struct key **sorted)
{
    struct key *keys = lua_newuserdatauv(L, (MAX_ITEMS + 1) * sizeof(*keys), 0);
    lua_newtable(L);
    int list = lua_gettop(L), count = 0;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (count == MAX_ITEMS) {
            lua_pop(L, 1);
            break;
        }
        count++;
        keys[count - 1] = describe_key(L, -1, count);
        lua_pushvalue(L, -1);
        lua_rawseti(L, list, count);
    }
    qsort(keys, (size_t)count, sizeof(*keys), compare_keys);
    *sorted = keys;
    return count;
}

/* ---- tables ---- */

static void print_key(struct printer *p, int index)
{
    if (lua_type(p->L, index) == LUA_TSTRING && mw_lua_is_identifier(mw_lua_view(p->L, index))) {
        put(p, mw_lua_view(p->L, index));
        put_text(p, " = ");
        return;
    }
    put_text(p, "[");
    print_value(p, index);
    put_text(p, "] = ");
}

static void print_items(struct printer *p, int table)
{
    lua_State *L = p->L;
    const struct key *keys;
    int count = sort_keys(L, table, &keys), list = lua_gettop(L);
    put_text(p, count ? "{ " : "{}");
    for (int i = 0; i < count && !is_full(p); i++) {
        lua_rawgeti(L, list, keys[i].at);
        if (i > 0)
            put_text(p, ", ");
        bool is_next = keys[i].rank == 0 && keys[i].number == i + 1;
        if (!is_next)
            print_key(p, lua_gettop(L));
        lua_rawget(L, table);
        print_value(p, lua_gettop(L));
        lua_pop(L, 1);
    }
    if (count == MAX_ITEMS)
        put_text(p, ", ...");
    if (count)
        put_text(p, " }");
    lua_pop(L, 2);
}

static void print_table(struct printer *p, int index)
{
    lua_State *L = p->L;
    luaL_checkstack(L, 12, "inspect");
    if (mw_lua_push_hidden(L, index)) {
        print_table(p, lua_gettop(L));
        lua_pop(L, 1);
    } else if (mw_lua_path_has(&p->path, L, index)) {
        put_text(p, "{ circle }");
    } else if (p->path.depth == MAX_NESTING || !mw_lua_path_enter(&p->path, L, index)) {
        put_text(p, "{ ... }");
    } else {
        print_items(p, index);
        mw_lua_path_leave(&p->path);
    }
}

static void print_other(struct printer *p, int index)
{
    lua_State *L = p->L;
    if (lua_type(L, index) == LUA_TUSERDATA) { /* ours: its text is made by our code */
        put_text(p, luaL_tolstring(L, index, NULL));
        lua_pop(L, 1);
        return;
    }
    put_text(p, lua_type(L, index) == LUA_TTHREAD ? "coroutine" : luaL_typename(L, index));
}

static void print_value(struct printer *p, int index)
{
    mw_lua_poll(p->L);
    switch (lua_type(p->L, index)) {
    case LUA_TBOOLEAN:
        put_text(p, lua_toboolean(p->L, index) ? "true" : "false");
        break;
    case LUA_TNUMBER:
        print_number(p, index);
        break;
    case LUA_TSTRING:
        print_string(p, mw_lua_view(p->L, index));
        break;
    case LUA_TTABLE:
        print_table(p, index);
        break;
    default:
        print_other(p, index);
        break;
    }
}

void mw_lua_inspect_write(lua_State *L, int index, struct mw_buf *out)
{
    struct printer p = { .L = L, .out = out, .start = out->len };
    int top = lua_gettop(L);
    luaL_checkstack(L, 12, "inspect");
    print_value(&p, lua_absindex(L, index));
    lua_settop(L, top);
}

int mw_lua_inspect(lua_State *L)
{
    struct mw_buf *out = &mw_lua_app(L)->scratch;
    luaL_checkany(L, 1);
    mw_buf_clear(out);
    mw_lua_inspect_write(L, 1, out);
    mw_lua_push_view(L, mw_buf_view(out));
    return 1;
}
