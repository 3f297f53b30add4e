/*
 * The grammar of lines that are typed, piped or given by -x. Sends nothing; connect_play does what
 * a line wants.
 */
#include "core/cli/connect_words.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"

#define COUNT_MAX   1000000
#define SPAN_MAX_MS 86400000

static const char *const names[] = {
#define NAME(name, behind, text) #name,
    MW_WORD_LIST(NAME)
#undef NAME
        NULL,
};

static int bad(char why[256], const char *text)
{
    snprintf(why, 256, "%s", text);
    return MW_ERR_BAD_ARG;
}

/* Takes the part before the next blank off; what is behind it begins with no blank. */
static struct mw_view take_word(struct mw_view *rest)
{
    size_t len = mw_view_find(*rest, ' ', 0);
    struct mw_view word = mw_view(rest->data, len);
    *rest = mw_view_from(*rest, len);
    while (rest->len && rest->data[0] == ' ')
        *rest = mw_view_from(*rest, 1);
    return word;
}

/* ---- what stands behind each command ---- */

static int read_close(struct mw_words_line *out, char why[256])
{
    uint64_t code;
    if (!out->text.len)
        return MW_OK;
    if (!mw_parse_u64(take_word(&out->text), 0, 65535, &code))
        return bad(why, "/close CODE REASON: a code is a number, such as 4001");
    out->code = (unsigned)code;
    return MW_OK;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int read_hex(struct mw_words_line *out, char why[256])
{
    size_t digits = 0;
    for (size_t i = 0; i < out->text.len; i++) {
        char c = out->text.data[i];
        if (c != ' ' && !is_hex(c))
            return bad(why, "/hex wants digits 0-9 and a-f: /hex 0a0b ff");
        if (c == ' ' && digits % 2)
            return bad(why, "/hex: a byte is two digits: /hex 0a0b ff");
        digits += c != ' ';
    }
    return digits % 2 ? bad(why, "/hex: a byte is two digits: /hex 0a0b ff") : MW_OK;
}

/* "500ms", "2s", "1.5s" is none. */
static bool read_span(struct mw_view text, mw_ms *out)
{
    static const struct {
        const char *unit;
        mw_ms ms;
    } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "min", 60000 } };
    size_t digits = 0;
    uint64_t number;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    for (size_t i = 0; i < MW_COUNT(units); i++) {
        if (!mw_view_is(mw_view_from(text, digits), units[i].unit))
            continue;
        if (!mw_parse_u64(mw_view(text.data, digits), 1, SPAN_MAX_MS / units[i].ms, &number))
            return false;
        *out = number * units[i].ms;
        return true;
    }
    return false;
}

static int read_wait(struct mw_words_line *out, char why[256])
{
    struct mw_view word = mw_view_trim(out->text);
    bool is_count = mw_parse_u64(word, 1, COUNT_MAX, &out->count);
    if (is_count || read_span(word, &out->span_ms))
        return MW_OK;
    return bad(why, "/wait 3 waits for three messages, /wait 3s for three seconds");
}

static int read_repeat(struct mw_words_line *out, char why[256])
{
    uint64_t ms;
    if (!mw_parse_u64(take_word(&out->text), 1, COUNT_MAX, &out->count))
        return bad(why, "/repeat 10 TEXT: how often is a number from 1 to 1000000");
    if (!mw_view_starts_with(out->text, "every "))
        return MW_OK;
    (void)take_word(&out->text);
    struct mw_view word = take_word(&out->text);
    bool is_ms = mw_parse_u64(word, 1, SPAN_MAX_MS, &ms);
    if (!is_ms && !read_span(word, &ms))
        return bad(why, "/repeat 10 every 500 TEXT: the time between two is in milliseconds");
    out->span_ms = ms;
    return MW_OK;
}

static int read_behind(struct mw_words_line *out, char why[256])
{
    switch (out->word) {
    case MW_WORD_close:
        return read_close(out, why);
    case MW_WORD_hex:
        return read_hex(out, why);
    case MW_WORD_wait:
        return read_wait(out, why);
    case MW_WORD_repeat:
        return read_repeat(out, why);
    case MW_WORD_json:
        return out->text.len ? MW_OK : bad(why, "/json {\"a\":1}: what is to be sent?");
    case MW_WORD_file:
        return out->text.len ? MW_OK : bad(why, "/file PATH: which one?");
    case MW_WORD_ping:
        return out->text.len <= 125 ? MW_OK : bad(why, "/ping: a ping has room for 125 bytes");
    case MW_WORD_text:
    case MW_WORD_stats:
    case MW_WORD_help:
    case MW_WORD_quit:
        return MW_OK;
    }
    return MW_OK;
}

/* ---- a line ---- */

static int unknown(struct mw_view name, struct mw_view line, char why[256])
{
    const char *near = mw_nearest_name(name, names);
    int cut = line.len < 40 ? (int)line.len : 40;
    snprintf(why, 256, "there is no command /%.*s; %s%s; as a text: //%.*s",
             name.len < 40 ? (int)name.len : 40, name.data, near ? "did you mean /" : "see /help",
             near ? near : "", cut - 1, line.data + 1);
    return MW_ERR_BAD_ARG;
}

int mw_words_line_read(struct mw_view line, bool commands, struct mw_words_line *out, char why[256])
{
    *out = (struct mw_words_line){ .word = MW_WORD_text, .text = line };
    if (!commands || !line.len || line.data[0] != '/')
        return MW_OK;
    out->text = mw_view_from(line, 1);
    if (out->text.len && out->text.data[0] == '/')
        return MW_OK;
    struct mw_view name = take_word(&out->text);
    for (size_t i = 0; names[i]; i++) {
        if (!mw_view_is(name, names[i]))
            continue;
        out->word = (enum mw_word)(i + 1);
        return read_behind(out, why);
    }
    return unknown(name, line, why);
}

static unsigned char value_of(char c)
{
    return (unsigned char)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

int mw_words_hex(struct mw_buf *out, struct mw_view digits)
{
    int err = MW_OK;
    for (size_t i = 0; !err && i + 1 < digits.len; i++) {
        if (digits.data[i] == ' ')
            continue;
        unsigned char byte =
            (unsigned char)(value_of(digits.data[i]) << 4 | value_of(digits.data[i + 1]));
        err = mw_buf_put_byte(out, (char)byte);
        i++;
    }
    return err;
}

bool mw_words_help(size_t n, const char *out[3])
{
    static const char *const rows[][3] = {
#define ROW(name, behind, text) { "/" #name, behind, text },
        MW_WORD_LIST(ROW)
#undef ROW
    };
    if (n >= MW_COUNT(rows))
        return false;
    memcpy(out, rows[n], sizeof rows[n]);
    return true;
}
