/*
 * Copying and writing down what is known of one connection. Called by ends (which keeps them),
 * inquiry (which takes copies to another thread) and admin_why (which writes them). Judges nothing:
 * what it means is for core/cli.
 */
#include "core/server/end_record.h"

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/base/utf8.h"
#include "core/proto/close.h"
#include "core/server/log.h"

/* ---- copying ---- */

static const size_t texts[] = {
    offsetof(struct mw_end_record, script), offsetof(struct mw_end_record, route),
    offsetof(struct mw_end_record, path),   offsetof(struct mw_end_record, ip),
    offsetof(struct mw_end_record, reason), offsetof(struct mw_end_record, rule),
    offsetof(struct mw_end_record, detail), offsetof(struct mw_end_record, bytes),
    offsetof(struct mw_end_record, name),   offsetof(struct mw_end_record, fix),
    offsetof(struct mw_end_record, fault),
};

static struct mw_view *text_at(struct mw_end_record *record, size_t n)
{
    return (struct mw_view *)((char *)record + texts[n]);
}

struct mw_end_record *mw_end_record_new(struct mw_mem *mem, const struct mw_end_record *facts)
{
    struct mw_end_record cut = *facts;
    size_t flight_bytes = facts->flight_count * sizeof *facts->flight;
    size_t size = sizeof cut + flight_bytes;
    for (size_t i = 0; i < MW_COUNT(texts); i++) {
        *text_at(&cut, i) = mw_utf8_cut(*text_at(&cut, i), MW_END_TEXT_MAX);
        size += text_at(&cut, i)->len;
    }
    struct mw_end_record *record = mw_alloc(mem, size);
    if (!record)
        return 0;
    *record = cut;
    record->size = size;
    mw_list_init(&record->link);
    struct mw_flight_entry *entries = (struct mw_flight_entry *)(record + 1);
    if (flight_bytes)
        memcpy(entries, facts->flight, flight_bytes);
    record->flight = entries;
    char *at = (char *)entries + flight_bytes;
    for (size_t i = 0; i < MW_COUNT(texts); i++) {
        struct mw_view *text = text_at(record, i);
        if (text->len)
            memcpy(at, text->data, text->len);
        text->data = at;
        at += text->len;
    }
    return record;
}

void mw_end_record_free(struct mw_mem *mem, struct mw_end_record *record)
{
    if (!record)
        return;
    mw_list_remove(&record->link);
    mw_free(mem, record, record->size);
}

/* ---- JSON ---- */

static void put_s(struct mw_json_writer *json, const char *key, mw_ms ms)
{
    mw_jw_key(json, mw_view_text(key));
    mw_jw_number(json, (double)ms / 1000.0);
}

static void put_flag(struct mw_json_writer *json, const char *key, bool flag)
{
    mw_jw_key(json, mw_view_text(key));
    mw_jw_bool(json, flag);
}

static const char *frame_name(uint8_t first)
{
    switch ((enum mw_opcode)(first & 0x0F)) {
    case MW_OPCODE_CONTINUATION:
        return "continuation";
    case MW_OPCODE_TEXT:
        return "text";
    case MW_OPCODE_BINARY:
        return "binary";
    case MW_OPCODE_CLOSE:
        return "close";
    case MW_OPCODE_PING:
        return "ping";
    case MW_OPCODE_PONG:
        return "pong";
    }
    return "reserved";
}

static void put_frame(struct mw_json_writer *json, const struct mw_flight_entry *entry)
{
    bool is_close = (entry->what & 0x0F) == MW_OPCODE_CLOSE;
    mw_jw_pair(json, "frame", mw_view_text(frame_name(entry->what)));
    put_flag(json, "fin", entry->what & 0x80);
    mw_jw_pair_integer(json, "rsv", entry->what >> 4 & 7);
    if (entry->number > (is_close ? 0 : 1))
        mw_jw_pair_integer(json, is_close ? "code" : "frames", entry->number);
    mw_jw_pair_integer(json, "bytes", entry->bytes);
}

static void put_call(struct mw_json_writer *json, const struct mw_flight_entry *entry)
{
    const char *handler = mw_flight_handler_name((enum mw_flight_handler)entry->what);
    const char *result = mw_flight_result_name((enum mw_flight_result)entry->number);
    mw_jw_pair(json, "handler", mw_view_text(handler));
    mw_jw_pair(json, "result", mw_view_text(result));
    if (entry->took_ms)
        mw_jw_pair_integer(json, "cpu_ms", entry->took_ms);
}

static void put_entry(struct mw_json_writer *json, const struct mw_flight_entry *entry)
{
    enum mw_flight_kind kind = (enum mw_flight_kind)entry->kind;
    mw_jw_object(json);
    put_s(json, "at", entry->at_ms);
    mw_jw_pair(json, "what", mw_view_text(mw_flight_kind_name(kind)));
    switch (kind) {
    case MW_FLIGHT_IN:
    case MW_FLIGHT_OUT:
        put_frame(json, entry);
        break;
    case MW_FLIGHT_CALL:
        put_call(json, entry);
        break;
    case MW_FLIGHT_QUEUE_HIGH:
    case MW_FLIGHT_QUEUE_LOW:
    case MW_FLIGHT_REFUSED:
        mw_jw_pair_integer(json, "queued", entry->bytes);
        break;
    case MW_FLIGHT_ASIDE:
        put_flag(json, "answered", entry->number);
        mw_jw_pair_integer(json, "bytes", entry->bytes);
        break;
    case MW_FLIGHT_READS_STOP:
    case MW_FLIGHT_READS_GO:
    case MW_FLIGHT_AWAY:
    case MW_FLIGHT_BACK:
    case MW_FLIGHT_KINDS:
        break;
    }
    if (entry->times > 1)
        mw_jw_pair_integer(json, "times", entry->times);
    mw_jw_object_end(json);
}

static void put_flight(struct mw_json_writer *json, const struct mw_end_record *record)
{
    mw_jw_key(json, mw_view_text("flight"));
    mw_jw_array(json);
    for (size_t i = 0; i < record->flight_count; i++)
        put_entry(json, &record->flight[i]);
    mw_jw_array_end(json);
}

static void put_ending(struct mw_json_writer *json, const struct mw_end_record *record)
{
    const struct mw_cause_row *row = mw_cause_row(record->cause);
    mw_jw_pair_integer(json, "code", record->code);
    mw_jw_pair(json, "name",
               record->name.len ? record->name : mw_view_text(mw_close_code_name(record->code)));
    mw_jw_pair(json, "who", mw_view_text(mw_who_name(row->who)));
    mw_jw_pair(json, "cause", mw_view_text(row->name));
    put_flag(json, "clean", record->is_clean);
}

static void put_texts(struct mw_json_writer *json, const struct mw_end_record *record)
{
    const struct {
        const char *key;
        struct mw_view text;
    } pairs[] = {
        { "reason", record->reason }, { "rule", record->rule },   { "detail", record->detail },
        { "bytes", record->bytes },   { "fault", record->fault }, { "fix", record->fix },
    };
    for (size_t i = 0; i < MW_COUNT(pairs); i++) {
        if (pairs[i].text.len)
            mw_jw_pair(json, pairs[i].key, pairs[i].text);
    }
}

/* As it was set for this connection, which may have been long ago. */
static void put_limit(struct mw_json_writer *json, const struct mw_end_record *record)
{
    if (!record->option)
        return;
    mw_jw_key(json, mw_view_text("limit"));
    mw_jw_object(json);
    mw_jw_pair(json, "option", mw_view_text(record->option));
    mw_jw_key(json, mw_view_text("value"));
    mw_jw_number(json, record->limit);
    mw_jw_pair(json, "unit", mw_view_text(record->unit));
    mw_jw_object_end(json);
}

static void put_figures(struct mw_json_writer *json, const struct mw_end_record *record)
{
    put_s(json, "lasted", record->lasted_ms);
    put_s(json, "silent", record->silent_ms);
    if (record->ping_ms != MW_NEVER)
        put_s(json, "ping", record->ping_ms);
    mw_jw_pair_integer(json, "pings_unanswered", record->pings_unanswered);
    if (record->rtt_ms != UINT32_MAX)
        put_s(json, "rtt", record->rtt_ms);
    mw_jw_pair_integer(json, "received", (int64_t)record->received);
    mw_jw_pair_integer(json, "sent", (int64_t)record->sent);
    if (record->dropped)
        mw_jw_pair_integer(json, "dropped", (int64_t)record->dropped);
    if (record->replaced)
        mw_jw_pair_integer(json, "replaced", (int64_t)record->replaced);
    mw_jw_pair_integer(json, "queued", (int64_t)record->queued);
    if (record->part_have) {
        mw_jw_pair_integer(json, "part_have", (int64_t)record->part_have);
        mw_jw_pair_integer(json, "part_of", (int64_t)record->part_of);
    }
}

void mw_end_record_json(const struct mw_end_record *record, struct mw_json_writer *json)
{
    char id[17];
    mw_id_text(record->id, id);
    mw_jw_object(json);
    mw_jw_pair(json, "conn", mw_view_text(id));
    put_flag(json, "live", record->is_live);
    mw_jw_pair(json, "state", mw_view_text(record->state));
    put_s(json, "at", record->at_unix_ms);
    mw_jw_pair(json, "script", record->script);
    mw_jw_pair_integer(json, "v", record->version);
    mw_jw_pair(json, "route", record->route);
    mw_jw_pair(json, "path", record->path);
    mw_jw_pair(json, "ip", record->ip);
    if (record->cause != MW_CAUSE_COUNT)
        put_ending(json, record);
    put_texts(json, record);
    put_limit(json, record);
    put_figures(json, record);
    put_flight(json, record);
    mw_jw_object_end(json);
}
