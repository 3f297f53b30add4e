#include "core/base/slot.h"

#include "core/base/rng.h"
#include "tests/unit/unit.h"

TEST(an_id_leads_to_its_object_until_it_is_removed)
{
    struct mw_mem mem;
    struct mw_slots table;
    int a, b;
    mw_mem_init(&mem, NULL, 0);
    mw_slots_init(&table, &mem, 3);
    mw_id id_a = mw_slots_add(&table, &a), id_b = mw_slots_add(&table, &b);
    assert_true(id_a != 0 && id_b != 0 && id_a != id_b);
    assert_int_equal(id_a >> 56, 3);
    assert_ptr_equal(mw_slots_get(&table, id_a), &a);
    assert_ptr_equal(mw_slots_get(&table, id_b), &b);
    assert_int_equal(mw_slots_count(&table), 2);
    mw_slots_remove(&table, id_a);
    assert_null(mw_slots_get(&table, id_a));
    assert_int_equal(mw_slots_count(&table), 1);
    mw_slots_free(&table);
    mw_slots_free(&table);
    mw_slots_free(NULL);
    assert_null(mw_slots_get(&table, id_b));
    assert_mem_empty(&mem);
}

TEST(a_stale_id_finds_nothing_and_removes_nothing)
{
    struct mw_mem mem;
    struct mw_slots table;
    int old, new;
    mw_mem_init(&mem, NULL, 0);
    mw_slots_init(&table, &mem, 0);
    mw_id stale = mw_slots_add(&table, &old);
    mw_slots_remove(&table, stale);
    mw_id id = mw_slots_add(&table, &new);
    assert_int_equal((uint32_t)id, (uint32_t)stale); /* the same slot */
    assert_true(id != stale);
    assert_null(mw_slots_get(&table, stale));
    mw_slots_remove(&table, stale);
    assert_ptr_equal(mw_slots_get(&table, id), &new);
    mw_slots_free(&table);
    assert_mem_empty(&mem);
}

TEST(nonsense_ids_find_nothing)
{
    struct mw_mem mem;
    struct mw_slots table;
    int object;
    mw_mem_init(&mem, NULL, 0);
    mw_slots_init(&table, &mem, 1);
    assert_null(mw_slots_get(&table, 0));
    assert_true(mw_slots_next(&table, 0) == 0);
    mw_id id = mw_slots_add(&table, &object);
    const mw_id nonsense[] = {
        0,
        UINT64_MAX,
        id + 1,
        id ^ UINT64_C(1) << 56,
        id ^ UINT64_C(1) << 33,
        1,
        id | 0xFFFFFFFF,
        (id & UINT64_C(0xFF000000FFFFFFFF)),
    };
    for (size_t i = 0; i < MW_COUNT(nonsense); i++) {
        assert_null(mw_slots_get(&table, nonsense[i]));
        mw_slots_remove(&table, nonsense[i]);
    }
    assert_int_equal(mw_slots_count(&table), 1);
    assert_ptr_equal(mw_slots_get(&table, id), &object);
    mw_slots_free(&table);
    assert_mem_empty(&mem);
}

TEST(a_slot_that_has_used_up_its_generations_is_retired)
{
    struct mw_mem mem;
    struct mw_slots table;
    int object;
    mw_mem_init(&mem, NULL, 0);
    mw_slots_init(&table, &mem, 0);
    mw_id first = mw_slots_add(&table, &object), last = first;
    for (uint32_t i = 1; i < 0xFFFFFF; i++) {
        mw_slots_remove(&table, last);
        last = mw_slots_add(&table, &object);
    }
    assert_int_equal((uint32_t)last, (uint32_t)first);
    assert_int_equal(last >> 32, 0xFFFFFF);
    mw_slots_remove(&table, last);
    assert_null(mw_slots_get(&table, last));
    mw_id next = mw_slots_add(&table, &object);
    assert_int_not_equal((uint32_t)next, (uint32_t)first);
    assert_null(mw_slots_get(&table, first));
    assert_int_equal(mw_slots_count(&table), 1);
    mw_slots_free(&table);
    assert_mem_empty(&mem);
}

/* From the one before the last on: the ids run round and never come twice. */
TEST(generations_run_round_from_where_they_begin)
{
    struct mw_mem mem;
    struct mw_slots table;
    int object;
    mw_mem_init(&mem, NULL, 0);
    mw_slots_init(&table, &mem, 7);
    mw_slots_begin_at(&table, 0xFFFFFD);
    mw_id first = mw_slots_add(&table, &object), id = first;
    assert_int_equal(first >> 32, 0x07FFFFFE);
    static const uint32_t next[] = { 0x07FFFFFF, 0x07000001, 0x07000002 };
    for (size_t i = 0; i < MW_COUNT(next); i++) {
        mw_id last = id;
        assert_false(mw_slots_had(&table, (mw_id)next[i] << 32));
        mw_slots_remove(&table, last);
        id = mw_slots_add(&table, &object);
        assert_int_equal(id >> 32, next[i]);
        assert_null(mw_slots_get(&table, last));
        assert_true(mw_slots_had(&table, last) && mw_slots_had(&table, id));
    }
    for (uint32_t i = 4; i < 0xFFFFFF; i++) {
        mw_slots_remove(&table, id);
        id = mw_slots_add(&table, &object);
    }
    assert_int_equal(id >> 32, 0x07FFFFFD);
    mw_slots_remove(&table, id); /* after it would come the first one */
    assert_int_not_equal((uint32_t)mw_slots_add(&table, &object), (uint32_t)first);
    assert_null(mw_slots_get(&table, first));
    assert_true(mw_slots_had(&table, first));
    mw_slots_free(&table);
    assert_mem_empty(&mem);
}

TEST(no_place_to_begin_makes_an_id_of_0)
{
    static const uint32_t chances[] = { 0, 1, 0xFFFFFE, 0xFFFFFF, 0x1000000, UINT32_MAX };
    for (size_t i = 0; i < MW_COUNT(chances); i++) {
        struct mw_mem mem;
        struct mw_slots table;
        int object;
        mw_mem_init(&mem, NULL, 0);
        mw_slots_init(&table, &mem, 0);
        mw_slots_begin_at(&table, chances[i]);
        mw_id id = mw_slots_add(&table, &object);
        assert_true(id >> 32 > 0 && id >> 32 <= 0xFFFFFF);
        assert_ptr_equal(mw_slots_get(&table, id), &object);
        mw_slots_free(&table);
        assert_mem_empty(&mem);
    }
}

TEST(an_id_of_an_earlier_run_is_nonsense)
{
    struct mw_mem mem;
    struct mw_slots before, after;
    int object;
    mw_mem_init(&mem, NULL, 0);
    mw_slots_init(&before, &mem, 0);
    mw_slots_init(&after, &mem, 0);
    mw_slots_begin_at(&before, 123456);
    mw_slots_begin_at(&after, 7654321);
    mw_id old = mw_slots_add(&before, &object);
    mw_slots_remove(&before, old);
    for (int i = 0; i < 1000; i++)
        mw_slots_remove(&after, mw_slots_add(&after, &object));
    assert_true(mw_slots_had(&before, old));
    assert_false(mw_slots_had(&after, old));
    mw_slots_free(&before);
    mw_slots_free(&after);
    assert_mem_empty(&mem);
}

TEST(walking_meets_each_live_id_once_also_while_they_change)
{
    struct mw_mem mem;
    struct mw_slots table;
    int objects[40];
    mw_id ids[40];
    mw_mem_init(&mem, NULL, 0);
    mw_slots_init(&table, &mem, 0);
    for (size_t i = 0; i < MW_COUNT(objects); i++)
        ids[i] = mw_slots_add(&table, &objects[i]);
    for (size_t i = 0; i < MW_COUNT(objects); i += 3)
        mw_slots_remove(&table, ids[i]);
    size_t met = 0;
    for (mw_id id = mw_slots_next(&table, 0); id; id = mw_slots_next(&table, id)) {
        while (met % 3 == 0)
            met++;
        assert_true(id == ids[met]);
        mw_slots_remove(&table, id); /* a removed id is a place to go on from */
        met++;
    }
    assert_true(met >= 39);
    assert_int_equal(mw_slots_count(&table), 0);
    mw_slots_free(&table);
    assert_mem_empty(&mem);
}

TEST(random_adding_and_removing_agrees_with_a_plain_array)
{
    struct mw_mem mem;
    struct mw_slots table;
    struct mw_rng rng;
    static struct {
        mw_id id;
        char object;
        bool live;
    } model[3000];
    size_t made = 0, live = 0;
    mw_mem_init(&mem, NULL, 0);
    mw_slots_init(&table, &mem, 200);
    mw_rng_seed(&rng, 11);
    while (made < MW_COUNT(model)) {
        if (mw_rng_below(&rng, 3) > 0) {
            model[made].id = mw_slots_add(&table, &model[made].object);
            model[made++].live = true;
            live++;
        } else if (made > 0) {
            size_t victim = mw_rng_below(&rng, made);
            mw_slots_remove(&table, model[victim].id);
            live -= model[victim].live;
            model[victim].live = false;
        }
        assert_int_equal(mw_slots_count(&table), live);
    }
    for (size_t i = 0; i < made; i++)
        assert_ptr_equal(mw_slots_get(&table, model[i].id),
                         model[i].live ? &model[i].object : NULL);
    mw_slots_free(&table);
    assert_mem_empty(&mem);
}

static bool add_many(struct mw_mem *mem)
{
    struct mw_slots table;
    int objects[100];
    mw_id ids[100];
    size_t made = 0;
    mw_slots_init(&table, mem, 0);
    while (made < MW_COUNT(objects) && (ids[made] = mw_slots_add(&table, &objects[made])) != 0)
        made++;
    bool got_through = made == MW_COUNT(objects);
    assert_int_equal(mw_slots_count(&table), made);
    for (size_t i = 0; i < made; i++)
        assert_ptr_equal(mw_slots_get(&table, ids[i]), &objects[i]);
    mw_slots_free(&table);
    return got_through;
}

TEST(an_id_that_was_given_once_is_told_from_nonsense)
{
    struct mw_mem mem;
    struct mw_slots table;
    int object;
    mw_mem_init(&mem, NULL, 0);
    mw_slots_init(&table, &mem, 1);
    mw_id id = mw_slots_add(&table, &object);
    assert_true(mw_slots_had(&table, id));
    assert_false(mw_slots_had(&table, id + 1));                /* a slot that was never used */
    assert_false(mw_slots_had(&table, id + ((mw_id)1 << 32))); /* not yet */
    assert_false(mw_slots_had(&table, id ^ ((mw_id)1 << 56))); /* another worker's */
    assert_false(mw_slots_had(&table, 0));
    assert_false(mw_slots_had(&table, UINT64_MAX));
    mw_slots_remove(&table, id);
    assert_true(mw_slots_had(&table, id));
    mw_slots_free(&table);
    assert_mem_empty(&mem);
}

TEST(each_failing_allocation_leaves_the_table_as_it_was)
{
    assert_true(fail_each_allocation(add_many) >= 3);
}

TEST(what_the_table_has_grown_by_is_left_alone_until_it_is_used)
{
    struct mw_mem mem;
    struct mw_slots table;
    mw_id ids[17];
    mw_mem_init(&mem, NULL, 0);
    mw_slots_init(&table, &mem, 0);
    for (size_t i = 0; i < MW_COUNT(ids); i++)
        ids[i] = mw_slots_add(&table, &table);
    assert_int_equal(table.cap, 32);
    assert_int_equal(table.fresh, 17);
    assert_false(mw_slots_had(&table, ids[16] + 1));
    assert_true(mw_slots_next(&table, ids[16]) == 0);
    mw_slots_remove(&table, ids[3]);
    assert_int_equal((uint32_t)mw_slots_add(&table, &table), 3); /* who was used goes first */
    assert_int_equal((uint32_t)mw_slots_add(&table, &table), 17);
    assert_int_equal(table.fresh, 18);
    mw_slots_free(&table);
    assert_mem_empty(&mem);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_id_leads_to_its_object_until_it_is_removed),
        CASE(a_stale_id_finds_nothing_and_removes_nothing),
        CASE(nonsense_ids_find_nothing),
        CASE(a_slot_that_has_used_up_its_generations_is_retired),
        CASE(generations_run_round_from_where_they_begin),
        CASE(no_place_to_begin_makes_an_id_of_0),
        CASE(an_id_of_an_earlier_run_is_nonsense),
        CASE(walking_meets_each_live_id_once_also_while_they_change),
        CASE(random_adding_and_removing_agrees_with_a_plain_array),
        CASE(what_the_table_has_grown_by_is_left_alone_until_it_is_used),
        CASE(an_id_that_was_given_once_is_told_from_nonsense),
        CASE(each_failing_allocation_leaves_the_table_as_it_was),
    };
    return RUN(cases);
}
