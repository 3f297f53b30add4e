/* What `moonwire bench` was told and has measured; for its two files. */
#ifndef MW_CLI_BENCH_RUN_H
#define MW_CLI_BENCH_RUN_H

#include "core/bench/load.h"
#include "core/cli/bench_meter.h"
#include "core/outbound/outbound.h"
#include "core/outbound/ws_url.h"

/* Before the first connection, when all stood, and at the end. */
enum { MW_BENCH_BEFORE, MW_BENCH_BEGAN, MW_BENCH_OVER, MW_BENCH_MOMENTS };

struct mw_bench_run {
    struct mw_mem mem;
    struct mw_loop *loop; /* of TLS */
    struct mw_outbound outbound;
    struct mw_tls_ctx *tls;
    struct mw_ws_url url;
    const char *address; /* as it was given */
    struct mw_bench_setup setup;
    struct mw_bench *bench;
    uint64_t pid;
    bool has_server; /* it can be looked at */
    struct mw_bench_meter own[MW_BENCH_MOMENTS], server[MW_BENCH_MOMENTS];
};

#define MW_BENCH_ONE(name) +1
enum {
    MW_BENCH_MODES = 0 MW_BENCH_MODE_LIST(MW_BENCH_ONE),
    MW_BENCH_BODIES = 0 MW_BENCH_BODY_LIST(MW_BENCH_ONE),
};
#undef MW_BENCH_ONE

/* As they are written on the command line and in the result. */
extern const char *const mw_bench_mode_names[MW_BENCH_MODES];
extern const char *const mw_bench_body_names[MW_BENCH_BODIES];

/* Prints the result, for people or as one object of JSON, and gives the exit code. */
int mw_bench_tell(struct mw_bench_run *run, bool as_json);

#endif
