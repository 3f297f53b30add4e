/*
 * The allocator of one owner (a worker, a script, a test): what it holds is counted, may be capped,
 * and the n-th allocation can be made to fail. Sizes are told on free, so blocks carry no header.
 *
 * Not locked: a mw_mem belongs to one thread.
 */
#ifndef MW_BASE_MEM_H
#define MW_BASE_MEM_H

#include "moonwire/types.h"

struct mw_mem {
    size_t bytes;          /* held now */
    size_t peak;           /* most ever held */
    size_t blocks;         /* held now */
    size_t max_bytes;      /* 0 = no cap */
    uint64_t count;        /* allocations and growths asked for, ever */
    uint64_t fail_at;      /* the call with this number fails; 0 = none */
    bool fail_after;       /* every later one fails too */
    struct mw_mem *parent; /* borrowed, or NULL; counts, caps and fails the same bytes again */
};

void mw_mem_init(struct mw_mem *mem, struct mw_mem *parent, size_t max_bytes);

/* Gives `bytes` bytes, not cleared, or NULL. 0 bytes give NULL. */
void *mw_alloc(struct mw_mem *mem, size_t bytes);

/* The same, cleared. */
void *mw_alloc_zero(struct mw_mem *mem, size_t bytes);

/*
 * Resizes a block of `old_bytes` (NULL, 0 is a fresh one). On NULL the old block is untouched.
 * new_bytes 0 frees. Shrinking never fails the cap.
 */
void *mw_realloc(struct mw_mem *mem, void *block, size_t old_bytes, size_t new_bytes);

/* Takes the block back; NULL is allowed. `bytes` is the size it was asked for with. */
void mw_free(struct mw_mem *mem, void *block, size_t bytes);

/*
 * A block of `owner`, which is a parent of `mem` or `mem` itself (NULL: the process's), is used on
 * behalf of `mem` from now on, until it is handed back: counted there, capped nowhere.
 */
void mw_mem_lend(struct mw_mem *mem, const struct mw_mem *owner, size_t bytes);
void mw_mem_hand_back(struct mw_mem *mem, const struct mw_mem *owner, size_t bytes);

/*
 * Blocks go to another thread as they are: from `mem` to the shared ones (below), and from there to
 * the mw_mem of who takes them up. That may be refused like an allocation: false, and they are
 * still shared.
 */
void mw_mem_send(struct mw_mem *mem, size_t bytes, size_t blocks);
bool mw_mem_take(struct mw_mem *mem, size_t bytes, size_t blocks);

/* Gives a NUL-terminated copy; free with mw_free(mem, text, len + 1). */
char *mw_mem_copy(struct mw_mem *mem, struct mw_view text);

/*
 * Blocks that cross threads, and so have no mw_mem: straight from the C allocator, counted in one
 * atomic figure of the process. They cannot be told to fail.
 */
void *mw_shared_alloc(size_t bytes);
void mw_shared_free(void *block, size_t bytes);
size_t mw_shared_bytes(void);

/* True when nothing is held: what each test asks at its end. */
static inline bool mw_mem_is_empty(const struct mw_mem *mem)
{
    return mem->bytes == 0 && mem->blocks == 0;
}

#endif
