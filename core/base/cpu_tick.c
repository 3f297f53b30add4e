/*
 * One POSIX timer per thread on its CPU clock, whose signal goes to that thread alone. Knows
 * nothing of scripts; lua/budget.c listens, core/server asks for the count.
 */
#define _GNU_SOURCE /* SIGEV_THREAD_ID */
#include "core/base/cpu_tick.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id /* older glibc names it only inside */
#define sigev_notify_thread_id _sigev_un._tid
#endif

/*
 * ThreadSanitizer keeps asynchronous signals back until the thread calls something that it knows; a
 * loop in a script never does. This one it hands on at once.
 */
#ifdef __SANITIZE_THREAD__
#define IS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IS_TSAN 1
#endif
#endif
#ifdef IS_TSAN
#define TICK_SIGNAL SIGTRAP
#else
#define TICK_SIGNAL SIGVTALRM
#endif

static _Thread_local bool is_started;
static _Thread_local timer_t timer;
static _Thread_local volatile unsigned ticks;
static _Thread_local void (*volatile listener)(void);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_exit;
static int once_error;

static void on_signal(int number)
{
    int before = errno;
    (void)number;
    ticks++;
    if (listener)
        listener();
    errno = before;
}

static void stop(void *started)
{
    (void)started;
    listener = NULL;
    (void)timer_delete(timer);
    is_started = false;
}

static void prepare_process(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    once_error = pthread_key_create(&at_exit, stop);
    if (!once_error && sigaction(TICK_SIGNAL, &action, NULL) < 0)
        once_error = errno;
}

static int make_timer(void)
{
    struct sigevent event;
    memset(&event, 0, sizeof(event));
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = TICK_SIGNAL;
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    return timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer);
}

/* Threads of ours are made with every signal blocked. */
static void let_signal_in(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, TICK_SIGNAL);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int mw_cpu_tick_start(void)
{
    const struct timespec step = { .tv_nsec = MW_CPU_TICK_MS * 1000000L };
    const struct itimerspec every = { .it_interval = step, .it_value = step };
    if (is_started)
        return MW_OK;
    (void)pthread_once(&once, prepare_process);
    if (once_error) {
        errno = once_error;
        return MW_ERR_IO;
    }
    if (make_timer() < 0)
        return MW_ERR_IO;
    is_started = true;
    (void)pthread_setspecific(at_exit, &is_started);
    let_signal_in();
    (void)timer_settime(timer, 0, &every, NULL);
    return MW_OK;
}

unsigned mw_cpu_tick_count(void)
{
    return ticks;
}

void mw_cpu_tick_listen(void (*who)(void))
{
    listener = who;
}

uint64_t mw_cpu_time_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}
