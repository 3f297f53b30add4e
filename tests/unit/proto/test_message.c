/*
 * message: the reader. Every case runs whole, at every split into two, into three and byte by byte,
 * and must tell the same; then with each allocation failing.
 */
#include "core/proto/message.h"

#include <stdio.h>

#include "core/base/digest.h"
#include "core/proto/mask.h"
#include "tests/unit/proto/notation.h"

/* ---- what a reader told, as text ---- */

struct story {
    char text[2048];
    size_t len;
};

static void __attribute__((format(printf, 2, 3))) tell(struct story *story, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(story->text + story->len, sizeof story->text - story->len, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof story->text - story->len)
        fail_msg("the story is too long");
    story->len += (size_t)len;
}

static bool is_plain(struct mw_view data)
{
    for (size_t i = 0; i < data.len; i++) {
        if (data.data[i] < ' ' || data.data[i] > '~')
            return false;
    }
    return true;
}

static void tell_bytes(struct story *story, struct mw_view data)
{
    if (data.len > 40) {
        tell(story, " %zu bytes %016llx", data.len, (unsigned long long)mw_hash64(data, 0));
        return;
    }
    if (is_plain(data)) {
        tell(story, " '%.*s'", (int)data.len, data.len ? data.data : "");
        return;
    }
    tell(story, " ");
    for (size_t i = 0; i < data.len; i++)
        tell(story, "%02X", (uint8_t)data.data[i]);
}

static void tell_item(struct story *story, const struct mw_item *item)
{
    switch (item->kind) {
    case MW_ITEM_MORE:
        return;
    case MW_ITEM_MESSAGE:
        tell(story, item->opcode == MW_OPCODE_TEXT ? "text" : "binary");
        break;
    case MW_ITEM_PING:
        tell(story, "ping");
        break;
    case MW_ITEM_PONG:
        tell(story, "pong");
        break;
    case MW_ITEM_CLOSE:
        tell(story, "close %u", item->close.code);
        break;
    case MW_ITEM_BREACH:
        tell(story, "breach %s", mw_rule_name(item->rule));
        break;
    case MW_ITEM_NOMEM:
        tell(story, "nomem");
        break;
    }
    if (item->kind == MW_ITEM_BREACH)
        for (size_t i = 0; i < item->data.len; i++)
            tell(story, "%s%02X", i ? "" : " ", (uint8_t)item->data.data[i]);
    else if (item->kind != MW_ITEM_NOMEM)
        tell_bytes(story, item->kind == MW_ITEM_CLOSE ? item->close.reason : item->data);
    tell(story, "; ");
}

/* ---- feeding ---- */

/* Each chunk is a block of its own, gone when the reader has said MORE. */
static void feed(struct mw_reader *reader, const uint8_t *bytes, size_t len, struct story *story)
{
    char *chunk = exact_copy(bytes, len);
    struct mw_item item;
    mw_reader_feed(reader, chunk, len);
    do {
        mw_reader_next(reader, &item);
        assert_true(mw_reader_validate(reader));
        tell_item(story, &item);
    } while (item.kind != MW_ITEM_MORE);
    assert_int_equal(mw_reader_rest(reader).len, 0);
    if (!mw_reader_in_message(reader) && !reader->in_frame)
        assert_mem_empty(reader->mem);
    free(chunk);
}

struct input {
    uint8_t bytes[1024];
    size_t len;
    enum mw_role role;
    size_t max_message, max_fragments; /* 0: without */
};

static struct mw_reader open_reader(const struct input *input, struct mw_mem *mem)
{
    struct mw_reader reader;
    mw_reader_init(&reader, mem, input->role);
    if (input->max_message)
        reader.max_message = input->max_message;
    if (input->max_fragments)
        reader.max_fragments = input->max_fragments;
    return reader;
}

/* Cuts the input at a and b. */
static struct story run_cut(const struct input *input, size_t a, size_t b)
{
    struct story story = { 0 };
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_reader reader = open_reader(input, &mem);
    feed(&reader, input->bytes, a, &story);
    feed(&reader, input->bytes + a, b - a, &story);
    feed(&reader, input->bytes + b, input->len - b, &story);
    mw_reader_free(&reader);
    assert_mem_empty(&mem);
    return story;
}

static struct story run_in_pieces(const struct input *input, size_t piece)
{
    struct story story = { 0 };
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_reader reader = open_reader(input, &mem);
    for (size_t at = 0; at < input->len; at += piece) {
        size_t left = input->len - at;
        feed(&reader, input->bytes + at, left < piece ? left : piece, &story);
    }
    mw_reader_free(&reader);
    assert_mem_empty(&mem);
    return story;
}

static void expect(const char *name, struct story story, const char *expected, const char *how)
{
    if (strcmp(story.text, expected) != 0)
        fail_msg("%s, %s:\n  told     %s\n  expected %s", name, how, story.text, expected);
}

static void check_every_cut(const char *name, const struct input *input, const char *expected)
{
    expect(name, run_in_pieces(input, input->len + 1), expected, "whole");
    for (size_t piece = 1; piece < 8; piece++)
        expect(name, run_in_pieces(input, piece), expected, "in pieces");
    for (size_t a = 0; a <= input->len; a++)
        expect(name, run_cut(input, a, a), expected, "cut in two");
    size_t step = input->len > 100 ? 7 : 1;
    for (size_t a = 0; a <= input->len; a += step)
        for (size_t b = a; b <= input->len; b += step)
            expect(name, run_cut(input, a, b), expected, "cut in three");
}

/* ---- cases ---- */

/* Bytes as a client reads them, unmasked; limits 0: without. */
static const struct reader_case {
    const char *name, *bytes, *told;
    size_t max_message, max_fragments;
} cases[] = {
    { "nothing", "", "", 0, 0 },
    { "empty text", "81 00", "text ''; ", 0, 0 },
    { "empty binary", "82 00", "binary ''; ", 0, 0 },
    { "text", "81 05 'Hello'", "text 'Hello'; ", 0, 0 },
    { "binary", "82 03 00 FF 80", "binary 00FF80; ", 0, 0 },
    { "two messages", "81 01 'a' 82 01 'b'", "text 'a'; binary 'b'; ", 0, 0 },
    { "fragments", "01 03 'Hel' 80 02 'lo'", "text 'Hello'; ", 0, 0 },
    { "three fragments", "02 01 'a' 00 01 'b' 80 01 'c'", "binary 'abc'; ", 0, 0 },
    { "empty fragments", "01 00 00 00 80 00", "text ''; ", 0, 0 },
    { "empty first fragment", "01 00 80 02 'ab'", "text 'ab'; ", 0, 0 },
    { "empty last fragment", "01 02 'ab' 80 00", "text 'ab'; ", 0, 0 },
    { "message after fragments", "01 01 'a' 80 01 'b' 81 01 'c'", "text 'ab'; text 'c'; ", 0, 0 },
    { "ping", "89 05 'Hello'", "ping 'Hello'; ", 0, 0 },
    { "empty ping", "89 00", "ping ''; ", 0, 0 },
    { "pong", "8A 01 'x'", "pong 'x'; ", 0, 0 },
    { "ping between fragments", "01 01 'a' 89 01 'p' 80 01 'b'", "ping 'p'; text 'ab'; ", 0, 0 },
    { "controls between fragments", "01 01 'a' 89 00 8A 01 'q' 00 01 'b' 89 01 'r' 80 01 'c'",
      "ping ''; pong 'q'; ping 'r'; text 'abc'; ", 0, 0 },
    { "close", "88 02 03E8", "close 1000 ''; ", 0, 0 },
    { "close with reason", "88 05 0FA0 'bye'", "close 4000 'bye'; ", 0, 0 },
    { "empty close", "88 00", "close 1005 ''; ", 0, 0 },
    { "close in a message", "01 01 'a' 88 02 03E9", "close 1001 ''; ", 0, 0 },
    { "text in two bytes", "81 02 C3 A4", "text C3A4; ", 0, 0 },
    { "character over fragments", "01 01 E2 00 01 82 80 01 AC", "text E282AC; ", 0, 0 },
    { "character around a ping", "01 02 F09F 89 01 'p' 80 02 8C99", "ping 'p'; text F09F8C99; ", 0,
      0 },
    { "16-bit length", "82 7E 0001", "breach LENGTH_NOT_MINIMAL 827E0001; ", 0, 0 },
    { "rsv1", "C1 00", "breach RSV C1; ", 0, 0 },
    { "rsv2", "A1 00", "breach RSV A1; ", 0, 0 },
    { "rsv3 in a message", "01 01 'a' 90 00", "breach RSV 90; ", 0, 0 },
    { "reserved data opcode", "83 00", "breach OPCODE 83; ", 0, 0 },
    { "reserved control opcode", "8B 00", "breach OPCODE 8B; ", 0, 0 },
    { "reserved opcode in a message", "01 01 'a' 83 00", "breach OPCODE 83; ", 0, 0 },
    { "fragmented ping", "09 00", "breach CONTROL_FRAGMENTED 09; ", 0, 0 },
    { "ping of 126", "89 7E 007E", "breach CONTROL_TOO_LONG 897E; ", 0, 0 },
    { "masked", "81 81 00000000 'a'", "breach MASKED 8181; ", 0, 0 },
    { "top bit", "82 7F 8000000000000000", "breach LENGTH_TOP_BIT 827F80; ", 0, 0 },
    { "64 bits for less", "82 7F 000000000000FFFF", "breach LENGTH_NOT_MINIMAL 827F000000000000; ",
      0, 0 },
    { "continuation first", "80 01 'a'", "breach CONTINUATION_WITHOUT_START 80; ", 0, 0 },
    { "continuation after a message", "81 01 'a' 80 00",
      "text 'a'; breach CONTINUATION_WITHOUT_START 80; ", 0, 0 },
    { "continuation after fragments", "01 00 80 00 00 00",
      "text ''; breach CONTINUATION_WITHOUT_START 00; ", 0, 0 },
    { "text in a message", "01 01 'a' 81 00", "breach MESSAGE_IN_MESSAGE 81; ", 0, 0 },
    { "binary in a text", "01 01 'a' 02 00", "breach MESSAGE_IN_MESSAGE 02; ", 0, 0 },
    { "order before the second byte", "80 81", "breach CONTINUATION_WITHOUT_START 80; ", 0, 0 },
    { "order before the length", "01 00 82 7E 0000", "breach MESSAGE_IN_MESSAGE 82; ", 0, 0 },
    { "nothing after a breach", "81 01 'a' C1 81 01 'b'", "text 'a'; breach RSV C1; ", 0, 0 },
    { "close of one byte", "88 01 03", "breach CLOSE_ONE_BYTE 8801; ", 0, 0 },
    { "close 1005", "88 02 03ED", "breach CLOSE_CODE 8802; ", 0, 0 },
    { "close with bad reason", "88 03 03E8 FF", "breach CLOSE_UTF8 8803; ", 0, 0 },
    { "bad first byte of text", "81 02 FF 'a'", "breach TEXT_UTF8 8102; ", 0, 0 },
    { "bad text, rest missing", "81 7D FF", "breach TEXT_UTF8 817D; ", 0, 0 },
    { "overlong text", "81 02 C0 80", "breach TEXT_UTF8 8102; ", 0, 0 },
    { "surrogate in text", "81 03 EDA080", "breach TEXT_UTF8 8103; ", 0, 0 },
    { "text ends inside a character", "81 01 C3", "breach TEXT_UTF8 8101; ", 0, 0 },
    { "fragments end inside one", "01 01 C3 80 00", "breach TEXT_UTF8 8000; ", 0, 0 },
    { "character broken over fragments", "01 01 C3 80 01 'a'", "breach TEXT_UTF8 8001; ", 0, 0 },
    { "bad text before the ping", "01 01 FF 89 00", "breach TEXT_UTF8 0101; ", 0, 0 },
    { "binary is not text", "82 02 C0 80", "binary C080; ", 0, 0 },
    { "binary fragments are not text", "02 01 FF 80 01 FE", "binary FFFE; ", 0, 0 },
    { "text after half a binary character", "82 01 C3 81 01 'a'", "binary C3; text 'a'; ", 0, 0 },
    { "at the limit", "81 05 'Hello'", "text 'Hello'; ", 5, 0 },
    { "above the limit", "81 06", "breach MESSAGE_TOO_BIG 8106; ", 5, 0 },
    { "promised above the limit", "82 7F 0000000100000000",
      "breach MESSAGE_TOO_BIG 827F0000000100000000; ", 1048576, 0 },
    { "fragments at the limit", "01 03 'Hel' 80 02 'lo'", "text 'Hello'; ", 5, 0 },
    { "fragments above the limit", "01 03 'Hel' 80 03", "breach MESSAGE_TOO_BIG 8003; ", 5, 0 },
    { "first fragment above the limit", "01 06", "breach MESSAGE_TOO_BIG 0106; ", 5, 0 },
    { "a limit is per message", "81 02 'ab' 81 02 'cd' 01 02 'ef' 80 00",
      "text 'ab'; text 'cd'; text 'ef'; ", 2, 0 },
    { "controls are not messages", "89 05 'Hello' 88 02 03E8", "ping 'Hello'; close 1000 ''; ", 1,
      0 },
    { "controls do not count", "01 02 'ab' 89 03 'xyz' 80 00", "ping 'xyz'; text 'ab'; ", 2, 0 },
    { "fragments to the count", "01 00 00 00 80 00", "text ''; ", 0, 3 },
    { "fragments over the count", "01 00 00 00 00 00 80 00", "breach TOO_MANY_FRAGMENTS 0000; ", 0,
      2 },
    { "last fragment over the count", "01 00 00 00 80 00", "breach TOO_MANY_FRAGMENTS 8000; ", 0,
      2 },
    { "pings are no fragments", "01 00 89 00 89 00 80 00", "ping ''; ping ''; text ''; ", 0, 2 },
    { "one fragment is a message", "81 01 'a' 81 01 'b'", "text 'a'; text 'b'; ", 0, 1 },
    { "size before count", "01 01 'a' 80 02", "breach MESSAGE_TOO_BIG 8002; ", 2, 1 },
};

static struct input input_of(const struct reader_case *c)
{
    struct input input = { .role = MW_ROLE_CLIENT,
                           .max_message = c->max_message,
                           .max_fragments = c->max_fragments };
    input.len = bytes_of(c->bytes, input.bytes, sizeof input.bytes);
    return input;
}

TEST(every_case_tells_the_same_at_every_cut)
{
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct input input = input_of(&cases[i]);
        check_every_cut(cases[i].name, &input, cases[i].told);
    }
}

/* ---- the server's side: the same frames, masked ---- */

static void put_masked(struct input *to, const struct mw_frame_head *head, const uint8_t *payload,
                       size_t len)
{
    const uint8_t key[4] = { 0x37, 0xFA, (uint8_t)to->len, 0x3D };
    to->len += mw_frame_encode(to->bytes + to->len, (enum mw_opcode)head->opcode, head->fin,
                               head->len, key);
    memcpy(to->bytes + to->len, payload, len);
    mw_mask(to->bytes + to->len, len, key, 0);
    to->len += len;
}

/* False where the stream holds a header that cannot be masked. The last frame may be cut short. */
static bool mask_stream(const struct input *from, struct input *to)
{
    *to = (struct input){ .role = MW_ROLE_SERVER,
                          .max_message = from->max_message,
                          .max_fragments = from->max_fragments };
    size_t at = 0;
    while (at < from->len) {
        struct mw_frame_head head;
        enum mw_rule rule;
        int size =
            mw_frame_decode(from->bytes + at, from->len - at, MW_ROLE_CLIENT, false, &head, &rule);
        if (size <= 0)
            return false;
        at += (size_t)size;
        size_t len = head.len < from->len - at ? (size_t)head.len : from->len - at;
        put_masked(to, &head, from->bytes + at, len);
        at += len;
    }
    return true;
}

/* A breach tells the header's bytes, which differ by the mask: compare what came before them. */
static void check_masked(const struct reader_case *c, const struct input *input)
{
    struct story whole = run_in_pieces(input, input->len + 1);
    const char *breach = strstr(c->told, "breach ");
    const char *end = breach ? strchr(breach + strlen("breach "), ' ') : NULL;
    size_t len = end ? (size_t)(end - c->told) : strlen(c->told);
    if (strncmp(whole.text, c->told, len) != 0)
        fail_msg("%s, masked: told %s, expected %s", c->name, whole.text, c->told);
    check_every_cut(c->name, input, whole.text);
}

TEST(masked_frames_tell_the_same_at_every_cut)
{
    size_t masked = 0;
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct input plain = input_of(&cases[i]), input;
        if (!mask_stream(&plain, &input))
            continue;
        masked++;
        check_masked(&cases[i], &input);
    }
    assert_in_range(masked, MW_COUNT(cases) / 2, MW_COUNT(cases));
}

TEST(unmasked_frame_is_refused_by_a_server_at_its_second_byte)
{
    struct input input = { .role = MW_ROLE_SERVER };
    input.len = bytes_of("81 05 'Hello'", input.bytes, sizeof input.bytes);
    check_every_cut("unmasked", &input, "breach UNMASKED 8105; ");
}

/* ---- streams that nobody wrote ---- */

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    return *seed ^= *seed << 5;
}

static void put_random_frame(struct input *input, uint32_t *seed)
{
    static const uint8_t opcodes[] = { 0, 0, 0, 1, 1, 2, 8, 9, 10, 3 };
    uint8_t payload[60];
    uint32_t r = next_random(seed);
    struct mw_frame_head head = { .fin = r & 1,
                                  .opcode = opcodes[(r >> 1) % sizeof opcodes],
                                  .len = (r >> 8) % sizeof payload };
    if (mw_opcode_is_control(head.opcode) && (r >> 20) % 8)
        head.fin = true;
    for (size_t i = 0; i < head.len; i++)
        payload[i] = (r >> 24) % 3 ? 'a' : (uint8_t)next_random(seed);
    put_masked(input, &head, payload, (size_t)head.len);
}

TEST(random_streams_tell_the_same_however_they_are_cut)
{
    uint32_t seed = 20240607;
    for (int round = 0; round < 4000; round++) {
        struct input input = { .role = MW_ROLE_SERVER, .max_message = 80, .max_fragments = 3 };
        for (uint32_t n = next_random(&seed) % 8; n > 0; n--)
            put_random_frame(&input, &seed);
        if (input.len > 0 && next_random(&seed) % 2) /* one byte is wrong */
            input.bytes[next_random(&seed) % input.len] ^= (uint8_t)(1 << next_random(&seed) % 8);
        struct story whole = run_in_pieces(&input, input.len + 1);
        for (int i = 0; i < 6; i++) {
            size_t a = next_random(&seed) % (input.len + 1);
            size_t b = a + next_random(&seed) % (input.len - a + 1);
            expect("random", run_cut(&input, a, b), whole.text, "cut in three");
        }
        expect("random", run_in_pieces(&input, 1), whole.text, "byte by byte");
    }
}

static void feed_text(struct mw_reader *reader, const char *text, struct story *story)
{
    uint8_t bytes[64];
    feed(reader, bytes, bytes_of(text, bytes, sizeof bytes), story);
}

/* A reader of that role, and the first bytes that it is fed. */
static void begin_with(struct mw_reader *reader, struct mw_mem *mem, enum mw_role role,
                       const char *text, struct story *story)
{
    mw_mem_init(mem, NULL, 0);
    mw_reader_init(reader, mem, role);
    feed_text(reader, text, story);
}

/* ---- as soon as its byte is there ---- */

TEST(a_breach_is_told_with_the_byte_that_shows_it)
{
    static const struct {
        const char *before, *shows;
    } early[] = {
        { "", "C1" },
        { "81", "81" },
        { "82 7F", "80" },
        { "82 7F 0000000000", "00" },
        { "82 7E 00", "7D" },
        { "01 01 'a'", "81" },
        { "", "80" },
        { "81 7E 1000 'abc'", "FF" },
        { "81 7E 1000 'abc' E2", "28" },
        { "01 01 E2 00 7D", "28" },
        { "01 7D 'abc'", "C0" },
    };
    for (size_t i = 0; i < MW_COUNT(early); i++) {
        struct mw_mem mem;
        struct mw_reader reader;
        struct story story = { 0 };
        begin_with(&reader, &mem, MW_ROLE_CLIENT, early[i].before, &story);
        if (story.len)
            fail_msg("%s: told %s", early[i].before, story.text);
        feed_text(&reader, early[i].shows, &story);
        if (strncmp(story.text, "breach", 6) != 0)
            fail_msg("%s %s: told '%s'", early[i].before, early[i].shows, story.text);
        mw_reader_free(&reader);
        assert_mem_empty(&mem);
    }
}

/* What the frame's header says is only written down where the long way has read it. */
TEST(a_short_frame_that_is_all_there_goes_the_short_way)
{
    static const struct {
        const char *bytes;
        bool is_short;
    } frames[] = {
        { "81 83 01020304 60 60 60", true },  { "82 80 01020304", true },
        { "81 83 01020304 60 60", false },    /* not all of it */
        { "01 83 01020304 60 60 60", false }, /* a fragment */
        { "89 83 01020304 60 60 60", false }, /* a ping */
        { "81 FE 007E 01020304", false },     /* longer */
        { "81 82 01020304 C1 81", false },    /* broken text: as the long way tells it */
    };
    for (size_t i = 0; i < MW_COUNT(frames); i++) {
        struct mw_mem mem;
        struct mw_reader reader;
        struct story story = { 0 };
        begin_with(&reader, &mem, MW_ROLE_SERVER, frames[i].bytes, &story);
        if ((reader.head.size == 0) != frames[i].is_short)
            fail_msg("%s went the other way", frames[i].bytes);
        mw_reader_free(&reader);
        assert_mem_empty(&mem);
    }
}

/* ---- memory ---- */

static void check_failing(const struct reader_case *c, uint64_t fail_at, bool *failed)
{
    struct input input = input_of(c);
    struct story story = { 0 };
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    mem.fail_at = fail_at;
    struct mw_reader reader = open_reader(&input, &mem);
    for (size_t at = 0; at < input.len; at++)
        feed(&reader, input.bytes + at, 1, &story);
    mw_reader_free(&reader);
    assert_mem_empty(&mem);
    *failed = mem.count >= fail_at;
    const char *nomem = strstr(story.text, "nomem; ");
    size_t told = nomem ? (size_t)(nomem - story.text) : story.len;
    if (*failed != (nomem != NULL) || (nomem && nomem[7]) || strncmp(story.text, c->told, told))
        fail_msg("%s, allocation %d: told %s", c->name, (int)fail_at, story.text);
}

TEST(no_memory_is_told_once_and_ends_the_reader)
{
    size_t failures = 0;
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        bool failed = true;
        for (uint64_t fail_at = 1; failed; fail_at++) {
            check_failing(&cases[i], fail_at, &failed);
            failures += failed;
        }
    }
    assert_in_range(failures, 20, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_case_tells_the_same_at_every_cut),
        CASE(masked_frames_tell_the_same_at_every_cut),
        CASE(unmasked_frame_is_refused_by_a_server_at_its_second_byte),
        CASE(random_streams_tell_the_same_however_they_are_cut),
        CASE(a_breach_is_told_with_the_byte_that_shows_it),
        CASE(a_short_frame_that_is_all_there_goes_the_short_way),
        CASE(no_memory_is_told_once_and_ends_the_reader),
    };
    return RUN(tests);
}
