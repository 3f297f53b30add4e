/*
 * Keys as most programs with a prompt know them. libedit and readline were not taken: after a
 * single Escape they wait inside their call for the next key, and a client that waits answers no
 * pings. Knows no terminal; connect_input reads and writes it.
 */
#include "core/cli/line_edit.h"

#include <stdio.h>

#include "core/base/hidden.h"
#include "core/base/str.h"
#include "core/base/utf8.h"
#include "core/explain/width.h"

#define CTRL(letter) ((letter)&0x1f)
#define ESCAPE       '\x1b'
#define DELETE       '\x7f'

void mw_line_init(struct mw_line *line, struct mw_mem *mem)
{
    *line = (struct mw_line){ .mem = mem };
    mw_buf_init(&line->text, mem, MW_LINE_MAX);
    mw_buf_init(&line->draft, mem, 0);
    mw_buf_init(&line->cut, mem, 0);
}

void mw_line_free(struct mw_line *line)
{
    mw_buf_free(&line->text);
    mw_buf_free(&line->draft);
    mw_buf_free(&line->cut);
    for (size_t i = 0; i < line->past_count; i++)
        mw_free(line->mem, line->past[i].text, line->past[i].len + 1);
    line->past_count = 0;
}

/* ---- the text ---- */

/* A character and what is set upon it is one step. */
static size_t step_right(const struct mw_line *line, size_t at)
{
    struct mw_view rest = mw_view_from(mw_line_text(line), at);
    struct mw_glyph glyph;
    return at + (mw_glyph_next(&rest, &glyph) ? glyph.bytes.len : 0);
}

static size_t step_left(const struct mw_line *line, size_t at)
{
    size_t before = 0;
    for (size_t next = 0; next < at; next = step_right(line, next))
        before = next;
    return before;
}

static size_t word_left(const struct mw_line *line, size_t at)
{
    while (at && line->text.data[at - 1] == ' ')
        at--;
    while (at && line->text.data[at - 1] != ' ')
        at--;
    return at;
}

static size_t word_right(const struct mw_line *line, size_t at)
{
    while (at < line->text.len && line->text.data[at] == ' ')
        at++;
    while (at < line->text.len && line->text.data[at] != ' ')
        at++;
    return at;
}

static enum mw_line_event move(struct mw_line *line, size_t at)
{
    line->at = at;
    return MW_LINE_CHANGED;
}

static enum mw_line_event insert(struct mw_line *line, struct mw_view text)
{
    if (!text.len || mw_buf_reserve(&line->text, text.len))
        return MW_LINE_NOTHING;
    char *at = line->text.data + line->at;
    memmove(at + text.len, at, line->text.len - line->at);
    memcpy(at, text.data, text.len);
    line->text.len += text.len;
    return move(line, line->at + text.len);
}

static enum mw_line_event erase(struct mw_line *line, size_t from, size_t to)
{
    if (from == to)
        return MW_LINE_NOTHING;
    memmove(line->text.data + from, line->text.data + to, line->text.len - to);
    line->text.len -= to - from;
    return move(line, from);
}

/* What is cut can be put back by ctrl-Y, if there is memory for that. */
static enum mw_line_event cut(struct mw_line *line, size_t from, size_t to)
{
    if (from == to)
        return MW_LINE_NOTHING;
    mw_buf_clear(&line->cut);
    (void)mw_buf_put(&line->cut, line->text.data + from, to - from);
    return erase(line, from, to);
}

/* ---- the past ---- */

void mw_line_remember(struct mw_line *line, struct mw_view text)
{
    const struct mw_line_past *last = line->past_count ? &line->past[line->past_count - 1] : NULL;
    bool is_again = last && last->len == text.len && !memcmp(last->text, text.data, text.len);
    char *copy =
        !text.len || text.len > MW_LINE_MAX || is_again ? NULL : mw_mem_copy(line->mem, text);
    if (!copy)
        return;
    if (line->past_count == MW_LINE_PAST_MAX) {
        mw_free(line->mem, line->past[0].text, line->past[0].len + 1);
        memmove(line->past, line->past + 1, --line->past_count * sizeof *line->past);
    }
    line->past[line->past_count++] = (struct mw_line_past){ copy, text.len };
    line->looked_at = line->past_count;
}

void mw_line_take(struct mw_line *line)
{
    mw_line_remember(line, mw_line_text(line));
    mw_buf_clear(&line->text);
    mw_buf_clear(&line->draft);
    line->at = 0;
    line->looked_at = line->past_count;
}

static enum mw_line_event look_at(struct mw_line *line, size_t which)
{
    if (which > line->past_count || which == line->looked_at)
        return MW_LINE_NOTHING;
    if (line->looked_at == line->past_count) {
        mw_buf_clear(&line->draft);
        (void)mw_buf_put_view(&line->draft, mw_line_text(line));
    }
    const struct mw_line_past *past = &line->past[which < line->past_count ? which : 0];
    struct mw_view text =
        which == line->past_count ? mw_buf_view(&line->draft) : mw_view(past->text, past->len);
    if (text.len > line->text.len && mw_buf_reserve(&line->text, text.len - line->text.len))
        return MW_LINE_NOTHING;
    mw_buf_clear(&line->text);
    (void)mw_buf_put_view(&line->text, text);
    line->looked_at = which;
    return move(line, line->text.len);
}

static enum mw_line_event look_back(struct mw_line *line)
{
    return line->looked_at ? look_at(line, line->looked_at - 1) : MW_LINE_NOTHING;
}

static enum mw_line_event look_ahead(struct mw_line *line)
{
    return look_at(line, line->looked_at + 1);
}

/* ---- keys ---- */

static enum mw_line_event delete_here(struct mw_line *line)
{
    return erase(line, line->at, step_right(line, line->at));
}

static enum mw_line_event control(struct mw_line *line, char byte)
{
    switch (byte) {
    case '\r':
    case '\n':
        return MW_LINE_ENTERED;
    case CTRL('D'):
        return line->text.len ? delete_here(line) : MW_LINE_ENDED;
    case CTRL('A'):
        return move(line, 0);
    case CTRL('E'):
        return move(line, line->text.len);
    case CTRL('B'):
        return move(line, step_left(line, line->at));
    case CTRL('F'):
        return move(line, step_right(line, line->at));
    case CTRL('P'):
        return look_back(line);
    case CTRL('N'):
        return look_ahead(line);
    case CTRL('H'):
    case DELETE:
        return erase(line, step_left(line, line->at), line->at);
    case CTRL('K'):
        return cut(line, line->at, line->text.len);
    case CTRL('U'):
        return cut(line, 0, line->at);
    case CTRL('W'):
        return cut(line, word_left(line, line->at), line->at);
    case CTRL('Y'):
        return insert(line, mw_buf_view(&line->cut));
    case CTRL('L'):
        return MW_LINE_CLEAR;
    case '\t':
        return insert(line, mw_view("\t", 1)); /* JSON that was pasted has them */
    default:
        return MW_LINE_NOTHING;
    }
}

/* What the arrows and the keys beside them send, behind the Escape. */
static enum mw_line_event sequence(struct mw_line *line, const char *keys)
{
    static const struct {
        const char *keys;
        char as; /* of control; 'b', 'f', 'd': by words; 'x': delete */
    } rows[] = {
        { "[A", CTRL('P') },  { "[B", CTRL('N') },  { "[C", CTRL('F') },  { "[D", CTRL('B') },
        { "[H", CTRL('A') },  { "[F", CTRL('E') },  { "OA", CTRL('P') },  { "OB", CTRL('N') },
        { "OC", CTRL('F') },  { "OD", CTRL('B') },  { "OH", CTRL('A') },  { "OF", CTRL('E') },
        { "[1~", CTRL('A') }, { "[7~", CTRL('A') }, { "[4~", CTRL('E') }, { "[8~", CTRL('E') },
        { "[3~", 'x' },       { "[1;5C", 'f' },     { "[1;5D", 'b' },     { "[1;3C", 'f' },
        { "[1;3D", 'b' },     { "b", 'b' },         { "f", 'f' },         { "d", 'd' },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(keys, rows[i].keys) != 0)
            continue;
        switch (rows[i].as) {
        case 'x':
            return delete_here(line);
        case 'b':
            return move(line, word_left(line, line->at));
        case 'f':
            return move(line, word_right(line, line->at));
        case 'd':
            return cut(line, line->at, word_right(line, line->at));
        default:
            return control(line, rows[i].as);
        }
    }
    return MW_LINE_NOTHING;
}

/* ECMA-48 5.4: ESC, or CSI with its parameters, or SS3 and one more. What is unknown is swallowed.
 */
static enum mw_line_event escape_key(struct mw_line *line, char byte)
{
    if (byte == ESCAPE) { /* pressed twice, or another one before the first was whole */
        line->key_count = 1;
        return MW_LINE_NOTHING;
    }
    if (line->key_count + 1 < sizeof line->keys)
        line->keys[line->key_count++] = byte;
    bool is_first = line->key_count == 2;
    if (is_first && (byte == '[' || byte == 'O'))
        return MW_LINE_NOTHING;
    if (!is_first && line->keys[1] == '[' && !(byte >= 0x40 && byte <= 0x7e))
        return MW_LINE_NOTHING;
    line->keys[line->key_count] = '\0';
    line->key_count = 0;
    /* Escape and then Enter is Enter. */
    return is_first && byte < ' ' ? control(line, byte) : sequence(line, line->keys + 1);
}

/* What is not UTF-8 is dropped: no text of a WebSocket could hold it. */
static enum mw_line_event letter_key(struct mw_line *line, char byte)
{
    struct mw_utf8 state = { 0 };
    line->keys[line->key_count++] = byte;
    bool is_bad = mw_utf8_feed(&state, line->keys, line->key_count, NULL) != MW_OK;
    if (!is_bad && !mw_utf8_is_whole(&state))
        return MW_LINE_NOTHING;
    size_t len = line->key_count;
    line->key_count = 0;
    return is_bad ? MW_LINE_NOTHING : insert(line, mw_view(line->keys, len));
}

enum mw_line_event mw_line_key(struct mw_line *line, char byte)
{
    if (line->key_count && line->keys[0] == ESCAPE)
        return escape_key(line, byte);
    if (byte == ESCAPE) {
        line->keys[0] = byte;
        line->key_count = 1;
        return MW_LINE_NOTHING;
    }
    if (((unsigned char)byte < ' ') || byte == DELETE) {
        line->key_count = 0;
        return control(line, byte);
    }
    return letter_key(line, byte);
}

/* ---- showing it ---- */

static unsigned cells_of(const struct mw_glyph *glyph)
{
    return glyph->first < ' ' || mw_hidden_point(glyph->first) ? 1 : glyph->cells;
}

static unsigned width(struct mw_view text)
{
    struct mw_glyph glyph;
    unsigned cells = 0;
    while (mw_glyph_next(&text, &glyph))
        cells += cells_of(&glyph);
    return cells;
}

/* The first byte that is shown, so that the cursor still has room. */
static size_t first_shown(const struct mw_line *line, unsigned room)
{
    struct mw_view before = mw_view(line->text.data, line->at);
    unsigned cells = width(before);
    struct mw_glyph glyph;
    size_t first = 0;
    while (cells >= room && mw_glyph_next(&before, &glyph)) {
        cells -= cells_of(&glyph);
        first += glyph.bytes.len;
    }
    return first;
}

static int put_glyph(struct mw_buf *out, const struct mw_glyph *glyph, bool ascii)
{
    if (glyph->first == '\t')
        return mw_buf_put_byte(out, ' ');
    if (mw_hidden_point(glyph->first) || (ascii && glyph->first > 0x7e))
        return mw_buf_put(out, "??", cells_of(glyph) == 2 ? 2 : 1);
    return mw_buf_put_view(out, glyph->bytes);
}

int mw_line_draw(const struct mw_line *line, struct mw_buf *out, const char *prompt, unsigned cells,
                 bool ascii)
{
    unsigned prompt_cells = (unsigned)strlen(prompt);
    unsigned room = cells > prompt_cells + 8 ? cells - prompt_cells - 1 : 8, used = 0;
    size_t first = first_shown(line, room);
    struct mw_view rest = mw_view_from(mw_line_text(line), first);
    unsigned column = prompt_cells + width(mw_view(rest.data, line->at - first));
    struct mw_glyph glyph;
    int err = mw_buf_putf(out, "\r\x1b[K%s", prompt);
    while (!err && mw_glyph_next(&rest, &glyph) && used + cells_of(&glyph) <= room) {
        used += cells_of(&glyph);
        err = put_glyph(out, &glyph, ascii);
    }
    return err ? err : mw_buf_putf(out, "\r\x1b[%uC", column);
}
