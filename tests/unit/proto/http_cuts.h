/*
 * Reads an HTTP head in pieces and tells in one line of text what the reader said: the head and
 * what it used, or status and name of the refusal.
 */
#ifndef MW_TESTS_PROTO_HTTP_CUTS_H
#define MW_TESTS_PROTO_HTTP_CUTS_H

#include <stdio.h>

#include "core/proto/http.h"
#include "tests/unit/proto/notation.h"

struct answer {
    char text[1024];
    size_t used; /* of the whole input */
};

static inline size_t tell_view(char *out, size_t room, const char *label, struct mw_view view)
{
    int len = snprintf(out, room, "%s%.*s", label, (int)view.len, view.len ? view.data : "");
    assert_in_range(len, 0, room - 1);
    return (size_t)len;
}

static inline void tell_head(struct answer *answer, const struct mw_http_head *head)
{
    char *at = answer->text;
    size_t room = sizeof answer->text, n = 0;
    if (head->status)
        n += (size_t)snprintf(at, room, "%u", head->status);
    n += tell_view(at + n, room - n, "", head->method);
    if (!head->status)
        n += tell_view(at + n, room - n, " ", head->target);
    n += (size_t)snprintf(at + n, room - n, " %u.%u%s%s", head->major, head->minor,
                          head->keep_alive ? " alive" : "", head->has_body ? " body" : "");
    for (size_t i = 0; i < head->header_count; i++) {
        n += tell_view(at + n, room - n, " | ", head->headers[i].name);
        n += tell_view(at + n, room - n, "=", head->headers[i].value);
    }
}

/* Feeds one block of exactly this size. True: go on. */
static inline bool feed(struct mw_http_reader *reader, const char *bytes, size_t len,
                        struct answer *answer)
{
    struct mw_http_refusal refusal = { 0 };
    size_t used = 0;
    char *block = exact_copy(bytes, len);
    int err = mw_http_reader_feed(reader, mw_view(block, len), &used, &refusal);
    free(block);
    answer->used += used;
    if (err == MW_ERR_AGAIN) {
        assert_int_equal(used, len);
        return true;
    }
    if (err == MW_OK)
        tell_head(answer, mw_http_reader_head(reader));
    else if (err == MW_ERR_NOMEM)
        snprintf(answer->text, sizeof answer->text, "nomem");
    else {
        assert_int_equal(err, MW_ERR_PROTOCOL);
        assert_true(strlen(refusal.text) > 20);
        snprintf(answer->text, sizeof answer->text, "%u %s", refusal.status, refusal.error);
    }
    return false;
}

static inline struct answer run(enum mw_http_kind kind, struct mw_view input, size_t first,
                                size_t step)
{
    struct answer answer = { "more", 0 };
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_http_reader *reader = mw_http_reader_new(&mem, kind);
    assert_non_null(reader);
    assert_true(mw_http_reader_is_fresh(reader));
    size_t at = first < input.len ? first : input.len;
    bool more = feed(reader, input.data, at, &answer);
    while (more && at < input.len) {
        size_t left = input.len - at, len = left < step ? left : step;
        more = feed(reader, input.data + at, len, &answer);
        at += len;
    }
    mw_http_reader_free(reader);
    assert_mem_empty(&mem);
    return answer;
}

static inline void expect(const char *name, struct answer seen, const char *expected, size_t used)
{
    if (strcmp(seen.text, expected) != 0)
        fail_msg("%s:\n  said     %s\n  expected %s", name, seen.text, expected);
    if (used != SIZE_MAX && seen.used != used)
        fail_msg("%s: used %zu bytes, expected %zu", name, seen.used, used);
}

static inline void check_every_cut(const char *name, enum mw_http_kind kind, struct mw_view input,
                                   const char *expected, size_t used)
{
    for (size_t first = 0; first <= input.len; first++)
        expect(name, run(kind, input, first, input.len), expected, used);
    for (size_t step = 1; step < 5; step++)
        expect(name, run(kind, input, 0, step), expected, used);
}

#endif
