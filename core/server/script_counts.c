/*
 * Finds and keeps the counts of scripts. Called by route when one begins and ends; who counts does
 * so in the cells, and metrics reads them.
 */
#include "core/server/script_counts.h"

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/server/worker.h"

static struct mw_script_counts *of_link(struct mw_link *link)
{
    return MW_OWNER(link, struct mw_script_counts, link);
}

static struct mw_script_counts *find(struct mw_link *all, struct mw_view name)
{
    for (struct mw_link *link = all->next; link != all; link = link->next) {
        struct mw_script_counts *counts = of_link(link);
        if (mw_view_equal(mw_view(counts->name, counts->name_len), name))
            return counts;
    }
    return 0;
}

static struct mw_script_counts *add(struct mw_worker *worker, struct mw_view name)
{
    size_t size = sizeof(struct mw_script_counts) + name.len;
    struct mw_script_counts *counts = mw_alloc_zero(&worker->mem, size);
    if (!counts)
        return 0;
    counts->size = size;
    counts->name_len = name.len;
    memcpy(counts->name, name.data, name.len);
    mw_list_init(&counts->link);
    mw_list_push(&worker->metrics.scripts, &counts->link);
    return counts;
}

static void drop(struct mw_worker *worker, struct mw_script_counts *counts)
{
    mw_list_remove(&counts->link);
    mw_pattern_free(&counts->pattern, &worker->mem);
    mw_free(&worker->mem, counts, counts->size);
}

int mw_script_counts_join(struct mw_route *route)
{
    struct mw_script_counts *counts = find(&route->worker->metrics.scripts, route->name);
    if (!counts)
        counts = add(route->worker, route->name);
    if (!counts)
        return MW_ERR_NOMEM;
    counts->route = route;
    counts->routes++;
    route->metrics.cells = &counts->cells;
    return MW_OK;
}

void mw_script_counts_keep_calls(struct mw_route *route)
{
    struct mw_route_metrics *metrics = &route->metrics;
    struct mw_app_stats app = { 0 };
    if (!metrics->cells || !route->app)
        return;
    route->worker->engine->stats(route->app, &app);
    metrics->cells->calls += app.calls - metrics->kept_calls;
    metrics->cells->slow_calls += app.slow_calls - metrics->kept_slow_calls;
    metrics->kept_calls = app.calls;
    metrics->kept_slow_calls = app.slow_calls;
}

/* The one that has been gone longest, if there are more than are kept; or NULL. */
static struct mw_script_counts *find_surplus(struct mw_link *all)
{
    struct mw_script_counts *oldest = 0;
    size_t gone = 0;
    for (struct mw_link *link = all->prev; link != all; link = link->prev) {
        if (of_link(link)->routes > 0)
            continue;
        oldest = of_link(link);
        gone++;
    }
    return gone > MW_SCRIPT_COUNTS_GONE ? oldest : 0;
}

/* The latest one's, or any that there is. */
static void take_pattern(struct mw_script_counts *counts, struct mw_route *route)
{
    bool is_wanted = counts->route == route || !counts->pattern.text;
    if (!is_wanted || !route->pattern.text)
        return;
    mw_pattern_free(&counts->pattern, &route->worker->mem);
    mw_pattern_move(&counts->pattern, &route->pattern);
}

static void forget_surplus(struct mw_worker *worker)
{
    struct mw_script_counts *surplus = find_surplus(&worker->metrics.scripts);
    if (!surplus)
        return;
    mw_metrics_keep(&worker->metrics, &surplus->cells);
    drop(worker, surplus);
}

void mw_script_counts_leave(struct mw_route *route)
{
    struct mw_link *all = &route->worker->metrics.scripts;
    if (!route->metrics.cells)
        return;
    struct mw_script_counts *counts =
        MW_OWNER(route->metrics.cells, struct mw_script_counts, cells);
    take_pattern(counts, route);
    route->metrics.cells = 0;
    counts->routes--;
    if (counts->route == route)
        counts->route = 0;
    mw_list_remove(&counts->link);
    mw_list_push(all, &counts->link);
    forget_surplus(route->worker);
}

void mw_script_counts_free(struct mw_worker *worker)
{
    struct mw_link *all = &worker->metrics.scripts;
    while (!mw_list_is_empty(all)) {
        mw_assert(of_link(all->next)->routes == 0);
        drop(worker, of_link(all->next));
    }
}
