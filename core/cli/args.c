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

/* --name value and --name=value; --name alone where it is a switch. */
static int take_flag(struct mw_args *args, int argc, char **argv, int *at, char why[256])
{
    struct mw_view text = mw_view_text(argv[*at] + 2);
    size_t equals = mw_view_find(text, '=', 0);
    const char *key = mw_config_key_of_flag(mw_view(text.data, equals));
    if (!key)
        return unknown_flag(argv[*at], why);
    if (args->flag_count == (int)MW_COUNT(args->flags)) {
        snprintf(why, 256, "too many options");
        return MW_ERR_BAD_ARG;
    }
    const char *value = 0;
    if (equals < text.len)
        value = text.data + equals + 1;
    else if (mw_config_flag_is_bare(key))
        value = "true";
    else if (*at + 1 < argc)
        value = argv[++*at];
    if (!value) {
        snprintf(why, 256, "%.64s wants a value: %s", argv[*at], mw_config_flag_help(key));
        return MW_ERR_BAD_ARG;
    }
    args->flags[args->flag_count][0] = key;
    args->flags[args->flag_count++][1] = value;
    return MW_OK;
}

static int take_word(struct mw_args *args, const char *word, char why[256])
{
    if (!args->verb) {
        args->verb = word;
    } else if (!args->dir) {
        args->dir = word;
    } else {
        snprintf(why, 256, "one folder is enough: \"%.64s\" or \"%.64s\"?", args->dir, word);
        return MW_ERR_BAD_ARG;
    }
    return MW_OK;
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
            err = unknown_flag(argv[i], why);
        else
            err = take_word(args, argv[i], why);
    }
    return err;
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
