/*
 * Plain searches that can be stopped. Under string.find, gsub and the matcher of patterns; the
 * search functions of the C library are faster or linear, but cannot be asked to stop.
 *
 * A search begins with the first byte and a comparison at each place where it stands, which is the
 * fastest way for nearly every text. Where the comparisons turn out to be long it goes on with the
 * two-way algorithm (Crochemore and Perrin, "Two-way string-matching", 1991).
 */
#include "lua/bytes.h"

/* About 1 µs of memchr. */
#define PIECE_BYTES ((size_t)16 * 1024)

/* The simple search may compare this many bytes for each that it passes, and some to begin with. */
#define FAIR_EFFORT 8
#define FREE_EFFORT 4096

size_t mw_bytes_common(const char *a, const char *b, size_t len, const volatile int *stop)
{
    size_t i = 0;
    for (; len - i >= sizeof(uint64_t) && !*stop; i += sizeof(uint64_t)) {
        uint64_t of_a, of_b;
        memcpy(&of_a, a + i, sizeof(of_a));
        memcpy(&of_b, b + i, sizeof(of_b));
        if (of_a != of_b)
            break;
    }
    while (i < len && a[i] == b[i] && !*stop)
        i++;
    return i;
}

size_t mw_bytes_seek(struct mw_view in, char byte, size_t from, const volatile int *stop)
{
    while (in.len - from > PIECE_BYTES && !*stop) {
        const char *found = memchr(in.data + from, byte, PIECE_BYTES);
        if (found)
            return (size_t)(found - in.data);
        from += PIECE_BYTES;
    }
    size_t len = in.len - from < PIECE_BYTES ? in.len - from : PIECE_BYTES;
    const char *found = memchr(in.data + from, byte, len);
    return found ? (size_t)(found - in.data) : MW_BYTES_NONE;
}

/* ---- two-way ---- */

/*
 * A word is cut in two such that a mismatch to the right of the cut tells how far to move on. When
 * the word repeats itself (`is_periodic`), what was compared left of the cut is remembered.
 */
struct cut_word {
    struct mw_view word;
    size_t cut, period;
    bool is_periodic;
};

/*
 * Where the greatest suffix begins, by the order of bytes or by the reverse one; and its period.
 */
static size_t greatest_suffix(struct mw_view word, bool reverse, size_t *period,
                              const volatile int *stop)
{
    size_t best = 0, rival = 1, same = 0;
    *period = 1;
    while (rival + same < word.len && !*stop) {
        uint8_t of_rival = (uint8_t)word.data[rival + same];
        uint8_t of_best = (uint8_t)word.data[best + same];
        if (of_rival == of_best) {
            if (++same == *period) {
                rival += same;
                same = 0;
            }
        } else if ((of_rival < of_best) != reverse) {
            rival += same + 1;
            same = 0;
            *period = rival - best;
        } else {
            best = rival++;
            same = 0;
            *period = 1;
        }
    }
    return best;
}

static struct cut_word cut(struct mw_view word, const volatile int *stop)
{
    size_t periods[2];
    size_t by_order = greatest_suffix(word, false, &periods[0], stop);
    size_t by_reverse = greatest_suffix(word, true, &periods[1], stop);
    struct cut_word result = { .word = word };
    bool reverse = by_reverse > by_order;
    result.cut = reverse ? by_reverse : by_order;
    result.period = periods[reverse];
    size_t left = result.cut, right = word.len - result.cut;
    result.is_periodic = left + result.period <= word.len &&
                         mw_bytes_common(word.data, word.data + result.period, left, stop) == left;
    if (!result.is_periodic)
        result.period = (left > right ? left : right) + 1;
    return result;
}

static size_t find_two_way(struct mw_view in, struct mw_view what, size_t at,
                           const volatile int *stop)
{
    struct cut_word by = cut(what, stop);
    size_t known = 0; /* bytes at the beginning of the word that are known to fit here */
    while (at + what.len <= in.len && !*stop) {
        const char *here = in.data + at;
        size_t i = by.cut > known ? by.cut : known;
        i += mw_bytes_common(what.data + i, here + i, what.len - i, stop);
        if (i < what.len) {
            at += i - by.cut + 1;
            known = 0;
            continue;
        }
        for (i = by.cut; i > known && what.data[i - 1] == here[i - 1] && !*stop;)
            i--;
        if (i <= known)
            return at;
        at += by.period;
        known = by.is_periodic ? what.len - by.period : 0;
    }
    return MW_BYTES_NONE;
}

/* ---- finding ---- */

size_t mw_bytes_find(struct mw_view in, struct mw_view what, size_t from, const volatile int *stop)
{
    if (what.len == 0)
        return from;
    if (what.len > in.len - from)
        return MW_BYTES_NONE;
    struct mw_view starts = mw_view(in.data, in.len - what.len + 1);
    size_t effort = 0, at = from;
    while ((at = mw_bytes_seek(starts, what.data[0], at, stop)) != MW_BYTES_NONE) {
        size_t same = 1 + mw_bytes_common(in.data + at + 1, what.data + 1, what.len - 1, stop);
        if (same == what.len || *stop)
            return at;
        effort += same;
        at++;
        if (effort > FREE_EFFORT + FAIR_EFFORT * (at - from))
            return find_two_way(in, what, at, stop);
    }
    return MW_BYTES_NONE;
}
