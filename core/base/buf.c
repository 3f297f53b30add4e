/*
 * A growing byte buffer: bytes in, text in, bytes off the front. It grows with what has arrived
 * (never with what was promised) and never above its cap; a call that fails leaves it as it was.
 */
#include "core/base/buf.h"

#include <stdio.h>

#define FIRST_CAP 64 /* a short header line or log line needs no second allocation */

void mw_buf_init(struct mw_buf *buf, struct mw_mem *mem, size_t max_bytes)
{
    *buf = (struct mw_buf){ .mem = mem, .max_bytes = max_bytes };
}

void mw_buf_free(struct mw_buf *buf)
{
    if (!buf)
        return;
    mw_free(buf->mem, buf->data, buf->cap);
    buf->data = NULL;
    buf->len = buf->cap = 0;
}

static bool is_full(const struct mw_buf *buf, size_t more)
{
    size_t max_bytes = buf->max_bytes ? buf->max_bytes : SIZE_MAX - 1; /* - 1: room for a NUL */
    return buf->len > max_bytes || more > max_bytes - buf->len;
}

/* At least double, so that n bytes cost O(n) copies; no more than the cap, a NUL aside. */
static size_t next_cap(const struct mw_buf *buf, size_t need)
{
    size_t cap = buf->cap > SIZE_MAX / 2 ? SIZE_MAX : buf->cap * 2;
    if (cap < FIRST_CAP)
        cap = FIRST_CAP;
    if (buf->max_bytes && cap > buf->max_bytes)
        cap = buf->max_bytes;
    return cap > need ? cap : need;
}

static int grow_to(struct mw_buf *buf, size_t need)
{
    if (need <= buf->cap)
        return MW_OK;
    size_t cap = next_cap(buf, need);
    char *data = mw_realloc(buf->mem, buf->data, buf->cap, cap);
    if (!data)
        return MW_ERR_NOMEM;
    buf->data = data;
    buf->cap = cap;
    return MW_OK;
}

int mw_buf_reserve(struct mw_buf *buf, size_t more)
{
    if (is_full(buf, more))
        return MW_ERR_FULL;
    return grow_to(buf, buf->len + more);
}

int mw_buf_put(struct mw_buf *buf, const void *bytes, size_t len)
{
    if (len == 0)
        return MW_OK;
    int err = mw_buf_reserve(buf, len);
    if (err)
        return err;
    memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    return MW_OK;
}

int mw_buf_put_view(struct mw_buf *buf, struct mw_view text)
{
    return mw_buf_put(buf, text.data, text.len);
}

int mw_buf_put_text(struct mw_buf *buf, const char *text)
{
    return mw_buf_put(buf, text, strlen(text));
}

int mw_buf_put_byte(struct mw_buf *buf, char byte)
{
    return mw_buf_put(buf, &byte, 1);
}

int mw_buf_putf(struct mw_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int err = mw_buf_vputf(buf, format, args);
    va_end(args);
    return err;
}

int mw_buf_vputf(struct mw_buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    int err = MW_OK;
    if (length < 0)
        err = MW_ERR_BAD_ARG;
    else if (is_full(buf, (size_t)length))
        err = MW_ERR_FULL;
    else
        err = grow_to(buf, buf->len + (size_t)length + 1); /* vsnprintf ends with a NUL */
    if (!err) {
        vsnprintf(buf->data + buf->len, (size_t)length + 1, format, again);
        buf->len += (size_t)length;
    }
    va_end(again);
    return err;
}

void mw_buf_skip(struct mw_buf *buf, size_t len)
{
    if (len >= buf->len) {
        buf->len = 0;
        return;
    }
    if (len == 0)
        return;
    buf->len -= len;
    memmove(buf->data, buf->data + len, buf->len);
}

const char *mw_buf_cstr(struct mw_buf *buf)
{
    if (grow_to(buf, buf->len + 1))
        return NULL;
    buf->data[buf->len] = '\0';
    return buf->data;
}
