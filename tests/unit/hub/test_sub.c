#include "core/hub/sub.h"

#include <stdio.h>

#include "core/base/rng.h"
#include "core/base/str.h"
#include "tests/unit/unit.h"

struct room {
    struct mw_mem mem;
    struct mw_topics store;
    struct mw_hub hub;
    struct mw_hub_party party;
};

static void open_store(struct mw_topics *store)
{
    const struct mw_topics_setup setup = { .workers = 1, .max_history_bytes = 1 << 20 };
    mw_topics_init(store, &setup);
}

static void open_room(struct room *room)
{
    mw_mem_init(&room->mem, NULL, 0);
    open_store(&room->store);
    mw_hub_init(&room->hub, &room->mem, &room->store, 0);
    room->party = (struct mw_hub_party){ .mem = &room->mem };
}

static void close_room(struct room *room)
{
    assert_int_equal(mw_hub_topic_count(&room->hub), 0);
    mw_hub_free(&room->hub);
    assert_int_equal(mw_topics_count(&room->store), 0); /* nor was any ever needed there */
    assert_int_equal(mw_topics_free(&room->store), 0);
    assert_mem_empty(&room->mem);
}

static int join(struct room *room, struct mw_subscriber *sub, const char *topic)
{
    int result = mw_hub_join(&room->hub, sub, mw_view_text(topic), NULL, NULL);
    assert_true(mw_hub_validate(&room->hub));
    return result;
}

static int leave(struct room *room, struct mw_subscriber *sub, const char *topic)
{
    int result = mw_hub_leave(&room->hub, sub, mw_view_text(topic));
    assert_true(mw_hub_validate(&room->hub));
    return result;
}

static size_t listeners(struct room *room, const char *topic)
{
    return mw_hub_audience(&room->hub, mw_view_text(topic)).count;
}

TEST(who_joins_hears_and_who_leaves_does_not)
{
    struct room room;
    struct mw_subscriber a, b;
    int owner_a, owner_b;
    open_room(&room);
    mw_subscriber_init(&a, &owner_a, 1, &room.party);
    mw_subscriber_init(&b, &owner_b, 1, &room.party);
    assert_int_equal(listeners(&room, "news"), 0);
    assert_int_equal(join(&room, &a, "news"), 1);
    assert_int_equal(join(&room, &a, "news"), 0);
    assert_int_equal(join(&room, &b, "news"), 1);
    assert_int_equal(listeners(&room, "news"), 2);
    assert_int_equal(leave(&room, &a, "news"), 1);
    assert_int_equal(leave(&room, &a, "news"), 0);
    struct mw_audience audience = mw_hub_audience(&room.hub, mw_view_text("news"));
    assert_int_equal(audience.count, 1);
    assert_ptr_equal(mw_audience_owner(&audience, 0), &owner_b);
    mw_hub_leave_all(&room.hub, &b);
    close_room(&room);
}

TEST(a_topic_exists_as_long_as_somebody_is_in_it)
{
    struct room room;
    struct mw_subscriber a;
    open_room(&room);
    mw_subscriber_init(&a, NULL, 1, &room.party);
    join(&room, &a, "one");
    join(&room, &a, "two");
    assert_int_equal(mw_hub_topic_count(&room.hub), 2);
    leave(&room, &a, "one");
    assert_int_equal(mw_hub_topic_count(&room.hub), 1);
    mw_hub_leave_all(&room.hub, &a);
    mw_hub_leave_all(&room.hub, &a);
    assert_true(mw_hub_validate(&room.hub));
    close_room(&room);
}

TEST(a_topic_has_1_to_256_bytes_of_any_kind)
{
    struct room room;
    struct mw_subscriber a;
    char name[MW_BOUND_TOPIC_BYTES + 1];
    open_room(&room);
    mw_subscriber_init(&a, NULL, 1, &room.party);
    memset(name, 'n', sizeof name);
    const struct {
        struct mw_view topic;
        int result;
    } names[] = {
        { mw_view(NULL, 0), MW_ERR_BAD_ARG },
        { mw_view(name, 1), 1 },
        { mw_view(name, MW_BOUND_TOPIC_BYTES), 1 },
        { mw_view(name, MW_BOUND_TOPIC_BYTES + 1), MW_ERR_BAD_ARG },
        { mw_view("a\0b", 3), 1 },
        { mw_view("a\0c", 3), 1 }, /* not the same */
    };
    for (size_t i = 0; i < MW_COUNT(names); i++)
        assert_int_equal(mw_hub_join(&room.hub, &a, names[i].topic, NULL, NULL), names[i].result);
    assert_int_equal(a.count, 4);
    mw_hub_leave_all(&room.hub, &a);
    close_room(&room);
}

TEST(topics_of_one_connection_are_bounded)
{
    struct room room;
    struct mw_subscriber a, b;
    char name[32];
    open_room(&room);
    mw_subscriber_init(&a, NULL, 1, &room.party);
    mw_subscriber_init(&b, NULL, 1, &room.party);
    for (int i = 0; i < MW_BOUND_SUBSCRIPTIONS; i++) {
        snprintf(name, sizeof name, "topic %d", i);
        assert_int_equal(mw_hub_join(&room.hub, &a, mw_view_text(name), NULL, NULL), 1);
    }
    assert_int_equal(join(&room, &a, "one more"), MW_ERR_FULL);
    assert_int_equal(mw_hub_topic_count(&room.hub), MW_BOUND_SUBSCRIPTIONS);
    assert_int_equal(join(&room, &a, "topic 7"), 0);
    assert_int_equal(join(&room, &b, "one more"), 1);
    assert_int_equal(leave(&room, &a, "topic 7"), 1);
    assert_int_equal(join(&room, &a, "one more"), 1);
    mw_hub_leave_all(&room.hub, &a);
    mw_hub_leave_all(&room.hub, &b);
    close_room(&room);
}

/* A topic counts for who made it until it ends, so nobody makes room by letting others in. */
TEST(topics_of_one_party_are_bounded)
{
    struct room room;
    static struct mw_subscriber subs[MW_BOUND_TOPICS / MW_BOUND_SUBSCRIPTIONS + 1];
    struct mw_hub_party others = { .mem = &room.mem };
    struct mw_subscriber *last = &subs[MW_COUNT(subs) - 1], guest;
    char name[32];
    open_room(&room);
    for (size_t n = 0; n < MW_COUNT(subs); n++)
        mw_subscriber_init(&subs[n], NULL, 1, &room.party);
    mw_subscriber_init(&guest, NULL, 1, &others);
    for (size_t i = 0; i < MW_BOUND_TOPICS; i++) {
        snprintf(name, sizeof name, "topic %zu", i);
        struct mw_subscriber *sub = &subs[i / MW_BOUND_SUBSCRIPTIONS];
        assert_int_equal(mw_hub_join(&room.hub, sub, mw_view_text(name), NULL, NULL), 1);
    }
    assert_int_equal(mw_hub_join(&room.hub, &guest, mw_view_text("topic 0"), NULL, NULL), 1);
    mw_hub_leave(&room.hub, &subs[0], mw_view_text("topic 0"));
    assert_int_equal(mw_hub_join(&room.hub, last, mw_view_text("one more"), NULL, NULL),
                     MW_ERR_QUOTA);
    assert_int_equal(mw_hub_join(&room.hub, last, mw_view_text("topic 5"), NULL, NULL), 1);
    mw_hub_leave_all(&room.hub, &guest);
    assert_int_equal(mw_hub_join(&room.hub, last, mw_view_text("one more"), NULL, NULL), 1);
    assert_int_equal(room.party.topics, MW_BOUND_TOPICS);
    for (size_t n = 0; n < MW_COUNT(subs); n++)
        mw_hub_leave_all(&room.hub, &subs[n]);
    assert_int_equal(room.party.topics + others.topics, 0);
    close_room(&room);
}

TEST(the_topics_of_a_subscriber_can_be_listed)
{
    static const char *const topics[] = { "x", "y", "z" };
    struct room room;
    struct mw_subscriber a;
    bool seen[MW_COUNT(topics)] = { false };
    open_room(&room);
    mw_subscriber_init(&a, NULL, 1, &room.party);
    assert_int_equal(mw_subscriber_topic(&a, 0).len, 0);
    for (size_t i = 0; i < MW_COUNT(topics); i++)
        join(&room, &a, topics[i]);
    for (size_t n = 0; n < a.count; n++) {
        for (size_t i = 0; i < MW_COUNT(topics); i++)
            seen[i] |= mw_view_is(mw_subscriber_topic(&a, n), topics[i]);
    }
    for (size_t i = 0; i < MW_COUNT(topics); i++)
        assert_true(seen[i]);
    assert_int_equal(mw_subscriber_topic(&a, a.count).len, 0);
    mw_hub_leave_all(&room.hub, &a);
    close_room(&room);
}

/* ---- random use against a naive model ---- */

#define SUBS   40
#define TOPICS 25

struct model {
    struct room room;
    struct mw_subscriber subs[SUBS];
    bool is_in[SUBS][TOPICS];
};

static struct mw_view topic_name(size_t topic, char room[16])
{
    snprintf(room, 16, "topic %zu", topic);
    return mw_view_text(room);
}

/* Each listener of a topic is one of the model's, each once, and there is no other. */
static void check_topic(struct model *model, size_t topic)
{
    char name[16];
    bool heard[SUBS] = { false };
    struct mw_audience audience = mw_hub_audience(&model->room.hub, topic_name(topic, name));
    for (size_t i = 0; i < audience.count; i++) {
        struct mw_subscriber *sub = mw_audience_owner(&audience, i);
        size_t n = (size_t)(sub - model->subs);
        assert_true(model->is_in[n][topic] && !heard[n]);
        heard[n] = true;
    }
    for (size_t n = 0; n < SUBS; n++)
        assert_int_equal(heard[n], model->is_in[n][topic]);
}

static void check_model(struct model *model)
{
    size_t live_topics = 0;
    assert_true(mw_hub_validate(&model->room.hub));
    for (size_t topic = 0; topic < TOPICS; topic++) {
        bool is_live = false;
        for (size_t n = 0; n < SUBS; n++)
            is_live |= model->is_in[n][topic];
        live_topics += is_live;
        check_topic(model, topic);
    }
    assert_int_equal(mw_hub_topic_count(&model->room.hub), live_topics);
    for (size_t n = 0; n < SUBS; n++) {
        uint32_t count = 0;
        for (size_t topic = 0; topic < TOPICS; topic++)
            count += model->is_in[n][topic];
        assert_int_equal(model->subs[n].count, count);
    }
}

static void do_something(struct model *model, struct mw_rng *rng)
{
    char name[16];
    size_t n = mw_rng_below(rng, SUBS), topic = mw_rng_below(rng, TOPICS);
    struct mw_hub *hub = &model->room.hub;
    bool was_in = model->is_in[n][topic];
    switch (mw_rng_below(rng, 20)) {
    case 0:
        mw_hub_leave_all(hub, &model->subs[n]);
        memset(model->is_in[n], 0, sizeof model->is_in[n]);
        break;
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
        assert_int_equal(mw_hub_leave(hub, &model->subs[n], topic_name(topic, name)), was_in);
        model->is_in[n][topic] = false;
        break;
    default:
        assert_int_equal(mw_hub_join(hub, &model->subs[n], topic_name(topic, name), NULL, NULL),
                         !was_in);
        model->is_in[n][topic] = true;
        break;
    }
}

TEST(random_joining_and_leaving_agrees_with_a_naive_model)
{
    static struct model model;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct mw_rng rng;
        mw_rng_seed(&rng, seed);
        model = (struct model){ .is_in = { { false } } };
        open_room(&model.room);
        for (size_t n = 0; n < SUBS; n++)
            mw_subscriber_init(&model.subs[n], &model.subs[n], 1, &model.room.party);
        for (int step = 0; step < 2000; step++) {
            do_something(&model, &rng);
            if (step % 50 == 0)
                check_model(&model);
        }
        check_model(&model);
        for (size_t n = 0; n < SUBS; n++)
            mw_hub_leave_all(&model.room.hub, &model.subs[n]);
        close_room(&model.room);
    }
}

/* ---- memory ---- */

/* Enough topics and members for the table and an array to grow. */
static bool join_many(struct mw_mem *mem)
{
    struct mw_hub hub;
    struct mw_topics store;
    struct mw_hub_party party = { .mem = mem };
    struct mw_subscriber subs[9];
    bool all = true;
    char name[16];
    open_store(&store);
    mw_hub_init(&hub, mem, &store, 0);
    for (size_t n = 0; n < MW_COUNT(subs); n++) {
        mw_subscriber_init(&subs[n], NULL, 1, &party);
        for (size_t topic = 0; topic < 40; topic++) {
            uint32_t before = subs[n].count;
            int result = mw_hub_join(&hub, &subs[n], topic_name(topic, name), NULL, NULL);
            assert_true(result == 1 || result == MW_ERR_NOMEM);
            assert_int_equal(subs[n].count, before + (result == 1));
            all = all && result == 1;
        }
        assert_true(mw_hub_validate(&hub));
    }
    for (size_t n = 0; n < MW_COUNT(subs); n++)
        mw_hub_leave_all(&hub, &subs[n]);
    mw_hub_free(&hub);
    assert_int_equal(mw_topics_free(&store), 0);
    return all;
}

TEST(each_failing_allocation_changes_nothing)
{
    assert_true(fail_each_allocation(join_many) > 400);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(who_joins_hears_and_who_leaves_does_not),
        CASE(a_topic_exists_as_long_as_somebody_is_in_it),
        CASE(a_topic_has_1_to_256_bytes_of_any_kind),
        CASE(topics_of_one_connection_are_bounded),
        CASE(topics_of_one_party_are_bounded),
        CASE(the_topics_of_a_subscriber_can_be_listed),
        CASE(random_joining_and_leaving_agrees_with_a_naive_model),
        CASE(each_failing_allocation_changes_nothing),
    };
    return RUN(cases);
}
