/*
 * Loading on a worker. A batch names what changed; prepare makes new versions beside the live ones,
 * commit swaps them between two turns. Called by worker for each batch that reload posts, and by
 * crew for the first one.
 */
#include "core/server/load.h"

#include <stdio.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/str.h"
#include "core/server/affinity.h"
#include "core/server/client.h"
#include "core/server/rebuild.h"
#include "core/server/worker.h"

static double elapsed_ms(const struct timespec *since)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - since->tv_sec) * 1e3 +
           (double)(now.tv_nsec - since->tv_nsec) / 1e6;
}

/* ---- prepare ---- */

/* Without room for the fault the refusal stands all the same; the log then says "out of memory". */
static void refuse(const struct mw_worker *worker, struct mw_batch *batch, struct mw_load *load,
                   enum mw_load_outcome outcome, const struct mw_fault *fault)
{
    load->outcome = outcome;
    load->refused_by = worker->number;
    load->fault = mw_alloc(&batch->mem, sizeof *fault);
    if (load->fault)
        *load->fault = *fault;
}

static bool uses_changed_lib(const struct mw_batch *batch, const struct mw_route *route)
{
    const struct mw_project *sets[] = { batch->project, batch->before };
    for (size_t s = 0; s < MW_COUNT(sets); s++) {
        for (size_t i = 0; sets[s] && i < sets[s]->lib_count; i++) {
            struct mw_view path = sets[s]->libs[i].path;
            if (mw_batch_lib_changed(batch, path) && route->worker->engine->uses(route->app, path))
                return true;
        }
    }
    return false;
}

void mw_load_survey(struct mw_worker *worker, struct mw_batch *batch)
{
    for (size_t i = 0; batch->libs_changed && i < batch->count; i++) {
        struct mw_load *load = &batch->loads[i];
        const struct mw_route *route = mw_route_by_name(worker, load->name);
        load->by_lib = load->by_lib || (route && uses_changed_lib(batch, route));
    }
}

/* What the first worker finds is for all: so each version has one number everywhere. */
static bool is_due(const struct mw_worker *worker, const struct mw_load *load,
                   const struct mw_route *route)
{
    if (!mw_worker_is_first(worker))
        return load->outcome == MW_LOAD_READY;
    bool may_be = load->outcome == MW_LOAD_UNTOUCHED;
    return may_be && (load->changed || load->by_lib || !route || route->failed);
}

/* Another script of this worker with an equal pattern, live or prepared; NULL: none. */
static const struct mw_route *find_conflict(const struct mw_route *route)
{
    const struct mw_link *routes = &route->worker->routes;
    for (const struct mw_link *link = routes->next; link != routes; link = link->next) {
        const struct mw_route *other = MW_OWNER(link, struct mw_route, link);
        const struct mw_pattern *pattern =
            other->next_pattern.text ? &other->next_pattern : &other->pattern;
        bool claims = other->next_pattern.text || other->spec; /* more than a place that is held */
        if (other != route && !other->removed && claims &&
            mw_pattern_compare(pattern, &route->next_pattern) == 0)
            return other;
    }
    return 0;
}

static int prepare_pattern(struct mw_route *route, struct mw_fault *fault)
{
    struct mw_worker *worker = route->worker;
    struct mw_view wanted = route->next_spec->pattern;
    const char *why = "";
    int err = wanted.len ? mw_pattern_parse(&route->next_pattern, &worker->mem, wanted, &why)
                         : mw_pattern_of_file(&route->next_pattern, &worker->mem, route->name,
                                              mw_view_text(worker->engine->suffix), &why);
    if (err == MW_ERR_NOMEM)
        why = "out of memory";
    if (err) {
        snprintf(fault->message, sizeof fault->message, "the route \"%.*s\" cannot be used: %s",
                 (int)(wanted.len < 200 ? wanted.len : 200), wanted.len ? wanted.data : "", why);
        snprintf(fault->hint, sizeof fault->hint,
                 "M.route is a path such as \"/chat/:room\" or \"/files/*rest\"");
    }
    return err;
}

static int prepare_affinity(struct mw_route *route, struct mw_fault *fault)
{
    struct mw_affinity_fault why;
    if (mw_affinity_fits(&route->next_pattern, route->next_spec->affinity, &why))
        return MW_OK;
    snprintf(fault->message, sizeof fault->message, "%s", why.message);
    snprintf(fault->hint, sizeof fault->hint, "%s", why.hint);
    return MW_ERR_BAD_ARG;
}

static void note_names(struct mw_fault *fault, const struct mw_load *load)
{
    snprintf(fault->file, sizeof fault->file, "%.*s", (int)load->name.len, load->name.data);
    snprintf(fault->handler, sizeof fault->handler, "load");
    fault->version = load->to;
}

static void refuse_route(struct mw_batch *batch, struct mw_load *load, struct mw_route *route,
                         enum mw_load_outcome outcome, const struct mw_fault *fault)
{
    if (!load->as) /* else it is not what lies on disk that failed */
        route->failed = true;
    mw_route_hold_place(route);
    refuse(route->worker, batch, load, outcome, fault);
}

/* The new version itself: MW_LOAD_READY, or MW_LOAD_FAULT with *fault. */
static enum mw_load_outcome prepare_version(const struct mw_batch *batch,
                                            const struct mw_load *load, struct mw_route *route,
                                            struct mw_fault *fault)
{
    const struct mw_project_file *file = mw_project_script(batch->project, load->name);
    const struct mw_sources sources = { { file->path, file->text },
                                        batch->libs,
                                        batch->project->lib_count };
    const struct mw_engine *engine = route->worker->engine;
    note_names(fault, load);
    if (file->problem) {
        snprintf(fault->message, sizeof fault->message, "%s", file->problem);
        return MW_LOAD_FAULT;
    }
    if (mw_rebuild_is_due(route) && mw_rebuild_begin(route)) {
        snprintf(fault->message, sizeof fault->message,
                 "out of memory: its app is to be rebuilt, and there is no room for another one");
        return MW_LOAD_FAULT;
    }
    struct mw_app *app = route->next_app ? route->next_app : route->app;
    int err = engine->prepare(app, &sources, load->to, &route->next_spec, fault);
    if (err && route->next_app)
        mw_rebuild_discard(route);
    return err ? MW_LOAD_FAULT : MW_LOAD_READY;
}

/* A script may say what it likes, but not another thing in each worker. */
static int compare_pattern(const struct mw_load *load, const struct mw_route *route,
                           struct mw_fault *fault)
{
    if (mw_worker_is_first(route->worker) || !strcmp(load->pattern, route->next_pattern.text))
        return MW_OK;
    snprintf(fault->message, sizeof fault->message,
             "M.route is \"%.100s\" here, and \"%.100s\" in another worker",
             route->next_pattern.text, load->pattern);
    snprintf(fault->hint, sizeof fault->hint,
             "every worker loads the script for itself: M.route "
             "has to come out the same each time");
    return MW_ERR_BAD_ARG;
}

static void prepare_route(struct mw_batch *batch, struct mw_load *load, struct mw_route *route)
{
    struct mw_fault fault = { 0 };
    load->from = route->version;
    load->to = route->version + 1;
    load->outcome = prepare_version(batch, load, route, &fault);
    if (load->outcome == MW_LOAD_READY &&
        (prepare_pattern(route, &fault) || compare_pattern(load, route, &fault) ||
         prepare_affinity(route, &fault))) {
        load->outcome = MW_LOAD_FAULT;
        mw_route_discard(route);
    }
    if (load->outcome != MW_LOAD_READY)
        refuse_route(batch, load, route, load->outcome, &fault);
    else
        snprintf(load->pattern, sizeof load->pattern, "%s", route->next_pattern.text);
}

static void prepare_one(struct mw_worker *worker, struct mw_batch *batch, struct mw_load *load)
{
    struct mw_route *route = mw_route_by_name(worker, load->name);
    if (!is_due(worker, load, route))
        return;
    if (!route)
        route = mw_route_new(worker, load->name);
    if (!route) {
        struct mw_fault fault = { .message = "out of memory" };
        note_names(&fault, load);
        refuse(worker, batch, load, MW_LOAD_FAULT, &fault);
        return;
    }
    prepare_route(batch, load, route);
}

/* ---- places: judged when all are prepared, so that two scripts can trade theirs ---- */

static void refuse_place(struct mw_batch *batch, struct mw_load *load, struct mw_route *route,
                         const struct mw_route *other)
{
    struct mw_fault fault = { 0 };
    note_names(&fault, load);
    snprintf(fault.message, sizeof fault.message, "%.*s and %.*s both want the route %s",
             (int)load->name.len, load->name.data, (int)other->name.len, other->name.data,
             route->next_pattern.text);
    snprintf(fault.hint, sizeof fault.hint, "give one of them another M.route");
    mw_route_discard(route);
    refuse_route(batch, load, route, MW_LOAD_CONFLICT, &fault);
}

/* Refuses the last one in order of names that wants what another one has; false: there is none. */
static bool refuse_one_place(struct mw_worker *worker, struct mw_batch *batch)
{
    for (size_t i = batch->count; i-- > 0;) {
        struct mw_load *load = &batch->loads[i];
        if (load->outcome != MW_LOAD_READY)
            continue;
        struct mw_route *route = mw_route_by_name(worker, load->name);
        const struct mw_route *other = find_conflict(route);
        if (!other)
            continue;
        refuse_place(batch, load, route, other);
        return true;
    }
    return false;
}

void mw_load_prepare(struct mw_worker *worker, struct mw_batch *batch)
{
    /* Who is going makes room: a script may be renamed and keep its route. */
    for (size_t i = 0; i < batch->count; i++) {
        struct mw_route *route = batch->loads[i].outcome == MW_LOAD_REMOVED
                                     ? mw_route_by_name(worker, batch->loads[i].name)
                                     : 0;
        if (route) {
            batch->loads[i].from = route->version;
            batch->loads[i].dropped += route->asked_count;
            mw_route_remove(route);
        }
    }
    if (mw_worker_is_first(worker))
        mw_load_survey(worker, batch);
    for (size_t i = 0; i < batch->count; i++) {
        struct timespec start;
        clock_gettime(CLOCK_MONOTONIC, &start);
        prepare_one(worker, batch, &batch->loads[i]);
        batch->loads[i].prepare_ms += elapsed_ms(&start);
    }
    /* Who is refused keeps the place that it has, which may be what another one wants. */
    while (refuse_one_place(worker, batch)) {
    }
}

/* ---- commit ---- */

/* Chained in the order of paths; names of libraries count, because require goes by them. */
static uint64_t hash_sources(const struct mw_batch *batch, const struct mw_route *route)
{
    const struct mw_project *project = batch->project;
    const struct mw_project_file *script = mw_project_script(project, route->name);
    uint64_t hash = script->hash;
    for (size_t i = 0; i < project->lib_count; i++) {
        const struct mw_project_file *lib = &project->libs[i];
        if (!route->worker->engine->uses(route->app, lib->path))
            continue;
        hash = mw_hash64(lib->path, hash ^ lib->hash);
    }
    return hash;
}

/* The first version has nothing to be compared with; one gone back to was judged in its time. */
static void begin_trial(struct mw_route *route, const struct mw_load *load)
{
    bool judged = load->from > 0 && !load->as;
    mw_trial_begin(&route->trial, load->to, judged, mw_loop_now(route->worker->loop));
}

/* Of the process: counted by one. */
static void count_load(const struct mw_route *route, enum mw_metrics_load result)
{
    route->metrics.cells->loads[result] += mw_worker_is_first(route->worker);
}

static void note_metrics(struct mw_route *route, uint64_t hash)
{
    count_load(route, MW_METRICS_LOADED);
    route->metrics.hash = hash;
    route->metrics.loaded_unix_ms = mw_clock_unix_ms();
}

static void add_carried(struct mw_load *load, const struct mw_route *route)
{
    load->rebuilt = load->rebuilt || route->next_app;
    load->carried.conns += route->carried.conns;
    load->carried.keys += route->carried.keys;
    load->carried.all_keys += route->carried.all_keys;
    load->carried.left_out += route->carried.left_out;
}

static void commit_one(const struct mw_batch *batch, struct mw_route *route, struct mw_load *load)
{
    size_t before = route->asked_count;
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    add_carried(load, route);
    begin_trial(route, load);
    mw_route_commit(route);
    load->commit_ms += elapsed_ms(&start);
    load->hash = hash_sources(batch, route);
    note_metrics(route, load->hash);
    load->kept += route->asked_count;
    load->dropped += before - route->asked_count;
}

/* What lies on disk is still to be loaded; where one went back it is not what has failed. */
static void let_be(struct mw_route *route, bool is_on_disk)
{
    if (route->next_spec)
        mw_route_discard(route);
    route->failed = route->failed || is_on_disk;
    count_load(route, MW_METRICS_REFUSED);
}

/* Refused here or by another worker: it stands the same in all of them. */
static void commit_refusal(struct mw_worker *worker, const struct mw_load *load)
{
    struct mw_route *route = mw_route_by_name(worker, load->name);
    if (!route)
        route = mw_route_new(worker, load->name);
    if (!route) /* due again with the next change */
        return;
    let_be(route, !load->as);
    mw_route_hold_place(route);
}

static void commit_ready(struct mw_worker *worker, const struct mw_batch *batch,
                         struct mw_load *load)
{
    struct mw_route *route = mw_route_by_name(worker, load->name);
    if (!route || !route->next_spec) /* the worker has stopped meanwhile */
        return;
    if (load->commit)
        commit_one(batch, route, load);
    else
        let_be(route, true);
}

void mw_load_commit(struct mw_worker *worker, struct mw_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct mw_load *load = &batch->loads[i];
        switch (load->outcome) {
        case MW_LOAD_UNTOUCHED:
        case MW_LOAD_REMOVED:
            break;
        case MW_LOAD_READY:
            commit_ready(worker, batch, load);
            break;
        case MW_LOAD_FAULT:
        case MW_LOAD_CONFLICT:
            commit_refusal(worker, load);
            break;
        }
    }
}
