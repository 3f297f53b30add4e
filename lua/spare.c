/*
 * One list of blocks for each size, the last one given first: it is in the cache still. Called by
 * state.c for each request of Lua's; knows nothing of what is in a block.
 */
#include "lua/spare.h"

#include "core/base/check.h"

static void *take(struct mw_lua_spare *spare, struct mw_mem *mem, size_t bytes)
{
    if (bytes > MW_LUA_SPARE_BLOCK_BYTES || bytes == 0)
        return mw_alloc(mem, bytes);
    struct mw_lua_spare_block **list = mw_lua_spare_list(spare, bytes);
    if (!*list)
        return mw_alloc(mem, bytes);
    return mw_mem_move(&spare->mem, mem, bytes) ? mw_lua_spare_pop(list, bytes) : NULL;
}

static void give(struct mw_lua_spare *spare, struct mw_mem *mem, void *block, size_t bytes)
{
    bool is_kept =
        bytes <= MW_LUA_SPARE_BLOCK_BYTES && spare->mem.bytes + bytes <= MW_LUA_SPARE_BYTES;
    if (!is_kept || !mw_mem_move(mem, &spare->mem, bytes)) {
        mw_free(mem, block, bytes);
        return;
    }
    mw_lua_spare_push(mw_lua_spare_list(spare, bytes), block, bytes);
}

void *mw_lua_spare_realloc(struct mw_lua_spare *spare, struct mw_mem *mem, void *block,
                           size_t old_bytes, size_t new_bytes)
{
    mw_assert(mw_lua_spare_size(old_bytes) == old_bytes);
    mw_assert(mw_lua_spare_size(new_bytes) == new_bytes);
    if (!block)
        return take(spare, mem, new_bytes);
    if (new_bytes == old_bytes)
        return block;
    if (new_bytes > 0)
        return mw_realloc(mem, block, old_bytes, new_bytes);
    give(spare, mem, block, old_bytes);
    return NULL;
}

void mw_lua_spare_free(struct mw_lua_spare *spare)
{
    for (size_t i = 0; i < MW_LUA_SPARE_SIZES; i++) {
        size_t bytes = (i + 1) * MW_LUA_SPARE_STEP;
        while (spare->blocks[i])
            mw_free(&spare->mem, mw_lua_spare_pop(&spare->blocks[i], bytes), bytes);
    }
}
