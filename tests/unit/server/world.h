/*
 * A worker with the real drivers, a project in a temporary folder, and peers that reach it over
 * memory_stream.h. The worker's loop is driven turn by turn, so nothing depends on time.
 */
#ifndef MW_TESTS_SERVER_WORLD_H
#define MW_TESTS_SERVER_WORLD_H

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/proto/mask.h"
#include "core/proto/message.h"
#include "core/server/admission.h"
#include "core/server/client.h"
#include "core/server/crew.h"
#include "core/server/door.h"
#include "tests/unit/io/folder.h"
#include "tests/unit/server/memory_stream.h"

#define GIVE_UP_MS 60000
#define MAX_PEERS  16

struct peer {
    struct memory_stream line;
    struct mw_client *client; /* the server's end; only while it lives */
};

struct world {
    struct mw_mem mem; /* of the test, not of the worker */
    struct mw_rng rng;
    struct folder folder;
    struct mw_project *project; /* what was loaded last */
    struct mw_batch *batch;     /* the last load */
    struct mw_config config;
    struct mw_tls_ctx *tls; /* of the next workers; NULL: plain */
    struct mw_log log;
    int log_fd;
    struct mw_worker worker;
    struct mw_crew crew;           /* of this one worker */
    struct mw_admission admission; /* of the worker; its limits are config's */
    struct mw_alarm turn_end;
    struct peer *peers[MAX_PEERS];
    size_t peer_count;
    bool gentle; /* peers send and take whole pieces */
};

/* ---- the loop ---- */

static inline void stop_turn_(struct mw_alarm *alarm)
{
    mw_loop_stop(MW_OWNER(alarm, struct world, turn_end)->worker.loop);
}

static inline unsigned moves_of_(const struct world *world)
{
    unsigned moves = 0;
    for (size_t i = 0; i < world->peer_count; i++)
        moves += world->peers[i]->line.moves;
    return moves;
}

/* What the lines have to report, then one turn of the loop. True: something moved. */
static inline bool turn(struct world *world)
{
    unsigned before = moves_of_(world);
    for (size_t i = 0; i < world->peer_count; i++)
        memory_stream_step(&world->peers[i]->line);
    mw_alarm_set(world->worker.loop, &world->turn_end, 0);
    mw_loop_run(world->worker.loop);
    return moves_of_(world) != before;
}

/* Until nothing moves any more; what waits for a moment is not waited for. */
static inline void run(struct world *world)
{
    for (int quiet = 0; quiet < 4;)
        quiet = turn(world) ? 0 : quiet + 1;
}

#define RUN_UNTIL(world, condition) \
    for (mw_ms give_up_ms_ = mw_clock_monotonic_ms() + GIVE_UP_MS; \
         !(condition) && mw_clock_monotonic_ms() < give_up_ms_; turn(world)) { \
    } \
    assert_true(condition)

/* ---- the world ---- */

/* The project's folder and the log outlive the worker: a test may open several, one by one. */
static inline void make_project(struct world *world)
{
    *world = (struct world){ .log_fd = -1 };
    mw_mem_init(&world->mem, NULL, 0);
    make_folder(&world->folder);
    make_below(&world->folder, "scripts");
    world->log_fd = open(below(&world->folder, "log"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(mw_log_open(&world->log, world->log_fd, true, false, MW_LOG_DEBUG), MW_OK);
    mw_config_default(&world->config);
    world->config.drain_grace = 0;
    world->config.drain_rate =
        100000; /* a slot is less than a millisecond, and so are the closes */
    memcpy(world->config.listen, "127.0.0.1:0", sizeof "127.0.0.1:0");
    mw_alarm_init(&world->turn_end, stop_turn_);
}

static inline void remove_project(struct world *world)
{
    mw_project_drop(world->project);
    mw_log_close(&world->log);
    close(world->log_fd);
    remove_folder(&world->folder);
    assert_mem_empty(&world->mem);
}

static inline void write_script(struct world *world, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "scripts/%s", name);
    write_file(&world->folder, path, text);
}

static inline void open_worker(struct world *world, const struct mw_engine *engine, uint64_t seed)
{
    static char public_files[512];
    char why[128];
    snprintf(public_files, sizeof public_files, "%s", below(&world->folder, "public"));
    const struct mw_worker_setup setup = {
        .crew = &world->crew,
        .config = &world->config,
        .engine = engine,
        .public_files = public_files,
        .tls = world->tls,
        .log = &world->log,
        .admission = &world->admission,
    };
    mw_admission_init(&world->admission, &world->config, 0);
    mw_rng_seed(&world->rng, seed);
    world->peer_count = 0;
    mw_crew_init(&world->crew, &world->worker, 1);
    assert_int_equal(mw_worker_open(&world->worker, &setup, why), MW_OK);
    mw_rng_seed(&world->worker.rng, seed);
}

static inline void drop_batch(struct world *world)
{
    mw_batch_free(world->batch);
    world->batch = NULL;
}

/* Reads the scripts and prepares what has changed; the batch tells the outcome. */
static inline void prepare_load(struct world *world)
{
    struct mw_project *project = NULL;
    char why[512];
    drop_batch(world);
    int err = mw_project_scan(below(&world->folder, "scripts"),
                              mw_view_text(world->worker.engine->suffix), &project, why);
    assert_int_equal(err, MW_OK);
    assert_int_equal(mw_batch_new(world->project, project, &world->batch), MW_OK);
    mw_project_drop(world->project);
    world->project = project;
    mw_load_prepare(&world->worker, world->batch);
}

static inline size_t finish_load(struct world *world)
{
    size_t refused = 0;
    for (size_t i = 0; i < world->batch->count; i++) {
        enum mw_load_outcome outcome = world->batch->loads[i].outcome;
        refused += outcome == MW_LOAD_FAULT || outcome == MW_LOAD_CONFLICT;
    }
    mw_batch_decide(world->batch);
    mw_load_commit(&world->worker, world->batch);
    return refused;
}

/* Both steps; returns how many scripts were refused. */
static inline size_t load(struct world *world)
{
    prepare_load(world);
    return finish_load(world);
}

/* Loads all again that was scanned before, for a worker that has just been opened. */
static inline void load_again(struct world *world)
{
    drop_batch(world);
    assert_int_equal(mw_batch_new(NULL, world->project, &world->batch), MW_OK);
    mw_load_prepare(&world->worker, world->batch);
    assert_int_equal(finish_load(world), 0);
}

/* In order: Close frames, then every peer vanishes, then nothing is left. */
static inline void close_worker(struct world *world)
{
    if (!world->worker.stopping)
        mw_worker_drain(&world->worker, false);
    run(world);
    for (size_t i = 0; i < world->peer_count; i++)
        world->peers[i]->line.peer_reset = true;
    RUN_UNTIL(world, world->worker.client_count == 0 && world->worker.stopping);
    run(world);
    drop_batch(world);
    struct mw_worker_leftovers left = mw_worker_close(&world->worker);
    assert_int_equal(left.bytes, 0);
    assert_int_equal(mw_crew_free(&world->crew), 0);
    assert_int_equal(left.handles, 0);
    assert_int_equal(atomic_load(&world->admission.count), 0);
    assert_int_equal(mw_admission_free(&world->admission), 0);
    for (size_t i = 0; i < world->peer_count; i++) {
        memory_stream_free(&world->peers[i]->line);
        mw_free(&world->mem, world->peers[i], sizeof *world->peers[i]);
    }
    world->peer_count = 0;
    mw_project_drop(world->project);
    world->project = NULL;
}

/* ---- peers ---- */

/* Somebody who has just been accepted, and whom nobody serves yet. */
static inline struct peer *new_peer_(struct world *world)
{
    struct peer *peer = mw_alloc_zero(&world->mem, sizeof *peer);
    assert_non_null(peer);
    assert_true(world->peer_count < MAX_PEERS);
    memory_stream_init(&peer->line, &world->mem, mw_rng_next(&world->rng));
    if (!world->gentle) {
        static const size_t pieces[] = { 1, 5, 40, 700, SIZE_MAX };
        peer->line.max_piece = pieces[mw_rng_below(&world->rng, MW_COUNT(pieces))];
        peer->line.takes_little = mw_rng_below(&world->rng, 2) == 0;
    }
    world->peers[world->peer_count++] = peer;
    return peer;
}

static inline struct peer *add_peer(struct world *world)
{
    struct peer *peer = new_peer_(world);
    const struct mw_arrival arrival = {
        .stream = &peer->line.stream,
        .from = mw_ip_of((const uint8_t[]){ 192, 0, 2, 7 }, 4),
        .at_ms = mw_loop_now(world->worker.loop),
    };
    size_t before = world->worker.client_count;
    mw_client_accept(&world->worker, &arrival);
    if (world->worker.client_count > before)
        peer->client = peer->line.stream.owner;
    return peer;
}

/* One who comes by the door. */
static inline struct peer *add_caller(struct world *world)
{
    struct peer *peer = new_peer_(world);
    mw_door_accept(&world->worker, &peer->line.stream);
    return peer;
}

static inline void say_bytes(struct peer *peer, const void *bytes, size_t len)
{
    assert_int_equal(mw_buf_put(&peer->line.to_server, bytes, len), MW_OK);
}

static inline void say(struct peer *peer, const char *text)
{
    say_bytes(peer, text, strlen(text));
}

#define UPGRADE \
    "Host: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* An upgrade request; `extra` are whole header lines. */
static inline void say_hello(struct peer *peer, const char *target, const char *extra)
{
    say(peer, "GET ");
    say(peer, target);
    say(peer, " HTTP/1.1\r\n" UPGRADE);
    say(peer, extra);
    say(peer, "\r\n");
}

static inline struct peer *add_socket(struct world *world, const char *target)
{
    struct peer *peer = add_peer(world);
    say_hello(peer, target, "");
    return peer;
}

static inline void say_frame(struct peer *peer, enum mw_opcode opcode, struct mw_view payload)
{
    static const uint8_t key[4] = { 9, 8, 7, 6 };
    uint8_t head[MW_FRAME_HEAD_MAX];
    size_t head_len = mw_frame_encode(head, opcode, true, payload.len, key);
    say_bytes(peer, head, head_len);
    size_t at = peer->line.to_server.len;
    if (payload.len)
        say_bytes(peer, payload.data, payload.len);
    mw_mask((uint8_t *)peer->line.to_server.data + at, payload.len, key, 0);
}

static inline void say_text(struct peer *peer, const char *text)
{
    say_frame(peer, MW_OPCODE_TEXT, mw_view_text(text));
}

static inline void say_close(struct peer *peer, unsigned code)
{
    uint8_t body[125];
    say_frame(peer, MW_OPCODE_CLOSE,
              mw_view((char *)body, mw_close_encode(body, code, mw_view(NULL, 0))));
}

/* The client's alarm rings now instead of later. */
static inline void ring_early(struct peer *peer)
{
    struct mw_client *client = peer->client;
    mw_alarm_stop(client->worker->loop, &client->alarm);
    client->alarm.ring(&client->alarm);
}

/* ---- what a peer has seen, as one line ---- */

static inline void tell_frame_(struct mw_buf *out, const struct mw_item *item)
{
    static const char *const names[] = {
        [MW_ITEM_MESSAGE] = "text",
        [MW_ITEM_PING] = "ping",
        [MW_ITEM_PONG] = "pong",
    };
    int err = MW_OK;
    switch (item->kind) {
    case MW_ITEM_MORE:
    case MW_ITEM_NOMEM:
        break;
    case MW_ITEM_BREACH:
        err = mw_buf_put_text(out, " garbage");
        break;
    case MW_ITEM_CLOSE:
        err = mw_buf_putf(out, " close:%u:%.*s", item->close.code, (int)item->close.reason.len,
                          item->close.reason.data);
        break;
    case MW_ITEM_PING: /* its payload is the server's own business */
        err = mw_buf_put_text(out, " ping");
        break;
    case MW_ITEM_MESSAGE:
    case MW_ITEM_PONG:
        if (item->data.len > 100)
            err = mw_buf_putf(out, " %s[%zu]", names[item->kind], item->data.len);
        else
            err = mw_buf_putf(out, " %s:%.*s", names[item->kind], (int)item->data.len,
                              item->data.data);
        break;
    }
    assert_int_equal(err, MW_OK);
}

static inline void tell_frames_(struct mw_mem *mem, struct mw_buf *out, struct mw_view bytes)
{
    struct mw_reader reader;
    struct mw_item item;
    char *copy = malloc(bytes.len ? bytes.len : 1);
    assert_non_null(copy);
    if (bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    mw_reader_init(&reader, mem, MW_ROLE_CLIENT);
    reader.max_message = reader.max_fragments = SIZE_MAX;
    mw_reader_feed(&reader, copy, bytes.len);
    do {
        mw_reader_next(&reader, &item);
        tell_frame_(out, &item);
    } while (item.kind != MW_ITEM_MORE);
    mw_reader_free(&reader);
    free(copy);
}

static inline size_t body_len_(const struct mw_http_head *head)
{
    size_t count;
    uint64_t len = 0;
    (void)mw_parse_u64(mw_http_header(head, "content-length", &count), 0, SIZE_MAX / 2, &len);
    return (size_t)len;
}

/* Responses, one status each; after a 101 frames. */
static inline void tell_answers_(struct mw_mem *mem, struct mw_buf *out, struct mw_view bytes)
{
    struct mw_http_reader *reader = mw_http_reader_new(mem, MW_HTTP_RESPONSE);
    struct mw_http_refusal refusal;
    unsigned status = 0;
    size_t used;
    assert_non_null(reader);
    while (bytes.len && status != 101) {
        mw_http_reader_reset(reader);
        int err = mw_http_reader_feed(reader, bytes, &used, &refusal);
        if (err) {
            assert_int_equal(mw_buf_put_text(out, err == MW_ERR_AGAIN ? " cut" : " garbage"), 0);
            break;
        }
        status = mw_http_reader_head(reader)->status;
        used += body_len_(mw_http_reader_head(reader));
        bytes = mw_view_from(bytes, used);
        assert_int_equal(mw_buf_putf(out, " %u", status), MW_OK);
    }
    if (status == 101)
        tell_frames_(mem, out, bytes);
    mw_http_reader_free(reader);
}

/*
 * "101 text:hello pong:x close:1000:bye end": statuses, frames, and how the stream ended: "end" or
 * "reset". Valid until the next call.
 */
static inline const char *seen_by(const struct peer *peer)
{
    static char line[4000];
    struct mw_mem mem;
    struct mw_buf out;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&out, &mem, 0);
    tell_answers_(&mem, &out, mw_buf_view(&peer->line.to_peer));
    if (peer->line.closed && peer->line.was_reset)
        assert_int_equal(mw_buf_put_text(&out, " reset"), MW_OK);
    else if (peer->line.closed || peer->line.finished)
        assert_int_equal(mw_buf_put_text(&out, " end"), MW_OK);
    snprintf(line, sizeof line, "%.*s", out.len ? (int)out.len - 1 : 0,
             out.len ? out.data + 1 : "");
    mw_buf_free(&out);
    assert_mem_empty(&mem);
    return line;
}

#define assert_seen(peer, want) assert_string_equal(seen_by(peer), want)

#endif
