/*
 * A connection and whatever its peer sends: whole, byte by byte, and cut by chance, the events, the
 * replies and the end are the same. What we have sent is read by a connection of the other role,
 * which finds nothing wrong with it. Memory is bounded by the limits, not by what was announced,
 * and is 0 at the end; a run in which an allocation fails ends soundly, too.
 *
 * Input: role and application, limits, terms, where the application acts; then the peer's bytes.
 */
#include "core/session/conn.h"

#include "tests/fuzz/fuzz.h"

#define START_MS  1000000
#define MAX_BYTES 4096 /* of the peer's */

struct world {
    enum mw_role role;
    bool echoes, closes, ends, is_stuck; /* stuck: the peer takes nothing */
    size_t acts_at; /* the application sends, pings or closes when these many bytes are there */
    mw_ms waits_ms; /* and that much time passes then; 0: none */
    struct mw_limits_ms limits;
    struct mw_ext_deflate terms;
};

struct side {
    const struct world *of;
    mw_ms now_ms;
    struct mw_mem mem; /* the machine's */
    struct mw_conn_pool pool;
    struct mw_conn_home home;
    struct mw_deflate_pool deflate;
    struct mw_rng rng;
    struct mw_conn conn;
    bool closed;
    struct mw_mem own; /* the run's */
    struct mw_buf events, reply;
};

static void open_side(struct side *side, const struct world *of, enum mw_role role,
                      uint64_t fail_at)
{
    *side = (struct side){ .of = of, .now_ms = START_MS };
    mw_mem_init(&side->mem, NULL, 0);
    mw_mem_init(&side->own, NULL, 0);
    side->mem.fail_at = fail_at;
    mw_buf_init(&side->events, &side->own, 0);
    mw_buf_init(&side->reply, &side->own, 0);
    mw_conn_pool_init(&side->pool, &side->mem);
    mw_deflate_pool_init(&side->deflate, &side->mem, SIZE_MAX);
    mw_rng_seed(&side->rng, 7);
    side->home = (struct mw_conn_home){
        .mem = &side->mem,
        .pool = &side->pool,
        .deflate = &side->deflate,
        .rng = &side->rng,
        .limits = &of->limits,
    };
    const struct mw_conn_setup setup = { .role = role, .home = &side->home, .terms = of->terms };
    if (mw_conn_init(&side->conn, &setup, side->now_ms)) /* as who agreed on it does */
        (void)mw_conn_close(&side->conn, MW_CAUSE_out_of_memory, 0, mw_view("", 0), side->now_ms);
}

static void close_side(struct side *side)
{
    CHECK(mw_conn_validate(&side->conn));
    mw_conn_free(&side->conn);
    mw_conn_pool_free(&side->pool);
    mw_deflate_pool_free(&side->deflate);
    mw_buf_free(&side->events);
    mw_buf_free(&side->reply);
    CHECK(mw_mem_is_empty(&side->mem));
    CHECK(mw_mem_is_empty(&side->own));
}

/* ---- events ---- */

static void tell_end(struct side *side)
{
    const struct mw_conn_end *end = mw_conn_ending(&side->conn);
    CHECK(end != NULL && !side->closed);
    side->closed = true;
    CHECK(mw_buf_putf(&side->events, "end %s %u %d %s ", mw_cause_row(end->cause)->name, end->code,
                      end->clean, mw_rule_name(end->rule)) == MW_OK);
    tell(&side->events, "reason", mw_view(end->reason, end->reason_len));
    tell(&side->events, "header", mw_view((const char *)end->bytes, end->bytes_len));
}

static void pull(struct side *side, bool echo, size_t fed)
{
    struct mw_event event;
    size_t events = 0;
    do {
        mw_conn_next(&side->conn, &event, side->now_ms);
        CHECK(mw_conn_validate(&side->conn));
        CHECK(++events <= fed + 4); /* no event without bytes */
        switch (event.kind) {
        case MW_EVENT_MORE:
            break;
        case MW_EVENT_MESSAGE:
            CHECK(!side->closed);
            tell(&side->events, event.opcode == MW_OPCODE_TEXT ? "text" : "binary", event.data);
            if (echo)
                (void)mw_conn_send(&side->conn, event.opcode, event.data, side->now_ms);
            break;
        case MW_EVENT_PONG:
            tell(&side->events, "pong", mw_view("", 0));
            break;
        case MW_EVENT_DRAIN:
            tell(&side->events, "drain", mw_view("", 0));
            break;
        case MW_EVENT_ASIDE:  /* nobody has a mark */
        case MW_EVENT_DECIDE: /* not asked for */
            break;
        case MW_EVENT_CLOSED:
            tell_end(side);
            break;
        }
    } while (event.kind != MW_EVENT_MORE);
}

static void feed(struct side *side, struct mw_view bytes, struct cutter *cutter)
{
    while (bytes.len > 0) {
        struct mw_view piece = take_piece(cutter, &bytes);
        char *block = exact_copy(piece);
        mw_conn_feed(&side->conn, block, piece.len, side->now_ms);
        pull(side, side->of->echoes, piece.len);
        free(block);
    }
}

/* ---- the application ---- */

/* Every deadline on the way is kept; each brings the next one nearer. */
static void pass(struct side *side, mw_ms until_ms)
{
    mw_ms due_ms;
    while ((due_ms = mw_conn_deadline(&side->conn)) <= until_ms) {
        side->now_ms = due_ms > side->now_ms ? due_ms : side->now_ms;
        mw_conn_tick(&side->conn, side->now_ms);
        CHECK(mw_conn_deadline(&side->conn) > due_ms); /* else the owner would turn for ever */
        pull(side, false, 0);
    }
    side->now_ms = until_ms;
}

static void act(struct side *side)
{
    static const char text[] = "a text that is long enough for its own bytes to repeat its own "
                               "bytes, a text that is long enough for its own bytes to repeat";
    (void)mw_conn_send(&side->conn, MW_OPCODE_TEXT, mw_view_text(text), side->now_ms);
    (void)mw_conn_ping(&side->conn, side->now_ms);
    if (side->of->closes)
        (void)mw_conn_close(&side->conn, MW_CAUSE_script_close, 4000, mw_view_text("enough"),
                            side->now_ms);
    pull(side, false, 0);
    pass(side, side->now_ms + side->of->waits_ms);
}

/* All that is queued leaves. */
static void flush(struct side *side)
{
    while (mw_conn_has_output(&side->conn)) {
        struct mw_view vectors[4];
        size_t count = mw_conn_iov(&side->conn, vectors, MW_COUNT(vectors)), sum = 0;
        CHECK(count > 0);
        for (size_t i = 0; i < count; i++) {
            must_put(&side->reply, vectors[i]);
            sum += vectors[i].len;
        }
        CHECK(sum > 0);
        mw_conn_written(&side->conn, sum, side->now_ms);
        CHECK(mw_conn_validate(&side->conn));
    }
}

static void run(struct side *side, struct mw_view bytes, enum cut cut)
{
    struct cutter pieces = cutter(cut, bytes.len);
    size_t first = side->of->acts_at < bytes.len ? side->of->acts_at : bytes.len;
    feed(side, mw_view(bytes.data, first), &pieces);
    act(side);
    feed(side, mw_view_from(bytes, first), &pieces);
    if (side->of->ends)
        mw_conn_eof(&side->conn, MW_CAUSE_peer_fin);
    if (!side->of->is_stuck)
        flush(side);
    pull(side, false, 0);
}

/* ---- what holds ---- */

/*
 * What may be held at once: a message as it came and inflated (buffers double), the queue and one
 * echo above it, both directions of zlib, and some blocks.
 */
static void check_memory(const struct side *side)
{
    const struct mw_limits_ms *limits = &side->of->limits;
    size_t message = limits->message < MAX_BYTES ? limits->message : MAX_BYTES;
    CHECK(side->mem.peak <= 4 * (message + limits->inflated) + 2 * limits->queue + 160000);
}

/* Our words are right: a peer of ours understands them all, up to the Close frame. */
static void check_reply(const struct side *side)
{
    static const struct mw_limits_ms no_limits = { .message = SIZE_MAX,
                                                   .fragments = SIZE_MAX,
                                                   .queue = SIZE_MAX,
                                                   .inflated = SIZE_MAX / 2,
                                                   .idle_ms = MW_NEVER,
                                                   .ping_ms = MW_NEVER,
                                                   .pong_ms = MW_NEVER,
                                                   .age_ms = MW_NEVER };
    struct world other = { .limits = no_limits, .terms = side->of->terms };
    struct side peer;
    struct cutter whole = cutter(CUT_NOWHERE, 0);
    open_side(&peer, &other, side->of->role == MW_ROLE_SERVER ? MW_ROLE_CLIENT : MW_ROLE_SERVER, 0);
    feed(&peer, mw_buf_view(&side->reply), &whole);
    const struct mw_conn_end *end = mw_conn_ending(&peer.conn);
    CHECK(!end || end->cause == MW_CAUSE_peer_close);
    CHECK(end || !peer.conn.reading || !mw_reader_in_message(&peer.conn.reading->reader));
    close_side(&peer);
}

static void check_cuts(const struct world *world, struct mw_view bytes, uint64_t *allocations)
{
    struct side sides[CUT_WAYS];
    for (enum cut cut = CUT_NOWHERE; cut < CUT_WAYS; cut++) {
        struct side *side = &sides[cut];
        open_side(side, world, world->role, 0);
        run(side, bytes, cut);
        check_memory(side);
        CHECK(same_text(&side->events, &sides[CUT_NOWHERE].events));
        CHECK(same_text(&side->reply, &sides[CUT_NOWHERE].reply));
    }
    check_reply(&sides[CUT_NOWHERE]);
    *allocations = sides[CUT_SOMEWHERE].mem.count;
    for (enum cut cut = CUT_NOWHERE; cut < CUT_WAYS; cut++)
        close_side(&sides[cut]);
}

static void check_without_memory(const struct world *world, struct mw_view bytes, uint64_t fail_at)
{
    struct side side;
    open_side(&side, world, world->role, fail_at);
    run(&side, bytes, CUT_SOMEWHERE);
    close_side(&side);
}

/* ---- choices ---- */

static struct mw_ext_deflate take_terms(struct mw_view *input)
{
    uint8_t flags = take_byte(input), bits = take_byte(input);
    return (struct mw_ext_deflate){
        .on = flags & 1,
        .server_no_takeover = flags & 2,
        .client_no_takeover = flags & 4,
        .server_bits = (bits & 15) >= 9 ? bits & 15 : 0,
        .client_bits = bits >> 4 >= 8 ? bits >> 4 : 0,
    };
}

static struct world take_world(struct mw_view *input)
{
    static const size_t messages[] = { 1048576, 70000, 1000, 126, 125, 5, 0 };
    static const size_t inflated[] = { 65536, 4096, 300, 10, 1 };
    static const mw_ms spans[] = { 1500, 15000, 45000, 700000 };
    static const size_t queues[] = { 100000, 4096, 100 };
    uint8_t flags = take_byte(input);
    bool waits = flags & 32;
    struct world world = {
        .role = flags & 1 ? MW_ROLE_CLIENT : MW_ROLE_SERVER,
        .echoes = flags & 2,
        .closes = flags & 4,
        .ends = flags & 8,
        .is_stuck = flags & 16,
        .waits_ms = waits ? spans[flags >> 6] : 0,
        .limits = { .idle_ms = waits ? 60000 : MW_NEVER,
                    .ping_ms = waits ? 25000 : MW_NEVER,
                    .pong_ms = waits ? 10000 : MW_NEVER,
                    .age_ms = waits ? 600000 : MW_NEVER },
    };
    world.limits.message = messages[take_below(input, MW_COUNT(messages))];
    world.limits.inflated = inflated[take_below(input, MW_COUNT(inflated))];
    world.limits.queue = queues[take_below(input, MW_COUNT(queues))];
    world.limits.fragments = 1 + take_below(input, 64);
    world.terms = take_terms(input);
    world.acts_at = take_byte(input);
    return world;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mw_view input = mw_view((const char *)data, size);
    struct world world = take_world(&input);
    uint64_t allocations, fails = take_byte(&input);
    if (input.len > MAX_BYTES)
        input.len = MAX_BYTES;
    check_cuts(&world, input, &allocations);
    if (allocations > 0)
        check_without_memory(&world, input, 1 + fails % allocations);
    return 0;
}
