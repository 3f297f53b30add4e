/*
 * Requests about connections and counters to inquiries for the worker, and what comes back to JSON.
 * Runs on the server's thread; what is known of connections is the worker's (inquiry.c).
 */
#include "core/server/admin_why.h"

#include <stdio.h>

#include "core/server/admin_commands.h"
#include "core/server/crew.h"
#include "core/server/log.h"

/* ---- asking ---- */

/* The letter comes back all the same, and finds nobody. */
static void on_asker_gone(struct mw_admin_call *call)
{
    struct mw_inquiry *inquiry = call->ctx;
    inquiry->asker = 0;
    mw_admin_end(call);
}

/* NULL: there is no memory, which was said, and the call has ended. */
static struct mw_inquiry *new_inquiry(struct mw_admin_call *call, enum mw_inquiry_kind kind)
{
    struct mw_inquiry *inquiry = mw_inquiry_new(kind, call);
    if (!inquiry)
        mw_admin_refuse(call, "out of memory", "");
    return inquiry;
}

/* The inquiry is the worker's until it is back; `asker` alone stays this thread's. */
static void ask(void *ctx, struct mw_admin_call *call, struct mw_inquiry *inquiry)
{
    struct mw_admin_parts *parts = ctx;
    call->ctx = inquiry;
    call->gone = on_asker_gone;
    struct mw_worker *one = mw_crew_worker_of(parts->crew, inquiry->id);
    if (mw_inquiry_is_of_one(inquiry) && one)
        mw_worker_send(one, &inquiry->letter);
    else /* the first knows as well as any that it is nobody's */
        mw_crew_send(parts->crew, &inquiry->letter);
}

/* False: the call was refused. */
static bool read_id(struct mw_admin_call *call, mw_id *id)
{
    struct mw_view text;
    if (mw_admin_text(call, "id", &text) && mw_id_read(text, id))
        return true;
    mw_admin_refuse(call, text.len ? "\"id\" is no connection's id" : "\"id\" is missing",
                    "it is a text of hex digits, as \"conn\" in the log");
    return false;
}

void mw_admin_why(void *ctx, struct mw_admin_call *call)
{
    int64_t last;
    mw_id id;
    if (!mw_admin_number(call, "last", &last) || last < 0 || last > MW_INQUIRY_MAX) {
        mw_admin_refuse(call, "\"last\" has to be a number from 1 to 200", "");
        return;
    }
    if (!last && !read_id(call, &id))
        return;
    struct mw_inquiry *inquiry = new_inquiry(call, last ? MW_INQUIRY_LAST : MW_INQUIRY_CONN);
    if (!inquiry)
        return;
    inquiry->last = (size_t)last;
    inquiry->id = last ? 0 : id;
    ask(ctx, call, inquiry);
}

void mw_admin_closes(void *ctx, struct mw_admin_call *call)
{
    struct mw_inquiry *inquiry = new_inquiry(call, MW_INQUIRY_COUNTS);
    if (inquiry)
        ask(ctx, call, inquiry);
}

void mw_admin_metrics(void *ctx, struct mw_admin_call *call)
{
    struct mw_inquiry *inquiry = new_inquiry(call, MW_INQUIRY_METRICS);
    if (inquiry)
        ask(ctx, call, inquiry);
}

/* False: the call was refused. */
static bool read_code(struct mw_admin_call *call, int64_t *code)
{
    bool is_number = mw_admin_number(call, "code", code);
    if (is_number && *code == 0)
        *code = mw_cause_row(MW_CAUSE_admin_close)->wire_code;
    const char *why = !is_number || *code < 0 || *code > UINT16_MAX
                          ? "\"code\" has to be a close code"
                          : mw_close_code_refusal((unsigned)*code);
    if (why)
        mw_admin_refuse(call, why, "1000, 1008, or a number of your own from 4000 to 4999");
    return !why;
}

static bool read_reason(struct mw_admin_call *call, struct mw_view *reason)
{
    bool is_text = mw_admin_text(call, "reason", reason);
    if (!is_text)
        mw_admin_refuse(call, "\"reason\" has to be a text", "");
    else if (reason->len > MW_CLOSE_REASON_MAX)
        mw_admin_refuse(call, "\"reason\" is too long: a Close frame has room for 123 bytes", "");
    return is_text && reason->len <= MW_CLOSE_REASON_MAX;
}

void mw_admin_close_conn(void *ctx, struct mw_admin_call *call)
{
    mw_id id;
    int64_t code;
    struct mw_view reason;
    if (!read_id(call, &id) || !read_code(call, &code) || !read_reason(call, &reason))
        return;
    struct mw_inquiry *inquiry = new_inquiry(call, MW_INQUIRY_CLOSE);
    if (!inquiry)
        return;
    inquiry->id = id;
    inquiry->code = (unsigned)code;
    inquiry->reason_len = reason.len;
    if (reason.len)
        memcpy(inquiry->reason, reason.data, reason.len);
    ask(ctx, call, inquiry);
}

/* ---- answering ---- */

static void put_records(struct mw_json_writer *json, const struct mw_inquiry *inquiry)
{
    mw_jw_key(json, mw_view_text("conns"));
    mw_jw_array(json);
    const struct mw_link *link = inquiry->records.next;
    for (; link != &inquiry->records; link = link->next)
        mw_end_record_json(MW_OWNER(link, const struct mw_end_record, link), json);
    mw_jw_array_end(json);
}

static void put_count(struct mw_json_writer *json, const struct mw_end_count *row)
{
    const struct mw_cause_row *cause = mw_cause_row(row->cause);
    mw_jw_object(json);
    if (row->code)
        mw_jw_pair_integer(json, "code", row->code);
    mw_jw_pair(json, "cause", mw_view_text(cause->name));
    mw_jw_pair(json, "who", mw_view_text(mw_who_name(cause->who)));
    mw_jw_pair(json, "script", mw_view_text(row->script));
    mw_jw_pair_integer(json, "count", (int64_t)row->total);
    mw_jw_object_end(json);
}

static void put_counts(struct mw_json_writer *json, const struct mw_inquiry *inquiry)
{
    mw_jw_key(json, mw_view_text("closes"));
    mw_jw_array(json);
    for (size_t i = 0; i < inquiry->count; i++)
        put_count(json, &inquiry->counts[i]);
    mw_jw_array_end(json);
    mw_jw_pair_integer(json, "since_s", (int64_t)(inquiry->span_ms / 1000));
    mw_jw_key(json, mw_view_text("codes"));
    mw_script_codes_json(inquiry->codes, inquiry->code_count, json);
}

static void put_closed(struct mw_json_writer *json, const struct mw_inquiry *inquiry)
{
    char id[17];
    mw_id_text(inquiry->id, id);
    mw_jw_pair(json, "conn", mw_view_text(id));
    mw_jw_pair_integer(json, "code", inquiry->code);
}

static void tell(struct mw_admin_call *call, const struct mw_inquiry *inquiry)
{
    struct mw_json_writer *json = mw_admin_answer(call, true);
    switch (inquiry->kind) {
    case MW_INQUIRY_CONN:
    case MW_INQUIRY_LAST:
        put_records(json, inquiry);
        break;
    case MW_INQUIRY_COUNTS:
        put_counts(json, inquiry);
        break;
    case MW_INQUIRY_CLOSE:
        put_closed(json, inquiry);
        break;
    case MW_INQUIRY_METRICS:
        mw_jw_pair(json, "text", mw_buf_view(&inquiry->text));
        break;
    }
    mw_admin_end(call);
}

void mw_admin_why_mail(struct mw_inquiry *inquiry)
{
    struct mw_admin_call *call = inquiry->asker;
    if (call && *inquiry->why)
        mw_admin_refuse(call, inquiry->why, inquiry->hint);
    else if (call && !inquiry->is_whole)
        mw_admin_refuse(call, "out of memory", "");
    else if (call)
        tell(call, inquiry);
    mw_inquiry_free(inquiry);
}
