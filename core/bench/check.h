/*
 * Hears one connection: whether every byte that comes is the byte that was due. Answers that are
 * right are compared as one run of bytes, whatever the number of frames in it; only what is not as
 * expected (a ping, a compressed answer, JSON in another order, a mistake) is taken apart. Pure.
 */
#ifndef MW_BENCH_CHECK_H
#define MW_BENCH_CHECK_H

#include "core/bench/tape.h"
#include "core/bench/wire.h"

struct mw_bench_check {
    const struct mw_bench_tape *tape; /* borrowed */
    uint32_t start;                   /* of who is heard, on the ring */
    bool is_apart;                    /* a frame is being taken apart */
    uint64_t got;                     /* answers that came whole and right */
    size_t at;                        /* bytes of the next one that came and were right */
    struct mw_bench_reader reader;
    struct mw_inflater inflater; /* all zero: nothing is compressed */
    struct mw_buf whole;         /* a message that has to be whole before it can be judged */
};

/* Hears what `start` says, from its first message on. */
void mw_bench_check_init(struct mw_bench_check *check, const struct mw_bench_tape *tape,
                         struct mw_mem *mem, uint32_t start);
/* permessage-deflate was agreed on, with the server's window and takeover. */
void mw_bench_check_inflate(struct mw_bench_check *check, struct mw_deflate_pool *pool,
                            uint8_t bits, bool takeover);
void mw_bench_check_free(struct mw_bench_check *check);

#define MW_BENCH_WHY_MAX 128

/*
 * Takes bytes off *rest; `sent` messages were sent so far. 0: all were taken, got says how far it
 * is; 1: *piece is a whole control frame, and there may be more; MW_ERR_PROTOCOL: `why` says what
 * was wrong; MW_ERR_NOMEM.
 */
int mw_bench_check_take(struct mw_bench_check *check, uint64_t sent, struct mw_view *rest,
                        struct mw_bench_piece *piece, char why[MW_BENCH_WHY_MAX]);

#endif
