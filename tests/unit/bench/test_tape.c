#include "core/bench/tape.h"

#include "core/base/json.h"
#include "core/base/str.h"
#include "core/base/utf8.h"
#include "core/proto/mask.h"
#include "tests/unit/unit.h"

static struct mw_mem mem;

static const size_t sizes[] = { 0, 1, 64, 125, 126, 2048, 2049, 65535, 65536 };

static void open_tape(struct mw_bench_tape *tape, enum mw_bench_body body, size_t bytes, bool bare)
{
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_bench_tape_init(tape, &mem, body, bytes, bare), MW_OK);
}

static void close_tape(struct mw_bench_tape *tape)
{
    mw_bench_tape_free(tape);
    assert_mem_empty(&mem);
}

/* The batch as it goes over the wire. */
static struct mw_view put_batch(const struct mw_bench_batch *batch, struct mw_buf *out)
{
    mw_buf_clear(out);
    for (size_t i = 0; i < batch->vector_count; i++)
        assert_int_equal(mw_buf_put_view(out, batch->vectors[i]), MW_OK);
    return mw_buf_view(out);
}

/* Takes a frame of a client off *bytes, unmasked in place. */
static struct mw_view take_frame(struct mw_view *bytes, struct mw_frame_head *frame, bool deflate)
{
    enum mw_rule rule;
    int len = mw_frame_decode((const uint8_t *)bytes->data, bytes->len, MW_ROLE_SERVER, deflate,
                              frame, &rule);
    assert_true(len > 0 && frame->masked && frame->fin);
    assert_true(frame->mask[0] | frame->mask[1] | frame->mask[2] | frame->mask[3]);
    struct mw_view payload = mw_view(bytes->data + len, (size_t)frame->len);
    mw_mask((uint8_t *)(uintptr_t)payload.data, payload.len, frame->mask, 0);
    *bytes = mw_view_from(*bytes, (size_t)len + payload.len);
    return payload;
}

TEST(a_batch_is_frames_with_the_messages_that_are_meant)
{
    for (size_t i = 0; i < MW_COUNT(sizes); i++) {
        struct mw_bench_tape tape;
        struct mw_bench_batch batch;
        struct mw_frame_head frame;
        struct mw_buf out;
        open_tape(&tape, MW_BENCH_BODY_text, sizes[i], false);
        mw_buf_init(&out, &mem, 0);
        for (uint64_t place = 0; place < 600;) {
            mw_bench_tape_send(&tape, place, 7, &batch);
            assert_in_range(batch.messages, 1, 7);
            struct mw_view bytes = put_batch(&batch, &out);
            for (size_t k = 0; k < batch.messages; k++) {
                struct mw_view came = take_frame(&bytes, &frame, false);
                assert_int_equal(frame.opcode, MW_OPCODE_TEXT);
                assert_true(mw_view_equal(came, mw_bench_tape_message(&tape, place + k)));
            }
            assert_int_equal(bytes.len, 0);
            place += batch.messages;
        }
        mw_buf_free(&out);
        close_tape(&tape);
    }
}

TEST(what_is_expected_are_the_frames_of_a_server_or_of_a_bare_one_the_very_bytes)
{
    for (size_t i = 0; i < 2 * MW_COUNT(sizes); i++) {
        struct mw_bench_tape tape;
        struct mw_bench_batch batch;
        struct mw_buf out, due;
        bool bare = i % 2;
        open_tape(&tape, MW_BENCH_BODY_binary, sizes[i / 2], bare);
        mw_buf_init(&out, &mem, 0);
        mw_buf_init(&due, &mem, 0);
        for (uint64_t place = 0; place < 300; place += 11) {
            uint8_t head[MW_FRAME_HEAD_MAX];
            size_t len = mw_frame_encode(head, MW_OPCODE_BINARY, true, sizes[i / 2], NULL);
            mw_buf_clear(&due);
            mw_bench_tape_send(&tape, place, 1, &batch);
            struct mw_view want = put_batch(&batch, &out);
            if (!bare) {
                mw_buf_clear(&out);
                assert_int_equal(mw_buf_put(&out, head, len), MW_OK);
                want = mw_bench_tape_message(&tape, place);
                assert_int_equal(mw_buf_put_view(&out, want), MW_OK);
                want = mw_buf_view(&out);
            }
            assert_int_equal(tape.frame_len, want.len);
            while (due.len < tape.frame_len) {
                struct mw_view part = mw_bench_tape_expect(&tape, place, due.len);
                if (part.len > tape.frame_len - due.len)
                    part.len = tape.frame_len - due.len;
                assert_int_equal(mw_buf_put_view(&due, part), MW_OK);
            }
            assert_true(mw_view_equal(mw_buf_view(&due), want));
        }
        mw_buf_free(&out);
        mw_buf_free(&due);
        close_tape(&tape);
    }
}

/* Else the echo of another message, or of another connection, would pass. */
TEST(messages_differ_by_number_and_by_who_sends_them)
{
    static const size_t some[] = { 16, 64, 5000 };
    for (size_t i = 0; i < MW_COUNT(some); i++) {
        struct mw_bench_tape tape;
        open_tape(&tape, MW_BENCH_BODY_text, some[i], false);
        for (uint64_t who = 0; who < 50; who++) {
            uint64_t place = mw_bench_tape_start(&tape, who) + 7;
            uint64_t neighbour = mw_bench_tape_start(&tape, who + 1) + 7;
            struct mw_view one = mw_bench_tape_message(&tape, place);
            assert_false(mw_view_equal(one, mw_bench_tape_message(&tape, place + 1)));
            assert_false(mw_view_equal(one, mw_bench_tape_message(&tape, neighbour)));
        }
        close_tape(&tape);
    }
}

TEST(json_is_json_of_the_size_that_was_asked_for)
{
    static const size_t some[] = { MW_BENCH_JSON_MIN, 300, 4096 };
    for (size_t i = 0; i < MW_COUNT(some); i++) {
        struct mw_bench_tape tape;
        struct mw_json_error error;
        open_tape(&tape, MW_BENCH_BODY_json, some[i], false);
        for (uint64_t place = 0; place <= tape.mask; place++) {
            struct mw_view message = mw_bench_tape_message(&tape, place);
            struct mw_json_doc *doc = mw_json_parse(&mem, message, &error);
            assert_int_equal(message.len, some[i]);
            assert_non_null(doc);
            assert_int_equal(mw_json_count(mw_json_root(doc)), 5);
            mw_json_doc_free(doc);
        }
        close_tape(&tape);
    }
}

/* What a server does: one stream from the first message on, over many rounds of the ring. */
static void inflate_all(bool takeover, size_t bytes, uint64_t messages)
{
    struct mw_bench_tape tape;
    struct mw_bench_batch batch;
    struct mw_frame_head frame;
    struct mw_deflate_pool pool;
    struct mw_inflater inflater;
    struct mw_buf out, plain;
    open_tape(&tape, MW_BENCH_BODY_json, bytes, false);
    mw_deflate_pool_init(&pool, &mem, SIZE_MAX);
    assert_int_equal(mw_bench_tape_deflate(&tape, &pool, 12, takeover), MW_OK);
    mw_inflater_init(&inflater, &pool, 12, takeover);
    mw_buf_init(&out, &mem, 0);
    mw_buf_init(&plain, &mem, 0);
    uint32_t start = mw_bench_tape_start(&tape, 5);
    assert_true(!takeover || start == 0);
    for (uint64_t number = 0; number < messages;) {
        mw_bench_tape_send(&tape, start + number, 5, &batch);
        struct mw_view bytes_left = put_batch(&batch, &out);
        for (size_t k = 0; k < batch.messages; k++, number++) {
            struct mw_view payload = take_frame(&bytes_left, &frame, true);
            mw_buf_clear(&plain);
            assert_true(frame.compressed);
            assert_int_equal(mw_inflater_feed(&inflater, payload, &plain), MW_OK);
            assert_int_equal(mw_inflater_end(&inflater, &plain), MW_OK);
            assert_true(
                mw_view_equal(mw_buf_view(&plain), mw_bench_tape_message(&tape, start + number)));
        }
    }
    mw_buf_free(&out);
    mw_buf_free(&plain);
    mw_inflater_free(&inflater);
    mw_bench_tape_free(&tape);
    mw_deflate_pool_free(&pool);
    assert_mem_empty(&mem);
}

TEST(compressed_messages_are_right_in_every_round_of_the_ring)
{
    inflate_all(true, 300, 3000);
    inflate_all(true, 20000, 40);
    inflate_all(false, 300, 1000);
}

static bool make_one(struct mw_mem *scarce)
{
    struct mw_bench_tape tape = { 0 };
    struct mw_deflate_pool pool;
    mw_deflate_pool_init(&pool, scarce, SIZE_MAX);
    int err = mw_bench_tape_init(&tape, scarce, MW_BENCH_BODY_json, 200, false);
    if (!err)
        err = mw_bench_tape_deflate(&tape, &pool, 10, true);
    assert_true(err == MW_OK || err == MW_ERR_NOMEM);
    mw_bench_tape_free(&tape);
    mw_deflate_pool_free(&pool);
    return !err;
}

TEST(without_memory_there_is_none_and_nothing_stays)
{
    assert_true(fail_each_allocation(make_one) > 3);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_batch_is_frames_with_the_messages_that_are_meant),
        CASE(what_is_expected_are_the_frames_of_a_server_or_of_a_bare_one_the_very_bytes),
        CASE(messages_differ_by_number_and_by_who_sends_them),
        CASE(json_is_json_of_the_size_that_was_asked_for),
        CASE(compressed_messages_are_right_in_every_round_of_the_ring),
        CASE(without_memory_there_is_none_and_nothing_stays),
    };
    return RUN(cases);
}
