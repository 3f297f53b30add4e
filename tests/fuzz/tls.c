/*
 * TLS as a stream over a stream: a client of mbedTLS talks to it through a wire on which bytes are
 * cut, changed, put in and lost, while both owners do as the input says. What the server's owner
 * reads is a beginning of what the client has written, and the other way round, whatever happens to
 * the wire; events come as core/io/stream.h promises; nothing is left at the end.
 *
 * Input: one byte for the client's versions and whether it is asked for a certificate, then steps
 * of two bytes: what, and how much.
 */
#include <mbedtls/ssl.h>

#include "core/io/tls.h"
#include "tests/fuzz/fuzz.h"

#define MAX_STEPS   300
#define QUIET_TURNS 12 /* at the end, for what is on its way */
#define SAY_BYTES   64 /* times what a step says */

/* ---- made once ---- */

enum trust { ANYBODY, ASKS_FOR_CERTIFICATES, TRUST_COUNT };

static struct mw_mem lasting;
static struct mw_tls_ctx *contexts[TRUST_COUNT];
static mbedtls_ssl_config configs[3]; /* both versions, 1.2, 1.3 */
static mbedtls_x509_crt client_cert;
static mbedtls_pk_context client_key;

static struct mw_rng client_rng;

static int client_random(void *unused, unsigned char *out, size_t len)
{
    (void)unused;
    for (size_t i = 0; i < len; i++)
        out[i] = (unsigned char)mw_rng_next(&client_rng);
    return 0;
}

static void make_contexts(struct mw_view chain, struct mw_view key)
{
    char why[256];
    struct mw_tls_pair pair = { "fuzz", "fuzz", chain, key };
    struct mw_tls_setup setup = { .pairs = &pair, .pair_count = 1, .least = MW_TLS_1_2 };
    setup.tickets = mw_tls_tickets_new(3600);
    CHECK(setup.tickets != NULL);
    CHECK(mw_tls_ctx_new(&lasting, &setup, &contexts[ANYBODY], why) == MW_OK);
    setup.client = MW_TLS_CLIENT_OPTIONAL;
    setup.client_ca = chain;
    CHECK(mw_tls_ctx_new(&lasting, &setup, &contexts[ASKS_FOR_CERTIFICATES], why) == MW_OK);
    mw_tls_tickets_release(setup.tickets);
}

static void make_config(mbedtls_ssl_config *config)
{
    mbedtls_ssl_config_init(config);
    CHECK(mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                      MBEDTLS_SSL_PRESET_DEFAULT) == 0);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_rng(config, client_random, NULL);
    CHECK(mbedtls_ssl_conf_own_cert(config, &client_cert, &client_key) == 0);
}

/* The client shows the server's own certificate: as good as any to be read. */
static void make_once(void)
{
    static char chain[2048], key[512], fingerprint[96];
    if (contexts[ANYBODY])
        return;
    mw_mem_init(&lasting, NULL, 0);
    CHECK(mw_tls_throw_away(1790000000, 1, chain, key, fingerprint) == MW_OK);
    make_contexts(mw_view_text(chain), mw_view_text(key));
    mbedtls_x509_crt_init(&client_cert);
    mbedtls_pk_init(&client_key);
    CHECK(mbedtls_x509_crt_parse(&client_cert, (unsigned char *)chain, strlen(chain) + 1) == 0);
    CHECK(mbedtls_pk_parse_key(&client_key, (unsigned char *)key, strlen(key) + 1, NULL, 0,
                               client_random, NULL) == 0);
    for (size_t i = 0; i < MW_COUNT(configs); i++)
        make_config(&configs[i]);
    mbedtls_ssl_conf_max_tls_version(&configs[1], MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_min_tls_version(&configs[2], MBEDTLS_SSL_VERSION_TLS1_3);
}

/* ---- a world ---- */

struct world {
    struct mw_mem mem;
    struct mw_loop *loop;
    struct mw_tls_loop *tls;
    struct mw_turn_task driver, burial;
    struct mw_view input;
    size_t steps, quiet_turns;

    /* the stream below, and what waits on the wire in each direction */
    struct mw_stream below;
    bool reads, is_slow, has_ended, is_closing, is_finished;
    struct mw_view flying; /* borrowed from the writer */
    struct mw_buf to_server, to_client;

    /* the owner */
    struct mw_stream *stream;
    bool wants, ended, is_dropped, closed, has_finished;
    char *writing; /* in flight, as long as it must live */
    size_t wrote, heard;

    mbedtls_ssl_context client;
    bool client_open, client_over;
    size_t said, client_heard;
};

/* What both sides say, by place: any other byte was never said. */
static char said_at(size_t at)
{
    return (char)(at * 7 + at / 251);
}

static char *words(size_t from, size_t len)
{
    char *text = malloc(len ? len : 1);
    CHECK(text != NULL);
    for (size_t i = 0; i < len; i++)
        text[i] = said_at(from + i);
    return text;
}

static void check_words(const char *bytes, size_t len, size_t *heard, size_t said)
{
    CHECK(len <= said - *heard);
    for (size_t i = 0; i < len; i++)
        CHECK(bytes[i] == said_at(*heard + i));
    *heard += len;
}

/* ---- the stream below ---- */

static struct world *world_of(const struct mw_stream *below)
{
    return MW_OWNER(below, struct world, below);
}

static void below_set_reading(struct mw_stream *stream, bool on)
{
    CHECK(!world_of(stream)->is_closing);
    world_of(stream)->reads = on;
}

static long below_write(struct mw_stream *stream, const struct mw_view *vectors, size_t count)
{
    struct world *world = world_of(stream);
    CHECK(count == 1 && world->flying.len == 0 && !world->is_closing && !world->is_finished);
    if (world->has_ended)
        return MW_ERR_CLOSED;
    size_t taken = world->is_slow ? vectors->len / 2 : vectors->len;
    must_put(&world->to_client, mw_view(vectors->data, taken));
    world->flying = mw_view_from(*vectors, taken);
    return (long)taken;
}

static void below_finish(struct mw_stream *stream)
{
    CHECK(!world_of(stream)->is_finished && !world_of(stream)->is_closing);
    world_of(stream)->is_finished = true;
}

static void below_close(struct mw_stream *stream, bool reset)
{
    struct world *world = world_of(stream);
    (void)reset;
    CHECK(!world->is_closing);
    world->is_closing = true;
    world->flying = mw_view(NULL, 0);
    mw_turn_task_add(world->loop, &world->burial);
}

static void below_peer(const struct mw_stream *stream, char out[MW_STREAM_ADDRESS_LEN])
{
    (void)stream;
    out[0] = '\0';
}

static size_t below_untaken(const struct mw_stream *stream)
{
    return world_of(stream)->flying.len;
}

static const struct mw_stream_ops below_ops = {
    .set_reading = below_set_reading,
    .write = below_write,
    .finish = below_finish,
    .close = below_close,
    .peer = below_peer,
    .untaken = below_untaken,
    .tls = NULL,
    .fault = NULL,
};

static void bury(struct mw_turn_task *task)
{
    struct world *world = MW_OWNER(task, struct world, burial);
    world->below.events->closed(world->below.owner);
}

/* What was in flight is taken. */
static void land_flying(struct world *world)
{
    if (world->flying.len == 0 || world->is_closing)
        return;
    must_put(&world->to_client, world->flying);
    world->flying = mw_view(NULL, 0);
    world->below.events->written(world->below.owner);
}

static void deliver(struct world *world, size_t len)
{
    if (!world->reads || world->is_closing || world->has_ended)
        return;
    struct mw_view bytes = mw_buf_view(&world->to_server);
    if (len < bytes.len)
        bytes.len = len;
    if (bytes.len == 0)
        return;
    char *block = exact_copy(bytes);
    mw_buf_skip(&world->to_server, bytes.len);
    world->below.events->read(world->below.owner, block, bytes.len);
    free(block);
}

static void end_below(struct world *world, enum mw_stream_end how)
{
    bool may_tell = world->reads || how == MW_STREAM_RESET;
    if (world->has_ended || world->is_closing || !may_tell)
        return;
    world->has_ended = true;
    if (world->flying.len > 0) {
        world->flying = mw_view(NULL, 0);
        world->below.events->written(world->below.owner);
    }
    if (!world->is_closing)
        world->below.events->end(world->below.owner, how);
}

/* ---- the owner ---- */

static void on_read(void *owner, char *bytes, size_t len)
{
    struct world *world = owner;
    CHECK(world->wants && !world->ended && !world->is_dropped && len > 0);
    check_words(bytes, len, &world->heard, world->said);
    memset(bytes, 0x55, len); /* the owner may change them */
}

static void on_end(void *owner, enum mw_stream_end how)
{
    struct world *world = owner;
    CHECK(!world->ended && !world->is_dropped);
    CHECK(world->wants || how != MW_STREAM_FIN);
    CHECK((how == MW_STREAM_TLS_ERROR) == (*mw_stream_fault(world->stream) != '\0'));
    world->ended = true;
}

static void on_written(void *owner)
{
    struct world *world = owner;
    CHECK(world->writing != NULL && !world->is_dropped);
    free(world->writing);
    world->writing = NULL;
}

static void on_closed(void *owner)
{
    struct world *world = owner;
    CHECK(world->is_dropped && !world->closed);
    world->closed = true;
    mw_loop_stop(world->loop);
}

static const struct mw_stream_events owner_events = {
    .read = on_read,
    .end = on_end,
    .written = on_written,
    .closed = on_closed,
};

static void write_words(struct world *world, size_t len)
{
    if (world->writing || world->is_dropped || world->has_finished || len == 0)
        return;
    world->writing = words(world->wrote, len);
    struct mw_view half[2] = { mw_view(world->writing, len / 3),
                               mw_view(world->writing + len / 3, len - len / 3) };
    world->wrote += len;
    long taken = mw_stream_write(world->stream, half, 2);
    CHECK(taken == MW_ERR_CLOSED || (taken >= 0 && (size_t)taken <= len));
    if (taken == MW_ERR_CLOSED || (size_t)taken == len) {
        free(world->writing);
        world->writing = NULL;
    }
}

static void set_wants(struct world *world, bool wants)
{
    if (world->is_dropped)
        return;
    world->wants = wants;
    mw_stream_set_reading(world->stream, wants);
}

static void finish(struct world *world)
{
    if (world->is_dropped || world->has_finished || world->writing)
        return;
    world->has_finished = true;
    mw_stream_finish(world->stream);
}

static void drop(struct world *world, bool reset)
{
    struct mw_tls_facts facts;
    if (world->is_dropped)
        return;
    (void)mw_stream_tls(world->stream, &facts);
    CHECK(mw_stream_untaken(world->stream) <= world->wrote + 400000);
    world->is_dropped = true;
    mw_stream_close(world->stream, reset);
    free(world->writing);
    world->writing = NULL;
}

/* ---- the client ---- */

static int client_send(void *owner, const unsigned char *bytes, size_t len)
{
    struct world *world = owner;
    must_put(&world->to_server, mw_view((const char *)bytes, len));
    return (int)len;
}

static int client_receive(void *owner, unsigned char *out, size_t max_bytes)
{
    struct world *world = owner;
    size_t len = world->to_client.len < max_bytes ? world->to_client.len : max_bytes;
    if (len == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    memcpy(out, world->to_client.data, len);
    mw_buf_skip(&world->to_client, len);
    return (int)len;
}

static void run_client(struct world *world)
{
    unsigned char bytes[4096];
    int code = 1;
    if (!world->client_open && !world->client_over) {
        code = mbedtls_ssl_handshake(&world->client);
        world->client_open = code == 0;
    }
    while (world->client_open && !world->client_over && code >= 0) {
        code = mbedtls_ssl_read(&world->client, bytes, sizeof bytes);
        if (code > 0)
            check_words((char *)bytes, (size_t)code, &world->client_heard, world->wrote);
        if (code == 0)
            break;
    }
    bool goes_on = code > 0 || code == MBEDTLS_ERR_SSL_WANT_READ ||
                   code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET ||
                   (code == 0 && world->client_open);
    world->client_over = world->client_over || !goes_on;
}

static void say(struct world *world, size_t len)
{
    if (!world->client_open || world->client_over || len == 0)
        return;
    char *text = words(world->said, len);
    world->said += len;
    int code = mbedtls_ssl_write(&world->client, (unsigned char *)text, len);
    world->client_over = code != (int)len; /* our wire takes all, so this is an end */
    free(text);
}

/* ---- steps ---- */

enum step {
    EXCHANGE,
    RUN_CLIENT,
    DELIVER,
    FLIP,
    INSERT,
    LOSE,
    SAY,
    WANTS,
    WRITE,
    FINISH,
    BELOW_ENDS,
    BELOW_RESETS,
    SLOW,
    LAND,
    BYE,
    DROP,
    STEP_COUNT
};

static void flip(struct world *world, size_t at)
{
    if (at < world->to_server.len)
        world->to_server.data[at] = (char)(world->to_server.data[at] ^ take_byte(&world->input));
}

/* Bytes of the input, before those that wait. */
static void insert(struct world *world, size_t len)
{
    struct mw_buf *wire = &world->to_server;
    struct mw_view part = mw_view(world->input.data, len);
    if (part.len > world->input.len)
        part.len = world->input.len;
    if (part.len == 0)
        return;
    CHECK(mw_buf_reserve(wire, part.len) == MW_OK);
    memmove(wire->data + part.len, wire->data, wire->len);
    memcpy(wire->data, part.data, part.len);
    wire->len += part.len;
    world->input = mw_view_from(world->input, part.len);
}

static void exchange(struct world *world)
{
    run_client(world);
    land_flying(world);
    deliver(world, SIZE_MAX);
}

static void take_step(struct world *world)
{
    enum step step = (enum step)take_below(&world->input, STEP_COUNT);
    size_t much = take_byte(&world->input);
    switch (step) {
    case EXCHANGE:
        exchange(world);
        break;
    case RUN_CLIENT:
        run_client(world);
        break;
    case DELIVER:
        deliver(world, much);
        break;
    case FLIP:
        flip(world, much);
        break;
    case INSERT:
        insert(world, much);
        break;
    case LOSE:
        mw_buf_skip(&world->to_server, much < world->to_server.len ? much : world->to_server.len);
        break;
    case SAY:
        say(world, much * SAY_BYTES);
        break;
    case WANTS:
        set_wants(world, much & 1);
        break;
    case WRITE:
        write_words(world, much * much);
        break;
    case FINISH:
        finish(world);
        break;
    case BELOW_ENDS:
        end_below(world, MW_STREAM_FIN);
        break;
    case BELOW_RESETS:
        end_below(world, MW_STREAM_RESET);
        break;
    case SLOW:
        world->is_slow = much & 1;
        break;
    case LAND:
        land_flying(world);
        break;
    case BYE:
        if (world->client_open && !world->client_over)
            (void)mbedtls_ssl_close_notify(&world->client);
        break;
    case DROP:
        drop(world, much & 1);
        break;
    case STEP_COUNT:
        break;
    }
}

static void drive(struct mw_turn_task *task)
{
    struct world *world = MW_OWNER(task, struct world, driver);
    if (world->input.len > 0 && world->steps++ < MAX_STEPS)
        take_step(world);
    else if (world->quiet_turns++ < QUIET_TURNS)
        exchange(world);
    else
        drop(world, false);
    if (!world->closed)
        mw_turn_task_add(world->loop, task);
}

/* ---- life ---- */

static void open_world(struct world *world, struct mw_view input)
{
    *world = (struct world){ .input = input, .below = { .ops = &below_ops }, .wants = true };
    mw_rng_seed(&client_rng, 1);
    uint8_t choices = take_byte(&world->input);
    const mbedtls_ssl_config *config = &configs[choices % MW_COUNT(configs)];
    struct mw_tls_ctx *ctx = contexts[choices / MW_COUNT(configs) % TRUST_COUNT];
    mbedtls_ssl_init(&world->client);
    CHECK(mbedtls_ssl_setup(&world->client, config) == 0);
    CHECK(mbedtls_ssl_set_hostname(&world->client, "localhost") == 0);
    mbedtls_ssl_set_bio(&world->client, world, client_send, client_receive, NULL);
    mw_mem_init(&world->mem, NULL, 0);
    mw_buf_init(&world->to_server, &world->mem, 0);
    mw_buf_init(&world->to_client, &world->mem, 0);
    CHECK(mw_loop_new(&world->mem, &world->loop) == MW_OK);
    mw_turn_task_init(&world->driver, drive);
    mw_turn_task_init(&world->burial, bury);
    world->tls = mw_tls_loop_new(world->loop);
    CHECK(world->tls != NULL);
    world->stream = mw_tls_accept(world->tls, ctx, &world->below, mw_view(NULL, 0));
    CHECK(world->stream != NULL);
    mw_stream_attach(world->stream, &owner_events, world);
    mw_stream_set_reading(world->stream, true);
    mw_turn_task_add(world->loop, &world->driver);
}

static void close_world(struct world *world)
{
    struct mw_tls_stats stats;
    mw_turn_task_remove(&world->driver);
    mw_tls_loop_stats(world->tls, &stats);
    CHECK(stats.streams == 0 && stats.handshaking == 0 && stats.queued == 0);
    mw_tls_loop_free(world->tls);
    CHECK(mw_loop_free(world->loop) == 0);
    mbedtls_ssl_free(&world->client);
    mw_buf_free(&world->to_server);
    mw_buf_free(&world->to_client);
    CHECK(mw_mem_is_empty(&world->mem));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world;
    make_once();
    open_world(&world, mw_view((const char *)data, size));
    mw_loop_run(world.loop);
    CHECK(world.closed);
    close_world(&world);
    return 0;
}
