/* crash: each case in a process of its own, which ends by the signal after it has told. */
#include "core/base/crash.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static int number; /* the signal of the case */

static void *die(void *unused)
{
    (void)unused;
    (void)prctl(PR_SET_NAME, "mw-worker-3", 0, 0, 0);
    mw_crash_thread();
    (void)raise(number);
    return NULL;
}

static _Noreturn void be_the_server(int out, bool as_json)
{
    const struct rlimit none = { 0, 0 };
    pthread_t thread;
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)dup2(out, STDERR_FILENO);
    (void)signal(number, SIG_DFL); /* a sanitizer's handler would tell in its own words */
    mw_crash_tell(as_json);
    if (pthread_create(&thread, NULL, die, NULL) == 0)
        (void)pthread_join(thread, NULL);
    _exit(0);
}

static void assert_told(int signal_number, bool as_json, const char *want)
{
    int ends[2], status = 0;
    char said[512] = "";
    number = signal_number;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        be_the_server(ends[1], as_json);
    close(ends[1]);
    size_t len = 0;
    for (ssize_t n = 1; n > 0 && len < sizeof said - 1; len += (size_t)(n > 0 ? n : 0))
        n = read(ends[0], said + len, sizeof said - 1 - len);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), signal_number);
    said[len] = '\0';
    assert_string_equal(said, want);
}

TEST(each_fatal_signal_is_told_with_its_thread_and_ends_the_process)
{
    static const struct {
        int number;
        const char *name;
    } table[] = { { SIGSEGV, "SIGSEGV" },
                  { SIGBUS, "SIGBUS" },
                  { SIGFPE, "SIGFPE" },
                  { SIGILL, "SIGILL" },
                  { SIGABRT, "SIGABRT" } };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        char want[256];
        (void)snprintf(want, sizeof want,
                       "moonwire: %s in thread mw-worker-3: a bug of the server, not of a script; "
                       "it ends here\n",
                       table[i].name);
        assert_told(table[i].number, false, want);
    }
}

TEST(for_programs_it_is_an_object)
{
    assert_told(SIGSEGV, true,
                "{\"level\":\"error\",\"msg\":\"crashed\",\"signal\":\"SIGSEGV\",\"thread\":"
                "\"mw-worker-3\",\"so\":\"a bug of the server, not of a script; it ends here\"}\n");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_fatal_signal_is_told_with_its_thread_and_ends_the_process),
        CASE(for_programs_it_is_an_object),
    };
    return RUN(cases);
}
