/*
 * Answers who asks why it was refused. Called by http_driver before it looks for files, also while
 * the server stops: that is when many are refused. Logs nothing; the refusal was logged.
 */
#include "core/server/refused_page.h"

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/server/crew.h"
#include "core/server/http_driver.h"

static const char prefix[] = "/_moonwire/why/";

/* Pages of other origins may read it: who does not know the mark has nothing to ask for. */
#define CORS "Access-Control-Allow-Origin"

static int write_body(struct mw_buf *body, const struct mw_refused_said *said)
{
    struct mw_json_writer json = { .out = body };
    mw_jw_object(&json);
    mw_jw_pair_integer(&json, "status", said->status);
    mw_jw_pair(&json, "error", mw_view_text(said->error));
    mw_http_write_told(&json, &said->told);
    mw_jw_pair(&json, "text", said->text);
    mw_jw_object_end(&json);
    return json.err ? json.err : mw_buf_put_byte(body, '\n');
}

static int put_head(struct mw_http_conn *http, size_t len)
{
    static const char *const fields[][2] = {
        { "Content-Type", "application/json" },
        { "Cache-Control", "no-store" },
        { "X-Content-Type-Options", "nosniff" },
        { CORS, "*" },
    };
    int err = mw_http_conn_start(http, 200, mw_clock_unix_ms());
    for (size_t i = 0; !err && i < MW_COUNT(fields); i++)
        err = mw_http_field(&http->out, fields[i][0], mw_view_text(fields[i][1]));
    if (!err)
        err = mw_http_field_number(&http->out, "Content-Length", len);
    return err ? err : mw_http_end(&http->out);
}

static int answer(struct mw_client *client, const struct mw_refused_said *said, bool is_head)
{
    struct mw_buf body;
    mw_buf_init(&body, &client->worker->mem, 0);
    int err = write_body(&body, said);
    if (!err)
        err = put_head(&client->http->conn, body.len);
    if (!err && !is_head)
        err = mw_buf_put_view(&client->http->conn.out, mw_buf_view(&body));
    mw_buf_free(&body);
    return err;
}

/* The handshake may have come to another worker than the one that is asked. */
static bool find(const struct mw_worker *worker, struct mw_view mark, struct mw_refused_said *said,
                 char text[MW_BOUND_REFUSAL_BYTES])
{
    const struct mw_crew *crew = worker->crew;
    for (unsigned i = 0; i < crew->count; i++) {
        if (mw_refused_find(&crew->workers[i].refused, mark, mw_loop_now(worker->loop), said, text))
            return true;
    }
    return false;
}

bool mw_refused_page(struct mw_client *client, struct mw_view path)
{
    char text[MW_BOUND_REFUSAL_BYTES];
    struct mw_view method = mw_http_conn_head(&client->http->conn)->method;
    struct mw_view mark = mw_view_from(path, strlen(prefix));
    struct mw_refused_said said;
    bool is_head = mw_view_is(method, "HEAD");
    if (!mw_view_starts_with(path, prefix) || (!is_head && !mw_view_is(method, "GET")))
        return false;
    if (!find(client->worker, mark, &said, text))
        mw_http_driver_refuse(client, 404, "unknown_mark",
                              mw_view_text("no handshake with this mark was refused here in the "
                                           "last 60 seconds"),
                              CORS ": *\r\n");
    else if (answer(client, &said, is_head))
        mw_http_driver_refuse(client, 503, "out_of_memory", mw_view_text("try again"), 0);
    return true;
}
