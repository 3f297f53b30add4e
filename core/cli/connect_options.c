/* The command line of `moonwire connect` as what a client is set up with. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/cli/connect.h"
#include "core/cli/settings.h"
#include "core/cli/terminal.h"
#include "core/server/server.h"

#define ORDINARY_PATIENCE_MS 10000
#define ORDINARY_WAIT_MS     1000 /* after the end of piped input */
#define SECONDS_MAX          86400
#define CA_BYTES             (16u << 20)

static int bad(const char *why, const char *value)
{
    char text[300];
    snprintf(text, sizeof text, "%s, not \"%.160s\"", why, value);
    return mw_cli_fail(MW_EXIT_USAGE, "", text);
}

/* Seconds, perhaps with a fraction, to ms; what was not given stays as it is. */
static int read_seconds(const char *text, const char *flag, double least_s, mw_ms *out)
{
    char why[64], *end;
    if (!text)
        return MW_EXIT_OK;
    double seconds = strtod(text, &end);
    snprintf(why, sizeof why, "--%s wants seconds", flag);
    if (end == text || *end || !isfinite(seconds) || seconds < least_s || seconds > SECONDS_MAX)
        return bad(why, text);
    *out = (mw_ms)(seconds * 1000 + 0.5);
    return MW_EXIT_OK;
}

static int read_times(struct mw_connect_options *options, const struct mw_args *args)
{
    options->wait_ms = ORDINARY_WAIT_MS;
    options->patience_ms = ORDINARY_PATIENCE_MS;
    options->has_wait = args->stay != 0;
    int code = read_seconds(args->stay, "wait", 0, &options->wait_ms);
    if (!code)
        code = read_seconds(args->timeout, "timeout", 0.001, &options->patience_ms);
    options->setup.connect_wait_ms = args->timeout ? options->patience_ms : 0;
    options->setup.handshake_wait_ms = options->patience_ms;
    options->limits = *mw_ws_client_limits();
    options->setup.limits = &options->limits;
    return code ? code : read_seconds(args->ping, "ping", 1, &options->limits.ping_ms);
}

static int read_ca(struct mw_connect_options *options, const char *path)
{
    char bytes[16384];
    size_t got;
    int err = MW_OK;
    FILE *file = fopen(path, "re");
    while (file && !err && (got = fread(bytes, 1, sizeof bytes, file)) > 0)
        err = mw_buf_put(&options->ca, bytes, got);
    bool is_whole = file && !ferror(file) && !err;
    if (file)
        fclose(file);
    return is_whole && options->ca.len ? MW_EXIT_OK
                                       : mw_cli_fail(MW_EXIT_USAGE, path, "it cannot be read");
}

static int read_language(struct mw_connect_options *options, const struct mw_args *args)
{
    struct mw_lang_env env = mw_cli_lang_env();
    options->lang = mw_lang_of_env(&env);
    if (args->lang && !mw_lang_of_tag(mw_view_text(args->lang), &options->lang))
        return bad("--lang is en, ko, vi or ja", args->lang);
    return MW_EXIT_OK;
}

static void read_switches(struct mw_connect_options *options, const struct mw_args *args)
{
    options->sends = args->sends;
    options->jsonl = args->jsonl;
    options->reconnect = args->reconnect;
    options->wants_id = args->id;
    options->verbose = args->verbose;
    options->keeps_history = !args->no_history;
    options->commands = !args->no_slash;
    options->setup.insecure = args->insecure;
    options->setup.compression = !args->no_compress;
    options->setup.origin = mw_view_text(args->origin);
    options->setup.url = mw_view_text(args->words[0]);
    options->setup.headers = options->handshake.headers;
    options->setup.header_count = options->handshake.header_count;
    options->setup.protocols = options->handshake.protocols;
    options->setup.protocol_count = options->handshake.protocol_count;
}

int mw_connect_options_read(struct mw_connect_options *options, struct mw_mem *mem,
                            const struct mw_args *args)
{
    *options = (struct mw_connect_options){ .wait_ms = ORDINARY_WAIT_MS };
    mw_buf_init(&options->ca, mem, CA_BYTES);
    int code = mw_handshake_args_read(&options->handshake, mem, args);
    read_switches(options, args);
    if (code)
        return code;
    if (!args->words[0])
        return mw_cli_fail(MW_EXIT_USAGE, "",
                           "where to? moonwire connect ws://localhost:8080/chat");
    code = read_times(options, args);
    if (!code)
        code = read_language(options, args);
    return code || !args->ca ? code : read_ca(options, args->ca);
}

void mw_connect_options_free(struct mw_connect_options *options)
{
    mw_handshake_args_free(&options->handshake);
    mw_buf_free(&options->ca);
}
