/*
 * The options of the server, from the rows of config.def. Later sources win: defaults,
 * moonwire.lua, environment, flags. Immutable once the server runs.
 */
#ifndef MW_SERVER_CONFIG_H
#define MW_SERVER_CONFIG_H

#include "moonwire/app.h"

#define MW_CONFIG_TEXT_MAX 128

struct mw_config {
    char listen[MW_CONFIG_TEXT_MAX];
    char log_format[MW_CONFIG_TEXT_MAX];
    char log_level[MW_CONFIG_TEXT_MAX];
    double compression_memory; /* bytes */
    double script_memory;      /* bytes */
    double stop_timeout;       /* s */
    bool dev;                  /* `moonwire dev`: goes on although no script loads */
    struct mw_view dir;        /* the project; borrowed */
};

void mw_config_default(struct mw_config *config);

/*
 * Sets one option from text or from a scalar of moonwire.lua. MW_OK; MW_ERR_NOT_FOUND: no such key;
 * MW_ERR_BAD_ARG. `why` then holds a sentence with the value and what to do.
 */
int mw_config_set(struct mw_config *config, struct mw_view key, struct mw_view text, char why[256]);
int mw_config_set_scalar(struct mw_config *config, const struct mw_setting *setting, char why[256]);

/* Everything set by MOONWIRE_* variables. As mw_config_set. */
int mw_config_from_environment(struct mw_config *config, char why[256]);

/* The key of a flag: "log-level" gives "log.level"; NULL: none. Static. */
const char *mw_config_key_of_flag(struct mw_view flag);
/* The nearest flag to a wrong one ("--listne"), or NULL. Static, without dashes. */
const char *mw_config_nearest_flag(struct mw_view flag);

/* What the value of an option is, by its key. Static. */
const char *mw_config_flag_help(const char *key);

/* For help: row n, from 0; false past the last. */
struct mw_option_help {
    const char *flag, *normal, *text;
};
bool mw_config_help(size_t n, struct mw_option_help *out);

enum mw_log_level mw_config_level(const struct mw_config *config);

#endif
