/*
 * `moonwire connect`: a client for people and scripts. Puts together what the other files do: the
 * client of core/outbound, lines that come in (connect_input), what they want (connect_play), and
 * what is shown (connect_screen).
 */
#include <stdio.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/str.h"
#include "core/cli/commands.h"
#include "core/cli/connect.h"
#include "core/cli/history.h"
#include "core/cli/reply.h"
#include "core/cli/settings.h"
#include "core/io/signals.h"
#include "core/server/server.h"

static struct mw_ws_client *client_of(const struct mw_connect *connect)
{
    return mw_returning_client(connect->returning);
}

static void show(struct mw_connect *connect, const struct mw_connect_event *event)
{
    mw_screen_show(&connect->screen, *event);
}

/* ---- for the play ---- */

int mw_connect_send(struct mw_connect *connect, enum mw_opcode opcode, struct mw_view data)
{
    struct mw_ws_client *client = client_of(connect);
    if (!client || !connect->is_open)
        return MW_ERR_CLOSED;
    int err = mw_ws_client_send(client, opcode, data);
    if (err)
        return err;
    connect->last_sent_us = mw_clock_monotonic_us();
    connect->counts.sent++;
    connect->counts.sent_bytes += data.len;
    show(connect,
         &(struct mw_connect_event){ .kind = MW_CONNECT_sent, .opcode = opcode, .data = data });
    return MW_OK;
}

int mw_connect_ping(struct mw_connect *connect, struct mw_view payload)
{
    struct mw_ws_client *client = client_of(connect);
    return client && connect->is_open ? mw_ws_client_ping(client, payload) : MW_ERR_CLOSED;
}

/* What the moment says; after the end it is what it was then. */
static void count(struct mw_connect *connect)
{
    struct mw_ws_client *client = client_of(connect);
    if (!client || !connect->is_open)
        return;
    connect->counts.queued_bytes = mw_ws_client_queued(client);
    connect->counts.open_us = mw_clock_monotonic_us() - connect->opened_us;
}

void mw_connect_stats(struct mw_connect *connect)
{
    count(connect);
    show(connect,
         &(struct mw_connect_event){ .kind = MW_CONNECT_stats, .counts = &connect->counts });
}

void mw_connect_quit(struct mw_connect *connect)
{
    if (!connect->is_over)
        mw_returning_stop(connect->returning, MW_CLOSE_NORMAL, mw_view("", 0));
}

/* ---- the mark of a client that asks for its id (docs/running.md, the client's sideband) ---- */

static int make_url(struct mw_connect *connect)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct mw_view written = connect->options.setup.url;
    unsigned char random[MW_MARK_LEN];
    if (!connect->options.wants_id || mw_random_bytes(random, sizeof random))
        return MW_OK;
    for (size_t i = 0; i < MW_MARK_LEN; i++)
        connect->mark[i] = letters[random[i] % 64];
    bool has_query = mw_view_find(written, '?', 0) < written.len;
    mw_buf_clear(&connect->url);
    int err = mw_buf_put_view(&connect->url, written);
    if (!err)
        err = mw_buf_putf(&connect->url, "%cmoonwire=%s", has_query ? '&' : '?', connect->mark);
    connect->setup.url = err ? written : mw_buf_view(&connect->url);
    return err;
}

/* An aside of the server is not for whoever sits here; the first one holds the id. */
static bool take_aside(struct mw_connect *connect, struct mw_view text)
{
    struct mw_json_error error;
    if (!connect->mark[0] || !mw_view_starts_with(text, connect->mark))
        return false;
    struct mw_json_doc *doc = mw_json_parse(&connect->mem, mw_view_from(text, MW_MARK_LEN), &error);
    const struct mw_json *root = doc ? mw_json_root(doc) : NULL;
    struct mw_view id =
        root && mw_json_kind(root) == MW_JSON_OBJECT ? mw_reply_text(root, "id") : mw_view("", 0);
    if (id.len && id.len < sizeof connect->id && !connect->id[0]) {
        memcpy(connect->id, id.data, id.len);
        connect->id[id.len] = '\0';
        show(connect, &(struct mw_connect_event){ .kind = MW_CONNECT_hello, .data = id });
    }
    mw_json_doc_free(doc);
    return true;
}

/* ---- events of the client ---- */

static void on_opened(void *owner, const struct mw_ws_answer *answer)
{
    struct mw_connect *connect = owner;
    (void)answer;
    connect->is_open = true;
    connect->counts = (struct mw_connect_counts){ 0 };
    connect->id[0] = '\0';
    connect->opened_us = mw_clock_monotonic_us();
    connect->last_sent_us = MW_NEVER;
    show(connect, &(struct mw_connect_event){ .kind = MW_CONNECT_open,
                                              .path = mw_ws_client_path(client_of(connect)) });
    mw_play_opened(connect);
}

static void on_message(void *owner, enum mw_opcode opcode, struct mw_view data)
{
    struct mw_connect *connect = owner;
    uint64_t sent_us = connect->last_sent_us;
    if (opcode == MW_OPCODE_TEXT && take_aside(connect, data))
        return;
    connect->counts.received++;
    connect->counts.received_bytes += data.len;
    show(connect,
         &(struct mw_connect_event){
             .kind = MW_CONNECT_message,
             .opcode = opcode,
             .data = data,
             .after_us = sent_us == MW_NEVER ? MW_NEVER : mw_clock_monotonic_us() - sent_us });
    mw_play_message(connect);
}

static void on_ping(void *owner, struct mw_view payload)
{
    show(owner, &(struct mw_connect_event){
                    .kind = MW_CONNECT_ping, .data = payload, .after_us = MW_NEVER });
}

static void on_pong(void *owner, struct mw_view payload, uint64_t rtt_us)
{
    show(owner, &(struct mw_connect_event){
                    .kind = MW_CONNECT_pong, .data = payload, .after_us = rtt_us });
    mw_play_pong(owner);
}

static void on_drained(void *owner)
{
    mw_play_room(owner);
}

/* docs/running.md, "What it says at the end". */
static int exit_code_of(const struct mw_ws_ended *ended)
{
    if (ended->opened)
        return (ended->ours && ended->clean) || ended->code == MW_CLOSE_NORMAL ? MW_EXIT_OK
                                                                               : MW_EXIT_FAILED;
    switch (ended->fault) {
    case MW_WS_FAULT_refused:
    case MW_WS_FAULT_bad_answer:
    case MW_WS_FAULT_not_http:
        return MW_EXIT_FAILED; /* there is somebody */
    case MW_WS_FAULT_none:
    case MW_WS_FAULT_cancelled:
    case MW_WS_FAULT_no_memory:
    case MW_WS_FAULT_no_address:
    case MW_WS_FAULT_no_connection:
    case MW_WS_FAULT_tls:
    case MW_WS_FAULT_cut:
    case MW_WS_FAULT_timeout:
        return MW_EXIT_UNAVAILABLE;
    }
    return MW_EXIT_FAILED;
}

static void on_ended(void *owner, const struct mw_ws_ended *ended)
{
    struct mw_connect *connect = owner;
    connect->exit_code = exit_code_of(ended);
    bool again = connect->fault == ended->fault && !connect->options.verbose;
    connect->fault = ended->fault;
    count(connect);
    connect->is_open = false;
    mw_play_closed(connect);
    show(connect,
         &(struct mw_connect_event){ .kind = ended->opened ? MW_CONNECT_closed : MW_CONNECT_failed,
                                     .url = connect->options.setup.url,
                                     .path = mw_ws_client_path(client_of(connect)),
                                     .ended = ended,
                                     .counts = &connect->counts,
                                     .id = connect->id,
                                     .again = again });
}

static void on_next(void *owner, const struct mw_reconnect_step *step)
{
    struct mw_connect *connect = owner;
    if (connect->options.reconnect)
        show(connect, &(struct mw_connect_event){ .kind = MW_CONNECT_next, .step = step });
    connect->is_over = !connect->options.reconnect || step->why != MW_RECONNECT_RETURNS;
    if (connect->is_over)
        mw_loop_stop(connect->loop);
    else
        (void)make_url(connect);
}

/* ---- lines and signals ---- */

static void on_line(void *owner, struct mw_view line)
{
    mw_play_line(owner, line);
}

static void on_input_over(void *owner, const char *why)
{
    if (*why)
        mw_screen_error(&((struct mw_connect *)owner)->screen, why);
    mw_play_input_over(owner);
}

/* The first one asks the server, the second one does not. */
static void on_signal(void *ctx, enum mw_signal which)
{
    struct mw_connect *connect = ctx;
    struct mw_ws_client *client = client_of(connect);
    bool is_typed = connect->input && mw_input_is_edited(connect->input);
    if (connect->signal && client)
        mw_ws_client_abort(client);
    connect->signal = which == MW_SIGNAL_INTERRUPT && is_typed ? -1
                      : which == MW_SIGNAL_INTERRUPT           ? 130
                      : which == MW_SIGNAL_TERMINATE           ? 143
                                                               : 129;
    mw_connect_quit(connect);
}

/* ---- life ---- */

static int open_input(struct mw_connect *connect)
{
    char path[MW_HISTORY_PATH_MAX];
    if (connect->options.sends.count)
        return MW_OK;
    bool keeps = connect->options.keeps_history && mw_history_path(path);
    const struct mw_input_setup setup = {
        .loop = connect->loop,
        .wants_editing = !connect->options.jsonl,
        .ascii = connect->screen.look.ascii,
        .history = keeps ? path : NULL,
        .line = on_line,
        .ended = on_input_over,
        .owner = connect,
    };
    int err = mw_input_open(&setup, &connect->input);
    connect->screen.input = connect->input;
    return err;
}

static int start(struct mw_connect *connect, char why[256])
{
    static const struct mw_returning_events events = {
        .client = { .opened = on_opened,
                    .message = on_message,
                    .ping = on_ping,
                    .pong = on_pong,
                    .drained = on_drained,
                    .ended = on_ended },
        .next = on_next,
    };
    connect->setup = connect->options.setup;
    connect->setup.outbound = &connect->outbound;
    connect->setup.owner = connect;
    int err = make_url(connect);
    return err ? err : mw_returning_start(&connect->setup, &events, &connect->returning, why);
}

static int open_parts(struct mw_connect *connect)
{
    int err = mw_loop_new(&connect->mem, &connect->loop);
    if (!err)
        err =
            mw_outbound_init(&connect->outbound, connect->loop, mw_buf_view(&connect->options.ca));
    if (!err)
        err = mw_signals_open(connect->loop, on_signal, connect, &connect->signals);
    return err ? err : open_input(connect);
}

static void close_parts(struct mw_connect *connect)
{
    mw_input_close(connect->input);
    mw_play_free(connect);
    mw_returning_free(connect->returning);
    if (connect->signals)
        mw_signals_close(connect->signals);
    if (connect->loop)
        mw_loop_finish(connect->loop);
    mw_outbound_free(&connect->outbound);
    if (connect->loop)
        (void)mw_loop_free(connect->loop);
    mw_screen_free(&connect->screen);
    mw_buf_free(&connect->url);
}

static int run(struct mw_connect *connect)
{
    char why[256] = "";
    int err = open_parts(connect);
    if (!err)
        err = start(connect, why);
    if (err)
        return mw_cli_fail(err == MW_ERR_BAD_ARG ? MW_EXIT_USAGE : MW_EXIT_FAILED, "",
                           *why ? why : "no memory, or no descriptors, are left");
    mw_loop_run(connect->loop);
    bool is_missed =
        connect->play.missed || connect->play.sends_done < connect->options.sends.count;
    return connect->signal > 0    ? connect->signal
           : connect->play.failed ? MW_EXIT_USAGE
           : connect->exit_code   ? connect->exit_code
           : is_missed            ? MW_EXIT_FAILED
                                  : MW_EXIT_OK;
}

int mw_cmd_connect(const struct mw_args *args)
{
    static struct mw_connect connect; /* large, and there is one */
    mw_mem_init(&connect.mem, NULL, 0);
    mw_buf_init(&connect.url, &connect.mem, 0);
    connect.last_sent_us = MW_NEVER;
    int code = mw_connect_options_read(&connect.options, &connect.mem, args);
    if (!code) {
        mw_screen_init(&connect.screen, &connect.mem, connect.options.lang, connect.options.verbose,
                       connect.options.jsonl);
        mw_play_init(&connect);
        code = run(&connect);
        close_parts(&connect);
    }
    mw_connect_options_free(&connect.options);
    mw_assert(mw_mem_is_empty(&connect.mem));
    return code;
}
