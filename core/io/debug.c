/* The knobs of a debug build; empty in any other. Asked by the streams at each read and write. */
#include "core/io/debug.h"

#ifdef MW_DEBUG

#include <stdlib.h>
#include <uv.h>

#include "core/base/str.h"

static uv_once_t once = UV_ONCE_INIT;
static size_t read_bytes = SIZE_MAX, write_bytes = SIZE_MAX;

static void read_knob(const char *name, size_t *knob)
{
    uint64_t value;
    if (mw_parse_u64(mw_view_text(getenv(name)), 1, SIZE_MAX, &value))
        *knob = (size_t)value;
}

static void read_knobs(void)
{
    read_knob("MW_DBG_READ_CHUNK", &read_bytes);
    read_knob("MW_DBG_SHORT_WRITE", &write_bytes);
}

size_t mw_debug_read_bytes(size_t len)
{
    uv_once(&once, read_knobs);
    return len < read_bytes ? len : read_bytes;
}

size_t mw_debug_write_bytes(size_t len)
{
    uv_once(&once, read_knobs);
    return len < write_bytes ? len : write_bytes;
}

#else
typedef int mw_debug_is_off; /* ISO C wants something in a file */
#endif
