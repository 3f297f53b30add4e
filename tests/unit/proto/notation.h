/*
 * Bytes as text for the tests of this folder: hex pairs, 'text' in single quotes, blanks between:
 * "81 05 'Hello'".
 */
#ifndef MW_TESTS_PROTO_NOTATION_H
#define MW_TESTS_PROTO_NOTATION_H

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static inline int digit_of(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* Writes the bytes of `notation` to out and returns how many; fails the test where it is none. */
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
        int high = quoted ? 0 : digit_of(at[0]);
        int low = quoted || high < 0 ? high : digit_of(at[1]);
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

#endif
