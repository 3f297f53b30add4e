/*
 * Health and readiness. Called by http_driver before it looks for files: what watches the server
 * must not be told something else because a file has the same name. Logs nothing, since it is asked
 * every few seconds.
 */
#include "core/server/health.h"

#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/proto/http_out.h"
#include "core/server/http_driver.h"
#include "core/server/worker.h"

struct health {
    unsigned status;
    char body[120];
};

/* That the loop has come here is all there is to say. */
static struct health live(void)
{
    return (struct health){ 200, "{\"status\":\"ok\"}\n" };
}

struct counts {
    size_t serving, paused; /* of those that serve */
};

static struct counts count_scripts(struct mw_worker *worker)
{
    struct counts counts = { 0 };
    for (const struct mw_link *at = worker->routes.next; at != &worker->routes; at = at->next) {
        const struct mw_route *route = MW_OWNER(at, struct mw_route, link);
        if (!route->spec || route->removed)
            continue;
        counts.serving++;
        counts.paused += route->quarantine.paused;
    }
    return counts;
}

/*
 * Of the process: a script that is paused is no reason to take its sockets, and those of the
 * others, to another machine, where the same script would be paused soon.
 */
static struct health ready(struct mw_worker *worker)
{
    struct health health = { .status = 503 };
    struct counts counts = count_scripts(worker);
    const char *cause = worker->drain.phase != MW_DRAIN_SERVES ? "drain"
                        : counts.serving == 0                  ? "no_script"
                                                               : 0;
    if (cause) {
        snprintf(health.body, sizeof health.body, "{\"status\":\"unavailable\",\"cause\":\"%s\"}\n",
                 cause);
        return health;
    }
    char paused[40] = "";
    if (counts.paused)
        snprintf(paused, sizeof paused, ",\"paused\":%zu", counts.paused);
    health.status = 200;
    snprintf(health.body, sizeof health.body, "{\"status\":\"ready\",\"scripts\":%zu%s}\n",
             counts.serving, paused);
    return health;
}

static int put(struct mw_http_conn *http, const struct health *health, bool is_head)
{
    struct mw_buf *out = &http->out;
    int err = mw_http_conn_start(http, health->status, mw_clock_unix_ms());
    if (!err)
        err = mw_http_field(out, "Content-Type", mw_view_text("application/json"));
    if (!err)
        err = mw_http_field(out, "Cache-Control", mw_view_text("no-store"));
    if (!err)
        err = mw_http_field_number(out, "Content-Length", strlen(health->body));
    if (!err)
        err = mw_http_end(out);
    return err || is_head ? err : mw_buf_put_text(out, health->body);
}

/* No path is "off", for paths begin with a slash. */
bool mw_health_answer(struct mw_client *client, struct mw_view path)
{
    struct mw_worker *worker = client->worker;
    struct mw_view method = mw_http_conn_head(&client->http->conn)->method;
    bool is_head = mw_view_is(method, "HEAD");
    bool asks_live = mw_view_is(path, worker->config->health_live);
    bool asks_ready = mw_view_is(path, worker->config->health_ready);
    if ((!asks_live && !asks_ready) || (!is_head && !mw_view_is(method, "GET")))
        return false;
    struct health health = asks_live ? live() : ready(worker);
    if (put(&client->http->conn, &health, is_head))
        mw_http_driver_refuse(client, 503, "out_of_memory", mw_view_text("try again"), 0);
    return true;
}
