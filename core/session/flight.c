/*
 * The ring of the flight recorder. Written to by conn (frames, queue, reads) and by the server
 * (calls of the script); copied once, at the end of a connection or when somebody asks. It decides
 * nothing and is on the way of every message: a few stores, no clock, no memory of its own.
 */
#include "core/session/flight.h"

static bool is_more_of(const struct mw_flight_entry *last, const struct mw_flight_entry *entry)
{
    return last->kind == entry->kind && last->what == entry->what && last->number == entry->number;
}

static void add_to(struct mw_flight_entry *last, const struct mw_flight_entry *entry)
{
    last->at_ms = entry->at_ms;
    last->bytes = mw_flight_u32((uint64_t)last->bytes + entry->bytes);
    last->took_ms = mw_flight_u16((uint64_t)last->took_ms + entry->took_ms);
    last->times = mw_flight_u16((uint64_t)last->times + 1);
}

void mw_flight_note(struct mw_flight *flight, struct mw_flight_entry entry)
{
    if (!flight)
        return;
    struct mw_flight_entry *last = &flight->entries[(flight->noted - 1) % MW_FLIGHT_ENTRIES];
    if (flight->noted > 0 && is_more_of(last, &entry)) {
        add_to(last, &entry);
        return;
    }
    entry.times = 1;
    flight->entries[flight->noted++ % MW_FLIGHT_ENTRIES] = entry;
    if (flight->noted == 0) /* wrapped: full all the same */
        flight->noted = MW_FLIGHT_ENTRIES;
}

size_t mw_flight_copy(const struct mw_flight *flight, struct mw_flight_entry out[MW_FLIGHT_ENTRIES])
{
    if (!flight)
        return 0;
    size_t count = flight->noted < MW_FLIGHT_ENTRIES ? flight->noted : MW_FLIGHT_ENTRIES;
    uint32_t first = flight->noted - (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        out[i] = flight->entries[(first + i) % MW_FLIGHT_ENTRIES];
    return count;
}

const char *mw_flight_kind_name(enum mw_flight_kind kind)
{
    static const char *const names[MW_FLIGHT_KINDS] = {
#define MW_FLIGHT_NAME(name, text) text,
        MW_FLIGHT_KIND_LIST(MW_FLIGHT_NAME)
#undef MW_FLIGHT_NAME
    };
    return names[kind];
}

const char *mw_flight_result_name(enum mw_flight_result result)
{
    static const char *const names[] = { "done", "waits", "went_on", "failed", "bad_json" };
    return names[result];
}

const char *mw_flight_handler_name(enum mw_flight_handler handler)
{
    static const char *const names[] = { "on_message", "on_drain" };
    return names[handler];
}
