/*
 * One list of blocks for each size, the last one given first: it is in the cache still. Called by
 * state.c for each request of Lua's; knows nothing of what is in a block.
 *
 * Under AddressSanitizer what is kept is poisoned, so that whoever uses it is found as before.
 */
#include "lua/spare.h"

#include "core/base/check.h"
#include "core/base/mem_move.h"

#ifdef __SANITIZE_ADDRESS__
#define IS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_ASAN 1
#endif
#endif

#ifdef IS_ASAN
#include <sanitizer/asan_interface.h>
#define HIDE(block, bytes) __asan_poison_memory_region(block, bytes)
#define SHOW(block, bytes) __asan_unpoison_memory_region(block, bytes)
#else
#define HIDE(block, bytes) (void)0
#define SHOW(block, bytes) (void)0
#endif

struct mw_lua_spare_block {
    struct mw_lua_spare_block *next;
};

static struct mw_lua_spare_block **list_of(struct mw_lua_spare *spare, size_t bytes)
{
    return &spare->blocks[bytes / MW_LUA_SPARE_STEP - 1];
}

static void *pop(struct mw_lua_spare_block **list, size_t bytes)
{
    struct mw_lua_spare_block *block = *list;
    SHOW(block, bytes);
    (void)bytes;
    *list = block->next;
    return block;
}

static void *take(struct mw_lua_spare *spare, struct mw_mem *mem, size_t bytes)
{
    if (bytes > MW_LUA_SPARE_BLOCK_BYTES || bytes == 0)
        return mw_alloc(mem, bytes);
    struct mw_lua_spare_block **list = list_of(spare, bytes);
    if (!*list)
        return mw_alloc(mem, bytes);
    return mw_mem_move(&spare->mem, mem, bytes) ? pop(list, bytes) : NULL;
}

static void give(struct mw_lua_spare *spare, struct mw_mem *mem, void *block, size_t bytes)
{
    bool is_kept =
        bytes <= MW_LUA_SPARE_BLOCK_BYTES && spare->mem.bytes + bytes <= MW_LUA_SPARE_BYTES;
    if (!is_kept || !mw_mem_move(mem, &spare->mem, bytes)) {
        mw_free(mem, block, bytes);
        return;
    }
    struct mw_lua_spare_block *kept = block, **list = list_of(spare, bytes);
    kept->next = *list;
    *list = kept;
    HIDE(block, bytes);
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
            mw_free(&spare->mem, pop(&spare->blocks[i], bytes), bytes);
    }
}
