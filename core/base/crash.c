/*
 * The handler of fatal signals. It calls what a handler may call and nothing else: no allocation,
 * no lock, no stdio. The log is not used, since the thread may have died inside it.
 */
#define _GNU_SOURCE /* sigaltstack */
#include "core/base/crash.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/base/check.h"

#define STACK_BYTES 16384
#define NAME_BYTES  16 /* of a thread, as the kernel keeps it */

static const struct {
    int number;
    const char *name;
} fatal[] = {
    { SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" },   { SIGFPE, "SIGFPE" },
    { SIGILL, "SIGILL" },   { SIGABRT, "SIGABRT" },
};

static bool json;

static const char *name_of(int number)
{
    for (size_t i = 0; i < MW_COUNT(fatal); i++) {
        if (fatal[i].number == number)
            return fatal[i].name;
    }
    return "a signal";
}

/* One write: lines of other threads do not come into it. Names of threads are our own. */
static void tell(const char *signal_name, const char *thread)
{
    const char *const for_people[] = { "moonwire: ", signal_name, " in thread ", thread,
                                       ": a bug of the server, not of a script; it ends here\n" };
    const char *const for_programs[] = {
        "{\"level\":\"error\",\"msg\":\"crashed\",\"signal\":\"", signal_name, "\",\"thread\":\"",
        thread, "\",\"so\":\"a bug of the server, not of a script; it ends here\"}\n"
    };
    const char *const *parts = json ? for_programs : for_people;
    char line[256];
    size_t len = 0;
    for (size_t i = 0; i < MW_COUNT(for_people); i++) {
        for (const char *c = parts[i]; *c && len < sizeof line; c++)
            line[len++] = *c;
    }
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written;
}

/* The handler is gone by now: the signal does what it does by default, to this thread again. */
static void on_fatal(int number)
{
    char thread[NAME_BYTES + 1] = "";
    (void)prctl(PR_GET_NAME, thread, 0, 0, 0);
    tell(name_of(number), thread);
    (void)raise(number);
}

void mw_crash_tell(bool as_json)
{
    json = as_json;
    for (size_t i = 0; i < MW_COUNT(fatal); i++) {
        struct sigaction action = { .sa_handler = on_fatal }, before;
        action.sa_flags = (int)(SA_ONSTACK | SA_NODEFER | SA_RESETHAND);
        sigemptyset(&action.sa_mask);
        if (sigaction(fatal[i].number, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            (void)sigaction(fatal[i].number, &action, NULL);
    }
}

void mw_crash_thread(void)
{
    static _Thread_local char stack[STACK_BYTES];
    stack_t own = { .ss_sp = stack, .ss_size = sizeof stack }, before;
    if (sigaltstack(NULL, &before) == 0 && (before.ss_flags & SS_DISABLE))
        (void)sigaltstack(&own, NULL);
}
