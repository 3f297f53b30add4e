#include "core/base/msg_twins.h"

#include <pthread.h>

#include "tests/unit/unit.h"

static struct mw_msg *make(const char *text)
{
    struct mw_msg *msg = mw_msg_new(NULL, strlen(text));
    assert_non_null(msg);
    memcpy(mw_msg_payload(msg), text, strlen(text));
    return msg;
}

TEST(the_first_packed_form_stays)
{
    struct mw_msg_twins twins;
    mw_msg_twins_init(&twins, make("plain"));
    assert_null(mw_msg_twins_packed(&twins));
    struct mw_msg *first = make("first");
    assert_ptr_equal(mw_msg_twins_put(&twins, first), first);
    assert_ptr_equal(mw_msg_twins_put(&twins, make("second")), first);
    assert_ptr_equal(mw_msg_twins_packed(&twins), first);
    mw_msg_twins_free(&twins);
    assert_int_equal(mw_msg_bytes_alive(), 0);
}

TEST(what_does_not_shrink_is_its_own_twin)
{
    struct mw_msg_twins twins;
    mw_msg_twins_init(&twins, make("plain"));
    assert_ptr_equal(mw_msg_twins_put(&twins, mw_msg_keep(twins.plain)), twins.plain);
    mw_msg_twins_free(&twins);
    assert_int_equal(mw_msg_bytes_alive(), 0);
}

struct race {
    struct mw_msg_twins twins;
    struct mw_msg *seen[4];
};

struct runner {
    struct race *race;
    size_t number;
};

static void *put_one(void *data)
{
    struct runner *runner = data;
    struct race *race = runner->race;
    race->seen[runner->number] = mw_msg_twins_put(&race->twins, make("packed"));
    return mw_msg_wire(race->seen[runner->number]).data[0] == 'p' ? NULL : data;
}

TEST(threads_that_pack_at_once_share_one)
{
    for (int round = 0; round < 200; round++) {
        struct race race;
        struct runner runners[MW_COUNT(race.seen)];
        pthread_t threads[MW_COUNT(race.seen)];
        void *failed;
        mw_msg_twins_init(&race.twins, make("plain"));
        for (size_t i = 0; i < MW_COUNT(threads); i++) {
            runners[i] = (struct runner){ &race, i };
            assert_int_equal(pthread_create(&threads[i], NULL, put_one, &runners[i]), 0);
        }
        for (size_t i = 0; i < MW_COUNT(threads); i++) {
            assert_int_equal(pthread_join(threads[i], &failed), 0);
            assert_null(failed);
        }
        for (size_t i = 0; i < MW_COUNT(threads); i++)
            assert_ptr_equal(race.seen[i], mw_msg_twins_packed(&race.twins));
        mw_msg_twins_free(&race.twins);
    }
    assert_int_equal(mw_msg_bytes_alive(), 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_first_packed_form_stays),
        CASE(what_does_not_shrink_is_its_own_twin),
        CASE(threads_that_pack_at_once_share_one),
    };
    return RUN(cases);
}
