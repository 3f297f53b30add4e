/* The small blocks that a state has given back: whose account they are on, and that none is lost.
 */
#include "lua/spare.h"

#include "tests/unit/unit.h"

struct fixture {
    struct mw_mem mem;
    struct mw_lua_spare spare;
};

/* Whether what state.c tries first is tried at all: all tests hold either way. */
static bool goes_long;

static void *take(struct fixture *f, size_t bytes)
{
    void *got = goes_long ? NULL : mw_lua_spare_take_one(&f->spare, &f->mem, bytes);
    if (got)
        return got;
    return mw_lua_spare_realloc(&f->spare, &f->mem, NULL, 0, bytes);
}

static void give(struct fixture *f, void *block, size_t bytes)
{
    if (!goes_long && mw_lua_spare_keep_one(&f->spare, &f->mem, block, bytes))
        return;
    assert_null(mw_lua_spare_realloc(&f->spare, &f->mem, block, bytes, 0));
}

static void is_empty_at_the_end(struct fixture *f)
{
    mw_lua_spare_free(&f->spare);
    assert_mem_empty(&f->mem);
    assert_mem_empty(&f->spare.mem);
}

TEST(a_size_is_a_multiple_of_the_step_as_far_as_blocks_are_kept)
{
    static const struct {
        size_t bytes, size;
    } rows[] = {
        { 0, 0 }, { 1, 16 }, { 16, 16 }, { 17, 32 }, { 89, 96 }, { 256, 256 }, { 257, 257 },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++)
        assert_int_equal(mw_lua_spare_size(rows[i].bytes), rows[i].size);
}

TEST(a_block_given_back_is_the_next_one_of_its_size)
{
    struct fixture f = { 0 };
    void *first = take(&f, 96);
    give(&f, first, 96);
    void *other = take(&f, 112), *again = take(&f, 96);
    assert_ptr_not_equal(other, first);
    assert_ptr_equal(again, first);
    memset(again, 1, 96);
    give(&f, again, 96);
    give(&f, other, 112);
    is_empty_at_the_end(&f);
}

TEST(what_is_kept_is_not_the_scripts)
{
    struct fixture f = { 0 };
    void *block = take(&f, 96);
    assert_int_equal(f.mem.bytes, 96);
    give(&f, block, 96);
    assert_mem_empty(&f.mem);
    assert_int_equal(f.spare.mem.bytes, 96);
    block = take(&f, 96);
    assert_int_equal(f.mem.bytes, 96);
    assert_mem_empty(&f.spare.mem);
    give(&f, block, 96);
    is_empty_at_the_end(&f);
}

TEST(what_is_kept_is_refused_above_the_cap_as_what_is_fresh)
{
    struct fixture f = { .mem = { .max_bytes = 112 } };
    void *one = take(&f, 48), *two = take(&f, 48);
    give(&f, one, 48);
    void *large = take(&f, 64);
    assert_non_null(large);
    assert_null(take(&f, 48));
    assert_int_equal(f.spare.mem.bytes, 48);
    give(&f, large, 64);
    give(&f, two, 48);
    is_empty_at_the_end(&f);
}

TEST(a_kept_block_can_be_told_to_fail)
{
    struct fixture f = { 0 };
    give(&f, take(&f, 32), 32);
    f.mem.fail_at = f.mem.count + 1;
    assert_null(take(&f, 32));
    assert_int_equal(f.spare.mem.bytes, 32);
    is_empty_at_the_end(&f);
}

TEST(what_is_large_or_too_much_goes_back_to_the_system)
{
    enum { BLOCKS = 2 * MW_LUA_SPARE_BYTES / MW_LUA_SPARE_BLOCK_BYTES };
    struct fixture f = { 0 };
    void *blocks[BLOCKS];
    give(&f, take(&f, 1000), 1000);
    assert_int_equal(f.spare.mem.bytes, 0);
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = take(&f, MW_LUA_SPARE_BLOCK_BYTES);
    for (size_t i = 0; i < BLOCKS; i++)
        give(&f, blocks[i], MW_LUA_SPARE_BLOCK_BYTES);
    assert_int_equal(f.spare.mem.bytes, MW_LUA_SPARE_BYTES);
    is_empty_at_the_end(&f);
}

TEST(the_short_way_is_taken_where_there_is_nothing_to_ask)
{
    struct fixture f = { 0 };
    struct mw_mem parent = { 0 };
    void *block = take(&f, 89 + 7);
    assert_true(mw_lua_spare_keep_one(&f.spare, &f.mem, block, 89));
    assert_null(mw_lua_spare_take_one(&f.spare, &f.mem, 112));
    assert_null(mw_lua_spare_take_one(&f.spare, &f.mem, 0));
    assert_null(mw_lua_spare_take_one(&f.spare, &f.mem, 1000));
    f.mem.parent = &parent;
    assert_null(mw_lua_spare_take_one(&f.spare, &f.mem, 89));
    f.mem.parent = NULL;
    assert_ptr_equal(mw_lua_spare_take_one(&f.spare, &f.mem, 89), block);
    assert_int_equal(f.mem.bytes, 96);
    give(&f, block, 96);
    is_empty_at_the_end(&f);
}

TEST(a_block_that_changes_its_size_keeps_what_is_in_it)
{
    static const size_t sizes[] = { 16, 32, 256, 4000, 128, 128, 16 };
    struct fixture f = { 0 };
    unsigned char *block = take(&f, sizes[0]);
    memset(block, 7, sizes[0]);
    for (size_t i = 1; i < MW_COUNT(sizes); i++) {
        block = mw_lua_spare_realloc(&f.spare, &f.mem, block, sizes[i - 1], sizes[i]);
        assert_int_equal(f.mem.bytes, sizes[i]);
        assert_int_equal(block[15], 7);
    }
    give(&f, block, sizes[MW_COUNT(sizes) - 1]);
    is_empty_at_the_end(&f);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_size_is_a_multiple_of_the_step_as_far_as_blocks_are_kept),
        CASE(a_block_given_back_is_the_next_one_of_its_size),
        CASE(what_is_kept_is_not_the_scripts),
        CASE(what_is_kept_is_refused_above_the_cap_as_what_is_fresh),
        CASE(a_kept_block_can_be_told_to_fail),
        CASE(what_is_large_or_too_much_goes_back_to_the_system),
        CASE(the_short_way_is_taken_where_there_is_nothing_to_ask),
        CASE(a_block_that_changes_its_size_keeps_what_is_in_it),
    };
    int failed = RUN(cases);
    goes_long = true;
    return failed + RUN(cases);
}
