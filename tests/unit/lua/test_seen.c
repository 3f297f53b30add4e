/* The set of addresses. */
#include "lua/seen.h"

#include "tests/unit/unit.h"

static char objects[5000][16];

static bool add_all(struct mw_mem *mem)
{
    struct mw_lua_seen seen = { 0 };
    bool is_full = true;
    for (size_t i = 0; i < MW_COUNT(objects) && is_full; i++) {
        int added = mw_lua_seen_add(&seen, mem, objects[i]);
        assert_true(added == 1 || added == MW_ERR_NOMEM);
        is_full = added == 1;
        for (size_t k = i - i % 997; is_full && k <= i; k++)
            assert_int_equal(mw_lua_seen_add(&seen, mem, objects[k]), 0);
    }
    mw_lua_seen_free(&seen, mem);
    assert_int_equal(seen.count, 0);
    return is_full;
}

TEST(each_object_is_new_once_whichever_allocation_fails)
{
    assert_in_range(fail_each_allocation(add_all), 5, 20);
}

TEST(an_emptied_set_knows_nothing)
{
    struct mw_mem mem;
    struct mw_lua_seen seen = { 0 };
    mw_mem_init(&mem, NULL, 0);
    mw_lua_seen_free(&seen, &mem);
    assert_int_equal(mw_lua_seen_add(&seen, &mem, objects[1]), 1);
    mw_lua_seen_free(&seen, &mem);
    assert_int_equal(mw_lua_seen_add(&seen, &mem, objects[1]), 1);
    mw_lua_seen_free(&seen, &mem);
    assert_mem_empty(&mem);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_object_is_new_once_whichever_allocation_fails),
        CASE(an_emptied_set_knows_nothing),
    };
    return RUN(cases);
}
