/*
 * Looks at tables of Lua as they lie in memory: an array of nodes, as many as a power of two, each
 * with a value, a key, and how far away the next node of the same place is. That is so in all of
 * Lua 5.4; test_crowd.c shows it for the Lua that is linked.
 *
 * Which table grows is not told. It is one whose nodes have all had a key, since Lua does not ask
 * before; so a table that has room left is dismissed after a few nodes. A block may also be
 * something else of the same size. Therefore nothing that is read here is followed as an address,
 * and the worst that foreign bytes can do is to have a request refused.
 *
 * The places of strings are not computed, which would take their hash out of the string, and the
 * string of a table that is garbage may be gone. They are read off the lists that the strings are
 * in: whoever shares a place in a larger table shares it in the smaller one.
 */
#include "lua/crowd.h"

#include <limits.h>
#include <lua.h>
#include <math.h>
#include <string.h>

#include "lua/budget.h"

/*
 * A key that comes as the n-th into its place takes n - 1 steps: of 3 ns where the table fits into
 * the processor's cache (45 ms in all), of up to 60 ns where it has half a million nodes.
 */
#define MAX_STEPS (UINT64_C(1) << 24)

/* Fewer cannot take so many steps, wherever they fall. */
#define MIN_KEYS  5793
#define MIN_NODES 8192

/* Nodes of a table that are asked first whether there is room left. */
#define PROBES 64

#define FIRST_ROOM 16

/* ltable.c and lobject.h of Lua 5.4 */
struct node {
    uint64_t value;
    uint8_t value_type, key_type;
    int32_t next; /* in nodes, from this one; 0: the last of its place */
    uint64_t key;
};
_Static_assert(sizeof(struct node) == 24, "as in Lua");

#define TYPE_MASK  0x0f
#define VARIANT    0x10 /* of a number: a float; of a boolean: true */
#define NEVER_USED 0    /* as the type of a key */

struct mw_lua_vector {
    const void *block;
    size_t nodes;
};

/* One table as it would be in the new places. Counters and marks lie in the new block. */
struct look {
    const unsigned char *block;
    size_t nodes;
    uint32_t *counts;
    unsigned char *marks;
    size_t places;
    uint32_t keys, strings, most;
    uint64_t steps;
};

static struct node node_at(const struct look *look, size_t i)
{
    struct node node;
    memcpy(&node, look->block + i * sizeof(node), sizeof(node));
    return node;
}

/* ---- where a key goes ---- */

static uint32_t hash_float(uint64_t bits)
{
    double number, mantissa;
    int exponent = 0;
    memcpy(&number, &bits, sizeof(number));
    if (!isfinite(number))
        return 0;
    mantissa = frexp(number, &exponent) * 2147483648.0;
    uint32_t hash = (uint32_t)exponent + (uint32_t)(int64_t)mantissa;
    return hash <= INT_MAX ? hash : ~hash;
}

/* Of all but strings. */
static size_t place_of(const struct node *node, size_t places)
{
    uint64_t modulus = (places - 1) | 1;
    bool is_variant = (node->key_type & VARIANT) != 0;
    if ((node->key_type & TYPE_MASK) == LUA_TBOOLEAN)
        return is_variant;
    if ((node->key_type & TYPE_MASK) != LUA_TNUMBER)
        return (uint32_t)node->key % (uint32_t)modulus; /* the address */
    if (is_variant)
        return hash_float(node->key) % (uint32_t)modulus;
    return node->key % modulus;
}

static void put(struct look *look, size_t place)
{
    uint32_t before = look->counts[place]++;
    look->steps += before;
    if (before >= look->most)
        look->most = before + 1;
}

/* ---- a table ---- */

static bool is_live(const struct node *node)
{
    return (node->value_type & TYPE_MASK) != LUA_TNIL;
}

static bool is_string(const struct node *node)
{
    return (node->key_type & TYPE_MASK) == LUA_TSTRING;
}

static bool has_room(const struct look *look)
{
    size_t stride = look->nodes / PROBES - 1; /* odd, so that it is no multiple of what a script
                                                 may count by */
    for (size_t i = 0; i < PROBES; i++) {
        if (node_at(look, i * stride).key_type == NEVER_USED)
            return true;
    }
    return false;
}

/* False: it has room left, so it is not the one that grows. */
static bool put_all_but_strings(struct look *look)
{
    for (size_t i = 0; i < look->nodes; i++) {
        struct node node = node_at(look, i);
        if (node.key_type == NEVER_USED)
            return false;
        if (!is_live(&node))
            continue;
        look->keys++;
        if (is_string(&node))
            look->strings++;
        else
            put(look, place_of(&node, look->places));
    }
    return true;
}

/* The node behind the i-th in its list; as many as there are nodes: there is none. */
static size_t next_of(const struct look *look, const struct node *node, size_t i)
{
    size_t next = i + (size_t)(int64_t)node->next;
    return node->next != 0 && next < look->nodes ? next : look->nodes;
}

static void mark_followers(struct look *look)
{
    memset(look->marks, 0, look->nodes / 8);
    for (size_t i = 0; i < look->nodes; i++) {
        struct node node = node_at(look, i);
        size_t next = next_of(look, &node, i);
        if (next < look->nodes)
            look->marks[next / 8] |= (unsigned char)(1U << next % 8);
    }
}

/*
 * A list begins at the node whose place is that of all in it, and the place of a string is the rest
 * of a division by a power of two. `left` ends lists of foreign bytes, which may be rings.
 */
static void put_strings(struct look *look)
{
    size_t left = look->nodes;
    mark_followers(look);
    for (size_t first = 0; first < look->nodes; first++) {
        if (look->marks[first / 8] & 1U << first % 8)
            continue;
        for (size_t i = first; i < look->nodes && left > 0; left--) {
            struct node node = node_at(look, i);
            if (is_live(&node) && is_string(&node))
                put(look, first & (look->places - 1));
            i = next_of(look, &node, i);
        }
    }
}

/* Whether the marks find room in what the counters leave of the new block. */
static bool has_marks(const struct look *look)
{
    return look->nodes / 8 <= look->places * (sizeof(struct node) - sizeof(*look->counts));
}

static bool is_crowd(struct look *look)
{
    if (has_room(look))
        return false;
    memset(look->counts, 0, look->places * sizeof(*look->counts));
    if (!put_all_but_strings(look) || look->keys < MIN_KEYS)
        return false;
    if (look->strings >= MIN_KEYS && has_marks(look))
        put_strings(look);
    return look->steps > MAX_STEPS;
}

/* ---- all tables ---- */

bool mw_lua_crowd_may_be_table(size_t bytes)
{
    size_t nodes = bytes / sizeof(struct node);
    return nodes >= MIN_NODES && bytes % sizeof(struct node) == 0 && (nodes & (nodes - 1)) == 0;
}

static bool remember(struct mw_app *app, const void *block, size_t nodes)
{
    struct mw_lua_crowd *crowd = &app->crowd;
    if (crowd->count == crowd->room) {
        size_t room = crowd->room ? 2 * crowd->room : FIRST_ROOM;
        struct mw_lua_vector *vectors = mw_realloc(
            &app->mem, crowd->vectors, crowd->room * sizeof(*vectors), room * sizeof(*vectors));
        if (!vectors)
            return false;
        crowd->vectors = vectors;
        crowd->room = room;
    }
    crowd->vectors[crowd->count++] = (struct mw_lua_vector){ block, nodes };
    return true;
}

void mw_lua_crowd_forget(struct mw_app *app, const void *block)
{
    struct mw_lua_crowd *crowd = &app->crowd;
    size_t i = 0;
    while (i < crowd->count && crowd->vectors[i].block != block)
        i++;
    if (i == crowd->count)
        return;
    crowd->vectors[i] = crowd->vectors[--crowd->count];
    if (crowd->count > 0)
        return;
    mw_free(&app->mem, crowd->vectors, crowd->room * sizeof(*crowd->vectors));
    crowd->vectors = NULL;
    crowd->room = 0;
}

static bool finds_crowd(const struct mw_lua_crowd *crowd, void *block, size_t places,
                        struct look *look)
{
    for (size_t i = 0; i < crowd->count; i++) {
        *look = (struct look){
            .block = crowd->vectors[i].block,
            .nodes = crowd->vectors[i].nodes,
            .counts = block,
            .marks = (unsigned char *)block + places * sizeof(*look->counts),
            .places = places,
        };
        if (is_crowd(look))
            return true;
    }
    return false;
}

bool mw_lua_crowd_admit(struct mw_app *app, void *block, size_t bytes)
{
    struct mw_lua_crowd *crowd = &app->crowd;
    struct look look;
    size_t places = bytes / sizeof(struct node);
    bool is_second_try = crowd->refused_bytes == bytes;
    crowd->refused_bytes = 0;
    if (!app->budget.running || !finds_crowd(crowd, block, places, &look))
        return remember(app, block, places);
    /* The crowd may be garbage: Lua collects now, and asks once more. */
    if (is_second_try)
        mw_lua_budget_crowd(app, look.keys, look.most);
    else
        crowd->refused_bytes = bytes;
    return false;
}
