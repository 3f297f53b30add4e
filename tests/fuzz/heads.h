/*
 * Heads of HTTP for fuzz targets: an input may ask for long ones, and what a reader made of one is
 * written out, so that two can be compared.
 */
#ifndef MW_TESTS_FUZZ_HEADS_H
#define MW_TESTS_FUZZ_HEADS_H

#include "core/proto/http.h"
#include "tests/fuzz/fuzz.h"

/*
 * Puts the input with its abbreviations written out, as far as max_bytes: inputs are short, limits
 * are not. \1 is 2048 letters, \2 is 30 headers, \3 is CR LF.
 */
static inline void put_expanded(struct mw_buf *out, struct mw_view input, size_t max_bytes)
{
    static const char letters[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", headers[] = "n: v\r\n";
    for (size_t i = 0; i < input.len && out->len < max_bytes; i++) {
        switch (input.data[i]) {
        case '\1':
            for (int n = 0; n < 64; n++)
                must_put(out, mw_view(letters, 32));
            break;
        case '\2':
            for (int n = 0; n < 30; n++)
                must_put(out, mw_view_text(headers));
            break;
        case '\3':
            must_put(out, mw_view("\r\n", 2));
            break;
        default:
            must_put(out, mw_view(input.data + i, 1));
            break;
        }
    }
}

/* What stands in each head, whatever was read. */
static inline void check_head(const struct mw_http_head *head)
{
    CHECK(head->header_count <= MW_HTTP_MAX_HEADERS);
    CHECK(head->target.len <= MW_HTTP_MAX_TARGET);
    for (size_t i = 0; i < head->header_count; i++) {
        const struct mw_header *header = &head->headers[i];
        CHECK(mw_is_token(header->name));
        CHECK(mw_view_equal(mw_view_trim(header->value), header->value));
        for (size_t n = 0; n < header->name.len; n++)
            CHECK(header->name.data[n] < 'A' || header->name.data[n] > 'Z');
        for (size_t n = 0; n < header->value.len; n++)
            CHECK(header->value.data[n] && !strchr("\r\n", header->value.data[n]));
    }
}

static inline void tell_head(struct mw_buf *out, const struct mw_http_head *head)
{
    check_head(head);
    CHECK(mw_buf_putf(out, "%u %u.%u %d %d\n", head->status, head->major, head->minor,
                      head->keep_alive, head->has_body) == MW_OK);
    tell(out, "method", head->method);
    tell(out, "target", head->target);
    for (size_t i = 0; i < head->header_count; i++) {
        tell(out, "name", head->headers[i].name);
        tell(out, "value", head->headers[i].value);
    }
}

#endif
