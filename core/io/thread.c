/*
 * Threads: a name for debuggers, our own stack size, no signals. Knows nothing of what runs in
 * them.
 */
#define _GNU_SOURCE /* pthread_setname_np */
#include "core/io/thread.h"

#include <signal.h>
#include <stdio.h>
#include <uv.h>

#include "core/base/check.h"
#include "core/base/crash.h"

/*
 * The C stack of nested script calls, several times over with a sanitizer. What is not touched
 * costs nothing.
 */
#define STACK_BYTES (2U << 20)
#define NAME_BYTES  16 /* what the kernel keeps */

struct mw_thread {
    uv_thread_t id;
    char name[NAME_BYTES];
    void (*main)(void *ctx);
    void *ctx;
};

static void run_thread(void *arg)
{
    struct mw_thread *thread = arg;
    (void)pthread_setname_np(pthread_self(), thread->name);
    mw_crash_thread();
    thread->main(thread->ctx);
}

/* What a thread does to itself: blocked, it would end the process without a word. */
static const int own_fault[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

/*
 * A thread inherits the mask of its maker, so signals are blocked before it is made and not a
 * moment after.
 */
static int start_blocked(struct mw_thread *thread)
{
    const uv_thread_options_t options = { .flags = UV_THREAD_HAS_STACK_SIZE,
                                          .stack_size = STACK_BYTES };
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < MW_COUNT(own_fault); i++)
        sigdelset(&all, own_fault[i]);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = uv_thread_create_ex(&thread->id, &options, run_thread, thread);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

struct mw_thread *mw_thread_start(const char *name, void (*main)(void *ctx), void *ctx)
{
    struct mw_thread *thread = mw_shared_alloc(sizeof(*thread));
    if (!thread)
        return NULL;
    *thread = (struct mw_thread){ .main = main, .ctx = ctx };
    (void)snprintf(thread->name, sizeof(thread->name), "%s", name);
    if (start_blocked(thread) < 0) {
        mw_shared_free(thread, sizeof(*thread));
        return NULL;
    }
    return thread;
}

void mw_thread_join(struct mw_thread *thread)
{
    if (!thread)
        return;
    (void)uv_thread_join(&thread->id);
    mw_shared_free(thread, sizeof(*thread));
}
