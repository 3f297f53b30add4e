/*
 * What a worker does with a question about its connections. Called by worker (answer) and admin_why
 * (the rest).
 */
#include "core/server/inquiry.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/server/client.h"
#include "core/server/crew.h"
#include "core/server/ending.h"
#include "core/server/ws_driver.h"

struct mw_inquiry *mw_inquiry_new(enum mw_inquiry_kind kind, void *asker)
{
    struct mw_mem mem;
    mw_mem_init(&mem, 0, 0);
    struct mw_inquiry *inquiry = mw_alloc_zero(&mem, sizeof *inquiry);
    if (!inquiry)
        return 0;
    inquiry->letter.kind = MW_LETTER_INQUIRY;
    inquiry->mem = mem;
    inquiry->kind = kind;
    inquiry->asker = asker;
    inquiry->is_whole = true;
    mw_list_init(&inquiry->records);
    mw_metrics_sheet_init(&inquiry->sheet, &inquiry->mem);
    mw_buf_init(&inquiry->text, &inquiry->mem, 0);
    return inquiry;
}

void mw_inquiry_free(struct mw_inquiry *inquiry)
{
    if (!inquiry)
        return;
    while (!mw_list_is_empty(&inquiry->records))
        mw_end_record_free(&inquiry->mem,
                           MW_OWNER(inquiry->records.next, struct mw_end_record, link));
    mw_free(&inquiry->mem, inquiry->counts, inquiry->cap * sizeof *inquiry->counts);
    mw_metrics_sheet_free(&inquiry->sheet);
    mw_buf_free(&inquiry->text);
    mw_script_codes_free(&inquiry->mem, inquiry->codes, inquiry->code_count);
    struct mw_mem last = inquiry->mem; /* it holds its own account */
    mw_free(&last, inquiry, sizeof *inquiry);
}

bool mw_inquiry_is_of_one(const struct mw_inquiry *inquiry)
{
    return inquiry->kind == MW_INQUIRY_CONN || inquiry->kind == MW_INQUIRY_CLOSE;
}

/* ---- on the worker ---- */

static struct mw_end_record *record_of(struct mw_link *link)
{
    return MW_OWNER(link, struct mw_end_record, link);
}

/* Before `place`. */
static void put_record(struct mw_inquiry *inquiry, struct mw_link *place,
                       const struct mw_end_record *facts)
{
    struct mw_end_record *record = mw_end_record_new(&inquiry->mem, facts);
    if (record) {
        mw_list_push(place, &record->link);
        inquiry->record_count++;
    } else {
        inquiry->is_whole = false;
    }
}

/* The WebSocket with this id that has not ended; or NULL. */
static struct mw_client *find_live(const struct mw_worker *worker, mw_id id)
{
    struct mw_client *client = mw_slots_get(&worker->slots, id);
    bool is_live = client && (client->phase == MW_CLIENT_OPENING ||
                              client->phase == MW_CLIENT_OPEN || client->phase == MW_CLIENT_AWAY);
    return is_live ? client : 0;
}

static void say_unknown(struct mw_inquiry *inquiry, const struct mw_worker *worker)
{
    char id[17];
    mw_id_text(inquiry->id, id);
    if (!mw_slots_had(&worker->slots, inquiry->id)) {
        snprintf(inquiry->why, sizeof inquiry->why,
                 "there has been no connection %s since this server started", id);
        snprintf(inquiry->hint, sizeof inquiry->hint, "moonwire why --last 20 lists the last ends");
        return;
    }
    snprintf(inquiry->why, sizeof inquiry->why,
             "connection %s has ended, and nothing of it is kept: the last %d ends are, %d minutes "
             "long, and only those of WebSockets",
             id, MW_ENDS_MAX, MW_ENDS_KEEP_MS / 60000);
    snprintf(inquiry->hint, sizeof inquiry->hint,
             "the log has a line \"closed\" for it, on level debug where nothing was wrong");
}

static void answer_conn(struct mw_inquiry *inquiry, struct mw_worker *worker)
{
    struct mw_ending_room room;
    struct mw_end_record facts;
    const struct mw_end_record *record =
        mw_ends_find(&worker->ends, inquiry->id, mw_loop_now(worker->loop));
    const struct mw_client *client = find_live(worker, inquiry->id);
    if (record) {
        put_record(inquiry, &inquiry->records, record);
    } else if (client) {
        mw_ending_look(client, &room, &facts);
        put_record(inquiry, &inquiry->records, &facts);
    } else {
        say_unknown(inquiry, worker);
    }
}

/* What other workers have put there is in order too: one walk merges. */
static void answer_last(struct mw_inquiry *inquiry, struct mw_worker *worker)
{
    mw_ms now_ms = mw_loop_now(worker->loop);
    struct mw_link *place = inquiry->records.next;
    const struct mw_end_record *record = mw_ends_before(&worker->ends, 0, now_ms);
    for (size_t i = 0; record && i < inquiry->last; i++) {
        while (place != &inquiry->records && record_of(place)->nth > record->nth)
            place = place->next;
        put_record(inquiry, place, record);
        record = mw_ends_before(&worker->ends, record, now_ms);
    }
    while (inquiry->record_count > inquiry->last) {
        struct mw_end_record *oldest = record_of(inquiry->records.prev);
        mw_list_remove(&oldest->link);
        mw_end_record_free(&inquiry->mem, oldest);
        inquiry->record_count--;
    }
}

static int more_first(const void *a, const void *b)
{
    uint64_t x = ((const struct mw_end_count *)a)->total;
    uint64_t y = ((const struct mw_end_count *)b)->total;
    return (x < y) - (x > y);
}

static bool make_room(struct mw_inquiry *inquiry, size_t more)
{
    size_t cap = inquiry->count + more, size = sizeof *inquiry->counts;
    struct mw_end_count *counts =
        mw_realloc(&inquiry->mem, inquiry->counts, inquiry->cap * size, (cap ? cap : 1) * size);
    if (!counts)
        return false;
    inquiry->counts = counts;
    inquiry->cap = cap ? cap : 1;
    return true;
}

static void add_count(struct mw_inquiry *inquiry, const struct mw_end_count *row)
{
    for (size_t i = 0; i < inquiry->count; i++) {
        struct mw_end_count *same = &inquiry->counts[i];
        if (same->code == row->code && same->cause == row->cause &&
            !strcmp(same->script, row->script)) {
            same->total += row->total;
            return;
        }
    }
    inquiry->counts[inquiry->count++] = *row;
}

/* What scripts say is the same in every worker. */
static void take_codes(struct mw_inquiry *inquiry, const struct mw_worker *worker)
{
    if (!mw_worker_is_first(worker))
        return;
    inquiry->codes = mw_script_codes_copy(worker, &inquiry->mem, &inquiry->code_count);
    inquiry->is_whole = inquiry->codes || inquiry->code_count == 0;
}

static void answer_counts(struct mw_inquiry *inquiry, struct mw_worker *worker)
{
    struct mw_end_counts *counts = &worker->end_counts;
    mw_ms now_ms = mw_loop_now(worker->loop);
    mw_end_counts_at(counts, now_ms);
    inquiry->span_ms = mw_end_counts_span(counts, now_ms);
    take_codes(inquiry, worker);
    if (counts->count == 0 || !inquiry->is_whole)
        return;
    inquiry->is_whole = make_room(inquiry, counts->count);
    for (size_t i = 0; inquiry->is_whole && i < counts->count; i++)
        add_count(inquiry, &counts->rows[i]);
    if (inquiry->is_whole)
        qsort(inquiry->counts, inquiry->count, sizeof *inquiry->counts, more_first);
}

static void answer_metrics(struct mw_inquiry *inquiry, const struct mw_worker *worker)
{
    int err = mw_metrics_sheet_add(&inquiry->sheet, worker);
    if (!err && inquiry->sheet.workers == worker->crew->count)
        err = mw_metrics_write(&inquiry->sheet, &inquiry->text);
    inquiry->is_whole = inquiry->is_whole && !err;
}

static void answer_close(struct mw_inquiry *inquiry, struct mw_worker *worker)
{
    struct mw_client *client = find_live(worker, inquiry->id);
    if (!client)
        say_unknown(inquiry, worker);
    else if (client->phase == MW_CLIENT_OPENING)
        snprintf(inquiry->why, sizeof inquiry->why,
                 "the connection is not open yet: the script has not decided about it");
    else if (mw_ws_driver_close(client, MW_CAUSE_admin_close, inquiry->code,
                                mw_view(inquiry->reason, inquiry->reason_len)))
        snprintf(inquiry->why, sizeof inquiry->why, "the connection is closing already");
}

void mw_inquiry_answer(struct mw_inquiry *inquiry, struct mw_worker *worker)
{
    switch (inquiry->kind) {
    case MW_INQUIRY_CONN:
        answer_conn(inquiry, worker);
        break;
    case MW_INQUIRY_LAST:
        answer_last(inquiry, worker);
        break;
    case MW_INQUIRY_COUNTS:
        answer_counts(inquiry, worker);
        break;
    case MW_INQUIRY_CLOSE:
        answer_close(inquiry, worker);
        break;
    case MW_INQUIRY_METRICS:
        answer_metrics(inquiry, worker);
        break;
    }
}
