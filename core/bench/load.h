/*
 * A load: so many connections to a server, and what each does. Everything is bounded by a number of
 * messages, by time, and by patience where nothing moves. One loop, one thread.
 *
 *   open all --> began --> the mode --> over --> close all --> the loop is stopped
 */
#ifndef MW_BENCH_LOAD_H
#define MW_BENCH_LOAD_H

#include "core/base/ip.h"
#include "core/io/tls.h"

#define MW_BENCH_MODE_LIST(X) \
    X(echo)   /* each has `depth` messages under way; every byte of each echo is compared */ \
    X(idle)   /* they are there; pings are answered */ \
    X(fanout) /* one more publishes, and all others get it: the script does that */ \
    X(churn)  /* connect, one echo, close, and again */

enum mw_bench_mode {
#define MW_BENCH_MODE(name) MW_BENCH_##name,
    MW_BENCH_MODE_LIST(MW_BENCH_MODE)
#undef MW_BENCH_MODE
};

struct mw_bench_setup {
    enum mw_bench_mode mode;
    struct mw_loop *loop;
    struct mw_ip to;
    uint16_t port;
    const char *host, *authority, *target; /* of TLS, of Host, and of the request */
    struct mw_tls_ctx *tls;                /* NULL: plain */
    unsigned sources;                      /* 127.0.0.1 up to so many; 0: the system's choice */
    size_t clients, depth, message_bytes;  /* at least 1 each */
    uint64_t messages; /* echoes, publishes or cycles, of all together; 0: until the time is over */
    mw_ms lasts_ms;    /* from began to over; MW_NEVER: until `messages` */
    mw_ms patience_ms; /* without anything that moves */
    void (*began)(void *owner); /* the moments between which is measured */
    void (*over)(void *owner);
    void *owner;
};

struct mw_bench_result {
    size_t opened, failed;   /* connections, or cycles, that were and were not to be had */
    uint64_t sent, received; /* messages; received: echoes, deliveries or cycles that were right */
    uint64_t pings;          /* that were answered */
    uint64_t took_us;
    char why[160]; /* the first thing that went wrong; "": nothing */
};

struct mw_bench;

/* Everything of the setup is borrowed. MW_ERR_NOMEM. The loop runs next, until it is stopped. */
int mw_bench_start(const struct mw_bench_setup *setup, struct mw_bench **out);
const struct mw_bench_result *mw_bench_result(const struct mw_bench *bench);
/* When the loop was stopped and finished. NULL is allowed. */
void mw_bench_free(struct mw_bench *bench);

#endif
