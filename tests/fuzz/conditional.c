/*
 * What a client may say about a file that it has already: dates, ranges, preconditions. Dates are
 * written again and read as the same second; ranges are read as a regular expression off RFC 9110
 * 14.1.2 reads them, and lie within the file; our own tag is always recognised.
 *
 * Input: one byte that picks the file's size; a line with its entity tag; then lines, each a field:
 * m If-Match, n If-None-Match, s If-Modified-Since, u If-Unmodified-Since, r If-Range, others
 * Range.
 */
#include "core/proto/conditional.h"

#include <regex.h>

#include "core/proto/http_date.h"
#include "core/proto/range.h"
#include "tests/fuzz/fuzz.h"

#define NOW_S      1790000000
#define MAX_FIELDS 6

struct fields {
    struct mw_http_head head;
    struct mw_header list[MAX_FIELDS];
};

static const char *name_of(char letter)
{
    switch (letter) {
    case 'm':
        return "if-match";
    case 'n':
        return "if-none-match";
    case 's':
        return "if-modified-since";
    case 'u':
        return "if-unmodified-since";
    case 'r':
        return "if-range";
    default:
        return "range";
    }
}

/* Values are blocks of their own. */
static void add_field(struct fields *fields, const char *name, struct mw_view value)
{
    value = mw_view_trim(value);
    fields->list[fields->head.header_count++] =
        (struct mw_header){ mw_view_text(name), mw_view(exact_copy(value), value.len) };
    fields->head.headers = fields->list;
}

static void free_fields(struct fields *fields)
{
    for (size_t i = 0; i < fields->head.header_count; i++)
        free((char *)fields->list[i].value.data);
}

/* ---- dates ---- */

static void check_date(struct mw_view text)
{
    int64_t at_s = 77, again_s;
    char written[30];
    if (!mw_http_date_parse(text, NOW_S, &at_s)) {
        CHECK(at_s == 77);
        return;
    }
    CHECK(at_s >= -62135596800 && at_s <= 253402300800); /* years 1 to 9999, and a leap second */
    if (at_s < 0 || at_s > 253402300799)
        return;
    mw_http_date((mw_ms)at_s * 1000, written);
    CHECK(strlen(written) == 29);
    CHECK(mw_http_date_parse(mw_view_text(written), NOW_S, &again_s) && again_s == at_s);
}

/* ---- ranges ---- */

static bool is_one_range(struct mw_view field)
{
    static regex_t one;
    static bool made;
    if (!made)
        CHECK(regcomp(&one, "^bytes=[, \t]*([0-9]+-[0-9]*|-[0-9]+)[, \t]*$",
                      REG_EXTENDED | REG_NOSUB | REG_ICASE) == 0);
    made = true;
    if (memchr(field.data, '\0', field.len))
        return false;
    char *text = malloc(field.len + 1);
    CHECK(text != NULL);
    memcpy(text, field.data, field.len);
    text[field.len] = '\0';
    bool fits = regexec(&one, text, 0, NULL, 0) == 0;
    free(text);
    return fits;
}

static void check_range(struct mw_view field, uint64_t size)
{
    struct mw_range range;
    enum mw_range_kind kind = mw_range_read(field, size, &range);
    CHECK(kind == MW_RANGE_WHOLE || is_one_range(field));
    switch (kind) {
    case MW_RANGE_WHOLE:
    case MW_RANGE_OUTSIDE:
        CHECK(range.start == 0 && range.len == size);
        break;
    case MW_RANGE_PART:
        CHECK(range.len > 0 && range.start < size && range.len <= size - range.start);
        break;
    }
}

/* ---- preconditions ---- */

static bool is_tag(struct mw_view text)
{
    struct mw_view opaque = mw_view_from(text, mw_view_starts_with(text, "W/") ? 2 : 0);
    return opaque.len >= 2 && opaque.data[0] == '"' &&
           mw_view_find(opaque, '"', 1) == opaque.len - 1;
}

/* One field with our own tag is answered as the standard says, whatever the tag is. */
static void check_own_tag(const struct mw_validators *now)
{
    static const char *const names[] = { "if-match", "if-none-match", "if-range" };
    bool is_weak = mw_view_starts_with(now->etag, "W/");
    for (size_t i = 0; i < MW_COUNT(names); i++) {
        struct fields fields = { .head = { .header_count = 0 } };
        add_field(&fields, names[i], now->etag);
        enum mw_precondition answer = mw_precondition_judge(&fields.head, now, NOW_S);
        if (i == 0)
            CHECK(answer == (is_weak ? MW_PRECONDITION_FAILED : MW_PRECONDITION_HOLDS));
        if (i == 1)
            CHECK(answer == MW_PRECONDITION_UNCHANGED);
        if (i == 2)
            CHECK(mw_if_range_holds(&fields.head, now, NOW_S) == !is_weak);
        free_fields(&fields);
    }
}

static void check_fields(const struct fields *fields, const struct mw_validators *now)
{
    size_t matches, none_matches, ranges;
    (void)mw_http_header(&fields->head, "if-match", &matches);
    (void)mw_http_header(&fields->head, "if-none-match", &none_matches);
    (void)mw_http_header(&fields->head, "if-range", &ranges);
    enum mw_precondition answer = mw_precondition_judge(&fields->head, now, NOW_S);
    CHECK(answer == MW_PRECONDITION_HOLDS || answer == MW_PRECONDITION_UNCHANGED ||
          answer == MW_PRECONDITION_FAILED);
    bool holds = mw_if_range_holds(&fields->head, now, NOW_S);
    CHECK(ranges > 0 || holds);
    CHECK(ranges < 2 || !holds);
    if (!now->has_date && matches + none_matches == 0)
        CHECK(answer == MW_PRECONDITION_HOLDS); /* dates alone decide nothing then */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t sizes[] = { 0, 1, 500, 65536, UINT64_MAX };
    struct mw_view input = mw_view((const char *)data, size);
    uint8_t choices = take_byte(&input);
    uint64_t file_size = sizes[choices % MW_COUNT(sizes)];
    struct mw_view tag = take_line(&input);
    char *copy = exact_copy(tag);
    struct mw_validators now = {
        .etag = mw_view(copy, tag.len),
        .has_date = choices >= 128,
        .modified_s = 784111777, /* Sun, 06 Nov 1994 08:49:37 GMT */
    };
    struct fields fields = { .head = { .header_count = 0 } };
    while (input.len > 0 && fields.head.header_count < MAX_FIELDS) {
        struct mw_view line = take_line(&input);
        char letter = (char)take_byte(&line);
        add_field(&fields, name_of(letter), line);
    }
    for (size_t i = 0; i < fields.head.header_count; i++) {
        check_date(fields.list[i].value);
        check_range(fields.list[i].value, file_size);
    }
    if (is_tag(now.etag)) {
        check_own_tag(&now);
        check_fields(&fields, &now);
    }
    free_fields(&fields);
    free(copy);
    return 0;
}
