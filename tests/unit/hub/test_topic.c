#include "core/hub/topic.h"

#include <pthread.h>

#include "core/base/rng.h"
#include "tests/unit/hub/house.h"

TEST(with_one_worker_and_no_rule_the_store_is_not_asked)
{
    struct house house;
    struct ear ear;
    open_house(&house, 1, 1 << 20);
    open_ear(&house, &ear, 0, 1);
    assert_false(say(&house, 0, "t", "nobody").is_somewhere);
    listen_to(&ear, "t");
    struct mw_published told = say(&house, 0, "t", "a");
    assert_true(told.is_somewhere);
    assert_int_equal(told.offset, 0);
    assert_int_equal(mw_topics_count(&house.store), 0);
    assert_int_equal(mw_shared_bytes(), 0);
    assert_string_equal(ear.heard, "a");
    go_deaf(&ear);
    close_house(&house);
}

TEST(a_publication_reaches_the_members_of_all_workers_once)
{
    struct house house;
    struct ear ears[6];
    open_house(&house, 3, 1 << 20);
    for (unsigned i = 0; i < MW_COUNT(ears); i++) {
        open_ear(&house, &ears[i], i % 3, i + 1);
        assert_int_equal(listen_to(&ears[i], i == 4 ? "other" : "t"), 1);
    }
    say(&house, 0, "t", "a");
    say(&house, 2, "t", "b");
    say(&house, 1, "t", "c");
    for (unsigned i = 0; i < 3; i++)
        take_and_deliver(&house, i);
    for (unsigned i = 0; i < MW_COUNT(ears); i++) {
        assert_string_equal(ears[i].heard, i == 4 ? "" : "abc");
        go_deaf(&ears[i]);
    }
    close_house(&house);
}

TEST(who_joins_after_a_publication_does_not_get_it_from_the_inbox)
{
    struct house house;
    struct ear first, late;
    open_house(&house, 2, 1 << 20);
    open_ear(&house, &first, 1, 1);
    open_ear(&house, &late, 1, 2);
    listen_to(&first, "t");
    say(&house, 0, "t", "a");
    listen_to(&late, "t"); /* worker 1 has not looked into its inbox yet */
    say(&house, 0, "t", "b");
    take_and_deliver(&house, 1);
    assert_string_equal(first.heard, "ab");
    assert_string_equal(late.heard, "b");
    go_deaf(&first);
    go_deaf(&late);
    close_house(&house);
}

TEST(what_waits_for_a_topic_that_is_gone_reaches_nobody_of_its_next_life)
{
    struct house house;
    struct ear ear;
    open_house(&house, 2, 1 << 20);
    open_ear(&house, &ear, 1, 1);
    listen_to(&ear, "t");
    say(&house, 0, "t", "a");
    go_deaf(&ear);
    assert_int_equal(mw_topics_count(&house.store), 0);
    listen_to(&ear, "t");
    say(&house, 0, "t", "b");
    take_and_deliver(&house, 1);
    assert_string_equal(ear.heard, "b");
    go_deaf(&ear);
    close_house(&house);
}

TEST(an_own_publication_is_delivered_behind_what_came_before_it)
{
    struct house house;
    struct ear ear;
    open_house(&house, 2, 1 << 20);
    open_ear(&house, &ear, 0, 1);
    listen_to(&ear, "t");
    say(&house, 1, "t", "a");
    say(&house, 0, "t", "b");
    assert_string_equal(ear.heard, "ab");
    go_deaf(&ear);
    close_house(&house);
}

TEST(a_full_inbox_refuses_and_nothing_is_published)
{
    struct house house;
    struct ear ear;
    static char large[8 << 20];
    struct mw_published told;
    size_t taken = 0;
    open_house(&house, 2, 1 << 20);
    open_ear(&house, &ear, 1, 1);
    listen_to(&ear, "t");
    while (say_bytes(&house, 0, "t", mw_view(large, sizeof large), &told) == MW_OK)
        taken++;
    assert_in_range(taken, 2, 10);
    assert_int_equal(told.offset, 0);
    take_and_deliver(&house, 1);
    assert_int_equal(say_bytes(&house, 0, "t", mw_view(large, 1), &told), MW_OK);
    assert_int_equal(told.offset, HOUSE_FIRST + 1 + taken + 1);
    go_deaf(&ear);
    close_house(&house);
}

TEST(what_is_left_in_an_inbox_is_dropped_at_the_end)
{
    struct house house;
    struct ear ear;
    open_house(&house, 2, 1 << 20);
    open_ear(&house, &ear, 1, 1);
    listen_to(&ear, "t");
    say(&house, 0, "t", "a");
    go_deaf(&ear);
    close_house(&house);
}

static unsigned wakes;

static void count_wake(void *ctx)
{
    (void)ctx;
    wakes++;
}

TEST(a_worker_is_woken_once_for_all_that_waits)
{
    struct house house;
    struct ear ear;
    open_house(&house, 2, 1 << 20);
    mw_inbox_on_post(&house.store.inboxes[1], count_wake, NULL);
    open_ear(&house, &ear, 1, 1);
    listen_to(&ear, "t");
    wakes = 0;
    for (int i = 0; i < 5; i++)
        say(&house, 0, "t", "a");
    assert_int_equal(wakes, 1);
    take_and_deliver(&house, 1);
    say(&house, 0, "t", "a");
    assert_int_equal(wakes, 2);
    go_deaf(&ear);
    close_house(&house);
}

TEST(a_message_that_crosses_is_one_block_for_all_workers)
{
    struct house house;
    struct ear ears[4];
    static char text[100000];
    struct mw_published told;
    open_house(&house, 4, 1 << 20);
    for (unsigned i = 0; i < 4; i++) {
        open_ear(&house, &ears[i], i, i + 1);
        listen_to(&ears[i], "t");
    }
    assert_int_equal(say_bytes(&house, 0, "t", mw_view(text, sizeof text), &told), MW_OK);
    assert_in_range(mw_shared_bytes(), sizeof text, sizeof text + 1000);
    for (unsigned i = 0; i < 4; i++) {
        take_and_deliver(&house, i);
        go_deaf(&ears[i]);
    }
    assert_int_equal(mw_shared_bytes(), 0);
    close_house(&house);
}

/* ---- threads: the order of a topic is the same in every worker ---- */

#define SAID  1500
#define ROOMS 3

struct actor {
    struct house *house;
    unsigned worker;
    pthread_t thread;
    struct ear ears[ROOMS]; /* always there */
    struct ear guest;       /* comes and goes */
    atomic_uint *running;
};

static const char *const rooms[ROOMS] = { "red", "green", "kept:blue" };

/* One publication is its publisher's letter. */
static void act(struct actor *actor, struct mw_rng *rng)
{
    struct mw_published told;
    char text = (char)('a' + actor->worker);
    const char *room = rooms[mw_rng_below(rng, ROOMS)];
    int err = say_bytes(actor->house, actor->worker, room, mw_view(&text, 1), &told);
    mw_assert(err == MW_OK);
    if (mw_rng_below(rng, 8) == 0) {
        struct mw_topic_replay replay;
        struct mw_topic_wish wish = { .last = 5, .max_bytes = 1000, .now_ms = 1000 };
        const struct mw_join how = { .replay = wish };
        struct mw_hub *hub = &actor->guest.w->hub;
        mw_hub_leave_all(hub, &actor->guest.sub);
        actor->guest.count = 0;
        err = mw_hub_join(hub, &actor->guest.sub, mw_view_text(room), &how, &replay);
        mw_assert(err == 1);
        mw_topic_replay_free(&replay, hub->mem);
    }
    if (mw_rng_below(rng, 16) == 0) {
        struct mw_members members;
        err = mw_hub_members(&actor->guest.w->hub, mw_view_text(room), &members);
        mw_assert(err == MW_OK && members.total >= actor->house->workers);
        mw_members_free(&members, actor->guest.w->hub.mem);
    }
    if (mw_rng_below(rng, 4) == 0)
        take_and_deliver(actor->house, actor->worker);
}

static void *run_actor(void *data)
{
    struct actor *actor = data;
    struct mw_rng rng;
    mw_rng_seed(&rng, actor->worker + 1);
    for (int i = 0; i < SAID; i++)
        act(actor, &rng);
    atomic_fetch_sub(actor->running, 1);
    while (atomic_load(actor->running) > 0)
        take_and_deliver(actor->house, actor->worker);
    take_and_deliver(actor->house, actor->worker);
    return NULL;
}

TEST(every_worker_sees_a_topic_in_the_same_order)
{
    static struct house house;
    static struct actor actors[HOUSE_WORKERS];
    atomic_uint running = HOUSE_WORKERS;
    size_t heard = 0;
    open_house(&house, HOUSE_WORKERS, 1 << 20);
    set_rule(&house, "a.lua", "kept:*", 20, 60);
    for (unsigned i = 0; i < HOUSE_WORKERS; i++) {
        actors[i] = (struct actor){ .house = &house, .worker = i, .running = &running };
        open_ear(&house, &actors[i].guest, i, 100 + i);
        for (unsigned room = 0; room < ROOMS; room++) {
            open_ear(&house, &actors[i].ears[room], i, 10 * room + i + 1);
            listen_to(&actors[i].ears[room], rooms[room]);
        }
    }
    for (unsigned i = 0; i < HOUSE_WORKERS; i++)
        assert_int_equal(pthread_create(&actors[i].thread, NULL, run_actor, &actors[i]), 0);
    for (unsigned i = 0; i < HOUSE_WORKERS; i++)
        assert_int_equal(pthread_join(actors[i].thread, NULL), 0);
    for (unsigned room = 0; room < ROOMS; room++) {
        heard += actors[0].ears[room].count;
        for (unsigned i = 1; i < HOUSE_WORKERS; i++)
            assert_string_equal(actors[i].ears[room].heard, actors[0].ears[room].heard);
    }
    assert_int_equal(heard, HOUSE_WORKERS * SAID);
    for (unsigned i = 0; i < HOUSE_WORKERS; i++) {
        go_deaf(&actors[i].guest);
        for (unsigned room = 0; room < ROOMS; room++)
            go_deaf(&actors[i].ears[room]);
    }
    close_house(&house);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(with_one_worker_and_no_rule_the_store_is_not_asked),
        CASE(a_publication_reaches_the_members_of_all_workers_once),
        CASE(who_joins_after_a_publication_does_not_get_it_from_the_inbox),
        CASE(what_waits_for_a_topic_that_is_gone_reaches_nobody_of_its_next_life),
        CASE(an_own_publication_is_delivered_behind_what_came_before_it),
        CASE(a_full_inbox_refuses_and_nothing_is_published),
        CASE(what_is_left_in_an_inbox_is_dropped_at_the_end),
        CASE(a_worker_is_woken_once_for_all_that_waits),
        CASE(a_message_that_crosses_is_one_block_for_all_workers),
        CASE(every_worker_sees_a_topic_in_the_same_order),
    };
    return RUN(cases);
}
