/*
 * Dates of HTTP, written and read without the locale that strftime and strptime would ask. Called
 * by http_out for every answer, by conditional for what clients send.
 */
#include "core/proto/http_date.h"

#include <stdio.h>
#include <time.h>

#include "core/base/check.h"
#include "core/base/str.h"

static const char *const days[7] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
};
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* ---- writing ---- */

#define LAST_MS_OF_9999 253402300799999u /* the format has four digits for the year */

void mw_http_date(mw_ms unix_ms, char out[30])
{
    time_t seconds = (time_t)((unix_ms < LAST_MS_OF_9999 ? unix_ms : LAST_MS_OF_9999) / 1000);
    struct tm t = { 0 };
    (void)MW_ALWAYS(gmtime_r(&seconds, &t) != NULL);
    snprintf(out, 30, "%.3s, %02u %s %04u %02u:%02u:%02u GMT", days[t.tm_wday % 7],
             (unsigned)t.tm_mday % 100, months[t.tm_mon % 12], (unsigned)(t.tm_year + 1900) % 10000,
             (unsigned)t.tm_hour % 100, (unsigned)t.tm_min % 100, (unsigned)t.tm_sec % 100);
}

/* ---- reading ---- */

struct date {
    unsigned year, month, day, hour, minute, second; /* month: from 0 */
    bool short_year;
};

/* The letters are strptime's, and %e is asctime's day: two digits, or a blank and one. */
static const char *const formats[] = {
    "%a, %d %b %Y %H:%M:%S GMT", /* IMF-fixdate */
    "%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
    "%a %b %e %H:%M:%S %Y",      /* asctime */
};

static bool take_text(struct mw_view *rest, struct mw_view word)
{
    if (rest->len < word.len || !mw_view_equal(mw_view(rest->data, word.len), word))
        return false;
    *rest = mw_view_from(*rest, word.len);
    return true;
}

static bool take_digits(struct mw_view *rest, size_t width, unsigned *out)
{
    uint64_t number;
    if (rest->len < width || !mw_parse_u64(mw_view(rest->data, width), 0, 9999, &number))
        return false;
    *out = (unsigned)number;
    *rest = mw_view_from(*rest, width);
    return true;
}

static bool take_month(struct mw_view *rest, unsigned *out)
{
    for (*out = 0; *out < 12; ++*out) {
        if (take_text(rest, mw_view_text(months[*out])))
            return true;
    }
    return false;
}

/* Which day of the week it says is not compared with the date: the numbers are what counts. */
static bool take_weekday(struct mw_view *rest, bool is_short)
{
    for (size_t i = 0; i < MW_COUNT(days); i++) {
        if (take_text(rest, mw_view(days[i], is_short ? 3 : strlen(days[i]))))
            return true;
    }
    return false;
}

static bool take_field(char letter, struct mw_view *rest, struct date *date)
{
    switch (letter) {
    case 'a':
        return take_weekday(rest, true);
    case 'A':
        return take_weekday(rest, false);
    case 'b':
        return take_month(rest, &date->month);
    case 'd':
        return take_digits(rest, 2, &date->day);
    case 'e':
        return take_digits(rest, take_text(rest, mw_view_text(" ")) ? 1 : 2, &date->day);
    case 'H':
        return take_digits(rest, 2, &date->hour);
    case 'M':
        return take_digits(rest, 2, &date->minute);
    case 'S':
        return take_digits(rest, 2, &date->second);
    case 'y':
        date->short_year = true;
        return take_digits(rest, 2, &date->year);
    case 'Y':
        return take_digits(rest, 4, &date->year);
    default:
        return false;
    }
}

static bool fits(const char *format, struct mw_view text, struct date *date)
{
    *date = (struct date){ 0 };
    for (; *format; format++) {
        bool taken = *format == '%' ? take_field(*++format, &text, date)
                                    : take_text(&text, mw_view(format, 1));
        if (!taken)
            return false;
    }
    return text.len == 0;
}

/*
 * RFC 9110 5.6.7: what would be more than 50 years ahead is meant to be past. Whole years are near
 * enough.
 */
static unsigned full_year(unsigned short_year, int64_t now_s)
{
    unsigned this_year = 1970 + (unsigned)(now_s / 31556952); /* seconds of a mean year */
    unsigned year = this_year - this_year % 100 + short_year;
    if (year > this_year + 50)
        return year - 100;
    return year + 50 <= this_year ? year + 100 : year;
}

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool is_date(const struct date *date)
{
    static const unsigned char lengths[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned leap_day = date->month == 1 && is_leap(date->year);
    unsigned last = lengths[date->month] + leap_day;
    return date->year > 0 && date->day >= 1 && date->day <= last && date->hour < 24 &&
           date->minute < 60 && date->second <= 60; /* 60: a leap second */
}

#define DAYS_TO_1970 719162 /* from the first day of year 1 */

static int64_t seconds_of(const struct date *date)
{
    static const unsigned short before[12] = {
        0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334
    };
    int64_t years = date->year - 1;
    int64_t day = years * 365 + years / 4 - years / 100 + years / 400 + before[date->month] +
                  (date->month > 1 && is_leap(date->year)) + date->day - 1 - DAYS_TO_1970;
    return ((day * 24 + date->hour) * 60 + date->minute) * 60 + date->second;
}

bool mw_http_date_parse(struct mw_view text, int64_t now_s, int64_t *unix_s)
{
    for (size_t i = 0; i < MW_COUNT(formats); i++) {
        struct date date;
        if (!fits(formats[i], text, &date))
            continue;
        if (date.short_year)
            date.year = full_year(date.year, now_s);
        if (!is_date(&date))
            return false;
        *unix_s = seconds_of(&date);
        return true;
    }
    return false;
}
