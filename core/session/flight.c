/*
 * The ring of the flight recorder. Written to by conn (frames, queue, reads) and by the server
 * (calls of the script); copied once, at the end of a connection or when somebody asks. It decides
 * nothing and is on the way of every message: a few stores, no clock.
 */
#include "core/session/flight.h"

#define FIRST_ROOM 2

static size_t size_of(uint32_t room)
{
    return sizeof(struct mw_flight) + room * sizeof(struct mw_flight_entry);
}

struct mw_flight *mw_flight_new(struct mw_mem *mem)
{
    struct mw_flight *flight = mw_alloc(mem, size_of(FIRST_ROOM));
    if (flight)
        *flight = (struct mw_flight){ .room = FIRST_ROOM };
    return flight;
}

void mw_flight_free(struct mw_flight *flight, struct mw_mem *mem)
{
    if (flight)
        mw_free(mem, flight, size_of(flight->room));
}

/* Once it has turned round it stays as it is: the oldest entry is somewhere in the middle. */
static struct mw_flight *grow(struct mw_flight *flight, struct mw_mem *mem)
{
    uint32_t room = flight->room;
    if (flight->noted != room || room == MW_FLIGHT_ENTRIES)
        return flight;
    struct mw_flight *wider = mw_realloc(mem, flight, size_of(room), size_of(room * 2));
    if (!wider)
        return flight;
    wider->room = room * 2;
    return wider;
}

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

struct mw_flight *mw_flight_note(struct mw_flight *flight, struct mw_mem *mem,
                                 struct mw_flight_entry entry)
{
    if (!flight)
        return 0;
    struct mw_flight_entry *last = &flight->entries[(flight->noted - 1) & (flight->room - 1)];
    if (flight->noted > 0 && is_more_of(last, &entry)) {
        add_to(last, &entry);
        return flight;
    }
    flight = grow(flight, mem);
    entry.times = 1;
    flight->entries[flight->noted++ & (flight->room - 1)] = entry;
    if (flight->noted == 0) /* wrapped: full all the same */
        flight->noted = flight->room;
    return flight;
}

size_t mw_flight_copy(const struct mw_flight *flight, struct mw_flight_entry out[MW_FLIGHT_ENTRIES])
{
    if (!flight)
        return 0;
    size_t count = flight->noted < flight->room ? flight->noted : flight->room;
    uint32_t first = flight->noted - (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        out[i] = flight->entries[(first + i) & (flight->room - 1)];
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
