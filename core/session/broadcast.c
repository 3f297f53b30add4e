/*
 * One message to many. Between host_real's publish, which knows who listens, and the connections'
 * queues, which share what is made here by reference.
 */
#include "core/session/broadcast.h"

void mw_broadcast_begin(struct mw_broadcast *broadcast, struct mw_mem *mem, size_t receivers,
                        enum mw_opcode kind, struct mw_view data)
{
    *broadcast = (struct mw_broadcast){
        .mem = mem, .few = receivers <= MW_BROADCAST_FEW, .kind = kind, .data = data
    };
}

void mw_broadcast_begin_shared(struct mw_broadcast *broadcast, struct mw_mem *mem, size_t receivers,
                               enum mw_opcode kind, struct mw_msg_twins *twins)
{
    struct mw_msg *plain = twins->plain;
    struct mw_view data = mw_view(mw_msg_payload(plain), mw_msg_payload_len(plain));
    mw_broadcast_begin(broadcast, mem, receivers, kind, data);
    broadcast->twins = twins;
}

void mw_broadcast_end(struct mw_broadcast *broadcast)
{
    mw_msg_drop(broadcast->plain);
    mw_msg_drop(broadcast->kept);
    for (size_t bits = 0; bits <= MW_DEFLATE_BITS_MAX; bits++)
        mw_msg_drop(broadcast->packed[bits]);
}

static struct mw_msg *frame(struct mw_mem *mem, enum mw_opcode kind, struct mw_view payload,
                            bool compressed)
{
    struct mw_msg *msg = mw_msg_new(mem, payload.len);
    if (!msg)
        return 0;
    uint8_t head[MW_FRAME_HEAD_MAX];
    size_t head_len = mw_frame_encode(head, kind, true, payload.len, 0);
    if (compressed)
        mw_frame_set_compressed(head);
    if (payload.len)
        memcpy(mw_msg_payload(msg), payload.data, payload.len);
    mw_msg_set_head(msg, head, head_len);
    return msg;
}

struct mw_msg *mw_broadcast_frame(struct mw_mem *mem, enum mw_opcode kind, struct mw_view data)
{
    return frame(mem, kind, data, false);
}

static struct mw_msg *frame_alone(const struct mw_broadcast *broadcast)
{
    return broadcast->twins ? mw_msg_stand_in(broadcast->mem, broadcast->twins->plain)
                            : frame(broadcast->mem, broadcast->kind, broadcast->data, false);
}

/* What may stay for long, since others replace it or nobody takes it, keeps no others with it. */
static bool is_joined(const struct mw_broadcast *broadcast)
{
    return broadcast->roll && !(broadcast->how && broadcast->how->policy == MW_POLICY_LATEST);
}

static struct mw_msg *make_plain(struct mw_broadcast *broadcast)
{
    if (is_joined(broadcast))
        broadcast->plain = mw_roll_put(broadcast->roll, broadcast->kind, broadcast->data);
    if (!broadcast->plain)
        broadcast->plain = frame_alone(broadcast);
    if (broadcast->plain)
        mw_conn_more_init(&broadcast->more, broadcast->plain);
    return broadcast->plain;
}

static inline struct mw_msg *plain(struct mw_broadcast *broadcast)
{
    return broadcast->plain ? broadcast->plain : make_plain(broadcast);
}

/* For the session of a connection, if it has one. */
static struct mw_msg *kept(struct mw_broadcast *broadcast)
{
    struct mw_msg *msg = broadcast->kept ? 0 : plain(broadcast);
    if (msg)
        broadcast->kept = mw_msg_block(msg) == msg ? mw_msg_keep(msg) : frame_alone(broadcast);
    return broadcast->kept;
}

/* NULL: no memory, or it does not shrink. */
static struct mw_msg *compress(const struct mw_broadcast *broadcast, struct mw_mem *mem,
                               const struct mw_deflater *deflater)
{
    struct mw_buf payload;
    struct mw_deflater alone;
    mw_buf_init(&payload, broadcast->mem, 0);
    mw_deflater_init(&alone, deflater->pool, deflater->bits, false);
    struct mw_msg *msg = 0;
    int err = mw_deflater_run(&alone, broadcast->data, &payload);
    if (!err && payload.len < broadcast->data.len)
        msg = frame(mem, broadcast->kind, mw_buf_view(&payload), true);
    mw_buf_free(&payload);
    return msg;
}

/* What another worker has compressed, or what others take from now on. */
static struct mw_msg *take_shared(struct mw_broadcast *broadcast,
                                  const struct mw_deflater *deflater)
{
    struct mw_msg_twins *twins = broadcast->twins;
    struct mw_msg *msg = mw_msg_twins_packed(twins);
    if (!msg) {
        msg = compress(broadcast, 0, deflater);
        msg = mw_msg_twins_put(twins, msg ? msg : mw_msg_keep(twins->plain));
    }
    return msg == twins->plain ? 0 : mw_msg_stand_in(broadcast->mem, msg);
}

/*
 * What does not shrink, or finds no memory, is the plain one: that is asked once, too. Other
 * windows than the usual one are so rare that each worker compresses for itself.
 */
static struct mw_msg *packed(struct mw_broadcast *broadcast, const struct mw_deflater *deflater)
{
    struct mw_msg **place = &broadcast->packed[deflater->bits];
    bool is_shared = broadcast->twins && deflater->bits == MW_EXT_WINDOW_BITS;
    if (!*place)
        *place = is_shared ? take_shared(broadcast, deflater)
                           : compress(broadcast, broadcast->mem, deflater);
    if (!*place && plain(broadcast))
        *place = mw_msg_keep(plain(broadcast));
    return *place;
}

static int send_alone(struct mw_broadcast *broadcast, struct mw_conn *conn, mw_ms now_ms)
{
    struct mw_msg *msg = packed(broadcast, mw_conn_deflater(conn));
    struct mw_msg *again = conn->replay ? kept(broadcast) : 0;
    int err = msg ? mw_conn_send_twin(conn, msg, again, now_ms) : MW_ERR_NOMEM;
    /* The receiver has in its window now what the connection's own compressor never saw. */
    if (!err && msg != broadcast->plain)
        mw_deflater_forget(mw_conn_deflater(conn));
    return err;
}

static int send_plain(struct mw_broadcast *broadcast, struct mw_conn *conn, mw_ms now_ms)
{
    struct mw_msg *msg = plain(broadcast);
    struct mw_msg *again = conn->replay ? kept(broadcast) : 0;
    return msg ? mw_conn_send_twin(conn, msg, again, now_ms) : MW_ERR_NOMEM;
}

void mw_broadcast_keep(struct mw_broadcast *broadcast, struct mw_replay *replay)
{
    struct mw_msg *msg = kept(broadcast);
    if (msg)
        mw_replay_sent(replay, msg);
    else
        mw_replay_lost(replay, 1);
}

/* It may be replaced while it waits, so no context has it, whether or not it waits. */
static int send_latest(struct mw_broadcast *broadcast, struct mw_conn *conn, mw_ms now_ms)
{
    bool is_alone =
        mw_conn_packing_latest(conn, broadcast->how->key, broadcast->data.len) == MW_CONN_ALONE;
    struct mw_msg *msg = is_alone ? packed(broadcast, mw_conn_deflater(conn)) : plain(broadcast);
    struct mw_msg *again = conn->replay ? kept(broadcast) : 0;
    if (!msg || (conn->replay && !again))
        return MW_ERR_NOMEM;
    int err = mw_conn_send_latest(conn, broadcast->how->key, msg, again, now_ms);
    if (!err && msg != broadcast->plain)
        mw_deflater_forget(mw_conn_deflater(conn));
    return err;
}

int mw_broadcast_send(struct mw_broadcast *broadcast, struct mw_conn *conn, mw_ms now_ms)
{
    if (broadcast->how && broadcast->how->policy == MW_POLICY_LATEST)
        return send_latest(broadcast, conn, now_ms);
    bool pays_alone = broadcast->data.len >= MW_CONN_COMPRESS_ALONE;
    switch (mw_conn_packing(conn, broadcast->data.len)) {
    case MW_CONN_PLAIN:
        break;
    case MW_CONN_ALONE:
        return send_alone(broadcast, conn, now_ms);
    case MW_CONN_IN_CONTEXT:
        if (broadcast->few)
            return mw_conn_send(conn, broadcast->kind, broadcast->data, now_ms);
        if (pays_alone)
            return send_alone(broadcast, conn, now_ms);
        break;
    }
    return send_plain(broadcast, conn, now_ms);
}
