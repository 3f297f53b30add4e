#include "core/bench/check.h"

#include <stdio.h>

#include "core/base/str.h"
#include "tests/unit/unit.h"

static struct mw_mem mem;
static struct mw_bench_tape tape;
static struct mw_bench_check check;
static struct mw_buf wire; /* what the server says */
static char why[MW_BENCH_WHY_MAX];
static unsigned controls;

static void begin(enum mw_bench_body body, size_t bytes)
{
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_bench_tape_init(&tape, &mem, body, bytes, false), MW_OK);
    mw_bench_check_init(&check, &tape, &mem, 3);
    mw_buf_init(&wire, &mem, 0);
    why[0] = '\0';
    controls = 0;
}

static void end(void)
{
    mw_bench_check_free(&check);
    mw_bench_tape_free(&tape);
    mw_buf_free(&wire);
    assert_mem_empty(&mem);
}

static void put(const void *bytes, size_t len)
{
    assert_int_equal(mw_buf_put(&wire, bytes, len), MW_OK);
}

static void put_frame(uint8_t first_byte, struct mw_view payload)
{
    uint8_t head[MW_FRAME_HEAD_MAX];
    size_t len = mw_frame_encode(head, MW_OPCODE_TEXT, true, payload.len, NULL);
    head[0] = first_byte;
    put(head, len);
    if (payload.len)
        put(payload.data, payload.len);
}

static struct mw_view due(uint64_t number)
{
    return mw_bench_tape_message(&tape, 3 + number);
}

static void put_answer(uint64_t number)
{
    put_frame(0x81, due(number));
}

/* Gives all of `wire` in pieces of `cut` bytes. MW_OK, or what the check said. */
static int hear(uint64_t sent, size_t cut)
{
    for (size_t at = 0; at < wire.len; at += cut) {
        size_t len = wire.len - at < cut ? wire.len - at : cut;
        struct mw_view rest = mw_view(wire.data + at, len);
        struct mw_bench_piece piece;
        int step;
        while ((step = mw_bench_check_take(&check, sent, &rest, &piece, why)) > 0)
            controls++;
        if (step < 0)
            return step;
        assert_int_equal(rest.len, 0);
    }
    return MW_OK;
}

static const size_t sizes[] = { 0, 1, 64, 200, 3000 };

TEST(right_answers_are_counted_however_they_are_cut)
{
    for (size_t i = 0; i < MW_COUNT(sizes); i++) {
        for (size_t cut = 1; cut < 8000; cut += 1 + cut / 3) {
            begin(MW_BENCH_BODY_text, sizes[i]);
            for (uint64_t number = 0; number < 20; number++)
                put_answer(number);
            assert_int_equal(hear(20, cut), MW_OK);
            assert_int_equal(check.got, 20);
            end();
        }
    }
}

TEST(pings_between_answers_are_handed_out)
{
    for (size_t cut = 1; cut < 600; cut += 1 + cut / 3) {
        begin(MW_BENCH_BODY_text, 64);
        put_frame(0x89, mw_view("early", 5));
        for (uint64_t number = 0; number < 6; number++) {
            put_answer(number);
            put_frame(0x89, mw_view("", 0));
        }
        assert_int_equal(hear(6, cut), MW_OK);
        assert_int_equal(check.got, 6);
        assert_int_equal(controls, 7);
        end();
    }
}

/* Any byte of the second of three answers, the head included. */
TEST(a_flipped_byte_is_found_wherever_it_is)
{
    for (size_t i = 1; i < MW_COUNT(sizes); i++) {
        size_t step = sizes[i] < 500 ? 1 : 97;
        for (size_t at = 0; at < sizes[i] + 2; at += step) {
            begin(MW_BENCH_BODY_text, sizes[i]);
            put_answer(0);
            size_t from = wire.len;
            put_answer(1);
            put_answer(2);
            wire.data[from + at] ^= 1;
            assert_int_equal(hear(3, 1000), MW_ERR_PROTOCOL);
            assert_int_equal(check.got, 1);
            assert_true(*why);
            end();
        }
    }
}

TEST(where_the_wrong_byte_is_gets_told)
{
    begin(MW_BENCH_BODY_text, 64);
    put_answer(0);
    put_answer(1);
    wire.data[66 + 2 + 40] ^= 1;
    assert_int_equal(hear(2, 1000), MW_ERR_PROTOCOL);
    assert_string_equal(why, "what came is not what was sent: byte 40 of 64, in message 1");
    end();
}

TEST(a_short_or_a_long_answer_is_found)
{
    for (size_t cut = 1; cut < 100; cut += 7) {
        begin(MW_BENCH_BODY_text, 64);
        put_frame(0x81, mw_view(due(0).data, 63));
        put_answer(1);
        assert_int_equal(hear(2, cut), MW_ERR_PROTOCOL);
        assert_non_null(strstr(why, "63 bytes instead of 64"));
        end();
        begin(MW_BENCH_BODY_text, 63);
        put_frame(0x81, mw_view(due(0).data, 64));
        assert_int_equal(hear(1, cut), MW_ERR_PROTOCOL);
        end();
    }
}

TEST(an_answer_too_many_is_found)
{
    begin(MW_BENCH_BODY_text, 64);
    put_answer(0);
    put_answer(1);
    assert_int_equal(hear(1, 1000), MW_ERR_PROTOCOL);
    assert_int_equal(check.got, 1);
    assert_string_equal(why, "a message came that nobody had asked for");
    end();
}

TEST(an_answer_twice_or_in_the_wrong_order_is_found)
{
    begin(MW_BENCH_BODY_text, 64);
    put_answer(0);
    put_answer(0);
    assert_int_equal(hear(2, 1000), MW_ERR_PROTOCOL);
    end();
    begin(MW_BENCH_BODY_text, 64);
    put_answer(1);
    put_answer(0);
    assert_int_equal(hear(2, 1000), MW_ERR_PROTOCOL);
    end();
}

TEST(a_fragmented_answer_is_found)
{
    begin(MW_BENCH_BODY_text, 64);
    put_frame(0x01, mw_view(due(0).data, 30));
    put_frame(0x80, mw_view(due(0).data + 30, 34));
    assert_int_equal(hear(1, 1000), MW_ERR_PROTOCOL);
    assert_non_null(strstr(why, "fragment"));
    end();
}

TEST(text_that_comes_back_as_binary_is_found)
{
    begin(MW_BENCH_BODY_text, 64);
    put_frame(0x82, due(0));
    assert_int_equal(hear(1, 1000), MW_ERR_PROTOCOL);
    assert_non_null(strstr(why, "binary"));
    end();
}

TEST(a_bare_echo_is_the_very_bytes)
{
    struct mw_bench_batch batch;
    struct mw_bench_piece piece;
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_bench_tape_init(&tape, &mem, MW_BENCH_BODY_text, 64, true), MW_OK);
    mw_bench_check_init(&check, &tape, &mem, 3);
    mw_bench_tape_send(&tape, 3, 5, &batch);
    struct mw_view rest = batch.vectors[0];
    assert_int_equal(mw_bench_check_take(&check, 5, &rest, &piece, why), 0);
    assert_int_equal(check.got, 5);
    rest = batch.vectors[0];
    assert_int_equal(mw_bench_check_take(&check, 5, &rest, &piece, why), MW_ERR_PROTOCOL);
    mw_bench_check_free(&check);
    mw_bench_tape_free(&tape);
    assert_mem_empty(&mem);
}

/* {"a":1,"b":2} as {"b": 2, "a": 1}: members turned round, with blanks. */
static void put_turned(uint64_t number, const char *change)
{
    char text[1024];
    struct mw_view message = due(number);
    size_t id_end = mw_view_find(message, ',', 0);
    int len = snprintf(text, sizeof text, "{ %.*s , %.*s%s}", (int)(message.len - id_end - 2),
                       message.data + id_end + 1, (int)(id_end - 1), message.data + 1, change);
    put_frame(0x81, mw_view(text, (size_t)len));
}

TEST(json_may_come_in_another_order_but_has_to_mean_the_same)
{
    static const struct {
        const char *change;
        int err;
    } table[] = { { "", MW_OK },
                  { "0", MW_ERR_PROTOCOL },
                  { ",\"more\":1", MW_ERR_PROTOCOL },
                  { ",", MW_ERR_PROTOCOL } };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        for (size_t cut = 1; cut < 400; cut += 1 + cut / 2) {
            begin(MW_BENCH_BODY_json, 300);
            put_answer(0);
            put_turned(1, table[i].change);
            put_answer(2);
            assert_int_equal(hear(3, cut), table[i].err);
            assert_int_equal(check.got, table[i].err ? 1 : 3);
            end();
        }
    }
}

/* The same message compressed by a server, one byte of what it says wrong. */
TEST(a_compressed_answer_is_compared_as_well)
{
    for (int is_wrong = 0; is_wrong < 2; is_wrong++) {
        struct mw_deflate_pool pool;
        struct mw_deflater deflater;
        struct mw_buf packed;
        char text[300];
        begin(MW_BENCH_BODY_json, sizeof text);
        mw_deflate_pool_init(&pool, &mem, SIZE_MAX);
        mw_deflater_init(&deflater, &pool, 12, true);
        mw_bench_check_inflate(&check, &pool, 12, true);
        mw_buf_init(&packed, &mem, 0);
        for (uint64_t number = 0; number < 4; number++) {
            mw_buf_clear(&packed);
            memcpy(text, due(number).data, sizeof text);
            text[200] ^= is_wrong && number == 3;
            assert_int_equal(mw_deflater_run(&deflater, mw_view(text, sizeof text), &packed),
                             MW_OK);
            put_frame(0xc1, mw_buf_view(&packed));
        }
        assert_int_equal(hear(4, 33), is_wrong ? MW_ERR_PROTOCOL : MW_OK);
        assert_int_equal(check.got, is_wrong ? 3 : 4);
        mw_buf_free(&packed);
        mw_deflater_free(&deflater);
        mw_bench_check_free(&check);
        mw_deflate_pool_free(&pool);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(right_answers_are_counted_however_they_are_cut),
        CASE(pings_between_answers_are_handed_out),
        CASE(a_flipped_byte_is_found_wherever_it_is),
        CASE(where_the_wrong_byte_is_gets_told),
        CASE(a_short_or_a_long_answer_is_found),
        CASE(an_answer_too_many_is_found),
        CASE(an_answer_twice_or_in_the_wrong_order_is_found),
        CASE(a_fragmented_answer_is_found),
        CASE(text_that_comes_back_as_binary_is_found),
        CASE(a_bare_echo_is_the_very_bytes),
        CASE(json_may_come_in_another_order_but_has_to_mean_the_same),
        CASE(a_compressed_answer_is_compared_as_well),
    };
    return RUN(cases);
}
