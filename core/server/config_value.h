/* One option's value: its kind, its bounds, and the way from text to the field. For config. */
#ifndef MW_SERVER_CONFIG_VALUE_H
#define MW_SERVER_CONFIG_VALUE_H

#include "core/server/config.h"

enum mw_value_kind {
    MW_VALUE_TEXT,   /* char[MW_CONFIG_TEXT_MAX] */
    MW_VALUE_CHOICE, /* the same, one of `choices` */
    MW_VALUE_PATH,   /* the same, a path of requests or "off" */
    MW_VALUE_NUMBER, /* double */
    MW_VALUE_AUTO,   /* the same; "auto" is 0 */
    MW_VALUE_BOOL,   /* bool */
    MW_VALUE_NETS,   /* struct mw_config_nets */
};

struct mw_value_row {
    const char *key, *normal, *help;
    enum mw_value_kind kind;
    double least, most;         /* of the number, or of the text's length */
    size_t offset;              /* of the field in struct mw_config */
    const char *const *choices; /* NULL-terminated */
};

/*
 * Sets the field; a failed call leaves it as it was. `name` is how the key was written ("tls.cert",
 * "trusted_proxies[2]"). MW_OK, or MW_ERR_BAD_ARG with a sentence in `why`.
 */
int mw_value_set(const struct mw_value_row *row, struct mw_view name, void *field,
                 struct mw_view text, char why[256]);
/* The same from moonwire.lua, where a number is a number. `at` is its place in a list, from 1. */
int mw_value_set_scalar(const struct mw_value_row *row, void *field,
                        const struct mw_setting *setting, size_t at, char why[256]);

#endif
