/*
 * One message to many. Between host_real's publish, which knows who listens, and the connections'
 * queues, which share what is made here by reference.
 */
#include "core/session/broadcast.h"

void mw_broadcast_begin(struct mw_broadcast *broadcast, struct mw_mem *mem, enum mw_opcode kind,
                        struct mw_view data)
{
    *broadcast = (struct mw_broadcast){ .mem = mem, .kind = kind, .data = data };
}

void mw_broadcast_end(struct mw_broadcast *broadcast)
{
    mw_msg_drop(broadcast->plain);
    for (size_t bits = 0; bits <= MW_DEFLATE_BITS_MAX; bits++)
        mw_msg_drop(broadcast->packed[bits]);
}

static struct mw_msg *frame(const struct mw_broadcast *broadcast, struct mw_view payload,
                            bool compressed)
{
    struct mw_msg *msg = mw_msg_new(broadcast->mem, payload.len);
    if (!msg)
        return 0;
    uint8_t head[MW_FRAME_HEAD_MAX];
    size_t head_len = mw_frame_encode(head, broadcast->kind, true, payload.len, 0);
    if (compressed)
        mw_frame_set_compressed(head);
    if (payload.len)
        memcpy(mw_msg_payload(msg), payload.data, payload.len);
    mw_msg_set_head(msg, head, head_len);
    return msg;
}

static struct mw_msg *plain(struct mw_broadcast *broadcast)
{
    if (!broadcast->plain)
        broadcast->plain = frame(broadcast, broadcast->data, false);
    return broadcast->plain;
}

static struct mw_msg *compress(struct mw_broadcast *broadcast, struct mw_deflater *deflater)
{
    struct mw_buf payload;
    mw_buf_init(&payload, broadcast->mem, 0);
    struct mw_msg *msg = 0;
    int err = mw_deflater_run(deflater, broadcast->data, &payload);
    if (!err && payload.len < broadcast->data.len)
        msg = frame(broadcast, mw_buf_view(&payload), true);
    mw_buf_free(&payload);
    return msg;
}

/* What does not shrink, or finds no memory, is the plain one: that is asked once, too. */
static struct mw_msg *packed(struct mw_broadcast *broadcast, struct mw_deflater *deflater)
{
    struct mw_msg **place = &broadcast->packed[deflater->bits];
    if (!*place)
        *place = compress(broadcast, deflater);
    if (!*place && plain(broadcast))
        *place = mw_msg_keep(plain(broadcast));
    return *place;
}

int mw_broadcast_send(struct mw_broadcast *broadcast, struct mw_conn *conn, mw_ms now_ms)
{
    struct mw_msg *msg = 0;
    switch (mw_conn_packing(conn, broadcast->data.len)) {
    case MW_CONN_PLAIN:
        msg = plain(broadcast);
        break;
    case MW_CONN_ALONE:
        msg = packed(broadcast, &conn->deflater);
        break;
    case MW_CONN_IN_CONTEXT:
        return mw_conn_send(conn, broadcast->kind, broadcast->data, now_ms);
    }
    return msg ? mw_conn_send_msg(conn, msg, now_ms) : MW_ERR_NOMEM;
}
