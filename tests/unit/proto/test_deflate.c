/*
 * deflate: what goes in comes out, for every kind of message, window and cut; what it holds; what
 * is no DEFLATE.
 */
#include "core/proto/deflate.h"

#include <stdlib.h>

#include "core/base/rng.h"
#include "tests/unit/unit.h"

#define MANY SIZE_MAX

struct pair {
    struct mw_mem mem;
    struct mw_deflate_pool pool;
    struct mw_deflater deflater;
    struct mw_inflater inflater;
    struct mw_buf payload, message;
};

static void open_pair(struct pair *pair, uint8_t bits, bool takeover)
{
    mw_mem_init(&pair->mem, NULL, 0);
    mw_deflate_pool_init(&pair->pool, &pair->mem, MANY);
    mw_deflater_init(&pair->deflater, &pair->pool, bits, takeover);
    mw_inflater_init(&pair->inflater, &pair->pool, bits, takeover);
    mw_buf_init(&pair->payload, &pair->mem, 0);
    mw_buf_init(&pair->message, &pair->mem, 0);
}

static void close_pair(struct pair *pair)
{
    mw_deflater_free(&pair->deflater);
    mw_inflater_free(&pair->inflater);
    mw_buf_free(&pair->payload);
    mw_buf_free(&pair->message);
    mw_deflate_pool_free(&pair->pool);
    assert_mem_empty(&pair->mem);
}

/* Inflates the payload in pieces of this size; the message is in pair->message. */
static int inflate_in(struct pair *pair, size_t piece)
{
    int err = MW_OK;
    mw_buf_free(&pair->message);
    for (size_t at = 0; !err && at < pair->payload.len; at += piece) {
        size_t left = pair->payload.len - at, len = left < piece ? left : piece;
        char *exact = malloc(len);
        assert_non_null(exact);
        memcpy(exact, pair->payload.data + at, len);
        err = mw_inflater_feed(&pair->inflater, mw_view(exact, len), &pair->message);
        free(exact);
    }
    if (!err)
        err = mw_inflater_end(&pair->inflater, &pair->message);
    assert_true(mw_inflater_validate(&pair->inflater));
    return err;
}

static void pass(struct pair *pair, struct mw_view message, size_t piece)
{
    mw_buf_clear(&pair->payload);
    assert_int_equal(mw_deflater_run(&pair->deflater, message, &pair->payload), MW_OK);
    assert_int_equal(inflate_in(pair, piece), MW_OK);
    assert_int_equal(pair->message.len, message.len);
    if (message.len)
        assert_memory_equal(pair->message.data, message.data, message.len);
}

/* ---- there and back ---- */

enum texture { CONSTANT, JSON, NOISE, TEXTURE_COUNT };

static char text[70000];

static struct mw_view compose(struct mw_rng *rng, size_t len)
{
    static const char json[] = "{\"id\":12345,\"user\":\"ann\",\"text\":\"good evening\"},";
    enum texture texture = (enum texture)mw_rng_below(rng, TEXTURE_COUNT);
    for (size_t i = 0; i < len; i++) {
        if (texture == NOISE)
            text[i] = (char)mw_rng_next(rng);
        else if (texture == JSON)
            text[i] = mw_rng_below(rng, 9) ? json[i % (sizeof json - 1)] : 'x';
        else
            text[i] = 'a';
    }
    return mw_view(text, len);
}

TEST(what_was_compressed_comes_back_for_every_window_and_cut)
{
    static const size_t sizes[] = { 0, 1, 127, 272, 4096, 5000, 33000, 70000 };
    static const size_t pieces[] = { 1, 2, 7, 1000, 100000 };
    for (uint8_t bits = MW_DEFLATE_BITS_MIN; bits <= MW_DEFLATE_BITS_MAX; bits++) {
        for (int takeover = 0; takeover < 2; takeover++) {
            struct pair pair;
            struct mw_rng rng;
            mw_rng_seed(&rng, bits);
            open_pair(&pair, bits, takeover);
            for (size_t i = 0; i < 40; i++) {
                size_t len = sizes[mw_rng_below(&rng, MW_COUNT(sizes))];
                size_t piece = pieces[mw_rng_below(&rng, MW_COUNT(pieces))];
                pass(&pair, compose(&rng, len), piece);
            }
            close_pair(&pair);
        }
    }
}

TEST(a_context_makes_the_second_of_two_equal_messages_small)
{
    struct pair pair;
    struct mw_rng rng;
    mw_rng_seed(&rng, 3);
    for (size_t i = 0; i < 1000; i++)
        text[i] = (char)mw_rng_next(&rng);
    open_pair(&pair, 12, true);
    pass(&pair, mw_view(text, 1000), 5000);
    assert_true(pair.payload.len >= 1000);
    pass(&pair, mw_view(text, 1000), 5000);
    assert_true(pair.payload.len < 30);
    close_pair(&pair);

    open_pair(&pair, 12, false);
    for (int i = 0; i < 2; i++) {
        pass(&pair, mw_view(text, 1000), 5000);
        assert_true(pair.payload.len >= 1000);
    }
    close_pair(&pair);
}

TEST(a_message_that_was_forgotten_is_not_referred_to)
{
    struct pair pair;
    open_pair(&pair, 12, true);
    memset(text, 'q', 500);
    pass(&pair, mw_view_text("something before"), 100);
    mw_buf_clear(&pair.payload);
    assert_int_equal(mw_deflater_run(&pair.deflater, mw_view(text, 500), &pair.payload), MW_OK);
    mw_deflater_forget(&pair.deflater);
    pass(&pair, mw_view(text, 500), 100);
    close_pair(&pair);
}

/* RFC 7692 7.2.3.6 */
TEST(an_empty_message_is_a_zero_byte)
{
    struct pair pair;
    open_pair(&pair, 12, true);
    for (int i = 0; i < 3; i++) {
        pass(&pair, mw_view("", 0), 1);
        assert_int_equal(pair.payload.len, 1);
        assert_int_equal(pair.payload.data[0], 0);
        pass(&pair, mw_view_text("between"), 3);
    }
    close_pair(&pair);
}

/* ---- what it holds ---- */

TEST(who_has_compressed_nothing_owns_nothing)
{
    struct pair pair;
    open_pair(&pair, 12, true);
    assert_mem_empty(&pair.mem);
    close_pair(&pair);
}

TEST(a_connection_keeps_one_window_of_what_came)
{
    struct pair pair;
    open_pair(&pair, 12, true);
    memset(text, 'w', sizeof text);
    pass(&pair, mw_view(text, 100), 100);
    assert_int_equal(pair.inflater.history.len, 100);
    pass(&pair, mw_view(text, 4050), 100);
    assert_int_equal(pair.inflater.history.len, 4096);
    pass(&pair, mw_view(text, 60000), 100);
    assert_int_equal(pair.inflater.history.len, 4096);
    assert_true(pair.inflater.history.cap <= 4096);
    close_pair(&pair);
}

TEST(without_takeover_connections_share_and_keep_nothing)
{
    struct pair pair;
    open_pair(&pair, 12, false);
    memset(text, 'w', sizeof text);
    pass(&pair, mw_view(text, 5000), 100);
    assert_null(pair.deflater.own);
    assert_int_equal(pair.inflater.history.cap, 0);
    size_t held = pair.mem.bytes - pair.message.cap - pair.payload.cap;
    struct mw_deflater others[20];
    for (size_t i = 0; i < MW_COUNT(others); i++) {
        mw_deflater_init(&others[i], &pair.pool, 12, false);
        mw_buf_clear(&pair.payload);
        assert_int_equal(mw_deflater_run(&others[i], mw_view(text, 5000), &pair.payload), MW_OK);
    }
    assert_int_equal(pair.mem.bytes - pair.message.cap - pair.payload.cap, held);
    close_pair(&pair);
}

/* The one that has waited longest loses its context, and nobody hears of it. */
TEST(contexts_stay_below_their_cap)
{
    enum { PEERS = 12, KEPT = 4 };
    struct pair pairs[PEERS];
    struct mw_mem mem;
    struct mw_deflate_pool pool;
    mw_mem_init(&mem, NULL, 0);
    mw_deflate_pool_init(&pool, &mem, MANY);
    for (size_t i = 0; i < PEERS; i++) {
        open_pair(&pairs[i], 12, true);
        mw_deflater_init(&pairs[i].deflater, &pool, 12, true);
        pass(&pairs[i], mw_view_text("to know what one costs"), 100);
        if (i == 0)
            pool.max_bytes = KEPT * pool.kept_bytes;
        assert_true(pool.kept_bytes <= pool.max_bytes);
    }
    struct mw_rng rng;
    mw_rng_seed(&rng, 9);
    for (size_t i = 0; i < 400; i++) {
        struct pair *pair = &pairs[mw_rng_below(&rng, PEERS)];
        pass(pair, compose(&rng, 300), 1000);
        assert_non_null(pair->deflater.own);
        assert_true(pool.kept_bytes <= pool.max_bytes);
    }
    size_t owners = 0;
    for (size_t i = 0; i < PEERS; i++) {
        owners += pairs[i].deflater.own != NULL;
        close_pair(&pairs[i]);
    }
    assert_int_equal(owners, KEPT);
    mw_deflate_pool_free(&pool);
    assert_mem_empty(&mem);
}

TEST(a_cap_below_one_context_still_lets_one_compress)
{
    struct pair pair;
    open_pair(&pair, 12, true);
    pair.pool.max_bytes = 1;
    pass(&pair, mw_view_text("compressed all the same"), 3);
    pass(&pair, mw_view_text("compressed all the same"), 3);
    close_pair(&pair);
}

/* Windows cannot be taken away, so they count first: contexts get what is left. */
TEST(windows_of_what_came_count_below_the_same_cap)
{
    struct pair pair;
    struct mw_inflater others[3];
    open_pair(&pair, 12, true);
    pair.pool.max_bytes = 4 * 4096 + 100;
    assert_int_equal(pair.pool.promised_bytes, 4096);
    for (size_t i = 0; i < MW_COUNT(others); i++) {
        assert_true(mw_deflate_pool_has_room(&pair.pool, 12));
        mw_inflater_init(&others[i], &pair.pool, 12, true);
    }
    assert_false(mw_deflate_pool_has_room(&pair.pool, 12));
    assert_int_equal(pair.pool.kept_bytes, 0); /* a promise costs nothing yet */

    memset(text, 'w', sizeof text);
    pass(&pair, mw_view(text, 60000), 1000);
    assert_int_equal(pair.inflater.history.cap, 4096);
    assert_in_range(pair.pool.kept_bytes, 4096 + 30000, 4096 + 50000); /* and one context */
    assert_null(others[0].history.data);
    for (size_t i = 0; i < MW_COUNT(others); i++)
        mw_inflater_free(&others[i]);
    assert_true(mw_deflate_pool_has_room(&pair.pool, 12));
    close_pair(&pair);
}

TEST(a_window_that_grows_over_the_cap_takes_a_context_of_somebody_else)
{
    struct pair pair;
    struct mw_deflater older;
    open_pair(&pair, 12, true);
    mw_deflater_init(&older, &pair.pool, 12, true);
    assert_int_equal(mw_deflater_run(&older, mw_view_text("older"), &pair.payload), MW_OK);
    pass(&pair, mw_view_text("newer"), 100);
    pair.pool.max_bytes = pair.pool.kept_bytes; /* two contexts and a small window */
    assert_non_null(older.own);
    memset(text, 'w', sizeof text);
    pass(&pair, mw_view(text, 60000), 1000);
    assert_null(older.own);
    assert_non_null(pair.deflater.own);
    assert_true(pair.pool.kept_bytes <= pair.pool.max_bytes);
    mw_deflater_free(&older);
    close_pair(&pair);
}

/* ---- bounds ---- */

TEST(a_bomb_is_refused_while_it_is_inflated)
{
    struct pair pair;
    open_pair(&pair, 15, false);
    char *zeros = calloc(1, 64 << 20);
    assert_non_null(zeros);
    assert_int_equal(mw_deflater_run(&pair.deflater, mw_view(zeros, 64 << 20), &pair.payload),
                     MW_OK);
    free(zeros);
    pair.message.max_bytes = 1 << 20;
    size_t before = pair.mem.bytes;
    pair.mem.peak = before;
    assert_int_equal(inflate_in(&pair, 100000), MW_ERR_FULL);
    assert_int_equal(pair.message.len, 1 << 20);
    assert_true(pair.mem.peak - before < (2 << 20));
    close_pair(&pair);
}

TEST(the_bound_is_exact_for_every_cut)
{
    for (size_t piece = 1; piece < 20; piece++) {
        for (size_t bound = 990; bound < 1010; bound++) {
            struct pair pair;
            open_pair(&pair, 12, false);
            memset(text, 'b', 1000);
            assert_int_equal(mw_deflater_run(&pair.deflater, mw_view(text, 1000), &pair.payload),
                             MW_OK);
            pair.message.max_bytes = bound;
            assert_int_equal(inflate_in(&pair, piece), bound < 1000 ? MW_ERR_FULL : MW_OK);
            assert_int_equal(pair.message.len, bound < 1000 ? bound : 1000);
            close_pair(&pair);
        }
    }
}

/* ---- bytes that are anything ---- */

static int try_bytes(const char *bytes, size_t len, size_t piece, struct mw_buf *out,
                     struct mw_mem *mem)
{
    struct pair pair;
    open_pair(&pair, 12, true);
    pass(&pair, mw_view_text("a past to refer to"), 100);
    assert_int_equal(mw_buf_put(&pair.payload, bytes, len) == MW_OK, true);
    mw_buf_skip(&pair.payload, pair.payload.len - len);
    pair.message.max_bytes = 2000;
    int err = inflate_in(&pair, piece);
    mw_buf_init(out, mem, 0);
    assert_int_equal(mw_buf_put_view(out, mw_buf_view(&pair.message)), MW_OK);
    close_pair(&pair);
    return err;
}

/* Noise, and real data with a byte changed: the same answer and the same bytes for every cut. */
TEST(what_is_no_deflate_is_refused_alike_for_every_cut)
{
    struct mw_rng rng;
    struct mw_mem mem;
    size_t refused = 0;
    mw_mem_init(&mem, NULL, 0);
    mw_rng_seed(&rng, 77);
    for (size_t i = 0; i < 1500; i++) {
        char bytes[400];
        size_t len = 1 + mw_rng_below(&rng, 60);
        for (size_t k = 0; k < len; k++)
            bytes[k] = (char)mw_rng_next(&rng);
        if (i % 2) {
            struct pair pair;
            open_pair(&pair, 12, false);
            struct mw_view message = compose(&rng, 350);
            assert_int_equal(mw_deflater_run(&pair.deflater, message, &pair.payload), MW_OK);
            len = pair.payload.len < sizeof bytes ? pair.payload.len : sizeof bytes;
            memcpy(bytes, pair.payload.data, len);
            bytes[mw_rng_below(&rng, len)] ^= (char)(1 << mw_rng_below(&rng, 8));
            close_pair(&pair);
        }
        struct mw_buf whole, cut;
        int err = try_bytes(bytes, len, len, &whole, &mem);
        refused += err != MW_OK;
        for (size_t piece = 1; piece < len; piece += 1 + len / 5) {
            assert_int_equal(try_bytes(bytes, len, piece, &cut, &mem), err);
            assert_int_equal(cut.len, whole.len);
            if (cut.len)
                assert_memory_equal(cut.data, whole.data, cut.len);
            mw_buf_free(&cut);
        }
        mw_buf_free(&whole);
    }
    assert_true(refused > 500);
    assert_mem_empty(&mem);
}

/* ---- memory ---- */

static bool talk(struct mw_mem *mem)
{
    struct mw_deflate_pool pool;
    struct mw_deflater deflater;
    struct mw_inflater inflater;
    struct mw_buf payload, message;
    mw_deflate_pool_init(&pool, mem, MANY);
    mw_deflater_init(&deflater, &pool, 12, true);
    mw_inflater_init(&inflater, &pool, 12, true);
    mw_buf_init(&payload, mem, 0);
    mw_buf_init(&message, mem, 0);
    bool all = true, lost = false;
    for (int i = 0; i < 4 && !lost; i++) {
        memset(text, 'a' + i, 3000);
        mw_buf_clear(&payload);
        mw_buf_free(&message);
        int err = mw_deflater_run(&deflater, mw_view(text, 3000), &payload);
        assert_true(err == MW_OK || (err == MW_ERR_NOMEM && payload.len == 0));
        all = all && !err;
        if (err)
            continue; /* sent plain */
        err = mw_inflater_feed(&inflater, mw_buf_view(&payload), &message);
        if (!err)
            err = mw_inflater_end(&inflater, &message);
        assert_true(err == MW_OK || err == MW_ERR_NOMEM);
        lost = err != MW_OK;
        if (!lost)
            assert_memory_equal(message.data, text, 3000);
    }
    mw_deflater_free(&deflater);
    mw_inflater_free(&inflater);
    mw_buf_free(&payload);
    mw_buf_free(&message);
    mw_deflate_pool_free(&pool);
    return all && !lost;
}

TEST(no_memory_is_an_answer_at_every_allocation)
{
    assert_in_range(fail_each_allocation(talk), 8, 100);
}

/* A header of ten bytes, DEFLATE, a checksum and the length. */
TEST(a_gzip_file_holds_what_was_put_in_behind_what_was_there)
{
    static const char *const texts[] = { "", "one", "one, one, one, one, one, one, one, one" };
    for (size_t i = 0; i < MW_COUNT(texts); i++) {
        struct pair pair;
        open_pair(&pair, 15, false);
        pair.message.max_bytes = 1000;
        assert_int_equal(mw_buf_put_text(&pair.payload, "before"), MW_OK);
        assert_int_equal(mw_gzip(mw_view_text(texts[i]), &pair.payload), MW_OK);
        assert_memory_equal(pair.payload.data, "before\x1F\x8B\x08\0\0\0\0\0", 14);
        assert_int_equal((uint8_t)pair.payload.data[pair.payload.len - 4], strlen(texts[i]));
        struct mw_view raw = mw_view(pair.payload.data + 16, pair.payload.len - 24);
        assert_int_equal(mw_inflater_feed(&pair.inflater, raw, &pair.message), MW_OK);
        assert_int_equal(mw_inflater_end(&pair.inflater, &pair.message), MW_OK);
        assert_view(mw_buf_view(&pair.message), texts[i]);
        close_pair(&pair);
    }
}

TEST(a_gzip_file_without_memory_is_none)
{
    struct pair pair;
    open_pair(&pair, 15, false);
    int err = MW_ERR_NOMEM, tries = 0;
    assert_int_equal(mw_buf_put_text(&pair.payload, "before"), MW_OK);
    for (; err; tries++) {
        pair.mem.fail_at = pair.mem.count + 1 + (uint64_t)tries;
        err = mw_gzip(mw_view_text("one, one, one, one, one, one, one, one"), &pair.payload);
        assert_int_equal(err, err ? MW_ERR_NOMEM : MW_OK);
        assert_true(!err || pair.payload.len == 6);
    }
    assert_in_range(tries, 4, 20);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_gzip_file_holds_what_was_put_in_behind_what_was_there),
        CASE(a_gzip_file_without_memory_is_none),
        CASE(what_was_compressed_comes_back_for_every_window_and_cut),
        CASE(a_context_makes_the_second_of_two_equal_messages_small),
        CASE(a_message_that_was_forgotten_is_not_referred_to),
        CASE(an_empty_message_is_a_zero_byte),
        CASE(who_has_compressed_nothing_owns_nothing),
        CASE(a_connection_keeps_one_window_of_what_came),
        CASE(without_takeover_connections_share_and_keep_nothing),
        CASE(contexts_stay_below_their_cap),
        CASE(a_cap_below_one_context_still_lets_one_compress),
        CASE(windows_of_what_came_count_below_the_same_cap),
        CASE(a_window_that_grows_over_the_cap_takes_a_context_of_somebody_else),
        CASE(a_bomb_is_refused_while_it_is_inflated),
        CASE(the_bound_is_exact_for_every_cut),
        CASE(what_is_no_deflate_is_refused_alike_for_every_cut),
        CASE(no_memory_is_an_answer_at_every_allocation),
    };
    return RUN(cases);
}
