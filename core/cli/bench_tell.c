/*
 * The result of a load as text and as JSON. Measures nothing. Called by cmd_bench when all is over.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/cli/bench_run.h"
#include "core/cli/commands.h"
#include "core/server/server.h"

const char *const mw_bench_mode_names[MW_BENCH_MODES] = {
#define MW_BENCH_MODE(name) #name,
    MW_BENCH_MODE_LIST(MW_BENCH_MODE)
#undef MW_BENCH_MODE
};

const char *const mw_bench_body_names[MW_BENCH_BODIES] = {
#define MW_BENCH_BODY(name) #name,
    MW_BENCH_BODY_LIST(MW_BENCH_BODY)
#undef MW_BENCH_BODY
};

static const char *const units[] = { "echoes", "messages", "deliveries", "cycles", "arrivals" };

static const struct share {
    const char *name;
    double share;
} shares[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 }, { "max", 1 } };

static uint64_t received(const struct mw_bench_run *run, const struct mw_bench_result *result)
{
    return run->setup.mode == MW_BENCH_storm ? result->opened : result->received;
}

/* ---- for people ---- */

static void say_latency(const char *name, const struct mw_hist *hist)
{
    if (hist->count == 0)
        return;
    printf("%-10s", name);
    for (size_t i = 0; i < MW_COUNT(shares); i++)
        printf("%s %s %.1f us", i ? "," : "", shares[i].name,
               (double)mw_hist_at(hist, shares[i].share) / 1000);
    putchar('\n');
}

/* When which part of them was in. */
static void say_arrivals(const struct mw_bench_result *result)
{
    printf("arrivals  ");
    for (unsigned tenth = 1; tenth <= 10 && result->latency.count; tenth++)
        printf(" %u%% %.0f ms%s", tenth * 10,
               (double)mw_hist_at(&result->latency, tenth / 10.0) / 1e6, tenth < 10 ? "," : "");
    printf("\n           %llu refused, %llu broken%s%s\n", (unsigned long long)result->refused,
           (unsigned long long)result->broken, *result->first_broken ? ": " : "",
           result->first_broken);
}

static void say_server(const struct mw_bench_run *run, uint64_t messages)
{
    const struct mw_bench_meter *began = &run->server[MW_BENCH_BEGAN],
                                *over = &run->server[MW_BENCH_OVER];
    uint64_t cpu_us = over->cpu_us - began->cpu_us;
    if (!run->has_server)
        return;
    printf("server     %.3f s of CPU time", (double)cpu_us / 1e6);
    if (messages && cpu_us)
        printf(", %.2f us each, %.0f per CPU second", (double)cpu_us / (double)messages,
               (double)messages * 1e6 / (double)cpu_us);
    printf("\n           %.1f MiB resident, %.1f MiB of it its own (before: %.1f and %.1f)\n",
           (double)over->resident_bytes / 1048576, (double)over->own_bytes / 1048576,
           (double)run->server[MW_BENCH_BEFORE].resident_bytes / 1048576,
           (double)run->server[MW_BENCH_BEFORE].own_bytes / 1048576);
}

static void say(const struct mw_bench_run *run, const struct mw_bench_result *result)
{
    double took_s = (double)result->took_us / 1e6;
    uint64_t messages = received(run, result);
    printf("%-10s %llu opened, %llu failed\n", mw_bench_mode_names[run->setup.mode],
           (unsigned long long)result->opened, (unsigned long long)result->failed);
    printf("           %llu %s in %.3f s", (unsigned long long)messages, units[run->setup.mode],
           took_s);
    if (took_s > 0)
        printf(", %.0f/s", (double)messages / took_s);
    printf("; %llu pings answered\n", (unsigned long long)result->pings);
    if (run->setup.mode == MW_BENCH_storm)
        say_arrivals(result);
    else
        say_latency("latency", &result->latency);
    say_latency("own lag", &result->lag);
    printf("generator  %.3f s of CPU time%s\n",
           (double)(run->own[MW_BENCH_OVER].cpu_us - run->own[MW_BENCH_BEGAN].cpu_us) / 1e6,
           run->setup.spin ? " (it never sleeps: --spin off)" : "");
    say_server(run, messages);
    if (*result->why)
        printf("           %s\n", result->why);
}

/* ---- for programs ---- */

static void put_number(struct mw_json_writer *json, const char *key, double number)
{
    mw_jw_key(json, mw_view_text(key));
    mw_jw_number(json, number);
}

static void put_bool(struct mw_json_writer *json, const char *key, bool value)
{
    mw_jw_key(json, mw_view_text(key));
    mw_jw_bool(json, value);
}

static void put_hist(struct mw_json_writer *json, const char *key, const struct mw_hist *hist)
{
    double count = (double)hist->count;
    if (hist->count == 0)
        return;
    mw_jw_key(json, mw_view_text(key));
    mw_jw_object(json);
    mw_jw_pair_integer(json, "count", (int64_t)hist->count);
    put_number(json, "min", (double)hist->min / 1000);
    put_number(json, "mean", (double)hist->sum / count / 1000);
    for (size_t i = 0; i < MW_COUNT(shares); i++)
        put_number(json, shares[i].name, (double)mw_hist_at(hist, shares[i].share) / 1000);
    mw_jw_object_end(json);
}

/* [[10, 12.5], ...]: so many of a hundred were in after so many milliseconds. */
static void put_arrivals(struct mw_json_writer *json, const struct mw_bench_result *result)
{
    mw_jw_pair_integer(json, "refused", (int64_t)result->refused);
    mw_jw_pair_integer(json, "broken", (int64_t)result->broken);
    mw_jw_pair(json, "first_broken", mw_view_text(result->first_broken));
    mw_jw_key(json, mw_view_text("arrivals_ms"));
    mw_jw_array(json);
    for (int64_t percent = 10; percent <= 100 && result->latency.count; percent += 10) {
        mw_jw_array(json);
        mw_jw_integer(json, percent);
        mw_jw_number(json, (double)mw_hist_at(&result->latency, (double)percent / 100) / 1e6);
        mw_jw_array_end(json);
    }
    mw_jw_array_end(json);
}

struct figure {
    const char *key;
    uint64_t number;
};

static void put_figures(struct mw_json_writer *json, const struct figure *figures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mw_jw_pair_integer(json, figures[i].key, (int64_t)figures[i].number);
}

static void put_settings(struct mw_json_writer *json, const struct mw_bench_run *run)
{
    const struct mw_bench_setup *setup = &run->setup;
    const struct figure figures[] = {
        { "clients", setup->clients }, { "size", setup->message_bytes },  { "depth", setup->depth },
        { "rate", setup->rate },       { "warmup_ms", setup->warmup_ms },
    };
    mw_jw_pair(json, "mode", mw_view_text(mw_bench_mode_names[setup->mode]));
    mw_jw_pair(json, "url", mw_view_text(run->address));
    mw_jw_pair(json, "body", mw_view_text(mw_bench_body_names[setup->body]));
    put_figures(json, figures, MW_COUNT(figures));
    put_bool(json, "bare", setup->bare);
    put_bool(json, "spin", setup->spin);
}

static void put_server(struct mw_json_writer *json, const struct mw_bench_run *run)
{
    const struct mw_bench_meter *before = &run->server[MW_BENCH_BEFORE],
                                *began = &run->server[MW_BENCH_BEGAN],
                                *over = &run->server[MW_BENCH_OVER];
    const struct figure figures[] = {
        { "server_cpu_us", over->cpu_us - began->cpu_us },
        { "server_user_us", over->user_us - began->user_us },
        { "server_system_us", over->system_us - began->system_us },
        { "server_resident_before", before->resident_bytes },
        { "server_own_before", before->own_bytes },
        { "server_resident", over->resident_bytes },
        { "server_own", over->own_bytes },
    };
    if (run->has_server)
        put_figures(json, figures, MW_COUNT(figures));
}

static void put_result(struct mw_json_writer *json, const struct mw_bench_run *run,
                       const struct mw_bench_result *result)
{
    const struct figure figures[] = {
        { "opened", result->opened },
        { "failed", result->failed },
        { "sent", result->sent },
        { "received", result->received },
        { "pings", result->pings },
        { "took_us", result->took_us },
        { "cpu_us", run->own[MW_BENCH_OVER].cpu_us - run->own[MW_BENCH_BEGAN].cpu_us },
    };
    char agreed[MW_EXT_TEXT_MAX];
    put_figures(json, figures, MW_COUNT(figures));
    if (result->took_us)
        put_number(json, "per_second",
                   (double)received(run, result) * 1e6 / (double)result->took_us);
    mw_ext_write(agreed, &result->agreed);
    mw_jw_pair(json, "deflate", mw_view_text(agreed));
    if (run->setup.mode == MW_BENCH_storm)
        put_arrivals(json, result);
    put_hist(json, "latency_us", &result->latency);
    put_hist(json, "lag_us", &result->lag);
}

int mw_bench_tell(struct mw_bench_run *run, bool as_json)
{
    const struct mw_bench_result *result = mw_bench_result(run->bench);
    struct mw_buf text;
    mw_buf_init(&text, &run->mem, 0);
    struct mw_json_writer json = { .out = &text };
    if (as_json) {
        mw_jw_object(&json);
        put_settings(&json, run);
        put_result(&json, run, result);
        put_server(&json, run);
        mw_jw_pair(&json, "why", mw_view_text(result->why));
        mw_jw_object_end(&json);
        printf("%.*s\n", (int)text.len, text.data);
    } else {
        say(run, result);
    }
    mw_buf_free(&text);
    return result->failed || *result->why ? MW_EXIT_FAILED : MW_EXIT_OK;
}
