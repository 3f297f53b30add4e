/*
 * A load: so many connections to a server, and what each does. Everything is bounded by a number of
 * messages, by time, and by patience where nothing moves. One thread: plain connections run on
 * bench/raw, those in TLS on core/io.
 *
 *   open all --> warm up --> began --> the mode --> over --> close all
 */
#ifndef MW_BENCH_LOAD_H
#define MW_BENCH_LOAD_H

#include "core/base/ip.h"
#include "core/bench/hist.h"
#include "core/bench/tape.h"
#include "core/io/tls.h"
#include "core/proto/ext.h"

#define MW_BENCH_MODE_LIST(X) \
    X(echo)   /* each has `depth` messages under way; every byte of each echo is compared */ \
    X(idle)   /* they are there; pings are answered */ \
    X(fanout) /* one more publishes, and all others get it: the script does that */ \
    X(churn)  /* connect, one echo, close, and again */ \
    X(storm)  /* all connect at once; who is refused comes again */

enum mw_bench_mode {
#define MW_BENCH_MODE(name) MW_BENCH_##name,
    MW_BENCH_MODE_LIST(MW_BENCH_MODE)
#undef MW_BENCH_MODE
};

struct mw_bench_setup {
    struct mw_mem *mem;
    enum mw_bench_mode mode;
    struct mw_ip to;
    uint16_t port;
    const char *host, *authority, *target; /* of TLS, of Host, and of the request */
    struct mw_loop *loop;                  /* of TLS */
    struct mw_tls_ctx *tls;                /* NULL: plain */
    unsigned sources;                      /* 127.0.0.1 up to so many; 0: the system's choice */
    size_t clients, depth;                 /* at least 1 each */
    size_t message_bytes;
    enum mw_bench_body body;
    struct mw_ext_deflate offer; /* all zero: none; what is offered has to be taken */
    bool bare;                   /* no handshake and no frames on the way back */
    bool spin;                   /* never sleeps */
    bool abrupt;                 /* of churn: without Close frames */
    bool impatient, cut;         /* of storm: heeds no advice; all are in, and then are cut off */
    uint64_t rate; /* messages a second of all together, by a timetable; 0: each after an answer */
    uint64_t messages; /* echoes, publishes or cycles, of all together; 0: until the time is over */
    mw_ms warmup_ms;   /* that is not measured */
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
    uint64_t refused;        /* of storm: answers that were no 101 */
    uint64_t broken;         /* of storm: attempts that ended otherwise, and connections */
    uint64_t took_us;
    /*
     * In nanoseconds: of echoes, deliveries (from the publish) and cycles, from the moment at which
     * they were meant to begin; of storms from the first moment on until a client is in.
     */
    struct mw_hist latency;
    struct mw_hist lag;           /* of an open loop: how late the generator itself was */
    struct mw_ext_deflate agreed; /* on with the first connection */
    char first_broken[96];        /* why the first of those was; "": there was none */
    char why[160];                /* the first thing that went wrong; "": nothing */
};

struct mw_bench;

/* Everything of the setup is borrowed. MW_ERR_NOMEM, MW_ERR_IO. */
int mw_bench_new(const struct mw_bench_setup *setup, struct mw_bench **out);
/* Once; comes back when all is over and closed. */
void mw_bench_run(struct mw_bench *bench);
const struct mw_bench_result *mw_bench_result(const struct mw_bench *bench);
/* NULL is allowed. */
void mw_bench_free(struct mw_bench *bench);

#endif
