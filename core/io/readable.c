/*
 * libuv's poll on a descriptor that others share with us. What the kernel cannot tell of, a plain
 * file, is tried once a turn instead.
 */
#include "core/io/readable.h"

#include <fcntl.h>

#include "core/io/loop_uv.h"

struct mw_readable {
    struct mw_loop *loop;
    void (*readable)(void *ctx);
    void *ctx;
    bool is_polled; /* else the idle handle is the one that is there */
    union {
        uv_handle_t handle;
        uv_poll_t poll;
        uv_idle_t idle;
    } uv;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct mw_readable *readable = MW_OWNER(poll, struct mw_readable, uv.poll);
    (void)status; /* an error is seen by who reads */
    (void)events;
    readable->readable(readable->ctx);
}

static void on_idle(uv_idle_t *idle)
{
    struct mw_readable *readable = MW_OWNER(idle, struct mw_readable, uv.idle);
    readable->readable(readable->ctx);
}

/*
 * libuv makes what it polls non-blocking, and that is a property of the terminal or pipe, not of
 * our descriptor: the shell, and our own output to the same terminal, would feel it.
 */
static int init_poll(struct mw_readable *readable, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    int status = uv_poll_init(mw_loop_uv(readable->loop), &readable->uv.poll, fd);
    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, flags);
    return status;
}

int mw_readable_open(struct mw_loop *loop, int fd, void (*readable)(void *ctx), void *ctx,
                     struct mw_readable **out)
{
    struct mw_readable *made = mw_alloc_zero(mw_loop_mem(loop), sizeof *made);
    if (!made)
        return MW_ERR_NOMEM;
    made->loop = loop;
    made->readable = readable;
    made->ctx = ctx;
    int status = init_poll(made, fd);
    made->is_polled = status == 0;
    if (status == UV_EPERM)
        status = uv_idle_init(mw_loop_uv(loop), &made->uv.idle);
    if (status < 0) {
        mw_free(mw_loop_mem(loop), made, sizeof *made);
        return mw_err_from_uv(status);
    }
    *out = made;
    return MW_OK;
}

void mw_readable_set(struct mw_readable *readable, bool on)
{
    (void)mw_loop_uv(readable->loop); /* it runs once, to take up the change */
    if (readable->is_polled && on)
        (void)uv_poll_start(&readable->uv.poll, UV_READABLE | UV_DISCONNECT, on_poll);
    else if (readable->is_polled)
        (void)uv_poll_stop(&readable->uv.poll);
    else if (on)
        (void)uv_idle_start(&readable->uv.idle, on_idle);
    else
        (void)uv_idle_stop(&readable->uv.idle);
}

static void on_closed(uv_handle_t *handle)
{
    struct mw_readable *readable = MW_OWNER(handle, struct mw_readable, uv.handle);
    mw_free(mw_loop_mem(readable->loop), readable, sizeof *readable);
}

void mw_readable_close(struct mw_readable *readable)
{
    if (readable)
        uv_close(&readable->uv.handle, on_closed);
}
