#include <stdio.h>

#include "core/io/tls.h"
#include "tests/unit/io/tls_line.h"

#define FLOOD 12

static struct cert server_cert, authority, stranger, client_cert, expired_cert, wrong_use_cert,
    foreign_cert;
static struct mw_tls_pair pair;
static const int versions[] = { 12, 13 };

static struct mw_tls_setup usual_setup(void)
{
    return (struct mw_tls_setup){ .pairs = &pair, .pair_count = 1 };
}

/* ---- what is no handshake ---- */

struct bad_hello {
    const char *bytes;
    size_t len;
    const char *fault;
};

/* clang-format off */
#define HELLO(literal) (literal), sizeof(literal) - 1
/* clang-format on */

static const struct bad_hello bad_hellos[] = {
    { HELLO("GET / HTTP/1.1\r\nHost: moon\r\n\r\n"),
      "plain HTTP came where TLS is spoken: the client should use https or wss" },
    { HELLO("\x80\x2e\x01\x03\x01"), "what came is not TLS" },
    { HELLO("\0\0\0\0\0"), "what came is not TLS" },
    { HELLO("\x17\x03\x03\x00\x01x"), "what came is not TLS" },
    { HELLO("\x16\x03\x01\xff\xff"), "the client's hello is longer than a TLS record may be" },
    { HELLO("\x16\x03\x01\x40\x01"), "the client's hello is longer than a TLS record may be" },
    { HELLO("\x16\x03\x01\x00\x00"), "a record of TLS is malformed or too long" },
    { HELLO("\x16\x03\x01\x00\x04\x01\x00\x00\x00"), "a message of the handshake is malformed" },
    { HELLO("\x16\x03\x01\x00\x04\x02\x00\x00\x00"), "a message of TLS came where it must not" },
};

static bool far_got_alert(void *ctx)
{
    char bytes[64];
    return recv(*(int *)ctx, bytes, sizeof(bytes), 0) >= 7 && bytes[0] == 21;
}

TEST(what_is_no_handshake_is_refused_with_an_alert_and_a_sentence)
{
    for (size_t i = 0; i < MW_COUNT(bad_hellos); i++) {
        struct line line;
        struct mw_tls_setup setup = usual_setup();
        open_plain_line(&line, &setup);
        assert_int_equal(send(line.fd, bad_hellos[i].bytes, bad_hellos[i].len, 0),
                         bad_hellos[i].len);
        wait_until(&line.world, owner_has_ended, &line);
        assert_int_equal(line.owner.faults, 1);
        assert_string_equal(mw_stream_fault(line.owner.stream), bad_hellos[i].fault);
        wait_until(&line.world, far_got_alert, &line.fd);
        assert_int_equal(stats_of(&line).failed, 1);
        assert_int_equal(send(line.fd, "more of it", 10, 0), 10); /* is read and dropped */
        run_some_turns(&line.world);
        assert_int_equal(line.owner.reads, 0);
        close_line(&line);
    }
}

/* A hello of TLS 1.1 and no other: version 3.2, one cipher, no extensions. */
TEST(an_old_client_is_told_that_it_is_old)
{
    static const char hello[] = "\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x02"
                                "0123456789abcdef0123456789abcdef"
                                "\x00\x00\x02\x00\x2f\x01\x00";
    struct line line;
    struct mw_tls_setup setup = usual_setup();
    open_plain_line(&line, &setup);
    assert_int_equal(send(line.fd, hello, sizeof(hello) - 1, 0), sizeof(hello) - 1);
    wait_until(&line.world, owner_has_ended, &line);
    assert_string_equal(mw_stream_fault(line.owner.stream),
                        "the client speaks only TLS 1.1 or older");
    wait_until(&line.world, far_got_alert, &line.fd);
    close_line(&line);
}

TEST(a_hello_that_never_ends_costs_its_bytes_alone)
{
    struct line line;
    struct mw_tls_setup setup = usual_setup();
    open_plain_line(&line, &setup);
    assert_int_equal(send(line.fd,
                          "\x16\x03\x01\x02\x00"
                          "part",
                          9, 0),
                     9);
    run_some_turns(&line.world);
    assert_int_equal(stats_of(&line).record_buffers + stats_of(&line).handshaking, 0);
    assert_int_equal(line.owner.faults, 0);
    assert_int_equal(shutdown(line.fd, SHUT_WR), 0);
    wait_for_count(&line.world, &line.owner.fins, 1);
    close_line(&line);
}

/* ---- what clients want ---- */

static const char *h1[] = { "h2", "http/1.1", NULL };
static const char *h2[] = { "h2", NULL };
static const int cbc[] = { MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, 0 };

struct want {
    struct client_wish wish;
    enum mw_tls_version least;
    const char *fault; /* NULL: it gets what it wants */
};

static const struct want wants[] = {
    { { .tls = 12, .alpn = h1 }, MW_TLS_1_2, NULL },
    { { .tls = 13, .alpn = h1 }, MW_TLS_1_2, NULL },
    { { .tls = 12, .alpn = h2 },
      MW_TLS_1_2,
      "the client wants another protocol than http/1.1 (ALPN)" },
    { { .tls = 13, .alpn = h2 },
      MW_TLS_1_2,
      "the client wants another protocol than http/1.1 (ALPN)" },
    { { .tls = 12, .ciphers = cbc },
      MW_TLS_1_2,
      "there is no cipher, curve or kind of certificate that both sides know" },
    { { .tls = 12 }, MW_TLS_1_3, "the client speaks only TLS 1.2 or older, and 1.3 is asked for" },
    { { .tls = 13 }, MW_TLS_1_3, NULL },
    { { .tls = 12, .trust = &stranger },
      MW_TLS_1_2,
      "the client does not trust our certificate (alert unknown_ca)" },
    { { .tls = 13, .trust = &stranger },
      MW_TLS_1_2,
      "the client does not trust our certificate (alert unknown_ca)" },
};

static void expect(struct line *line, const char *fault)
{
    if (!fault) {
        shake_hands(line);
        return;
    }
    wait_until(&line->world, owner_has_ended, line);
    assert_int_equal(line->owner.faults, 1);
    assert_string_equal(mw_stream_fault(line->owner.stream), fault);
    wait_until(&line->world, client_has_ended, &line->client);
    assert_int_equal(stats_of(line).failed, 1);
    assert_int_equal(stats_of(line).handshaking, 0);
}

TEST(clients_get_what_there_is_or_a_reason)
{
    for (size_t i = 0; i < MW_COUNT(wants); i++) {
        struct line line;
        struct mw_tls_setup setup = usual_setup();
        struct client_wish wish = wants[i].wish;
        wish.sni = "moon";
        setup.least = wants[i].least;
        open_line(&line, &setup, &wish);
        expect(&line, wants[i].fault);
        close_line(&line);
    }
}

/* ---- certificates of clients ---- */

static const char bad_client[] =
    "the client's certificate is expired, or not signed by an authority that is trusted here";
static const char bad_use[] = "the client's certificate is not meant for clients (key usage)";

static const struct shown {
    enum mw_tls_client client;
    const struct cert *cert;
    const char *fault, *subject;
} showns[] = {
    { MW_TLS_CLIENT_NONE, &client_cert, NULL, "" },
    { MW_TLS_CLIENT_OPTIONAL, NULL, NULL, "" },
    { MW_TLS_CLIENT_OPTIONAL, &client_cert, NULL, "CN=wire" },
    { MW_TLS_CLIENT_OPTIONAL, &expired_cert, bad_client, NULL },
    { MW_TLS_CLIENT_OPTIONAL, &foreign_cert, bad_client, NULL },
    { MW_TLS_CLIENT_OPTIONAL, &wrong_use_cert, bad_use, NULL },
    { MW_TLS_CLIENT_REQUIRED, NULL, "the client has no certificate, and must have one", NULL },
    { MW_TLS_CLIENT_REQUIRED, &client_cert, NULL, "CN=wire" },
    { MW_TLS_CLIENT_REQUIRED, &expired_cert, bad_client, NULL },
    { MW_TLS_CLIENT_REQUIRED, &foreign_cert, bad_client, NULL },
};

static void show(const struct shown *shown, int tls)
{
    struct line line;
    struct mw_tls_facts facts;
    struct mw_tls_setup setup = usual_setup();
    setup.client = shown->client;
    setup.client_ca = mw_view_text(authority.chain);
    open_line(&line, &setup, &(struct client_wish){ .tls = tls, .cert = shown->cert });
    client_says(&line, "moonwire", 8);
    expect(&line, shown->fault);
    if (!shown->fault) {
        assert_true(mw_stream_tls(line.owner.stream, &facts));
        assert_string_equal(facts.client_subject, shown->subject);
        wait_until(&line.world, is_heard, &line);
    } else {
        assert_int_equal(line.owner.reads, 0); /* nobody hears who is not let in */
    }
    close_line(&line);
}

TEST(a_clients_certificate_must_be_good_where_it_is_shown_and_there_where_it_must)
{
    for (size_t i = 0; i < MW_COUNT(showns); i++) {
        show(&showns[i], 12);
        show(&showns[i], 13);
    }
}

/* ---- tickets ---- */

static bool has_ticket(void *ctx)
{
    struct client *client = ctx;
    (void)client_run(client);
    return client->has_session || client->is_ended;
}

/* Once to get a ticket, again with another context of the same keys. */
static void come_again(int tls, enum mw_tls_client client, unsigned want_resumed)
{
    struct line first, again;
    struct mw_tls_setup setup = usual_setup();
    setup.tickets = mw_tls_tickets_new(3600);
    open_line(&first, &setup,
              &(struct client_wish){ .tls = tls, .sni = "moon", .keeps_session = true });
    shake_hands(&first);
    wait_until(&first.world, has_ticket, &first.client);
    assert_true(first.client.has_session);
    setup.client = client;
    setup.client_ca = mw_view_text(authority.chain);
    open_line(&again, &setup,
              &(struct client_wish){ .tls = tls, .sni = "moon", .resume = &first.client.session });
    mw_tls_tickets_release(setup.tickets);
    shake_hands(&again);
    assert_int_equal(stats_of(&again).resumed, want_resumed);
    assert_int_equal(stats_of(&again).full, 1 - want_resumed);
    close_line(&again);
    close_line(&first);
    assert_int_equal(mw_shared_bytes(), 0);
}

TEST(a_ticket_resumes_across_contexts)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++)
        come_again(versions[i], MW_TLS_CLIENT_NONE, 1);
}

TEST(who_asks_for_certificates_takes_no_tickets)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++)
        come_again(versions[i], MW_TLS_CLIENT_OPTIONAL, 0);
}

/* ---- in turn ---- */

struct crowd {
    struct owner owners[FLOOD];
    struct client clients[FLOOD];
};

static bool are_all_queued(void *ctx)
{
    return stats_of(ctx).queued == FLOOD;
}

/* What was there at each step of the queue. */
static struct {
    struct line *line;
    unsigned count, reads[FLOOD];
} steps;

static void step_and_note(struct mw_tls_turn *turn)
{
    if (steps.count == 0) { /* now, behind all the hellos */
        client_says(steps.line, "moonwire", 8);
        (void)client_run(&steps.line->client);
    }
    if (steps.count < FLOOD)
        steps.reads[steps.count] = steps.line->owner.reads;
    steps.count++;
    mw_tls_on_turn(turn);
    assert_true(stats_of(steps.line).handshaking <= steps.line->tls->queue.max_begun);
}

static void open_crowd(struct crowd *crowd, struct line *line)
{
    for (size_t i = 0; i < FLOOD; i++) {
        int near, far;
        connect_pair(&near, &far);
        struct mw_stream *below = mw_tcp_adopt(line->world.loop, near);
        take_stream(&crowd->owners[i], &line->world,
                    mw_tls_accept(line->tls, line->ctx, below, mw_view(NULL, 0)));
        client_open(&crowd->clients[i], far, &(struct client_wish){ .tls = 13 });
        (void)client_is_done(&crowd->clients[i]); /* says its hello */
    }
}

static void close_crowd(struct crowd *crowd)
{
    for (size_t i = 0; i < FLOOD; i++) {
        drop_stream(&crowd->owners[i], false);
        client_close(&crowd->clients[i]);
    }
}

static bool are_all_open(void *ctx)
{
    struct crowd *crowd = ctx;
    bool all = true;
    for (size_t i = 0; i < FLOOD; i++)
        all = client_is_done(&crowd->clients[i]) && crowd->clients[i].is_open && all;
    return all;
}

static bool have_all_begun(void *ctx)
{
    return stats_of(ctx).handshaking == FLOOD;
}

static bool are_all_counted(void *ctx)
{
    return stats_of(ctx).full == 1 + FLOOD;
}

TEST(who_is_in_is_served_between_handshakes)
{
    static struct crowd crowd;
    struct line line;
    struct mw_tls_setup setup = usual_setup();
    memset(&crowd, 0, sizeof(crowd));
    open_line(&line, &setup, &(struct client_wish){ .tls = 13 });
    line.owner.does_echo = true;
    shake_hands(&line);

    line.tls->queue.turn_ns = 0;   /* one step a turn */
    line.tls->queue.max_begun = 0; /* and none, until all have said their hello */
    line.tls->queue.min_ms = GIVE_UP_MS;
    open_crowd(&crowd, &line);
    wait_until(&line.world, are_all_queued, &line);
    assert_int_equal(stats_of(&line).handshaking, 0);
    assert_int_equal(stats_of(&line).record_buffers, 1);

    steps.line = &line;
    steps.count = 0;
    line.tls->queue.step = step_and_note;
    line.tls->queue.max_begun = 4;
    mw_alarm_set(line.world.loop, &line.tls->queue.alarm, 0);
    wait_until(&line.world, are_all_open, &crowd);
    wait_until(&line.world, are_all_counted, &line);
    assert_int_equal(stats_of(&line).queued, 0);
    assert_int_equal(steps.reads[0], 0);
    assert_int_equal(steps.reads[2], 1); /* not behind the four that may begin */
    close_crowd(&crowd);
    close_line(&line);
}

TEST(who_leaves_its_handshake_open_makes_room_for_others)
{
    static struct crowd crowd;
    struct line line;
    struct mw_tls_setup setup = usual_setup();
    memset(&crowd, 0, sizeof(crowd));
    open_line(&line, &setup, &(struct client_wish){ .tls = 13 });
    line.tls->queue.max_begun = FLOOD;
    line.tls->queue.min_ms = GIVE_UP_MS;
    open_crowd(&crowd, &line); /* and they say no more */
    wait_until(&line.world, have_all_begun, &line);
    (void)client_run(&line.client);
    run_some_turns(&line.world);
    assert_int_equal(stats_of(&line).queued, 1);
    line.tls->queue.min_ms = 0;
    mw_alarm_set(line.world.loop, &line.tls->queue.alarm, 0);
    shake_hands(&line);
    wait_for_count(&line.world, &crowd.owners[0].faults, 1);
    assert_string_equal(mw_stream_fault(crowd.owners[0].stream),
                        "the client left its handshake open while others waited for its place");
    assert_int_equal(stats_of(&line).failed, 1);
    assert_int_equal(stats_of(&line).handshaking, FLOOD - 1);
    close_crowd(&crowd);
    close_line(&line);
}

TEST(a_stream_may_be_closed_or_finished_at_any_moment)
{
    /* bytes of the client's that have arrived by then; and whether it may answer */
    static const struct {
        size_t chunk;
        int turns;
    } moments[] = { { 1, 0 }, { 1, 1 }, { 100, 1 }, { 0, 0 }, { 0, 1 }, { 0, 2 }, { 0, 3 } };
    for (size_t i = 0; i < 4 * MW_COUNT(moments); i++) {
        struct line line;
        struct mw_tls_setup setup = usual_setup();
        struct client_wish wish = { .tls = versions[i % 2], .chunk = moments[i / 4].chunk };
        open_line(&line, &setup, &wish);
        for (int turn = 0; turn < moments[i / 4].turns; turn++) {
            (void)client_run(&line.client);
            run_some_turns(&line.world);
        }
        if (i % 4 < 2) {
            (void)write_bytes(&line, "moonwire", 8);
            mw_stream_finish(line.owner.stream);
            run_some_turns(&line.world);
        }
        drop_stream(&line.owner, i % 4 == 3);
        close_line(&line);
    }
}

static void make_certs(void)
{
    cert_make(&authority, &(struct cert_wish){ .subject = "CN=authority", .use = USE_AUTHORITY });
    cert_make(&stranger, &(struct cert_wish){ .subject = "CN=stranger", .use = USE_AUTHORITY });
    cert_make(&server_cert, &(struct cert_wish){ .subject = "CN=moon", .hosts = { "moon" } });
    struct cert_wish wish = { .subject = "CN=wire", .use = USE_CLIENT, .issuer = &authority };
    cert_make(&client_cert, &wish);
    wish.from_days = -9;
    wish.to_days = -1;
    cert_make(&expired_cert, &wish);
    wish.from_days = wish.to_days = 0;
    wish.use = USE_SERVER;
    cert_make(&wrong_use_cert, &wish);
    wish.use = USE_CLIENT;
    wish.issuer = &stranger;
    cert_make(&foreign_cert, &wish);
    pair = cert_pair(&server_cert);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(what_is_no_handshake_is_refused_with_an_alert_and_a_sentence),
        CASE(an_old_client_is_told_that_it_is_old),
        CASE(a_hello_that_never_ends_costs_its_bytes_alone),
        CASE(clients_get_what_there_is_or_a_reason),
        CASE(a_clients_certificate_must_be_good_where_it_is_shown_and_there_where_it_must),
        CASE(a_ticket_resumes_across_contexts),
        CASE(who_asks_for_certificates_takes_no_tickets),
        CASE(who_is_in_is_served_between_handshakes),
        CASE(who_leaves_its_handshake_open_makes_room_for_others),
        CASE(a_stream_may_be_closed_or_finished_at_any_moment),
    };
    struct cert *certs[] = { &server_cert,  &authority,      &stranger,    &client_cert,
                             &expired_cert, &wrong_use_cert, &foreign_cert };
    make_certs();
    int failed = RUN(cases);
    for (size_t i = 0; i < MW_COUNT(certs); i++)
        cert_free(certs[i]);
    return failed;
}
