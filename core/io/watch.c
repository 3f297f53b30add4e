/*
 * Watches folders through inotify and tells, after a moment of quiet, that something may be
 * different. It never reads a file and never says what has changed.
 *
 * inotify follows the folder, not the path. When a path leads to another folder than before,
 * because a symbolic link was swapped or the folder was deleted and made again, the old watch stays
 * silent; and where a folder is missing there is nothing to watch. So the identity of each folder
 * is looked at once a second as well, and a difference is a change like any other.
 */
#include "core/io/watch.h"

#include <sys/stat.h>

#include "core/base/clock.h"
#include "core/io/loop_uv.h"

#define LOOK_MS \
    1000 /* nobody saves by swapping a whole folder; a deployment that does may wait \
          */

/* Which folder a path leads to. */
struct identity {
    bool is_there;
    dev_t device;
    ino_t inode;
};

struct folder {
    struct mw_link link; /* in mw_watch.folders while it is to be watched */
    struct mw_watch *watch;
    uv_fs_event_t event;
    struct identity seen; /* when its watch was last put up, or looked at since */
    bool is_watched;
    bool is_stale; /* the watch may be on a folder that is gone */
    bool is_named; /* by the call of set that is running */
    char path[];
};

struct mw_watch {
    struct mw_loop *loop;
    void (*changed)(void *ctx);
    void *ctx;
    struct mw_link folders;
    size_t open_handles;
    bool is_closed;
    struct mw_alarm settled;
    struct mw_alarm look;
    mw_ms first_ms; /* the first event not yet told; MW_NEVER: none */
};

static struct identity identify(const char *path)
{
    struct stat info;
    if (stat(path, &info) < 0 || !S_ISDIR(info.st_mode))
        return (struct identity){ .is_there = false };
    return (struct identity){ true, info.st_dev, info.st_ino };
}

static bool is_same(const struct identity *a, const struct identity *b)
{
    return a->is_there == b->is_there && a->device == b->device && a->inode == b->inode;
}

static void free_if_done(struct mw_watch *watch)
{
    if (watch->is_closed && watch->open_handles == 0)
        mw_free(mw_loop_mem(watch->loop), watch, sizeof(*watch));
}

/* ---- what happens ---- */

static void note_change(struct mw_watch *watch)
{
    mw_ms now_ms = mw_loop_now(watch->loop);
    if (watch->first_ms == MW_NEVER)
        watch->first_ms = now_ms;
    mw_ms patient_ms = mw_ms_add(watch->first_ms, MW_WATCH_PATIENCE_MS);
    mw_ms quiet_ms = mw_ms_add(now_ms, MW_WATCH_SETTLE_MS);
    mw_alarm_set(watch->loop, &watch->settled, mw_ms_min(quiet_ms, patient_ms));
}

static void on_settled(struct mw_alarm *alarm)
{
    struct mw_watch *watch = MW_OWNER(alarm, struct mw_watch, settled);
    watch->first_ms = MW_NEVER;
    watch->changed(watch->ctx); /* which may close the watch */
}

/*
 * libuv calls events of the folder itself by the folder's own name; a file of that name does no
 * harm.
 */
static bool may_be_of_folder(const struct folder *folder, const char *name)
{
    const char *slash = strrchr(folder->path, '/');
    return !name || strcmp(name, slash ? slash + 1 : folder->path) == 0;
}

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct folder *folder = MW_OWNER(event, struct folder, event);
    (void)events;
    if (status < 0 || may_be_of_folder(folder, name))
        folder->is_stale = true;
    note_change(folder->watch);
}

static void on_look(struct mw_alarm *alarm)
{
    struct mw_watch *watch = MW_OWNER(alarm, struct mw_watch, look);
    for (struct mw_link *link = watch->folders.next; link != &watch->folders; link = link->next) {
        struct folder *folder = MW_OWNER(link, struct folder, link);
        struct identity now = identify(folder->path);
        if (is_same(&now, &folder->seen))
            continue;
        folder->seen = now;
        folder->is_stale = true;
        note_change(watch);
    }
    mw_alarm_set(watch->loop, alarm, mw_ms_add(mw_loop_now(watch->loop), LOOK_MS));
}

/* ---- one folder ---- */

static size_t size_of(const char *path)
{
    return sizeof(struct folder) + strlen(path) + 1;
}

static struct folder *add_folder(struct mw_watch *watch, const char *path)
{
    struct folder *folder = mw_alloc_zero(mw_loop_mem(watch->loop), size_of(path));
    if (!folder)
        return NULL;
    memcpy(folder->path, path, strlen(path) + 1);
    folder->watch = watch;
    (void)uv_fs_event_init(mw_loop_uv(watch->loop), &folder->event);
    watch->open_handles++;
    mw_list_init(&folder->link);
    mw_list_push(&watch->folders, &folder->link);
    return folder;
}

static void on_folder_closed(uv_handle_t *handle)
{
    struct folder *folder = MW_OWNER(handle, struct folder, event);
    struct mw_watch *watch = folder->watch;
    mw_free(mw_loop_mem(watch->loop), folder, size_of(folder->path));
    watch->open_handles--;
    free_if_done(watch);
}

static void drop_folder(struct folder *folder)
{
    mw_list_remove(&folder->link);
    uv_close((uv_handle_t *)&folder->event, on_folder_closed);
}

/* Leaves a watch alone that is still on the folder of its path: a new one could miss something. */
static void watch_folder(struct folder *folder)
{
    struct identity now = identify(folder->path);
    if (folder->is_watched && !folder->is_stale && is_same(&now, &folder->seen))
        return;
    (void)mw_loop_uv(folder->watch->loop); /* it runs once, to take up the change */
    (void)uv_fs_event_stop(&folder->event);
    folder->seen = now;
    folder->is_stale = false;
    folder->is_watched =
        now.is_there && uv_fs_event_start(&folder->event, on_event, folder->path, 0) == 0;
}

/* ---- the set ---- */

int mw_watch_open(struct mw_loop *loop, void (*changed)(void *ctx), void *ctx,
                  struct mw_watch **out)
{
    struct mw_watch *watch = mw_alloc_zero(mw_loop_mem(loop), sizeof(*watch));
    if (!watch)
        return MW_ERR_NOMEM;
    watch->loop = loop;
    watch->changed = changed;
    watch->ctx = ctx;
    watch->first_ms = MW_NEVER;
    mw_list_init(&watch->folders);
    mw_alarm_init(&watch->settled, on_settled);
    mw_alarm_init(&watch->look, on_look);
    mw_alarm_set(loop, &watch->look, mw_ms_add(mw_loop_now(loop), LOOK_MS));
    *out = watch;
    return MW_OK;
}

static struct folder *find_folder(struct mw_watch *watch, const char *path)
{
    for (struct mw_link *link = watch->folders.next; link != &watch->folders; link = link->next) {
        struct folder *folder = MW_OWNER(link, struct folder, link);
        if (strcmp(folder->path, path) == 0)
            return folder;
    }
    return NULL;
}

/* Names the folder, adding it where it is new. False: no memory. */
static bool name_folder(struct mw_watch *watch, const char *path)
{
    struct folder *folder = find_folder(watch, path);
    if (!folder)
        folder = add_folder(watch, path);
    if (folder)
        folder->is_named = true;
    return folder != NULL;
}

size_t mw_watch_set(struct mw_watch *watch, const char *const *folders, size_t count)
{
    size_t missing = 0;
    for (size_t i = 0; i < count; i++) {
        if (!name_folder(watch, folders[i]))
            missing++;
    }
    struct mw_link *link = watch->folders.next;
    while (link != &watch->folders) {
        struct folder *folder = MW_OWNER(link, struct folder, link);
        link = link->next;
        if (!folder->is_named) {
            drop_folder(folder);
            continue;
        }
        folder->is_named = false;
        watch_folder(folder);
        if (!folder->is_watched)
            missing++;
    }
    return missing;
}

void mw_watch_close(struct mw_watch *watch)
{
    if (!watch)
        return;
    mw_alarm_stop(watch->loop, &watch->settled);
    mw_alarm_stop(watch->loop, &watch->look);
    while (!mw_list_is_empty(&watch->folders))
        drop_folder(MW_OWNER(watch->folders.next, struct folder, link));
    watch->is_closed = true;
    free_if_done(watch);
}
