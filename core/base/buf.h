/*
 * A byte buffer that grows with what has arrived, up to a hard cap. Zero it (plus `mem`) to start.
 */
#ifndef MW_BASE_BUF_H
#define MW_BASE_BUF_H

#include <stdarg.h>

#include "core/base/mem.h"

struct mw_buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max_bytes; /* 0 = no cap of its own */
    struct mw_mem *mem;
};

void mw_buf_init(struct mw_buf *buf, struct mw_mem *mem, size_t max_bytes);

/* Frees the bytes; the buffer is empty and may be used again. NULL is allowed. */
void mw_buf_free(struct mw_buf *buf);

/* Makes room for `more` bytes behind len. MW_ERR_NOMEM, MW_ERR_FULL above max_bytes. */
int mw_buf_reserve(struct mw_buf *buf, size_t more);

/* Appends or changes nothing. MW_ERR_NOMEM, MW_ERR_FULL. */
int mw_buf_put(struct mw_buf *buf, const void *bytes, size_t len);
int mw_buf_put_view(struct mw_buf *buf, struct mw_view text);
int mw_buf_put_text(struct mw_buf *buf, const char *text);
int mw_buf_put_byte(struct mw_buf *buf, char byte);
int mw_buf_putf(struct mw_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
int mw_buf_vputf(struct mw_buf *buf, const char *format, va_list args);

/* Drops the first `len` bytes. */
void mw_buf_skip(struct mw_buf *buf, size_t len);

/* Puts a NUL behind the last byte, uncounted, so that data is a C string. NULL = no memory. */
const char *mw_buf_cstr(struct mw_buf *buf);

static inline struct mw_view mw_buf_view(const struct mw_buf *buf)
{
    return mw_view(buf->data, buf->len);
}

static inline void mw_buf_clear(struct mw_buf *buf)
{
    buf->len = 0;
}

#endif
