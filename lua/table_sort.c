/*
 * table.sort: n log n comparisons at most, whatever the values or the comparator are up to.
 *
 * Long ranges are split around a pivot; a range that was split badly too often is sorted as a heap
 * instead; short ones are sorted on the Lua stack, where a value is compared without being fetched,
 * and a binary search needs the fewest comparisons there are. At each comparison, which may raise,
 * the table holds all its values.
 */
#include <limits.h>

#include "lua/budget.h"
#include "lua/stdlib.h"

/* Ranges up to this length are sorted on the stack; measured: 12 to 32 are equally good. */
#define SHORT 20

/* Stack: the table, the comparator or nil. */
enum { TABLE = 1, COMPARATOR = 2 };

/* Whether the value at stack index a belongs before the one at b. */
static bool is_less(lua_State *L, int a, int b)
{
    mw_lua_poll(L);
    if (lua_isnil(L, COMPARATOR))
        return lua_compare(L, a, b, LUA_OPLT);
    a = lua_absindex(L, a);
    b = lua_absindex(L, b);
    lua_pushvalue(L, COMPARATOR);
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    lua_call(L, 2, 1);
    bool is_so = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_so;
}

/* t[i] is at -2 and t[j] at -1: they change places in the table. Pops both. */
static void put_swapped(lua_State *L, lua_Integer i, lua_Integer j)
{
    lua_seti(L, TABLE, i);
    lua_seti(L, TABLE, j);
}

static void swap(lua_State *L, lua_Integer i, lua_Integer j)
{
    lua_geti(L, TABLE, i);
    lua_geti(L, TABLE, j);
    put_swapped(L, i, j);
}

/* t[i] and t[j], i < j, in order. */
static void sort_two(lua_State *L, lua_Integer i, lua_Integer j)
{
    lua_geti(L, TABLE, i);
    lua_geti(L, TABLE, j);
    if (is_less(L, -1, -2))
        put_swapped(L, i, j);
    else
        lua_pop(L, 2);
}

/* ---- short ranges ---- */

/* Where among the sorted values at first..last the one on top belongs: behind its equals. */
static int find_place(lua_State *L, int first, int last)
{
    int top = last + 1;
    if (!is_less(L, top, last)) /* already in order, which is frequent */
        return top;
    while (first < last) {
        int middle = first + (last - first) / 2;
        if (is_less(L, top, middle))
            last = middle;
        else
            first = middle + 1;
    }
    return first;
}

static void sort_short(lua_State *L, lua_Integer low, lua_Integer high)
{
    int base = lua_gettop(L) + 1;
    if (low >= high)
        return;
    lua_geti(L, TABLE, low);
    for (lua_Integer i = low + 1; i <= high; i++) {
        lua_geti(L, TABLE, i);
        int top = base + (int)(i - low), place = find_place(L, base, top - 1);
        if (place != top)
            lua_insert(L, place);
    }
    for (lua_Integer i = high; i >= low; i--)
        lua_seti(L, TABLE, i);
}

/* ---- as a heap ---- */

/* The value at `root` sinks until none below it is larger; places are counted from `low`. */
static void sink(lua_State *L, lua_Integer low, lua_Integer root, lua_Integer count)
{
    for (lua_Integer child; (child = 2 * root + 1) < count; root = child) {
        lua_geti(L, TABLE, low + root);
        lua_geti(L, TABLE, low + child);
        if (child + 1 < count) {
            lua_geti(L, TABLE, low + child + 1);
            if (is_less(L, -2, -1)) {
                lua_replace(L, -2);
                child++;
            } else {
                lua_pop(L, 1);
            }
        }
        if (!is_less(L, -2, -1)) {
            lua_pop(L, 2);
            return;
        }
        put_swapped(L, low + root, low + child);
    }
}

static void sort_as_heap(lua_State *L, lua_Integer low, lua_Integer high)
{
    lua_Integer count = high - low + 1;
    for (lua_Integer root = count / 2 - 1; root >= 0; root--)
        sink(L, low, root, count);
    while (--count > 0) {
        swap(L, low, low + count);
        sink(L, low, 0, count);
    }
}

/* ---- long ranges ---- */

/* Leaves the pushed value of the first place from i upwards that is not below the pivot on top. */
static lua_Integer scan_up(lua_State *L, int pivot, lua_Integer i, lua_Integer high)
{
    for (;; i++) {
        if (i > high)
            luaL_error(L, "invalid order function for sorting");
        lua_geti(L, TABLE, i);
        if (!is_less(L, -1, pivot))
            return i;
        lua_pop(L, 1);
    }
}

static lua_Integer scan_down(lua_State *L, int pivot, lua_Integer j, lua_Integer low)
{
    for (;; j--) {
        if (j < low)
            luaL_error(L, "invalid order function for sorting");
        lua_geti(L, TABLE, j);
        if (!is_less(L, pivot, -1))
            return j;
        lua_pop(L, 1);
    }
}

/*
 * Puts what is below the median of three in front of what is above it, and gives the first place
 * of the latter: low < split <= high. Values equal to the pivot go to both sides, so that a range
 * of equal values is split in the middle.
 */
static lua_Integer split(lua_State *L, lua_Integer low, lua_Integer high)
{
    lua_Integer middle = low + (high - low) / 2, i = low, j = high;
    sort_two(L, low, middle);
    sort_two(L, middle, high);
    sort_two(L, low, middle);
    lua_geti(L, TABLE, middle);
    int pivot = lua_gettop(L);
    for (;;) {
        i = scan_up(L, pivot, i + 1, high);
        j = scan_down(L, pivot, j - 1, low);
        if (i >= j)
            break;
        put_swapped(L, i, j);
    }
    lua_settop(L, pivot - 1);
    return i;
}

static void sort_range(lua_State *L, lua_Integer low, lua_Integer high, int splits_left)
{
    while (high - low >= SHORT) {
        if (splits_left-- == 0) {
            sort_as_heap(L, low, high);
            return;
        }
        lua_Integer at = split(L, low, high);
        if (at - low < high - at) { /* the shorter part by recursion: its depth is log2(n) */
            sort_range(L, low, at - 1, splits_left);
            low = at;
        } else {
            sort_range(L, at, high, splits_left);
            high = at - 1;
        }
    }
    sort_short(L, low, high);
}

static int sort(lua_State *L)
{
    mw_lua_check_table(L, 1, MW_LUA_TABLE_READ | MW_LUA_TABLE_WRITE | MW_LUA_TABLE_LEN);
    lua_Integer count = luaL_len(L, 1);
    if (count <= 1)
        return 0;
    luaL_argcheck(L, count < INT_MAX, 1, "array too big");
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    luaL_checkstack(L, SHORT + 8, NULL);
    int splits = 0; /* twice as many as ideal ones would be */
    for (lua_Integer left = count; left > 1; left /= 2)
        splits += 2;
    sort_range(L, 1, count, splits);
    return 0;
}

const luaL_Reg mw_lua_sort_functions[] = {
    { "sort", sort },
    { NULL, NULL },
};
