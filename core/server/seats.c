/*
 * Counting connections over workers: an atomic number for all of them, and a lock for addresses,
 * which costs nothing where no script limits those. Called by route, upgrade and ws_driver.
 */
#include "core/server/seats.h"

#include "core/base/check.h"
#include "core/base/str.h"

void mw_seats_init(struct mw_seats *seats)
{
    mw_lock_init(&seats->lock);
    mw_list_init(&seats->seats);
}

void mw_seats_free(struct mw_seats *seats)
{
    mw_assert(mw_list_is_empty(&seats->seats));
    mw_lock_free(&seats->lock);
}

/* ---- who holds one ---- */

static struct mw_seat *find(struct mw_seats *seats, struct mw_view script)
{
    for (struct mw_link *at = seats->seats.next; at != &seats->seats; at = at->next) {
        struct mw_seat *seat = MW_OWNER(at, struct mw_seat, link);
        if (mw_view_equal(mw_view(seat->name, seat->name_len), script))
            return seat;
    }
    return 0;
}

static struct mw_seat *make(struct mw_seats *seats, struct mw_view script)
{
    struct mw_seat *seat = mw_shared_alloc(sizeof *seat + script.len);
    if (!seat)
        return 0;
    *seat = (struct mw_seat){ .all = seats, .name_len = script.len };
    memcpy(seat->name, script.data, script.len);
    mw_lock_init(&seat->lock);
    mw_mem_init(&seat->mem, 0, 0);
    mw_ip_counts_init(&seat->by_ip, &seat->mem);
    mw_list_init(&seat->link);
    mw_list_push(&seats->seats, &seat->link);
    return seat;
}

struct mw_seat *mw_seat_hold(struct mw_seats *seats, struct mw_view script)
{
    mw_lock_take(&seats->lock);
    struct mw_seat *seat = find(seats, script);
    if (!seat)
        seat = make(seats, script);
    if (seat)
        seat->holders++;
    mw_lock_give(&seats->lock);
    return seat;
}

static void unmake(struct mw_seat *seat)
{
    mw_assert(!seat->by_ip.table);
    mw_list_remove(&seat->link);
    mw_lock_free(&seat->lock);
    mw_shared_free(seat, sizeof *seat + seat->name_len);
}

void mw_seat_release(struct mw_seat *seat)
{
    if (!seat)
        return;
    struct mw_lock *lock = &seat->all->lock;
    mw_lock_take(lock);
    seat->holders--;
    if (seat->holders == 0)
        unmake(seat);
    mw_lock_give(lock);
}

/* ---- connections ---- */

bool mw_seat_take(struct mw_seat *seat, size_t most)
{
    size_t taken = atomic_load(&seat->taken);
    do {
        if (most && taken >= most)
            return false;
    } while (!atomic_compare_exchange_weak(&seat->taken, &taken, taken + 1));
    return true;
}

int mw_seat_take_ip(struct mw_seat *seat, const struct mw_ip *ip, size_t most,
                    struct mw_ip_count **out)
{
    mw_lock_take(&seat->lock);
    int err = mw_ip_counts_enter(&seat->by_ip, ip, most, out);
    mw_lock_give(&seat->lock);
    return err;
}

void mw_seat_leave(struct mw_seat *seat, struct mw_ip_count *count)
{
    atomic_fetch_sub(&seat->taken, 1);
    if (!count)
        return;
    mw_lock_take(&seat->lock);
    mw_ip_counts_leave(&seat->by_ip, count);
    mw_lock_give(&seat->lock);
}
