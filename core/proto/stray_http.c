/*
 * The words that HTTP begins with. Asked by message when a header has broken a rule; decides
 * nothing and keeps nothing.
 */
#include "core/proto/stray_http.h"

#include "core/base/check.h"

/* RFC 9110 9.3 and RFC 5789, the preface of HTTP/2 (RFC 9113 3.4), and what a status line has. */
static const char words[][MW_STRAY_HTTP_MAX + 1] = {
    "GET ",     "HEAD ",  "POST ",  "PUT ",  "DELETE ", "CONNECT ",
    "OPTIONS ", "TRACE ", "PATCH ", "PRI *", "HTTP/",
};

enum mw_stray mw_stray_http(const uint8_t *bytes, size_t len, size_t *shown)
{
    for (size_t i = 0; i < MW_COUNT(words); i++) {
        size_t whole = strlen(words[i]), have = len < whole ? len : whole;
        if (have == 0 || memcmp(bytes, words[i], have) != 0)
            continue;
        if (have == whole) {
            *shown = whole;
            return MW_STRAY_YES;
        }
        return MW_STRAY_MAYBE; /* no word is the beginning of another one */
    }
    return MW_STRAY_NO;
}
