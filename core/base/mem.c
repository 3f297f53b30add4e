/*
 * Accounted memory. The only file that calls the C allocator: whatever the server holds is a figure
 * in somebody's mw_mem, or in the one of what crosses threads.
 *
 * Never aborts and never logs; a refusal is NULL, and the caller decides what that means. A block
 * carries no header, so an owner that tells a wrong size on free shows up as bytes that stay.
 */
#include "core/base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/mem_move.h"

static atomic_size_t shared_bytes;

void mw_mem_init(struct mw_mem *mem, struct mw_mem *parent, size_t max_bytes)
{
    *mem = (struct mw_mem){ .parent = parent, .max_bytes = max_bytes };
}

static bool is_told_to_fail(const struct mw_mem *mem)
{
    if (mem->fail_at == 0)
        return false;
    return mem->fail_after ? mem->count >= mem->fail_at : mem->count == mem->fail_at;
}

static bool is_above_cap(const struct mw_mem *mem, size_t more)
{
    size_t cap = mem->max_bytes ? mem->max_bytes : PTRDIFF_MAX; /* no object of C is larger */
    return mem->bytes > cap || more > cap - mem->bytes;
}

/* Asks each mw_mem up to the root; all of them count the question, whoever says no. */
static bool may_grow(struct mw_mem *mem, size_t more)
{
    bool allowed = true;
    for (; mem; mem = mem->parent) {
        mem->count++;
        if (is_told_to_fail(mem) || is_above_cap(mem, more))
            allowed = false;
    }
    return allowed;
}

/* In `mem` and its parents, up to but without `end` (NULL: all of them). */
static void add(struct mw_mem *mem, const struct mw_mem *end, size_t more, size_t blocks)
{
    for (; mem != end; mem = mem->parent) {
        mem->bytes += more;
        mem->blocks += blocks;
        if (mem->bytes > mem->peak)
            mem->peak = mem->bytes;
    }
}

static void subtract(struct mw_mem *mem, const struct mw_mem *end, size_t less, size_t blocks)
{
    for (; mem != end; mem = mem->parent) {
        mw_assert(mem->bytes >= less && mem->blocks >= blocks);
        mem->bytes -= less;
        mem->blocks -= blocks;
    }
}

static void account_growth(struct mw_mem *mem, size_t more, size_t blocks)
{
    add(mem, NULL, more, blocks);
}

static void account_return(struct mw_mem *mem, size_t less, size_t blocks)
{
    subtract(mem, NULL, less, blocks);
}

void mw_mem_lend(struct mw_mem *mem, const struct mw_mem *owner, size_t bytes)
{
    add(mem, owner, bytes, 1);
}

void mw_mem_hand_back(struct mw_mem *mem, const struct mw_mem *owner, size_t bytes)
{
    subtract(mem, owner, bytes, 1);
}

bool mw_mem_move(struct mw_mem *from, struct mw_mem *to, size_t bytes)
{
    if (!may_grow(to, bytes))
        return false;
    account_growth(to, bytes, 1);
    account_return(from, bytes, 1);
    return true;
}

void mw_mem_send(struct mw_mem *mem, size_t bytes, size_t blocks)
{
    account_return(mem, bytes, blocks);
    atomic_fetch_add(&shared_bytes, bytes);
}

bool mw_mem_take(struct mw_mem *mem, size_t bytes, size_t blocks)
{
    if (!may_grow(mem, bytes))
        return false;
    account_growth(mem, bytes, blocks);
    atomic_fetch_sub(&shared_bytes, bytes);
    return true;
}

void *mw_alloc(struct mw_mem *mem, size_t bytes)
{
    if (bytes == 0 || !may_grow(mem, bytes))
        return NULL;
    void *block = malloc(bytes);
    if (block)
        account_growth(mem, bytes, 1);
    return block;
}

void *mw_alloc_zero(struct mw_mem *mem, size_t bytes)
{
    if (bytes == 0 || !may_grow(mem, bytes))
        return NULL;
    void *block = calloc(1, bytes);
    if (block)
        account_growth(mem, bytes, 1);
    return block;
}

static void *grow(struct mw_mem *mem, void *block, size_t old_bytes, size_t new_bytes)
{
    size_t more = new_bytes - old_bytes;
    if (!may_grow(mem, more))
        return NULL;
    void *moved = realloc(block, new_bytes);
    if (moved)
        account_growth(mem, more, 0);
    return moved;
}

static void *shrink(struct mw_mem *mem, void *block, size_t old_bytes, size_t new_bytes)
{
    void *moved = realloc(block, new_bytes);
    account_return(mem, old_bytes - new_bytes, 0);
    return moved ? moved : block; /* an allocator that cannot shrink it leaves it as it was */
}

void *mw_realloc(struct mw_mem *mem, void *block, size_t old_bytes, size_t new_bytes)
{
    if (!block)
        return mw_alloc(mem, new_bytes);
    if (new_bytes == 0) {
        mw_free(mem, block, old_bytes);
        return NULL;
    }
    if (new_bytes > old_bytes)
        return grow(mem, block, old_bytes, new_bytes);
    return shrink(mem, block, old_bytes, new_bytes);
}

void mw_free(struct mw_mem *mem, void *block, size_t bytes)
{
    if (!block)
        return;
    free(block);
    account_return(mem, bytes, 1);
}

char *mw_mem_copy(struct mw_mem *mem, struct mw_view text)
{
    char *copy = mw_alloc(mem, text.len + 1);
    if (!copy)
        return NULL;
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

void *mw_shared_alloc(size_t bytes)
{
    if (bytes == 0 || bytes > PTRDIFF_MAX)
        return NULL;
    void *block = malloc(bytes);
    if (block)
        atomic_fetch_add_explicit(&shared_bytes, bytes, memory_order_relaxed);
    return block;
}

void mw_shared_free(void *block, size_t bytes)
{
    if (!block)
        return;
    free(block);
    atomic_fetch_sub_explicit(&shared_bytes, bytes, memory_order_relaxed);
}

size_t mw_shared_bytes(void)
{
    return atomic_load_explicit(&shared_bytes, memory_order_relaxed);
}
