#include "core/session/outq_keys.h"

#include <stdio.h>

#include "core/base/buf.h"
#include "core/base/rng.h"
#include "core/session/outq.h"
#include "tests/unit/session/line.h"

/* ---- the table alone ---- */

#define MOST_KEYS 300

static struct mw_out_seg *make_seg(struct mw_mem *mem, unsigned number)
{
    char key[16];
    size_t len = (size_t)snprintf(key, sizeof key, "%x", number);
    struct mw_out_seg *seg = mw_alloc_zero(mem, sizeof *seg + len);
    assert_non_null(seg);
    seg->cap = len;
    memcpy(seg->bytes, key, len);
    return seg;
}

static void check_table(const struct mw_out_keys *keys, struct mw_out_seg **segs)
{
    size_t there = 0;
    for (size_t i = 0; i < MOST_KEYS; i++) {
        assert_ptr_equal(mw_out_keys_find(keys, mw_out_seg_key(segs[i])),
                         segs[i]->keyed ? segs[i] : NULL);
        there += segs[i]->keyed;
    }
    assert_int_equal(mw_out_keys_count(keys), there);
}

TEST(what_was_added_is_found_whatever_came_and_went)
{
    struct mw_mem mem;
    struct mw_rng rng;
    struct mw_out_keys *keys = NULL;
    struct mw_out_seg *segs[MOST_KEYS];
    mw_mem_init(&mem, NULL, 0);
    mw_rng_seed(&rng, 7);
    for (unsigned i = 0; i < MOST_KEYS; i++)
        segs[i] = make_seg(&mem, i);
    for (int step = 0; step < 5000; step++) {
        size_t wanted = step < 2500 ? MOST_KEYS : 12; /* grows wide, then stays nearly empty */
        struct mw_out_seg *seg = segs[mw_rng_below(&rng, wanted)];
        if (seg->keyed)
            mw_out_keys_remove(&keys, &mem, seg);
        else
            assert_int_equal(mw_out_keys_add(&keys, &mem, seg), MW_OK);
        if (step % 50 == 0)
            check_table(keys, segs);
    }
    for (unsigned i = 0; i < MOST_KEYS; i++) {
        if (segs[i]->keyed)
            mw_out_keys_remove(&keys, &mem, segs[i]);
        mw_free(&mem, segs[i], sizeof *segs[i] + segs[i]->cap);
    }
    assert_null(keys);
    assert_mem_empty(&mem);
}

/* ---- a queue ---- */

static struct mw_msg *make_msg(struct mw_mem *mem, struct mw_view payload)
{
    struct mw_msg *msg = mw_msg_new(mem, payload.len);
    uint8_t head[MW_FRAME_HEAD_MAX];
    assert_non_null(msg);
    memcpy(mw_msg_payload(msg), payload.data, payload.len);
    mw_msg_set_head(msg, head, mw_frame_encode(head, MW_OPCODE_BINARY, true, payload.len, NULL));
    return msg;
}

/* As conn does it: true where one was replaced. The message's bytes stay where they are. */
static bool put_latest(struct mw_outq *queue, struct mw_view key, struct mw_msg *msg)
{
    struct mw_out_seg *seg = mw_outq_find(queue, key);
    if (seg)
        mw_outq_replace(queue, seg, msg);
    else
        assert_int_equal(mw_outq_put_keyed(queue, key, msg, 0), MW_OK);
    assert_true(mw_outq_validate(queue));
    mw_msg_drop(msg);
    return seg != NULL;
}

static bool put_text(struct line *line, const char *key, const char *text)
{
    return put_latest(&line->queue, mw_view_text(key), make_msg(&line->mem, mw_view_text(text)));
}

static void assert_leaves(struct line *line, const char *want)
{
    struct mw_view vectors[8];
    struct mw_buf got;
    mw_buf_init(&got, &line->mem, 0);
    size_t count = mw_outq_iov(&line->queue, vectors, 8);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(mw_buf_put_view(&got, vectors[i]), MW_OK);
    assert_string_equal(mw_buf_cstr(&got), want);
    mw_outq_written(&line->queue, got.len);
    mw_buf_free(&got);
    assert_true(mw_outq_validate(&line->queue));
}

TEST(a_newer_message_stands_in_the_place_of_the_older_one)
{
    struct line line;
    open_line(&line);
    assert_false(put_text(&line, "a", "a1"));
    assert_false(put_text(&line, "b", "b1"));
    assert_int_equal(mw_outq_put(&line.queue, MW_OPCODE_TEXT, mw_view_text("x"), NULL), MW_OK);
    assert_true(put_text(&line, "a", "a two"));
    assert_int_equal(line.queue.bytes, 7 + 4 + 3);
    assert_leaves(&line, "\x82\x05"
                         "a two\x82\x02"
                         "b1\x81\x01x");
    close_line(&line);
}

TEST(what_was_handed_out_is_not_replaced)
{
    struct line line;
    struct mw_view vector;
    open_line(&line);
    put_text(&line, "a", "a1");
    put_text(&line, "b", "b1");
    assert_int_equal(mw_outq_iov(&line.queue, &vector, 1), 1);
    assert_false(put_text(&line, "a", "a2"));
    assert_true(put_text(&line, "b", "b2"));
    assert_leaves(&line, "\x82\x02"
                         "a1\x82\x02"
                         "b2\x82\x02"
                         "a2");
    close_line(&line);
}

TEST(what_was_only_shown_is_replaced_and_what_has_left_in_part_is_not)
{
    struct line line;
    struct mw_view vectors[4];
    open_line(&line);
    put_text(&line, "a", "a1");
    put_text(&line, "b", "b1");
    assert_int_equal(mw_outq_show(&line.queue, vectors, 4), 2);
    mw_outq_written(&line.queue, 0);
    assert_true(put_text(&line, "a", "a two"));
    assert_int_equal(mw_outq_show(&line.queue, vectors, 4), 2);
    mw_outq_written(&line.queue, 1);
    assert_true(mw_outq_validate(&line.queue));
    assert_false(put_text(&line, "a", "a3"));
    assert_true(put_text(&line, "b", "b2"));
    mw_outq_drop(&line.queue);
    assert_leaves(&line, "\x05"
                         "a two");
    close_line(&line);
}

TEST(keys_cost_something_only_while_they_wait)
{
    struct line line;
    open_line(&line);
    put_text(&line, "a", "a1");
    assert_int_equal(mw_outq_weight(&line.queue), 4 + MW_OUT_KEYED_COST);
    assert_leaves(&line, "\x82\x02"
                         "a1");
    assert_null(line.queue.keys);
    assert_int_equal(mw_outq_weight(&line.queue), 0);
    put_text(&line, "a", "a1");
    mw_outq_drop(&line.queue);
    assert_null(line.queue.keys);
    assert_int_equal(line.queue.bytes, 0);
    close_line(&line);
}

static bool put_keyed_each(struct mw_mem *mem)
{
    struct mw_out_pool pool;
    struct mw_outq queue;
    mw_out_pool_init(&pool, mem);
    mw_outq_init(&queue, &pool, mem);
    struct mw_msg *msg = mw_msg_new(mem, 10);
    bool all = msg != NULL;
    size_t want = 0;
    for (int i = 0; msg && i < 20; i++) { /* more than the first table holds */
        char key = (char)('a' + i);
        int err = mw_outq_put_keyed(&queue, mw_view(&key, 1), msg, 0);
        want += err ? 0 : 10;
        all = all && !err;
    }
    assert_int_equal(queue.bytes, want);
    assert_true(mw_outq_validate(&queue));
    mw_msg_drop(msg);
    mw_outq_free(&queue);
    mw_out_pool_free(&pool);
    return all;
}

TEST(each_failing_allocation_queues_nothing_of_its_message)
{
    assert_true(fail_each_allocation(put_keyed_each) >= 20);
}

/* ---- random use against a model ---- */

#define MOST_ITEMS 1000

/* What has to come out, in this order; dropped ones may. */
struct item {
    uint32_t number;
    const char *wire; /* of a keyed message, while it may be replaced; else NULL */
    char key;
    bool may_be_missing;
};

struct model {
    struct line line;
    struct mw_rng rng;
    uint32_t next_number, replaced;
    struct item items[MOST_ITEMS];
    size_t item_count, given_bytes;
    struct mw_mem out_mem;
    struct mw_buf out;
};

static struct mw_msg *numbered_msg(struct model *model, uint32_t *number)
{
    char room[3000] = { 0 };
    static const size_t sizes[] = { 8, 100, 3000 };
    size_t len = sizes[mw_rng_below(&model->rng, MW_COUNT(sizes))];
    *number = model->next_number++;
    memcpy(room, number, sizeof *number);
    return make_msg(&model->line.mem, mw_view(room, len));
}

static void expect_item(struct model *model, uint32_t number, const char *wire, char key)
{
    assert_true(model->item_count < MOST_ITEMS);
    model->items[model->item_count++] = (struct item){ number, wire, key, false };
}

static void put_plain(struct model *model)
{
    uint32_t number;
    struct mw_msg *msg = numbered_msg(model, &number);
    assert_int_equal(mw_outq_put_msg(&model->line.queue, msg), MW_OK);
    mw_msg_drop(msg);
    expect_item(model, number, NULL, 0);
}

static void put_keyed(struct model *model)
{
    uint32_t number;
    char key = (char)('a' + mw_rng_below(&model->rng, 12));
    struct mw_msg *msg = numbered_msg(model, &number);
    const char *wire = mw_msg_wire(msg).data;
    struct item *old = NULL;
    for (size_t i = 0; i < model->item_count; i++) {
        if (model->items[i].wire && model->items[i].key == key)
            old = &model->items[i];
    }
    assert_int_equal(put_latest(&model->line.queue, mw_view(&key, 1), msg), old != NULL);
    if (old) {
        old->number = number;
        old->wire = wire;
        model->replaced++;
    } else {
        expect_item(model, number, wire, key);
    }
}

static void drop(struct model *model)
{
    mw_outq_drop(&model->line.queue);
    for (size_t i = 0; i < model->item_count; i++) {
        struct item *item = &model->items[i];
        bool was_keyed = item->key != 0;
        item->may_be_missing |= item->wire != NULL || !was_keyed;
        item->wire = NULL;
    }
}

static void show(struct model *model)
{
    struct mw_view vectors[6];
    size_t count = mw_outq_iov(&model->line.queue, vectors, 1 + mw_rng_below(&model->rng, 6));
    for (size_t i = 0; i < count; i++) {
        model->given_bytes += vectors[i].len;
        assert_int_equal(mw_buf_put_view(&model->out, vectors[i]), MW_OK);
        for (size_t n = 0; n < model->item_count; n++) {
            if (model->items[n].wire == vectors[i].data)
                model->items[n].wire = NULL;
        }
    }
}

static void leave(struct model *model)
{
    size_t n = 1 + mw_rng_below(&model->rng, model->given_bytes);
    if (mw_rng_below(&model->rng, 2))
        n = model->given_bytes;
    mw_outq_written(&model->line.queue, n);
    model->given_bytes -= n;
}

static void do_something(struct model *model)
{
    unsigned choice = (unsigned)mw_rng_below(&model->rng, 100);
    if (choice < 20)
        put_plain(model);
    else if (choice < 65)
        put_keyed(model);
    else if (choice == 65)
        drop(model);
    else if (model->given_bytes)
        leave(model);
    else
        show(model);
    assert_true(mw_outq_validate(&model->line.queue));
}

static void check_output(const struct model *model)
{
    size_t next = 0;
    for (size_t at = 0; at < model->out.len;) {
        struct mw_frame_head head;
        enum mw_rule rule;
        uint32_t number;
        int size = mw_frame_decode((uint8_t *)model->out.data + at, model->out.len - at,
                                   MW_ROLE_CLIENT, false, &head, &rule);
        assert_true(size > 0 && at + (size_t)size + head.len <= model->out.len);
        memcpy(&number, model->out.data + at + size, sizeof number);
        for (; next < model->item_count && model->items[next].number != number; next++)
            assert_true(model->items[next].may_be_missing);
        assert_true(next < model->item_count);
        next++;
        at += (size_t)size + head.len;
    }
    for (; next < model->item_count; next++)
        assert_true(model->items[next].may_be_missing);
}

static uint32_t run_model(uint64_t seed)
{
    static struct model model;
    model = (struct model){ .next_number = 0 };
    open_line(&model.line);
    mw_rng_seed(&model.rng, seed);
    mw_mem_init(&model.out_mem, NULL, 0);
    mw_buf_init(&model.out, &model.out_mem, 0);
    for (int step = 0; step < 600; step++)
        do_something(&model);
    while (model.line.queue.bytes) {
        if (model.given_bytes)
            leave(&model);
        else
            show(&model);
    }
    check_output(&model);
    close_line(&model.line);
    mw_buf_free(&model.out);
    assert_mem_empty(&model.out_mem);
    return model.replaced;
}

TEST(random_use_replaces_in_place_and_loses_nothing_else)
{
    uint32_t replaced = 0;
    for (uint64_t seed = 1; seed <= 300; seed++)
        replaced += run_model(seed);
    assert_true(replaced > 10000);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(what_was_added_is_found_whatever_came_and_went),
        CASE(a_newer_message_stands_in_the_place_of_the_older_one),
        CASE(what_was_handed_out_is_not_replaced),
        CASE(what_was_only_shown_is_replaced_and_what_has_left_in_part_is_not),
        CASE(keys_cost_something_only_while_they_wait),
        CASE(each_failing_allocation_queues_nothing_of_its_message),
        CASE(random_use_replaces_in_place_and_loses_nothing_else),
    };
    return RUN(cases);
}
