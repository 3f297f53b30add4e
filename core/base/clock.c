/* The two clocks of the system. Only the outermost layers ask; all others are told the time. */
#include "core/base/clock.h"

#include <time.h>

#include "core/base/check.h"

static struct timespec read_clock(clockid_t clock)
{
    struct timespec now = { 0 };
    (void)MW_ALWAYS(clock_gettime(clock, &now) == 0);
    return now;
}

static mw_ms read_clock_ms(clockid_t clock)
{
    struct timespec now = read_clock(clock);
    return (mw_ms)now.tv_sec * 1000 + (mw_ms)now.tv_nsec / 1000000;
}

mw_ms mw_clock_monotonic_ms(void)
{
    return read_clock_ms(CLOCK_MONOTONIC);
}

mw_ms mw_clock_unix_ms(void)
{
    return read_clock_ms(CLOCK_REALTIME);
}

uint64_t mw_clock_monotonic_us(void)
{
    struct timespec now = read_clock(CLOCK_MONOTONIC);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t mw_clock_monotonic_ns(void)
{
    struct timespec now = read_clock(CLOCK_MONOTONIC);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
