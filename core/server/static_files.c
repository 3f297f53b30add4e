/*
 * Static files: which file it is, and sending it. Called by http_driver; reads through io/file,
 * never blocks the loop; what is said of the file is file_answer's. A body outlives its client only
 * until the read that is on its way has come back.
 *
 * What the head has promised was true of the file that was opened. It stays open, so a file that is
 * replaced meanwhile is sent as it was; of one that grows the promised bytes are sent; one that
 * shrinks ends the connection, so that nobody takes a part for the whole.
 */
#include "core/server/static_files.h"

#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/percent.h"
#include "core/base/str.h"
#include "core/proto/http_out.h"
#include "core/server/client.h"
#include "core/server/file_answer.h"
#include "core/server/http_driver.h"
#include "core/server/worker.h"

#define PIECE_BYTES    65536
#define MAX_PATH_BYTES 2048

static const char index_name[] = "index.html";

struct mw_static {
    struct mw_client *client; /* NULL: it has gone */
    struct mw_mem *mem;
    void (*missing)(struct mw_client *client, struct mw_view path);
    struct mw_file *file;
    struct mw_range left; /* of the file: to be read */
    size_t piece_len;     /* read and not yet written */
    bool pending;         /* a call of io/file will come back */
    size_t asked_len;     /* of path: normalised, as it was asked for */
    size_t path_len;      /* with index.html behind a slash */
    char path[MAX_PATH_BYTES + sizeof index_name];
    char piece[PIECE_BYTES];
};

static void body_free(struct mw_static *body)
{
    mw_file_close(body->file);
    mw_free(body->mem, body, sizeof *body);
}

void mw_static_cancel(struct mw_static *body)
{
    if (!body)
        return;
    body->client = 0;
    if (!body->pending)
        body_free(body);
}

static void finish(struct mw_static *body)
{
    struct mw_client *client = body->client;
    body_free(body);
    mw_http_driver_answered(client);
}

/* ---- the answer ---- */

/*
 * Without a slash at its end the links of a folder's page would miss it. The address is written
 * anew from the path that was looked up: "//host" and "/\\host" would lead somewhere else.
 */
static int put_redirect(struct mw_static *body)
{
    struct mw_http_conn *http = &body->client->http->conn;
    struct mw_view target = mw_http_conn_head(http)->target;
    struct mw_view query = mw_view_from(target, mw_view_find(target, '?', 0));
    char path[3 * MAX_PATH_BYTES];
    size_t len = mw_percent_encode_path(mw_view(body->path, body->path_len), path);
    int err = mw_http_conn_start(http, 301, mw_clock_unix_ms());
    if (!err)
        err = mw_http_field(&http->out, "Cache-Control", mw_view_text("no-cache"));
    if (!err)
        err = mw_http_field_number(&http->out, "Content-Length", 0);
    if (!err)
        err = mw_buf_putf(&http->out, "Location: %.*s/%.*s\r\n", (int)len, path, (int)query.len,
                          query.data);
    return err ? err : mw_http_end(&http->out);
}

static void refuse_for_memory(struct mw_static *body)
{
    mw_http_driver_refuse(body->client, 503, "out_of_memory", mw_view_text("try again"), 0);
}

static void answer_folder(struct mw_static *body)
{
    if (put_redirect(body))
        refuse_for_memory(body);
    finish(body);
}

static void answer_missing(struct mw_static *body)
{
    struct mw_client *client = body->client;
    char path[MAX_PATH_BYTES];
    size_t len = body->asked_len;
    memcpy(path, body->path, len);
    void (*missing)(struct mw_client *, struct mw_view) = body->missing;
    finish(body);
    missing(client, mw_view(path, len));
}

/* The file is there: it, a part of it, or why it is not sent. */
static void answer_file(struct mw_static *body, const struct mw_file_info *info)
{
    struct mw_client *client = body->client;
    struct mw_file_answer answer;
    char extra[96], range[72];
    mw_ms unix_ms = mw_clock_unix_ms();
    mw_file_answer_decide(&answer, mw_http_conn_head(&client->http->conn), info, unix_ms);
    if (answer.status == 412) {
        mw_http_driver_refuse(client, 412, "precondition_failed",
                              mw_view_text("the file is not as the request wants it to be"), 0);
    } else if (answer.status == 416) {
        mw_file_answer_content_range(&answer, range);
        snprintf(extra, sizeof extra, "Content-Range: %s\r\n", range);
        mw_http_driver_refuse(client, 416, "range_not_satisfiable",
                              mw_view_text("the file has no such bytes"), extra);
    } else if (mw_file_answer_put_head(&answer, &client->http->conn,
                                       mw_view(body->path, body->path_len), unix_ms)) {
        refuse_for_memory(body);
    } else {
        body->left = answer.body;
    }
    if (body->left.len == 0)
        finish(body);
    else
        mw_client_settle_later(client);
}

static void opened(void *ctx, int err, struct mw_file *file, const struct mw_file_info *info)
{
    struct mw_static *body = ctx;
    body->pending = false;
    body->file = file;
    if (!body->client) {
        body_free(body);
        return;
    }
    if (err == MW_ERR_IO || err == MW_ERR_NOMEM) {
        mw_http_driver_refuse(body->client, 503, "unavailable",
                              mw_view_text("the file cannot be opened now"), 0);
        finish(body);
    } else if (err == MW_ERR_BAD_ARG && body->path_len == body->asked_len) {
        answer_folder(body);
    } else if (err) {
        answer_missing(body);
    } else {
        answer_file(body, info);
    }
}

/* ---- the path ---- */

/*
 * ".git" and ".env" lie in folders that are served more often than anybody meant to serve them.
 * ".well-known" (RFC 8615) is meant, and only at the root.
 */
static bool is_hidden(struct mw_view path)
{
    struct mw_view rest = path, name;
    while (mw_view_split(&rest, '/', &name)) {
        bool is_well_known = name.data == path.data + 1 && mw_view_is(name, ".well-known");
        if (mw_view_starts_with(name, ".") && !is_well_known)
            return true;
    }
    return false;
}

static struct mw_static *body_new(struct mw_client *client, struct mw_view path)
{
    struct mw_mem *mem = &client->worker->mem;
    struct mw_static *body = mw_alloc(mem, sizeof *body);
    if (!body)
        return 0;
    memset(body, 0, offsetof(struct mw_static, path));
    body->client = client;
    body->mem = mem;
    memcpy(body->path, path.data, path.len);
    memcpy(body->path + path.len, index_name, sizeof index_name);
    body->asked_len = body->path_len = path.len;
    if (mw_view_ends_with(path, "/"))
        body->path_len += sizeof index_name - 1;
    return body;
}

int mw_static_serve(struct mw_client *client, struct mw_view path,
                    void (*missing)(struct mw_client *client, struct mw_view path))
{
    if (path.len > MAX_PATH_BYTES || is_hidden(path)) {
        missing(client, path);
        return MW_OK;
    }
    struct mw_static *body = body_new(client, path);
    if (!body)
        return MW_ERR_NOMEM;
    body->missing = missing;
    struct mw_worker *worker = client->worker;
    struct mw_view below_root = mw_view_from(mw_view(body->path, body->path_len), 1);
    int err = mw_file_open(worker->loop, worker->public_files, below_root, opened, body);
    if (err) {
        body_free(body);
        return err;
    }
    body->pending = true;
    client->http->body = body;
    return MW_OK;
}

/* ---- pieces ---- */

static void piece_read(void *ctx, long count)
{
    struct mw_static *body = ctx;
    body->pending = false;
    if (!body->client) {
        body_free(body);
        return;
    }
    if (count <= 0) { /* it has become shorter: what was promised cannot be sent */
        mw_client_drop(body->client, true);
        return;
    }
    body->piece_len = (size_t)count;
    body->left.start += body->piece_len;
    body->left.len -= body->piece_len;
    mw_client_settle_later(body->client);
}

static bool read_piece(struct mw_static *body)
{
    size_t most = body->left.len < PIECE_BYTES ? (size_t)body->left.len : PIECE_BYTES;
    int err = mw_file_read(body->file, body->left.start, body->piece, most, piece_read, body);
    body->pending = err == MW_OK;
    if (err)
        mw_client_drop(body->client, true);
    return false;
}

bool mw_static_step(struct mw_static *body)
{
    if (body->pending)
        return false;
    if (body->piece_len) {
        struct mw_view vector = mw_view(body->piece, body->piece_len);
        size_t taken = 0;
        body->piece_len = 0;
        if (mw_client_write(body->client, &vector, 1, &taken))
            return true;
        mw_client_drop(body->client, true);
        return false;
    }
    if (body->left.len)
        return read_piece(body);
    finish(body);
    return true;
}
