#include "core/base/buf.h"

#include "tests/unit/unit.h"

TEST(what_is_put_is_there_in_order)
{
    struct mw_mem mem;
    struct mw_buf buf;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&buf, &mem, 0);
    assert_int_equal(mw_buf_put(&buf, "ab", 2), MW_OK);
    assert_int_equal(mw_buf_put_view(&buf, mw_view("cd!", 2)), MW_OK);
    assert_int_equal(mw_buf_put_text(&buf, "ef"), MW_OK);
    assert_int_equal(mw_buf_put_byte(&buf, 'g'), MW_OK);
    assert_int_equal(mw_buf_putf(&buf, "[%d %s]", 42, "x"), MW_OK);
    assert_int_equal(mw_buf_put(&buf, NULL, 0), MW_OK);
    assert_view(mw_buf_view(&buf), "abcdefg[42 x]");
    assert_string_equal(mw_buf_cstr(&buf), "abcdefg[42 x]");
    assert_int_equal(buf.len, 13);
    mw_buf_free(&buf);
    mw_buf_free(NULL);
    assert_mem_empty(&mem);
}

TEST(a_zeroed_buffer_needs_only_its_memory)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_buf buf = { .mem = &mem };
    assert_string_equal(mw_buf_cstr(&buf), "");
    assert_int_equal(mw_buf_put_text(&buf, "x"), MW_OK);
    mw_buf_free(&buf);
    assert_int_equal(mw_buf_put_text(&buf, "again"), MW_OK);
    assert_view(mw_buf_view(&buf), "again");
    mw_buf_free(&buf);
    assert_mem_empty(&mem);
}

TEST(skipping_takes_from_the_front)
{
    struct mw_mem mem;
    struct mw_buf buf;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&buf, &mem, 0);
    mw_buf_skip(&buf, 3);
    mw_buf_put_text(&buf, "abcdef");
    mw_buf_skip(&buf, 0);
    mw_buf_skip(&buf, 2);
    assert_view(mw_buf_view(&buf), "cdef");
    mw_buf_skip(&buf, 4);
    assert_view(mw_buf_view(&buf), "");
    mw_buf_put_text(&buf, "x");
    mw_buf_skip(&buf, 99);
    mw_buf_put_text(&buf, "y");
    mw_buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    mw_buf_free(&buf);
    assert_mem_empty(&mem);
}

TEST(the_cap_is_hard_and_a_refused_put_changes_nothing)
{
    struct mw_mem mem;
    struct mw_buf buf;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&buf, &mem, 10);
    assert_int_equal(mw_buf_put_text(&buf, "12345678"), MW_OK);
    assert_int_equal(mw_buf_put_text(&buf, "abc"), MW_ERR_FULL);
    assert_int_equal(mw_buf_putf(&buf, "%s", "abc"), MW_ERR_FULL);
    assert_int_equal(mw_buf_reserve(&buf, 3), MW_ERR_FULL);
    assert_int_equal(mw_buf_reserve(&buf, SIZE_MAX), MW_ERR_FULL);
    assert_view(mw_buf_view(&buf), "12345678");
    assert_int_equal(mw_buf_putf(&buf, "%s", "90"), MW_OK);
    assert_int_equal(mw_buf_put_byte(&buf, '!'), MW_ERR_FULL);
    assert_string_equal(mw_buf_cstr(&buf), "1234567890"); /* the NUL is not counted */
    assert_true(buf.cap <= 11);
    mw_buf_free(&buf);
    assert_mem_empty(&mem);
}

TEST(without_a_cap_an_impossible_size_is_refused)
{
    struct mw_mem mem;
    struct mw_buf buf;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&buf, &mem, 0);
    mw_buf_put_text(&buf, "x");
    assert_int_equal(mw_buf_reserve(&buf, SIZE_MAX), MW_ERR_FULL);
    assert_int_equal(mw_buf_reserve(&buf, SIZE_MAX - 2), MW_ERR_NOMEM);
    assert_view(mw_buf_view(&buf), "x");
    mw_buf_free(&buf);
    assert_mem_empty(&mem);
}

TEST(n_bytes_cost_few_growths)
{
    struct mw_mem mem;
    struct mw_buf buf;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&buf, &mem, 0);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(mw_buf_put_byte(&buf, (char)i), MW_OK);
    assert_true(mem.count <= 12);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buf.data[i], (char)i);
    mw_buf_free(&buf);
    assert_mem_empty(&mem);
}

static bool fill(struct mw_mem *mem)
{
    struct mw_buf buf;
    mw_buf_init(&buf, mem, 0);
    bool got_through = true;
    for (int i = 0; i < 40 && got_through; i++) {
        size_t len = buf.len;
        int err = i % 2 ? mw_buf_putf(&buf, "%040d", i) : mw_buf_put_text(&buf, "0123456789");
        got_through = err == MW_OK;
        if (!got_through) {
            assert_int_equal(err, MW_ERR_NOMEM);
            assert_int_equal(buf.len, len);
            if (len > 0)
                assert_memory_equal(buf.data, "0123456789", 10);
        }
    }
    buf.len = buf.cap;
    got_through = mw_buf_cstr(&buf) && got_through;
    mw_buf_free(&buf);
    return got_through;
}

TEST(each_failing_allocation_leaves_the_buffer_as_it_was)
{
    assert_true(fail_each_allocation(fill) >= 5);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(what_is_put_is_there_in_order),
        CASE(a_zeroed_buffer_needs_only_its_memory),
        CASE(skipping_takes_from_the_front),
        CASE(the_cap_is_hard_and_a_refused_put_changes_nothing),
        CASE(without_a_cap_an_impossible_size_is_refused),
        CASE(n_bytes_cost_few_growths),
        CASE(each_failing_allocation_leaves_the_buffer_as_it_was),
    };
    return RUN(cases);
}
