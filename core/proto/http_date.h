/* Dates of HTTP (RFC 9110 5.6.7). Pure: the clock is an argument. */
#ifndef MW_PROTO_HTTP_DATE_H
#define MW_PROTO_HTTP_DATE_H

#include "core/base/mem.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT" into out[30]. */
void mw_http_date(mw_ms unix_ms, char out[30]);

/*
 * Reads any of the three formats that a recipient must know: IMF-fixdate, RFC 850's with two digits
 * for the year, asctime's. `now_s` tells which century two digits mean. False, and *unix_s
 * untouched, where it is no date: nothing may stand before or behind it.
 */
bool mw_http_date_parse(struct mw_view text, int64_t now_s, int64_t *unix_s);

#endif
