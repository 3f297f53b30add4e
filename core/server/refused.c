/*
 * The ring of refused handshakes. Written to by http_driver, read by refused_page. It answers
 * nobody itself.
 */
#include "core/server/refused.h"

#include "core/base/str.h"
#include "core/base/utf8.h"

struct entry {
    mw_ms at_ms;
    struct mw_http_told told;
    const char *error;
    uint16_t status, text_len;
    uint8_t mark_len; /* 0: none yet */
    char mark[MW_SIDEBAND_MARK_MAX];
    char text[MW_BOUND_REFUSAL_BYTES];
};

struct mw_refused_ring {
    size_t next; /* ever; the next one goes to this place */
    struct entry entries[MW_REFUSED_ENTRIES];
};

void mw_refused_init(struct mw_refused *refused, struct mw_mem *mem)
{
    *refused = (struct mw_refused){ .mem = mem };
    mw_lock_init(&refused->lock);
}

void mw_refused_free(struct mw_refused *refused)
{
    if (refused->ring)
        mw_free(refused->mem, refused->ring, sizeof *refused->ring);
    refused->ring = 0;
    mw_lock_free(&refused->lock);
}

static void write_entry(struct mw_refused_ring *ring, struct mw_view mark,
                        const struct mw_refused_said *said, mw_ms now_ms)
{
    struct entry *entry = &ring->entries[ring->next++ % MW_REFUSED_ENTRIES];
    struct mw_view text = mw_utf8_cut(said->text, sizeof entry->text);
    entry->at_ms = now_ms;
    entry->told = said->told;
    entry->error = said->error;
    entry->status = (uint16_t)said->status;
    entry->text_len = (uint16_t)text.len;
    entry->mark_len = (uint8_t)mark.len;
    memcpy(entry->mark, mark.data, mark.len);
    if (text.len)
        memcpy(entry->text, text.data, text.len);
}

void mw_refused_put(struct mw_refused *refused, struct mw_view mark,
                    const struct mw_refused_said *said, mw_ms now_ms)
{
    if (mark.len == 0)
        return;
    mw_lock_take(&refused->lock);
    if (!refused->ring)
        refused->ring = mw_alloc_zero(refused->mem, sizeof *refused->ring);
    if (refused->ring)
        write_entry(refused->ring, mark, said, now_ms);
    mw_lock_give(&refused->lock);
}

/* Clocks of two loops may differ by a turn. */
static bool is_of(const struct entry *entry, struct mw_view mark, mw_ms now_ms)
{
    return entry->mark_len && mw_view_equal(mw_view(entry->mark, entry->mark_len), mark) &&
           now_ms < entry->at_ms + MW_REFUSED_MS;
}

/* NULL: there is none. */
static const struct entry *last_of(const struct mw_refused_ring *ring, struct mw_view mark,
                                   mw_ms now_ms)
{
    for (size_t back = 1; ring && back <= MW_REFUSED_ENTRIES; back++) {
        const struct entry *entry = &ring->entries[(ring->next - back) % MW_REFUSED_ENTRIES];
        if (is_of(entry, mark, now_ms))
            return entry;
    }
    return 0;
}

bool mw_refused_find(struct mw_refused *refused, struct mw_view mark, mw_ms now_ms,
                     struct mw_refused_said *said, char text[MW_BOUND_REFUSAL_BYTES])
{
    mw_lock_take(&refused->lock);
    const struct entry *entry = last_of(refused->ring, mark, now_ms);
    if (entry) {
        memcpy(text, entry->text, entry->text_len);
        *said = (struct mw_refused_said){ entry->status, entry->error,
                                          mw_view(text, entry->text_len), entry->told };
    }
    mw_lock_give(&refused->lock);
    return entry != 0;
}
