/*
 * The count costs an atomic step and is always kept; the lock is taken only where a limit needs it.
 * Called by admit (enter, leave) on the workers' threads, by memory_guard on the server's.
 */
#include "core/server/admission.h"

#include "core/server/config.h"

void mw_admission_init(struct mw_admission *admission, const struct mw_config *config,
                       uint64_t memory_bytes)
{
    *admission = (struct mw_admission){
        .connections = (size_t)config->connections,
        .per_ip = (size_t)config->connections_per_ip,
        .rate = config->accept_rate,
        .memory_bytes = memory_bytes,
    };
    mw_lock_init(&admission->lock);
    mw_mem_init(&admission->mem, 0, 0);
    mw_ip_counts_init(&admission->by_ip, &admission->mem);
}

size_t mw_admission_free(struct mw_admission *admission)
{
    mw_lock_free(&admission->lock);
    return admission->mem.bytes;
}

uint64_t mw_admission_ceiling(const struct mw_config *config, uint64_t container_bytes)
{
    uint64_t wanted = (uint64_t)config->memory;
    return wanted ? wanted : container_bytes / 10 * 9;
}

/* ---- in and out ---- */

static bool take_place(struct mw_admission *admission)
{
    size_t before = atomic_fetch_add_explicit(&admission->count, 1, memory_order_relaxed);
    if (!admission->connections || before < admission->connections)
        return true;
    atomic_fetch_sub_explicit(&admission->count, 1, memory_order_relaxed);
    return false;
}

static void give_place(struct mw_admission *admission)
{
    atomic_fetch_sub_explicit(&admission->count, 1, memory_order_relaxed);
}

static enum mw_admission_answer count_address(struct mw_admission *admission,
                                              const struct mw_ip *ip, struct mw_ip_count **row)
{
    if (!admission->per_ip)
        return MW_ADMISSION_IN;
    int err = mw_ip_counts_enter(&admission->by_ip, ip, admission->per_ip, row);
    if (err == MW_ERR_FULL)
        return MW_ADMISSION_ADDRESS;
    return err ? MW_ADMISSION_OUT_OF_MEMORY : MW_ADMISSION_IN;
}

/* The rate is asked last: who is refused for anything else has not used any of it. */
static enum mw_admission_answer enter_locked(struct mw_admission *admission, const struct mw_ip *ip,
                                             mw_ms now_ms, struct mw_ip_count **row,
                                             struct mw_advice *later)
{
    enum mw_admission_answer answer = count_address(admission, ip, row);
    if (answer != MW_ADMISSION_IN || admission->rate <= 0)
        return answer;
    if (mw_turnstile_pass(&admission->turnstile, admission->rate, now_ms, later))
        return MW_ADMISSION_IN;
    mw_ip_counts_leave(&admission->by_ip, *row);
    *row = 0;
    return MW_ADMISSION_RATE;
}

enum mw_admission_answer mw_admission_enter(struct mw_admission *admission, const struct mw_ip *ip,
                                            mw_ms now_ms, struct mw_ip_count **row,
                                            struct mw_advice *later)
{
    enum mw_admission_answer answer = MW_ADMISSION_IN;
    *row = 0;
    if (atomic_load_explicit(&admission->is_short, memory_order_relaxed))
        return MW_ADMISSION_MEMORY;
    if (!take_place(admission))
        return MW_ADMISSION_FULL;
    if (admission->per_ip || admission->rate > 0) {
        mw_lock_take(&admission->lock);
        answer = enter_locked(admission, ip, now_ms, row, later);
        mw_lock_give(&admission->lock);
    }
    if (answer != MW_ADMISSION_IN)
        give_place(admission);
    return answer;
}

void mw_admission_leave(struct mw_admission *admission, struct mw_ip_count *row)
{
    give_place(admission);
    if (!row)
        return;
    mw_lock_take(&admission->lock);
    mw_ip_counts_leave(&admission->by_ip, row);
    mw_lock_give(&admission->lock);
}

/* ---- memory ---- */

enum mw_memory_turn mw_admission_note_memory(struct mw_admission *admission, uint64_t resident)
{
    uint64_t ceiling = admission->memory_bytes;
    bool was_short = atomic_load_explicit(&admission->is_short, memory_order_relaxed);
    bool is_short = ceiling && resident >= (was_short ? ceiling - ceiling / 20 : ceiling);
    atomic_store_explicit(&admission->resident, resident, memory_order_relaxed);
    atomic_store_explicit(&admission->is_short, is_short, memory_order_relaxed);
    if (is_short == was_short)
        return MW_MEMORY_SAME;
    return is_short ? MW_MEMORY_SHORT : MW_MEMORY_THERE;
}
