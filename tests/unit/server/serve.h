/* A worker that serves scripts of the engine that is not Lua, for one test or one case after the
 * other. */
#ifndef MW_TESTS_SERVER_SERVE_H
#define MW_TESTS_SERVER_SERVE_H

#include "tests/unit/server/c_engine.h"
#include "tests/unit/server/world.h"

static struct world world;

static inline int set_up(void **state)
{
    (void)state;
    make_project(&world);
    c_engine = (struct c_engine){ .mem = &world.mem };
    return 0;
}

/* Every connection that was told of is told the end of, and no call ever met another. */
static inline int tear_down(void **state)
{
    (void)state;
    c_engine.hold = false;
    close_worker(&world);
    assert_int_equal(c_engine.opens, c_engine.closes);
    assert_int_equal(c_engine.nested, 0);
    assert_int_equal(c_engine.overlaps, 0);
    assert_int_equal(c_engine.starts, c_engine.stops);
    remove_project(&world);
    return 0;
}

/* One script, /s, loaded and served. */
static inline void serve_seeded(const char *script, uint64_t seed)
{
    write_script(&world, "s.capp", script);
    open_worker(&world, c_engine_table(), seed);
    assert_int_equal(load(&world), 0);
}

static inline void serve(const char *script)
{
    serve_seeded(script, 1);
}

/* For tests of many cases: a worker for each. */
static inline void next_case(void)
{
    (void)tear_down(NULL);
    (void)set_up(NULL);
}

/* The log so far. */
static inline const char *logged(void)
{
    static char text[16384];
    mw_log_close(&world.log);
    ssize_t n = pread(world.log_fd, text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_int_equal(mw_log_open(&world.log, world.log_fd, true, false, MW_LOG_DEBUG), MW_OK);
    return text;
}

#define IN_A_WORLD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
