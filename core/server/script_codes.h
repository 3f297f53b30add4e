/* What the scripts of a worker say about close codes of their own (M.codes). */
#ifndef MW_SERVER_SCRIPT_CODES_H
#define MW_SERVER_SCRIPT_CODES_H

#include "core/base/json.h"
#include "core/explain/here.h"

struct mw_code_spec;
struct mw_worker;

/* Texts are cut at these, on a code point. */
#define MW_SCRIPT_CODE_SCRIPT 64
#define MW_SCRIPT_CODE_TEXT   128
#define MW_SCRIPT_CODE_FIX    256
/* More are not told of at once. */
#define MW_SCRIPT_CODES_MAX 256

/* A copy of a row, for another thread. */
struct mw_script_code {
    unsigned code;
    struct mw_advice advice;
    char script[MW_SCRIPT_CODE_SCRIPT], text[MW_SCRIPT_CODE_TEXT], fix[MW_SCRIPT_CODE_FIX];
};

/* The rows about `code`, at most `room`, until the next version of any script. Gives how many. */
size_t mw_script_codes_of(const struct mw_worker *worker, unsigned code, struct mw_here_code *out,
                          size_t room);

void mw_script_code_copy(struct mw_script_code *out, struct mw_view script,
                         const struct mw_code_spec *row);

/*
 * Gives copies of all rows, *count of them (to be freed with mw_script_codes_free), or NULL where
 * there is none or, with *count above 0, no memory.
 */
struct mw_script_code *mw_script_codes_copy(const struct mw_worker *worker, struct mw_mem *mem,
                                            size_t *count);
void mw_script_codes_free(struct mw_mem *mem, struct mw_script_code *codes, size_t count);

/*
 * An array of objects: code, script, text, retry where it is said (with after_ms, spread_ms and
 * resume = false where one comes back), fix where there is one.
 */
void mw_script_codes_json(const struct mw_script_code *codes, size_t count,
                          struct mw_json_writer *json);

#endif
