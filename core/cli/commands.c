/* The table of verbs, help and version, and the way from argv to a verb. */
#include "core/cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/server/server.h"
#include "moonwire/version.h"

const struct mw_command mw_commands[] = {
    { "dev", mw_cmd_dev, "dev [DIR]", "serve DIR/scripts while you edit them" },
    { "serve", mw_cmd_serve, "serve [DIR]",
      "the same in production: refuses to start on a broken project" },
    { "reload", mw_cmd_reload, "reload [DIR] [SCRIPT.lua]",
      "have the running server look at the scripts, or load one anew" },
    { "rollback", mw_cmd_rollback, "rollback [DIR] SCRIPT.lua [--to vN]",
      "have it go back a version, without touching the file" },
    { "status", mw_cmd_status, "status [DIR]",
      "how its scripts fare: counters, and the last fault of each" },
    { "metrics", mw_cmd_metrics, "metrics [DIR]",
      "its counters, in the text format of Prometheus" },
    { "why", mw_cmd_why, "why [ID] [DIR] [--last N]",
      "why a connection ended; without ID the last ends" },
    { "close", mw_cmd_close, "close ID [CODE [REASON]] [DIR]", "end a connection" },
    { "drain", mw_cmd_drain, "drain [DIR] [--restart] [--wait]",
      "end it in order: every client is told when to come back" },
    { "check", mw_cmd_check, "check [DIR]",
      "tell what is wrong with a project, without serving it" },
    { "connect", mw_cmd_connect, "connect URL",
      "talk to a server as a client, and hear why it ended" },
    { "doctor", mw_cmd_doctor, "doctor [URL | DIR]",
      "what is wrong on the way to a server, or on this machine" },
    { "bench", mw_cmd_bench, "bench URL --mode echo|idle|fanout|churn",
      "put a load on a server, and say what it cost" },
    { "explain", mw_cmd_explain, "explain [CODE [CODE] | CAUSE] [DIR]",
      "what a close code means and how to fix it, in 4 languages" },
    { "simulate", mw_cmd_simulate, "simulate herd | resume [--seed N]",
      "how a crowd comes back at once, or sessions after cuts" },
    { "version", mw_cmd_version, "version", "print the version" },
    { "help", mw_cmd_help, "help", "print this" },
    { 0 },
};

int mw_cmd_version(const struct mw_args *args)
{
    (void)args;
    printf("moonwire %s\n", MOONWIRE_VERSION);
    return MW_EXIT_OK;
}

int mw_cmd_help(const struct mw_args *args)
{
    (void)args;
    struct mw_option_help option;
    puts("Moonwire: a WebSocket server whose logic is Lua files.\n\n"
         "  moonwire dev                          the project in this folder, on "
         "http://127.0.0.1:8080/\n"
         "  moonwire serve app --listen :9000     all addresses, port 9000\n\n"
         "A script scripts/chat.lua serves ws://.../chat; public/ is served as files. A saved "
         "script\n"
         "is live at once, with every socket still open.\n\ncommands");
    for (const struct mw_command *command = mw_commands; command->name; command++)
        printf("  %-36s %s\n", command->usage, command->text);
    puts("\noptions (also in moonwire.lua, and as MOONWIRE_LOG_LEVEL and so on)");
    for (size_t i = 0; mw_config_help(i, &option); i++)
        printf("  --%-19s %s%s%s%s\n", option.flag, option.text, *option.normal ? " [" : "",
               option.normal, *option.normal ? "]" : "");
    puts("  --json (bench, check, close, doctor, explain, reload, rollback, status, drain, "
         "simulate, why)\n"
         "  -H LINE, -s NAME, --origin, --insecure, --timeout S (connect, doctor URL)\n"
         "  -x LINE, --wait S, --reconnect, --jsonl, --ca FILE, --ping S, --no-compress, "
         "--no-history,\n"
         "  --no-slash, --id, -v (connect), --path, --idle S (doctor URL), --last N (why)\n"
         "  --mode echo|idle|fanout|churn|storm, --clients, --messages, --seconds, --warmup, "
         "--size,\n  --depth, --rate, --sources, --pid N, --body text|binary|json, --deflate "
         "takeover|fresh,\n  --bare, --spin auto|on|off, --abrupt, --impatient, --cut (bench)\n"
         "  --lang en|ko|vi|ja (connect, explain), --all, --markdown (explain), --help, --version\n"
         "\nexit codes: 0 ok, 1 failed, refused or found something, 2 usage, 69 address not "
         "available or\n  no server there, 78 bad settings or scripts");
    return MW_EXIT_OK;
}

static int usage(const char *why)
{
    fprintf(stderr, "moonwire: %s\n", why);
    return MW_EXIT_USAGE;
}

static int unknown_verb(const char *verb)
{
    const char *names[32] = { 0 };
    char why[256];
    for (size_t i = 0; mw_commands[i].name && i + 1 < MW_COUNT(names); i++)
        names[i] = mw_commands[i].name;
    const char *near = mw_nearest_name(mw_view_text(verb), names);
    snprintf(why, sizeof why, "there is no command \"%.64s\"; %s%s%s", verb,
             near ? "did you mean \"" : "see moonwire --help", near ? near : "", near ? "\"?" : "");
    return usage(why);
}

int mw_cli_main(int argc, char **argv)
{
    struct mw_args args;
    char why[256];
    if (mw_args_parse(&args, argc, argv, why))
        return usage(why);
    if (args.help)
        return mw_cmd_help(&args);
    if (!args.verb) {
        (void)mw_cmd_help(&args);
        return MW_EXIT_USAGE;
    }
    for (const struct mw_command *command = mw_commands; command->name; command++) {
        if (!strcmp(command->name, args.verb))
            return command->run(&args);
    }
    return unknown_verb(args.verb);
}
