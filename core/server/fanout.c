/*
 * Between hub, which knows who listens and in which order, and the connections' queues. Nothing
 * here calls a script. Called by host_real, and by worker for its mail.
 *
 * A message that stays on this worker and is not kept is framed in the memory of its script, as it
 * ever was. One that is for others as well is a publication: framed in the process's memory, with
 * stand-ins on each worker, so that what waits is counted on the script there, too.
 */
#include "core/server/fanout.h"

#include "core/server/account.h"
#include "core/server/client.h"
#include "core/server/crew.h"
#include "core/server/deliver.h"
#include "core/server/sending.h"

static mw_ms now(const struct mw_worker *worker)
{
    return mw_loop_now(worker->loop);
}

/* ---- the worker's part ---- */

/* On the thread of whoever has published; once, until the letter has been read. */
static void wake(void *ctx)
{
    struct mw_worker *worker = ctx;
    mw_worker_send(worker, &worker->publications);
}

static void on_sweep(struct mw_alarm *alarm)
{
    struct mw_worker *worker = MW_OWNER(alarm, struct mw_worker, sweep);
    mw_ms next_ms = mw_topics_sweep(&worker->crew->topics, now(worker));
    if (next_ms != MW_NEVER)
        mw_alarm_set(worker->loop, &worker->sweep, next_ms);
}

void mw_fanout_open(struct mw_worker *worker)
{
    struct mw_topics *topics = &worker->crew->topics;
    topics->max_history_bytes = (size_t)worker->config->topics_memory;
    mw_hub_init(&worker->hub, &worker->mem, topics, worker->number);
    worker->publications.kind = MW_LETTER_PUBLICATIONS;
    mw_inbox_on_post(mw_hub_inbox(&worker->hub), wake, worker);
    mw_alarm_init(&worker->sweep, on_sweep);
}

void mw_fanout_close(struct mw_worker *worker)
{
    mw_alarm_stop(worker->loop, &worker->sweep);
}

/* ---- to the connections ---- */

/*
 * What a delivery looks at stands in some five lines of memory for each client. Where a topic has a
 * thousand of them these are not in the near cache, so they are asked for in time.
 */
#define AHEAD 6

static void fetch(const struct mw_audience *audience, size_t n)
{
    if (n >= audience->count)
        return;
    const struct mw_client *client = mw_audience_owner(audience, n);
    if (n >= AHEAD / 2) { /* by now that of this one is there */
        const struct mw_client *near = mw_audience_owner(audience, n - AHEAD / 2);
        __builtin_prefetch(near->conn.sending);
        __builtin_prefetch(near->conn.flight);
    }
    __builtin_prefetch(client);
    __builtin_prefetch(&client->settle);
    __builtin_prefetch(&client->route);
    __builtin_prefetch(&client->conn.phase);
    __builtin_prefetch(&client->conn.replay);
}

/* `offset`: 0 for what the own worker has just published, which is for all of them. */
static long deliver(struct mw_worker *worker, struct mw_broadcast *broadcast,
                    const struct mw_audience *audience, mw_id except, uint64_t offset)
{
    long receivers = 0;
    mw_ms now_ms = now(worker);
    for (size_t i = 0; i < audience->count; i++) {
        struct mw_client *client = mw_audience_owner(audience, i);
        fetch(audience, i + AHEAD);
        if (client->id == except || (offset && !mw_audience_wants(audience, i, offset)))
            continue;
        receivers += mw_sending_shared(client, broadcast, now_ms) == MW_OK;
    }
    return receivers;
}

/*
 * On whose behalf a message waits that another worker has published: the same script's here. Where
 * its share is full slow clients go first; then it is delivered all the same, since nobody could be
 * told of the hole.
 */
static struct mw_account *account_of(struct mw_worker *worker,
                                     const struct mw_publication *publication)
{
    struct mw_route *route = mw_route_by_name(worker, publication->party);
    if (route)
        (void)mw_account_has_room(route->account, mw_publication_wire_bytes(publication));
    return route ? route->account : 0;
}

/* One alone would be copied there for nothing. */
static void join(struct mw_broadcast *broadcast, struct mw_account *account,
                 const struct mw_audience *audience)
{
    if (audience->count > 1)
        mw_broadcast_join(broadcast, mw_account_roll(account));
}

static void begin_shared(struct mw_broadcast *broadcast, struct mw_mem *mem,
                         struct mw_publication *publication)
{
    mw_broadcast_begin_shared(broadcast, mem, publication->receivers, publication->kind,
                              &publication->twins);
    broadcast->how = publication->has_how ? &publication->how : 0;
}

static void deliver_publication(struct mw_worker *worker, struct mw_publication *publication)
{
    struct mw_audience audience = mw_hub_audience(&worker->hub, publication->topic);
    struct mw_broadcast broadcast;
    if (audience.count == 0)
        return;
    struct mw_account *account = account_of(worker, publication);
    begin_shared(&broadcast, account ? &account->mem : &worker->mem, publication);
    if (account)
        join(&broadcast, account, &audience);
    (void)deliver(worker, &broadcast, &audience, publication->except, publication->offset);
    mw_broadcast_end(&broadcast);
}

static void deliver_taken(struct mw_worker *worker)
{
    struct mw_publication *publication;
    while ((publication = mw_inbox_next(mw_hub_inbox(&worker->hub)))) {
        deliver_publication(worker, publication);
        mw_publication_drop(publication);
    }
}

void mw_fanout_take(struct mw_worker *worker)
{
    struct mw_inbox *inbox = mw_hub_inbox(&worker->hub);
    mw_inbox_woken(inbox);
    mw_inbox_take(inbox);
    deliver_taken(worker);
}

/* ---- publishing ---- */

static struct mw_publication *make_publication(const struct mw_route *route,
                                               const struct mw_saying *saying)
{
    const struct mw_publication_setup setup = {
        .kind = saying->kind,
        .topic = saying->topic,
        .party = route->name,
        .except = saying->except,
        .how = saying->how,
        .workers = route->worker->crew->count,
    };
    struct mw_msg *framed = mw_broadcast_frame(0, saying->kind, saying->data);
    struct mw_publication *publication = framed ? mw_publication_new(framed, &setup) : 0;
    if (!publication)
        mw_msg_drop(framed);
    return publication;
}

/* What the own members get, behind all that was published before it. */
static long deliver_own(struct mw_route *route, const struct mw_saying *saying,
                        const struct mw_audience *audience, struct mw_publication *publication)
{
    struct mw_worker *worker = route->worker;
    struct mw_broadcast broadcast;
    deliver_taken(worker); /* nobody joins or leaves by it */
    if (audience->count == 0)
        return 0;
    if (publication)
        begin_shared(&broadcast, &route->account->mem, publication);
    else
        mw_broadcast_begin(&broadcast, &route->account->mem, audience->count, saying->kind,
                           saying->data);
    broadcast.how = saying->how;
    join(&broadcast, route->account, audience);
    long receivers = deliver(worker, &broadcast, audience, saying->except, 0);
    mw_broadcast_end(&broadcast);
    return receivers;
}

/* Gives a publication where one is needed; the caller drops it. */
static int publish(struct mw_route *route, const struct mw_saying *saying,
                   struct mw_publication **publication, struct mw_published *told)
{
    struct mw_worker *worker = route->worker;
    int err = mw_hub_publish(&worker->hub, saying->topic, 0, now(worker), told);
    bool is_wanted = err == MW_ERR_AGAIN || (!err && told->is_somewhere);
    if (is_wanted && !mw_account_has_room(route->account, saying->data.len))
        return MW_ERR_QUOTA;
    if (err != MW_ERR_AGAIN)
        return err;
    *publication = make_publication(route, saying);
    if (!*publication)
        return MW_ERR_NOMEM;
    return mw_hub_publish(&worker->hub, saying->topic, *publication, now(worker), told);
}

static void sweep_later(struct mw_worker *worker)
{
    if (!mw_timer_is_running(&worker->sweep.timer))
        mw_alarm_set(worker->loop, &worker->sweep, now(worker) + MW_TOPICS_SWEEP_MS);
}

long mw_fanout_publish(struct mw_route *route, const struct mw_saying *saying, uint64_t *offset)
{
    struct mw_publication *publication = 0;
    struct mw_published told;
    *offset = 0;
    if (saying->topic.len == 0 || saying->topic.len > MW_BOUND_TOPIC_BYTES)
        return MW_ERR_BAD_ARG;
    if (mw_deliver_is_text_broken(route->worker, saying->kind, saying->data))
        return MW_ERR_BAD_UTF8;
    int err = publish(route, saying, &publication, &told);
    long receivers = err;
    if (!err && told.is_somewhere)
        receivers = deliver_own(route, saying, &told.audience, publication);
    mw_publication_drop(publication);
    if (err)
        return mw_sending_count(route, saying->kind, err);
    if (told.is_kept) {
        *offset = told.offset;
        sweep_later(route->worker);
    }
    return receivers;
}

/* ---- joining ---- */

/* A replay counts as one message: it may fill the queue and does not end a connection. */
static size_t room_for_replay(const struct mw_client *client)
{
    const struct mw_account *account = client->route->account;
    size_t limit = client->route->limits.queue, queued = mw_conn_queued(&client->conn);
    size_t queue = limit > queued ? limit - queued : 0;
    size_t share =
        account->max_bytes > account->mem.bytes ? account->max_bytes - account->mem.bytes : 0;
    return queue < share ? queue : share;
}

static bool send_kept(struct mw_client *client, struct mw_publication *publication)
{
    struct mw_broadcast broadcast;
    begin_shared(&broadcast, &client->route->account->mem, publication);
    broadcast.how = 0; /* who asked for all of them gets all, also those of one key */
    int err = mw_sending_shared(client, &broadcast, now(client->worker));
    mw_broadcast_end(&broadcast);
    return err == MW_OK;
}

static void replay(struct mw_client *client, const struct mw_topic_replay *replay,
                   struct mw_subscribed *told)
{
    size_t sent = 0;
    while (sent < replay->count && send_kept(client, replay->list[sent]))
        sent++;
    *told = (struct mw_subscribed){
        .offset = replay->offset,
        .is_whole = replay->is_whole && sent == replay->count,
        .replayed = (uint32_t)sent,
    };
}

/* Connections of many scripts are never in a topic. */
static int become_subscriber(struct mw_client *client)
{
    struct mw_subscriber *subscriber = mw_alloc(&client->worker->mem, sizeof *subscriber);
    if (!subscriber)
        return MW_ERR_NOMEM;
    mw_subscriber_init(subscriber, client, client->id, &client->route->account->party);
    client->subscriber = subscriber;
    return MW_OK;
}

void mw_fanout_leave(struct mw_client *client)
{
    if (!client->subscriber)
        return;
    mw_hub_leave_all(&client->worker->hub, client->subscriber);
    mw_free(&client->worker->mem, client->subscriber, sizeof *client->subscriber);
    client->subscriber = 0;
}

int mw_fanout_unsubscribe(struct mw_client *client, struct mw_view topic)
{
    if (!client->subscriber)
        return 0;
    int result = mw_hub_leave(&client->worker->hub, client->subscriber, topic);
    if (client->subscriber->count == 0)
        mw_fanout_leave(client);
    return result;
}

int mw_fanout_subscribe(struct mw_client *client, struct mw_view topic,
                        const struct mw_subscribe_how *how, struct mw_subscribed *told)
{
    struct mw_hub *hub = &client->worker->hub;
    struct mw_topic_replay kept;
    size_t presence = how ? how->presence.len : 0;
    if (!mw_account_has_room(client->route->account, topic.len + presence))
        return MW_ERR_QUOTA;
    if (!client->subscriber && become_subscriber(client))
        return MW_ERR_NOMEM;
    if (!how)
        return mw_hub_join(hub, client->subscriber, topic, 0, 0);
    const struct mw_join join = {
        .replay = { how->has_since, how->since, how->last, room_for_replay(client),
                    now(client->worker) },
        .has_presence = how->has_presence,
        .presence = how->presence,
    };
    int result = mw_hub_join(hub, client->subscriber, topic, &join, &kept);
    if (result < 0)
        return result;
    replay(client, &kept, told);
    mw_topic_replay_free(&kept, hub->mem);
    return result;
}
