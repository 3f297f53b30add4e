/*
 * Runs the cases of wire files through the connection machine: whole, at every split into two, and
 * byte by byte. All must give the same events and the same reply. Then byte by byte with each
 * allocation failing.
 *
 *   wire_runner FILE...
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/check.h"
#include "core/proto/mask.h"
#include "core/session/conn.h"
#include "tests/wire/wire_case.h"

#define NOW_MS 1000000

/* Above this many bytes a case is split at its first, its last and every so many bytes between. */
#define EVERY_SPLIT_BYTES 1500
#define EDGE_BYTES        150

/* What was run, for the last line of the output. */
static struct {
    size_t cases, splits, failures;
} counted;

/* ---- one run ---- */

struct run {
    const struct wire_case *of;
    struct mw_mem mem; /* the machine's */
    struct mw_conn_pool pool;
    struct mw_conn_home home;
    struct mw_deflate_pool deflate;
    struct mw_rng rng;
    struct mw_limits_ms limits;
    struct mw_sideband sideband;
    struct mw_conn conn;
    struct mw_mem own; /* the run's */
    struct mw_buf events, reply;
};

static void open_run(struct run *run, const struct wire_case *of, uint64_t fail_at)
{
    *run = (struct run){ .of = of };
    mw_mem_init(&run->mem, NULL, 0);
    mw_mem_init(&run->own, NULL, 0);
    run->mem.fail_at = fail_at;
    mw_buf_init(&run->events, &run->own, 0);
    mw_buf_init(&run->reply, &run->own, 0);
    mw_conn_pool_init(&run->pool, &run->mem);
    mw_deflate_pool_init(&run->deflate, &run->mem, SIZE_MAX);
    mw_rng_seed(&run->rng, 7);
    struct mw_limits limits;
    mw_limits_default(&limits);
    mw_limits_from(&run->limits, &limits);
    run->limits.message = of->max_message;
    run->limits.fragments = of->max_fragments;
    run->limits.inflated = of->max_inflated;
    run->sideband = of->sideband;
    run->home = (struct mw_conn_home){
        .mem = &run->mem,
        .pool = &run->pool,
        .deflate = &run->deflate,
        .rng = &run->rng,
        .limits = &run->limits,
    };
    const struct mw_conn_setup setup = {
        .role = of->role,
        .home = &run->home,
        .terms = of->terms,
        .sideband = of->sideband.mark_len ? &run->sideband : NULL,
    };
    (void)mw_conn_init(&run->conn, &setup, NOW_MS);
}

static void close_run(struct run *run)
{
    mw_conn_free(&run->conn);
    mw_conn_pool_free(&run->pool);
    mw_deflate_pool_free(&run->deflate);
    mw_buf_free(&run->events);
    mw_buf_free(&run->reply);
    assert_true(mw_mem_is_empty(&run->mem));
    assert_true(mw_mem_is_empty(&run->own));
}

static void tell_ending(struct run *run)
{
    const struct mw_conn_end *ending = mw_conn_ending(&run->conn);
    assert_non_null(ending);
    struct wire_end end = {
        .cause = mw_cause_row(ending->cause)->name,
        .rule = ending->rule ? mw_rule_name(ending->rule) : "",
        .code = ending->code,
        .clean = ending->clean,
        .reason = mw_view(ending->reason, ending->reason_len),
    };
    if (run->of->shows_header)
        end.header = mw_view((const char *)ending->bytes, ending->bytes_len);
    wire_tell_end(&run->events, &end);
}

static void pull(struct run *run)
{
    struct mw_event event;
    do {
        mw_conn_next(&run->conn, &event, NOW_MS);
        assert_true(mw_conn_validate(&run->conn));
        switch (event.kind) {
        case MW_EVENT_MORE:
            break;
        case MW_EVENT_MESSAGE:
            wire_tell_message(&run->events, event.opcode, event.data);
            break;
        case MW_EVENT_PONG:
            mw_buf_put_text(&run->events, "pong\n");
            break;
        case MW_EVENT_DRAIN:
            mw_buf_put_text(&run->events, "drain\n");
            break;
        case MW_EVENT_ASIDE:
            wire_tell_aside(&run->events, event.data);
            break;
        case MW_EVENT_DECIDE: /* not asked for */
            break;
        case MW_EVENT_CLOSED:
            tell_ending(run);
            break;
        }
    } while (event.kind != MW_EVENT_MORE);
}

/* A block of exactly this size, gone when the events were pulled. */
static void feed(struct run *run, const char *bytes, size_t len)
{
    if (len == 0)
        return;
    char *block = malloc(len);
    assert_non_null(block);
    memcpy(block, bytes, len);
    mw_conn_feed(&run->conn, block, len, NOW_MS);
    pull(run);
    free(block);
}

static void obey(struct run *run, const struct wire_command *command)
{
    struct mw_view payload = mw_buf_view(&command->payload);
    switch (command->verb) {
    case WIRE_SEND:
        mw_conn_send(&run->conn, (enum mw_opcode)command->number, payload, NOW_MS);
        break;
    case WIRE_CLOSE:
        mw_conn_close(&run->conn, MW_CAUSE_script_close, command->number, payload, NOW_MS);
        break;
    case WIRE_EOF:
        mw_conn_eof(&run->conn, MW_CAUSE_peer_fin);
        break;
    case WIRE_RESET:
        mw_conn_eof(&run->conn, MW_CAUSE_peer_reset);
        break;
    }
    pull(run);
}

/* Feeds the bytes from `from` to `to` in pieces, obeying the commands that stand between them. */
static void feed_range(struct run *run, size_t from, size_t to, size_t piece, size_t *obeyed)
{
    const struct wire_case *of = run->of;
    while (from < to) {
        size_t end = to - from < piece ? to : from + piece;
        if (*obeyed < of->command_count && of->commands[*obeyed].at < end)
            end = of->commands[*obeyed].at;
        feed(run, of->input.data + from, end - from);
        from = end;
        while (*obeyed < of->command_count && of->commands[*obeyed].at == from)
            obey(run, &of->commands[(*obeyed)++]);
    }
}

/* What was queued, in three bytes at a time: taking output has splits too. */
static void take_reply(struct run *run)
{
    struct mw_view vectors[4];
    size_t count;
    while ((count = mw_conn_iov(&run->conn, vectors, MW_COUNT(vectors))) > 0) {
        size_t most = mw_conn_queued(&run->conn) > 1000 ? 1000 : 3;
        size_t len = vectors[0].len < most ? vectors[0].len : most;
        mw_buf_put(&run->reply, vectors[0].data, len);
        mw_conn_written(&run->conn, len, NOW_MS);
    }
    assert_false(mw_conn_has_output(&run->conn));
}

/* Frames of a client, unmasked in place, so that expectations need no keys. */
static void unmask_reply(struct mw_buf *reply)
{
    struct mw_buf plain;
    mw_buf_init(&plain, reply->mem, 0);
    for (size_t at = 0; at < reply->len;) {
        struct mw_frame_head head;
        enum mw_rule rule = MW_RULE_NONE;
        uint8_t *bytes = (uint8_t *)reply->data + at;
        int size = mw_frame_decode(bytes, reply->len - at, MW_ROLE_SERVER, true, &head, &rule);
        assert_true(size > 0);
        uint8_t out[MW_FRAME_HEAD_MAX];
        mw_mask(bytes + size, (size_t)head.len, head.mask, 0);
        size_t len = mw_frame_encode(out, (enum mw_opcode)head.opcode, head.fin, head.len, NULL);
        if (head.compressed)
            mw_frame_set_compressed(out);
        mw_buf_put(&plain, out, len);
        mw_buf_put(&plain, bytes + size, (size_t)head.len);
        at += (size_t)size + (size_t)head.len;
    }
    mw_buf_free(reply);
    *reply = plain;
}

static void run_pieces(struct run *run, size_t split, size_t piece)
{
    const struct wire_case *of = run->of;
    size_t obeyed = 0;
    while (obeyed < of->command_count && of->commands[obeyed].at == 0)
        obey(run, &of->commands[obeyed++]);
    feed_range(run, 0, split, piece, &obeyed);
    feed_range(run, split, of->input.len, piece, &obeyed);
    take_reply(run);
    if (of->role == MW_ROLE_CLIENT)
        unmask_reply(&run->reply);
}

/* ---- comparing ---- */

static void show_bytes(const char *what, const struct mw_buf *bytes)
{
    fprintf(stderr, "    %s", what);
    for (size_t i = 0; i < bytes->len && i < 160; i++)
        fprintf(stderr, " %02X", (uint8_t)bytes->data[i]);
    fprintf(stderr, "%s\n", bytes->len > 160 ? " ..." : "");
}

static bool same(const struct mw_buf *a, const struct mw_buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void check(struct run *run, const char *how, size_t at)
{
    const struct wire_case *of = run->of;
    if (same(&run->events, &of->events) && same(&run->reply, &of->reply))
        return;
    fprintf(stderr, "line %d, %s, %s %zu:\n  events seen:\n%.*s  events expected:\n%.*s", of->line,
            of->name, how, at, (int)run->events.len, run->events.len ? run->events.data : "",
            (int)of->events.len, of->events.len ? of->events.data : "");
    show_bytes("reply seen:    ", &run->reply);
    show_bytes("reply expected:", &of->reply);
    fail();
}

static void check_run(const struct wire_case *of, const char *how, size_t split, size_t piece)
{
    struct run run;
    counted.splits++;
    open_run(&run, of, 0);
    run_pieces(&run, split, piece);
    check(&run, how, split);
    close_run(&run);
}

static size_t next_split(size_t split, size_t len)
{
    bool near_edge = split < EDGE_BYTES || split + EDGE_BYTES > len;
    return split + (len < EVERY_SPLIT_BYTES || near_edge ? 1 : len / 50);
}

/* Whatever fails: an answer, no loss, nothing left behind. */
static void check_failing_memory(const struct wire_case *of)
{
    bool failed = true;
    for (uint64_t fail_at = 1; failed; fail_at++) {
        struct run run;
        counted.failures++;
        open_run(&run, of, fail_at);
        run_pieces(&run, 0, of->input.len < EVERY_SPLIT_BYTES ? 1 : of->input.len / 20);
        failed = run.mem.count >= fail_at;
        if (!failed)
            check(&run, "after failing memory", 0);
        close_run(&run);
    }
}

static void run_case(void **state)
{
    const struct wire_case *of = *state;
    size_t len = of->input.len;
    counted.cases++;
    check_run(of, "whole", 0, len + 1);
    for (size_t split = 1; split < len; split = next_split(split, len))
        check_run(of, "split at", split, len);
    check_run(of, "byte by byte", 0, 1);
    check_failing_memory(of);
}

/* ---- files ---- */

static int run_file(const char *path)
{
    struct mw_mem mem;
    size_t count = 0;
    mw_mem_init(&mem, NULL, 0);
    struct wire_case *cases = wire_read(&mem, path, &count);
    struct CMUnitTest *tests = calloc(count + 1, sizeof *tests);
    if (!cases || !tests)
        return 1;
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){ cases[i].name, run_case, NULL, NULL, &cases[i] };
    int failed = _cmocka_run_group_tests(path, tests, count, NULL, NULL);
    free(tests);
    wire_free(&mem, cases, count);
    return failed + (mw_mem_is_empty(&mem) ? 0 : 1);
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    for (int i = 1; i < argc; i++)
        failed += run_file(argv[i]);
    printf("%zu cases, fed in %zu ways, and %zu times with failing memory\n", counted.cases,
           counted.splits, counted.failures);
    return failed > 0;
}
