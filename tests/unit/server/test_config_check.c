/* Options that contradict each other. */
#include "core/server/config.h"

#include "tests/unit/unit.h"

struct given {
    const char *key, *text;
};

/* "" where nothing contradicts, else the sentence. */
static const char *check(bool dev, const struct given *given, size_t count)
{
    static char why[256];
    struct mw_config config;
    mw_config_default(&config);
    config.dev = dev;
    why[0] = '\0';
    for (size_t i = 0; i < count && given[i].key; i++) {
        const struct mw_setting setting = {
            .key = mw_view_text(given[i].key),
            .kind = MW_SETTING_TEXT,
            .text = mw_view_text(given[i].text),
        };
        bool is_switch = !strcmp(given[i].text, "true");
        int err = is_switch ? mw_config_set(&config, setting.key, setting.text, why)
                            : mw_config_set_scalar(&config, &setting, why);
        assert_int_equal(err, MW_OK);
    }
    int err = mw_config_check(&config, why);
    assert_int_equal(err, *why ? MW_ERR_BAD_ARG : MW_OK);
    return why;
}

TEST(what_belongs_together_is_accepted)
{
    static const struct given table[][5] = {
        { { 0 } },
        { { "tls", "true" } },
        { { "tls.cert", "a" }, { "tls.key", "b" } },
        { { "tls.certificates[2].cert", "a" }, { "tls.certificates[2].key", "b" } },
        { { "tls.cert", "a" },
          { "tls.key", "b" },
          { "tls.client", "required" },
          { "tls.client_ca", "c" } },
        { { "tls", "true" }, { "tls.client", "optional" }, { "tls.client_ca", "c" } },
        { { "trusted_proxies", "::1" } },
        { { "trusted_proxies", "::1" }, { "proxy_protocol", "true" } },
        { { "health.live", "off" }, { "health.ready", "off" } },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++)
        assert_string_equal(check(true, table[i], MW_COUNT(table[i])), "");
}

TEST(what_contradicts_is_refused_with_what_to_do)
{
    static const struct {
        struct given given[5];
        const char *says[2];
        bool serve;
    } table[] = {
        { { { "tls", "true" } }, { "moonwire dev", "--tls-cert FILE" }, true },
        { { { "tls", "true" }, { "tls.cert", "a" }, { "tls.key", "b" } },
          { "throw-away", "leave out one" },
          false },
        { { { "tls.cert", "a.pem" } },
          { "tls.cert = \"a.pem\" comes without tls.key", "private key" },
          false },
        { { { "tls.key", "b.pem" } },
          { "tls.key = \"b.pem\" comes without tls.cert", "certificate" },
          false },
        { { { "tls.certificates[3].cert", "x" } },
          { "tls.certificates[3].cert", "tls.certificates[3].key" },
          false },
        { { { "tls.cert", "a" }, { "tls.key", "b" }, { "tls.client", "required" } },
          { "tls.client_ca", "name the file" },
          false },
        { { { "tls.cert", "a" }, { "tls.key", "b" }, { "tls.client_ca", "c" } },
          { "tls.client = \"none\"", "\"required\"" },
          false },
        { { { "tls.client", "optional" }, { "tls.client_ca", "c" } },
          { "there is no TLS", "tls.cert" },
          false },
        { { { "proxy_protocol", "true" } }, { "trusted_proxies", "list" }, false },
        { { { "health.live", "/readyz" } }, { "health.live and health.ready", "one path" }, false },
        { { { "metrics.path", "/readyz" } }, { "metrics.path", "health.ready" }, false },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        const char *why = check(!table[i].serve, table[i].given, MW_COUNT(table[i].given));
        assert_non_null(strstr(why, table[i].says[0]));
        assert_non_null(strstr(why, table[i].says[1]));
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(what_belongs_together_is_accepted),
        CASE(what_contradicts_is_refused_with_what_to_do),
    };
    return RUN(cases);
}
