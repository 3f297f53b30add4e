/*
 * What the fuzz targets share: choices taken off the front of an input, bytes in blocks of exactly
 * their size, ways to cut them, and a check that ends the run. Header only: a target is one file.
 */
#ifndef MW_TESTS_FUZZ_H
#define MW_TESTS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/base/str.h"

/* What libFuzzer calls, and replay.c where it is not there. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Holds for every input, in every build. */
#define CHECK(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

_Noreturn static inline void fuzz_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

/* ---- choices ---- */

/* The next byte, which is no longer part of the input; 0 where nothing is left. */
static inline uint8_t take_byte(struct mw_view *input)
{
    if (input->len == 0)
        return 0;
    uint8_t byte = (uint8_t)input->data[0];
    *input = mw_view_from(*input, 1);
    return byte;
}

static inline size_t take_below(struct mw_view *input, size_t below)
{
    return take_byte(input) % below;
}

/* The next line without its end; the whole rest where there is none. */
static inline struct mw_view take_line(struct mw_view *input)
{
    size_t end = mw_view_find(*input, '\n', 0);
    struct mw_view line = mw_view(input->data, end);
    *input = mw_view_from(*input, end + 1);
    return line;
}

/* ---- blocks ---- */

/* A copy with nothing behind it that could be read unnoticed, not even a NUL; free() it. */
static inline char *exact_copy(struct mw_view bytes)
{
    char *copy = malloc(bytes.len ? bytes.len : 1);
    CHECK(copy != NULL);
    if (bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    return copy;
}

static inline void must_put(struct mw_buf *out, struct mw_view text)
{
    CHECK(mw_buf_put_view(out, text) == MW_OK);
}

/* A line of a transcript: a word and bytes, so that one never looks like another. */
static inline void tell(struct mw_buf *out, const char *word, struct mw_view bytes)
{
    CHECK(mw_buf_putf(out, "%s %zu ", word, bytes.len) == MW_OK);
    must_put(out, bytes);
    must_put(out, mw_view("\n", 1));
}

static inline bool same_text(const struct mw_buf *a, const struct mw_buf *b)
{
    return mw_view_equal(mw_buf_view(a), mw_buf_view(b));
}

/* ---- cuts ---- */

/* Longer bytes are cut into single ones from where these many are left: each is a call. */
#define CUT_BYTES 2000

enum cut { CUT_NOWHERE, CUT_EVERYWHERE, CUT_SOMEWHERE, CUT_WAYS };

struct cutter {
    enum cut cut;
    struct mw_rng rng;
};

static inline struct cutter cutter(enum cut cut, uint64_t seed)
{
    struct cutter cutter = { .cut = cut };
    mw_rng_seed(&cutter.rng, seed);
    return cutter;
}

/* Takes the next piece off the bytes; at least one byte, where there is one. */
static inline struct mw_view take_piece(struct cutter *cutter, struct mw_view *bytes)
{
    size_t len = bytes->len;
    if (cutter->cut == CUT_EVERYWHERE)
        len = len > CUT_BYTES ? 61 : 1;
    if (cutter->cut == CUT_SOMEWHERE)
        len = 1 + mw_rng_below(&cutter->rng, mw_rng_below(&cutter->rng, 4) ? 8 : 512);
    struct mw_view piece = mw_view(bytes->data, len < bytes->len ? len : bytes->len);
    *bytes = mw_view_from(*bytes, len);
    return piece;
}

#endif
