/*
 * sim_net: random conversations of both roles over a line that cuts the bytes anywhere. What one
 * side sends arrives at the other once, in order and whole, as long as nothing is cut. The terms of
 * permessage-deflate follow from the seed as well.
 */
#include "core/sim/sim_net.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/digest.h"
#include "tests/unit/unit.h"

#define SEEDS 400

struct way {
    uint32_t sent, arrived;
};

struct talk {
    struct mw_mem mem;
    struct mw_limits_ms limits;
    struct mw_ext_deflate terms;
    struct mw_sim_net net;
    struct mw_rng choices;
    struct way ways[2]; /* by the role that sends */
    unsigned closed[2], pongs[2];
    uint64_t trace; /* of everything that was seen */
    size_t answers_left;
    size_t longest; /* message */
};

/* ---- messages that can be told apart ---- */

static char message[80000];

/* Number, then bytes that follow from it: a test knows them without keeping them. */
static size_t compose(const struct talk *talk, enum mw_role role, uint32_t number,
                      enum mw_opcode *kind)
{
    struct mw_rng rng;
    mw_rng_seed(&rng, (uint64_t)role * 1000003 + number);
    static const size_t sizes[] = { 8, 130, 3000, 20000, 70000 };
    size_t size = sizes[mw_rng_below(&rng, MW_COUNT(sizes))];
    size_t len = 8 + (size_t)mw_rng_below(&rng, size < talk->longest ? size : talk->longest);
    *kind = mw_rng_below(&rng, 2) ? MW_OPCODE_TEXT : MW_OPCODE_BINARY;
    snprintf(message, sizeof message, "%08u", number);
    for (size_t i = 8; i < len; i++)
        message[i] = (char)(' ' + (number + i * 7 + i / 89) % 90);
    return len;
}

static void say(struct talk *talk, enum mw_role role)
{
    enum mw_opcode kind;
    struct way *way = &talk->ways[role];
    size_t len = compose(talk, role, way->sent, &kind);
    int err =
        mw_conn_send(mw_sim_conn(&talk->net, role), kind, mw_view(message, len), talk->net.now_ms);
    way->sent += err == MW_OK;
    assert_true(err == MW_OK || err == MW_ERR_CLOSED || err == MW_ERR_DROPPED ||
                (err == MW_ERR_NOMEM && talk->mem.fail_at));
}

static void hear(struct talk *talk, enum mw_role role, const struct mw_event *event)
{
    enum mw_opcode kind;
    struct way *way = &talk->ways[!role];
    size_t len = compose(talk, (enum mw_role) !role, way->arrived++, &kind);
    assert_true(way->arrived <= way->sent);
    assert_int_equal(event->opcode, kind);
    assert_int_equal(event->data.len, len);
    assert_memory_equal(event->data.data, message, len);
}

static void seen(void *ctx, struct mw_sim_net *net, enum mw_role role, const struct mw_event *event)
{
    struct talk *talk = ctx;
    const uint64_t words[] = { (uint64_t)role, (uint64_t)event->kind, event->data.len,
                               net->now_ms };
    talk->trace = mw_hash64(mw_view((const char *)words, sizeof words), talk->trace);
    switch (event->kind) {
    case MW_EVENT_MESSAGE:
        hear(talk, role, event);
        if (talk->answers_left && mw_rng_below(&talk->choices, 3) == 0) {
            talk->answers_left--;
            say(talk, role);
        }
        break;
    case MW_EVENT_CLOSED:
        talk->closed[role]++;
        break;
    case MW_EVENT_PONG:
        talk->pongs[role]++;
        break;
    case MW_EVENT_ASIDE: /* neither has a mark */
    case MW_EVENT_DRAIN:
    case MW_EVENT_DECIDE: /* not asked for */
        break;
    case MW_EVENT_MORE:
        fail();
        break;
    }
    assert_true(mw_conn_validate(mw_sim_conn(net, role)));
}

/* ---- a conversation ---- */

/* One conversation in three is plain. */
static struct mw_ext_deflate pick_terms(struct mw_rng *choices)
{
    uint64_t n = mw_rng_next(choices);
    static const uint8_t bits[] = { 0, 9, 10, 12, 15, 0, 8, 12 };
    return (struct mw_ext_deflate){
        .on = n % 3 != 0,
        .server_no_takeover = n >> 8 & 1,
        .client_no_takeover = n >> 9 & 1,
        .server_bits = bits[(n >> 16 & 7) % 6], /* a window of 8 is never agreed to by a server */
        .client_bits = bits[n >> 24 & 7],
    };
}

static void open_talk(struct talk *talk, uint64_t seed, uint64_t fail_at)
{
    struct mw_limits limits;
    *talk = (struct talk){ .answers_left = 30 };
    mw_mem_init(&talk->mem, NULL, 0);
    talk->mem.fail_at = fail_at;
    mw_limits_default(&limits);
    mw_limits_from(&talk->limits, &limits);
    mw_rng_seed(&talk->choices, seed ^ 0x7461);
    talk->terms = pick_terms(&talk->choices);
    mw_sim_net_init(&talk->net, &talk->mem, &talk->limits, &talk->terms, seed);
    static const struct {
        size_t chunk, message;
    } lines[] = { { 1, 130 }, { 7, 1000 }, { 200, 8000 }, { 1500, 70000 }, { 70000, 70000 } };
    size_t line = mw_rng_below(&talk->choices, MW_COUNT(lines));
    talk->net.max_chunk = lines[line].chunk;
    talk->longest = lines[line].message;
}

static void close_talk(struct talk *talk)
{
    mw_sim_net_free(&talk->net);
    assert_mem_empty(&talk->mem);
}

static int run(struct talk *talk)
{
    return mw_sim_net_run(&talk->net, seen, talk);
}

/* Says, pings, waits; returns an error of the line. */
static int do_something(struct talk *talk)
{
    enum mw_role role = (enum mw_role)mw_rng_below(&talk->choices, 2);
    switch (mw_rng_below(&talk->choices, 8)) {
    case 0:
        (void)mw_conn_ping(mw_sim_conn(&talk->net, role), talk->net.now_ms);
        return MW_OK;
    case 1:
        return run(talk);
    case 2: {
        mw_ms wait_ms = mw_rng_below(&talk->choices, 60000);
        return mw_sim_net_pass(&talk->net, talk->net.now_ms + wait_ms, seen, talk);
    }
    default:
        say(talk, role);
        return MW_OK;
    }
}

/* Who closes, and with what; at times both at once. */
static int end_talk(struct talk *talk)
{
    unsigned who = 1 + (unsigned)mw_rng_below(&talk->choices, 3);
    for (int role = 0; role < 2; role++) {
        if (who & (1u << role))
            (void)mw_conn_close(mw_sim_conn(&talk->net, (enum mw_role)role), MW_CAUSE_script_close,
                                4000 + (unsigned)role, mw_view_text("done"), talk->net.now_ms);
    }
    return run(talk);
}

static int converse(struct talk *talk, int steps)
{
    int err = MW_OK;
    for (int i = 0; !err && i < steps; i++)
        err = do_something(talk);
    return err ? err : run(talk);
}

static void assert_all_arrived(const struct talk *talk)
{
    for (int role = 0; role < 2; role++)
        assert_int_equal(talk->ways[role].arrived, talk->ways[role].sent);
}

static uint64_t seed_now; /* for the one who reads a failure */

static int print_seed(void **state)
{
    (void)state;
    if (seed_now)
        print_error("the seed was %llu\n", (unsigned long long)seed_now);
    seed_now = 0;
    return 0;
}

TEST(every_message_arrives_once_in_order_and_whole)
{
    static struct talk talk;
    for (seed_now = 1; seed_now <= SEEDS; seed_now++) {
        open_talk(&talk, seed_now, 0);
        assert_int_equal(converse(&talk, 40), MW_OK);
        assert_all_arrived(&talk);
        assert_int_equal(end_talk(&talk), MW_OK);
        for (int role = 0; role < 2; role++) {
            const struct mw_conn_end *end =
                mw_conn_ending(mw_sim_conn(&talk.net, (enum mw_role)role));
            assert_int_equal(talk.closed[role], 1);
            assert_true(end->clean);
            assert_in_range(end->code, 4000, 4001);
        }
        close_talk(&talk);
    }
    seed_now = 0;
}

TEST(what_was_sent_before_a_close_arrives_before_it)
{
    static struct talk talk;
    for (seed_now = 1; seed_now <= 100; seed_now++) {
        open_talk(&talk, seed_now, 0);
        for (int i = 0; i < 10; i++)
            say(&talk, MW_ROLE_CLIENT);
        (void)mw_conn_close(mw_sim_conn(&talk.net, MW_ROLE_CLIENT), MW_CAUSE_script_close, 0,
                            mw_view(NULL, 0), talk.net.now_ms);
        talk.answers_left = 0;
        assert_int_equal(run(&talk), MW_OK);
        assert_all_arrived(&talk);
        assert_int_equal(talk.closed[MW_ROLE_SERVER], 1);
        close_talk(&talk);
    }
    seed_now = 0;
}

TEST(a_cut_line_ends_both_sides_and_invents_nothing)
{
    static struct talk talk;
    for (seed_now = 1; seed_now <= 200; seed_now++) {
        open_talk(&talk, seed_now, 0);
        bool reset = seed_now % 2;
        assert_int_equal(converse(&talk, 20), MW_OK);
        say(&talk, MW_ROLE_CLIENT);
        say(&talk, MW_ROLE_SERVER);
        mw_sim_net_cut(&talk.net, reset);
        assert_int_equal(run(&talk), MW_OK);
        for (int role = 0; role < 2; role++) {
            const struct mw_conn_end *end =
                mw_conn_ending(mw_sim_conn(&talk.net, (enum mw_role)role));
            assert_int_equal(talk.closed[role], 1);
            assert_int_equal(end->cause, reset ? MW_CAUSE_peer_reset : MW_CAUSE_peer_fin);
            assert_int_equal(end->code, 1006);
        }
        close_talk(&talk);
    }
    seed_now = 0;
}

TEST(an_idle_pair_lives_on_pings_for_a_day)
{
    static struct talk talk;
    open_talk(&talk, 5, 0);
    mw_ms day_ms = 86400000;
    assert_int_equal(mw_sim_net_pass(&talk.net, talk.net.now_ms + day_ms, seen, &talk), MW_OK);
    for (int role = 0; role < 2; role++) {
        assert_int_equal(talk.closed[role], 0);
        assert_in_range(talk.pongs[role], day_ms / 25000 - 1, day_ms / 25000 + 1);
    }
    assert_true(mw_mem_is_empty(&talk.mem) || talk.mem.bytes < 20000);
    close_talk(&talk);
}

TEST(the_same_seed_is_the_same_run)
{
    static struct talk talk;
    uint64_t traces[2], others = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        for (size_t i = 0; i < 2; i++) {
            open_talk(&talk, seed, 0);
            assert_int_equal(converse(&talk, 60), MW_OK);
            assert_int_equal(end_talk(&talk), MW_OK);
            traces[i] = talk.trace;
            close_talk(&talk);
        }
        assert_true(traces[0] == traces[1]);
        assert_true(traces[0] != others);
        others = traces[0];
    }
}

/* ---- memory ---- */

/* Up to the first refusal all is as ever; a side may close for it; nobody hears what was not said.
 */
TEST(each_failing_allocation_of_a_conversation_is_an_answer_or_an_end)
{
    static struct talk talk;
    uint64_t fail_at = 1, needed = 0;
    for (; fail_at < 5000; fail_at++) {
        seed_now = fail_at;
        open_talk(&talk, 11, fail_at);
        assert_true(talk.terms.on && !talk.terms.server_no_takeover);
        int err = converse(&talk, 25);
        if (!err)
            err = end_talk(&talk);
        assert_true(err == MW_OK || err == MW_ERR_NOMEM);
        needed = talk.mem.count;
        if (!err) {
            assert_int_equal(talk.closed[0], 1);
            assert_int_equal(talk.closed[1], 1);
        }
        close_talk(&talk);
        if (needed < fail_at)
            break;
    }
    seed_now = 0;
    assert_in_range(needed, 50, fail_at);
    assert_all_arrived(&talk);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_teardown(every_message_arrives_once_in_order_and_whole, print_seed),
        cmocka_unit_test_teardown(what_was_sent_before_a_close_arrives_before_it, print_seed),
        cmocka_unit_test_teardown(a_cut_line_ends_both_sides_and_invents_nothing, print_seed),
        CASE(an_idle_pair_lives_on_pings_for_a_day),
        CASE(the_same_seed_is_the_same_run),
        cmocka_unit_test_teardown(each_failing_allocation_of_a_conversation_is_an_answer_or_an_end,
                                  print_seed),
    };
    return RUN(cases);
}
