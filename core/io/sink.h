/*
 * A file descriptor that is written by a thread of its own: a stuck log reader never stops a loop.
 * Lines wait in a bounded queue; what does not fit is counted and said when there is room again.
 * Any thread may write; guarded by its own lock.
 */
#ifndef MW_IO_SINK_H
#define MW_IO_SINK_H

#include "core/base/mem.h"

struct mw_sink;

/* A note of loss, in the form of the lines around it: these texts and the number between them. */
struct mw_sink_note {
    const char *before, *after; /* static, at most 100 bytes each, without newline */
};

/* `fd` is borrowed. max_bytes bounds the queue. NULL: no memory or no thread. */
struct mw_sink *mw_sink_new(int fd, size_t max_bytes, struct mw_sink_note note);

/* Copies one line (with its newline). */
void mw_sink_write(struct mw_sink *sink, struct mw_view line);

/*
 * Writes what waits, as long as the reader takes something within patience_ms each time, and for at
 * most twice patience_ms; ends with a whole line wherever it can. What is written after it is
 * lost. For a process that leaves while other threads still write. NULL is allowed.
 */
void mw_sink_finish(struct mw_sink *sink, mw_ms patience_ms);

/* The same, then frees: nobody writes any more. NULL is allowed. */
void mw_sink_free(struct mw_sink *sink, mw_ms patience_ms);

/* Lines that did not fit so far. */
uint64_t mw_sink_lost(struct mw_sink *sink);

#endif
