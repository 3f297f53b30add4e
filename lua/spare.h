/*
 * Small blocks that a script's state has given back, kept for its next request. A message is a
 * string that lives for one call: without this each would go through the C allocator and back.
 *
 * Measured on an echo of 64 bytes, 16 outstanding: 430 of 4 400 instructions a message, which were
 * malloc's.
 *
 * Belongs to one app. All zeros is an empty one.
 */
#ifndef MW_LUA_SPARE_H
#define MW_LUA_SPARE_H

#include "core/base/mem_move.h"

/* Under AddressSanitizer what is kept is poisoned, so that whoever uses it is found as before. */
#ifdef __SANITIZE_ADDRESS__
#define MW_LUA_SPARE_HIDES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MW_LUA_SPARE_HIDES 1
#endif
#endif

#ifdef MW_LUA_SPARE_HIDES
#include <sanitizer/asan_interface.h>
#define MW_LUA_SPARE_HIDE(block, bytes) __asan_poison_memory_region(block, bytes)
#define MW_LUA_SPARE_SHOW(block, bytes) __asan_unpoison_memory_region(block, bytes)
#else
#define MW_LUA_SPARE_HIDE(block, bytes) (void)(bytes)
#define MW_LUA_SPARE_SHOW(block, bytes) (void)(bytes)
#endif

/* A block of up to so many bytes is kept; its size is a multiple of the step. */
#define MW_LUA_SPARE_BLOCK_BYTES 256
#define MW_LUA_SPARE_STEP        16
#define MW_LUA_SPARE_SIZES       (MW_LUA_SPARE_BLOCK_BYTES / MW_LUA_SPARE_STEP)

/* No more than this is kept of all sizes together. */
#define MW_LUA_SPARE_BYTES 65536

struct mw_lua_spare_block {
    struct mw_lua_spare_block *next;
};

struct mw_lua_spare {
    struct mw_mem mem; /* what is kept: not the script's any more */
    struct mw_lua_spare_block *blocks[MW_LUA_SPARE_SIZES];
};

/* What a request of `bytes` takes: the sizes of mw_lua_spare_realloc have to be such ones. */
static inline size_t mw_lua_spare_size(size_t bytes)
{
    if (bytes > MW_LUA_SPARE_BLOCK_BYTES)
        return bytes;
    return (bytes + MW_LUA_SPARE_STEP - 1) & ~(size_t)(MW_LUA_SPARE_STEP - 1);
}

static inline struct mw_lua_spare_block **mw_lua_spare_list(struct mw_lua_spare *spare,
                                                            size_t bytes)
{
    return &spare->blocks[bytes / MW_LUA_SPARE_STEP - 1];
}

static inline void *mw_lua_spare_pop(struct mw_lua_spare_block **list, size_t bytes)
{
    struct mw_lua_spare_block *block = *list;
    MW_LUA_SPARE_SHOW(block, bytes);
    *list = block->next;
    return block;
}

static inline void mw_lua_spare_push(struct mw_lua_spare_block **list, void *block, size_t bytes)
{
    struct mw_lua_spare_block *kept = block;
    kept->next = *list;
    *list = kept;
    MW_LUA_SPARE_HIDE(block, bytes);
}

/*
 * The ways that nearly all requests for small blocks go, in line (206 -> 88 instructions for
 * a string that comes and goes): one of that size is there, or may be kept. NULL, false: nothing
 * was done, and mw_lua_spare_realloc decides.
 */
static inline void *mw_lua_spare_take_one(struct mw_lua_spare *spare, struct mw_mem *mem,
                                          size_t bytes)
{
    if (bytes - 1 >= MW_LUA_SPARE_BLOCK_BYTES)
        return NULL;
    size_t size = mw_lua_spare_size(bytes);
    struct mw_lua_spare_block **list = mw_lua_spare_list(spare, size);
    bool is_there = *list && mw_mem_move_at_once(&spare->mem, mem, size);
    return is_there ? mw_lua_spare_pop(list, size) : NULL;
}

static inline bool mw_lua_spare_keep_one(struct mw_lua_spare *spare, struct mw_mem *mem,
                                         void *block, size_t bytes)
{
    size_t size = mw_lua_spare_size(bytes);
    if (size - 1 >= MW_LUA_SPARE_BLOCK_BYTES || spare->mem.bytes + size > MW_LUA_SPARE_BYTES ||
        !mw_mem_move_at_once(mem, &spare->mem, size))
        return false;
    mw_lua_spare_push(mw_lua_spare_list(spare, size), block, size);
    return true;
}

/* As mw_realloc, on the account of `mem`: what is kept is refused, too, where that has a cap. */
void *mw_lua_spare_realloc(struct mw_lua_spare *spare, struct mw_mem *mem, void *block,
                           size_t old_bytes, size_t new_bytes);

/* Gives back all that is kept. */
void mw_lua_spare_free(struct mw_lua_spare *spare);

#endif
