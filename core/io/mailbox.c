/*
 * Letters between threads: a list under a lock, and libuv's wake-up. Only the loop's own thread
 * delivers.
 *
 * The wake-up is sent under the lock, and close takes that lock: so a thread whose letter made us
 * close the box has left the box before it goes away.
 */
#include "core/io/mailbox.h"

#include "core/base/lock.h"
#include "core/io/loop_uv.h"

struct mw_mailbox {
    uv_async_t wake_up;
    struct mw_loop *loop;
    void (*deliver)(void *ctx, struct mw_mail *mail);
    void *ctx;
    struct mw_mail *taken; /* off the queue, not yet delivered; the loop's thread alone */

    struct mw_lock lock; /* guards what follows */
    struct mw_mail *first, **end;
};

static struct mw_mail *take_all(struct mw_mailbox *box)
{
    mw_lock_take(&box->lock);
    struct mw_mail *first = box->first;
    box->first = NULL;
    box->end = &box->first;
    mw_lock_give(&box->lock);
    return first;
}

/* Whoever gets a letter may close the box: the close delivers the rest, and finds it in `taken`. */
static void deliver_taken(struct mw_mailbox *box)
{
    while (box->taken) {
        struct mw_mail *mail = box->taken;
        box->taken = mail->next;
        mail->next = NULL;
        box->deliver(box->ctx, mail);
    }
}

/* What is left of an earlier delivery, inside which this one may be, came first. */
void mw_mailbox_deliver(struct mw_mailbox *box)
{
    deliver_taken(box);
    box->taken = take_all(box);
    deliver_taken(box);
}

static void on_wake_up(uv_async_t *wake_up)
{
    mw_mailbox_deliver(MW_OWNER(wake_up, struct mw_mailbox, wake_up));
}

int mw_mailbox_open(struct mw_loop *loop, void (*deliver)(void *ctx, struct mw_mail *mail),
                    void *ctx, struct mw_mailbox **out)
{
    struct mw_mailbox *box = mw_alloc_zero(mw_loop_mem(loop), sizeof(*box));
    if (!box)
        return MW_ERR_NOMEM;
    int status = uv_async_init(mw_loop_uv(loop), &box->wake_up, on_wake_up);
    if (status < 0) {
        mw_free(mw_loop_mem(loop), box, sizeof(*box));
        return mw_err_from_uv(status);
    }
    box->loop = loop;
    box->deliver = deliver;
    box->ctx = ctx;
    box->end = &box->first;
    mw_lock_init(&box->lock);
    *out = box;
    return MW_OK;
}

void mw_mailbox_post(struct mw_mailbox *box, struct mw_mail *mail)
{
    mail->next = NULL;
    mw_lock_take(&box->lock);
    bool was_empty = !box->first;
    *box->end = mail;
    box->end = &mail->next;
    if (was_empty)
        (void)uv_async_send(&box->wake_up);
    mw_lock_give(&box->lock);
}

static void on_closed(uv_handle_t *handle)
{
    struct mw_mailbox *box = MW_OWNER(handle, struct mw_mailbox, wake_up);
    mw_lock_free(&box->lock);
    mw_free(mw_loop_mem(box->loop), box, sizeof(*box));
}

void mw_mailbox_close(struct mw_mailbox *box)
{
    if (!box)
        return;
    mw_mailbox_deliver(box);
    uv_close((uv_handle_t *)&box->wake_up, on_closed);
}
