#include "core/io/tls.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/io/tls_line.h"

static struct cert ec_cert, rsa_cert;
static struct mw_tls_pair ec_pair, rsa_pair;
static struct mw_tls_setup ec_setup, rsa_setup;

static const int versions[] = { 12, 13 };

/* In TLS 1.3 mbedTLS follows the client's order. */
static const int usual_ciphers[] = { MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
                                     MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0 };

static void open_with(struct line *line, int tls)
{
    struct client_wish wish = { .tls = tls, .sni = "moon", .ciphers = usual_ciphers };
    open_line(line, &ec_setup, &wish);
}

/* ---- there and back ---- */

static bool has_echo(void *ctx)
{
    struct line *line = ctx;
    (void)client_run(&line->client);
    return line->client.len >= 8 || line->client.is_ended;
}

static void echo_once(int tls, const struct mw_tls_setup *setup, size_t chunk)
{
    struct line line;
    struct client_wish wish = { .tls = tls, .sni = "moon", .chunk = chunk };
    open_line(&line, setup, &wish);
    line.owner.does_echo = true;
    client_says(&line, "moonwire", 8);
    wait_until(&line.world, has_echo, &line);
    assert_int_equal(line.client.code, 0);
    assert_int_equal(line.client.len, 8);
    assert_memory_equal(line.client.kept, "moonwire", 8);
    assert_int_equal(stats_of(&line).full, 1);
    assert_int_equal(stats_of(&line).handshaking + stats_of(&line).queued, 0);
    close_line(&line);
}

TEST(what_comes_is_echoed_in_both_versions_with_both_kinds_of_key)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        echo_once(versions[i], &ec_setup, 0);
        echo_once(versions[i], &rsa_setup, 0);
    }
}

TEST(bytes_may_come_one_by_one)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++)
        echo_once(versions[i], &ec_setup, 1);
}

TEST(facts_are_there_once_the_handshake_is_over)
{
    static const char *const names[] = { "TLSv1.2", "TLSv1.3" };
    static const char *const ciphers[] = { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                                           "TLS_AES_128_GCM_SHA256" };
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct line line;
        struct mw_tls_facts facts;
        open_with(&line, versions[i]);
        assert_false(mw_stream_tls(line.owner.stream, &facts));
        shake_hands(&line);
        assert_true(mw_stream_tls(line.owner.stream, &facts));
        assert_string_equal(facts.version, names[i]);
        assert_string_equal(facts.cipher, ciphers[i]);
        assert_string_equal(facts.sni, "moon");
        assert_string_equal(facts.client_subject, "");
        assert_string_equal(mw_stream_fault(line.owner.stream), "");
        char peer[MW_STREAM_ADDRESS_LEN];
        mw_stream_peer(line.owner.stream, peer);
        assert_string_equal(peer, "127.0.0.1");
        close_line(&line);
    }
}

/* ---- much ---- */

static char *new_bytes(size_t len)
{
    char *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    return bytes;
}

struct amount {
    struct line *line;
    size_t len;
};

static bool is_all_read(void *ctx)
{
    struct amount *amount = ctx;
    (void)client_run(&amount->line->client);
    return amount->line->client.len >= amount->len || amount->line->client.is_ended;
}

static bool is_all_heard(void *ctx)
{
    struct amount *amount = ctx;
    (void)client_run(&amount->line->client);
    return amount->line->owner.len >= amount->len || amount->line->client.is_ended;
}

static void write_much(int tls, size_t len)
{
    struct line line;
    struct mw_view vectors[MW_STREAM_MAX_VECTORS];
    char *bytes = new_bytes(len);
    open_with(&line, tls);
    shake_hands(&line);
    size_t each = len / MW_COUNT(vectors);
    for (size_t i = 0; i < MW_COUNT(vectors); i++)
        vectors[i] = mw_view(bytes + i * each, each);
    long taken = mw_stream_write(line.owner.stream, vectors, MW_COUNT(vectors));
    assert_in_range(taken, 0, (long)(len - 1)); /* the client has read nothing yet */
    size_t untaken = mw_stream_untaken(line.owner.stream);
    assert_true(untaken >= len - (size_t)taken);
    run_some_turns(&line.world);
    struct amount amount = { &line, len };
    wait_until(&line.world, is_all_read, &amount);
    wait_for_count(&line.world, &line.owner.written, 1);
    assert_int_equal(line.client.len, len);
    assert_int_equal(line.client.sum, sum_of_bytes(bytes, len, 0));
    assert_int_equal(line.owner.written, 1);
    close_line(&line);
    free(bytes);
}

TEST(much_is_written_whole_and_in_order_to_a_slow_reader)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        write_much(versions[i], 1U << 20);
        write_much(versions[i], 16U << 20);
    }
}

TEST(much_is_read_whole_and_in_order)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct line line;
        size_t len = 4U << 20;
        char *bytes = new_bytes(len);
        open_with(&line, versions[i]);
        client_says(&line, bytes, len);
        struct amount amount = { &line, len };
        wait_until(&line.world, is_all_heard, &amount);
        assert_int_equal(line.owner.len, len);
        assert_int_equal(line.owner.sum, sum_of_bytes(bytes, len, 0));
        close_line(&line);
        free(bytes);
    }
}

TEST(small_vectors_share_a_record)
{
    struct line line;
    struct mw_view vectors[MW_STREAM_MAX_VECTORS];
    open_with(&line, 13);
    shake_hands(&line);
    for (size_t i = 0; i < MW_COUNT(vectors); i++)
        vectors[i] = mw_view("moonwire", i % 9);
    long len = mw_stream_write(line.owner.stream, vectors, MW_COUNT(vectors));
    uint64_t sent = 0; /* of application data: the counter of records is mbedTLS's */
    struct mw_tls_stream *tls = MW_OWNER(line.owner.stream, struct mw_tls_stream, stream);
    for (int i = 0; i < 8; i++)
        sent = sent << 8 | tls->ssl.MBEDTLS_PRIVATE(cur_out_ctr)[i];
    struct amount amount = { &line, (size_t)len };
    wait_until(&line.world, is_all_read, &amount);
    assert_int_equal(line.client.len, len);
    assert_int_equal(sent, 1);
    close_line(&line);
}

TEST(a_write_before_the_handshake_is_over_goes_out_after_it)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct line line;
        open_with(&line, versions[i]);
        assert_int_equal(write_bytes(&line, "moonwire", 8), 0);
        assert_true(mw_stream_untaken(line.owner.stream) >= 8);
        wait_until(&line.world, has_echo, &line);
        assert_memory_equal(line.client.kept, "moonwire", 8);
        assert_int_equal(line.owner.written, 1);
        close_line(&line);
    }
}

TEST(with_reading_off_neither_bytes_nor_an_end_are_told)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct line line;
        open_with(&line, versions[i]);
        mw_stream_set_reading(line.owner.stream, false);
        shake_hands(&line); /* needs no owner that reads */
        client_says(&line, "moonwire", 8);
        wait_until(&line.world, client_run, &line.client);
        client_say_bye(&line.client);
        run_some_turns(&line.world);
        assert_int_equal(line.owner.reads + line.owner.fins + line.owner.resets, 0);
        mw_stream_set_reading(line.owner.stream, true);
        wait_for_count(&line.world, &line.owner.fins, 1);
        assert_memory_equal(line.owner.kept, "moonwire", 8);
        close_line(&line);
    }
}

/* ---- sleeping ---- */

TEST(who_only_waits_holds_no_record_buffers)
{
    for (size_t v = 0; v < MW_COUNT(versions); v++) {
        struct line line;
        open_with(&line, versions[v]);
        shake_hands(&line);
        run_some_turns(&line.world);
        struct mw_tls_stream *tls = MW_OWNER(line.owner.stream, struct mw_tls_stream, stream);
        assert_true(tls->sleep.is_asleep);
        assert_int_equal(tls->input.cap + tls->flying.cap + tls->waiting.cap, 0);
        assert_int_equal(stats_of(&line).record_buffers, 1); /* kept for whoever is next */
        close_line(&line);
    }
}

TEST(who_is_through_holds_nothing_of_the_handshake)
{
    for (size_t v = 0; v < MW_COUNT(versions); v++) {
        struct line line;
        open_with(&line, versions[v]);
        shake_hands(&line);
        struct mw_tls_stream *tls = MW_OWNER(line.owner.stream, struct mw_tls_stream, stream);
        assert_null(tls->ssl.MBEDTLS_PRIVATE(handshake));
        assert_null(tls->ssl.MBEDTLS_PRIVATE(transform_negotiate));
        assert_null(tls->ssl.MBEDTLS_PRIVATE(session_negotiate));
        close_line(&line);
    }
}

/* As if others had used them meanwhile. */
static void spoil_kept_buffers(struct mw_tls_pool *pool)
{
    for (size_t i = 0; i < pool->kept_count; i++) {
        memset(pool->kept[i].in, 0xee, pool->in_bytes);
        memset(pool->kept[i].out, 0xee, pool->out_bytes);
    }
}

TEST(a_stream_sleeps_after_each_record_and_loses_none)
{
    for (size_t v = 0; v < MW_COUNT(versions); v++) {
        struct line line;
        open_with(&line, versions[v]);
        shake_hands(&line);
        struct mw_tls_stream *tls = MW_OWNER(line.owner.stream, struct mw_tls_stream, stream);
        size_t there = 0, back = 0;
        for (size_t i = 1; i < 40; i++) {
            char bytes[40];
            memset(bytes, (int)i, sizeof(bytes));
            client_says(&line, bytes, i);
            struct amount heard = { &line, there += i };
            wait_until(&line.world, is_all_heard, &heard);
            assert_true(tls->sleep.is_asleep);
            spoil_kept_buffers(&line.tls->pool);
            assert_int_equal(write_bytes(&line, bytes, i), (long)i);
            assert_true(tls->sleep.is_asleep);
            spoil_kept_buffers(&line.tls->pool);
            struct amount read = { &line, back += i };
            wait_until(&line.world, is_all_read, &read);
        }
        assert_int_equal(line.owner.len, there);
        assert_int_equal(line.client.len, back);
        assert_int_equal(line.client.sum, line.owner.sum);
        close_line(&line);
    }
}

TEST(a_part_of_a_record_costs_its_bytes_alone)
{
    struct line line;
    open_with(&line, 13);
    shake_hands(&line);
    struct mw_tls_stream *tls = MW_OWNER(line.owner.stream, struct mw_tls_stream, stream);
    line.client.chunk = 1;
    client_says(&line, "moonwire", 8);
    assert_int_equal(send(line.client.fd,
                          "\x17\x03\x03\x40\x00"
                          "half",
                          9, 0),
                     9);
    while (tls->input.len < 9)
        run_some_turns(&line.world);
    assert_true(tls->sleep.is_asleep);
    assert_in_range(tls->input.cap, 9, 64);
    close_line(&line);
}

/* ---- ends ---- */

static bool owner_has_fin(void *ctx)
{
    struct line *line = ctx;
    (void)client_run(&line->client);
    return line->owner.fins > 0;
}

TEST(a_goodbye_is_told_as_a_fin_once_and_writing_goes_on)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct line line;
        open_with(&line, versions[i]);
        shake_hands(&line);
        client_say_bye(&line.client);
        wait_until(&line.world, owner_has_fin, &line);
        assert_int_equal(write_bytes(&line, "moonwire", 8), 8);
        wait_until(&line.world, has_echo, &line);
        assert_int_equal(shutdown(line.client.fd, SHUT_WR), 0);
        run_some_turns(&line.world);
        assert_int_equal(line.owner.fins, 1);
        assert_int_equal(line.owner.resets + line.owner.faults, 0);
        close_line(&line);
    }
}

TEST(a_bare_fin_is_a_fin_and_an_rst_a_reset)
{
    struct line line;
    open_with(&line, 13);
    shake_hands(&line);
    assert_int_equal(shutdown(line.client.fd, SHUT_WR), 0);
    wait_until(&line.world, owner_has_fin, &line);
    close_line(&line);

    open_with(&line, 13);
    shake_hands(&line);
    reset_socket(line.client.fd);
    line.client.fd = -1;
    wait_for_count(&line.world, &line.owner.resets, 1);
    assert_int_equal(line.owner.fins, 0);
    close_line(&line);
}

TEST(finish_says_goodbye_after_what_is_in_flight)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct line line;
        size_t len = 16U << 20;
        char *bytes = new_bytes(len);
        open_with(&line, versions[i]);
        shake_hands(&line);
        assert_in_range(write_bytes(&line, bytes, len), 0, (long)len - 1);
        mw_stream_finish(line.owner.stream);
        assert_int_equal(line.owner.written, 0);
        wait_until(&line.world, client_has_ended, &line.client);
        assert_int_equal(line.client.code, 0); /* by a close_notify */
        assert_int_equal(line.client.sum, sum_of_bytes(bytes, len, 0));
        assert_int_equal(line.owner.written, 1);
        assert_int_equal(write_bytes(&line, "no", 2), MW_ERR_CLOSED);
        close_line(&line);
        free(bytes);
    }
}

TEST(a_peer_that_goes_gives_back_what_is_in_flight)
{
    struct line line;
    size_t len = 16U << 20;
    char *bytes = new_bytes(len);
    open_with(&line, 13);
    shake_hands(&line);
    assert_in_range(write_bytes(&line, bytes, len), 0, (long)len - 1);
    reset_socket(line.client.fd);
    line.client.fd = -1;
    wait_for_count(&line.world, &line.owner.written, 1);
    wait_for_count(&line.world, &line.owner.resets, 1);
    assert_int_equal(write_bytes(&line, "no", 2), MW_ERR_CLOSED);
    free(bytes);
    close_line(&line);
}

TEST(a_stream_may_be_closed_from_inside_its_events)
{
    struct line line;
    open_with(&line, 13);
    line.owner.closes_on_read = true;
    client_says(&line, "moonwire", 8);
    wait_until(&line.world, client_has_ended, &line.client);
    assert_int_equal(line.owner.reads, 1);
    close_line(&line);

    open_with(&line, 13);
    line.owner.closes_on_end = true;
    shake_hands(&line);
    client_say_bye(&line.client);
    wait_until(&line.world, client_has_ended, &line.client);
    assert_int_equal(line.owner.fins, 1);
    close_line(&line);
}

TEST(a_record_that_was_changed_ends_it)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct line line;
        char record[5 + 40] = { 0x17, 3, 3, 0, 40 };
        open_with(&line, versions[i]);
        shake_hands(&line);
        assert_int_equal(send(line.client.fd, record, sizeof(record), 0), sizeof(record));
        wait_until(&line.world, owner_has_ended, &line);
        assert_int_equal(line.owner.faults, 1);
        assert_string_equal(mw_stream_fault(line.owner.stream),
                            "a record was changed on its way, or made with another key (bad MAC)");
        wait_until(&line.world, client_has_ended, &line.client);
        assert_int_equal(line.client.code, MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
        assert_int_equal(stats_of(&line).failed, 0); /* that counts handshakes */
        assert_int_equal(write_bytes(&line, "no", 2), MW_ERR_CLOSED);
        mw_stream_finish(line.owner.stream);
        run_some_turns(&line.world);
        close_line(&line);
    }
}

/* Of mbedTLS: no client of it says such a thing. */
int mbedtls_ssl_write_record(mbedtls_ssl_context *ssl, int force_flush);

/* A message of the handshake that comes when it is over, encrypted as it should be. */
TEST(a_message_of_the_handshake_behind_it_ends_the_stream)
{
    static const unsigned char kinds[] = { 1 /* hello */, 4 /* ticket */, 20 /* finished */,
                                           24 /* key update */ };
    for (size_t i = 0; i < MW_COUNT(kinds); i++) {
        struct line line;
        open_with(&line, 13);
        shake_hands(&line);
        mbedtls_ssl_context *ssl = &line.client.ssl;
        const unsigned char message[] = { kinds[i], 0, 0, 1, 0 };
        memcpy(ssl->MBEDTLS_PRIVATE(out_msg), message, sizeof(message));
        ssl->MBEDTLS_PRIVATE(out_msgtype) = MBEDTLS_SSL_MSG_HANDSHAKE;
        ssl->MBEDTLS_PRIVATE(out_msglen) = sizeof(message);
        assert_int_equal(mbedtls_ssl_write_record(ssl, 1), 0);
        wait_until(&line.world, owner_has_ended, &line);
        assert_int_equal(line.owner.faults, 1);
        assert_int_equal(write_bytes(&line, "no", 2), MW_ERR_CLOSED);
        close_line(&line);
    }
}

/* ---- memory ---- */

/* A whole life: hello, bytes there, many back, in flight for a while. */
struct life {
    struct line line;
    long taken;
    bool has_written;
};

static char life_bytes[1U << 20];

static bool is_whole(const struct life *life)
{
    return life->line.owner.written > 0 && life->line.client.len == sizeof(life_bytes);
}

/* Out of memory in a handshake is a fault, later a reset. */
static unsigned ends_of(const struct line *line)
{
    return line->owner.resets + line->owner.faults;
}

static bool is_lived(void *ctx)
{
    struct life *life = ctx;
    struct line *line = &life->line;
    (void)client_run(&line->client);
    if (!life->has_written && line->owner.len == 8 && ends_of(line) == 0) {
        life->has_written = true;
        life->taken = write_bytes(line, life_bytes, sizeof(life_bytes));
    }
    return is_whole(life) || ends_of(line) > 0;
}

static bool live(struct mw_mem *mem, int tls)
{
    static struct life life;
    struct line *line = &life.line;
    memset(&life, 0, sizeof(life));
    open_plain_line(line, &ec_setup);
    client_open(&line->client, line->fd, &(struct client_wish){ .tls = tls, .sni = "moon" });
    line->fd = -1;
    uint64_t before = line->world.mem.count;
    line->world.mem.fail_at = before + mem->fail_at;
    client_says(line, "moonwire", 8);
    wait_until(&line->world, is_lived, &life);
    assert_int_equal(ends_of(line), is_whole(&life) ? 0 : 1);
    assert_int_equal(line->owner.fins, 0);
    if (life.taken > 0)
        assert_int_equal(line->owner.written, 1);
    mem->count = line->world.mem.count - before;
    close_line(line);
    return is_whole(&life);
}

static bool live_12(struct mw_mem *mem)
{
    return live(mem, 12);
}

static bool live_13(struct mw_mem *mem)
{
    return live(mem, 13);
}

TEST(without_memory_a_stream_ends_and_loses_nothing_else)
{
    assert_in_range(fail_each_allocation(live_12), 4, 2000);
    assert_in_range(fail_each_allocation(live_13), 4, 2000);
}

TEST(without_memory_for_a_stream_the_one_below_is_closed)
{
    struct world world;
    struct far far = { .fd = -1 };
    int near;
    open_world(&world);
    struct mw_tls_loop *tls = mw_tls_loop_new(world.loop);
    struct mw_tls_ctx *ctx = new_ctx(&world, &ec_setup);
    connect_pair(&near, &far.fd);
    struct mw_stream *below = mw_tcp_adopt(world.loop, near);
    world.mem.fail_at = world.mem.count + 1;
    assert_null(mw_tls_accept(tls, ctx, below, mw_view(NULL, 0)));
    wait_until(&world, far_has_ended, &far);
    close(far.fd);
    mw_tls_loop_free(tls);
    mw_tls_ctx_release(ctx);
    close_world(&world);
    assert_int_equal(mw_shared_bytes(), 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(what_comes_is_echoed_in_both_versions_with_both_kinds_of_key),
        CASE(bytes_may_come_one_by_one),
        CASE(facts_are_there_once_the_handshake_is_over),
        CASE(much_is_written_whole_and_in_order_to_a_slow_reader),
        CASE(much_is_read_whole_and_in_order),
        CASE(small_vectors_share_a_record),
        CASE(a_write_before_the_handshake_is_over_goes_out_after_it),
        CASE(with_reading_off_neither_bytes_nor_an_end_are_told),
        CASE(who_only_waits_holds_no_record_buffers),
        CASE(who_is_through_holds_nothing_of_the_handshake),
        CASE(a_stream_sleeps_after_each_record_and_loses_none),
        CASE(a_part_of_a_record_costs_its_bytes_alone),
        CASE(a_goodbye_is_told_as_a_fin_once_and_writing_goes_on),
        CASE(a_bare_fin_is_a_fin_and_an_rst_a_reset),
        CASE(finish_says_goodbye_after_what_is_in_flight),
        CASE(a_peer_that_goes_gives_back_what_is_in_flight),
        CASE(a_stream_may_be_closed_from_inside_its_events),
        CASE(a_record_that_was_changed_ends_it),
        CASE(a_message_of_the_handshake_behind_it_ends_the_stream),
        CASE(without_memory_a_stream_ends_and_loses_nothing_else),
        CASE(without_memory_for_a_stream_the_one_below_is_closed),
    };
    cert_make(&ec_cert, &(struct cert_wish){ .subject = "CN=moon", .hosts = { "moon" } });
    cert_make(&rsa_cert,
              &(struct cert_wish){ .subject = "CN=rsa", .hosts = { "moon" }, .kind = KEY_RSA });
    ec_pair = cert_pair(&ec_cert);
    rsa_pair = cert_pair(&rsa_cert);
    ec_setup = (struct mw_tls_setup){ .pairs = &ec_pair, .pair_count = 1 };
    rsa_setup = (struct mw_tls_setup){ .pairs = &rsa_pair, .pair_count = 1 };
    int failed = RUN(cases);
    cert_free(&ec_cert);
    cert_free(&rsa_cert);
    return failed;
}
