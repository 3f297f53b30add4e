/*
 * The order of the walk: makes a connection, judges the way to it, runs one task after the other on
 * it, and makes another one where that is needed. What a task does is walk_talk.c's and
 * walk_idle.c's. Called by the command line.
 */
#include "core/doctor/walk.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/str.h"
#include "core/doctor/walk_parts.h"

static const char *const line_names[MW_WALK_LINES] = {
    "DNS",  "TCP",  "TLS",           "handshake", "subprotocol", "compression",
    "ping", "echo", "fragmentation", "masking",   "close",       "idle",
};

struct mw_doctor_line *mw_walk_line(struct mw_walk *walk, enum mw_walk_line line)
{
    return &walk->setup.report->lines[line];
}

/* ---- the report's frame ---- */

static void lay_out(struct mw_doctor_report *report)
{
    report->count = 0;
    for (size_t i = 0; i < MW_WALK_LINES; i++)
        mw_doctor_add(report, line_names[i])->state = MW_DOCTOR_SKIPPED;
}

/* A line that nobody has judged has no value yet. */
static void skip_rest(struct mw_walk *walk, const char *why)
{
    for (size_t i = 0; i < MW_WALK_LINES; i++) {
        struct mw_doctor_line *line = mw_walk_line(walk, (enum mw_walk_line)i);
        if (!*line->value)
            mw_doctor_value(line, "%s", why);
    }
}

static void finish(struct mw_walk *walk, const char *why)
{
    skip_rest(walk, why);
    mw_turn_task_add(walk->loop, &walk->tell_done);
}

static void on_tell_done(struct mw_turn_task *task)
{
    struct mw_walk *walk = MW_OWNER(task, struct mw_walk, tell_done);
    walk->setup.done(walk->setup.owner);
}

/* ---- connections ---- */

static void make_mark(char mark[MW_WALK_MARK_LEN + 1])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[MW_WALK_MARK_LEN] = { 0 };
    (void)mw_random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < MW_WALK_MARK_LEN; i++)
        mark[i] = letters[bytes[i] % 64];
    mark[MW_WALK_MARK_LEN] = '\0';
}

/* By the mark a server of ours tells who it is and how it pings; others pass it over. */
static int put_url(const struct mw_walk *walk, struct mw_buf *out, const char *mark)
{
    const char *target = walk->setup.path ? walk->setup.path : walk->url.target;
    int err = mw_buf_putf(out, "%s://%s%s%s", walk->url.is_secure ? "wss" : "ws",
                          walk->url.authority, *target == '/' ? "" : "/", target);
    if (!err && !walk->without_mark)
        err = mw_buf_putf(out, "%cmoonwire=%s", strchr(target, '?') ? '&' : '?', mark);
    return err;
}

int mw_walk_dial(struct mw_walk *walk, bool compressed, const struct mw_ws_client_events *events,
                 void *owner, struct mw_ws_client **out, char why[256])
{
    struct mw_buf url;
    const struct mw_walk_setup *setup = &walk->setup;
    mw_buf_init(&url, walk->mem, 0);
    make_mark(walk->mark);
    int err = put_url(walk, &url, walk->mark);
    const struct mw_ws_client_setup client = {
        .outbound = setup->outbound,
        .url = mw_buf_view(&url),
        .headers = setup->headers,
        .header_count = setup->header_count,
        .protocols = setup->protocols,
        .protocol_count = setup->protocol_count,
        .origin = setup->origin,
        .compression = compressed,
        .insecure = setup->insecure,
        .connect_wait_ms = setup->wait_ms,
        .handshake_wait_ms = setup->wait_ms,
        .events = events,
        .owner = owner,
    };
    if (!err)
        err = mw_ws_client_start(&client, out, why);
    else
        snprintf(why, 256, "out of memory");
    mw_buf_free(&url);
    return err;
}

/* ---- the way to the first one ---- */

static void join_protocols(const struct mw_walk_setup *setup, char out[200])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < setup->protocol_count && len < 200; i++) {
        int n = snprintf(out + len, 200 - len, "%s%.*s", i ? ", " : "",
                         (int)setup->protocols[i].len, setup->protocols[i].data);
        len += n > 0 ? (size_t)n : 0;
    }
}

/* ended NULL: it is open. */
static void judge_way(struct mw_walk *walk, const struct mw_ws_ended *ended)
{
    const struct mw_ws_path *path = mw_ws_client_path(walk->client);
    const struct mw_doctor_tls_view tls = { walk->url.host, walk->url.port, walk->setup.insecure,
                                            (int64_t)(mw_clock_unix_ms() / 1000) };
    const struct mw_ws_ended *at[MW_WS_STEPS] = { 0 };
    if (ended)
        at[path->step] = ended;
    mw_doctor_judge_dns(mw_walk_line(walk, MW_WALK_DNS), walk->url.host, path, at[MW_WS_RESOLVE]);
    if (at[MW_WS_RESOLVE])
        return;
    mw_doctor_judge_tcp(mw_walk_line(walk, MW_WALK_TCP), walk->url.port, path, at[MW_WS_CONNECT]);
    if (at[MW_WS_CONNECT])
        return;
    mw_doctor_judge_tls(mw_walk_line(walk, MW_WALK_TLS), &tls, path, at[MW_WS_SECURE]);
    if (at[MW_WS_SECURE])
        return;
    mw_doctor_judge_handshake(mw_walk_line(walk, MW_WALK_HANDSHAKE), &walk->who,
                              walk->setup.origin.len > 0, path, at[MW_WS_UPGRADE]);
}

static void judge_protocol(struct mw_walk *walk, const struct mw_ws_answer *answer)
{
    char wanted[200];
    join_protocols(&walk->setup, wanted);
    mw_doctor_judge_subprotocol(mw_walk_line(walk, MW_WALK_SUBPROTOCOL), wanted, answer->protocol);
}

/* ---- tasks ---- */

void mw_walk_wait(struct mw_walk *walk, mw_ms wait_ms)
{
    mw_alarm_set(walk->loop, &walk->alarm, mw_ms_add(mw_loop_now(walk->loop), wait_ms));
}

static const struct mw_walk_task *task_of(const struct mw_walk *walk)
{
    return &mw_walk_tasks[walk->task];
}

static void begin_task(struct mw_walk *walk)
{
    walk->is_running = true;
    mw_walk_wait(walk, walk->setup.wait_ms);
    task_of(walk)->begin(walk);
}

static const struct mw_ws_client_events events;

static void connect_again(struct mw_walk *walk)
{
    char why[256] = "";
    mw_ws_client_free(walk->client);
    walk->client = NULL;
    walk->is_compressed = task_of(walk)->compressed;
    walk->end = (struct mw_doctor_end){ 0 };
    if (mw_walk_dial(walk, walk->is_compressed, &events, walk, &walk->client, why)) {
        finish(walk, why);
        return;
    }
    /* Resolving has no deadline of its own. */
    mw_walk_wait(walk, 3 * walk->setup.wait_ms);
}

void mw_walk_next(struct mw_walk *walk)
{
    mw_alarm_stop(walk->loop, &walk->alarm);
    walk->is_running = false;
    walk->task++;
    mw_turn_task_add(walk->loop, &walk->go_on);
}

static void on_go_on(struct mw_turn_task *turn)
{
    struct mw_walk *walk = MW_OWNER(turn, struct mw_walk, go_on);
    const struct mw_walk_task *task = task_of(walk);
    bool is_open = walk->client && mw_ws_client_is_open(walk->client) && !walk->end.is_over;
    if (!task->begin)
        finish(walk, "nothing came of it");
    else if (walk->is_spoilt)
        finish(walk, "what comes is broken before that");
    else if (task->is_alone || (is_open && walk->is_compressed == task->compressed))
        begin_task(walk);
    else
        connect_again(walk);
}

static void on_late(struct mw_alarm *alarm)
{
    struct mw_walk *walk = MW_OWNER(alarm, struct mw_walk, alarm);
    if (walk->is_running)
        task_of(walk)->late(walk);
    else if (walk->client) /* it takes too long to connect: `ended` tells where */
        mw_ws_client_abort(walk->client);
}

/* ---- events of a connection ---- */

static void on_opened(void *owner, const struct mw_ws_answer *answer)
{
    struct mw_walk *walk = owner;
    mw_doctor_who_of(&walk->who, answer);
    walk->has_terms = answer->deflate.on;
    mw_ext_write(walk->terms, &answer->deflate);
    if (!walk->has_shaken) {
        judge_way(walk, NULL);
        judge_protocol(walk, answer);
    }
    walk->has_shaken = true;
    begin_task(walk);
}

static struct mw_view member(const struct mw_json *object, const char *name, int64_t *number)
{
    struct mw_json_iter iter = mw_json_iter(object);
    const struct mw_json *value;
    struct mw_view key;
    while (mw_json_iter_next(&iter, &key, &value)) {
        if (!mw_view_is(key, name))
            continue;
        if (number && mw_json_kind(value) == MW_JSON_INTEGER)
            *number = mw_json_integer(value);
        return mw_json_kind(value) == MW_JSON_STRING ? mw_json_string(value) : mw_view("", 0);
    }
    return mw_view("", 0);
}

/* The greeting of a server of ours: its name for this connection, and how often it pings. */
static void take_hello(struct mw_walk *walk, struct mw_view text)
{
    struct mw_json_error error;
    struct mw_json_doc *doc = mw_json_parse(walk->mem, text, &error);
    const struct mw_json *root = doc ? mw_json_root(doc) : NULL;
    int64_t ping_s = 0;
    if (root && mw_json_kind(root) == MW_JSON_OBJECT) {
        struct mw_view id = member(root, "id", NULL);
        (void)member(root, "ping", &ping_s);
        walk->who.is_ours = true;
        walk->who.ping_s = ping_s > 0 && ping_s < 86400 ? (unsigned)ping_s : 0;
        if (mw_doctor_is_word(id))
            snprintf(walk->who.conn_id, sizeof walk->who.conn_id, "%.*s", (int)id.len, id.data);
        mw_doctor_judge_handshake(mw_walk_line(walk, MW_WALK_HANDSHAKE), &walk->who,
                                  walk->setup.origin.len > 0, mw_ws_client_path(walk->client),
                                  NULL);
    }
    mw_json_doc_free(doc);
}

static void on_message(void *owner, enum mw_opcode opcode, struct mw_view data)
{
    struct mw_walk *walk = owner;
    (void)opcode;
    if (mw_view_starts_with(data, walk->mark))
        take_hello(walk, mw_view_from(data, MW_WALK_MARK_LEN));
    else if (walk->is_running && task_of(walk)->message)
        task_of(walk)->message(walk, data);
}

static void on_pong(void *owner, struct mw_view payload, uint64_t rtt_us)
{
    struct mw_walk *walk = owner;
    (void)payload;
    if (rtt_us == MW_NEVER) /* nobody had asked: RFC 6455 5.5.3 allows it */
        return;
    if (walk->is_running && task_of(walk)->pong)
        task_of(walk)->pong(walk, rtt_us);
}

static void on_frame(void *owner, const struct mw_ws_frame *frame, struct mw_view payload)
{
    struct mw_walk *walk = owner;
    walk->frames++;
    walk->was_masked = walk->was_masked || frame->masked;
    if (frame->opcode == MW_OPCODE_CLOSE)
        mw_doctor_end_said(&walk->end, payload);
}

/* A server that does not know the mark may refuse it; then it is left out. */
static bool tries_without_mark(struct mw_walk *walk, const struct mw_ws_ended *ended)
{
    if (walk->has_shaken || walk->without_mark || walk->who.is_ours ||
        ended->fault != MW_WS_FAULT_refused)
        return false;
    walk->without_mark = true;
    mw_turn_task_add(walk->loop, &walk->go_on);
    return true;
}

static void tell_no_connection(struct mw_walk *walk)
{
    struct mw_doctor_line *line = mw_walk_line(walk, task_of(walk)->line);
    line->state = MW_DOCTOR_FAIL;
    mw_doctor_value(line, "another connection was not let in: %s", walk->end.text);
    mw_doctor_why(line, "The first one was. Something limits how many there are, or how fast they "
                        "come.");
    mw_doctor_fix(line, "in the script: limits = { connections_per_ip }; or a rule in front");
    mw_walk_next(walk);
}

static void on_ended(void *owner, const struct mw_ws_ended *ended)
{
    struct mw_walk *walk = owner;
    const struct mw_ws_path *path = mw_ws_client_path(walk->client);
    mw_doctor_end_of(&walk->end, ended);
    mw_alarm_stop(walk->loop, &walk->alarm);
    if (!ended->opened && path->answer)
        mw_doctor_who_of(&walk->who, path->answer);
    if (walk->is_running) {
        task_of(walk)->ended(walk);
    } else if (!ended->opened && walk->has_shaken) {
        tell_no_connection(walk);
    } else if (!ended->opened && !tries_without_mark(walk, ended)) {
        judge_way(walk, ended);
        finish(walk, "the way ended before");
    }
}

static const struct mw_ws_client_events events = {
    .opened = on_opened,
    .message = on_message,
    .frame = on_frame,
    .pong = on_pong,
    .ended = on_ended,
};

/* ---- life ---- */

int mw_walk_start(const struct mw_walk_setup *setup, struct mw_walk **out, char why[256])
{
    struct mw_loop *loop = setup->outbound->loop;
    struct mw_walk *walk = mw_alloc_zero(mw_loop_mem(loop), sizeof *walk);
    snprintf(why, 256, "out of memory");
    if (!walk)
        return MW_ERR_NOMEM;
    walk->setup = *setup;
    walk->loop = loop;
    walk->mem = mw_loop_mem(loop);
    mw_buf_init(&walk->sent, walk->mem, 0);
    mw_alarm_init(&walk->alarm, on_late);
    mw_turn_task_init(&walk->go_on, on_go_on);
    mw_turn_task_init(&walk->tell_done, on_tell_done);
    lay_out(setup->report);
    int err = mw_ws_url_parse(walk->mem, setup->url, &walk->url, why);
    if (!err)
        err = mw_walk_dial(walk, false, &events, walk, &walk->client, why);
    if (err) {
        mw_walk_free(walk);
        return err;
    }
    mw_walk_wait(walk, 3 * setup->wait_ms);
    *out = walk;
    return MW_OK;
}

void mw_walk_stop(struct mw_walk *walk, const char *why)
{
    skip_rest(walk, why);
}

void mw_walk_free(struct mw_walk *walk)
{
    if (!walk)
        return;
    mw_alarm_stop(walk->loop, &walk->alarm);
    mw_turn_task_remove(&walk->go_on);
    mw_turn_task_remove(&walk->tell_done);
    mw_walk_idle_free(walk);
    mw_ws_client_free(walk->client);
    mw_ws_url_free(walk->mem, &walk->url);
    mw_buf_free(&walk->sent);
    mw_free(walk->mem, walk, sizeof *walk);
}
