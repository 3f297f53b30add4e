#include "core/server/affinity.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static struct mw_mem mem;

/* "yes", or what the fault says. */
static void expect_fit(const char *route, const char *name, const char *want)
{
    struct mw_pattern pattern;
    struct mw_affinity_fault fault;
    const char *why;
    char got[sizeof fault];
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_pattern_parse(&pattern, &mem, mw_view_text(route), &why), MW_OK);
    if (mw_affinity_fits(&pattern, mw_view_text(name), &fault))
        snprintf(got, sizeof got, "yes");
    else
        snprintf(got, sizeof got, "%.380s | %.250s", fault.message, fault.hint);
    assert_string_equal(got, want);
    mw_pattern_free(&pattern, &mem);
    assert_mem_empty(&mem);
}

TEST(an_affinity_is_a_parameter_of_its_route)
{
    static const struct {
        const char *route, *name, *want;
    } table[] = {
        { "/chat/:room", "room", "yes" },
        { "/chat/:room", "", "yes" },
        { "/:game/:room", "game", "yes" },
        { "/files/*rest", "rest", "yes" },
        { "/chat/:room", "team",
          "affinity is \"team\", but the route /chat/:room has no such parameter | the route has "
          "\"room\"" },
        { "/:game/:room", "chat",
          "affinity is \"chat\", but the route /:game/:room has no such parameter | the route has "
          "\"game\" or \"room\"" },
        { "/chat", "chat",
          "affinity is \"chat\", but the route /chat has no such parameter | give the script a "
          "route with it, such as M.route = \"/game/:chat\"" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++)
        expect_fit(table[i].route, table[i].name, table[i].want);
}

TEST(names_as_long_as_they_like_are_cut)
{
    char name[300], route[320];
    struct mw_pattern pattern;
    struct mw_affinity_fault fault;
    const char *why;
    memset(name, 'n', sizeof name);
    snprintf(route, sizeof route, "/:a%.*s/:b%.*s", 120, name, 120, name);
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_pattern_parse(&pattern, &mem, mw_view_text(route), &why), MW_OK);
    assert_false(mw_affinity_fits(&pattern, mw_view(name, sizeof name), &fault));
    assert_true(strlen(fault.message) < sizeof fault.message);
    assert_true(strlen(fault.hint) < sizeof fault.hint);
    mw_pattern_free(&pattern, &mem);
}

static unsigned worker_of(const char *script, const char *value, unsigned workers)
{
    return mw_affinity_worker(mw_view_text(script), mw_view_text(value), workers);
}

TEST(a_value_has_one_worker_and_values_are_spread_over_all)
{
    for (unsigned workers = 1; workers <= 64; workers *= 4) {
        unsigned counts[64] = { 0 }, rooms = 100 * workers;
        for (unsigned i = 0; i < rooms; i++) {
            char room[16];
            snprintf(room, sizeof room, "room%u", i);
            unsigned worker = worker_of("game.lua", room, workers);
            assert_in_range(worker, 0, workers - 1);
            assert_int_equal(worker, worker_of("game.lua", room, workers));
            counts[worker]++;
        }
        for (unsigned i = 0; i < workers; i++)
            assert_in_range(counts[i], 50, 150); /* 100 and five deviations */
    }
}

TEST(another_script_has_rooms_of_its_own)
{
    unsigned differ = 0;
    for (char room[] = "a"; room[0] <= 'z'; room[0]++)
        differ += worker_of("a.lua", room, 4) != worker_of("b.lua", room, 4);
    assert_true(differ > 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_affinity_is_a_parameter_of_its_route),
        CASE(names_as_long_as_they_like_are_cut),
        CASE(a_value_has_one_worker_and_values_are_spread_over_all),
        CASE(another_script_has_rooms_of_its_own),
    };
    return RUN(cases);
}
