/*
 * A short stack of versions for each script. Holds sources, never runs them; reload asks it where a
 * rollback leads and tells it what came of a batch.
 */
#include "core/server/history.h"

#include <stdio.h>

#include "core/base/str.h"

struct script {
    struct mw_link link;
    size_t count;
    struct mw_history_entry entries[MW_HISTORY_VERSIONS]; /* the last one is live */
    size_t name_len;
    char name[];
};

void mw_history_init(struct mw_history *history, struct mw_mem *mem)
{
    mw_list_init(&history->scripts);
    history->mem = mem;
}

/* Forgets all but the first `left`. */
static void cut(struct script *script, size_t left)
{
    while (script->count > left)
        mw_project_drop(script->entries[--script->count].project);
}

static void forget(struct mw_history *history, struct script *script)
{
    if (!script)
        return;
    cut(script, 0);
    mw_list_remove(&script->link);
    mw_free(history->mem, script, sizeof *script + script->name_len);
}

void mw_history_free(struct mw_history *history)
{
    while (!mw_list_is_empty(&history->scripts))
        forget(history, MW_OWNER(history->scripts.next, struct script, link));
}

static struct script *find(const struct mw_history *history, struct mw_view name)
{
    struct mw_link *link = history->scripts.next;
    for (; link != &history->scripts; link = link->next) {
        struct script *script = MW_OWNER(link, struct script, link);
        if (mw_view_equal(mw_view(script->name, script->name_len), name))
            return script;
    }
    return 0;
}

static struct script *find_or_add(struct mw_history *history, struct mw_view name)
{
    struct script *script = find(history, name);
    if (script)
        return script;
    script = mw_alloc_zero(history->mem, sizeof *script + name.len);
    if (!script)
        return 0;
    script->name_len = name.len;
    memcpy(script->name, name.data, name.len);
    mw_list_init(&script->link);
    mw_list_push(&history->scripts, &script->link);
    return script;
}

static void push(struct script *script, const struct mw_history_entry *entry)
{
    if (script->count == MW_HISTORY_VERSIONS) {
        mw_project_drop(script->entries[0].project);
        memmove(script->entries, script->entries + 1,
                (MW_HISTORY_VERSIONS - 1) * sizeof *script->entries);
        script->count--;
    }
    script->entries[script->count] = *entry;
    (void)mw_project_keep(entry->project);
    script->count++;
}

static void note_one(struct mw_history *history, const struct mw_batch *batch,
                     const struct mw_load *load)
{
    struct script *script = find_or_add(history, load->name);
    if (!script)
        return;
    const struct mw_history_entry entry = {
        .version = load->to,
        .as = load->as ? load->as : load->to,
        .project = batch->project,
    };
    for (size_t i = 0; load->as && i < script->count; i++) {
        if (script->entries[i].as == load->as)
            cut(script, i);
    }
    push(script, &entry);
}

void mw_history_note(struct mw_history *history, const struct mw_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct mw_load *load = &batch->loads[i];
        if (load->outcome == MW_LOAD_REMOVED)
            forget(history, find(history, load->name));
        else if (load->outcome == MW_LOAD_READY && load->commit)
            note_one(history, batch, load);
    }
}

const struct mw_history_entry *mw_history_live(const struct mw_history *history,
                                               struct mw_view script)
{
    const struct script *found = find(history, script);
    return found && found->count ? &found->entries[found->count - 1] : 0;
}

bool mw_history_blame(struct mw_history *history, struct mw_view script)
{
    struct script *found = find(history, script);
    if (!found || found->count == 0 || found->entries[found->count - 1].is_blamed)
        return false;
    found->entries[found->count - 1].is_blamed = true;
    return true;
}

/* ---- where a rollback leads ---- */

static const struct mw_history_entry *no_script(struct mw_view name, char why[256])
{
    snprintf(why, 256, "there is no script %.*s that has been loaded",
             (int)(name.len < 160 ? name.len : 160), name.len ? name.data : "");
    return 0;
}

/* "v7, v6", the latest first; "" where there are none. */
static void list_kept(const struct script *script, char out[64])
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = script->count - 1; i-- > 0;)
        n += (size_t)snprintf(out + n, 64 - n, "%sv%u", n ? ", " : "", script->entries[i].version);
}

static const struct mw_history_entry *no_version(const struct script *script, int64_t to,
                                                 char why[256])
{
    char kept[64], name[100];
    const struct mw_history_entry *live = &script->entries[script->count - 1];
    snprintf(name, sizeof name, "%.*s", (int)(script->name_len < 99 ? script->name_len : 99),
             script->name);
    list_kept(script, kept);
    if (to == live->version || (to == live->as && to))
        snprintf(why, 256, "%s is at v%u already", name, live->version);
    else if (*kept)
        snprintf(why, 256, "the sources of %s v%lld are not kept; kept are: %s", name,
                 (long long)to, kept);
    else
        snprintf(why, 256, "nothing is kept of what was before %s v%u", name, live->version);
    return 0;
}

const struct mw_history_entry *mw_history_target(const struct mw_history *history,
                                                 struct mw_view name, int64_t to, char why[256])
{
    const struct script *script = find(history, name);
    if (!script || script->count == 0)
        return no_script(name, why);
    for (size_t i = script->count - 1; i-- > 0;) {
        const struct mw_history_entry *entry = &script->entries[i];
        if (to == 0 || to == entry->version || to == entry->as)
            return entry;
    }
    return no_version(script, to, why);
}
