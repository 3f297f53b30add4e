/*
 * Static files. Called by http_driver; reads through io/file, never blocks the loop. A body
 * outlives its client only until the read that is on its way has come back.
 */
#include "core/server/static_files.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/io/file.h"
#include "core/proto/http_date.h"
#include "core/proto/http_out.h"
#include "core/proto/mime.h"
#include "core/server/client.h"
#include "core/server/http_driver.h"
#include "core/server/worker.h"

#define PIECE_BYTES    65536
#define MAX_PATH_BYTES 2048

struct mw_static {
    struct mw_client *client; /* NULL: it has gone */
    struct mw_mem *mem;
    void (*missing)(struct mw_client *client, struct mw_view path);
    struct mw_file *file;
    uint64_t offset, size;
    size_t piece_len; /* read and not yet written */
    bool pending;     /* a call of io/file will come back */
    bool is_head, tried_index;
    size_t path_len;
    char path[MAX_PATH_BYTES];
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

/* ---- the head ---- */

static void make_etag(const struct mw_file_info *info, char out[64])
{
    snprintf(out, 64, "\"%" PRIx64 "-%" PRIx64 ".%x\"", info->size, (uint64_t)info->modified_s,
             info->modified_ns);
}

/* If-None-Match: "*" or a list of entity tags; the weak form of ours counts too. */
static bool client_has_it(const struct mw_http_head *head, const char *etag)
{
    size_t count;
    struct mw_view list = mw_http_header(head, "if-none-match", &count), part;
    while (count && mw_view_split(&list, ',', &part)) {
        part = mw_view_trim(part);
        if (mw_view_starts_with(part, "W/"))
            part = mw_view_from(part, 2);
        if (mw_view_is(part, "*") || mw_view_is(part, etag))
            return true;
    }
    return false;
}

static int put_head(struct mw_static *body, const struct mw_file_info *info, bool *no_body)
{
    struct mw_client *client = body->client;
    struct mw_buf *out = &client->http->out;
    char etag[64], date[30];
    make_etag(info, etag);
    mw_http_date((mw_ms)info->modified_s * 1000, date);
    bool unchanged = client_has_it(mw_http_conn_head(client->http), etag);
    *no_body = unchanged || body->is_head || info->size == 0;
    int err = mw_http_start(out, unchanged ? 304 : 200, mw_clock_unix_ms());
    if (!err && !unchanged)
        err = mw_http_field(out, "Content-Type",
                            mw_view_text(mw_mime_of(mw_view(body->path, body->path_len))));
    if (!err && !unchanged)
        err = mw_http_field_number(out, "Content-Length", info->size);
    if (!err)
        err = mw_http_field(out, "ETag", mw_view_text(etag));
    if (!err)
        err = mw_http_field(out, "Last-Modified", mw_view_text(date));
    if (!err)
        err = mw_http_field(out, "Cache-Control", mw_view_text("no-cache"));
    if (!err)
        err = mw_http_field(out, "X-Content-Type-Options", mw_view_text("nosniff"));
    if (!err && !client->http->keep_alive)
        err = mw_http_field(out, "Connection", mw_view_text("close"));
    return err ? err : mw_http_end(out);
}

/* ---- the file ---- */

static void opened(void *ctx, int err, struct mw_file *file, const struct mw_file_info *info);

static int open_file(struct mw_static *body)
{
    struct mw_worker *worker = body->client->worker;
    int err = mw_file_open(worker->loop, worker->public_files, mw_view(body->path, body->path_len),
                           opened, body);
    body->pending = err == MW_OK;
    return err;
}

/* The path as it came, without its query. */
static struct mw_view raw_path(const struct mw_static *body)
{
    struct mw_view target = mw_http_conn_head(body->client->http)->target;
    return mw_view(target.data, mw_view_find(target, '?', 0));
}

static bool asks_for_folder(const struct mw_static *body)
{
    return mw_view_ends_with(raw_path(body), "/");
}

/* Without a slash at its end the links of a folder's page would miss it. */
static void redirect_to_folder(struct mw_static *body)
{
    struct mw_view path = raw_path(body);
    char line[MAX_PATH_BYTES + 32];
    while (mw_view_starts_with(path, "//")) /* two of them would name another host */
        path = mw_view_from(path, 1);
    snprintf(line, sizeof line, "Location: %.*s/\r\n",
             (int)(path.len < MAX_PATH_BYTES ? path.len : 0), path.data);
    mw_http_driver_refuse(body->client, 301, "moved",
                          mw_view_text("the address of a folder ends with /"), line);
    finish(body);
}

/* A folder is answered with its index.html. False: there is nothing more to try. */
static bool answer_folder(struct mw_static *body)
{
    static const char index[] = "/index.html";
    if (body->tried_index || body->path_len + sizeof index > MAX_PATH_BYTES)
        return false;
    if (!asks_for_folder(body)) {
        redirect_to_folder(body);
        return true;
    }
    memcpy(body->path + body->path_len, index, sizeof index - 1);
    body->path_len += sizeof index - 1;
    body->tried_index = true;
    return open_file(body) == MW_OK;
}

static void answer_missing(struct mw_static *body)
{
    struct mw_client *client = body->client;
    char path[MAX_PATH_BYTES + 1] = "/";
    size_t len = body->path_len;
    memcpy(path + 1, body->path, len);
    void (*missing)(struct mw_client *, struct mw_view) = body->missing;
    finish(body);
    missing(client, mw_view(path, len + 1));
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
    if (err == MW_ERR_BAD_ARG && answer_folder(body))
        return;
    if (err == MW_ERR_IO || err == MW_ERR_NOMEM) {
        mw_http_driver_refuse(body->client, 503, "unavailable",
                              mw_view_text("the file cannot be opened now"), "Retry-After: 5\r\n");
        finish(body);
        return;
    }
    if (err || (!body->tried_index && asks_for_folder(body))) {
        answer_missing(body);
        return;
    }
    bool no_body = true;
    body->size = info->size;
    if (put_head(body, info, &no_body)) {
        mw_http_driver_refuse(body->client, 503, "out_of_memory", mw_view_text("try again"), 0);
        no_body = true;
    }
    if (no_body)
        finish(body);
    else
        mw_client_settle_later(body->client);
}

int mw_static_serve(struct mw_client *client, struct mw_view path, const struct mw_http_head *head,
                    void (*missing)(struct mw_client *client, struct mw_view path))
{
    struct mw_mem *mem = &client->worker->mem;
    if (path.len > MAX_PATH_BYTES) {
        missing(client, path);
        return MW_OK;
    }
    path = mw_view_from(path, 1);
    bool is_root = path.len == 0;
    if (is_root)
        path = mw_view_text("index.html");
    struct mw_static *body = mw_alloc(mem, sizeof *body);
    if (!body)
        return MW_ERR_NOMEM;
    memset(body, 0, offsetof(struct mw_static, path));
    body->client = client;
    body->mem = mem;
    body->missing = missing;
    body->is_head = mw_view_is(head->method, "HEAD");
    body->tried_index = is_root;
    body->path_len = path.len;
    memcpy(body->path, path.data, path.len);
    if (body->path_len && body->path[body->path_len - 1] == '/')
        body->path_len--;
    int err = open_file(body);
    if (err) {
        body_free(body);
        return err;
    }
    client->body = body;
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
    uint64_t left = body->size - body->offset;
    body->piece_len = (uint64_t)count > left ? (size_t)left : (size_t)count;
    body->offset += body->piece_len;
    mw_client_settle_later(body->client);
}

static bool read_piece(struct mw_static *body)
{
    int err = mw_file_read(body->file, body->offset, body->piece, PIECE_BYTES, piece_read, body);
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
    if (body->offset < body->size)
        return read_piece(body);
    finish(body);
    return true;
}
