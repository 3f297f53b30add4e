#include "core/server/memory_guard.h"

#include "core/base/clock.h"
#include "core/server/config.h"
#include "tests/unit/io/folder.h"

#define GIVE_UP_MS 60000

struct bench {
    struct mw_mem mem;
    struct folder folder;
    int log_fd;
    struct mw_log log;
    struct mw_loop *loop;
    struct mw_admission admission;
    struct mw_memory_guard guard;
    struct mw_alarm pause;
};

static void open_bench(struct bench *bench, uint64_t memory)
{
    struct mw_config config;
    *bench = (struct bench){ .log_fd = -1 };
    mw_mem_init(&bench->mem, NULL, 0);
    make_folder(&bench->folder);
    bench->log_fd = open(below(&bench->folder, "log"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(mw_log_open(&bench->log, bench->log_fd, true, false, MW_LOG_DEBUG), MW_OK);
    assert_int_equal(mw_loop_new(&bench->mem, &bench->loop), MW_OK);
    mw_config_default(&config);
    mw_admission_init(&bench->admission, &config, memory);
    mw_memory_guard_open(&bench->guard, bench->loop, &bench->log, &bench->admission);
}

static void close_bench(struct bench *bench)
{
    mw_memory_guard_close(&bench->guard);
    mw_memory_guard_close(&bench->guard);
    assert_int_equal(mw_admission_free(&bench->admission), 0);
    mw_loop_finish(bench->loop);
    assert_int_equal(mw_loop_free(bench->loop), 0);
    close(bench->log_fd);
    remove_folder(&bench->folder);
    assert_mem_empty(&bench->mem);
}

static void on_pause(struct mw_alarm *alarm)
{
    mw_loop_stop(MW_OWNER(alarm, struct bench, pause)->loop);
}

static void wait_while_short(struct bench *bench)
{
    mw_ms give_up_ms = mw_clock_monotonic_ms() + GIVE_UP_MS;
    mw_alarm_init(&bench->pause, on_pause);
    while (atomic_load(&bench->admission.is_short) && mw_clock_monotonic_ms() < give_up_ms) {
        mw_alarm_set(bench->loop, &bench->pause, mw_loop_now(bench->loop) + 50);
        mw_loop_run(bench->loop);
    }
    assert_false(atomic_load(&bench->admission.is_short));
}

TEST(the_ceiling_is_seen_and_told_once_when_reached_and_once_when_left)
{
    struct bench bench;
    char text[4096];
    open_bench(&bench, 1);
    assert_true(atomic_load(&bench.admission.is_short));
    assert_true(atomic_load(&bench.admission.resident) > 100000);
    bench.admission.memory_bytes = 1ull << 50;
    wait_while_short(&bench);
    mw_log_close(&bench.log);
    ssize_t len = pread(bench.log_fd, text, sizeof text - 1, 0);
    assert_true(len > 0);
    text[len] = '\0';
    const char *first = strstr(text, "\"memory limit reached\"");
    assert_non_null(first);
    assert_null(strstr(first + 1, "\"memory limit reached\""));
    assert_non_null(strstr(first, "\"memory\":1,"));
    assert_non_null(strstr(first, "\"memory is below its limit again\""));
    close_bench(&bench);
}

TEST(without_a_ceiling_nothing_is_looked_at)
{
    struct bench bench;
    open_bench(&bench, 0);
    assert_int_equal(bench.guard.statm, -1);
    assert_int_equal(atomic_load(&bench.admission.resident), 0);
    mw_log_close(&bench.log);
    close_bench(&bench);
}

TEST(one_that_was_never_opened_can_be_closed)
{
    struct mw_memory_guard guard = { .loop = NULL };
    mw_memory_guard_close(&guard);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_ceiling_is_seen_and_told_once_when_reached_and_once_when_left),
        CASE(without_a_ceiling_nothing_is_looked_at),
        CASE(one_that_was_never_opened_can_be_closed),
    };
    return RUN(cases);
}
