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
#include "core/base/str.h"
#include "core/cli/bench_run.h"
#include "core/cli/commands.h"
#include "core/cli/settings.h"
#include "core/server/server.h"

static const char *const deflates[] = { "takeover", "fresh" };
static const char *const spins[] = { "auto", "on", "off" };

/* ---- the command line ---- */

struct numbers {
    uint64_t clients, messages, seconds, warmup, size, depth, rate, sources, pid, timeout;
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
    NUMBER(warmup, 0, 0, 3600)
    NUMBER(size, 64, 0, 16777216)
    NUMBER(depth, 1, 1, 1024)
    NUMBER(rate, 0, 1, 10000000)
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

/* Which of the words it is; the first where nothing is said. */
static int read_word(const char *flag, const char *text, const char *const *words, size_t count,
                     size_t *out)
{
    char why[128];
    size_t len = (size_t)snprintf(why, sizeof why, "%s is", flag);
    *out = 0;
    if (!text)
        return MW_EXIT_OK;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return MW_EXIT_OK;
        }
        len += (size_t)snprintf(why + len, sizeof why - len, "%s %s",
                                i == 0          ? ""
                                : i + 1 < count ? ","
                                                : " or",
                                words[i]);
    }
    return usage(why);
}

/* Without a bound of its own each mode has one: five seconds, and a storm until all are in. */
static void put_bounds(struct mw_bench_setup *setup, const struct numbers *numbers)
{
    bool counts = setup->mode != MW_BENCH_idle && setup->mode != MW_BENCH_storm;
    setup->messages = counts ? numbers->messages : 0;
    setup->lasts_ms = numbers->seconds * 1000;
    setup->warmup_ms = setup->mode == MW_BENCH_storm ? 0 : numbers->warmup * 1000;
    if (!numbers->seconds)
        setup->lasts_ms = setup->messages || setup->mode == MW_BENCH_storm ? MW_NEVER : 5000;
}

/* What one way of measuring has no use for is a mistake, and not passed over. */
static int check_sense(const struct mw_args *args, const struct mw_bench_setup *setup)
{
    bool paces = setup->mode == MW_BENCH_echo || setup->mode == MW_BENCH_fanout;
    if (setup->rate && !paces)
        return usage("--rate is for echo and fanout");
    if ((setup->cut || setup->impatient) && setup->mode != MW_BENCH_storm)
        return usage("--cut and --impatient are for --mode storm");
    if (setup->abrupt && setup->mode != MW_BENCH_churn)
        return usage("--abrupt is for --mode churn");
    if (setup->bare && (setup->offer.on || setup->mode == MW_BENCH_storm))
        return usage("--bare has no handshake: no --deflate, no storm");
    if (setup->body == MW_BENCH_BODY_json && setup->message_bytes < MW_BENCH_JSON_MIN)
        return usage("--body json wants a --size of 128 or more");
    if (setup->bare != (args->words[0] && !strncmp(args->words[0], "tcp://", 6)))
        return usage("--bare is for tcp://host:port, and that for --bare");
    return MW_EXIT_OK;
}

static int read_url(struct mw_bench_run *run, const char *text)
{
    char why[256];
    if (!text)
        return usage("bench what? moonwire bench ws://127.0.0.1:8080/echo");
    run->address = text;
    text += run->setup.bare ? strlen("tcp://") : 0;
    if (mw_ws_url_parse(&run->mem, mw_view_text(text), &run->url, why))
        return usage(why);
    run->setup.port = run->url.port;
    run->setup.host = run->url.host;
    run->setup.authority = run->url.authority;
    run->setup.target = run->url.target;
    return MW_EXIT_OK;
}

static int read_words(const struct mw_args *args, struct mw_bench_run *run, size_t *spin)
{
    size_t mode, body, deflate;
    int code = read_word("--mode", args->mode, mw_bench_mode_names, MW_BENCH_MODES, &mode);
    if (!code)
        code = read_word("--body", args->body, mw_bench_body_names, MW_BENCH_BODIES, &body);
    if (!code)
        code = read_word("--deflate", args->deflate, deflates, MW_COUNT(deflates), &deflate);
    if (!code)
        code = read_word("--spin", args->spin, spins, MW_COUNT(spins), spin);
    if (code)
        return code;
    run->setup.mode = (enum mw_bench_mode)mode;
    run->setup.body = (enum mw_bench_body)body;
    if (args->deflate) /* a window that may be bounded is what lets a server keep a context */
        run->setup.offer = (struct mw_ext_deflate){ .on = true,
                                                    .server_no_takeover = deflate == 1,
                                                    .client_no_takeover = deflate == 1,
                                                    .client_bits = 15 };
    return MW_EXIT_OK;
}

/*
 * Who sleeps has to be woken, and the server pays for that, the more the fewer connections there
 * are. So the generator does not sleep where there is a core for it besides the server's.
 */
static bool decide_spin(const struct mw_bench_run *run, size_t spin)
{
    bool has_pauses = run->setup.mode == MW_BENCH_idle || run->setup.mode == MW_BENCH_storm;
    if (spin > 0)
        return spin == 1;
    return !has_pauses && mw_bench_meter_has_own_core(run->pid);
}

static int read_setup(const struct mw_args *args, struct mw_bench_run *run)
{
    struct numbers numbers;
    size_t spin = 0;
    int code = read_numbers(args, &numbers);
    if (!code)
        code = read_words(args, run, &spin);
    if (code)
        return code;
    run->pid = numbers.pid;
    run->setup.sources = (unsigned)numbers.sources;
    run->setup.clients = (size_t)numbers.clients;
    run->setup.depth = (size_t)numbers.depth;
    run->setup.rate = numbers.rate;
    run->setup.message_bytes = (size_t)numbers.size;
    run->setup.patience_ms = numbers.timeout * 1000;
    run->setup.bare = args->bare;
    run->setup.cut = args->cut;
    run->setup.abrupt = args->abrupt;
    run->setup.impatient = args->impatient;
    run->setup.spin = decide_spin(run, spin);
    put_bounds(&run->setup, &numbers);
    code = check_sense(args, &run->setup);
    return code ? code : read_url(run, args->words[0]);
}

/* ---- getting ready ---- */

/* The first address that the name has; nothing runs yet, so it may take its time. */
static int resolve(struct mw_bench_run *run)
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

static int get_ready_for_tls(struct mw_bench_run *run, bool insecure, char why[256])
{
    int err = mw_loop_new(&run->mem, &run->loop);
    if (!err)
        err = mw_outbound_init(&run->outbound, run->loop, mw_view(0, 0));
    if (!err)
        err = mw_outbound_tls(&run->outbound, insecure, &run->tls, why);
    run->setup.loop = run->loop;
    run->setup.tls = run->tls;
    return err;
}

static int get_ready(struct mw_bench_run *run, bool insecure)
{
    char why[256] = "out of memory";
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    int err = run->url.is_secure ? get_ready_for_tls(run, insecure, why) : MW_OK;
    if (!err)
        err = mw_bench_new(&run->setup, &run->bench);
    return err ? mw_cli_fail(MW_EXIT_FAILED, "bench", why) : MW_EXIT_OK;
}

/* ---- measuring ---- */

static void look(struct mw_bench_run *run, size_t when)
{
    (void)mw_bench_meter_read(0, &run->own[when]);
    if (run->pid)
        run->has_server = mw_bench_meter_read(run->pid, &run->server[when]);
}

static void on_began(void *owner)
{
    look(owner, MW_BENCH_BEGAN);
}

static void on_over(void *owner)
{
    look(owner, MW_BENCH_OVER);
}

/* ---- the whole ---- */

static void clean_up(struct mw_bench_run *run)
{
    mw_bench_free(run->bench);
    mw_tls_ctx_release(run->tls);
    if (run->loop) {
        mw_outbound_free(&run->outbound);
        (void)mw_loop_free(run->loop);
    }
    mw_ws_url_free(&run->mem, &run->url);
}

int mw_cmd_bench(const struct mw_args *args)
{
    struct mw_bench_run run = { .setup = { .began = on_began, .over = on_over } };
    mw_mem_init(&run.mem, 0, 0);
    run.setup.owner = &run;
    run.setup.mem = &run.mem;
    int code = read_setup(args, &run);
    if (!code)
        code = resolve(&run);
    if (!code)
        code = get_ready(&run, args->insecure);
    if (!code) {
        look(&run, MW_BENCH_BEFORE);
        mw_bench_run(run.bench);
        code = mw_bench_tell(&run, args->json);
    }
    clean_up(&run);
    return code;
}
