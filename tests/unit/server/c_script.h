/*
 * A script of the C engine (c_engine.h): its lines, and what they say of its route.
 */
#ifndef MW_TESTS_SERVER_C_SCRIPT_H
#define MW_TESTS_SERVER_C_SCRIPT_H

#include "core/base/mem.h"
#include "moonwire/app.h"

struct version {
    struct mw_mem *mem;
    char *text;
    size_t len;
    struct mw_view protocol, origin;
    struct mw_route_spec spec;
};

/* The rest of the n-th line that begins with this word. */
bool line_of(const struct version *version, const char *word, size_t n, struct mw_view *rest);
/* "403 not you": takes the number off. */
unsigned take_number(struct mw_view *rest);

/* mem, text and len are set. */
void fill_spec(struct version *version);
void version_free(struct version *version);
/* NULL, or what is wrong. */
const char *judge(const struct version *version, const struct mw_sources *sources);

#endif
