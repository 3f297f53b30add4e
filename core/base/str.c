/*
 * Views: comparing, trimming, splitting, bounded numbers, the nearest name. Pure; allocates nothing
 * and never looks behind a view's end. Used by every layer.
 */
#include "core/base/str.h"

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

bool mw_view_equal(struct mw_view a, struct mw_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool mw_view_is(struct mw_view a, const char *text)
{
    return mw_view_equal(a, mw_view_text(text));
}

bool mw_view_equal_nocase(struct mw_view a, struct mw_view b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    }
    return true;
}

bool mw_view_is_nocase(struct mw_view a, const char *text)
{
    return mw_view_equal_nocase(a, mw_view_text(text));
}

bool mw_view_starts_with(struct mw_view a, const char *prefix)
{
    size_t len = strlen(prefix);
    return a.len >= len && mw_view_is(mw_view(a.data, len), prefix);
}

bool mw_view_ends_with(struct mw_view a, const char *suffix)
{
    size_t len = strlen(suffix);
    return a.len >= len && mw_view_is(mw_view_from(a, a.len - len), suffix);
}

int mw_view_compare(struct mw_view a, struct mw_view b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared ? memcmp(a.data, b.data, shared) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

struct mw_view mw_view_trim(struct mw_view a)
{
    while (a.len > 0 && is_blank(a.data[a.len - 1]))
        a.len--;
    size_t start = 0;
    while (start < a.len && is_blank(a.data[start]))
        start++;
    return mw_view_from(a, start);
}

struct mw_view mw_view_from(struct mw_view a, size_t start)
{
    if (start == 0)
        return a;
    return start < a.len ? mw_view(a.data + start, a.len - start) : mw_view("", 0);
}

size_t mw_view_find(struct mw_view a, char byte, size_t start)
{
    if (start >= a.len)
        return a.len;
    const char *found = memchr(a.data + start, byte, a.len - start);
    return found ? (size_t)(found - a.data) : a.len;
}

/*
 * A rest that is empty because the text ended in a separator still owes one empty part. It is told
 * from a text that was empty from the start by where it points.
 */
static const char owes_empty_part[1];

bool mw_view_split(struct mw_view *rest, char separator, struct mw_view *part)
{
    if (rest->len == 0) {
        if (rest->data != owes_empty_part)
            return false;
        *part = *rest = mw_view("", 0);
        return true;
    }
    size_t end = mw_view_find(*rest, separator, 0);
    bool is_last_byte = end + 1 == rest->len;
    *part = mw_view(rest->data, end);
    *rest = is_last_byte ? mw_view(owes_empty_part, 0) : mw_view_from(*rest, end + 1);
    return true;
}

bool mw_list_has_token(struct mw_view list, const char *token)
{
    struct mw_view part;
    while (mw_view_split(&list, ',', &part)) {
        part = mw_view_trim(part);
        if (part.len > 0 && mw_view_is_nocase(part, token))
            return true;
    }
    return false;
}

/* RFC 9110 5.6.2 */
static bool is_tchar(char byte)
{
    if ((byte >= '0' && byte <= '9') || (lower(byte) >= 'a' && lower(byte) <= 'z'))
        return true;
    return byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

bool mw_is_token(struct mw_view a)
{
    for (size_t i = 0; i < a.len; i++) {
        if (!is_tchar(a.data[i]))
            return false;
    }
    return a.len > 0;
}

bool mw_parse_u64(struct mw_view a, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < a.len; i++) {
        if (a.data[i] < '0' || a.data[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(a.data[i] - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (a.len == 0 || number < min || number > max)
        return false;
    *out = number;
    return true;
}

/* ---- the nearest name ---- */

#define MAX_NAME 63 /* what is longer is no option, command or field of ours */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/*
 * Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal
 * string alignment), letter case aside. Three rows of the matrix are enough: swaps look back two.
 */
static unsigned edit_distance(struct mw_view a, struct mw_view b)
{
    unsigned rows[3][MAX_NAME + 1];
    for (unsigned j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            char x = lower(a.data[i - 1]), y = lower(b.data[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            bool is_swap = i > 1 && j > 1 && x == lower(b.data[j - 2]) && lower(a.data[i - 2]) == y;
            if (is_swap)
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

const char *mw_nearest_name(struct mw_view wrong, const char *const *names)
{
    if (wrong.len == 0 || wrong.len > MAX_NAME)
        return NULL;
    /* One slip in a short word, one in three letters of a longer one: more would be a guess. */
    unsigned nearest = (wrong.len < 6 ? 1 : (unsigned)wrong.len / 3) + 1;
    const char *name = NULL;
    for (; *names; names++) {
        struct mw_view candidate = mw_view_text(*names);
        if (candidate.len > MAX_NAME)
            continue;
        unsigned distance = edit_distance(wrong, candidate);
        bool is_rewrite = distance >= wrong.len && distance >= candidate.len;
        if (distance < nearest && !is_rewrite) {
            nearest = distance;
            name = *names;
        }
    }
    return name;
}
