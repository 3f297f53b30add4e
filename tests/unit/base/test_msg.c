#include "core/base/msg.h"

#include <pthread.h>

#include "tests/unit/unit.h"

static struct mw_msg *make(struct mw_mem *mem, const char *text)
{
    struct mw_msg *msg = mw_msg_new(mem, strlen(text));
    assert_non_null(msg);
    memcpy(mw_msg_payload(msg), text, strlen(text));
    return msg;
}

TEST(header_and_payload_are_one_piece)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    for (size_t head_len = 0; head_len <= MW_MSG_HEAD_ROOM; head_len++) {
        char want[32] = "0123456789";
        struct mw_msg *msg = make(&mem, "payload");
        assert_int_equal(mw_msg_payload_len(msg), 7);
        assert_view(mw_msg_wire(msg), "payload");
        mw_msg_set_head(msg, want, head_len);
        memcpy(want + head_len, "payload", 8);
        assert_view(mw_msg_wire(msg), want);
        mw_msg_drop(msg);
    }
    mw_msg_drop(NULL);
    assert_mem_empty(&mem);
}

TEST(a_message_without_payload_is_a_message)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_msg *msg = mw_msg_new(&mem, 0);
    assert_non_null(msg);
    assert_int_equal(mw_msg_wire(msg).len, 0);
    mw_msg_set_head(msg, "\x81", 1);
    assert_view(mw_msg_wire(msg), "\x81");
    mw_msg_drop(msg);
    assert_mem_empty(&mem);
}

TEST(the_last_holder_frees)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_msg *msg = make(&mem, "x");
    assert_ptr_equal(mw_msg_keep(msg), msg);
    mw_msg_drop(msg);
    assert_view(mw_msg_wire(msg), "x");
    mw_msg_drop(msg);
    assert_mem_empty(&mem);
}

TEST(a_stand_in_shows_what_it_stands_for_and_is_counted_here)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    size_t before = mw_msg_bytes_alive();
    struct mw_msg *msg = make(NULL, "payload");
    mw_msg_set_head(msg, "\x81\x07", 2);
    struct mw_msg *here = mw_msg_stand_in(&mem, msg);
    assert_ptr_equal(mw_msg_wire(here).data, mw_msg_wire(msg).data);
    assert_view(mw_msg_wire(here), "\x81\x07payload");
    assert_memory_equal(mw_msg_payload(here), "payload", 7);
    assert_ptr_equal(mw_msg_mem(here), &mem);
    assert_int_equal(mem.bytes, mw_msg_bytes(here) + 7);
    mw_msg_drop(msg); /* it is held by the other one */
    assert_view(mw_msg_wire(mw_msg_keep(here)), "\x81\x07payload");
    mw_msg_drop(here);
    assert_true(mw_msg_bytes_alive() > before);
    mw_msg_drop(here);
    assert_int_equal(mw_msg_bytes_alive(), before);
    assert_mem_empty(&mem);
    mem.fail_at = mem.count + 1;
    msg = make(NULL, "x");
    assert_null(mw_msg_stand_in(&mem, msg));
    mw_msg_drop(msg);
    assert_int_equal(mw_msg_bytes_alive(), before);
}

TEST(parts_of_a_block_keep_it_and_say_where_they_begin)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_msg *block = make(&mem, "1ab1cd1ef");
    struct mw_msg *one = mw_msg_part(block, 0, 1, 2), *two = mw_msg_part(block, 3, 1, 2);
    struct mw_msg *three = mw_msg_part(block, 6, 1, 2), *alone = make(&mem, "x");
    assert_view(mw_msg_wire(two), "1cd");
    assert_memory_equal(mw_msg_payload(two), "cd", 2);
    assert_ptr_equal(mw_msg_block(two), block);
    assert_ptr_equal(mw_msg_block(alone), alone);
    assert_int_equal(mw_msg_begin(one), 0);
    assert_int_equal(mw_msg_begin(two), 3);
    assert_int_equal(mw_msg_begin(three), 6);
    assert_int_equal(mw_msg_begin(alone), 0);
    mw_msg_drop(block);
    mw_msg_drop(one);
    mw_msg_drop(three);
    assert_view(mw_msg_wire(two), "1cd");
    mem.fail_at = mem.count + 1;
    assert_null(mw_msg_part(mw_msg_block(two), 0, 1, 2));
    mw_msg_drop(two);
    mw_msg_drop(alone);
    assert_mem_empty(&mem);
    block = make(NULL, "1ab"); /* one that crosses threads */
    one = mw_msg_part(block, 0, 1, 2);
    mw_msg_drop(block);
    assert_view(mw_msg_wire(one), "1ab");
    mw_msg_drop(one);
}

TEST(a_copy_of_a_piece_stands_alone)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_msg *block = make(&mem, "1ab1cd1ef");
    struct mw_msg *copy = mw_msg_copy(block, 3, 6);
    mw_msg_drop(block);
    assert_view(mw_msg_wire(copy), "1cd");
    assert_ptr_equal(mw_msg_mem(copy), &mem);
    mem.fail_at = mem.count + 1;
    assert_null(mw_msg_copy(copy, 0, 1));
    mw_msg_drop(copy);
    assert_mem_empty(&mem);
}

TEST(holders_share_what_a_message_takes)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_msg *msg = make(&mem, "one of several");
    assert_int_equal(mw_msg_share(msg), mem.bytes);
    mw_msg_keep(msg);
    assert_int_equal(mw_msg_share(msg), mem.bytes / 2);
    mw_msg_drop(msg);
    assert_int_equal(mw_msg_share(msg), mem.bytes);
    mw_msg_drop(msg);
    assert_mem_empty(&mem);
}

TEST(no_memory_and_impossible_lengths_give_null)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 64);
    assert_null(mw_msg_new(&mem, 64));
    assert_null(mw_msg_new(&mem, SIZE_MAX));
    assert_null(mw_msg_new(NULL, SIZE_MAX - 20));
    mem.max_bytes = 0;
    mem.fail_at = mem.count + 1;
    assert_null(mw_msg_new(&mem, 1));
    assert_mem_empty(&mem);
}

static bool make_two(struct mw_mem *mem)
{
    struct mw_msg *a = mw_msg_new(mem, 10), *b = mw_msg_new(mem, 2000);
    bool got_through = a && b;
    mw_msg_drop(a);
    mw_msg_drop(b);
    return got_through;
}

TEST(each_failing_allocation_leaves_nothing)
{
    assert_int_equal(fail_each_allocation(make_two), 2);
}

static void *read_and_drop(void *data)
{
    struct mw_msg *msg = data;
    for (int i = 0; i < 5000; i++) {
        struct mw_msg *mine = mw_msg_keep(msg);
        if (mw_msg_wire(mine).data[0] != 'h')
            return data;
        mw_msg_drop(mine);
    }
    mw_msg_drop(msg);
    return NULL;
}

TEST(a_message_without_owner_crosses_threads)
{
    assert_int_equal(mw_msg_bytes_alive(), 0);
    struct mw_msg *msg = make(NULL, "hello");
    assert_true(mw_msg_bytes_alive() >= 5 + MW_MSG_HEAD_ROOM);
    pthread_t threads[4];
    for (unsigned i = 0; i < MW_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_and_drop, mw_msg_keep(msg)), 0);
    mw_msg_drop(msg);
    for (unsigned i = 0; i < MW_COUNT(threads); i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(mw_msg_bytes_alive(), 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(header_and_payload_are_one_piece),
        CASE(a_message_without_payload_is_a_message),
        CASE(the_last_holder_frees),
        CASE(a_stand_in_shows_what_it_stands_for_and_is_counted_here),
        CASE(parts_of_a_block_keep_it_and_say_where_they_begin),
        CASE(a_copy_of_a_piece_stands_alone),
        CASE(holders_share_what_a_message_takes),
        CASE(no_memory_and_impossible_lengths_give_null),
        CASE(each_failing_allocation_leaves_nothing),
        CASE(a_message_without_owner_crosses_threads),
    };
    return RUN(cases);
}
