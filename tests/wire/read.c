/*
 * Reads a wire file: lines to bytes, commands and expected events. framing.txt says how one is
 * written.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/proto/mask.h"
#include "core/proto/rule.h"
#include "tests/wire/wire_case.h"

struct file_reader {
    struct mw_mem *mem;
    int line;
    struct wire_case *cases;
    size_t count, cap;
    struct wire_case *now; /* the case that is being read, or NULL */
    size_t frames;         /* built in it so far: each has a masking key of its own */
    const char *wrong;     /* what is wrong with the line, or NULL */
};

static bool fail(struct file_reader *reader, const char *wrong)
{
    if (!reader->wrong)
        reader->wrong = wrong;
    return false;
}

/* ---- words and bytes ---- */

static struct mw_view take_word(struct mw_view *rest)
{
    *rest = mw_view_trim(*rest);
    size_t end = mw_view_find(*rest, ' ', 0);
    struct mw_view word = mw_view(rest->data, end);
    *rest = mw_view_trim(mw_view_from(*rest, end));
    return word;
}

static bool take_number(struct mw_view *rest, unsigned *number)
{
    struct mw_view copy = *rest, word = take_word(&copy);
    uint64_t value;
    if (!mw_parse_u64(word, 0, 1000000000, &value))
        return false;
    *number = (unsigned)value;
    *rest = copy;
    return true;
}

static int digit_of(char c)
{
    const char *digits = "0123456789ABCDEF";
    const char *found = c ? strchr(digits, c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* The byte that two digits at the front write, or -1. */
static int hex_pair(struct mw_view text)
{
    int high = text.len < 2 ? -1 : digit_of(text.data[0]);
    int low = high < 0 ? -1 : digit_of(text.data[1]);
    return low < 0 ? -1 : high * 16 + low;
}

/* "text" with \" \\ \n and \xHH; `rest` begins behind the first quote. */
static bool put_quoted(struct mw_buf *out, struct mw_view *rest)
{
    size_t i = 0;
    for (; i < rest->len && rest->data[i] != '"'; i++) {
        char c = rest->data[i];
        if (c == '\\' && ++i < rest->len) {
            c = rest->data[i] == 'n' ? '\n' : rest->data[i];
            int byte = c == 'x' ? hex_pair(mw_view_from(*rest, i + 1)) : (uint8_t)c;
            if (byte < 0)
                return false;
            i += c == 'x' ? 2 : 0;
            c = (char)byte;
        }
        mw_buf_put_byte(out, c);
    }
    bool closed = i < rest->len;
    *rest = mw_view_from(*rest, i + 1);
    return closed;
}

static bool put_atom(struct mw_buf *out, struct mw_view *rest)
{
    if (rest->data[0] == '"') {
        *rest = mw_view_from(*rest, 1);
        return put_quoted(out, rest);
    }
    int byte = hex_pair(*rest);
    *rest = mw_view_from(*rest, 2);
    return byte >= 0 && mw_buf_put_byte(out, (char)byte) == MW_OK;
}

/* The last atom, which begins at `start`, again until it stands there `times` times. */
static void repeat(struct mw_buf *out, size_t start, unsigned times)
{
    size_t len = out->len - start;
    mw_buf_reserve(out, len * times);
    for (unsigned i = 1; i < times; i++)
        mw_buf_put(out, out->data + start, len);
}

/* Bytes as atoms: "text", hex pairs, either followed by *COUNT. */
static bool put_bytes(struct file_reader *reader, struct mw_buf *out, struct mw_view rest)
{
    rest = mw_view_trim(rest);
    while (rest.len > 0) {
        size_t start = out->len;
        if (!put_atom(out, &rest))
            return fail(reader, "bytes are \"text\" or hex pairs");
        if (rest.len > 0 && rest.data[0] == '*') {
            unsigned times;
            rest = mw_view_from(rest, 1);
            if (!take_number(&rest, &times) || times == 0)
                return fail(reader, "behind * stands a number");
            repeat(out, start, times);
        }
        rest = mw_view_trim(rest);
    }
    return true;
}

static const struct {
    const char *name;
    enum mw_rule rule;
} rules[] = {
#define MW_RULE(name, code, text) { #name, MW_RULE_##name },
#include "core/proto/rule.def"
#undef MW_RULE
};

/* A rule's name at the front, taken off; NONE where there is none. */
static enum mw_rule take_rule(struct mw_view *rest)
{
    struct mw_view copy = *rest, word = take_word(&copy);
    for (size_t i = 0; i < MW_COUNT(rules); i++) {
        if (mw_view_is(word, rules[i].name)) {
            *rest = copy;
            return rules[i].rule;
        }
    }
    return MW_RULE_NONE;
}

/* ---- frames ---- */

static const struct {
    const char *name;
    uint8_t first; /* byte of the header */
} frames[] = {
    { "text", 0x81 },     { "text+", 0x01 }, { "binary", 0x82 }, { "binary+", 0x02 },
    { "cont", 0x80 },     { "ztext", 0xC1 }, { "ztext+", 0x41 }, { "zbinary", 0xC2 },
    { "zbinary+", 0x42 }, { "cont+", 0x00 }, { "close", 0x88 },  { "ping", 0x89 },
    { "pong", 0x8A },
};

/* The first byte of a header by the frame's name, or -1. */
static int first_byte(struct mw_view name)
{
    for (size_t i = 0; i < MW_COUNT(frames); i++) {
        if (mw_view_is(name, frames[i].name))
            return frames[i].first;
    }
    return -1;
}

/* [code [RULE]] in front of a Close frame's bytes: the rule's sentence is the reason. */
static void put_close_code(struct mw_buf *payload, struct mw_view *rest)
{
    unsigned code;
    if (!take_number(rest, &code))
        return;
    mw_buf_put_byte(payload, (char)(code >> 8));
    mw_buf_put_byte(payload, (char)code);
    mw_buf_put_text(payload, mw_rule_text(take_rule(rest)));
}

static void put_frame(struct mw_buf *out, uint8_t first, struct mw_buf *payload, const uint8_t *key)
{
    uint8_t head[MW_FRAME_HEAD_MAX];
    size_t len = mw_frame_encode(head, MW_OPCODE_CONTINUATION, false, payload->len, key);
    head[0] = first;
    if (key && payload->len)
        mw_mask((uint8_t *)payload->data, payload->len, key, 0);
    mw_buf_put(out, head, len);
    mw_buf_put_view(out, mw_buf_view(payload));
}

/* NAME [close code] bytes, or: frame FIRST-BYTE bytes. */
static bool read_frame(struct file_reader *reader, struct mw_buf *out, struct mw_view name,
                       struct mw_view rest, const uint8_t *key)
{
    struct mw_buf payload;
    mw_buf_init(&payload, reader->mem, 0);
    int first = mw_view_is(name, "frame") ? hex_pair(take_word(&rest)) : first_byte(name);
    if (first == 0x88 && !mw_view_is(name, "frame"))
        put_close_code(&payload, &rest);
    bool ok = first >= 0 ? put_bytes(reader, &payload, rest) : fail(reader, "no such frame");
    if (ok)
        put_frame(out, (uint8_t)first, &payload, key);
    mw_buf_free(&payload);
    return ok;
}

/* ---- lines ---- */

static bool read_case(struct file_reader *reader, struct mw_view rest)
{
    if (reader->count == reader->cap) {
        size_t cap = reader->cap ? reader->cap * 2 : 64;
        reader->cases = mw_realloc(reader->mem, reader->cases, reader->cap * sizeof *reader->cases,
                                   cap * sizeof *reader->cases);
        reader->cap = cap;
    }
    struct wire_case *now = &reader->cases[reader->count++];
    *now = (struct wire_case){
        .line = reader->line,
        .role = MW_ROLE_SERVER,
        .max_message = 1 << 20,
        .max_fragments = 1000,
        .max_inflated = 1 << 20,
    };
    if (rest.len == 0 || rest.len >= sizeof now->name)
        return fail(reader, "a case has a name of at most 127 bytes");
    memcpy(now->name, rest.data, rest.len);
    mw_buf_init(&now->input, reader->mem, 0);
    mw_buf_init(&now->events, reader->mem, 0);
    mw_buf_init(&now->reply, reader->mem, 0);
    reader->now = now;
    reader->frames = 0;
    return true;
}

static bool read_limits(struct file_reader *reader, struct mw_view rest)
{
    while (rest.len > 0) {
        struct mw_view word = take_word(&rest);
        size_t equals = mw_view_find(word, '=', 0);
        struct mw_view name = mw_view(word.data, equals);
        uint64_t number;
        if (!mw_parse_u64(mw_view_from(word, equals + 1), 1, 1 << 30, &number))
            return fail(reader, "a limit is name=number");
        if (mw_view_is(name, "message"))
            reader->now->max_message = number;
        else if (mw_view_is(name, "fragments"))
            reader->now->max_fragments = number;
        else if (mw_view_is(name, "inflated"))
            reader->now->max_inflated = number;
        else
            return fail(reader, "the limits are message, fragments and inflated");
    }
    return true;
}

/* deflate [server_alone] [client_alone] [server_bits=N] [client_bits=N] */
static bool read_deflate(struct file_reader *reader, struct mw_view rest)
{
    struct mw_ext_deflate *terms = &reader->now->terms;
    terms->on = true;
    while (rest.len > 0) {
        struct mw_view word = take_word(&rest);
        size_t equals = mw_view_find(word, '=', 0);
        struct mw_view name = mw_view(word.data, equals);
        uint64_t bits = 0;
        bool has_bits = mw_parse_u64(mw_view_from(word, equals + 1), 8, 15, &bits);
        if (mw_view_is(word, "server_alone"))
            terms->server_no_takeover = true;
        else if (mw_view_is(word, "client_alone"))
            terms->client_no_takeover = true;
        else if (has_bits && mw_view_is(name, "server_bits"))
            terms->server_bits = (uint8_t)bits;
        else if (has_bits && mw_view_is(name, "client_bits"))
            terms->client_bits = (uint8_t)bits;
        else
            return fail(reader, "deflate knows server_alone, client_alone, *_bits=8..15");
    }
    return true;
}

static bool read_mark(struct file_reader *reader, struct mw_view rest)
{
    if (!mw_sideband_is_mark(rest))
        return fail(reader, "a mark is 16 to 32 letters, digits, - and _");
    mw_sideband_init(&reader->now->sideband, rest);
    return true;
}

static bool read_role(struct file_reader *reader, struct mw_view rest)
{
    if (!mw_view_is(rest, "client") && !mw_view_is(rest, "server"))
        return fail(reader, "a role is server or client");
    reader->now->role = mw_view_is(rest, "client") ? MW_ROLE_CLIENT : MW_ROLE_SERVER;
    return true;
}

static struct wire_command *add_command(struct file_reader *reader, enum wire_verb verb)
{
    struct wire_case *now = reader->now;
    if (now->command_count == WIRE_MAX_COMMANDS) {
        fail(reader, "too many commands");
        return NULL;
    }
    struct wire_command *command = &now->commands[now->command_count++];
    command->at = now->input.len;
    command->verb = verb;
    mw_buf_init(&command->payload, reader->mem, 0);
    return command;
}

/* "> ...": what the peer does. */
static bool read_input(struct file_reader *reader, struct mw_view rest)
{
    struct mw_view name = take_word(&rest);
    if (mw_view_is(name, "raw"))
        return put_bytes(reader, &reader->now->input, rest);
    if (mw_view_is(name, "eof"))
        return add_command(reader, WIRE_EOF) != NULL;
    if (mw_view_is(name, "reset"))
        return add_command(reader, WIRE_RESET) != NULL;
    uint8_t n = (uint8_t)(reader->frames++ * 17);
    const uint8_t key[4] = { (uint8_t)(0x37 + n), (uint8_t)(0xFA - n), 0x21, (uint8_t)(0x3D ^ n) };
    bool masks = reader->now->role == MW_ROLE_SERVER;
    return read_frame(reader, &reader->now->input, name, rest, masks ? key : NULL);
}

/* "! ...": what the application does. */
static bool read_command(struct file_reader *reader, struct mw_view rest)
{
    struct mw_view name = take_word(&rest);
    bool is_close = mw_view_is(name, "close");
    struct wire_command *command = add_command(reader, is_close ? WIRE_CLOSE : WIRE_SEND);
    if (!command)
        return false;
    if (is_close && !take_number(&rest, &command->number))
        return fail(reader, "close needs a code");
    if (!is_close && !mw_view_is(name, "text") && !mw_view_is(name, "binary"))
        return fail(reader, "the commands are text, binary and close");
    if (!is_close)
        command->number = mw_view_is(name, "text") ? MW_OPCODE_TEXT : MW_OPCODE_BINARY;
    return put_bytes(reader, &command->payload, rest);
}

/* end CAUSE CODE [clean] [RULE] [reason] [at header] */
static bool read_end(struct file_reader *reader, struct mw_view rest)
{
    struct wire_case *now = reader->now;
    char cause[64];
    struct mw_view word = take_word(&rest);
    snprintf(cause, sizeof cause, "%.*s", (int)word.len, word.data);
    struct wire_end end = { .cause = cause };
    if (!take_number(&rest, &end.code))
        return fail(reader, "an end has a cause and a code");
    struct mw_view copy = rest;
    end.clean = mw_view_is(take_word(&copy), "clean");
    if (end.clean)
        rest = copy;
    enum mw_rule rule = take_rule(&rest);
    end.rule = rule ? mw_rule_name(rule) : "";

    struct mw_buf reason, header;
    mw_buf_init(&reason, reader->mem, 0);
    mw_buf_init(&header, reader->mem, 0);
    now->shows_header = mw_view_starts_with(rest, "at ");
    bool ok = now->shows_header ? put_bytes(reader, &header, mw_view_from(rest, 3))
                                : put_bytes(reader, &reason, rest);
    if (rule)
        mw_buf_put_text(&reason, mw_rule_text(rule));
    end.reason = mw_buf_view(&reason);
    end.header = mw_buf_view(&header);
    if (ok)
        wire_tell_end(&now->events, &end);
    mw_buf_free(&reason);
    mw_buf_free(&header);
    return ok;
}

/* "= ...": an event that is expected. */
static bool read_event(struct file_reader *reader, struct mw_view rest)
{
    struct mw_view name = take_word(&rest);
    if (mw_view_is(name, "end"))
        return read_end(reader, rest);
    bool is_aside = mw_view_is(name, "aside");
    if (!is_aside && !mw_view_is(name, "text") && !mw_view_is(name, "binary"))
        return fail(reader, "the events are text, binary, aside and end");
    struct mw_buf data;
    mw_buf_init(&data, reader->mem, 0);
    bool ok = put_bytes(reader, &data, rest);
    enum mw_opcode opcode = mw_view_is(name, "text") ? MW_OPCODE_TEXT : MW_OPCODE_BINARY;
    if (ok && is_aside)
        wire_tell_aside(&reader->now->events, mw_buf_view(&data));
    else if (ok)
        wire_tell_message(&reader->now->events, opcode, mw_buf_view(&data));
    mw_buf_free(&data);
    return ok;
}

/* "< ...": a frame that is expected to be sent. */
static bool read_reply(struct file_reader *reader, struct mw_view rest)
{
    struct mw_view name = take_word(&rest);
    return read_frame(reader, &reader->now->reply, name, rest, NULL);
}

static const struct {
    const char *sign;
    bool (*read)(struct file_reader *reader, struct mw_view rest);
} lines[] = {
    { ">", read_input },         { "!", read_command },     { "=", read_event },
    { "<", read_reply },         { "limits", read_limits }, { "role", read_role },
    { "deflate", read_deflate }, { "mark", read_mark },
};

static bool read_line(struct file_reader *reader, struct mw_view line)
{
    line = mw_view_trim(line);
    if (line.len > 0 && line.data[0] == '#')
        return true;
    if (line.len == 0) {
        reader->now = NULL;
        return true;
    }
    struct mw_view rest = line, sign = take_word(&rest);
    if (mw_view_is(sign, "case"))
        return reader->now ? fail(reader, "an empty line ends a case") : read_case(reader, rest);
    if (!reader->now)
        return fail(reader, "a case begins with the word case");
    for (size_t i = 0; i < MW_COUNT(lines); i++) {
        if (mw_view_is(sign, lines[i].sign))
            return lines[i].read(reader, rest);
    }
    return fail(reader, "a line begins with case, limits, role, deflate, mark, >, !, = or <");
}

/* ---- files ---- */

static bool load(struct mw_buf *text, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    char piece[4096];
    for (size_t len; (len = fread(piece, 1, sizeof piece, file)) > 0;)
        mw_buf_put(text, piece, len);
    bool ok = !ferror(file);
    fclose(file);
    return ok;
}

struct wire_case *wire_read(struct mw_mem *mem, const char *path, size_t *count)
{
    struct file_reader reader = { .mem = mem };
    struct mw_buf text;
    mw_buf_init(&text, mem, 0);
    bool ok = load(&text, path) || fail(&reader, "cannot be read");
    struct mw_view rest = mw_buf_view(&text), line;
    while (ok && mw_view_split(&rest, '\n', &line)) {
        reader.line++;
        ok = read_line(&reader, line);
    }
    mw_buf_free(&text);
    if (ok && reader.count == 0)
        ok = fail(&reader, "holds no case");
    /* One size for the array, so that it can be freed by its count. */
    struct wire_case *cases =
        mw_realloc(mem, reader.cases, reader.cap * sizeof *cases, reader.count * sizeof *cases);
    *count = reader.count;
    if (ok)
        return cases;
    fprintf(stderr, "%s:%d: %s\n", path, reader.line, reader.wrong);
    wire_free(mem, cases, reader.count);
    return NULL;
}

void wire_free(struct mw_mem *mem, struct wire_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < cases[i].command_count; k++)
            mw_buf_free(&cases[i].commands[k].payload);
        mw_buf_free(&cases[i].input);
        mw_buf_free(&cases[i].events);
        mw_buf_free(&cases[i].reply);
    }
    mw_free(mem, cases, count * sizeof *cases);
}
