/*
 * Clients of the control channel: bytes to lines, lines to calls, calls to lines. Bounded in
 * everything, so that whoever connects can do no more than be refused. Runs on the server's thread;
 * what a command does is in its own file (admin_commands.c).
 */
#include "core/server/admin.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/list.h"
#include "core/base/str.h"
#include "core/io/local.h"

struct mw_admin {
    struct mw_loop *loop;
    struct mw_local *local; /* NULL: closing */
    const struct mw_admin_command *commands;
    void *ctx;
    const char *const *only; /* NULL: all commands are run */
    const char *why;         /* the others are not */
    struct mw_link clients;
    size_t client_count; /* those whose stream is closing included */
};

struct mw_admin_client {
    struct mw_admin *admin;
    struct mw_link link;
    struct mw_stream *stream;
    struct mw_alarm alarm;
    struct mw_turn_task work;
    struct mw_buf in;           /* read and not used yet */
    struct mw_buf out;          /* lines that wait for `flight` to have left */
    struct mw_buf flight;       /* being written: not to be touched until it is taken */
    struct mw_admin_call *call; /* being answered */
    bool said_all;              /* by the client: it has half-closed */
    bool is_last;               /* nothing more is read: what waits is written, then it is over */
    bool is_lost;               /* a line could not be kept: nothing more can be said */
    bool is_closed;
};

static struct mw_mem *mem_of(const struct mw_admin *admin)
{
    return mw_loop_mem(admin->loop);
}

static void free_if_done(struct mw_admin *admin)
{
    if (!admin->local && admin->client_count == 0)
        mw_free(mem_of(admin), admin, sizeof *admin);
}

/* ---- the end of a client ---- */

static void drop(struct mw_admin_client *client)
{
    if (client->is_closed)
        return;
    client->is_closed = true;
    struct mw_admin_call *call = client->call;
    client->call = 0;
    if (call) {
        call->client = 0;
        if (call->gone)
            call->gone(call);
    }
    mw_alarm_stop(client->admin->loop, &client->alarm);
    mw_turn_task_remove(&client->work);
    mw_list_remove(&client->link);
    mw_stream_close(client->stream, false);
}

static void on_closed(void *owner)
{
    struct mw_admin_client *client = owner;
    struct mw_admin *admin = client->admin;
    mw_buf_free(&client->in);
    mw_buf_free(&client->out);
    mw_buf_free(&client->flight);
    mw_free(mem_of(admin), client, sizeof *client);
    admin->client_count--;
    free_if_done(admin);
}

static void on_patience(struct mw_alarm *alarm)
{
    drop(MW_OWNER(alarm, struct mw_admin_client, alarm));
}

/* A client that waits for us has all the time there is. */
static void be_patient(struct mw_admin_client *client)
{
    struct mw_loop *loop = client->admin->loop;
    bool ours = client->call && client->flight.len == 0;
    mw_alarm_set(loop, &client->alarm,
                 ours ? MW_NEVER : mw_ms_add(mw_loop_now(loop), MW_ADMIN_PATIENCE_MS));
}

/* ---- out ---- */

/* Writes what waits. The work goes on by itself when it has left. */
static void flush(struct mw_admin_client *client)
{
    if (client->is_closed || client->flight.len || !client->out.len)
        return;
    struct mw_buf empty = client->flight;
    client->flight = client->out;
    client->out = empty;
    const struct mw_view bytes = mw_buf_view(&client->flight);
    long taken = mw_stream_write(client->stream, &bytes, 1);
    if (taken < 0) {
        drop(client);
        return;
    }
    if ((size_t)taken == bytes.len)
        mw_buf_clear(&client->flight);
    be_patient(client);
}

static void on_written(void *owner)
{
    struct mw_admin_client *client = owner;
    mw_buf_clear(&client->flight);
    be_patient(client);
    mw_turn_task_add(client->admin->loop, &client->work);
}

/* MW_ERR_FULL: the line alone is longer than an answer may be. */
static int end_line(struct mw_admin_call *call)
{
    mw_jw_object_end(&call->json);
    return call->json.err ? call->json.err : mw_buf_put_byte(&call->line, '\n');
}

/* A client that cannot be answered for lack of memory, or that does not read, is sent away. */
static void send_line(struct mw_admin_call *call, int err)
{
    struct mw_admin_client *client = call->client;
    if (!err)
        err = mw_buf_put_view(&client->out, mw_buf_view(&call->line));
    mw_buf_clear(&call->line);
    if (err)
        client->is_lost = true;
    mw_turn_task_add(client->admin->loop, &client->work);
}

static struct mw_json_writer *begin_line(struct mw_admin_call *call)
{
    mw_buf_clear(&call->line);
    call->json = (struct mw_json_writer){ .out = &call->line };
    mw_jw_object(&call->json);
    return &call->json;
}

struct mw_json_writer *mw_admin_event(struct mw_admin_call *call, const char *name)
{
    struct mw_json_writer *json = begin_line(call);
    mw_jw_pair(json, "event", mw_view_text(name));
    return json;
}

void mw_admin_event_end(struct mw_admin_call *call)
{
    if (call->client) /* else perhaps there is no line either */
        send_line(call, end_line(call));
}

struct mw_json_writer *mw_admin_answer(struct mw_admin_call *call, bool ok)
{
    struct mw_json_writer *json = begin_line(call);
    mw_jw_key(json, mw_view_text("ok"));
    mw_jw_bool(json, ok);
    return json;
}

static void free_call(struct mw_admin_call *call)
{
    mw_json_doc_free(call->doc);
    mw_buf_free(&call->line);
    mw_free(call->mem, call, sizeof *call);
}

/* What it was to say is lost, but not that. */
static int say_too_long(struct mw_admin_call *call)
{
    struct mw_json_writer *json = mw_admin_answer(call, false);
    mw_jw_pair(json, "error", mw_view_text("the answer is longer than 4 MiB"));
    mw_jw_pair(json, "hint",
               mw_view_text("what was asked for has been done; the server's log says how it went"));
    return end_line(call);
}

void mw_admin_end(struct mw_admin_call *call)
{
    struct mw_admin_client *client = call->client;
    if (client) {
        int err = end_line(call);
        send_line(call, err == MW_ERR_FULL ? say_too_long(call) : err);
        client->call = 0;
    }
    free_call(call);
}

void mw_admin_refuse(struct mw_admin_call *call, const char *error, const char *hint)
{
    struct mw_json_writer *json = mw_admin_answer(call, false);
    mw_jw_pair(json, "error", mw_view_text(error));
    if (*hint)
        mw_jw_pair(json, "hint", mw_view_text(hint));
    mw_admin_end(call);
}

/* ---- requests ---- */

static const struct mw_json *member(const struct mw_json *object, const char *key)
{
    struct mw_json_iter iter = mw_json_iter(object);
    const struct mw_json *value, *found = 0;
    struct mw_view name;
    while (mw_json_iter_next(&iter, &name, &value)) {
        if (mw_view_is(name, key))
            found = value;
    }
    return found;
}

bool mw_admin_text(const struct mw_admin_call *call, const char *key, struct mw_view *out)
{
    const struct mw_json *value = member(call->request, key);
    *out = mw_view(0, 0);
    if (!value)
        return true;
    if (mw_json_kind(value) != MW_JSON_STRING)
        return false;
    *out = mw_json_string(value);
    return true;
}

bool mw_admin_number(const struct mw_admin_call *call, const char *key, int64_t *out)
{
    const struct mw_json *value = member(call->request, key);
    *out = 0;
    if (!value)
        return true;
    if (mw_json_kind(value) != MW_JSON_INTEGER)
        return false;
    *out = mw_json_integer(value);
    return true;
}

bool mw_admin_flag(const struct mw_admin_call *call, const char *key, bool *out)
{
    const struct mw_json *value = member(call->request, key);
    *out = value && mw_json_kind(value) == MW_JSON_BOOL && mw_json_bool(value);
    return !value || mw_json_kind(value) == MW_JSON_BOOL;
}

static void refuse_unknown(struct mw_admin_call *call, const struct mw_admin_command *commands,
                           struct mw_view name)
{
    const char *names[64] = { 0 };
    char error[160];
    for (size_t i = 0; commands[i].name && i + 1 < MW_COUNT(names); i++)
        names[i] = commands[i].name;
    const char *near = mw_nearest_name(name, names);
    snprintf(error, sizeof error, "there is no command \"%.*s\"%s%s%s",
             (int)(name.len < 64 ? name.len : 64), name.len ? name.data : "",
             near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    mw_admin_refuse(call, error, "{\"cmd\":\"help\"} lists them");
}

static bool is_run(const struct mw_admin *admin, struct mw_view name)
{
    const char *const *at = admin->only;
    while (at && *at && !mw_view_is(name, *at))
        at++;
    return !at || *at;
}

static void run_call(struct mw_admin *admin, struct mw_admin_call *call)
{
    struct mw_view name;
    if (mw_json_kind(call->request) != MW_JSON_OBJECT || !mw_admin_text(call, "cmd", &name) ||
        !name.len) {
        mw_admin_refuse(call, "a request is an object with \"cmd\"",
                        "{\"cmd\":\"help\"} lists what can be asked");
        return;
    }
    for (const struct mw_admin_command *command = admin->commands; command->name; command++) {
        if (!mw_view_is(name, command->name))
            continue;
        if (is_run(admin, name))
            command->run(admin->ctx, call);
        else
            mw_admin_refuse(call, admin->why, "");
        return;
    }
    refuse_unknown(call, admin->commands, name);
}

/* NULL: no memory. */
static struct mw_admin_call *new_call(struct mw_admin_client *client)
{
    struct mw_mem *mem = mem_of(client->admin);
    struct mw_admin_call *call = mw_alloc_zero(mem, sizeof *call);
    if (!call)
        return 0;
    call->mem = mem;
    call->client = client;
    mw_buf_init(&call->line, mem, MW_ADMIN_ANSWER_BYTES);
    client->call = call;
    return call;
}

static void take_line(struct mw_admin_client *client, struct mw_view text)
{
    struct mw_json_error error;
    char why[160];
    struct mw_admin_call *call = new_call(client);
    if (!call) {
        client->is_lost = true;
        return;
    }
    call->doc = mw_json_parse(call->mem, text, &error);
    if (call->doc) {
        call->request = mw_json_root(call->doc);
        run_call(client->admin, call);
        return;
    }
    snprintf(why, sizeof why, "the request is no JSON: %.80s at byte %zu", error.text, error.at);
    mw_admin_refuse(call, why, "one request is one line, such as {\"cmd\":\"help\"}");
}

/* Too much was sent: what comes behind is not read, and so neither understood nor answered. */
static void refuse_rest(struct mw_admin_client *client)
{
    struct mw_admin_call *call = client->call ? 0 : new_call(client);
    if (call)
        mw_admin_refuse(call, "too long: a request is at most 16384 bytes",
                        "those behind it wait until it is answered");
    client->is_last = true;
}

/* The next whole line, if one is due and there. */
static bool take_next(struct mw_admin_client *client)
{
    if (client->is_closed || client->is_last || client->call)
        return false;
    struct mw_view in = mw_buf_view(&client->in);
    size_t end = mw_view_find(in, '\n', 0);
    bool is_whole = end < in.len;
    if (!is_whole && in.len >= MW_ADMIN_REQUEST_BYTES)
        refuse_rest(client);
    if (!is_whole)
        return false;
    struct mw_view line = mw_view_trim(mw_view(in.data, end));
    while (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    if (line.len) /* which is parsed, and with that copied, before anything else happens */
        take_line(client, line);
    mw_buf_skip(&client->in, end + 1);
    be_patient(client);
    return true;
}

/* Nothing waits in either direction, and nothing more will come. */
static bool is_over(const struct mw_admin_client *client)
{
    return !client->call && !client->out.len && !client->flight.len &&
           (client->is_last || client->said_all);
}

static void on_work(struct mw_turn_task *task)
{
    struct mw_admin_client *client = MW_OWNER(task, struct mw_admin_client, work);
    /* Answers that wait are bounded by this: no request is taken while one has not left. */
    while (!client->flight.len && !client->is_closed) {
        bool took = take_next(client);
        flush(client);
        if (!took && !client->out.len)
            break;
    }
    if (client->is_lost || is_over(client))
        drop(client);
}

/* ---- in ---- */

static void on_read(void *owner, char *bytes, size_t len)
{
    struct mw_admin_client *client = owner;
    if (client->is_closed || client->is_last)
        return;
    if (mw_buf_put(&client->in, bytes, len))
        refuse_rest(client);
    mw_turn_task_add(client->admin->loop, &client->work);
}

static void on_end(void *owner, enum mw_stream_end how)
{
    struct mw_admin_client *client = owner;
    client->said_all = true;
    if (how == MW_STREAM_FIN)
        mw_turn_task_add(client->admin->loop, &client->work);
    else
        drop(client);
}

static const struct mw_stream_events events = {
    .read = on_read,
    .end = on_end,
    .written = on_written,
    .closed = on_closed,
};

static void on_accept(void *ctx, struct mw_stream *stream)
{
    struct mw_admin *admin = ctx;
    struct mw_admin_client *client = 0;
    if (admin->client_count < MW_ADMIN_MAX_CLIENTS)
        client = mw_alloc_zero(mem_of(admin), sizeof *client);
    if (!client) {
        static const struct mw_view full =
            MW_VIEW("{\"ok\":false,\"error\":\"too many clients of this socket; try again\"}\n");
        (void)mw_stream_write(stream, &full, 1);
        mw_stream_close(stream, false);
        return;
    }
    client->admin = admin;
    client->stream = stream;
    mw_list_init(&client->link);
    mw_list_push(&admin->clients, &client->link);
    mw_alarm_init(&client->alarm, on_patience);
    mw_turn_task_init(&client->work, on_work);
    /* A whole request may be read together with the beginning of the next one. */
    mw_buf_init(&client->in, mem_of(admin), 2 * MW_ADMIN_REQUEST_BYTES);
    mw_buf_init(&client->out, mem_of(admin), MW_ADMIN_ANSWER_BYTES);
    mw_buf_init(&client->flight, mem_of(admin), MW_ADMIN_ANSWER_BYTES);
    admin->client_count++;
    mw_stream_attach(stream, &events, client);
    mw_stream_set_reading(stream, true);
    be_patient(client);
}

/* ---- life ---- */

int mw_admin_open(const struct mw_admin_setup *setup, struct mw_admin **out, char why[256])
{
    struct mw_admin *admin = mw_alloc_zero(mw_loop_mem(setup->loop), sizeof *admin);
    if (!admin) {
        snprintf(why, 256, "out of memory");
        return MW_ERR_NOMEM;
    }
    admin->loop = setup->loop;
    admin->commands = setup->commands;
    admin->ctx = setup->ctx;
    mw_list_init(&admin->clients);
    int err = mw_local_open(setup->loop, setup->path, on_accept, admin, &admin->local, why);
    if (err) {
        mw_free(mem_of(admin), admin, sizeof *admin);
        return err;
    }
    *out = admin;
    return MW_OK;
}

void mw_admin_narrow(struct mw_admin *admin, const char *const *names, const char *why)
{
    if (!admin)
        return;
    admin->only = names;
    admin->why = why;
}

void mw_admin_close(struct mw_admin *admin)
{
    if (!admin)
        return;
    mw_local_close(admin->local);
    admin->local = 0;
    while (!mw_list_is_empty(&admin->clients)) {
        struct mw_admin_client *client =
            MW_OWNER(admin->clients.next, struct mw_admin_client, link);
        flush(client); /* which may drop it, as it may be the last one to read */
        if (!client->is_closed)
            drop(client);
    }
    free_if_done(admin);
}
