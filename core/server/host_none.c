/*
 * The host of `moonwire check`: every question has an answer, no answer has a consequence. Its
 * clock stands still.
 */
#include "core/server/host_none.h"

#include "core/proto/close.h"
#include "core/server/host_codes.h"
#include "moonwire/app.h"

static int none_send(void *host_app, mw_id conn, enum mw_opcode kind, struct mw_view data,
                     const struct mw_send_how *how)
{
    (void)host_app, (void)conn, (void)kind, (void)data, (void)how;
    return MW_ERR_GONE;
}

static int none_close(void *host_app, mw_id conn, unsigned code, struct mw_view reason,
                      const struct mw_advice *advice)
{
    (void)host_app, (void)conn, (void)code, (void)reason, (void)advice;
    return MW_ERR_GONE;
}

static int none_ping(void *host_app, mw_id conn)
{
    (void)host_app, (void)conn;
    return MW_ERR_GONE;
}

static int none_info(void *host_app, mw_id conn, struct mw_conn_info *out)
{
    (void)host_app, (void)conn, (void)out;
    return MW_ERR_GONE;
}

static int none_topic(void *host_app, mw_id conn, struct mw_view topic)
{
    (void)host_app, (void)conn, (void)topic;
    return MW_ERR_GONE;
}

static int none_subscribe(void *host_app, mw_id conn, struct mw_view topic,
                          const struct mw_subscribe_how *how, struct mw_subscribed *told)
{
    (void)host_app, (void)conn, (void)topic, (void)how, (void)told;
    return MW_ERR_GONE;
}

static bool none_topic_at(void *host_app, mw_id conn, size_t n, struct mw_view *topic)
{
    (void)host_app, (void)conn, (void)n, (void)topic;
    return false;
}

static long none_publish(void *host_app, struct mw_view topic, enum mw_opcode kind,
                         struct mw_view data, mw_id except, const struct mw_send_how *how,
                         uint64_t *offset)
{
    (void)host_app, (void)topic, (void)kind, (void)data, (void)except, (void)how;
    *offset = 0;
    return 0;
}

static int none_members(void *host_app, struct mw_view topic,
                        int (*put)(void *ctx, mw_id id, struct mw_view presence), void *ctx,
                        size_t *total)
{
    (void)host_app, (void)topic, (void)put, (void)ctx;
    *total = 0;
    return MW_OK;
}

static bool none_is_elsewhere(void *host_app, mw_id conn)
{
    (void)host_app, (void)conn;
    return false;
}

static mw_id none_next_conn(void *host_app, mw_id after)
{
    (void)host_app, (void)after;
    return 0;
}

static void none_finished(void *host_app, mw_id conn, bool was_open,
                          const struct mw_verdict *verdict)
{
    (void)host_app, (void)conn, (void)was_open, (void)verdict;
}

static bool none_may_call(void *host_app)
{
    (void)host_app;
    return true;
}

static void none_wake_at(void *host_app, mw_ms at_ms)
{
    (void)host_app, (void)at_ms;
}

static mw_ms none_now(void *host_app)
{
    (void)host_app;
    return 1;
}

static void none_log(void *host_app, enum mw_log_level level, unsigned version, mw_id conn,
                     struct mw_view message, const struct mw_log_field *fields, size_t field_count)
{
    (void)host_app, (void)level, (void)version, (void)conn;
    (void)message, (void)fields, (void)field_count;
}

static void none_fault(void *host_app, const struct mw_fault *fault)
{
    (void)host_app, (void)fault;
}

static int none_random(void *host_app, void *out, size_t len)
{
    (void)host_app;
    memset(out, 1, len);
    return MW_OK;
}

const struct mw_host *mw_host_none(void)
{
    static const struct mw_host host = {
        .send = none_send,
        .close = none_close,
        .code_refusal = mw_close_code_refusal,
        .code_facts = mw_host_code_facts,
        .explain = mw_host_explain,
        .ping = none_ping,
        .info = none_info,
        .subscribe = none_subscribe,
        .unsubscribe = none_topic,
        .topic_at = none_topic_at,
        .publish = none_publish,
        .members = none_members,
        .is_elsewhere = none_is_elsewhere,
        .next_conn = none_next_conn,
        .finished = none_finished,
        .may_call = none_may_call,
        .wake_at = none_wake_at,
        .monotonic_ms = none_now,
        .unix_ms = none_now,
        .log = none_log,
        .fault = none_fault,
        .random = none_random,
    };
    return &host;
}
