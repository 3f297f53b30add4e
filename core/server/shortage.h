/*
 * What a worker does about accepting when descriptors, or the kernel's memory, are short: leaves
 * some to the rest of the process, says so by name, and counts.
 */
#ifndef MW_SERVER_SHORTAGE_H
#define MW_SERVER_SHORTAGE_H

#include "core/io/listener.h"
#include "core/server/rare.h"

/*
 * For the server's own: calls of the admin socket, scripts and files that are read, looks at /proc.
 * The ones before those are for who asks a question and goes, as a health check does: they become
 * no WebSocket.
 */
#define MW_SHORTAGE_KEPT_BACK 16
#define MW_SHORTAGE_LAST_ONES 16

/* Why accepting pauses. */
#define MW_SHORTAGE_LIST(X) \
    X(descriptors)        /* of the process: EMFILE, or none but those kept back */ \
    X(system_descriptors) /* of the machine: ENFILE */ \
    X(kernel_memory)      /* ENOMEM, ENOBUFS */

enum mw_shortage_kind {
#define MW_SHORTAGE(name) MW_SHORTAGE_##name,
    MW_SHORTAGE_LIST(MW_SHORTAGE)
#undef MW_SHORTAGE
        MW_SHORTAGES
};

/* Of a worker. Zero it to start. */
struct mw_shortage {
    struct mw_rare rare;
    uint64_t pauses[MW_SHORTAGES]; /* how often accepting has paused */
    mw_ms since_ms;
};

struct mw_worker;
/* For the worker's listener, once it is open. */
void mw_shortage_watch(struct mw_worker *worker);

/* "descriptors". Static. */
const char *mw_shortage_name(enum mw_shortage_kind kind);

#endif
