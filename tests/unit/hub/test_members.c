#include "core/hub/members.h"

#include "core/base/rng.h"
#include "tests/unit/hub/house.h"

static int join_as(struct ear *ear, const char *topic, const char *presence)
{
    struct mw_topic_replay told;
    const struct mw_join how = { .has_presence = true, .presence = mw_view_text(presence) };
    return mw_hub_join(&ear->w->hub, &ear->sub, mw_view_text(topic), &how, &told);
}

TEST(members_of_all_workers_are_sorted_with_what_they_say)
{
    for (unsigned workers = 1; workers <= 3; workers++) {
        struct house house;
        struct ear ears[3];
        struct mw_members members;
        open_house(&house, workers, 1 << 20);
        for (unsigned i = 0; i < 3; i++)
            open_ear(&house, &ears[i], i % workers, 30 - i);
        assert_int_equal(join_as(&ears[0], "t", "{\"name\":\"ann\"}"), 1);
        assert_int_equal(listen_to(&ears[1], "t"), 1);
        assert_int_equal(join_as(&ears[2], "t", "1"), 1);
        assert_int_equal(join_as(&ears[2], "t", "2"), 0); /* it says something else now */
        for (unsigned w = 0; w < workers; w++) {
            assert_int_equal(mw_hub_members(&house.w[w].hub, mw_view_text("t"), &members), MW_OK);
            assert_int_equal(members.count, 3);
            assert_int_equal(members.total, 3);
            for (unsigned i = 0; i < 3; i++)
                assert_int_equal(members.list[i].id, 28 + i);
            assert_view(mw_msg_wire(members.list[0].presence), "2");
            assert_null(members.list[1].presence);
            assert_view(mw_msg_wire(members.list[2].presence), "{\"name\":\"ann\"}");
            mw_members_free(&members, &house.w[w].mem);
        }
        go_deaf(&ears[0]);
        assert_int_equal(mw_hub_members(&house.w[0].hub, mw_view_text("t"), &members), MW_OK);
        assert_int_equal(members.total, 2);
        go_deaf(&ears[1]);
        go_deaf(&ears[2]);
        assert_view(mw_msg_wire(members.list[0].presence), "2"); /* a copy outlives them */
        mw_members_free(&members, &house.w[0].mem);
        assert_int_equal(mw_hub_members(&house.w[0].hub, mw_view_text("t"), &members), MW_OK);
        assert_int_equal(members.total, 0);
        close_house(&house);
    }
}

TEST(of_very_many_the_first_are_listed_and_all_are_counted)
{
    enum { ALL = MW_BOUND_MEMBERS + 2500 };
    static struct mw_subscriber subs[ALL];
    static struct house house;
    struct mw_members members;
    struct mw_rng rng;
    mw_rng_seed(&rng, 1);
    open_house(&house, 2, 1 << 20);
    for (size_t i = 0; i < ALL; i++) {
        struct house_worker *w = &house.w[i % 2];
        mw_id id = (i * 7919) % ALL + 1; /* each number once, in no order */
        mw_subscriber_init(&subs[i], NULL, id, &w->party);
        assert_int_equal(mw_hub_join(&w->hub, &subs[i], mw_view_text("t"), NULL, NULL), 1);
    }
    assert_int_equal(mw_hub_members(&house.w[0].hub, mw_view_text("t"), &members), MW_OK);
    assert_int_equal(members.total, ALL);
    assert_int_equal(members.count, MW_BOUND_MEMBERS);
    for (size_t i = 0; i < members.count; i++)
        assert_int_equal(members.list[i].id, i + 1);
    mw_members_free(&members, &house.w[0].mem);
    for (size_t i = 0; i < ALL; i++)
        mw_hub_leave_all(&house.w[i % 2].hub, &subs[i]);
    close_house(&house);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(members_of_all_workers_are_sorted_with_what_they_say),
        CASE(of_very_many_the_first_are_listed_and_all_are_counted),
    };
    return RUN(cases);
}
