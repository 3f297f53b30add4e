/*
 * Folds ends into rows. Neighbours are alike when script, code and cause are the same and hardly
 * any time lies between them: then one thing has ended them. Called by cmd_why; never asks a
 * server, and never hides an end that differs from its neighbours.
 */
#include "core/cli/ends_list.h"

#include "core/base/str.h"
#include "core/cli/reply.h"
#include "core/cli/verdict.h"
#include "core/server/log.h"

/* Fewer are shown as they are. */
#define FOLD_FROM 5

/* Of neighbours. */
#define TOGETHER_S 2.0

struct run {
    const struct mw_json *last, *first; /* to end: ends come backwards */
    size_t count;
    bool is_one_ip;
    double least_s, most_s; /* that they lasted */
};

static bool is_same(const struct mw_json *a, const struct mw_json *b, const char *key)
{
    return mw_view_equal(mw_reply_text(a, key), mw_reply_text(b, key));
}

static bool is_like(const struct run *run, const struct mw_json *conn)
{
    double apart_s = mw_reply_number(run->first, "at") - mw_reply_number(conn, "at");
    return is_same(run->last, conn, "script") && is_same(run->last, conn, "cause") &&
           mw_reply_number(run->last, "code") == mw_reply_number(conn, "code") &&
           apart_s < TOGETHER_S;
}

static void take(struct run *run, const struct mw_json *conn)
{
    double lasted_s = mw_reply_number(conn, "lasted");
    run->first = conn;
    run->count++;
    run->is_one_ip = run->is_one_ip && is_same(run->last, conn, "ip");
    run->least_s = lasted_s < run->least_s ? lasted_s : run->least_s;
    run->most_s = lasted_s > run->most_s ? lasted_s : run->most_s;
}

/* `conn` and those behind it that are like it; `iter` stands behind the last of them then. */
static struct run take_run(const struct mw_json *conn, struct mw_json_iter *iter)
{
    double lasted_s = mw_reply_number(conn, "lasted");
    struct run run = { conn, conn, 1, true, lasted_s, lasted_s };
    struct mw_json_iter next = *iter;
    struct mw_view key;
    while (mw_json_iter_next(&next, &key, &conn) && is_like(&run, conn)) {
        take(&run, conn);
        *iter = next;
    }
    return run;
}

/* ", after 8 ms to 340 s"; ", each after 60 s". */
static int put_lasted(struct mw_buf *out, const struct run *run)
{
    bool is_equal = run->most_s - run->least_s <= run->most_s / 50;
    int err = mw_buf_put_text(out, is_equal ? ", each after " : ", after ");
    if (!err)
        err = mw_verdict_span(out, run->least_s);
    if (!err && !is_equal)
        err = mw_buf_put_text(out, " to ");
    if (!err && !is_equal)
        err = mw_verdict_span(out, run->most_s);
    return err ? err : mw_buf_put_byte(out, '\n');
}

/* "    and 198 more like it within 1.2 s, all from 10.0.0.2, after 8 ms to 340 s" */
static int put_more(struct mw_buf *out, const struct run *run, bool may_be_more)
{
    double within_s = mw_reply_number(run->last, "at") - mw_reply_number(run->first, "at");
    int err = mw_buf_putf(out, "    and %s%zu more like it within ", may_be_more ? "at least " : "",
                          run->count - 1);
    if (!err)
        err = mw_verdict_span(out, within_s);
    if (!err)
        err = mw_buf_put_text(out, run->is_one_ip ? ", all from " : ", from several addresses");
    if (!err && run->is_one_ip)
        err = mw_log_put_line(out, mw_reply_text(run->last, "ip"));
    return err ? err : put_lasted(out, run);
}

int mw_ends_list(struct mw_buf *out, const struct mw_json *conns, bool is_all, size_t max_rows)
{
    struct mw_json_iter iter = mw_json_iter(conns);
    const struct mw_json *conn;
    struct mw_view key;
    int err = MW_OK;
    for (size_t i = 0; !err && i < max_rows && mw_json_iter_next(&iter, &key, &conn); i++) {
        struct mw_json_iter behind = iter;
        struct run run = take_run(conn, &behind);
        err = mw_verdict_line(out, conn);
        if (run.count < FOLD_FROM)
            continue;
        iter = behind;
        if (!err)
            err = put_more(out, &run, !is_all && behind.left == 0);
    }
    return err;
}
