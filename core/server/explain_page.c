/*
 * Explanations over HTTP. The same for everybody: nothing of what this server has seen is in them,
 * but for what its scripts say about their own codes, which their clients are told anyway. Called
 * by http_driver before it looks for files.
 */
#include "core/server/explain_page.h"

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/explain/explain.h"
#include "core/explain/render.h"
#include "core/proto/http_out.h"
#include "core/proto/url.h"
#include "core/server/http_driver.h"
#include "core/server/script_codes.h"
#include "core/server/worker.h"

static const char prefix[] = "/_moonwire/explain/";

/* A script's codes may be others after the next save. */
#define CACHE_CONTROL "public, max-age=300"
/* Rows of scripts that are told of. */
#define MAX_CODES 32

/* A page of ours needs its style and nothing else. */
#define POLICY "default-src 'none'; style-src 'unsafe-inline'"

struct page {
    struct mw_client *client;
    struct mw_view path;
    struct mw_subject subject;
    enum mw_lang lang;
    bool is_html, is_head;
};

/* ---- what is asked for ---- */

static struct mw_view header(const struct mw_client *client, const char *name)
{
    size_t count;
    return mw_http_header(mw_http_conn_head(&client->http->conn), name, &count);
}

/* The value of `lang` in the query; empty without. */
static struct mw_view lang_of_query(const struct mw_client *client)
{
    struct mw_target target;
    struct mw_view part;
    if (mw_target_split(mw_http_conn_head(&client->http->conn)->target, &target))
        return mw_view(0, 0);
    while (mw_view_split(&target.query, '&', &part)) {
        if (mw_view_starts_with(part, "lang="))
            return mw_view_from(part, strlen("lang="));
    }
    return mw_view(0, 0);
}

/* A language that nobody speaks here is English, as everywhere but at the shell. */
static enum mw_lang choose_language(const struct mw_client *client)
{
    enum mw_lang lang = MW_LANG_EN;
    struct mw_view asked = lang_of_query(client);
    if (!asked.len)
        return mw_lang_of_list(header(client, "accept-language"));
    (void)mw_lang_of_tag(asked, &lang);
    return lang;
}

/* Browsers name it first; who accepts anything is a program. */
static bool prefers_html(struct mw_view accept)
{
    struct mw_view item;
    while (mw_view_split(&accept, ',', &item)) {
        struct mw_view type = mw_view_trim(mw_view(item.data, mw_view_find(item, ';', 0)));
        if (mw_view_is_nocase(type, "text/html"))
            return true;
        if (mw_view_is_nocase(type, "application/json"))
            return false;
    }
    return false;
}

static bool read_subject(struct mw_view words, struct mw_subject *subject)
{
    struct mw_view first, second = mw_view("", 0);
    if (!mw_view_split(&words, '/', &first))
        return false;
    (void)mw_view_split(&words, '/', &second);
    return !words.len && mw_subject_of(subject, first, second);
}

/* ---- the answer ---- */

/* What scripts say about the codes of the subject: `codes` is shared by both. */
static void find_codes(const struct page *page, struct mw_here_code codes[MAX_CODES],
                       struct mw_here *here)
{
    const struct mw_worker *worker = page->client->worker;
    const unsigned numbers[] = { page->subject.code, page->subject.other };
    size_t kinds = page->subject.kind == MW_SUBJECT_PAIR ? 2 : 1, room = MAX_CODES / kinds;
    *here = (struct mw_here){ .codes = codes };
    for (size_t i = 0; i < kinds; i++)
        here->code_count += mw_script_codes_of(worker, numbers[i], codes + here->code_count, room);
}

static int write_body(const struct page *page, struct mw_buf *body)
{
    struct mw_here_code codes[MAX_CODES];
    struct mw_here here;
    struct mw_doc doc;
    find_codes(page, codes, &here);
    mw_doc_init(&doc, body->mem, page->lang);
    mw_explain(&doc, &page->subject, &here);
    int err = page->is_html ? mw_render_html(body, &doc, page->path)
                            : mw_render_json(body, &doc, &page->subject, &here);
    if (!err && !page->is_html)
        err = mw_buf_put_byte(body, '\n');
    mw_doc_free(&doc);
    return err;
}

static int put_head(const struct page *page, size_t len)
{
    const char *const fields[][2] = {
        { "Content-Type", page->is_html ? "text/html; charset=utf-8" : "application/json" },
        { "Content-Language", mw_lang_tag(page->lang) },
        { "Cache-Control", CACHE_CONTROL },
        { "Vary", "Accept, Accept-Language" },
        { "X-Content-Type-Options", "nosniff" },
        { "Content-Security-Policy", POLICY },
    };
    struct mw_buf *out = &page->client->http->conn.out;
    int err = mw_http_conn_start(&page->client->http->conn, 200, mw_clock_unix_ms());
    for (size_t i = 0; !err && i < MW_COUNT(fields); i++)
        err = mw_http_field(out, fields[i][0], mw_view_text(fields[i][1]));
    if (!err)
        err = mw_http_field_number(out, "Content-Length", len);
    return err ? err : mw_http_end(out);
}

static int answer(const struct page *page)
{
    struct mw_buf body;
    mw_buf_init(&body, &page->client->worker->mem, 0);
    int err = write_body(page, &body);
    if (!err)
        err = put_head(page, body.len);
    if (!err && !page->is_head)
        err = mw_buf_put_view(&page->client->http->conn.out, mw_buf_view(&body));
    mw_buf_free(&body);
    return err;
}

bool mw_explain_page(struct mw_client *client, struct mw_view path)
{
    struct mw_view method = mw_http_conn_head(&client->http->conn)->method;
    struct page page = { .client = client, .path = path, .is_head = mw_view_is(method, "HEAD") };
    if (!mw_view_starts_with(path, prefix) || (!page.is_head && !mw_view_is(method, "GET")))
        return false;
    struct mw_view words = mw_view_from(path, strlen(prefix));
    if (!read_subject(words, &page.subject)) {
        mw_http_driver_refuse(client, 404, "nothing_to_explain",
                              mw_view_text("a close code, two with a slash between them, or a "
                                           "cause: /_moonwire/explain/1006"),
                              0);
        return true;
    }
    page.lang = choose_language(client);
    page.is_html = prefers_html(header(client, "accept"));
    if (answer(&page))
        mw_http_driver_refuse(client, 503, "out_of_memory", mw_view_text("try again"), 0);
    return true;
}
