#include "tests/unit/unit.h"

#include <pthread.h>

TEST(bytes_and_blocks_are_counted_and_given_back)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    void *a = mw_alloc(&mem, 100);
    void *b = mw_alloc_zero(&mem, 50);
    assert_int_equal(mem.bytes, 150);
    assert_int_equal(mem.blocks, 2);
    mw_free(&mem, a, 100);
    assert_int_equal(mem.bytes, 50);
    assert_false(mw_mem_is_empty(&mem));
    mw_free(&mem, b, 50);
    mw_free(&mem, NULL, 50);
    assert_mem_empty(&mem);
    assert_true(mw_mem_is_empty(&mem));
    assert_int_equal(mem.peak, 150);
    assert_int_equal(mem.count, 2);
}

TEST(no_bytes_and_impossible_bytes_give_null)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    assert_null(mw_alloc(&mem, 0));
    assert_null(mw_alloc_zero(&mem, 0));
    assert_null(mw_realloc(&mem, NULL, 0, 0));
    assert_null(mw_alloc(&mem, SIZE_MAX));
    assert_null(mw_shared_alloc(0));
    assert_null(mw_shared_alloc(SIZE_MAX));
    assert_mem_empty(&mem);
}

TEST(cleared_memory_is_cleared)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    char *dirty = mw_alloc(&mem, 256);
    memset(dirty, 0xAA, 256);
    mw_free(&mem, dirty, 256);
    char *clean = mw_alloc_zero(&mem, 256);
    for (int i = 0; i < 256; i++)
        assert_int_equal(clean[i], 0);
    mw_free(&mem, clean, 256);
    assert_mem_empty(&mem);
}

TEST(only_the_allocation_with_the_number_fails)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    mem.fail_at = 2;
    void *first = mw_alloc(&mem, 8);
    assert_non_null(first);
    assert_null(mw_alloc(&mem, 8));
    void *third = mw_alloc(&mem, 8);
    assert_non_null(third);
    mw_free(&mem, first, 8);
    mw_free(&mem, third, 8);
    assert_mem_empty(&mem);
}

TEST(every_later_allocation_fails_where_told_so)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    mem.fail_at = 2;
    mem.fail_after = true;
    void *first = mw_alloc(&mem, 8);
    assert_non_null(first);
    assert_null(mw_alloc(&mem, 8));
    assert_null(mw_alloc_zero(&mem, 8));
    assert_null(mw_realloc(&mem, first, 8, 9));
    mw_free(&mem, first, 8);
    assert_mem_empty(&mem);
}

TEST(the_cap_is_reached_and_never_passed)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 100);
    void *most = mw_alloc(&mem, 60);
    assert_null(mw_alloc(&mem, 41));
    assert_null(mw_realloc(&mem, most, 60, 101));
    void *rest = mw_alloc(&mem, 40);
    assert_non_null(rest);
    assert_null(mw_alloc(&mem, 1));
    assert_int_equal(mem.peak, 100);
    mw_free(&mem, most, 60);
    mw_free(&mem, rest, 40);
    assert_mem_empty(&mem);
}

TEST(shrinking_works_even_above_the_cap)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 100);
    void *block = mw_alloc(&mem, 100);
    mem.max_bytes = 10;
    mem.fail_at = 1;
    mem.fail_after = true;
    block = mw_realloc(&mem, block, 100, 50);
    assert_non_null(block);
    assert_int_equal(mem.bytes, 50);
    assert_null(mw_realloc(&mem, block, 50, 0));
    assert_mem_empty(&mem);
}

TEST(a_refused_growth_leaves_the_block_untouched)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    char *block = mw_realloc(&mem, NULL, 0, 4);
    memcpy(block, "abc", 4);
    mem.fail_at = 2;
    assert_null(mw_realloc(&mem, block, 4, 4000));
    assert_string_equal(block, "abc");
    assert_int_equal(mem.bytes, 4);
    block = mw_realloc(&mem, block, 4, 4000);
    assert_string_equal(block, "abc");
    assert_int_equal(mem.bytes, 4000);
    assert_int_equal(mem.blocks, 1);
    mw_free(&mem, block, 4000);
    assert_mem_empty(&mem);
}

TEST(a_parent_counts_caps_and_fails_for_all_its_children)
{
    struct mw_mem root, left, right;
    mw_mem_init(&root, NULL, 100);
    mw_mem_init(&left, &root, 0);
    mw_mem_init(&right, &root, 30);
    void *a = mw_alloc(&left, 70);
    assert_null(mw_alloc(&right, 31)); /* its own cap */
    void *b = mw_alloc(&right, 30);
    assert_null(mw_alloc(&left, 1)); /* the parent's */
    assert_int_equal(root.bytes, 100);
    assert_int_equal(left.bytes, 70);
    assert_int_equal(right.bytes, 30);
    mw_free(&left, a, 70);
    root.fail_at = root.count + 1;
    assert_null(mw_alloc(&left, 1));
    assert_int_equal(left.bytes, 0);
    mw_free(&right, b, 30);
    assert_mem_empty(&root);
    assert_mem_empty(&left);
    assert_mem_empty(&right);
    assert_int_equal(root.peak, 100);
}

TEST(what_is_lent_counts_below_its_owner_only)
{
    struct mw_mem root, owner, middle, leaf;
    mw_mem_init(&root, NULL, 0);
    mw_mem_init(&owner, &root, 0);
    mw_mem_init(&middle, &owner, 0);
    mw_mem_init(&leaf, &middle, 0);
    char *block = mw_alloc(&owner, 100);
    assert_non_null(block);
    mw_mem_lend(&leaf, &owner, 100);
    assert_int_equal(leaf.bytes, 100);
    assert_int_equal(middle.bytes, 100);
    assert_int_equal(owner.bytes, 100);
    assert_int_equal(root.blocks, 1);
    mw_mem_lend(&owner, &owner, 100); /* to itself: nothing to do */
    assert_int_equal(owner.bytes, 100);
    mw_free(&leaf, block, 100); /* whoever has it may free it */
    assert_mem_empty(&leaf);
    assert_mem_empty(&root);
    block = mw_alloc(&leaf, 100);
    mw_mem_hand_back(&leaf, &owner, 100);
    assert_mem_empty(&middle);
    assert_int_equal(owner.bytes, 100);
    mw_free(&owner, block, 100);
    assert_mem_empty(&root);
}

TEST(a_copy_ends_in_a_nul)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    char *copy = mw_mem_copy(&mem, mw_view("hello world", 5));
    assert_string_equal(copy, "hello");
    mw_free(&mem, copy, 6);
    copy = mw_mem_copy(&mem, mw_view(NULL, 0));
    assert_string_equal(copy, "");
    mw_free(&mem, copy, 1);
    mem.fail_at = mem.count + 1;
    assert_null(mw_mem_copy(&mem, mw_view_text("x")));
    assert_mem_empty(&mem);
}

static void *take_and_give_shared_blocks(void *unused)
{
    for (size_t i = 1; i < 2000; i++)
        mw_shared_free(mw_shared_alloc(i % 64 + 1), i % 64 + 1);
    return unused;
}

TEST(shared_bytes_add_up_over_threads)
{
    size_t before = mw_shared_bytes();
    void *held = mw_shared_alloc(123);
    pthread_t threads[4];
    for (unsigned i = 0; i < MW_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give_shared_blocks, NULL), 0);
    for (unsigned i = 0; i < MW_COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(mw_shared_bytes(), before + 123);
    mw_shared_free(held, 123);
    mw_shared_free(NULL, 5);
    assert_int_equal(mw_shared_bytes(), before);
}

TEST(blocks_go_from_one_owner_to_another_as_they_are)
{
    struct mw_mem from, to;
    size_t before = mw_shared_bytes();
    mw_mem_init(&from, NULL, 0);
    mw_mem_init(&to, NULL, 0);
    void *block = mw_alloc(&from, 100), *other = mw_alloc(&from, 23);
    mw_mem_send(&from, 123, 2);
    assert_mem_empty(&from);
    assert_int_equal(mw_shared_bytes(), before + 123);
    to.fail_at = 1;
    assert_false(mw_mem_take(&to, 123, 2));
    assert_int_equal(mw_shared_bytes(), before + 123);
    assert_true(mw_mem_take(&to, 123, 2));
    assert_int_equal(mw_shared_bytes(), before);
    mw_free(&to, block, 100);
    mw_free(&to, other, 23);
    assert_mem_empty(&to);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(bytes_and_blocks_are_counted_and_given_back),
        CASE(no_bytes_and_impossible_bytes_give_null),
        CASE(cleared_memory_is_cleared),
        CASE(only_the_allocation_with_the_number_fails),
        CASE(every_later_allocation_fails_where_told_so),
        CASE(the_cap_is_reached_and_never_passed),
        CASE(shrinking_works_even_above_the_cap),
        CASE(a_refused_growth_leaves_the_block_untouched),
        CASE(a_parent_counts_caps_and_fails_for_all_its_children),
        CASE(what_is_lent_counts_below_its_owner_only),
        CASE(a_copy_ends_in_a_nul),
        CASE(shared_bytes_add_up_over_threads),
        CASE(blocks_go_from_one_owner_to_another_as_they_are),
    };
    return RUN(cases);
}
