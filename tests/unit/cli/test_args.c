#include "core/cli/args.h"

#include "tests/unit/unit.h"

struct parsed {
    struct mw_args args;
    int err;
    char why[256];
};

/* Words of a command line, without the program's name; NULL ends them. */
static struct parsed parse(const char *const words[])
{
    struct parsed parsed = { .why = "" };
    char *argv[16] = { (char *)"moonwire" };
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    parsed.err = mw_args_parse(&parsed.args, argc, argv, parsed.why);
    return parsed;
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })

static void assert_applied(const struct parsed *parsed, const char *listen, const char *level)
{
    struct mw_config config;
    char why[256];
    mw_config_default(&config);
    assert_int_equal(parsed->err, MW_OK);
    assert_int_equal(mw_args_apply(&parsed->args, &config, why), MW_OK);
    assert_string_equal(config.listen, listen);
    assert_string_equal(config.log_level, level);
}

TEST(flags_may_stand_in_any_place_and_in_both_forms)
{
    const struct parsed table[] = {
        PARSE("serve", "app", "--listen", ":9000", "--log-level", "warn"),
        PARSE("--listen", ":9000", "serve", "--log-level=warn", "app"),
        PARSE("--log-level", "warn", "--listen=:9000", "serve", "app"),
        PARSE("serve", "--listen=:1", "app", "--log-level=warn", "--listen=:9000"), /* last wins */
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        assert_applied(&table[i], ":9000", "warn");
        assert_string_equal(table[i].args.verb, "serve");
        assert_string_equal(table[i].args.dir, "app");
    }
}

TEST(why_and_close_take_words_and_a_folder_that_looks_like_one)
{
    struct parsed why = PARSE("why", "100000003", "./app");
    assert_int_equal(why.err, MW_OK);
    assert_string_equal(why.args.words[0], "100000003");
    assert_string_equal(why.args.dir, "./app");
    struct parsed last = PARSE("why", "--last", "20", "/srv/app");
    assert_string_equal(last.args.last, "20");
    assert_string_equal(last.args.dir, "/srv/app");
    assert_null(last.args.words[0]);
    struct parsed end = PARSE("close", "./app", "3", "4001", "and/or else");
    assert_int_equal(end.err, MW_OK);
    assert_string_equal(end.args.dir, "./app");
    assert_string_equal(end.args.words[2], "and/or else");
    assert_int_equal(PARSE("why", "1", "2").err, MW_ERR_BAD_ARG);
    assert_non_null(strstr(PARSE("why", "1", "app").why, "a folder is written ./app"));
    assert_int_equal(PARSE("close", "1", "4001", "a", "b").err, MW_ERR_BAD_ARG);
    assert_int_equal(PARSE("close", "1", "--last", "2").err, MW_ERR_BAD_ARG);
}

TEST(some_verbs_take_a_script_and_flags_of_their_own)
{
    struct parsed back = PARSE("rollback", "chat.lua", "--to", "v7", "app");
    assert_int_equal(back.err, MW_OK);
    assert_string_equal(back.args.dir, "app");
    assert_string_equal(back.args.script, "chat.lua");
    assert_string_equal(back.args.to, "v7");
    assert_false(back.args.json);
    struct parsed load = PARSE("--json", "reload", "--admin-socket=s");
    assert_int_equal(load.err, MW_OK);
    assert_true(load.args.json);
    assert_false(PARSE("check", "--json=0").args.json);
    assert_true(PARSE("check", "--json=true").args.json);
    assert_null(load.args.script);
    assert_null(load.args.dir);
    struct parsed serve = PARSE("serve", "chat.lua"); /* a folder may be called so */
    assert_string_equal(serve.args.dir, "chat.lua");
}

static bool only_app_is_a_folder(const char *path)
{
    return strcmp(path, "app") == 0;
}

TEST(explain_takes_words_and_tells_them_from_a_folder)
{
    struct parsed pair = PARSE("explain", "1001", "1006", "--lang", "ja", "./app");
    assert_int_equal(pair.err, MW_OK);
    assert_string_equal(pair.args.words[0], "1001");
    assert_string_equal(pair.args.words[1], "1006");
    assert_string_equal(pair.args.lang, "ja");
    assert_string_equal(pair.args.dir, "./app");
    struct parsed all = PARSE("explain", "--all", "--markdown", "apps/chat");
    assert_int_equal(all.err, MW_OK);
    assert_true(all.args.all && all.args.markdown && !all.args.words[0]);
    assert_string_equal(all.args.dir, "apps/chat");
    assert_int_equal(PARSE("explain", "1", "2", "3").err, MW_ERR_BAD_ARG);
    assert_int_equal(PARSE("explain", "1006", "--lang").err, MW_ERR_BAD_ARG);
    assert_int_equal(PARSE("check", "--lang", "ko").err, MW_ERR_BAD_ARG);
}

TEST(a_script_may_be_named_without_its_suffix)
{
    struct {
        struct parsed parsed;
        const char *dir, *script;
    } table[] = {
        { PARSE("rollback", "chat"), NULL, "chat" },
        { PARSE("reload", "game/room"), NULL, "game/room" },
        { PARSE("reload", "app"), "app", NULL },
        { PARSE("reload", "app", "chat"), "app", "chat" },
        { PARSE("reload", "app", "chat.lua"), "app", "chat.lua" },
        { PARSE("reload", "chat.lua", "app"), "app", "chat.lua" },
        { PARSE("reload", "/no/such"), "/no/such", NULL },
        { PARSE("reload", "../app"), "../app", NULL },
        { PARSE("reload"), NULL, NULL },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct mw_args *args = &table[i].parsed.args;
        assert_int_equal(table[i].parsed.err, MW_OK);
        mw_args_settle_word(args, only_app_is_a_folder);
        assert_string_equal(args->dir ? args->dir : "none", table[i].dir ? table[i].dir : "none");
        assert_string_equal(args->script ? args->script : "none",
                            table[i].script ? table[i].script : "none");
    }
}

TEST(flags_of_other_verbs_are_refused_by_name)
{
    const struct {
        struct parsed parsed;
        const char *says;
    } table[] = {
        { PARSE("serve", "--json"),
          "--json is of bench,check,close,doctor,explain,reload,rollback,status,drain,simulate,"
          "why, not of serve" },
        { PARSE("reload", "--wait"), "--wait is of drain, not of reload" },
        { PARSE("--to", "7", "reload"), "--to is of rollback, not of reload" },
        { PARSE("rollback", "a.lua", "--to"), "--to wants a value: the number of a version" },
        { PARSE("check", "--json=yes"), "--json is a switch: true or false, not \"yes\"" },
        { PARSE("rollback", "a.lua", "b.lua"), "one script at a time" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        assert_int_equal(table[i].parsed.err, MW_ERR_BAD_ARG);
        assert_non_null(strstr(table[i].parsed.why, table[i].says));
    }
}

TEST(a_verb_alone_or_nothing_is_enough)
{
    struct parsed dev = PARSE("dev"), nothing = parse((const char *const[]){ NULL });
    assert_int_equal(dev.err, MW_OK);
    assert_string_equal(dev.args.verb, "dev");
    assert_null(dev.args.dir);
    assert_int_equal(nothing.err, MW_OK);
    assert_null(nothing.args.verb);
    assert_applied(&dev, "127.0.0.1:8080", "info");
}

TEST(a_value_may_be_empty_or_hold_an_equals_sign)
{
    struct parsed parsed = PARSE("dev", "--listen=a=b", "--log-level=");
    assert_int_equal(parsed.err, MW_OK);
    assert_string_equal(parsed.args.flags[0][1], "a=b");
    assert_string_equal(parsed.args.flags[1][1], "");
}

TEST(a_switch_takes_no_word_and_may_be_given_a_value)
{
    static const struct {
        const char *words[4];
        bool is_on;
    } table[] = {
        { { "dev", "--tls", "app" }, true },
        { { "--tls", "dev", "app" }, true },
        { { "dev", "--tls=true", "app" }, true },
        { { "dev", "--tls=false", "app" }, false },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct parsed parsed = parse(table[i].words);
        struct mw_config config;
        char why[256];
        mw_config_default(&config);
        assert_int_equal(parsed.err, MW_OK);
        assert_string_equal(parsed.args.dir, "app");
        assert_int_equal(mw_args_apply(&parsed.args, &config, why), MW_OK);
        assert_int_equal(config.tls.throw_away, table[i].is_on);
    }
}

TEST(connect_takes_a_url_and_flags_with_letters)
{
    struct parsed parsed = PARSE("connect", "-x", "-1", "ws://h/chat", "-x", "two", "-v", "--wait",
                                 "2", "--origin=https://o", "-s", "chat");
    assert_int_equal(parsed.err, MW_OK);
    assert_string_equal(parsed.args.words[0], "ws://h/chat");
    assert_int_equal(parsed.args.sends.count, 2);
    assert_string_equal(parsed.args.sends.items[0], "-1");
    assert_string_equal(parsed.args.sends.items[1], "two");
    assert_string_equal(parsed.args.stay, "2");
    assert_string_equal(parsed.args.protocols.items[0], "chat");
    assert_string_equal(parsed.args.origin, "https://o");
    assert_true(parsed.args.verbose);
}

TEST(a_flag_of_two_verbs_is_the_one_of_its_own)
{
    struct parsed drain = PARSE("drain", "--wait", "app");
    assert_int_equal(drain.err, MW_OK);
    assert_true(drain.args.wait);
    assert_string_equal(drain.args.dir, "app");
    struct parsed connect = PARSE("connect", "h", "-w", "0.5");
    assert_int_equal(connect.err, MW_OK);
    assert_string_equal(connect.args.stay, "0.5");
    assert_false(connect.args.wait);
}

TEST(help_and_version_are_known_in_both_forms)
{
    assert_true(PARSE("--help").args.help);
    assert_true(PARSE("serve", "-h").args.help);
    assert_string_equal(PARSE("--version").args.verb, "version");
    assert_string_equal(PARSE("-V").args.verb, "version");
}

TEST(what_cannot_be_meant_is_refused_with_what_may_have_been)
{
    static const struct {
        const char *words[5];
        const char *says;
    } table[] = {
        { { "serve", "--listne", ":9000" }, "there is no option --listne; did you mean --listen?" },
        { { "--log-levl=info" }, "did you mean --log-level?" },
        { { "serve", "--wobble" }, "there is no option --wobble; see moonwire --help" },
        { { "-q" }, "there is no option -q" },
        { { "serve", "-x", "hello" }, "--send is of connect, not of serve" },
        { { "connect", "--restart" }, "--restart is of drain, not of connect" },
        { { "serve", "a", "b" }, "one folder is enough: \"a\" or \"b\"?" },
        { { "serve", "--listen" }, "--listen wants a value" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct parsed parsed = parse(table[i].words);
        assert_int_equal(parsed.err, MW_ERR_BAD_ARG);
        assert_non_null(strstr(parsed.why, table[i].says));
    }
}

TEST(a_wrong_value_is_refused_when_it_is_applied)
{
    struct parsed parsed = PARSE("serve", "--log-format", "xml");
    struct mw_config config;
    char why[256];
    mw_config_default(&config);
    assert_int_equal(parsed.err, MW_OK);
    assert_int_equal(mw_args_apply(&parsed.args, &config, why), MW_ERR_BAD_ARG);
    assert_non_null(strstr(why, "xml"));
}

TEST(too_many_options_are_refused)
{
    const char *words[70] = { "serve" };
    char *argv[71] = { (char *)"moonwire" };
    for (size_t i = 1; i < 69; i++)
        words[i] = "--listen=:1";
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    struct mw_args args;
    char why[256];
    assert_int_equal(mw_args_parse(&args, argc, argv, why), MW_ERR_BAD_ARG);
    assert_non_null(strstr(why, "too many"));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(flags_may_stand_in_any_place_and_in_both_forms),
        CASE(why_and_close_take_words_and_a_folder_that_looks_like_one),
        CASE(some_verbs_take_a_script_and_flags_of_their_own),
        CASE(explain_takes_words_and_tells_them_from_a_folder),
        CASE(a_script_may_be_named_without_its_suffix),
        CASE(flags_of_other_verbs_are_refused_by_name),
        CASE(a_verb_alone_or_nothing_is_enough),
        CASE(a_value_may_be_empty_or_hold_an_equals_sign),
        CASE(a_switch_takes_no_word_and_may_be_given_a_value),
        CASE(connect_takes_a_url_and_flags_with_letters),
        CASE(a_flag_of_two_verbs_is_the_one_of_its_own),
        CASE(help_and_version_are_known_in_both_forms),
        CASE(what_cannot_be_meant_is_refused_with_what_may_have_been),
        CASE(a_wrong_value_is_refused_when_it_is_applied),
        CASE(too_many_options_are_refused),
    };
    return RUN(cases);
}
