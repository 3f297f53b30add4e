/*
 * Rows of rule.def by number. Looks nothing up at run time; asked when a connection is being
 * failed.
 */
#include "core/proto/rule.h"

#include "core/base/check.h"

struct row {
    const char *name, *text;
    unsigned code;
};

static const struct row rows[] = {
    [MW_RULE_NONE] = { "NONE", "", 0 },
#define MW_RULE(rule_name, close_code, sentence) \
    [MW_RULE_##rule_name] = { #rule_name, sentence, close_code },
#include "core/proto/rule.def"
#undef MW_RULE
};

static const struct row *row_of(enum mw_rule rule)
{
    size_t index = (size_t)rule;
    return MW_ALWAYS(index < MW_COUNT(rows)) ? &rows[index] : &rows[MW_RULE_NONE];
}

unsigned mw_rule_code(enum mw_rule rule)
{
    return row_of(rule)->code;
}

const char *mw_rule_text(enum mw_rule rule)
{
    return row_of(rule)->text;
}

const char *mw_rule_name(enum mw_rule rule)
{
    return row_of(rule)->name;
}
