/*
 * The event loop of one thread, over libuv: drives the timer wheel, runs the tasks of the turn's
 * end, lends the receive buffer. Everything in core/io stands on it; it never looks at what it
 * carries.
 *
 * libuv calls timers outside of its poll phase, and which side of it depends on the version. So
 * tasks run both before and after polling: whoever put them there, they have run before the loop
 * sleeps.
 *
 * One libuv timer stands for the whole wheel. It is set only right before polling, once a turn, and
 * left alone where it would ring too early: a needless wake-up is cheaper than moving it each time
 * a deadline is put off.
 */
#include "core/io/loop_uv.h"

struct mw_loop {
    uv_loop_t uv;
    uv_timer_t timer; /* the wheel's next moment */
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    struct mw_wheel wheel;
    mw_ms armed_ms; /* when `timer` rings; MW_NEVER when it does not */
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

static void turn_wheel(uv_timer_t *timer)
{
    struct mw_loop *loop = timer->data;
    loop->armed_ms = MW_NEVER;
    mw_wheel_advance(&loop->wheel, uv_now(&loop->uv));
    struct mw_timer *due;
    while ((due = mw_wheel_pop(&loop->wheel))) {
        struct mw_alarm *alarm = MW_OWNER(due, struct mw_alarm, timer);
        alarm->ring(alarm);
    }
}

static void arm_timer(struct mw_loop *loop)
{
    mw_ms now_ms = uv_now(&loop->uv);
    mw_ms next_ms = mw_list_is_empty(&loop->tasks) ? mw_wheel_next(&loop->wheel) : now_ms;
    if (next_ms >= loop->armed_ms)
        return;
    (void)uv_timer_start(&loop->timer, turn_wheel, next_ms > now_ms ? next_ms - now_ms : 0, 0);
    loop->armed_ms = next_ms;
}

static void on_before_poll(uv_prepare_t *hook)
{
    struct mw_loop *loop = hook->data;
    run_tasks(loop);
    arm_timer(loop);
    loop->turn++;
}

static void on_after_poll(uv_check_t *hook)
{
    run_tasks(hook->data);
}

/* None of the three keeps the loop running; run() lends one of them for that. */
static void start_hooks(struct mw_loop *loop)
{
    (void)uv_timer_init(&loop->uv, &loop->timer);
    (void)uv_prepare_init(&loop->uv, &loop->before_poll);
    (void)uv_check_init(&loop->uv, &loop->after_poll);
    loop->timer.data = loop->before_poll.data = loop->after_poll.data = loop;
    (void)uv_prepare_start(&loop->before_poll, on_before_poll);
    (void)uv_check_start(&loop->after_poll, on_after_poll);
    uv_unref((uv_handle_t *)&loop->timer);
    uv_unref((uv_handle_t *)&loop->before_poll);
    uv_unref((uv_handle_t *)&loop->after_poll);
}

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
    int status = loop->read_buffer ? uv_loop_init(&loop->uv) : UV_ENOMEM;
    if (status < 0) {
        free_memory(loop);
        return mw_err_from_uv(status);
    }
    start_hooks(loop);
    mw_wheel_init(&loop->wheel, uv_now(&loop->uv));
    loop->armed_ms = MW_NEVER;
    mw_list_init(&loop->tasks);
    *out = loop;
    return MW_OK;
}

/* What nobody closed is closed here: at least its descriptors do not stay. Its memory does. */
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
    uv_close((uv_handle_t *)&loop->timer, NULL);
    uv_close((uv_handle_t *)&loop->before_poll, NULL);
    uv_close((uv_handle_t *)&loop->after_poll, NULL);
    int leftover = 0;
    uv_walk(&loop->uv, close_leftover, &leftover);
    while (uv_run(&loop->uv, UV_RUN_DEFAULT))
        continue;
    (void)MW_ALWAYS(uv_loop_close(&loop->uv) == 0);
    free_memory(loop);
    return leftover;
}

void mw_loop_run(struct mw_loop *loop)
{
    uv_update_time(&loop->uv);
    uv_ref((uv_handle_t *)&loop->before_poll);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_unref((uv_handle_t *)&loop->before_poll);
    run_tasks(loop);
}

void mw_loop_stop(struct mw_loop *loop)
{
    uv_stop(&loop->uv);
}

void mw_loop_finish(struct mw_loop *loop)
{
    do {
        (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
        run_tasks(loop);
    } while (uv_loop_alive(&loop->uv));
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
    return &loop->uv;
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
