/*
 * Letters to connections of other workers. The other side acts as if its own instance of the script
 * had asked, through the same host. Called by host_real; worker brings what has come.
 */
#include "core/server/remote.h"

#include "core/base/str.h"
#include "core/server/crew.h"
#include "core/server/host_real.h"

bool mw_remote_is_elsewhere(const struct mw_route *route, mw_id id)
{
    struct mw_worker *worker = mw_crew_worker_of(route->worker->crew, id);
    return worker && worker != route->worker;
}

static struct mw_view put_text(char **to, struct mw_view text)
{
    char *at = *to;
    if (text.len)
        memcpy(at, text.data, text.len);
    *to += text.len;
    return mw_view(at, text.len);
}

static struct mw_remote *make(const struct mw_route *route, mw_id id, struct mw_view data,
                              const struct mw_send_how *how)
{
    struct mw_view key = how ? how->key : mw_view(0, 0);
    size_t bytes = sizeof(struct mw_remote) + route->name.len + data.len + key.len;
    struct mw_remote *remote = mw_shared_alloc(bytes);
    if (!remote)
        return 0;
    char *to = remote->texts;
    *remote = (struct mw_remote){ .letter.kind = MW_LETTER_REMOTE, .bytes = bytes, .id = id };
    remote->script = put_text(&to, route->name);
    remote->data = put_text(&to, data);
    remote->has_how = how;
    if (how)
        remote->how = (struct mw_send_how){ how->policy, put_text(&to, key) };
    return remote;
}

/* Takes the letter. */
static int post(struct mw_route *route, struct mw_remote *remote)
{
    if (!remote)
        return MW_ERR_NOMEM;
    struct mw_worker *to = mw_crew_worker_of(route->worker->crew, remote->id);
    size_t before = atomic_load_explicit(&to->remote_bytes, memory_order_relaxed);
    if (before >= MW_REMOTE_BYTES || !to->mailbox) {
        mw_shared_free(remote, remote->bytes);
        return MW_ERR_DROPPED;
    }
    atomic_fetch_add_explicit(&to->remote_bytes, remote->bytes, memory_order_relaxed);
    mw_worker_send(to, &remote->letter);
    return MW_OK;
}

int mw_remote_send(struct mw_route *route, mw_id id, enum mw_opcode kind, struct mw_view data,
                   const struct mw_send_how *how)
{
    struct mw_remote *remote = make(route, id, data, how);
    if (remote)
        remote->kind = kind;
    return post(route, remote);
}

int mw_remote_close(struct mw_route *route, mw_id id, unsigned code, struct mw_view reason,
                    const struct mw_advice *advice)
{
    struct mw_remote *remote = make(route, id, reason, 0);
    if (remote) {
        remote->is_close = true;
        remote->code = code;
        remote->has_advice = advice;
        remote->advice = advice ? *advice : (struct mw_advice){ 0 };
    }
    return post(route, remote);
}

static int act(struct mw_route *route, const struct mw_remote *remote)
{
    const struct mw_host *host = mw_host_real();
    if (remote->is_close)
        return host->close(route, remote->id, remote->code, remote->data,
                           remote->has_advice ? &remote->advice : 0);
    return host->send(route, remote->id, remote->kind, remote->data,
                      remote->has_how ? &remote->how : 0);
}

/* Nobody waits for the answer: a connection that is gone, or another script's, is a line of the
 * log. */
static void tell(struct mw_worker *worker, const struct mw_remote *remote)
{
    struct mw_log_line line;
    mw_rare_begin(&worker->misdirected, mw_loop_now(worker->loop), &line, worker->log, MW_LOG_DEBUG,
                  "what another worker sent to a connection found none");
    mw_log_text(&line, "script", remote->script);
    mw_log_end(&line);
}

void mw_remote_take(struct mw_worker *worker, struct mw_remote *remote)
{
    struct mw_route *route = mw_route_by_name(worker, remote->script);
    atomic_fetch_sub_explicit(&worker->remote_bytes, remote->bytes, memory_order_relaxed);
    if (!route || act(route, remote) == MW_ERR_GONE)
        tell(worker, remote);
    mw_shared_free(remote, remote->bytes);
}
