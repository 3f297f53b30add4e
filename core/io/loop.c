/*
 * The event loop of one thread: asks the kernel for ready sockets, drives the timer wheel, runs the
 * tasks of the turn's end, lends the receive buffer. Everything in core/io stands on it; it never
 * looks at what it carries.
 *
 * The turn is our own, and libuv is a guest in it: its descriptor lies among the sockets of
 * ready.c, and it runs when that is ready, when it has a timer or a closing handle, or when
 * somebody has asked for it (it takes up new descriptors only when it runs). So a turn that only
 * sockets cause costs one epoll_wait, and the wheel needs no timer of libuv's: what it waits for is
 * the time for which the kernel is asked.
 *
 * Tasks run both before and after the kernel is asked: whoever put them there, they have run before
 * the loop sleeps.
 */
#include <limits.h>

#include "core/io/loop_uv.h"
#include "core/io/ready.h"

struct mw_loop {
    uv_loop_t uv;
    bool is_uv_asked_for; /* since it ran */
    bool is_stopped;
    struct mw_ready_set ready;
    struct mw_wheel wheel;
    uint64_t turn;
    struct mw_link tasks;
    char *read_buffer;
    struct mw_mem *mem;
};

int mw_err_from_uv(int status)
{
    if (status >= 0)
        return MW_OK;
    return status == UV_ENOMEM ? MW_ERR_NOMEM : MW_ERR_IO;
}

/*
 * Each task once: what is added meanwhile waits for the next round, with the kernel asked in
 * between, so that two tasks that add each other stop nobody else.
 */
static void run_tasks(struct mw_loop *loop)
{
    struct mw_link round, *link;
    mw_list_take(&round, &loop->tasks);
    while ((link = mw_list_pop(&round))) {
        struct mw_turn_task *task = MW_OWNER(link, struct mw_turn_task, link);
        task->run(task);
    }
}

static void ring_alarms(struct mw_loop *loop)
{
    mw_ms now_ms = uv_now(&loop->uv);
    if (now_ms < mw_wheel_next(&loop->wheel))
        return;
    mw_wheel_advance(&loop->wheel, now_ms);
    struct mw_timer *due;
    while ((due = mw_wheel_pop(&loop->wheel))) {
        struct mw_alarm *alarm = MW_OWNER(due, struct mw_alarm, timer);
        alarm->ring(alarm);
    }
}

/* ---- the turn ---- */

/* How long libuv may be left alone; -1: until its descriptor is ready. */
static int uv_wait_ms(const struct mw_loop *loop)
{
    if (loop->is_uv_asked_for)
        return 0;
    return uv_loop_alive(&loop->uv) ? uv_backend_timeout(&loop->uv) : -1;
}

static bool is_alive(const struct mw_loop *loop)
{
    return loop->ready.count > 0 || uv_loop_alive(&loop->uv);
}

/* How long the kernel may be asked; -1: for ever. */
static int wait_ms(struct mw_loop *loop)
{
    if (!mw_list_is_empty(&loop->tasks) || loop->ready.closed)
        return 0;
    int most_ms = uv_wait_ms(loop);
    mw_ms next_ms = mw_wheel_next(&loop->wheel);
    if (next_ms == MW_NEVER || most_ms == 0)
        return most_ms;
    uv_update_time(&loop->uv); /* or what this turn has taken would come on top */
    mw_ms now_ms = uv_now(&loop->uv);
    mw_ms left_ms = next_ms > now_ms ? next_ms - now_ms : 0;
    if (most_ms < 0)
        most_ms = INT_MAX;
    return left_ms < (mw_ms)most_ms ? (int)left_ms : most_ms;
}

static void run_turn(struct mw_loop *loop, bool may_sleep)
{
    run_tasks(loop);
    int count = mw_ready_set_ask(&loop->ready, may_sleep && !loop->is_stopped ? wait_ms(loop) : 0);
    uv_update_time(&loop->uv);
    loop->turn++;
    if (mw_ready_set_tell(&loop->ready, loop, count) || uv_wait_ms(loop) == 0) {
        loop->is_uv_asked_for = false;
        (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
    }
    ring_alarms(loop);
    run_tasks(loop);
    mw_ready_set_tell_closed(&loop->ready, loop);
}

/* ---- life ---- */

static void free_memory(struct mw_loop *loop)
{
    mw_free(loop->mem, loop->read_buffer, MW_LOOP_READ_BYTES);
    mw_free(loop->mem, loop, sizeof(*loop));
}

int mw_loop_new(struct mw_mem *mem, struct mw_loop **out)
{
    struct mw_loop *loop = mw_alloc_zero(mem, sizeof(*loop));
    if (!loop)
        return MW_ERR_NOMEM;
    loop->mem = mem;
    loop->read_buffer = mw_alloc(mem, MW_LOOP_READ_BYTES);
    int err = loop->read_buffer ? mw_err_from_uv(uv_loop_init(&loop->uv)) : MW_ERR_NOMEM;
    if (!err && (err = mw_ready_set_open(&loop->ready, uv_backend_fd(&loop->uv))) != MW_OK)
        (void)uv_loop_close(&loop->uv);
    if (err) {
        free_memory(loop);
        return err;
    }
    loop->is_uv_asked_for = true; /* for its own descriptors */
    mw_wheel_init(&loop->wheel, uv_now(&loop->uv));
    mw_list_init(&loop->tasks);
    *out = loop;
    return MW_OK;
}

/*
 * A handle that nobody closed is closed here: at least its descriptors do not stay. Its memory
 * does.
 */
static void close_leftover(uv_handle_t *handle, void *count)
{
    if (uv_is_closing(handle))
        return;
    uv_close(handle, NULL);
    ++*(int *)count;
}

int mw_loop_free(struct mw_loop *loop)
{
    if (!loop)
        return 0;
    while (loop->ready.closed)
        mw_ready_set_tell_closed(&loop->ready, loop);
    int leftover = (int)loop->ready.count;
    uv_walk(&loop->uv, close_leftover, &leftover);
    while (uv_run(&loop->uv, UV_RUN_DEFAULT))
        continue;
    mw_ready_set_close(&loop->ready);
    (void)MW_ALWAYS(uv_loop_close(&loop->uv) == 0);
    free_memory(loop);
    return leftover;
}

void mw_loop_run(struct mw_loop *loop)
{
    uv_update_time(&loop->uv);
    do
        run_turn(loop, true);
    while (!loop->is_stopped);
    loop->is_stopped = false;
}

void mw_loop_stop(struct mw_loop *loop)
{
    loop->is_stopped = true;
}

void mw_loop_finish(struct mw_loop *loop)
{
    do {
        loop->is_stopped = false;
        run_turn(loop, is_alive(loop));
    } while (is_alive(loop));
}

struct mw_mem *mw_loop_mem(const struct mw_loop *loop)
{
    return loop->mem;
}

mw_ms mw_loop_now(const struct mw_loop *loop)
{
    return uv_now(&loop->uv);
}

uint64_t mw_loop_turn(const struct mw_loop *loop)
{
    return loop->turn;
}

uv_loop_t *mw_loop_uv(struct mw_loop *loop)
{
    loop->is_uv_asked_for = true;
    return &loop->uv;
}

struct mw_ready_set *mw_loop_ready(struct mw_loop *loop)
{
    return &loop->ready;
}

char *mw_loop_read_buffer(struct mw_loop *loop)
{
    return loop->read_buffer;
}

void mw_alarm_init(struct mw_alarm *alarm, void (*ring)(struct mw_alarm *alarm))
{
    mw_timer_init(&alarm->timer);
    alarm->ring = ring;
}

void mw_alarm_set(struct mw_loop *loop, struct mw_alarm *alarm, mw_ms at_ms)
{
    if (at_ms == MW_NEVER)
        mw_wheel_stop(&loop->wheel, &alarm->timer);
    else
        mw_wheel_start(&loop->wheel, &alarm->timer, at_ms);
}

void mw_alarm_stop(struct mw_loop *loop, struct mw_alarm *alarm)
{
    mw_wheel_stop(&loop->wheel, &alarm->timer);
}

void mw_turn_task_init(struct mw_turn_task *task, void (*run)(struct mw_turn_task *task))
{
    mw_list_init(&task->link);
    task->run = run;
}

void mw_turn_task_add(struct mw_loop *loop, struct mw_turn_task *task)
{
    if (!mw_list_is_linked(&task->link))
        mw_list_push(&loop->tasks, &task->link);
}

void mw_turn_task_remove(struct mw_turn_task *task)
{
    mw_list_remove(&task->link);
}
