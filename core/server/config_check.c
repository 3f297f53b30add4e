/*
 * Options that are right one by one and contradict each other. Changes nothing. Called by cli when
 * all sources have been read.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/server/config.h"

/* How the files of pair `i` are called in errors. */
static void name_pair(size_t i, char out[32])
{
    if (i == 0)
        memcpy(out, "tls", sizeof "tls");
    else
        snprintf(out, 32, "tls.certificates[%zu]", i);
}

static bool pairs_are_whole(const struct mw_config_tls *tls, char why[256])
{
    char name[32];
    for (size_t i = 0; i < MW_COUNT(tls->pairs); i++) {
        const struct mw_config_pair *pair = &tls->pairs[i];
        if (!*pair->cert == !*pair->key)
            continue;
        const char *has = *pair->cert ? "cert" : "key", *lacks = *pair->cert ? "key" : "cert";
        name_pair(i, name);
        snprintf(why, 256, "%s.%s = \"%.100s\" comes without %s.%s: name the file of the %s too",
                 name, has, *pair->cert ? pair->cert : pair->key, name, lacks,
                 *pair->cert ? "private key" : "certificate");
        return false;
    }
    return true;
}

static const char *contradiction(const struct mw_config *config)
{
    const struct mw_config_tls *tls = &config->tls;
    struct mw_config without = *config;
    without.tls.throw_away = false;
    bool has_files = mw_config_has_tls(&without);
    bool asks = mw_config_client(config) != MW_TLS_CLIENT_NONE;
    const struct {
        bool is_so;
        const char *text;
    } table[] = {
        { tls->throw_away && !config->dev,
          "tls = true makes a throw-away certificate, which is for moonwire dev: give serve "
          "--tls-cert FILE and --tls-key FILE" },
        { tls->throw_away && has_files, "tls = true makes a throw-away certificate, but tls.cert "
                                        "or tls.certificates names files: "
                                        "leave out one of the two" },
        { asks && !*tls->client_ca,
          "tls.client asks for certificates, but tls.client_ca does not say who signs them: name "
          "the file" },
        { *tls->client_ca && !asks,
          "tls.client_ca is given, but tls.client = \"none\" asks for no certificate: set it to "
          "\"optional\" or \"required\"" },
        { asks && !mw_config_has_tls(config),
          "tls.client asks for certificates, but there is no TLS: give tls.cert and tls.key" },
        { config->proxy_protocol && config->trusted.count == 0,
          "proxy_protocol = true believes nobody as long as trusted_proxies is empty: list the "
          "networks of your proxies" },
        { strcmp(config->metrics_path, "off") != 0 &&
              (!strcmp(config->metrics_path, config->health_live) ||
               !strcmp(config->metrics_path, config->health_ready)),
          "metrics.path is a path of health.live or health.ready, which would go before it" },
        { !strcmp(config->health_live, config->health_ready) &&
              strcmp(config->health_live, "off") != 0,
          "health.live and health.ready are one path: it could only tell one of the two" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        if (table[i].is_so)
            return table[i].text;
    }
    return 0;
}

int mw_config_check(const struct mw_config *config, char why[256])
{
    if (!pairs_are_whole(&config->tls, why))
        return MW_ERR_BAD_ARG;
    const char *text = contradiction(config);
    if (text)
        snprintf(why, 256, "%s", text);
    return text ? MW_ERR_BAD_ARG : MW_OK;
}
