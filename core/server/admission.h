/*
 * Whom the process lets in, whichever worker asks: a count, a count by address, a rate, and whether
 * its memory is short. Any thread; what stands below `lock` is guarded by it.
 */
#ifndef MW_SERVER_ADMISSION_H
#define MW_SERVER_ADMISSION_H

#include <stdatomic.h>

#include "core/base/lock.h"
#include "core/server/ip_counts.h"
#include "core/server/turnstile.h"

struct mw_config;

enum mw_admission_answer {
    MW_ADMISSION_IN,
    MW_ADMISSION_FULL,          /* `connections` are there */
    MW_ADMISSION_ADDRESS,       /* `connections_per_ip` of this address are */
    MW_ADMISSION_RATE,          /* too many at once for accept.rate */
    MW_ADMISSION_MEMORY,        /* the process holds as much as it may */
    MW_ADMISSION_OUT_OF_MEMORY, /* there is none to count the address */
};

struct mw_admission {
    /* Limits; 0: none. Set once, before any worker runs. */
    size_t connections, per_ip;
    double rate;           /* a second */
    uint64_t memory_bytes; /* resident ones, of the whole process */

    atomic_size_t count;       /* WebSockets that are in */
    _Atomic uint64_t resident; /* bytes, as they were seen last; 0: nobody looks */
    atomic_bool is_short;      /* of memory */

    struct mw_lock lock;
    struct mw_mem mem;
    struct mw_ip_counts by_ip;
    struct mw_turnstile turnstile;
};

/* memory_bytes as mw_admission_ceiling says. */
void mw_admission_init(struct mw_admission *admission, const struct mw_config *config,
                       uint64_t memory_bytes);
/* All have left. Returns bytes that are not given back: 0. */
size_t mw_admission_free(struct mw_admission *admission);

/* What `memory` comes to: the option, else nine tenths of a container's limit, else 0. */
uint64_t mw_admission_ceiling(const struct mw_config *config, uint64_t container_bytes);

/*
 * One comes; the ip is the client's own, not its proxy's. IN: it counts until mw_admission_leave is
 * called, with *row. Else nothing has changed; of RATE *later says when this one is to come again.
 * Not for a session that comes back: it has kept its place.
 */
enum mw_admission_answer mw_admission_enter(struct mw_admission *admission, const struct mw_ip *ip,
                                            mw_ms now_ms, struct mw_ip_count **row,
                                            struct mw_advice *later);
/* The row may be NULL: nobody counts by address. */
void mw_admission_leave(struct mw_admission *admission, struct mw_ip_count *row);

enum mw_memory_turn { MW_MEMORY_SAME, MW_MEMORY_SHORT, MW_MEMORY_THERE };
/*
 * So much is resident now. Short from the ceiling on, and until a twentieth of it is free: else it
 * would be short, and not, at every breath. One thread alone.
 */
enum mw_memory_turn mw_admission_note_memory(struct mw_admission *admission, uint64_t resident);

#endif
