/*
 * Knobs that make a debug build hostile, so that rare paths become ordinary ones. From the
 * environment, read once:
 *
 *   MW_DBG_READ_CHUNK=N    a read takes at most N bytes
 *   MW_DBG_SHORT_WRITE=N   a write offers at most N bytes to the kernel at first
 *
 * Outside of debug builds both functions are their argument.
 */
#ifndef MW_IO_DEBUG_H
#define MW_IO_DEBUG_H

#include <stddef.h>

#ifdef MW_DEBUG
size_t mw_debug_read_bytes(size_t len);
size_t mw_debug_write_bytes(size_t len);
#else
static inline size_t mw_debug_read_bytes(size_t len)
{
    return len;
}
static inline size_t mw_debug_write_bytes(size_t len)
{
    return len;
}
#endif

#endif
