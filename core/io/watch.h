/*
 * Tells when something below a set of folders may have changed, after it has been quiet for a
 * moment: one save makes two to four events, some before the content is whole. Watches folders,
 * never files (a watched file goes deaf after a save by rename), so a file that is a symbolic link
 * is told of when the link changes, not when the file elsewhere does. What has changed is for the
 * caller to find out.
 */
#ifndef MW_IO_WATCH_H
#define MW_IO_WATCH_H

#include "core/io/loop.h"

#define MW_WATCH_SETTLE_MS   50  /* of quiet */
#define MW_WATCH_PATIENCE_MS 500 /* at most, where it never gets quiet */

struct mw_watch;

int mw_watch_open(struct mw_loop *loop, void (*changed)(void *ctx), void *ctx,
                  struct mw_watch **out);

/*
 * Makes exactly these folders watched (paths are copied). Returns how many of them cannot be:
 * missing, no inotify watches left. The others stand; a missing one that appears is a change.
 *
 * To be called in `changed` before looking at the folders: a path that leads to another folder now
 * is watched anew, and what changes from here on is told.
 */
size_t mw_watch_set(struct mw_watch *watch, const char *const *folders, size_t count);

void mw_watch_close(struct mw_watch *watch);

#endif
