/* Reading a command line. Knows the options of config.def, not what a verb does. */
#include "core/cli/args.h"

#include <stdio.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/str.h"

static int unknown_flag(const char *arg, char why[256])
{
    struct mw_view name = mw_view_text(arg);
    while (name.len && name.data[0] == '-')
        name = mw_view_from(name, 1);
    name.len = mw_view_find(name, '=', 0);
    char near[MW_CONFIG_FLAG_MAX] = "";
    bool is_near = mw_config_nearest_flag(name, near);
    snprintf(why, 256, "there is no option %.64s; %s%s%s", arg,
             is_near ? "did you mean --" : "see moonwire --help", near, is_near ? "?" : "");
    return MW_ERR_BAD_ARG;
}

/* ---- flags of some verbs ---- */

static const struct {
    const char *name, *verbs, *help;
    size_t field;
    enum own_kind { VALUE, SWITCH, LIST } kind;
    char letter; /* "-H"; '\0': none */
} own_flags[] = {
    { "json", "bench,check,close,doctor,explain,reload,rollback,status,drain,simulate,why", "",
      offsetof(struct mw_args, json), SWITCH, 0 },
    { "all", "explain", "", offsetof(struct mw_args, all), SWITCH, 0 },
    { "markdown", "explain", "", offsetof(struct mw_args, markdown), SWITCH, 0 },
    { "lang", "connect,explain", "en, ko, vi or ja", offsetof(struct mw_args, lang), VALUE, 0 },
    { "restart", "drain", "", offsetof(struct mw_args, restart), SWITCH, 0 },
    { "wait", "drain", "", offsetof(struct mw_args, wait), SWITCH, 0 },
    { "mode", "bench", "echo, idle, fanout, churn or storm", offsetof(struct mw_args, mode), VALUE,
      0 },
    { "messages", "bench", "how many", offsetof(struct mw_args, messages), VALUE, 0 },
    { "seconds", "bench", "for how long", offsetof(struct mw_args, seconds), VALUE, 0 },
    { "size", "bench", "bytes of a message", offsetof(struct mw_args, size), VALUE, 0 },
    { "depth", "bench", "messages under way", offsetof(struct mw_args, depth), VALUE, 0 },
    { "sources", "bench", "how many of 127.0.x.y", offsetof(struct mw_args, sources), VALUE, 0 },
    { "pid", "bench", "the server's", offsetof(struct mw_args, pid), VALUE, 0 },
    { "clients", "bench,simulate", "how many", offsetof(struct mw_args, clients), VALUE, 0 },
    { "seed", "simulate", "a whole number", offsetof(struct mw_args, seed), VALUE, 0 },
    { "rate", "bench,simulate", "so many a second", offsetof(struct mw_args, rate), VALUE, 0 },
    { "warmup", "bench", "seconds", offsetof(struct mw_args, warmup), VALUE, 0 },
    { "body", "bench", "text, binary or json", offsetof(struct mw_args, body), VALUE, 0 },
    { "deflate", "bench", "takeover or fresh", offsetof(struct mw_args, deflate), VALUE, 0 },
    { "spin", "bench", "auto, on or off", offsetof(struct mw_args, spin), VALUE, 0 },
    { "bare", "bench", "", offsetof(struct mw_args, bare), SWITCH, 0 },
    { "abrupt", "bench", "", offsetof(struct mw_args, abrupt), SWITCH, 0 },
    { "impatient", "bench", "", offsetof(struct mw_args, impatient), SWITCH, 0 },
    { "cut", "bench", "", offsetof(struct mw_args, cut), SWITCH, 0 },
    { "capacity", "simulate", "handshakes a second", offsetof(struct mw_args, capacity), VALUE, 0 },
    { "schedules", "simulate", "how many", offsetof(struct mw_args, schedules), VALUE, 0 },
    { "svg", "simulate", "a file to be written", offsetof(struct mw_args, svg), VALUE, 0 },
    { "last", "why", "how many: --last 20", offsetof(struct mw_args, last), VALUE, 0 },
    { "to", "rollback", "the number of a version: --to v7", offsetof(struct mw_args, to), VALUE,
      0 },
    { "header", "connect,doctor", "a line: -H 'Cookie: a=b'", offsetof(struct mw_args, headers),
      LIST, 'H' },
    { "subprotocol", "connect,doctor", "a name", offsetof(struct mw_args, protocols), LIST, 's' },
    { "origin", "connect,doctor", "https://YOUR.SITE", offsetof(struct mw_args, origin), VALUE, 0 },
    { "path", "doctor", "of a route that echoes: /echo", offsetof(struct mw_args, path), VALUE, 0 },
    { "timeout", "bench,connect,doctor", "seconds for each answer",
      offsetof(struct mw_args, timeout), VALUE, 0 },
    { "idle", "doctor", "seconds of silence: 120", offsetof(struct mw_args, idle), VALUE, 0 },
    { "insecure", "bench,connect,doctor", "", offsetof(struct mw_args, insecure), SWITCH, 0 },
    { "send", "connect", "a line: -x hello", offsetof(struct mw_args, sends), LIST, 'x' },
    { "ca", "connect", "a file, PEM", offsetof(struct mw_args, ca), VALUE, 0 },
    { "wait", "connect", "seconds: --wait 2", offsetof(struct mw_args, stay), VALUE, 'w' },
    { "ping", "connect", "seconds: --ping 25", offsetof(struct mw_args, ping), VALUE, 0 },
    { "jsonl", "connect", "", offsetof(struct mw_args, jsonl), SWITCH, 0 },
    { "id", "connect", "", offsetof(struct mw_args, id), SWITCH, 0 },
    { "verbose", "connect", "", offsetof(struct mw_args, verbose), SWITCH, 'v' },
    { "reconnect", "connect", "", offsetof(struct mw_args, reconnect), SWITCH, 0 },
    { "no-compress", "connect", "", offsetof(struct mw_args, no_compress), SWITCH, 0 },
    { "no-history", "connect", "", offsetof(struct mw_args, no_history), SWITCH, 0 },
    { "no-slash", "connect", "", offsetof(struct mw_args, no_slash), SWITCH, 0 },
};

/*
 * Which of them; MW_COUNT(own_flags): none. Of two with one name it is the verb's, where that was
 * named before.
 */
static size_t own_flag(const struct mw_args *args, struct mw_view name)
{
    size_t found = MW_COUNT(own_flags);
    for (size_t i = 0; i < MW_COUNT(own_flags); i++) {
        if (!mw_view_is(name, own_flags[i].name))
            continue;
        if (args->verb && mw_list_has_token(mw_view_text(own_flags[i].verbs), args->verb))
            return i;
        found = found < MW_COUNT(own_flags) ? found : i;
    }
    return found;
}

static bool is_given(const struct mw_args *args, size_t i)
{
    const char *field = (const char *)args + own_flags[i].field;
    switch (own_flags[i].kind) {
    case SWITCH:
        return *(const bool *)field;
    case LIST:
        return ((const struct mw_arg_list *)(const void *)field)->count > 0;
    case VALUE:
        return *(const char *const *)field != 0;
    }
    return false;
}

/* As switches of config.def: --json alone is on. */
static int take_switch(bool *field, const char *name, const char *value, char why[256])
{
    bool is_on = !value || !strcmp(value, "true") || !strcmp(value, "1");
    if (!is_on && strcmp(value, "false") != 0 && strcmp(value, "0") != 0) {
        snprintf(why, 256, "--%s is a switch: true or false, not \"%.64s\"", name, value);
        return MW_ERR_BAD_ARG;
    }
    *field = is_on;
    return MW_OK;
}

static int take_item(struct mw_arg_list *list, const char *name, const char *value, char why[256])
{
    if (list->count == MW_ARG_LIST_MAX) {
        snprintf(why, 256, "--%s is given too often", name);
        return MW_ERR_FULL;
    }
    list->items[list->count++] = value;
    return MW_OK;
}

static int take_own_flag(struct mw_args *args, size_t which, const char *value, char why[256])
{
    char *field = (char *)args + own_flags[which].field;
    if (own_flags[which].kind == SWITCH)
        return take_switch((bool *)field, own_flags[which].name, value, why);
    if (!value) {
        snprintf(why, 256, "--%s wants a value: %s", own_flags[which].name, own_flags[which].help);
        return MW_ERR_BAD_ARG;
    }
    if (own_flags[which].kind == LIST)
        return take_item((struct mw_arg_list *)(void *)field, own_flags[which].name, value, why);
    *(const char **)field = value;
    return MW_OK;
}

/* A flag that the verb does not know is a mistake, wherever it stood. */
static int check_own_flags(const struct mw_args *args, char why[256])
{
    for (size_t i = 0; args->verb && i < MW_COUNT(own_flags); i++) {
        if (!is_given(args, i) || mw_list_has_token(mw_view_text(own_flags[i].verbs), args->verb))
            continue;
        snprintf(why, 256, "--%s is of %s, not of %.64s", own_flags[i].name, own_flags[i].verbs,
                 args->verb);
        return MW_ERR_BAD_ARG;
    }
    return MW_OK;
}

/* ---- the rest ---- */

/* --name value and --name=value; --name alone where it is a switch. */
static int take_flag(struct mw_args *args, int argc, char **argv, int *at, char why[256])
{
    struct mw_view text = mw_view_text(argv[*at] + 2);
    size_t equals = mw_view_find(text, '=', 0);
    const char *value = equals < text.len ? text.data + equals + 1 : 0;
    size_t own = own_flag(args, mw_view(text.data, equals));
    if (own < MW_COUNT(own_flags)) {
        if (!value && own_flags[own].kind != SWITCH && *at + 1 < argc)
            value = argv[++*at];
        return take_own_flag(args, own, value, why);
    }
    const char *key = mw_config_key_of_flag(mw_view(text.data, equals));
    if (!key)
        return unknown_flag(argv[*at], why);
    if (args->flag_count == (int)MW_COUNT(args->flags)) {
        snprintf(why, 256, "too many options");
        return MW_ERR_BAD_ARG;
    }
    if (!value && mw_config_flag_is_bare(key))
        value = "true";
    else if (!value && *at + 1 < argc)
        value = argv[++*at];
    if (!value) {
        snprintf(why, 256, "%.64s wants a value: %s", argv[*at], mw_config_flag_help(key));
        return MW_ERR_BAD_ARG;
    }
    args->flags[args->flag_count][0] = key;
    args->flags[args->flag_count++][1] = value;
    return MW_OK;
}

/* -H 'Cookie: a=b' */
static int take_letter(struct mw_args *args, int argc, char **argv, int *at, char why[256])
{
    char *flag = argv[*at];
    for (size_t i = 0; i < MW_COUNT(own_flags); i++) {
        if (!own_flags[i].letter || own_flags[i].letter != flag[1] || flag[2])
            continue;
        bool has_value = own_flags[i].kind != SWITCH && *at + 1 < argc;
        return take_own_flag(args, i, has_value ? argv[++*at] : 0, why);
    }
    return unknown_flag(flag, why);
}

/* Verbs that work on a script: a word that ends as its file does is one, and so is a second one. */
static bool is_script(const struct mw_args *args, const char *word)
{
    return mw_list_has_token(mw_view_text("reload,rollback"), args->verb) &&
           (mw_view_ends_with(mw_view_text(word), ".lua") || (args->dir && !args->script));
}

/* Verbs whose words are no folder, and how many they take. */
static const struct {
    const char *verb;
    size_t count;
    const char *what;
} own_words[] = {
    { "explain", 2, "one code, or two to compare" },
    { "why", 1, "one connection" },
    { "close", 3, "an id, a code, a reason" },
    { "bench", 1, "one URL" },
    { "connect", 1, "one URL" },
    { "doctor", 1, "one URL" },
};

/* Which of them; MW_COUNT(own_words): none. */
static size_t own_words_of(const char *verb)
{
    size_t i = 0;
    while (i < MW_COUNT(own_words) && strcmp(own_words[i].verb, verb))
        i++;
    return i;
}

/* A reason may well have a slash in it. */
static bool is_path(const struct mw_args *args, const char *word)
{
    return *word == '.' || *word == '/' || (strchr(word, '/') && !args->words[1]);
}

static bool is_word(const struct mw_args *args, const char *word)
{
    if (!strcmp(args->verb, "connect") || !strcmp(args->verb, "bench"))
        return true;
    if (!strcmp(args->verb, "doctor"))
        return strstr(word, "://") != 0;
    return own_words_of(args->verb) < MW_COUNT(own_words) && (args->dir || !is_path(args, word));
}

static int take_own_word(struct mw_args *args, const char *word, char why[256])
{
    size_t which = own_words_of(args->verb);
    for (size_t i = 0; i < own_words[which].count; i++) {
        if (args->words[i])
            continue;
        args->words[i] = word;
        return MW_OK;
    }
    snprintf(why, 256, "%s: what is \"%.64s\" for? a folder is written ./%.64s",
             own_words[which].what, word, word);
    return MW_ERR_BAD_ARG;
}

static int take_word(struct mw_args *args, const char *word, char why[256])
{
    if (!args->verb) {
        args->verb = word;
    } else if (is_word(args, word)) {
        return take_own_word(args, word, why);
    } else if (is_script(args, word) && !args->script) {
        args->script = word;
    } else if (is_script(args, word)) {
        snprintf(why, 256, "one script at a time: \"%.64s\" or \"%.64s\"?", args->script, word);
        return MW_ERR_BAD_ARG;
    } else if (!args->dir) {
        args->dir = word;
    } else {
        snprintf(why, 256, "one folder is enough: \"%.64s\" or \"%.64s\"?", args->dir, word);
        return MW_ERR_BAD_ARG;
    }
    return MW_OK;
}

void mw_args_settle_word(struct mw_args *args, bool (*is_folder)(const char *path))
{
    bool is_path = args->dir && (*args->dir == '/' || *args->dir == '.');
    if (!args->dir || args->script || is_path || is_folder(args->dir))
        return;
    args->script = args->dir;
    args->dir = 0;
}

int mw_args_parse(struct mw_args *args, int argc, char **argv, char why[256])
{
    *args = (struct mw_args){ 0 };
    int err = MW_OK;
    for (int i = 1; !err && i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            args->help = true;
        else if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "-V"))
            args->verb = "version";
        else if (!strncmp(argv[i], "--", 2) && argv[i][2])
            err = take_flag(args, argc, argv, &i, why);
        else if (argv[i][0] == '-' && argv[i][1])
            err = take_letter(args, argc, argv, &i, why);
        else
            err = take_word(args, argv[i], why);
    }
    return err ? err : check_own_flags(args, why);
}

int mw_args_apply(const struct mw_args *args, struct mw_config *config, char why[256])
{
    for (int i = 0; i < args->flag_count; i++) {
        int err = mw_config_set(config, mw_view_text(args->flags[i][0]),
                                mw_view_text(args->flags[i][1]), why);
        if (err)
            return err;
    }
    return MW_OK;
}
