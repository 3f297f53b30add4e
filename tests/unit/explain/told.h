/* An explanation as text, for the tests of explain and of the renderers. */
#ifndef MW_TESTS_EXPLAIN_TOLD_H
#define MW_TESTS_EXPLAIN_TOLD_H

#include "core/explain/explain.h"
#include "core/explain/render.h"
#include "tests/unit/unit.h"

enum told_form { TOLD_TERMINAL, TOLD_JSON, TOLD_MARKDOWN, TOLD_HTML };

struct told {
    struct mw_mem mem;
    struct mw_buf out;
};

/* Appends one explanation; `words` are "1001 1006" or "peer_fin". */
int told_add(struct told *told, enum told_form form, enum mw_lang lang, const char *words,
             const struct mw_here *here, const struct mw_terminal *terminal);

/* The text of one explanation, at 80 columns, in English; until told_free. */
const char *told_text(struct told *told, enum told_form form, const char *words,
                      const struct mw_here *here);
void told_free(struct told *told);

static inline void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static inline void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is in:\n%s", part, text);
}

#endif
