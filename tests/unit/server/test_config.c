#include "core/server/config.h"

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
    assert_true(same(config.compression_memory, 32.0 * 1024 * 1024));
    assert_true(same(config.stop_timeout, 5));
    for (; mw_config_help(n, &help); n++) {
        const char *key = mw_config_key_of_flag(mw_view_text(help.flag));
        char why[256];
        assert_non_null(key);
        assert_int_equal(set(&config, key, help.normal, why), MW_OK);
        assert_true(strlen(help.text) > 10);
    }
    assert_int_equal(n, 6);
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
    assert_int_equal(set(&config, "stop.timeout", "0.5", why), MW_OK);
    assert_true(same(config.stop_timeout, 0.5));
    static const char *const levels[] = { "debug", "info", "warn", "error" };
    for (size_t i = 0; i < MW_COUNT(levels); i++) {
        assert_int_equal(set(&config, "log.level", levels[i], why), MW_OK);
        assert_int_equal(mw_config_level(&config), i);
    }
}

TEST(wrong_values_are_refused_with_what_is_wanted_and_change_nothing)
{
    static char long_text[300];
    memset(long_text, 'x', sizeof long_text - 1);
    const struct {
        const char *key, *text, *says;
    } table[] = {
        { "log.format", "xml", "auto, human or json" },
        { "log.format", "", "auto, human or json" },
        { "log.level", "Info", "debug, info, warn or error" },
        { "listen", "", "ADDRESS:PORT" },
        { "listen", long_text, "ADDRESS:PORT" },
        { "stop.timeout", "soon", "from 0 to 3600" },
        { "stop.timeout", "-1", "from 0 to 3600" },
        { "stop.timeout", "1e9", "from 0 to 3600" },
        { "stop.timeout", "nan", "from 0 to 3600" },
        { "stop.timeout", "inf", "from 0 to 3600" },
        { "stop.timeout", "5s", "from 0 to 3600" },
        { "stop.timeout", "", "from 0 to 3600" },
        { "stop.timeout", long_text, "from 0 to 3600" },
        { "script.memory", "1000", "from 1048576" },
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
        { { MW_VIEW("stop.timeout"), MW_SETTING_NUMBER, { 0, 0 }, 2.5, false }, MW_OK },
        { { MW_VIEW("stop.timeout"), MW_SETTING_NUMBER, { 0, 0 }, -1, false }, MW_ERR_BAD_ARG },
        { { MW_VIEW("stop.timeout"), MW_SETTING_TEXT, MW_VIEW("2"), 0, false }, MW_ERR_BAD_ARG },
        { { MW_VIEW("stop.timeout"), MW_SETTING_BOOL, { 0, 0 }, 0, true }, MW_ERR_BAD_ARG },
        { { MW_VIEW("log.level"), MW_SETTING_TEXT, MW_VIEW("loud"), 0, false }, MW_ERR_BAD_ARG },
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
    assert_non_null(strstr(why, "loud"));
    unsetenv("MOONWIRE_LOG_LEVEL");
    unsetenv("MOONWIRE_LISTEN");
}

TEST(flags_are_keys_with_dashes)
{
    assert_string_equal(mw_config_key_of_flag(mw_view_text("log-level")), "log.level");
    assert_string_equal(mw_config_key_of_flag(mw_view_text("listen")), "listen");
    assert_null(mw_config_key_of_flag(mw_view_text("log.level")));
    assert_null(mw_config_key_of_flag(mw_view_text("")));
    assert_string_equal(mw_config_nearest_flag(mw_view_text("listne")), "listen");
    assert_null(mw_config_nearest_flag(mw_view_text("quite another")));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_defaults_are_those_of_the_table),
        CASE(good_values_are_taken),
        CASE(wrong_values_are_refused_with_what_is_wanted_and_change_nothing),
        CASE(an_unknown_option_is_refused_with_the_nearest_one),
        CASE(settings_of_a_script_are_checked_by_type),
        CASE(the_environment_speaks_each_key_in_capitals),
        CASE(flags_are_keys_with_dashes),
    };
    return RUN(cases);
}
