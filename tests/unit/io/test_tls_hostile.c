/* Clients that know the keys and mean harm: what they may send once they are in, and what it costs.
 */
#include <stdlib.h>

#include "core/io/tls.h"
#include "tests/unit/io/tls_line.h"

/* mbedTLS's own, and not in its headers: the record that was prepared by hand. */
int mbedtls_ssl_write_record(mbedtls_ssl_context *ssl, int force_flush);

#define ALERT     21
#define HANDSHAKE 22
#define DATA      23

static struct cert cert;
static struct mw_tls_pair pair;
static struct mw_tls_setup setup;
static const int versions[] = { 12, 13 };

static void open_with(struct line *line, int tls)
{
    open_line(line, &setup, &(struct client_wish){ .tls = tls, .sni = "moon" });
    shake_hands(line);
}

/* A record of any kind, encrypted as it should be. */
static void send_record(struct line *line, int kind, const void *bytes, size_t len)
{
    mbedtls_ssl_context *ssl = &line->client.ssl;
    ssl->MBEDTLS_PRIVATE(out_msgtype) = kind;
    ssl->MBEDTLS_PRIVATE(out_msglen) = len;
    if (len > 0)
        memcpy(ssl->MBEDTLS_PRIVATE(out_msg), bytes, len);
    assert_int_equal(mbedtls_ssl_write_record(ssl, 1), 0);
}

/* ---- messages of a handshake after it ---- */

struct message {
    int tls;
    const char *bytes;
    size_t len;
};

/* clang-format off */
#define BYTES(literal) (literal), sizeof(literal) - 1
/* clang-format on */

static const struct message messages[] = {
    { 12, BYTES("\x01\x00\x00\x00") },         /* ClientHello */
    { 12, BYTES("\x01\x00\x00\x08part") },     /* the begin of one */
    { 12, BYTES("\x00\x00\x00\x00") },         /* HelloRequest */
    { 12, BYTES("\x14\x00\x00\x00") },         /* Finished */
    { 12, BYTES("\x01\x00") },                 /* no header of one */
    { 13, BYTES("\x01\x00\x00\x00") },         /* ClientHello */
    { 13, BYTES("\x18\x00\x00\x01\x00") },     /* KeyUpdate: not known to mbedTLS */
    { 13, BYTES("\x18\x00\x00\x01") },         /* the begin of one */
    { 13, BYTES("\x04\x00\x00\x04tick") },     /* NewSessionTicket */
    { 13, BYTES("\x0b\x00\x00\x04\0\0\0\0") }, /* Certificate, that nobody asked for */
};

TEST(a_message_of_a_handshake_after_it_ends_the_connection)
{
    for (size_t i = 0; i < MW_COUNT(messages); i++) {
        struct line line;
        open_with(&line, messages[i].tls);
        send_record(&line, HANDSHAKE, messages[i].bytes, messages[i].len);
        wait_until(&line.world, owner_has_ended, &line);
        assert_int_equal(line.owner.faults, 1);
        mw_stream_finish(line.owner.stream);
        wait_until(&line.world, client_has_ended, &line.client);
        assert_int_equal(stats_of(&line).failed, 0); /* that counts handshakes */
        close_line(&line);
    }
}

TEST(a_record_full_of_hellos_is_answered_once)
{
    struct line line;
    static char hellos[MW_TLS_RECORD_BYTES], back[2 * sizeof(hellos)];
    for (size_t i = 0; i < sizeof(hellos); i += 4)
        hellos[i] = 1;
    open_with(&line, 12);
    send_record(&line, HANDSHAKE, hellos, sizeof(hellos));
    wait_for_count(&line.world, &line.owner.faults, 1);
    run_some_turns(&line.world);
    assert_in_range(recv(line.client.fd, back, sizeof(back), 0), 1, 64);
    close_line(&line);
}

/* ---- what means nothing ---- */

static bool is_said(void *ctx)
{
    struct line *line = ctx;
    (void)client_run(&line->client);
    return line->owner.len >= 8 || owner_has_ended(line);
}

/* Alerts that warn, and the ChangeCipherSpec that RFC 8446 D.4 lets anybody send. */
TEST(warnings_and_padding_are_passed_over)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct line line;
        open_with(&line, versions[i]);
        for (int count = 0; count < 600; count++) {   /* the counter of records takes two bytes */
            send_record(&line, ALERT, "\x01\x5a", 2); /* user_canceled */
            if (versions[i] == 13)
                assert_int_equal(send(line.client.fd, "\x14\x03\x03\x00\x01\x01", 6, 0), 6);
        }
        client_says(&line, "moonwire", 8);
        wait_until(&line.world, is_said, &line);
        assert_int_equal(line.owner.len, 8);
        assert_memory_equal(line.owner.kept, "moonwire", 8);
        assert_int_equal(line.owner.reads, 1);
        close_line(&line);
    }
}

TEST(records_of_nothing_are_no_news_and_a_row_of_them_ends_it)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct line line;
        open_with(&line, versions[i]);
        for (int count = 0; count < 3; count++)
            send_record(&line, DATA, "", 0);
        client_says(&line, "moonwire", 8);
        wait_until(&line.world, is_said, &line);
        assert_int_equal(line.owner.reads, 1);
        for (int count = 0; count < 600; count++)
            send_record(&line, DATA, "", 0);
        wait_until(&line.world, owner_has_ended, &line);
        assert_int_equal(line.owner.faults, 1);
        assert_int_equal(line.owner.reads, 1);
        close_line(&line);
    }
}

/* ---- the end ---- */

TEST(what_follows_a_goodbye_is_dropped_and_its_buffers_sleep)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct line line;
        open_with(&line, versions[i]);
        send_record(&line, DATA, "moonwire", 8);
        send_record(&line, ALERT, "\x01\x00", 2); /* close_notify */
        send_record(&line, DATA, "too late", 8);
        wait_for_count(&line.world, &line.owner.fins, 1);
        send_record(&line, DATA, "too late", 8);
        run_some_turns(&line.world);
        assert_int_equal(line.owner.len, 8);
        assert_int_equal(line.owner.resets + line.owner.faults, 0);
        struct mw_tls_stream *tls = MW_OWNER(line.owner.stream, struct mw_tls_stream, stream);
        assert_true(tls->sleep.is_asleep);
        close_line(&line);
    }
}

/* ---- writing from within events ---- */

static struct {
    char *bytes;
    size_t len;
} more;

static void write_more_and_finish(void *ctx)
{
    struct owner *owner = ctx;
    struct mw_view view = mw_view(more.bytes, more.len);
    if (owner->written++ > 0)
        return;
    assert_in_range(mw_stream_write(owner->stream, &view, 1), 0, (long)more.len - 1);
    mw_stream_finish(owner->stream);
}

TEST(a_goodbye_from_within_written_waits_for_what_was_written_there)
{
    for (size_t i = 0; i < MW_COUNT(versions); i++) {
        struct line line;
        struct mw_stream_events events = owner_events;
        more.len = 16U << 20;
        more.bytes = malloc(more.len);
        memset(more.bytes, 'm', more.len);
        open_with(&line, versions[i]);
        events.written = write_more_and_finish;
        mw_stream_attach(line.owner.stream, &events, &line.owner);
        assert_in_range(write_bytes(&line, more.bytes, more.len), 0, (long)more.len - 1);
        wait_until(&line.world, client_has_ended, &line.client);
        assert_int_equal(line.client.code, 0);
        assert_int_equal(line.client.len, 2 * more.len);
        assert_int_equal(line.owner.written, 2);
        close_line(&line);
        free(more.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_message_of_a_handshake_after_it_ends_the_connection),
        CASE(a_record_full_of_hellos_is_answered_once),
        CASE(warnings_and_padding_are_passed_over),
        CASE(records_of_nothing_are_no_news_and_a_row_of_them_ends_it),
        CASE(what_follows_a_goodbye_is_dropped_and_its_buffers_sleep),
        CASE(a_goodbye_from_within_written_waits_for_what_was_written_there),
    };
    cert_make(&cert, &(struct cert_wish){ .subject = "CN=moon", .hosts = { "moon" } });
    pair = cert_pair(&cert);
    setup = (struct mw_tls_setup){ .pairs = &pair, .pair_count = 1 };
    int failed = RUN(cases);
    cert_free(&cert);
    return failed;
}
