/* What a worker says of its connections, those that live and those that have ended. */
#include "core/server/inquiry.h"

#include "core/server/ending.h"
#include "tests/unit/server/serve.h"

static struct mw_inquiry *ask(enum mw_inquiry_kind kind, mw_id id, size_t last)
{
    struct mw_inquiry *inquiry = mw_inquiry_new(kind, NULL);
    assert_non_null(inquiry);
    inquiry->id = id;
    inquiry->last = last;
    mw_inquiry_answer(inquiry, &world.worker);
    assert_true(inquiry->is_whole);
    return inquiry;
}

static const struct mw_end_record *first_of(const struct mw_inquiry *inquiry)
{
    assert_string_equal(inquiry->why, "");
    assert_false(mw_list_is_empty(&inquiry->records));
    return MW_OWNER(inquiry->records.next, const struct mw_end_record, link);
}

/* A connection that has ended so: its id. */
static mw_id end_one(void (*how)(struct peer *peer))
{
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    mw_id id = peer->client->id;
    how(peer);
    run(&world);
    return id;
}

static void by_fin(struct peer *peer)
{
    peer->line.peer_finished = true;
}

static void by_reset(struct peer *peer)
{
    say_text(peer, "hello");
    run(&world);
    peer->line.peer_reset = true;
}

static void by_breach(struct peer *peer)
{
    say_bytes(peer, "\xc3\x80zzzz", 6);
}

static void by_close(struct peer *peer)
{
    say_close(peer, 4007);
}

static void in_a_frame(struct peer *peer)
{
    say_bytes(peer, "\x81\x8azzzzabc", 9);
    run(&world);
    peer->line.peer_finished = true;
}

TEST(each_end_is_remembered_with_its_cause)
{
    static const struct {
        void (*how)(struct peer *peer);
        enum mw_cause cause;
        unsigned code;
    } rows[] = {
        { by_fin, MW_CAUSE_peer_fin, 1006 },
        { by_reset, MW_CAUSE_peer_reset, 1006 },
        { by_breach, MW_CAUSE_protocol_error, 1002 },
        { by_close, MW_CAUSE_peer_close, 4007 },
    };
    serve("echo");
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_inquiry *inquiry = ask(MW_INQUIRY_CONN, end_one(rows[i].how), 0);
        const struct mw_end_record *record = first_of(inquiry);
        assert_false(record->is_live);
        assert_int_equal(record->cause, rows[i].cause);
        assert_int_equal(record->code, rows[i].code);
        assert_view(record->script, "s.capp");
        assert_view(record->path, "/s");
        assert_view(record->ip, "192.0.2.7");
        mw_inquiry_free(inquiry);
    }
    struct mw_inquiry *inquiry = ask(MW_INQUIRY_LAST, 0, 3);
    assert_int_equal(first_of(inquiry)->cause, MW_CAUSE_peer_close);
    mw_inquiry_free(inquiry);
    inquiry = ask(MW_INQUIRY_COUNTS, 0, 0);
    assert_int_equal(inquiry->count, 4);
    assert_int_equal(inquiry->counts[0].total, 1);
    mw_inquiry_free(inquiry);
}

TEST(the_last_frames_and_the_unfinished_one_are_told)
{
    serve("echo");
    struct mw_inquiry *inquiry = ask(MW_INQUIRY_CONN, end_one(by_reset), 0);
    const struct mw_end_record *record = first_of(inquiry);
    assert_int_equal(record->flight_count, 2);
    assert_int_equal(record->flight[0].kind, MW_FLIGHT_IN);
    assert_int_equal(record->flight[1].kind, MW_FLIGHT_OUT);
    assert_int_equal(record->flight[1].bytes, 5);
    mw_inquiry_free(inquiry);
    inquiry = ask(MW_INQUIRY_CONN, end_one(in_a_frame), 0);
    assert_int_equal(first_of(inquiry)->part_have, 9);
    assert_int_equal(first_of(inquiry)->part_of, 16);
    mw_inquiry_free(inquiry);
}

TEST(one_that_lives_is_told_of_as_it_is)
{
    serve("wait");
    c_engine.hold = true;
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    struct mw_inquiry *inquiry = ask(MW_INQUIRY_CONN, peer->client->id, 0);
    assert_true(first_of(inquiry)->is_live);
    assert_string_equal(first_of(inquiry)->state, "open");
    assert_int_equal(first_of(inquiry)->cause, MW_CAUSE_COUNT);
    mw_inquiry_free(inquiry);
    say_text(peer, "x");
    run(&world);
    inquiry = ask(MW_INQUIRY_CONN, peer->client->id, 0);
    assert_string_equal(first_of(inquiry)->state, "open: a handler waits");
    assert_int_equal(first_of(inquiry)->flight[1].kind, MW_FLIGHT_CALL);
    assert_int_equal(first_of(inquiry)->flight[1].number, MW_FLIGHT_WAITS);
    mw_inquiry_free(inquiry);
}

TEST(a_fault_of_this_connection_stands_in_its_record)
{
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    say_text(peer, "loop");
    run(&world);
    struct mw_inquiry *inquiry = ask(MW_INQUIRY_CONN, peer->client->id, 0);
    assert_view(first_of(inquiry)->fault, "on_message, s.capp:1: it took too long");
    assert_int_equal(first_of(inquiry)->flight[1].number, MW_FLIGHT_FAILED);
    mw_inquiry_free(inquiry);
}

TEST(who_is_unknown_is_told_from_who_is_forgotten)
{
    serve("echo");
    mw_id id = end_one(by_fin);
    struct mw_inquiry *inquiry = ask(MW_INQUIRY_CONN, id + 77, 0);
    assert_non_null(strstr(inquiry->why, "there has been no connection"));
    mw_inquiry_free(inquiry);
    mw_ends_free(&world.worker.ends);
    inquiry = ask(MW_INQUIRY_CONN, id, 0);
    assert_non_null(strstr(inquiry->why, "nothing of it is kept"));
    assert_non_null(strstr(inquiry->hint, "the log"));
    mw_inquiry_free(inquiry);
}

TEST(an_administrator_ends_a_connection)
{
    serve("echo");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    mw_id id = peer->client->id;
    struct mw_inquiry *inquiry = mw_inquiry_new(MW_INQUIRY_CLOSE, NULL);
    inquiry->id = id;
    inquiry->code = 4003;
    memcpy(inquiry->reason, "bye", 3);
    inquiry->reason_len = 3;
    mw_inquiry_answer(inquiry, &world.worker);
    assert_string_equal(inquiry->why, "");
    mw_inquiry_answer(inquiry, &world.worker);
    assert_string_equal(inquiry->why, "the connection is closing already");
    mw_inquiry_free(inquiry);
    run(&world);
    assert_non_null(strstr(seen_by(peer), "4003"));
    say_close(peer, 4003);
    run(&world);
    inquiry = ask(MW_INQUIRY_CONN, id, 0);
    assert_int_equal(first_of(inquiry)->cause, MW_CAUSE_admin_close);
    assert_view(first_of(inquiry)->reason, "bye");
    assert_true(first_of(inquiry)->is_clean);
    mw_inquiry_free(inquiry);
    inquiry = ask(MW_INQUIRY_CLOSE, id + 99, 0);
    assert_non_null(strstr(inquiry->why, "there has been no connection"));
    mw_inquiry_free(inquiry);
}

TEST(without_memory_the_answer_is_not_whole)
{
    serve("echo");
    mw_id id = end_one(by_fin);
    struct mw_inquiry *inquiry = mw_inquiry_new(MW_INQUIRY_CONN, NULL);
    inquiry->id = id;
    inquiry->mem.fail_at = inquiry->mem.count + 1;
    mw_inquiry_answer(inquiry, &world.worker);
    assert_false(inquiry->is_whole);
    mw_inquiry_free(inquiry);
    inquiry = mw_inquiry_new(MW_INQUIRY_COUNTS, NULL);
    inquiry->mem.fail_at = inquiry->mem.count + 1;
    mw_inquiry_answer(inquiry, &world.worker);
    assert_false(inquiry->is_whole);
    mw_inquiry_free(inquiry);
}

TEST(the_log_names_a_limit_on_the_path_and_what_prevents_it)
{
    serve("limit ping 0\necho");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    mw_ms now_ms = mw_loop_now(world.worker.loop);
    peer->client->route->cuts = mw_alloc_zero(&world.worker.mem, sizeof(struct mw_cuts));
    for (mw_ms i = 0; i < 4; i++) {
        struct mw_cut_finding finding;
        const struct mw_cut_death death = { .at_ms = now_ms - 200000 + 40000 * i,
                                            .silent_ms = 60100,
                                            .lasted_ms = 90000 + 7000 * i };
        assert_false(mw_cuts_note(peer->client->route->cuts, &death, &finding));
    }
    peer->client->conn.opened_ms = now_ms - 100000;
    peer->client->conn.last_read_ms = now_ms - 60000;
    peer->line.peer_finished = true;
    run(&world);
    const char *log = logged();
    assert_non_null(strstr(log, "idle limit on the path"));
    assert_non_null(strstr(log, "nginx"));
    assert_non_null(strstr(log, "set limits.ping below that, for instance 25"));
    assert_non_null(strstr(log, "\"silent\":60"));
    assert_non_null(strstr(log, "\"pings_unanswered\":0"));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(each_end_is_remembered_with_its_cause),
        IN_A_WORLD(the_last_frames_and_the_unfinished_one_are_told),
        IN_A_WORLD(one_that_lives_is_told_of_as_it_is),
        IN_A_WORLD(a_fault_of_this_connection_stands_in_its_record),
        IN_A_WORLD(who_is_unknown_is_told_from_who_is_forgotten),
        IN_A_WORLD(an_administrator_ends_a_connection),
        IN_A_WORLD(without_memory_the_answer_is_not_whole),
        IN_A_WORLD(the_log_names_a_limit_on_the_path_and_what_prevents_it),
    };
    return RUN(cases);
}
