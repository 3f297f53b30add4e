/*
 * One event loop per thread: the time of the turn, the timer wheel, the receive buffer that all
 * streams of the thread share, and work to do once at the end of the turn. Sockets are told by an
 * epoll descriptor of its own, all else by libuv, of which nothing shows.
 *
 * A turn: what the kernel reports (reads, writes, mail), due timers, then the turn's end: tasks put
 * there run once, in order; tasks that they add run in the next one. Nothing here is thread-safe
 * but mw_mailbox_post.
 */
#ifndef MW_IO_LOOP_H
#define MW_IO_LOOP_H

#include "core/base/mem.h"
#include "core/base/wheel.h"

/*
 * One read takes at most this much: large enough that a 64 KiB frame comes whole, small enough for
 * the cache.
 */
#define MW_LOOP_READ_BYTES 262144

struct mw_loop;

/* Gives a loop; MW_ERR_NOMEM, MW_ERR_IO. */
int mw_loop_new(struct mw_mem *mem, struct mw_loop **out);
/*
 * After run has returned and every object on it was closed. Number of handles and sockets that were
 * still there: 0 when all is well.
 */
int mw_loop_free(struct mw_loop *loop);

/* Runs until stop, even where there is nothing to wait for. */
void mw_loop_run(struct mw_loop *loop);
/* run returns at the end of this turn. */
void mw_loop_stop(struct mw_loop *loop);
/*
 * Runs turns until no handle and no socket is left: after stop, to finish what is closing. Alarms
 * ring meanwhile, but are not waited for.
 */
void mw_loop_finish(struct mw_loop *loop);

struct mw_mem *mw_loop_mem(const struct mw_loop *loop);
/* Monotonic, of the current turn. */
mw_ms mw_loop_now(const struct mw_loop *loop);
/* How often the kernel was asked: another number, another turn. */
uint64_t mw_loop_turn(const struct mw_loop *loop);

/* ---- a task at a moment: lives inside its owner ---- */
struct mw_alarm {
    struct mw_timer timer;
    void (*ring)(struct mw_alarm *alarm);
};
void mw_alarm_init(struct mw_alarm *alarm, void (*ring)(struct mw_alarm *alarm));
void mw_alarm_set(struct mw_loop *loop, struct mw_alarm *alarm, mw_ms at_ms); /* MW_NEVER stops */
void mw_alarm_stop(struct mw_loop *loop, struct mw_alarm *alarm);

/* ---- a task at the end of the turn: lives inside its owner ---- */
struct mw_turn_task {
    struct mw_link link;
    void (*run)(struct mw_turn_task *task);
};
void mw_turn_task_init(struct mw_turn_task *task, void (*run)(struct mw_turn_task *task));
/* Once, however often it is asked for within a turn. */
void mw_turn_task_add(struct mw_loop *loop, struct mw_turn_task *task);
void mw_turn_task_remove(struct mw_turn_task *task);

#endif
