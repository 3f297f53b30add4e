/*
 * One answer to a collector. Called by http_driver before it looks for files; off unless the
 * settings name a path, since there is but the one port, and that is for everybody. The question
 * goes around all workers, as for who asks over the control channel, and its asker waits.
 */
#include "core/server/metrics_page.h"

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/proto/http_out.h"
#include "core/server/crew.h"
#include "core/server/http_driver.h"
#include "core/server/inquiry.h"

static int put(struct mw_http_conn *http, struct mw_view text, bool is_head)
{
    struct mw_buf *out = &http->out;
    int err = mw_http_conn_start(http, 200, mw_clock_unix_ms());
    if (!err)
        err = mw_http_field(out, "Content-Type",
                            mw_view_text("text/plain; version=0.0.4; charset=utf-8"));
    if (!err)
        err = mw_http_field(out, "Cache-Control", mw_view_text("no-store"));
    if (!err)
        err = mw_http_field_number(out, "Content-Length", text.len);
    if (!err)
        err = mw_http_end(out);
    return err || is_head ? err : mw_buf_put_view(out, text);
}

static void refuse(struct mw_client *client)
{
    mw_http_driver_refuse(client, 503, "out_of_memory", mw_view_text("try again"), 0);
}

void mw_metrics_page_mail(struct mw_inquiry *inquiry)
{
    struct mw_client *client = mw_slots_get(&inquiry->home->slots, inquiry->id);
    if (client && client->http && client->http->awaits) {
        client->http->awaits = false;
        bool is_head = mw_view_is(mw_http_conn_head(&client->http->conn)->method, "HEAD");
        if (!inquiry->is_whole || put(&client->http->conn, mw_buf_view(&inquiry->text), is_head))
            refuse(client);
        mw_client_settle_later(client);
    }
    mw_inquiry_free(inquiry);
}

/* No path is "off", for paths begin with a slash. */
bool mw_metrics_page(struct mw_client *client, struct mw_view path)
{
    struct mw_worker *worker = client->worker;
    struct mw_view method = mw_http_conn_head(&client->http->conn)->method;
    if (!mw_view_is(path, worker->config->metrics_path) ||
        (!mw_view_is(method, "HEAD") && !mw_view_is(method, "GET")))
        return false;
    struct mw_inquiry *inquiry = mw_inquiry_new(MW_INQUIRY_METRICS, 0);
    if (!inquiry) {
        refuse(client);
        return true;
    }
    inquiry->home = worker;
    inquiry->id = client->id;
    client->http->awaits = true;
    mw_crew_send(worker->crew, &inquiry->letter);
    return true;
}
