#include <stdio.h>

#include "core/base/str.h"
#include "tests/unit/io/there.h"
#include "tests/unit/io/tls_line.h"

#define FLOOD (16U << 20) /* more than two socket buffers hold */
#define MANY  12

static struct cert cert;
static struct mw_tls_pair pair;
static struct mw_tls_setup setup;

static const int versions[] = { 12, 13 };

struct pass {
    struct line line;
    struct there there;
};

static void open_pass(struct pass *pass, int tls)
{
    struct client_wish wish = { .tls = tls, .sni = "moon" };
    open_there(&pass->there);
    open_line(&pass->line, &setup, &wish);
}

static void close_pass(struct pass *pass)
{
    if (pass->there.owner.stream && pass->there.owner.closed == 0)
        drop_stream(&pass->there.owner, false);
    close_line(&pass->line);
    close_there(&pass->there);
}

static void move(struct pass *pass)
{
    move_there(&pass->line.owner, &pass->there);
}

static void move_and_read(struct pass *pass)
{
    move(pass);
    mw_stream_set_reading(pass->there.owner.stream, true);
}

struct amount {
    struct pass *pass;
    size_t len;
};

/* The client has got so much. */
static bool is_back(void *ctx)
{
    struct amount *amount = ctx;
    (void)client_run(&amount->pass->line.client);
    return amount->pass->line.client.len >= amount->len || amount->pass->line.client.is_ended;
}

static void wait_back(struct world *world, struct pass *pass, size_t len)
{
    struct amount amount = { pass, len };
    wait_until(world, is_back, &amount);
    assert_int_equal(pass->line.client.code, 0);
    assert_int_equal(pass->line.client.len, len);
}

/* What the client says comes back from the other loop. */
static void echo_there(struct pass *pass, size_t before)
{
    pass->there.owner.does_echo = true;
    client_says(&pass->line, "moonwire", 8);
    wait_back(&pass->there.world, pass, before + 8);
}

static bool has_ended_there(void *ctx)
{
    struct pass *pass = ctx;
    (void)client_run(&pass->line.client);
    return pass->there.owner.fins + pass->there.owner.resets + pass->there.owner.faults > 0;
}

/* ---- stages ---- */

TEST(an_echo_goes_on_on_a_loop_that_has_never_seen_tls)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct pass pass;
        open_pass(&pass, versions[i]);
        shake_hands(&pass.line);
        move_and_read(&pass);
        echo_there(&pass, 0);
        close_pass(&pass);
    }
}

TEST(an_echo_that_was_begun_goes_on_and_its_facts_stay)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct pass pass;
        struct mw_tls_facts before = { .version = "" }, after = before;
        open_pass(&pass, versions[i]);
        pass.line.owner.does_echo = true;
        client_says(&pass.line, "wiremoon", 8);
        wait_back(&pass.line.world, &pass, 8);
        assert_true(mw_stream_tls(pass.line.owner.stream, &before));
        move_and_read(&pass);
        echo_there(&pass, 8);
        assert_true(mw_stream_tls(pass.there.owner.stream, &after));
        assert_memory_equal(&before, &after, sizeof(before));
        assert_string_equal(after.sni, "moon");
        assert_int_equal(stats_of(&pass.line).streams, 0);
        assert_int_equal(pass.line.owner.fins + pass.line.owner.resets, 0);
        close_pass(&pass);
    }
}

/* What the client says lies with the server, and is not decrypted. */
static bool has_kept(void *ctx)
{
    struct pass *pass = ctx;
    (void)client_run(&pass->line.client);
    const struct mw_tls_stream *tls =
        MW_OWNER(pass->line.owner.stream, struct mw_tls_stream, stream);
    return tls->input.len > 0;
}

TEST(records_that_were_read_but_not_decrypted_travel)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct pass pass;
        open_pass(&pass, versions[i]);
        shake_hands(&pass.line);
        struct mw_tls_stream *tls = MW_OWNER(pass.line.owner.stream, struct mw_tls_stream, stream);
        tls->is_wanted = false; /* as between two events: below still reads */
        client_says(&pass.line, "moonwire", 8);
        wait_until(&pass.line.world, has_kept, &pass);
        assert_int_equal(pass.line.owner.reads, 0);
        pass.there.owner.does_echo = true;
        move_and_read(&pass);
        wait_back(&pass.there.world, &pass, 8);
        echo_there(&pass, 8);
        close_pass(&pass);
    }
}

/* The client's socket takes so many bytes, and then none. */
static size_t room;

static int send_in_room(void *ctx, const unsigned char *bytes, size_t len)
{
    struct client *client = ctx;
    if (room == 0)
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    ssize_t count = send(client->fd, bytes, len < room ? len : room, MSG_NOSIGNAL);
    room -= (size_t)count;
    return (int)count;
}

static int say_record(struct client *client)
{
    return mbedtls_ssl_write(&client->ssl, (const unsigned char *)"moonwire", 8);
}

TEST(a_record_may_be_cut_at_any_byte_by_the_move)
{
    for (size_t i = 0; i < MW_COUNT(versions) * 30; i++) {
        struct pass pass;
        struct client *client = &pass.line.client;
        open_pass(&pass, versions[i % 2]);
        shake_hands(&pass.line);
        client->ssl.MBEDTLS_PRIVATE(f_send) = send_in_room;
        room = i / 2 + 1;
        assert_int_equal(say_record(client), MBEDTLS_ERR_SSL_WANT_WRITE);
        run_some_turns(&pass.line.world);
        assert_int_equal(pass.line.owner.reads, 0);
        pass.there.owner.does_echo = true;
        move_and_read(&pass);
        room = SIZE_MAX;
        assert_int_equal(say_record(client), 8);
        wait_back(&pass.there.world, &pass, 8);
        close_pass(&pass);
    }
}

TEST(ciphertext_that_did_not_leave_travels_and_the_rest_is_told)
{
    char *bytes = calloc(1, FLOOD);
    assert_non_null(bytes);
    for (size_t i = 0; i < FLOOD; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct pass pass;
        struct mw_parcel parcel;
        open_pass(&pass, versions[i]);
        shake_hands(&pass.line);
        assert_true(write_bytes(&pass.line, bytes, FLOOD) < (long)FLOOD);
        run_some_turns(&pass.line.world);
        assert_int_equal(mw_stream_pack(pass.line.owner.stream, &parcel), MW_OK);
        assert_in_range(parcel.unsent_bytes, 1, FLOOD - 1);
        struct mw_view rest = mw_view(bytes, FLOOD);
        rest = mw_view_from(rest, FLOOD - parcel.unsent_bytes);
        wait_for_count(&pass.line.world, &pass.line.owner.closed, 1);
        take_stream(&pass.there.owner, &pass.there.world,
                    mw_stream_unpack(&parcel, pass.there.world.loop, pass.there.tls));
        assert_true(mw_stream_write(pass.there.owner.stream, &rest, 1) >= 0);
        wait_back(&pass.there.world, &pass, FLOOD);
        assert_int_equal(pass.line.client.sum, sum_of_bytes(bytes, FLOOD, 0));
        assert_int_equal(pass.line.owner.written, 0);
        close_pass(&pass);
    }
    free(bytes);
}

TEST(a_goodbye_before_the_move_is_told_on_the_other_loop)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct pass pass;
        open_pass(&pass, versions[i]);
        shake_hands(&pass.line);
        client_say_bye(&pass.line.client);
        wait_for_count(&pass.line.world, &pass.line.owner.fins, 1);
        move_and_read(&pass);
        wait_until(&pass.there.world, has_ended_there, &pass);
        assert_int_equal(pass.there.owner.fins, 1);
        close_pass(&pass);
    }
}

/* ---- what may fail ---- */

TEST(before_the_end_of_its_handshake_it_stays_and_goes_on)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct pass pass;
        struct mw_parcel parcel;
        open_pass(&pass, versions[i]);
        assert_int_equal(mw_stream_pack(pass.line.owner.stream, &parcel), MW_ERR_CLOSED);
        shake_hands(&pass.line);
        move_and_read(&pass);
        echo_there(&pass, 0);
        close_pass(&pass);
    }
}

TEST(a_parcel_with_tls_that_is_dropped_closes_the_connection)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct pass pass;
        struct mw_parcel parcel;
        open_pass(&pass, versions[i]);
        shake_hands(&pass.line);
        assert_int_equal(mw_stream_pack(pass.line.owner.stream, &parcel), MW_OK);
        assert_true(mw_shared_bytes() > 0);
        mw_parcel_drop(&parcel);
        wait_until(&pass.line.world, client_has_ended, &pass.line.client);
        wait_for_count(&pass.line.world, &pass.line.owner.closed, 1);
        close_pass(&pass);
    }
}

TEST(without_memory_there_the_connection_is_closed)
{
    for (uint64_t nth = 1; nth <= 2; nth++) { /* of the socket, of the session */
        struct pass pass;
        struct mw_parcel parcel;
        open_pass(&pass, 13);
        shake_hands(&pass.line);
        assert_int_equal(mw_stream_pack(pass.line.owner.stream, &parcel), MW_OK);
        pass.there.world.mem.fail_at = pass.there.world.mem.count + nth;
        assert_null(mw_stream_unpack(&parcel, pass.there.world.loop, pass.there.tls));
        wait_until(&pass.there.world, client_has_ended, &pass.line.client);
        wait_for_count(&pass.line.world, &pass.line.owner.closed, 1);
        close_pass(&pass);
    }
}

/* ---- between threads ---- */

static void run_until(struct client *client, size_t len)
{
    mw_ms give_up_ms = mw_clock_monotonic_ms() + GIVE_UP_MS;
    while (client->len < len && !client->is_ended && mw_clock_monotonic_ms() < give_up_ms) {
        struct pollfd poll_for = { .fd = client->fd, .events = POLLIN };
        (void)poll(&poll_for, 1, 100);
        (void)client_run(client);
    }
    assert_int_equal(client->len, len);
}

/* The handshakes are made on the test's thread, the echoes by turns on the two others. */
TEST(many_with_tls_go_to_and_fro_between_two_threads)
{
    struct station a, b;
    struct line lines[MANY];
    station_open(&a, &b);
    station_open(&b, &a);
    station_start(&a);
    station_start(&b);
    for (unsigned i = 0; i < MANY; i++) {
        struct mw_parcel parcel;
        struct client_wish wish = { .tls = versions[i % 2], .sni = "moon" };
        open_line(&lines[i], &setup, &wish);
        shake_hands(&lines[i]);
        assert_int_equal(mw_stream_pack(lines[i].owner.stream, &parcel), MW_OK);
        wait_for_count(&lines[i].world, &lines[i].owner.closed, 1);
        station_send(i % 3 ? &a : &b, &parcel);
    }
    for (unsigned hop = 1; hop <= HOPS; hop++) {
        for (unsigned i = 0; i < MANY; i++)
            client_says(&lines[i], "moonwire hops on", MESSAGE_BYTES);
        for (unsigned i = 0; i < MANY; i++)
            (void)client_run(&lines[i].client);
        for (unsigned i = 0; i < MANY; i++)
            run_until(&lines[i].client, (size_t)hop * MESSAGE_BYTES);
    }
    for (unsigned i = 0; i < MANY; i++)
        close_line(&lines[i]);
    station_close(&a);
    station_close(&b);
    assert_int_equal(mw_shared_bytes(), 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_echo_goes_on_on_a_loop_that_has_never_seen_tls),
        CASE(an_echo_that_was_begun_goes_on_and_its_facts_stay),
        CASE(records_that_were_read_but_not_decrypted_travel),
        CASE(a_record_may_be_cut_at_any_byte_by_the_move),
        CASE(ciphertext_that_did_not_leave_travels_and_the_rest_is_told),
        CASE(a_goodbye_before_the_move_is_told_on_the_other_loop),
        CASE(before_the_end_of_its_handshake_it_stays_and_goes_on),
        CASE(a_parcel_with_tls_that_is_dropped_closes_the_connection),
        CASE(without_memory_there_the_connection_is_closed),
        CASE(many_with_tls_go_to_and_fro_between_two_threads),
    };
    cert_make(&cert, &(struct cert_wish){ .subject = "CN=moon", .hosts = { "moon" } });
    pair = cert_pair(&cert);
    setup = (struct mw_tls_setup){ .pairs = &pair, .pair_count = 1 };
    int failed = RUN(cases);
    cert_free(&cert);
    return failed;
}
