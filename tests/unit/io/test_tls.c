#include "core/io/tls.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/io/tls_client.h"

static struct cert server_cert, rsa_cert;

/* A connection: near a TLS stream over TCP, far a client. */
struct line {
    struct world world;
    struct mw_tls_loop *tls;
    struct mw_tls_ctx *ctx;
    struct owner owner;
    struct client client;
};

static struct mw_tls_ctx *new_ctx(struct world *world, const struct cert *cert)
{
    struct mw_tls_pair pair = cert_pair(cert);
    struct mw_tls_setup setup = { .pairs = &pair, .pair_count = 1 };
    struct mw_tls_ctx *ctx = NULL;
    char why[256];
    assert_int_equal(mw_tls_ctx_new(&world->mem, &setup, &ctx, why), MW_OK);
    return ctx;
}

static void open_line(struct line *line, const struct cert *cert, const struct client_wish *wish)
{
    int near, far;
    memset(line, 0, sizeof(*line));
    open_world(&line->world);
    line->tls = mw_tls_loop_new(line->world.loop);
    assert_non_null(line->tls);
    line->ctx = new_ctx(&line->world, cert);
    connect_pair(&near, &far);
    struct mw_stream *below = mw_tcp_adopt(line->world.loop, near);
    take_stream(&line->owner, &line->world,
                mw_tls_accept(line->tls, line->ctx, below, mw_view(NULL, 0)));
    mw_stream_set_reading(line->owner.stream, true);
    client_open(&line->client, far, wish);
}

static void close_line(struct line *line)
{
    if (line->owner.closed == 0)
        drop_stream(&line->owner, false);
    client_close(&line->client);
    mw_tls_loop_free(line->tls);
    mw_tls_ctx_release(line->ctx);
    close_world(&line->world);
    assert_int_equal(mw_shared_bytes(), 0);
}

static bool has_echo(void *ctx)
{
    struct line *line = ctx;
    (void)client_run(&line->client);
    return line->client.len >= 8 || line->client.is_ended;
}

static void echo_once(int tls, const struct cert *cert, size_t chunk)
{
    struct line line;
    struct client_wish wish = { .tls = tls, .sni = "moon", .chunk = chunk };
    open_line(&line, cert, &wish);
    line.owner.does_echo = true;
    line.client.bytes = "moonwire";
    line.client.bytes_len = 8;
    wait_until(&line.world, has_echo, &line);
    assert_int_equal(line.client.code, 0);
    assert_int_equal(line.client.len, 8);
    assert_memory_equal(line.client.kept, "moonwire", 8);
    struct mw_tls_stats stats;
    mw_tls_loop_stats(line.tls, &stats);
    assert_int_equal(stats.full, 1);
    assert_int_equal(stats.handshaking + stats.queued + stats.failed, 0);
    close_line(&line);
}

TEST(what_comes_is_echoed_in_both_versions_with_both_kinds_of_key)
{
    echo_once(12, &server_cert, 0);
    echo_once(13, &server_cert, 0);
    echo_once(12, &rsa_cert, 0);
    echo_once(13, &rsa_cert, 0);
}

TEST(bytes_may_come_one_by_one)
{
    echo_once(12, &server_cert, 1);
    echo_once(13, &server_cert, 1);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(what_comes_is_echoed_in_both_versions_with_both_kinds_of_key),
        CASE(bytes_may_come_one_by_one),
    };
    cert_make(&server_cert, &(struct cert_wish){ .subject = "CN=moon", .hosts = { "moon" } });
    cert_make(&rsa_cert,
              &(struct cert_wish){ .subject = "CN=rsa", .hosts = { "moon" }, .kind = KEY_RSA });
    int failed = RUN(cases);
    cert_free(&server_cert);
    cert_free(&rsa_cert);
    return failed;
}
