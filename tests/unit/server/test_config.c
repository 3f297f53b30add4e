#include "core/server/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/str.h"
#include "tests/unit/unit.h"

static int set(struct mw_config *config, const char *key, const char *text, char why[256])
{
    return mw_config_set(config, mw_view_text(key), mw_view_text(text), why);
}

static bool same(double a, double b)
{
    return a <= b && a >= b;
}

TEST(the_defaults_are_those_of_the_table)
{
    struct mw_config config;
    struct mw_option_help help;
    size_t n = 0;
    mw_config_default(&config);
    assert_string_equal(config.listen, "127.0.0.1:8080");
    assert_string_equal(config.log_format, "auto");
    assert_int_equal(mw_config_level(&config), MW_LOG_INFO);
    assert_true(same(config.script_memory, 64.0 * 1024 * 1024));
    assert_true(same(config.script_string, 1310720));
    assert_true(same(config.script_cpu, 200));
    assert_true(same(config.script_cpu_warn, 20));
    assert_true(same(config.compression_memory, 32.0 * 1024 * 1024));
    assert_true(same(config.drain_rate, 500));
    assert_true(same(config.drain_grace, 2));
    assert_true(same(config.drain_timeout, 25));
    assert_string_equal(config.admin_socket, "data/moonwire.sock");
    assert_string_equal(config.metrics_path, "off");
    assert_false(config.auto_rollback);
    for (; mw_config_help(n, &help); n++) {
        const char *key = mw_config_key_of_flag(mw_view_text(help.flag));
        char why[256];
        assert_non_null(key);
        assert_int_equal(set(&config, key, help.normal, why), MW_OK);
        assert_true(strlen(help.text) >= 10);
    }
    assert_int_equal(n, 34);
    assert_false(mw_config_has_tls(&config));
    assert_int_equal(mw_config_least_version(&config), MW_TLS_1_2);
    assert_int_equal(mw_config_client(&config), MW_TLS_CLIENT_NONE);
    assert_true(same(config.tls.ticket_lifetime, 86400));
    assert_int_equal(config.trusted.count, 0);
    assert_int_equal(mw_config_forwarded_by(&config), MW_FORWARDED_BY_X_FORWARDED_FOR);
    assert_false(config.proxy_protocol);
}

TEST(good_values_are_taken)
{
    struct mw_config config;
    char why[256];
    mw_config_default(&config);
    assert_int_equal(set(&config, "listen", "[::1]:9000", why), MW_OK);
    assert_string_equal(config.listen, "[::1]:9000");
    assert_int_equal(set(&config, "log.format", "json", why), MW_OK);
    assert_string_equal(config.log_format, "json");
    assert_int_equal(set(&config, "trusted_header", "forwarded", why), MW_OK);
    assert_int_equal(mw_config_forwarded_by(&config), MW_FORWARDED_BY_FORWARDED);
    assert_int_equal(set(&config, "drain.timeout", "1.5", why), MW_OK);
    assert_true(same(config.drain_timeout, 1.5));
    static const char *const levels[] = { "debug", "info", "warn", "error" };
    for (size_t i = 0; i < MW_COUNT(levels); i++) {
        assert_int_equal(set(&config, "log.level", levels[i], why), MW_OK);
        assert_int_equal(mw_config_level(&config), i);
    }
}

TEST(workers_are_a_whole_number_or_as_many_as_there_are_processors)
{
    struct mw_config config;
    char why[256];
    mw_config_default(&config);
    assert_int_equal(mw_config_workers(&config), 1);
    assert_int_equal(set(&config, "workers", "64", why), MW_OK);
    assert_int_equal(mw_config_workers(&config), 64);
    static const char *const wrong[] = { "0", "65", "1.5", "-1", "many", "" };
    for (size_t i = 0; i < MW_COUNT(wrong); i++)
        assert_int_equal(set(&config, "workers", wrong[i], why), MW_ERR_BAD_ARG);
    assert_non_null(strstr(why, "a whole number from 1 to 64 or \"auto\""));
    assert_int_equal(mw_config_workers(&config), 64);
    assert_int_equal(set(&config, "workers", "auto", why), MW_OK);
    assert_in_range(mw_config_workers(&config), 1, MW_CONFIG_MAX_WORKERS);
}

TEST(a_switch_is_true_or_false_in_words_or_digits)
{
    static const struct {
        const char *text;
        bool value;
    } table[] = { { "true", true }, { "false", false }, { "1", true }, { "0", false } };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct mw_config config;
        char why[256];
        mw_config_default(&config);
        config.proxy_protocol = !table[i].value;
        assert_int_equal(set(&config, "proxy_protocol", table[i].text, why), MW_OK);
        assert_int_equal(config.proxy_protocol, table[i].value);
    }
}

static bool trusts(const struct mw_config *config, const char *text)
{
    struct mw_ip ip;
    assert_true(mw_ip_parse(mw_view_text(text), &ip));
    return mw_config_trusts(config, &ip);
}

TEST(networks_are_a_list_with_commas)
{
    struct mw_config config;
    char why[256];
    mw_config_default(&config);
    assert_false(trusts(&config, "10.1.2.3"));
    assert_int_equal(set(&config, "trusted_proxies", "10.0.0.0/8, ::1,192.0.2.7", why), MW_OK);
    assert_int_equal(config.trusted.count, 3);
    assert_true(trusts(&config, "10.1.2.3"));
    assert_true(trusts(&config, "::1"));
    assert_true(trusts(&config, "192.0.2.7"));
    assert_false(trusts(&config, "192.0.2.8"));
    assert_int_equal(set(&config, "trusted_proxies", "", why), MW_OK);
    assert_false(trusts(&config, "::1"));
}

static int set_item(struct mw_config *config, const char *key, const char *text, char why[256])
{
    const struct mw_setting setting = {
        .key = mw_view_text(key),
        .kind = MW_SETTING_TEXT,
        .text = mw_view_text(text),
    };
    return mw_config_set_scalar(config, &setting, why);
}

TEST(a_list_of_a_script_comes_item_by_item_and_replaces_what_was_there)
{
    struct mw_config config;
    char why[256], key[32];
    mw_config_default(&config);
    assert_int_equal(set(&config, "trusted_proxies", "10.0.0.0/8,::1", why), MW_OK);
    assert_int_equal(set_item(&config, "trusted_proxies[1]", "192.0.2.0/24", why), MW_OK);
    assert_int_equal(set_item(&config, "trusted_proxies[2]", "198.51.100.1", why), MW_OK);
    assert_int_equal(config.trusted.count, 2);
    assert_true(trusts(&config, "198.51.100.1"));
    assert_false(trusts(&config, "10.0.0.1"));
    assert_int_equal(set_item(&config, "trusted_proxies[4]", "::1", why), MW_ERR_BAD_ARG);
    assert_int_equal(set_item(&config, "trusted_proxies[3]", "::1,::2", why), MW_ERR_BAD_ARG);
    assert_non_null(strstr(why, "trusted_proxies[3] = \"::1,::2\""));
    for (size_t i = 3; i <= MW_CONFIG_MAX_NETS; i++) {
        snprintf(key, sizeof key, "trusted_proxies[%zu]", i);
        assert_int_equal(set_item(&config, key, "::1", why), MW_OK);
    }
    assert_int_equal(set_item(&config, "trusted_proxies[65]", "::1", why), MW_ERR_BAD_ARG);
    assert_int_equal(set_item(&config, "trusted_proxies", "::3, ::4", why), MW_OK);
    assert_int_equal(config.trusted.count, 2);
}

TEST(certificates_of_a_script_are_a_list_of_pairs)
{
    struct mw_config config;
    char why[256];
    mw_config_default(&config);
    assert_int_equal(set_item(&config, "tls.certificates[2].key", "b.key", why), MW_OK);
    assert_int_equal(set_item(&config, "tls.certificates[1].cert", "a.pem", why), MW_OK);
    assert_int_equal(set_item(&config, "tls.certificates[16].cert", "p.pem", why), MW_OK);
    assert_string_equal(config.tls.pairs[1].cert, "a.pem");
    assert_string_equal(config.tls.pairs[2].key, "b.key");
    assert_string_equal(config.tls.pairs[16].cert, "p.pem");
    assert_true(mw_config_has_tls(&config));
    assert_int_equal(set_item(&config, "tls.certificates[17].cert", "q", why), MW_ERR_BAD_ARG);
    assert_non_null(strstr(why, "room for 16"));
    static const char *const unknown[] = {
        "tls.certificates[].cert",  "tls.certificates[0].cert",   "tls.certificates[x].cert",
        "tls.certificates.cert",    "tls.certificates[1]",        "tls.certificates",
        "tls.certificates[1].file", "tls.certificates[1][1].key", "tls.cert[1]",
    };
    for (size_t i = 0; i < MW_COUNT(unknown); i++)
        assert_int_equal(set_item(&config, unknown[i], "x", why), MW_ERR_NOT_FOUND);
    assert_int_equal(set(&config, "tls.certificates[1].cert", "x", why), MW_ERR_NOT_FOUND);
    assert_int_equal(set(&config, "tls.certificates[].cert", "x", why), MW_ERR_NOT_FOUND);
}

TEST(wrong_values_are_refused_with_what_is_wanted_and_change_nothing)
{
    static char long_text[300];
    memset(long_text, 'x', sizeof long_text - 1);
    char many_nets[1024] = "";
    for (unsigned i = 1; i <= MW_CONFIG_MAX_NETS + 2; i++)
        snprintf(many_nets + strlen(many_nets), 16, "%s::%u", i > 1 ? "," : "", i);
    const struct {
        const char *key, *text, *says;
    } table[] = {
        { "log.format", "xml", "auto, human or json" },
        { "log.format", "", "auto, human or json" },
        { "log.level", "Info", "debug, info, warn or error" },
        { "listen", "", "ADDRESS:PORT" },
        { "listen", long_text, "ADDRESS:PORT" },
        { "drain.timeout", "soon", "from 1 to 600" },
        { "drain.timeout", "-1", "from 1 to 600" },
        { "drain.timeout", "1e9", "from 1 to 600" },
        { "drain.timeout", "nan", "from 1 to 600" },
        { "drain.timeout", "inf", "from 1 to 600" },
        { "drain.timeout", "5s", "from 1 to 600" },
        { "drain.timeout", "", "from 1 to 600" },
        { "drain.timeout", long_text, "from 1 to 600" },
        { "script.memory", "1000", "from 1048576" },
        { "tls", "yes", "true or false" },
        { "proxy_protocol", "", "true or false" },
        { "trusted_proxies", "10.0.0.0/33", "10.0.0.0/8, ::1" },
        { "trusted_proxies", "::1,10.0.0.1/8", "= \"10.0.0.1/8\": " },
        { "trusted_proxies", "10.0.0.1/8", "with zeros behind the prefix" },
        { "trusted_proxies", "::1,,::2", "= \"\": " },
        { "trusted_proxies", many_nets, "= \"::65\": " },
        { "trusted_proxies", many_nets, "64 at most" },
        { "trusted_proxies", "everybody", "10.0.0.0/8, ::1" },
        { "tls.least_version", "1.1", "1.2 or 1.3" },
        { "tls.client", "maybe", "none, optional or required" },
        { "tls.cert", long_text, "PEM" },
        { "tls.ticket_lifetime", "604801", "from 0 to 604800" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct mw_config config, before;
        char why[256] = "";
        memset(&config, 0, sizeof config);
        mw_config_default(&config);
        before = config;
        assert_int_equal(set(&config, table[i].key, table[i].text, why), MW_ERR_BAD_ARG);
        assert_non_null(strstr(why, table[i].says));
        assert_non_null(strstr(why, table[i].key));
        assert_memory_equal(&config, &before, sizeof config);
    }
}

TEST(an_unknown_option_is_refused_with_the_nearest_one)
{
    struct mw_config config;
    char why[256];
    mw_config_default(&config);
    assert_int_equal(set(&config, "log.levle", "info", why), MW_ERR_NOT_FOUND);
    assert_non_null(strstr(why, "did you mean \"log.level\"?"));
    assert_int_equal(set(&config, "something else", "1", why), MW_ERR_NOT_FOUND);
    assert_null(strstr(why, "did you mean"));
}

TEST(settings_of_a_script_are_checked_by_type)
{
    static const struct {
        struct mw_setting setting;
        int err;
    } table[] = {
        { { MW_VIEW("listen"), MW_SETTING_TEXT, MW_VIEW(":9000"), 0, false }, MW_OK },
        { { MW_VIEW("listen"), MW_SETTING_NUMBER, { 0, 0 }, 9000, false }, MW_ERR_BAD_ARG },
        { { MW_VIEW("drain.timeout"), MW_SETTING_NUMBER, { 0, 0 }, 2.5, false }, MW_OK },
        { { MW_VIEW("drain.timeout"), MW_SETTING_NUMBER, { 0, 0 }, -1, false }, MW_ERR_BAD_ARG },
        { { MW_VIEW("drain.timeout"), MW_SETTING_TEXT, MW_VIEW("2"), 0, false }, MW_ERR_BAD_ARG },
        { { MW_VIEW("drain.timeout"), MW_SETTING_BOOL, { 0, 0 }, 0, true }, MW_ERR_BAD_ARG },
        { { MW_VIEW("log.level"), MW_SETTING_TEXT, MW_VIEW("loud"), 0, false }, MW_ERR_BAD_ARG },
        { { MW_VIEW("tls"), MW_SETTING_BOOL, { 0, 0 }, 0, true }, MW_OK },
        { { MW_VIEW("tls"), MW_SETTING_TEXT, MW_VIEW("true"), 0, false }, MW_ERR_BAD_ARG },
        { { MW_VIEW("tls.cert"), MW_SETTING_BOOL, { 0, 0 }, 0, true }, MW_ERR_BAD_ARG },
        { { MW_VIEW("tls.key"), MW_SETTING_TEXT, MW_VIEW("a\0b"), 0, false }, MW_ERR_BAD_ARG },
        { { MW_VIEW("tls.least_version"), MW_SETTING_NUMBER, { 0, 0 }, 1.3, false },
          MW_ERR_BAD_ARG },
        { { MW_VIEW("trusted_proxies[1]"), MW_SETTING_NUMBER, { 0, 0 }, 10, false },
          MW_ERR_BAD_ARG },
        { { MW_VIEW("log"), MW_SETTING_TEXT, MW_VIEW("json"), 0, false }, MW_ERR_NOT_FOUND },
        { { MW_VIEW("origins[1]"), MW_SETTING_TEXT, MW_VIEW("x"), 0, false }, MW_ERR_NOT_FOUND },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct mw_config config;
        char why[256] = "";
        mw_config_default(&config);
        assert_int_equal(mw_config_set_scalar(&config, &table[i].setting, why), table[i].err);
        assert_int_equal(strlen(why) > 0, table[i].err != MW_OK);
    }
}

TEST(a_setting_of_the_wrong_type_is_told_with_its_type)
{
    static const struct {
        struct mw_setting setting;
        const char *says;
    } table[] = {
        { { MW_VIEW("listen"), MW_SETTING_NUMBER, { 0, 0 }, 9000, false },
          "listen = 9000, a number: wanted is ADDRESS:PORT" },
        { { MW_VIEW("proxy_protocol"), MW_SETTING_TEXT, MW_VIEW("true"), 0, false },
          "proxy_protocol = \"true\", a text: true or false is wanted" },
        { { MW_VIEW("drain.timeout"), MW_SETTING_TEXT, MW_VIEW("2"), 0, false },
          "drain.timeout = \"2\", a text: a number" },
        { { MW_VIEW("tls.cert"), MW_SETTING_BOOL, { 0, 0 }, 0, true },
          "tls.cert = true: wanted is file" },
        { { MW_VIEW("trusted_proxies[1]"), MW_SETTING_NUMBER, { 0, 0 }, 10, false },
          "trusted_proxies[1] = 10, a number: wanted are addresses" },
        { { MW_VIEW("drain.timeout"), MW_SETTING_NUMBER, { 0, 0 }, -1, false },
          "drain.timeout = -1: a number from 1" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct mw_config config;
        char why[256];
        mw_config_default(&config);
        assert_int_equal(mw_config_set_scalar(&config, &table[i].setting, why), MW_ERR_BAD_ARG);
        assert_ptr_equal(strstr(why, table[i].says), why);
    }
}

TEST(the_environment_speaks_each_key_in_capitals)
{
    struct mw_config config;
    char why[256];
    mw_config_default(&config);
    setenv("MOONWIRE_LOG_LEVEL", "warn", 1);
    setenv("MOONWIRE_LISTEN", "127.0.0.1:1", 1);
    assert_int_equal(mw_config_from_environment(&config, why), MW_OK);
    assert_int_equal(mw_config_level(&config), MW_LOG_WARN);
    assert_string_equal(config.listen, "127.0.0.1:1");
    setenv("MOONWIRE_LOG_LEVEL", "loud", 1);
    assert_int_equal(mw_config_from_environment(&config, why), MW_ERR_BAD_ARG);
    assert_non_null(strstr(why, "MOONWIRE_LOG_LEVEL = \"loud\""));
    unsetenv("MOONWIRE_LOG_LEVEL");
    unsetenv("MOONWIRE_LISTEN");
}

TEST(a_key_with_an_underscore_keeps_it_in_the_environment)
{
    struct mw_config config;
    char why[256];
    mw_config_default(&config);
    setenv("MOONWIRE_TRUSTED_PROXIES", "::1", 1);
    setenv("MOONWIRE_TLS_CLIENT_CA", "ca.pem", 1);
    setenv("MOONWIRE_TLS", "1", 1);
    assert_int_equal(mw_config_from_environment(&config, why), MW_OK);
    assert_int_equal(config.trusted.count, 1);
    assert_string_equal(config.tls.client_ca, "ca.pem");
    assert_true(config.tls.throw_away);
    unsetenv("MOONWIRE_TRUSTED_PROXIES");
    unsetenv("MOONWIRE_TLS_CLIENT_CA");
    unsetenv("MOONWIRE_TLS");
}

TEST(flags_are_keys_with_dashes)
{
    char near[MW_CONFIG_FLAG_MAX];
    assert_string_equal(mw_config_key_of_flag(mw_view_text("trusted-proxies")), "trusted_proxies");
    assert_string_equal(mw_config_key_of_flag(mw_view_text("tls")), "tls");
    assert_string_equal(mw_config_key_of_flag(mw_view_text("tls-client-ca")), "tls.client_ca");
    assert_null(mw_config_key_of_flag(mw_view_text("tls-certificates[]-cert")));
    assert_true(mw_config_flag_is_bare("tls"));
    assert_false(mw_config_flag_is_bare("tls.cert"));
    assert_string_equal(mw_config_key_of_flag(mw_view_text("log-level")), "log.level");
    assert_string_equal(mw_config_key_of_flag(mw_view_text("listen")), "listen");
    assert_null(mw_config_key_of_flag(mw_view_text("log.level")));
    assert_null(mw_config_key_of_flag(mw_view_text("")));
    assert_true(mw_config_nearest_flag(mw_view_text("listne"), near));
    assert_string_equal(near, "listen");
    assert_false(mw_config_nearest_flag(mw_view_text("quite another"), near));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_defaults_are_those_of_the_table),
        CASE(good_values_are_taken),
        CASE(workers_are_a_whole_number_or_as_many_as_there_are_processors),
        CASE(a_switch_is_true_or_false_in_words_or_digits),
        CASE(networks_are_a_list_with_commas),
        CASE(a_list_of_a_script_comes_item_by_item_and_replaces_what_was_there),
        CASE(certificates_of_a_script_are_a_list_of_pairs),
        CASE(wrong_values_are_refused_with_what_is_wanted_and_change_nothing),
        CASE(an_unknown_option_is_refused_with_the_nearest_one),
        CASE(settings_of_a_script_are_checked_by_type),
        CASE(a_setting_of_the_wrong_type_is_told_with_its_type),
        CASE(the_environment_speaks_each_key_in_capitals),
        CASE(a_key_with_an_underscore_keeps_it_in_the_environment),
        CASE(flags_are_keys_with_dashes),
    };
    return RUN(cases);
}
