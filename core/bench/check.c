/*
 * The fast way is a memcmp over all that one read brought. The slow way begins where a byte is not
 * the one that was due: what was right of its frame is given to the reader first, so that it stands
 * at the same place. Called by peer for each read.
 */
#include "core/bench/check.h"

#include <stdio.h>

#include "core/base/json.h"
#include "core/base/str.h"

void mw_bench_check_init(struct mw_bench_check *check, const struct mw_bench_tape *tape,
                         struct mw_mem *mem, uint32_t start)
{
    *check = (struct mw_bench_check){ .tape = tape, .start = start };
    mw_buf_init(&check->whole, mem, 0);
}

void mw_bench_check_inflate(struct mw_bench_check *check, struct mw_deflate_pool *pool,
                            uint8_t bits, bool takeover)
{
    check->reader.deflate = true;
    mw_inflater_init(&check->inflater, pool, bits, takeover);
}

void mw_bench_check_free(struct mw_bench_check *check)
{
    mw_inflater_free(&check->inflater);
    mw_buf_free(&check->whole);
}

static int wrong(char why[MW_BENCH_WHY_MAX], const char *what)
{
    (void)snprintf(why, MW_BENCH_WHY_MAX, "%s", what);
    return MW_ERR_PROTOCOL;
}

static size_t common(const char *a, const char *b, size_t len)
{
    size_t i = 0;
    while (i < len && a[i] == b[i])
        i++;
    return i;
}

static void advance(struct mw_bench_check *check, size_t bytes)
{
    check->at += bytes;
    if (check->at < check->tape->frame_len)
        return;
    if (check->at == check->tape->frame_len) { /* what one message under way always is */
        check->got++;
        check->at = 0;
        return;
    }
    check->got += check->at / check->tape->frame_len;
    check->at %= check->tape->frame_len;
}

/* True: all bytes were right, or nothing more is due; false: the next one is not as expected. */
static bool match(struct mw_bench_check *check, uint64_t sent, struct mw_view *rest)
{
    while (rest->len > 0 && check->got < sent) {
        struct mw_view due =
            mw_bench_tape_expect(check->tape, check->start + check->got, check->at);
        uint64_t left = (sent - check->got) * check->tape->frame_len - check->at;
        size_t len = rest->len < due.len ? rest->len : due.len;
        if (len > left)
            len = (size_t)left;
        bool is_right = memcmp(rest->data, due.data, len) == 0;
        if (!is_right)
            len = common(rest->data, due.data, len);
        *rest = mw_view(rest->data + len, rest->len - len);
        advance(check, len);
        if (!is_right)
            return false;
    }
    return rest->len == 0;
}

/* ---- taken apart ---- */

static bool means_the_same(const struct mw_json *a, const struct mw_json *b);

static bool has_member(const struct mw_json *object, struct mw_view wanted,
                       const struct mw_json *like)
{
    struct mw_view key;
    const struct mw_json *value;
    struct mw_json_iter iter = mw_json_iter(object);
    while (mw_json_iter_next(&iter, &key, &value)) {
        if (mw_view_equal(key, wanted))
            return means_the_same(value, like);
    }
    return false;
}

/* Arrays in their order, objects in any. */
static bool means_the_same_inside(const struct mw_json *a, const struct mw_json *b, bool is_array)
{
    struct mw_view key;
    const struct mw_json *in_a, *in_b;
    struct mw_json_iter iter_a = mw_json_iter(a), iter_b = mw_json_iter(b);
    if (mw_json_count(a) != mw_json_count(b))
        return false;
    while (mw_json_iter_next(&iter_a, &key, &in_a)) {
        if (is_array ? !mw_json_iter_next(&iter_b, &key, &in_b) || !means_the_same(in_a, in_b)
                     : !has_member(b, key, in_a))
            return false;
    }
    return true;
}

/* As deep as what we have written ourselves: a deeper answer differs before it is followed. */
static bool means_the_same(const struct mw_json *a, const struct mw_json *b)
{
    if (mw_json_kind(a) != mw_json_kind(b))
        return false;
    switch (mw_json_kind(a)) {
    case MW_JSON_NULL:
        return true;
    case MW_JSON_BOOL:
        return mw_json_bool(a) == mw_json_bool(b);
    case MW_JSON_INTEGER:
        return mw_json_integer(a) == mw_json_integer(b);
    case MW_JSON_NUMBER:
        return !(mw_json_number(a) < mw_json_number(b) || mw_json_number(a) > mw_json_number(b));
    case MW_JSON_STRING:
        return mw_view_equal(mw_json_string(a), mw_json_string(b));
    case MW_JSON_ARRAY:
        return means_the_same_inside(a, b, true);
    case MW_JSON_OBJECT:
        return means_the_same_inside(a, b, false);
    }
    return false;
}

static bool is_same_json(struct mw_mem *mem, struct mw_view one, struct mw_view other)
{
    struct mw_json_error error;
    struct mw_json_doc *a = mw_json_parse(mem, one, &error);
    struct mw_json_doc *b = a ? mw_json_parse(mem, other, &error) : NULL;
    bool is_same = b && means_the_same(mw_json_root(a), mw_json_root(b));
    mw_json_doc_free(b);
    mw_json_doc_free(a);
    return is_same;
}

static struct mw_view due_message(const struct mw_bench_check *check)
{
    return mw_bench_tape_message(check->tape, check->start + check->got);
}

static void finish_message(struct mw_bench_check *check)
{
    check->got++;
    check->at = 0;
    check->is_apart = false;
}

static int judge_whole(struct mw_bench_check *check, char why[MW_BENCH_WHY_MAX])
{
    struct mw_view came = mw_buf_view(&check->whole), due = due_message(check);
    bool is_right = mw_view_equal(came, due) || (check->tape->body == MW_BENCH_BODY_json &&
                                                 is_same_json(check->whole.mem, came, due));
    mw_buf_clear(&check->whole);
    if (!is_right)
        return wrong(why, "what came is not what was sent");
    finish_message(check);
    return MW_OK;
}

/* A message that cannot be compared as it comes. */
static int take_whole(struct mw_bench_check *check, const struct mw_bench_piece *piece,
                      char why[MW_BENCH_WHY_MAX])
{
    int err = piece->is_compressed ? mw_inflater_feed(&check->inflater, piece->bytes, &check->whole)
                                   : mw_buf_put_view(&check->whole, piece->bytes);
    if (!err && piece->is_last && piece->is_compressed)
        err = mw_inflater_end(&check->inflater, &check->whole);
    if (err == MW_ERR_PROTOCOL)
        return wrong(why, "what came is not compressed as it says");
    if (err || !piece->is_last)
        return err;
    return judge_whole(check, why);
}

static int take_data(struct mw_bench_check *check, uint64_t sent,
                     const struct mw_bench_piece *piece, char why[MW_BENCH_WHY_MAX])
{
    const struct mw_bench_tape *tape = check->tape;
    struct mw_view due = due_message(check);
    if (check->got == sent)
        return wrong(why, "a message came that nobody had asked for");
    if (piece->opcode != (tape->in_head[0] & 0xf))
        return wrong(why, "what came is not what was sent: text is binary, or binary text");
    if (piece->is_compressed || tape->body == MW_BENCH_BODY_json)
        return take_whole(check, piece, why);
    if (piece->frame_len != due.len) {
        (void)snprintf(why, MW_BENCH_WHY_MAX,
                       "what came is not what was sent: %llu bytes instead of %zu",
                       (unsigned long long)piece->frame_len, due.len);
        return MW_ERR_PROTOCOL;
    }
    size_t right = common(piece->bytes.data, due.data + piece->at, piece->bytes.len);
    if (right < piece->bytes.len) {
        (void)snprintf(why, MW_BENCH_WHY_MAX,
                       "what came is not what was sent: byte %llu of %zu, in message %llu",
                       (unsigned long long)(piece->at + right), due.len,
                       (unsigned long long)check->got);
        return MW_ERR_PROTOCOL;
    }
    if (piece->is_last)
        finish_message(check);
    return MW_OK;
}

/* As take: 1 with a control frame, 0 when all was taken or the frame is over. */
static int take_apart(struct mw_bench_check *check, uint64_t sent, struct mw_view *rest,
                      struct mw_bench_piece *piece, char why[MW_BENCH_WHY_MAX])
{
    int step = mw_bench_read(&check->reader, rest, piece);
    if (step < 0)
        return wrong(why, mw_bench_reader_fault(&check->reader));
    if (step == 0)
        return MW_OK;
    if (mw_opcode_is_control(piece->opcode)) {
        check->is_apart = false;
        return 1;
    }
    return take_data(check, sent, piece, why);
}

/* The reader hears what was right of this frame, as if it had been asked from its beginning. */
static int begin_apart(struct mw_bench_check *check, uint64_t sent, char why[MW_BENCH_WHY_MAX])
{
    struct mw_bench_piece piece;
    size_t at = check->at, told = 0;
    check->is_apart = true;
    while (told < at) {
        struct mw_view part = mw_bench_tape_expect(check->tape, check->start + check->got, told);
        if (part.len > at - told)
            part.len = at - told;
        told += part.len;
        while (part.len > 0) {
            int step = take_apart(check, sent, &part, &piece, why);
            if (step < 0)
                return step;
        }
    }
    return MW_OK;
}

/* What a read brings where one message is under way: 40 instructions less than the general way. */
static bool is_just_one(const struct mw_bench_check *check, uint64_t sent, struct mw_view rest)
{
    const struct mw_bench_tape *tape = check->tape;
    if (rest.len != tape->frame_len || check->at > 0 || check->is_apart || check->got >= sent)
        return false;
    struct mw_view due = mw_bench_tape_expect(tape, check->start + check->got, 0);
    return due.len >= rest.len && memcmp(rest.data, due.data, rest.len) == 0;
}

int mw_bench_check_take(struct mw_bench_check *check, uint64_t sent, struct mw_view *rest,
                        struct mw_bench_piece *piece, char why[MW_BENCH_WHY_MAX])
{
    if (is_just_one(check, sent, *rest)) {
        check->got++;
        rest->len = 0;
        return 0;
    }
    while (rest->len > 0) {
        int step = MW_OK;
        if (!check->is_apart) {
            if (match(check, sent, rest))
                return 0;
            if (check->tape->bare)
                return wrong(why, check->got < sent ? "what came is not what was sent"
                                                    : "bytes came that nobody had asked for");
            step = begin_apart(check, sent, why);
        }
        if (!step)
            step = take_apart(check, sent, rest, piece, why);
        if (step)
            return step;
    }
    return 0;
}
