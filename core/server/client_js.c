/*
 * Serves the client for pages out of the program itself. Called by http_driver before it looks for
 * files. Knows nothing of what the client does.
 */
#include "core/server/client_js.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/proto/accept.h"
#include "core/proto/conditional.h"
#include "core/proto/http_out.h"
#include "core/proto/mime.h"
#include "core/server/http_driver.h"
#include "core/server/worker.h"

/* RFC 9110 8.8.3: each coding is a representation, with a tag of its own. */
struct form {
    struct mw_view bytes;
    char etag[64];
    bool is_gzip;
};

void mw_client_js_init(struct mw_client_js *js, struct mw_mem *mem)
{
    mw_buf_init(&js->client_gzip, mem, 0);
    mw_buf_init(&js->resume_gzip, mem, 0);
}

void mw_client_js_free(struct mw_client_js *js)
{
    mw_buf_free(&js->client_gzip);
    mw_buf_free(&js->resume_gzip);
}

static struct mw_view plain(const struct mw_js_file *file)
{
    return mw_view((const char *)file->bytes, file->len);
}

/* Without memory for it, or for a moment, it goes as it is. */
static struct mw_view compressed(const struct mw_js_file *file, struct mw_buf *gzip)
{
    if (gzip->len == 0)
        (void)mw_gzip(plain(file), gzip);
    return mw_buf_view(gzip);
}

static void choose_form(struct mw_client *client, const struct mw_js_file *file,
                        struct mw_buf *gzip, struct form *form)
{
    size_t count;
    struct mw_view codings =
        mw_http_header(mw_http_conn_head(&client->http->conn), "accept-encoding", &count);
    form->bytes = mw_view("", 0);
    if (mw_accepts_coding(codings, "gzip"))
        form->bytes = compressed(file, gzip);
    form->is_gzip = form->bytes.len > 0;
    if (!form->is_gzip)
        form->bytes = plain(file);
    snprintf(form->etag, sizeof form->etag, "\"%s%s\"", file->hash, form->is_gzip ? "-gzip" : "");
}

static int put_fields(struct mw_buf *out, const struct form *form, unsigned status)
{
    const char *const fields[][2] = {
        { "ETag", form->etag },
        { "Cache-Control", "no-cache" },
        { "Vary", "Accept-Encoding" },
        { "Access-Control-Allow-Origin", "*" },
        { "X-Content-Type-Options", "nosniff" },
        { "Content-Type", mw_mime_of(mw_view_text("client.js")) },
        { "Content-Encoding", form->is_gzip ? "gzip" : 0 },
    };
    bool has_content = status == 200; /* RFC 9110 15.4.5: of a 304 the client has the rest */
    size_t count = has_content ? MW_COUNT(fields) : MW_COUNT(fields) - 2;
    int err = MW_OK;
    for (size_t i = 0; !err && i < count; i++) {
        if (fields[i][1])
            err = mw_http_field(out, fields[i][0], mw_view_text(fields[i][1]));
    }
    if (!err && has_content)
        err = mw_http_field_number(out, "Content-Length", form->bytes.len);
    return err ? err : mw_http_end(out);
}

static int answer(struct mw_client *client, const struct form *form, unsigned status, bool is_head)
{
    struct mw_buf *out = &client->http->conn.out;
    int err = mw_http_conn_start(&client->http->conn, status, mw_clock_unix_ms());
    if (!err)
        err = put_fields(out, form, status);
    return err || is_head || status != 200 ? err : mw_buf_put_view(out, form->bytes);
}

static void serve(struct mw_client *client, const struct mw_js_file *file, struct mw_buf *gzip,
                  bool is_head)
{
    const struct mw_http_head *head = mw_http_conn_head(&client->http->conn);
    struct form form;
    int err = MW_OK;
    choose_form(client, file, gzip, &form);
    const struct mw_validators validators = { .etag = mw_view_text(form.etag) };
    switch (mw_precondition_judge(head, &validators, (int64_t)(mw_clock_unix_ms() / 1000))) {
    case MW_PRECONDITION_HOLDS:
        err = answer(client, &form, 200, is_head);
        break;
    case MW_PRECONDITION_UNCHANGED:
        err = answer(client, &form, 304, is_head);
        break;
    case MW_PRECONDITION_FAILED:
        mw_http_driver_refuse(client, 412, "precondition_failed",
                              mw_view_text("it is not as If-Match wants it"), 0);
        break;
    }
    if (err)
        mw_http_driver_refuse(client, 503, "out_of_memory", mw_view_text("try again"), 0);
}

bool mw_client_js_page(struct mw_client *client, struct mw_view path)
{
    struct mw_view method = mw_http_conn_head(&client->http->conn)->method;
    struct mw_client_js *js = &client->worker->client_js;
    bool is_head = mw_view_is(method, "HEAD");
    if (!is_head && !mw_view_is(method, "GET"))
        return false;
    if (mw_view_is(path, "/_moonwire/client.js"))
        serve(client, &mw_client_js_file, &js->client_gzip, is_head);
    else if (mw_view_is(path, "/_moonwire/resume.js"))
        serve(client, &mw_resume_js_file, &js->resume_gzip, is_head);
    else
        return false;
    return true;
}
