#include "core/session/outq.h"

#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/rng.h"
#include "core/proto/mask.h"
#include "tests/unit/session/line.h"

static void put(struct line *line, const char *text)
{
    assert_int_equal(mw_outq_put(&line->queue, MW_OPCODE_TEXT, mw_view_text(text), NULL), MW_OK);
    assert_true(mw_outq_validate(&line->queue));
}

static void put_control(struct line *line, const char *text)
{
    int err = mw_outq_put_control(&line->queue, MW_OPCODE_PING, mw_view_text(text), NULL);
    assert_int_equal(err, MW_OK);
    assert_true(mw_outq_validate(&line->queue));
}

static struct mw_msg *make_msg(struct mw_mem *mem, size_t len)
{
    struct mw_msg *msg = mw_msg_new(mem, len);
    uint8_t head[MW_FRAME_HEAD_MAX];
    if (!msg)
        return NULL;
    memset(mw_msg_payload(msg), 'm', len);
    mw_msg_set_head(msg, head, mw_frame_encode(head, MW_OPCODE_TEXT, true, len, NULL));
    return msg;
}

/* Takes `bytes` bytes off the queue and compares them. */
static void assert_leaves(struct line *line, const char *want)
{
    char got[256];
    size_t have = 0, len = strlen(want);
    while (have < len) {
        struct mw_view vector;
        assert_int_equal(mw_outq_iov(&line->queue, &vector, 1), 1);
        size_t n = vector.len < len - have ? vector.len : len - have;
        memcpy(got + have, vector.data, n);
        mw_outq_written(&line->queue, n);
        assert_true(mw_outq_validate(&line->queue));
        have += n;
    }
    assert_memory_equal(got, want, len);
}

/* ---- one thing after the other ---- */

TEST(small_frames_share_one_chunk_and_leave_in_order)
{
    struct line line;
    struct mw_view vectors[4];
    open_line(&line);
    put(&line, "one");
    put(&line, "two");
    assert_int_equal(line.queue.bytes, 10);
    assert_int_equal(mw_outq_iov(&line.queue, vectors, 4), 1);
    assert_leaves(&line, "\x81\x03one\x81\x03two");
    assert_int_equal(line.queue.bytes, 0);
    assert_int_equal(mw_outq_iov(&line.queue, vectors, 4), 0);
    close_line(&line);
}

TEST(a_client_frame_is_masked)
{
    const uint8_t key[4] = { 1, 2, 3, 4 };
    struct line line;
    open_line(&line);
    assert_int_equal(mw_outq_put(&line.queue, MW_OPCODE_TEXT, mw_view_text("hey"), key), MW_OK);
    assert_leaves(&line, "\x81\x83\x01\x02\x03\x04\x69\x67\x7a");
    close_line(&line);
}

TEST(control_frames_go_before_data_that_has_not_begun_to_leave)
{
    struct line line;
    open_line(&line);
    put(&line, "data");
    put_control(&line, "p1");
    put_control(&line, "p2");
    assert_leaves(&line, "\x89\x02p1\x89\x02p2\x81\x04"
                         "data");
    close_line(&line);
}

TEST(control_frames_wait_for_the_end_of_the_frame_that_is_leaving)
{
    struct line line;
    open_line(&line);
    put(&line, "one");
    assert_leaves(&line, "\x81\x03o");
    put_control(&line, "p");
    put(&line, "two");
    assert_leaves(&line, "ne\x81\x03two\x89\x01p");
    put(&line, "three");
    assert_leaves(&line, "\x81\x05three");
    close_line(&line);
}

TEST(control_frames_do_not_overtake_each_other)
{
    struct line line;
    struct mw_view vector;
    open_line(&line);
    put(&line, "one");
    assert_leaves(&line, "\x81\x03o");
    put_control(&line, "p1");
    assert_int_equal(mw_outq_iov(&line.queue, &vector, 1), 1); /* there was room for one only */
    put_control(&line, "p2");
    assert_leaves(&line, "ne\x89\x02p1\x89\x02p2");
    close_line(&line);
}

TEST(raw_bytes_go_before_all_data)
{
    struct line line;
    open_line(&line);
    put(&line, "welcome");
    assert_int_equal(mw_outq_put_raw(&line.queue, mw_view_text("HTTP/1.1 101\r\n\r\n")), MW_OK);
    put_control(&line, "p");
    assert_leaves(&line, "HTTP/1.1 101\r\n\r\n\x89\x01p\x81\x07welcome");
    close_line(&line);
}

TEST(a_published_message_is_queued_by_reference)
{
    struct line a, b;
    struct mw_view wire_a, wire_b;
    open_line(&a);
    open_line(&b);
    struct mw_msg *msg = make_msg(&a.mem, 5000);
    assert_int_equal(mw_outq_put_msg(&a.queue, msg), MW_OK);
    assert_int_equal(mw_outq_put_msg(&b.queue, msg), MW_OK);
    mw_msg_drop(msg);
    assert_int_equal(mw_outq_iov(&a.queue, &wire_a, 1), 1);
    assert_int_equal(mw_outq_iov(&b.queue, &wire_b, 1), 1);
    assert_ptr_equal(wire_a.data, wire_b.data);
    mw_outq_written(&b.queue, wire_b.len);
    assert_memory_equal(wire_a.data + wire_a.len - 3, "mmm", 3); /* a still holds it */
    close_line(&b);
    close_line(&a);
}

TEST(a_small_published_message_is_copied_where_a_chunk_has_room)
{
    struct line line;
    struct mw_view vectors[4];
    open_line(&line);
    put(&line, "x");
    struct mw_msg *msg = make_msg(&line.mem, 100);
    assert_int_equal(mw_outq_put_msg(&line.queue, msg), MW_OK);
    mw_msg_drop(msg);
    assert_int_equal(mw_outq_iov(&line.queue, vectors, 4), 1);
    close_line(&line);
}

TEST(a_queue_without_bytes_owns_nothing)
{
    struct line line;
    open_line(&line);
    put(&line, "one");
    put_control(&line, "p");
    assert_leaves(&line, "\x89\x01p\x81\x03one");
    assert_null(line.queue.head);
    assert_null(line.queue.control_head);
    mw_out_pool_free(&line.pool); /* the spare chunks are the worker's */
    assert_mem_empty(&line.mem);
    close_line(&line);
}

TEST(spare_chunks_are_used_again_and_their_number_is_bounded)
{
    struct line line;
    char payload[3000] = { 0 };
    open_line(&line);
    for (int i = 0; i < 400; i++)
        assert_int_equal(
            mw_outq_put(&line.queue, MW_OPCODE_BINARY, mw_view(payload, sizeof payload), NULL),
            MW_OK);
    mw_outq_written(&line.queue, line.queue.bytes);
    assert_in_range(line.mem.bytes, 1, 300 * 4096);
    uint64_t count = line.mem.count;
    put(&line, "again");
    assert_int_equal(line.mem.count, count);
    close_line(&line);
}

/* ---- what is lent ---- */

TEST(a_lent_payload_leaves_from_where_it_is)
{
    struct line line;
    struct mw_view vectors[4];
    char big[MW_OUT_LEND_MIN];
    open_line(&line);
    memset(big, 'b', sizeof big);
    put(&line, "one");
    assert_int_equal(mw_outq_lend(&line.queue, MW_OPCODE_BINARY, mw_view(big, sizeof big)), MW_OK);
    assert_true(mw_outq_validate(&line.queue));
    put_control(&line, "p");
    assert_int_equal(mw_outq_iov(&line.queue, vectors, 4), 4);
    assert_memory_equal(vectors[2].data, "\x82\x7e\x40\0", 4);
    assert_ptr_equal(vectors[3].data, big);
    assert_int_equal(vectors[3].len, sizeof big);
    mw_outq_written(&line.queue, line.queue.bytes);
    mw_outq_settle(&line.queue);
    close_line(&line);
}

/* So many bytes of the frame leave while its payload is there. */
static void check_settled(size_t leave)
{
    struct line line;
    struct mw_view vectors[4];
    char big[MW_OUT_LEND_MIN];
    open_line(&line);
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 7);
    assert_int_equal(mw_outq_lend(&line.queue, MW_OPCODE_BINARY, mw_view(big, sizeof big)), MW_OK);
    assert_int_equal(mw_outq_iov(&line.queue, vectors, 4), 2);
    mw_outq_written(&line.queue, leave);
    assert_true(mw_outq_validate(&line.queue));
    mw_outq_settle(&line.queue);
    memset(big, 'x', sizeof big);
    put_control(&line, "p");
    put(&line, "next");
    struct mw_buf got;
    mw_buf_init(&got, &line.mem, 0);
    while (line.queue.bytes > 0) {
        assert_int_equal(mw_outq_iov(&line.queue, vectors, 1), 1);
        assert_int_equal(mw_buf_put_view(&got, vectors[0]), MW_OK);
        mw_outq_written(&line.queue, vectors[0].len);
    }
    const char *at = got.data;
    if (leave == 0) {
        assert_memory_equal(at, "\x89\x01p", 3);
        at += 3;
    }
    for (size_t i = leave; i < sizeof big + 4; i++, at++)
        assert_int_equal(*at, i < 4 ? "\x82\x7e\x40\0"[i] : (char)((i - 4) * 7));
    assert_int_equal(got.len, sizeof big + 4 - leave + 9);
    mw_buf_free(&got);
    close_line(&line);
}

TEST(what_is_left_of_a_lent_payload_is_kept)
{
    static const size_t leave[] = { 0, 1, 4, 5, 100, MW_OUT_LEND_MIN, MW_OUT_LEND_MIN + 3 };
    for (size_t i = 0; i < MW_COUNT(leave); i++)
        check_settled(leave[i]);
}

TEST(a_lent_payload_is_counted_like_a_copied_one)
{
    struct line line;
    char big[MW_OUT_LEND_MIN] = { 0 };
    open_line(&line);
    assert_int_equal(mw_outq_lend(&line.queue, MW_OPCODE_BINARY, mw_view(big, sizeof big)), MW_OK);
    assert_true(mw_outq_held(&line.queue, &line.mem) > sizeof big);
    line.mem.max_bytes = line.mem.bytes + sizeof big;
    assert_int_equal(mw_outq_lend(&line.queue, MW_OPCODE_BINARY, mw_view(big, sizeof big)),
                     MW_ERR_NOMEM);
    line.mem.max_bytes = 0;
    mw_outq_settle(&line.queue);
    close_line(&line);
}

/* ---- drop ---- */

TEST(drop_keeps_what_was_handed_out)
{
    struct line line;
    struct mw_view vector;
    char big[5000] = { 0 };
    open_line(&line);
    put(&line, "kept");
    assert_int_equal(mw_outq_put(&line.queue, MW_OPCODE_BINARY, mw_view(big, sizeof big), NULL),
                     MW_OK);
    put(&line, "lost");
    assert_int_equal(mw_outq_iov(&line.queue, &vector, 1), 1);
    mw_outq_drop(&line.queue);
    assert_true(mw_outq_validate(&line.queue));
    assert_int_equal(line.queue.bytes, 6);
    assert_memory_equal(vector.data, "\x81\x04kept", 6);
    put(&line, "next");
    assert_leaves(&line, "\x81\x04kept\x81\x04next");
    close_line(&line);
}

TEST(drop_keeps_a_frame_that_has_left_in_part)
{
    struct line line;
    open_line(&line);
    put(&line, "kept");
    assert_leaves(&line, "\x81\x04k");
    mw_outq_drop(&line.queue);
    assert_leaves(&line, "ept");
    close_line(&line);
}

TEST(drop_keeps_the_control_lane)
{
    struct line line;
    open_line(&line);
    put(&line, "lost");
    put_control(&line, "kept");
    mw_outq_drop(&line.queue);
    assert_true(mw_outq_validate(&line.queue));
    put(&line, "next");
    assert_leaves(&line, "\x89\x04kept\x81\x04next");
    close_line(&line);
}

TEST(drop_keeps_control_frames_that_stand_behind_a_frame_that_is_leaving)
{
    struct line line;
    struct mw_view vector;
    open_line(&line);
    put(&line, "kept");
    assert_leaves(&line, "\x81\x04k");
    put_control(&line, "also");
    assert_int_equal(mw_outq_iov(&line.queue, &vector, 1), 1); /* there was room for one only */
    put(&line, "lost");
    mw_outq_drop(&line.queue);
    assert_true(mw_outq_validate(&line.queue));
    assert_leaves(&line, "ept\x89\x04"
                         "also");
    assert_int_equal(line.queue.bytes, 0);
    close_line(&line);
}

TEST(drop_of_an_empty_queue_is_nothing)
{
    struct line line;
    open_line(&line);
    mw_outq_drop(&line.queue);
    assert_true(mw_outq_validate(&line.queue));
    close_line(&line);
}

/* ---- random use against a model ---- */

#define MOST_FRAMES 4000

/*
 * Every frame carries its number. Of the control frames all must come out, of the data frames all
 * but those that a drop has met while they waited; both in order, each whole.
 */
struct model {
    struct line line;
    struct mw_rng rng;
    uint32_t data_put, control_put;
    bool may_be_missing[MOST_FRAMES];
    struct mw_mem out_mem;
    struct mw_buf out;       /* what has left */
    struct mw_view given[8]; /* handed out by iov */
    struct mw_buf copy;      /* their bytes at that moment */
    size_t given_count, given_bytes, given_gone;
};

static struct mw_view numbered_payload(struct mw_rng *rng, uint32_t number, char *room, size_t max)
{
    size_t len = sizeof number + mw_rng_below(rng, max - sizeof number);
    memset(room, (int)('a' + number % 26), len);
    memcpy(room, &number, sizeof number);
    return mw_view(room, len);
}

static void put_some_control(struct model *model)
{
    char room[125];
    struct mw_view payload = numbered_payload(&model->rng, model->control_put++, room, sizeof room);
    assert_int_equal(mw_outq_put_control(&model->line.queue, MW_OPCODE_PING, payload, NULL), MW_OK);
}

static void ask_for_vectors(struct model *model)
{
    size_t max = 1 + mw_rng_below(&model->rng, MW_COUNT(model->given));
    model->given_count = mw_outq_iov(&model->line.queue, model->given, max);
    model->given_bytes = model->given_gone = 0;
    mw_buf_clear(&model->copy);
    for (size_t i = 0; i < model->given_count; i++) {
        model->given_bytes += model->given[i].len;
        assert_int_equal(mw_buf_put_view(&model->copy, model->given[i]), MW_OK);
    }
}

/* What was handed out stays as it was until all of it has left, whatever was put since. */
static void assert_given_is_unchanged(const struct model *model)
{
    size_t at = 0;
    for (size_t i = 0; i < model->given_count; i++) {
        size_t end = at + model->given[i].len;
        size_t gone = model->given_gone > at ? model->given_gone - at : 0;
        if (gone < model->given[i].len)
            assert_memory_equal(model->given[i].data + gone, model->copy.data + at + gone,
                                model->given[i].len - gone);
        at = end;
    }
}

/* A short write: some of what was handed out leaves. */
static void let_some_leave(struct model *model)
{
    size_t left = model->given_bytes - model->given_gone;
    size_t n = 1 + mw_rng_below(&model->rng, left);
    if (mw_rng_below(&model->rng, 3) == 0)
        n = left;
    assert_given_is_unchanged(model);
    assert_int_equal(mw_buf_put(&model->out, model->copy.data + model->given_gone, n), MW_OK);
    mw_outq_written(&model->line.queue, n);
    model->given_gone += n;
}

static bool is_in_flight(const struct model *model)
{
    return model->given_gone < model->given_bytes;
}

/* What is left of it is kept before anything else happens; nothing stays in flight. */
static void lend(struct model *model, struct mw_view payload)
{
    struct mw_outq *queue = &model->line.queue;
    assert_int_equal(mw_outq_lend(queue, MW_OPCODE_BINARY, payload), MW_OK);
    ask_for_vectors(model);
    if (is_in_flight(model))
        let_some_leave(model);
    mw_outq_settle(queue);
    model->given_gone = model->given_bytes;
    model->given_count = 0;
}

static void put_data(struct model *model)
{
    static char room[9000];
    static const size_t sizes[] = { 10, 130, 2000, 4100, 9000 };
    struct mw_outq *queue = &model->line.queue;
    size_t max = sizes[mw_rng_below(&model->rng, MW_COUNT(sizes))];
    struct mw_view payload = numbered_payload(&model->rng, model->data_put++, room, max);
    if (!is_in_flight(model) && mw_rng_below(&model->rng, 3) == 0) {
        lend(model, payload);
        return;
    }
    if (mw_rng_below(&model->rng, 3) > 0) {
        assert_int_equal(mw_outq_put(queue, MW_OPCODE_BINARY, payload, NULL), MW_OK);
        return;
    }
    struct mw_msg *msg = mw_msg_new(&model->line.mem, payload.len);
    uint8_t head[MW_FRAME_HEAD_MAX];
    memcpy(mw_msg_payload(msg), payload.data, payload.len);
    mw_msg_set_head(msg, head, mw_frame_encode(head, MW_OPCODE_BINARY, true, payload.len, NULL));
    assert_int_equal(mw_outq_put_msg(queue, msg), MW_OK);
    mw_msg_drop(msg);
}

static void drop(struct model *model)
{
    mw_outq_drop(&model->line.queue);
    memset(model->may_be_missing, true, model->data_put);
    size_t control_and_chunks = (size_t)model->control_put * 127 + 2 * MW_OUT_CHUNK_BYTES;
    assert_true(model->line.queue.bytes <= model->given_bytes + control_and_chunks);
}

static void do_something(struct model *model)
{
    unsigned choice = (unsigned)mw_rng_below(&model->rng, 100);
    if (choice < 35)
        put_data(model);
    else if (choice < 45)
        put_some_control(model);
    else if (choice == 45)
        drop(model);
    else if (is_in_flight(model))
        let_some_leave(model);
    else
        ask_for_vectors(model);
    assert_true(mw_outq_validate(&model->line.queue));
}

/* Reads what has left as a peer does. */
static void check_output(const struct model *model)
{
    uint32_t next_data = 0, next_control = 0, number;
    for (size_t at = 0; at < model->out.len;) {
        struct mw_frame_head head;
        enum mw_rule rule;
        int size = mw_frame_decode((uint8_t *)model->out.data + at, model->out.len - at,
                                   MW_ROLE_CLIENT, false, &head, &rule);
        assert_true(size > 0 && at + (size_t)size + head.len <= model->out.len);
        const char *payload = model->out.data + at + size;
        memcpy(&number, payload, sizeof number);
        for (size_t i = sizeof number; i < head.len; i++)
            assert_int_equal(payload[i], 'a' + number % 26);
        if (head.opcode == MW_OPCODE_PING) {
            assert_int_equal(number, next_control);
            next_control++;
        } else {
            assert_true(number >= next_data);
            for (; next_data < number; next_data++)
                assert_true(model->may_be_missing[next_data]);
            next_data = number + 1;
        }
        at += (size_t)size + head.len;
    }
    assert_int_equal(next_control, model->control_put);
    for (; next_data < model->data_put; next_data++)
        assert_true(model->may_be_missing[next_data]);
}

static void run_model(uint64_t seed)
{
    static struct model model;
    model = (struct model){ .data_put = 0 };
    open_line(&model.line);
    mw_rng_seed(&model.rng, seed);
    mw_mem_init(&model.out_mem, NULL, 0);
    mw_buf_init(&model.out, &model.out_mem, 0);
    mw_buf_init(&model.copy, &model.out_mem, 0);
    for (int step = 0; step < 600; step++)
        do_something(&model);
    while (is_in_flight(&model) || model.line.queue.bytes) {
        if (is_in_flight(&model))
            let_some_leave(&model);
        else
            ask_for_vectors(&model);
    }
    check_output(&model);
    close_line(&model.line);
    mw_buf_free(&model.out);
    mw_buf_free(&model.copy);
    assert_mem_empty(&model.out_mem);
}

TEST(random_use_loses_splits_and_reorders_nothing)
{
    for (uint64_t seed = 1; seed <= 300; seed++)
        run_model(seed);
}

/* ---- memory ---- */

static bool put_each_kind(struct mw_mem *mem)
{
    struct mw_out_pool pool;
    struct mw_outq queue;
    char big[5000] = { 0 };
    mw_out_pool_init(&pool, mem);
    mw_outq_init(&queue, &pool, mem);
    struct mw_msg *msg = make_msg(mem, 4000);
    size_t want = 0;
    bool all = msg != NULL;
    const struct {
        int err;
        size_t bytes;
    } puts[] = {
        { mw_outq_put(&queue, MW_OPCODE_TEXT, mw_view_text("small"), NULL), 7 },
        { mw_outq_put(&queue, MW_OPCODE_BINARY, mw_view(big, sizeof big), NULL), sizeof big + 4 },
        { msg ? mw_outq_put_msg(&queue, msg) : MW_ERR_NOMEM, 4004 },
        { mw_outq_put_control(&queue, MW_OPCODE_PING, mw_view_text("p"), NULL), 3 },
        { mw_outq_put_raw(&queue, mw_view(big, sizeof big)), sizeof big },
    };
    for (size_t i = 0; i < MW_COUNT(puts); i++) {
        assert_true(puts[i].err == MW_OK || puts[i].err == MW_ERR_NOMEM);
        want += puts[i].err ? 0 : puts[i].bytes;
        all = all && !puts[i].err;
    }
    assert_int_equal(queue.bytes, want);
    assert_true(mw_outq_validate(&queue));
    mw_msg_drop(msg);
    mw_outq_free(&queue);
    mw_out_pool_free(&pool);
    return all;
}

TEST(each_failing_allocation_queues_nothing_of_its_frame)
{
    assert_true(fail_each_allocation(put_each_kind) >= 6);
}

TEST(what_is_queued_counts_where_the_queue_belongs)
{
    struct line line;
    struct mw_mem script;
    struct mw_outq queue;
    open_line(&line);
    mw_mem_init(&script, &line.mem, 0);
    mw_outq_init(&queue, &line.pool, &script);
    struct mw_msg *shared = make_msg(&script, 5000), *foreign = make_msg(&line.mem, 7000);
    for (int round = 0; round < 2; round++) { /* the second time with spare chunks */
        assert_int_equal(mw_outq_put_msg(&queue, shared), MW_OK);
        assert_int_equal(mw_outq_put_msg(&queue, foreign), MW_OK);
        assert_int_equal(mw_outq_put(&queue, MW_OPCODE_TEXT, mw_view_text("hi"), NULL), MW_OK);
        assert_int_equal(mw_outq_put_msg(&line.queue, shared), MW_OK);
        assert_in_range(mw_outq_held(&queue, &script), 9000, 9500);
        assert_in_range(mw_outq_held(&queue, &line.mem), 7000, 7010);
        assert_in_range(mw_outq_held(&line.queue, &script), 5000, 5010);
        assert_in_range(script.bytes, 9000, 9500);
        mw_outq_free(&queue);
        mw_outq_free(&line.queue);
        assert_in_range(script.bytes, 5000, 5100);
    }
    mw_msg_drop(shared);
    mw_msg_drop(foreign);
    assert_mem_empty(&script);
    close_line(&line);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(small_frames_share_one_chunk_and_leave_in_order),
        CASE(a_client_frame_is_masked),
        CASE(control_frames_go_before_data_that_has_not_begun_to_leave),
        CASE(control_frames_wait_for_the_end_of_the_frame_that_is_leaving),
        CASE(control_frames_do_not_overtake_each_other),
        CASE(raw_bytes_go_before_all_data),
        CASE(a_published_message_is_queued_by_reference),
        CASE(a_small_published_message_is_copied_where_a_chunk_has_room),
        CASE(a_queue_without_bytes_owns_nothing),
        CASE(spare_chunks_are_used_again_and_their_number_is_bounded),
        CASE(a_lent_payload_leaves_from_where_it_is),
        CASE(what_is_left_of_a_lent_payload_is_kept),
        CASE(a_lent_payload_is_counted_like_a_copied_one),
        CASE(drop_keeps_what_was_handed_out),
        CASE(drop_keeps_a_frame_that_has_left_in_part),
        CASE(drop_keeps_the_control_lane),
        CASE(drop_keeps_control_frames_that_stand_behind_a_frame_that_is_leaving),
        CASE(drop_of_an_empty_queue_is_nothing),
        CASE(random_use_loses_splits_and_reorders_nothing),
        CASE(each_failing_allocation_queues_nothing_of_its_frame),
        CASE(what_is_queued_counts_where_the_queue_belongs),
    };
    return RUN(cases);
}
