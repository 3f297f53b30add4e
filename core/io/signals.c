/* Signals as events of one loop, so that nothing has to be safe inside of a signal handler. */
#include "core/io/signals.h"

#include <signal.h>

#include "core/io/loop_uv.h"

static const struct {
    int number;
    enum mw_signal which;
} heard[] = {
    { SIGINT, MW_SIGNAL_INTERRUPT },
    { SIGTERM, MW_SIGNAL_TERMINATE },
    { SIGHUP, MW_SIGNAL_HANGUP },
};

struct mw_signals {
    struct mw_loop *loop;
    void (*caught)(void *ctx, enum mw_signal which);
    void *ctx;
    uv_signal_t handles[MW_COUNT(heard)];
    size_t open_handles;
};

static void on_signal(uv_signal_t *handle, int number)
{
    struct mw_signals *signals = handle->data;
    (void)number;
    signals->caught(signals->ctx, heard[handle - signals->handles].which);
}

static void on_closed(uv_handle_t *handle)
{
    struct mw_signals *signals = handle->data;
    if (--signals->open_handles == 0)
        mw_free(mw_loop_mem(signals->loop), signals, sizeof(*signals));
}

static int open_handle(struct mw_signals *signals, size_t i)
{
    int status = uv_signal_init(mw_loop_uv(signals->loop), &signals->handles[i]);
    if (status < 0)
        return status;
    signals->handles[i].data = signals;
    signals->open_handles++;
    return uv_signal_start(&signals->handles[i], on_signal, heard[i].number);
}

int mw_signals_open(struct mw_loop *loop, void (*caught)(void *ctx, enum mw_signal which),
                    void *ctx, struct mw_signals **out)
{
    struct mw_signals *signals = mw_alloc_zero(mw_loop_mem(loop), sizeof(*signals));
    if (!signals)
        return MW_ERR_NOMEM;
    signals->loop = loop;
    signals->caught = caught;
    signals->ctx = ctx;
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of the write, not our end */
    int status = 0;
    for (size_t i = 0; i < MW_COUNT(heard) && status == 0; i++)
        status = open_handle(signals, i);
    if (status < 0) {
        mw_signals_close(signals);
        return mw_err_from_uv(status);
    }
    *out = signals;
    return MW_OK;
}

void mw_signals_close(struct mw_signals *signals)
{
    if (!signals)
        return;
    if (signals->open_handles == 0) { /* not even the first could be opened */
        mw_free(mw_loop_mem(signals->loop), signals, sizeof(*signals));
        return;
    }
    for (size_t i = 0, open = signals->open_handles; i < open; i++)
        uv_close((uv_handle_t *)&signals->handles[i], on_closed);
}
