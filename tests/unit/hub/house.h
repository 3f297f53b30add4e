/* A process with a few workers, each with its hub and memory; subscribers write down what comes. */
#ifndef MW_TESTS_UNIT_HUB_HOUSE_H
#define MW_TESTS_UNIT_HUB_HOUSE_H

#include "core/base/str.h"
#include "core/hub/members.h"
#include "tests/unit/unit.h"

#define HOUSE_WORKERS 4
#define HOUSE_FIRST   1000000

struct house_worker {
    struct mw_mem mem;
    struct mw_hub hub;
    struct mw_hub_party party;
};

struct house {
    struct mw_topics store;
    unsigned workers;
    mw_ms now_ms;
    struct house_worker w[HOUSE_WORKERS];
};

static inline void open_house(struct house *house, unsigned workers, size_t max_history_bytes)
{
    const struct mw_topics_setup setup = { workers, HOUSE_FIRST, max_history_bytes };
    *house = (struct house){ .workers = workers, .now_ms = 1000 };
    mw_topics_init(&house->store, &setup);
    for (unsigned i = 0; i < workers; i++) {
        struct house_worker *w = &house->w[i];
        mw_mem_init(&w->mem, NULL, 0);
        w->party.mem = &w->mem;
        mw_hub_init(&w->hub, &w->mem, &house->store, i);
    }
}

static inline void close_house(struct house *house)
{
    assert_true(mw_topics_validate(&house->store));
    for (unsigned i = 0; i < house->workers; i++) {
        assert_int_equal(mw_hub_topic_count(&house->w[i].hub), 0);
        mw_hub_free(&house->w[i].hub);
        assert_mem_empty(&house->w[i].mem);
    }
    assert_int_equal(mw_topics_free(&house->store), 0);
    assert_int_equal(mw_shared_bytes(), 0);
}

/* A subscriber: what it got, one letter each. */
struct ear {
    struct mw_subscriber sub;
    struct house_worker *w;
    char heard[4096];
    size_t count;
};

static inline void open_ear(struct house *house, struct ear *ear, unsigned worker, mw_id id)
{
    *ear = (struct ear){ .w = &house->w[worker] };
    mw_subscriber_init(&ear->sub, ear, id, &ear->w->party);
}

static inline void hear(struct ear *ear, struct mw_view data)
{
    for (size_t i = 0; i < data.len; i++) {
        if (ear->count < sizeof ear->heard - 1)
            ear->heard[ear->count++] = data.data[i];
    }
}

/* Joins, and hears what is replayed. */
static inline int listen_with(struct house *house, struct ear *ear, const char *topic,
                              struct mw_topic_wish wish, struct mw_topic_replay *told)
{
    wish.now_ms = house->now_ms;
    wish.max_bytes = wish.max_bytes ? wish.max_bytes : 100000;
    const struct mw_join how = { .replay = wish };
    int result = mw_hub_join(&ear->w->hub, &ear->sub, mw_view_text(topic), &how, told);
    if (result < 0)
        return result;
    size_t count = told->count;
    for (size_t i = 0; i < told->count; i++)
        hear(ear, mw_publication_data(told->list[i]));
    mw_topic_replay_free(told, &ear->w->mem);
    told->count = count;
    assert_true(mw_topics_validate(&house->store));
    return result;
}

static inline int listen_to(struct ear *ear, const char *topic)
{
    return mw_hub_join(&ear->w->hub, &ear->sub, mw_view_text(topic), NULL, NULL);
}

static inline void go_deaf(struct ear *ear)
{
    mw_hub_leave_all(&ear->w->hub, &ear->sub);
}

/* What has come by the inbox, to the members who are meant. */
static inline void deliver_inbox(struct house *house, unsigned worker)
{
    struct mw_hub *hub = &house->w[worker].hub;
    struct mw_publication *publication;
    while ((publication = mw_inbox_next(mw_hub_inbox(hub)))) {
        struct mw_audience audience = mw_hub_audience(hub, publication->topic);
        for (size_t i = 0; i < audience.count; i++) {
            if (mw_audience_wants(&audience, i, publication->offset))
                hear(mw_audience_owner(&audience, i), mw_publication_data(publication));
        }
        mw_publication_drop(publication);
    }
}

static inline void take_and_deliver(struct house *house, unsigned worker)
{
    mw_inbox_woken(mw_hub_inbox(&house->w[worker].hub));
    mw_inbox_take(mw_hub_inbox(&house->w[worker].hub));
    deliver_inbox(house, worker);
}

static inline struct mw_publication *compose(struct house *house, const char *topic,
                                             struct mw_view data)
{
    struct mw_msg *msg = mw_msg_new(NULL, data.len);
    assert_non_null(msg);
    memcpy(mw_msg_payload(msg), data.data, data.len);
    const struct mw_publication_setup setup = {
        .kind = MW_OPCODE_TEXT,
        .topic = mw_view_text(topic),
        .party = mw_view_text("a.lua"),
        .workers = house->workers,
    };
    struct mw_publication *publication = mw_publication_new(msg, &setup);
    assert_non_null(publication);
    return publication;
}

/* As the server does it: asks without a publication first. */
static inline int say_bytes(struct house *house, unsigned worker, const char *topic,
                            struct mw_view data, struct mw_published *told)
{
    struct mw_hub *hub = &house->w[worker].hub;
    struct mw_publication *publication = NULL;
    int err = mw_hub_publish(hub, mw_view_text(topic), NULL, house->now_ms, told);
    if (err == MW_ERR_AGAIN) {
        publication = compose(house, topic, data);
        err = mw_hub_publish(hub, mw_view_text(topic), publication, house->now_ms, told);
    }
    deliver_inbox(house, worker);
    struct mw_audience audience = { NULL, 0 };
    if (!err)
        audience = mw_hub_audience(hub, mw_view_text(topic));
    for (size_t i = 0; i < audience.count; i++)
        hear(mw_audience_owner(&audience, i), data);
    mw_publication_drop(publication);
    return err;
}

static inline struct mw_published say(struct house *house, unsigned worker, const char *topic,
                                      const char *text)
{
    struct mw_published told;
    assert_int_equal(say_bytes(house, worker, topic, mw_view_text(text), &told), MW_OK);
    return told;
}

static inline void set_rule(struct house *house, const char *script, const char *pattern,
                            uint32_t history, uint32_t ttl_s)
{
    const struct mw_topic_spec spec = { mw_view_text(pattern), history, ttl_s };
    assert_int_equal(
        mw_topic_rules_set(&house->store.rules, mw_view_text(script), &spec, history > 0), MW_OK);
}

#endif
