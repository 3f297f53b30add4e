/*
 * What the tests of this folder share: cmocka's includes, bytes written as text, and a failure that
 * names the case. Notation of bytes: hex pairs, 'text' in single quotes, blanks between: "81 05
 * 'Hello'".
 */
#ifndef MW_TESTS_PROTO_TEST_H
#define MW_TESTS_PROTO_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/check.h"
#include "core/base/mem.h"

static inline int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* Writes the bytes of `notation` to out and returns how many; fails the test where it cannot be
 * read. */
static inline size_t bytes_of(const char *notation, uint8_t *out, size_t max)
{
    size_t n = 0;
    bool quoted = false;
    for (const char *at = notation; *at; at++) {
        if (*at == '\'') {
            quoted = !quoted;
            continue;
        }
        if (!quoted && *at == ' ')
            continue;
        int high = quoted ? 0 : hex_digit(at[0]);
        int low = quoted ? 0 : high < 0 ? -1 : hex_digit(at[1]);
        if (low < 0 || n == max)
            fail_msg("cannot read the bytes \"%s\"", notation);
        out[n++] = quoted ? (uint8_t)*at : (uint8_t)(high * 16 + low);
        at += quoted ? 0 : 1;
    }
    return n;
}

/* A copy of exactly this size, so that a sanitizer sees a read behind it. Free it. */
static inline char *exact_copy(const void *bytes, size_t len)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

#define assert_view_is(view, text)                                                                 \
    do {                                                                                           \
        struct mw_view seen_ = (view);                                                             \
        assert_int_equal(seen_.len, strlen(text));                                                 \
        if (seen_.len)                                                                             \
            assert_memory_equal(seen_.data, text, seen_.len);                                      \
    } while (0)

#define assert_nothing_held(mem) assert_true(mw_mem_is_empty(mem))

#endif
