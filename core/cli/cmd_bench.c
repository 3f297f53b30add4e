/*
 * `moonwire bench URL`: a load on a server, its own CPU time and, where --pid names the server,
 * what it cost that one between the moment at which all connections stood and the last message.
 * What cannot be had (a connection, an echo that is right) makes it fail and say so.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/base/str.h"
#include "core/bench/load.h"
#include "core/cli/bench_meter.h"
#include "core/cli/commands.h"
#include "core/cli/settings.h"
#include "core/outbound/outbound.h"
#include "core/outbound/ws_url.h"
#include "core/server/server.h"

struct run {
    struct mw_mem mem;
    struct mw_loop *loop;
    struct mw_outbound outbound;
    struct mw_tls_ctx *tls;
    struct mw_ws_url url;
    struct mw_bench_setup setup;
    struct mw_bench *bench;
    uint64_t pid;
    bool has_server;                         /* it can be looked at */
    struct mw_bench_meter own[2], server[2]; /* when all stood, and at the end */
};

static const char *const modes[] = {
#define MW_BENCH_MODE(name) #name,
    MW_BENCH_MODE_LIST(MW_BENCH_MODE)
#undef MW_BENCH_MODE
};

/* ---- the command line ---- */

struct numbers {
    uint64_t clients, messages, seconds, size, depth, sources, pid, timeout;
};

static const struct number {
    const char *flag;
    size_t arg, field;
    uint64_t normal, least, most;
} table[] = {
#define NUMBER(name, normal, least, most) \
    { "--" #name, offsetof(struct mw_args, name), offsetof(struct numbers, name), normal, least, \
      most },
    NUMBER(clients, 50, 1, 1000000) /* clang-format off */
    NUMBER(messages, 0, 0, UINT32_MAX)
    NUMBER(seconds, 0, 0, 86400)
    NUMBER(size, 64, 1, 16777216)
    NUMBER(depth, 1, 1, 1024)
    NUMBER(sources, 0, 0, 65000)
    NUMBER(pid, 0, 0, UINT32_MAX)
    NUMBER(timeout, 10, 1, 3600) /* clang-format on */
#undef NUMBER
};

static int usage(const char *why)
{
    return mw_cli_fail(MW_EXIT_USAGE, "bench", why);
}

static int read_numbers(const struct mw_args *args, struct numbers *numbers)
{
    char why[128];
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        const struct number *row = &table[i];
        const char *text = *(const char *const *)((const char *)args + row->arg);
        uint64_t *field = (uint64_t *)((char *)numbers + row->field);
        *field = row->normal;
        if (!text || mw_parse_u64(mw_view_text(text), row->least, row->most, field))
            continue;
        snprintf(why, sizeof why, "%s wants a whole number from %llu to %llu", row->flag,
                 (unsigned long long)row->least, (unsigned long long)row->most);
        return usage(why);
    }
    return MW_EXIT_OK;
}

static int read_mode(const struct mw_args *args, enum mw_bench_mode *mode)
{
    for (size_t i = 0; i < MW_COUNT(modes); i++) {
        if (strcmp(args->mode ? args->mode : "echo", modes[i]) != 0)
            continue;
        *mode = (enum mw_bench_mode)i;
        return MW_EXIT_OK;
    }
    return usage("--mode is echo, idle, fanout or churn");
}

/* Without a bound of its own each mode has one: five seconds. */
static void put_bounds(struct mw_bench_setup *setup, const struct numbers *numbers)
{
    bool is_bounded = numbers->seconds || numbers->messages;
    setup->messages = setup->mode == MW_BENCH_idle ? 0 : numbers->messages;
    setup->lasts_ms = numbers->seconds * 1000;
    if (!is_bounded)
        setup->lasts_ms = 5000;
    else if (!numbers->seconds && setup->mode != MW_BENCH_idle)
        setup->lasts_ms = MW_NEVER;
}

static int read_setup(const struct mw_args *args, struct run *run)
{
    struct numbers numbers;
    char why[256];
    int code = read_numbers(args, &numbers);
    if (!code)
        code = read_mode(args, &run->setup.mode);
    if (code)
        return code;
    if (!args->words[0])
        return usage("bench what? moonwire bench ws://127.0.0.1:8080/echo");
    if (mw_ws_url_parse(&run->mem, mw_view_text(args->words[0]), &run->url, why))
        return usage(why);
    run->pid = numbers.pid;
    run->setup.port = run->url.port;
    run->setup.host = run->url.host;
    run->setup.authority = run->url.authority;
    run->setup.target = run->url.target;
    run->setup.sources = (unsigned)numbers.sources;
    run->setup.clients = (size_t)numbers.clients;
    run->setup.depth = (size_t)numbers.depth;
    run->setup.message_bytes = (size_t)numbers.size;
    run->setup.patience_ms = numbers.timeout * 1000;
    put_bounds(&run->setup, &numbers);
    return MW_EXIT_OK;
}

/* ---- getting ready ---- */

/* The first address that the name has; nothing runs yet, so it may take its time. */
static int resolve(struct run *run)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = 0;
    if (getaddrinfo(run->url.host, 0, &hints, &found) != 0 || !found)
        return mw_cli_fail(MW_EXIT_UNAVAILABLE, run->url.host, "the name has no address");
    if (found->ai_family == AF_INET6)
        run->setup.to = mw_ip_of(
            (const uint8_t *)&((struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_addr, 16);
    else
        run->setup.to =
            mw_ip_of((const uint8_t *)&((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr, 4);
    freeaddrinfo(found);
    if (run->setup.sources && (run->setup.to.len != 4 || run->setup.to.bytes[0] != 127))
        return usage("--sources is for a server at 127.0.0.1");
    return MW_EXIT_OK;
}

static int get_ready(struct run *run, bool insecure)
{
    char why[256] = "out of memory";
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    int err = mw_loop_new(&run->mem, &run->loop);
    if (!err)
        err = mw_outbound_init(&run->outbound, run->loop, mw_view(0, 0));
    if (!err && run->url.is_secure)
        err = mw_outbound_tls(&run->outbound, insecure, &run->tls, why);
    run->setup.loop = run->loop;
    run->setup.tls = run->tls;
    if (!err)
        err = mw_bench_start(&run->setup, &run->bench);
    return err ? mw_cli_fail(MW_EXIT_FAILED, "bench", why) : MW_EXIT_OK;
}

/* ---- measuring ---- */

static void look(struct run *run, size_t when)
{
    (void)mw_bench_meter_read(0, &run->own[when]);
    if (run->pid)
        run->has_server = mw_bench_meter_read(run->pid, &run->server[when]);
}

static void on_began(void *owner)
{
    look(owner, 0);
}

static void on_over(void *owner)
{
    look(owner, 1);
}

/* ---- telling ---- */

static const char *const units[] = { "echoes", "messages", "deliveries", "cycles" };

static void say_server(const struct run *run, uint64_t received)
{
    uint64_t cpu_us = run->server[1].cpu_us - run->server[0].cpu_us;
    if (!run->has_server)
        return;
    printf("server     %.3f s of CPU time", (double)cpu_us / 1e6);
    if (received && cpu_us)
        printf(", %.2f us each, %.0f per CPU second", (double)cpu_us / (double)received,
               (double)received * 1e6 / (double)cpu_us);
    printf("\n           %.1f MiB resident, %.1f MiB of it its own\n",
           (double)run->server[1].resident_bytes / 1048576,
           (double)run->server[1].own_bytes / 1048576);
}

static void say(const struct run *run)
{
    const struct mw_bench_result *result = mw_bench_result(run->bench);
    double took_s = (double)result->took_us / 1e6;
    printf("%-10s %llu opened, %llu failed\n", modes[run->setup.mode],
           (unsigned long long)result->opened, (unsigned long long)result->failed);
    printf("           %llu %s in %.3f s", (unsigned long long)result->received,
           units[run->setup.mode], took_s);
    if (took_s > 0)
        printf(", %.0f/s", (double)result->received / took_s);
    printf("; %llu pings answered\n", (unsigned long long)result->pings);
    printf("generator  %.3f s of CPU time\n",
           (double)(run->own[1].cpu_us - run->own[0].cpu_us) / 1e6);
    say_server(run, result->received);
    if (*result->why)
        printf("           %s\n", result->why);
}

static void put_json(const struct run *run, struct mw_json_writer *json)
{
    const struct mw_bench_result *result = mw_bench_result(run->bench);
    const struct {
        const char *key;
        uint64_t number;
        bool is_known;
    } numbers[] = {
        { "clients", run->setup.clients, true },
        { "size", run->setup.message_bytes, true },
        { "depth", run->setup.depth, true },
        { "opened", result->opened, true },
        { "failed", result->failed, true },
        { "sent", result->sent, true },
        { "received", result->received, true },
        { "pings", result->pings, true },
        { "took_us", result->took_us, true },
        { "cpu_us", run->own[1].cpu_us - run->own[0].cpu_us, true },
        { "server_cpu_us", run->server[1].cpu_us - run->server[0].cpu_us, run->has_server },
        { "server_resident", run->server[1].resident_bytes, run->has_server },
        { "server_own", run->server[1].own_bytes, run->has_server },
    };
    mw_jw_object(json);
    mw_jw_pair(json, "mode", mw_view_text(modes[run->setup.mode]));
    for (size_t i = 0; i < MW_COUNT(numbers); i++) {
        if (numbers[i].is_known)
            mw_jw_pair_integer(json, numbers[i].key, (int64_t)numbers[i].number);
    }
    mw_jw_pair(json, "why", mw_view_text(result->why));
    mw_jw_object_end(json);
}

static int tell(struct run *run, bool as_json)
{
    struct mw_buf text;
    mw_buf_init(&text, &run->mem, 0);
    struct mw_json_writer json = { .out = &text };
    if (as_json) {
        put_json(run, &json);
        printf("%.*s\n", (int)text.len, text.data);
    } else {
        say(run);
    }
    mw_buf_free(&text);
    const struct mw_bench_result *result = mw_bench_result(run->bench);
    return result->failed || *result->why ? MW_EXIT_FAILED : MW_EXIT_OK;
}

/* ---- the whole ---- */

static void clean_up(struct run *run)
{
    mw_bench_free(run->bench);
    mw_tls_ctx_release(run->tls);
    mw_outbound_free(&run->outbound);
    if (run->loop)
        (void)mw_loop_free(run->loop);
    mw_ws_url_free(&run->mem, &run->url);
}

int mw_cmd_bench(const struct mw_args *args)
{
    struct run run = { .setup = { .began = on_began, .over = on_over } };
    mw_mem_init(&run.mem, 0, 0);
    run.setup.owner = &run;
    int code = read_setup(args, &run);
    if (!code)
        code = resolve(&run);
    if (!code)
        code = get_ready(&run, args->insecure);
    if (!code) {
        mw_loop_run(run.loop);
        mw_loop_finish(run.loop);
        code = tell(&run, args->json);
    }
    clean_up(&run);
    return code;
}
