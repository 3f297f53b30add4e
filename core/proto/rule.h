/* The rules a peer's bytes can break, as a table (rule.def). */
#ifndef MW_PROTO_RULE_H
#define MW_PROTO_RULE_H

enum mw_rule {
    MW_RULE_NONE,
#define MW_RULE(name, code, text) MW_RULE_##name,
#include "core/proto/rule.def"
#undef MW_RULE
};

/* The close code that answers the breach; 0 for NONE. */
unsigned mw_rule_code(enum mw_rule rule);
/* "RFC 6455 5.1: ..."; "" for NONE. Static. */
const char *mw_rule_text(enum mw_rule rule);
/* "UNMASKED": how wire cases name it. Static. */
const char *mw_rule_name(enum mw_rule rule);

#endif
