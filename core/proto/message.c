/*
 * The reader: bytes of a stream in, messages and control frames out. Between the transport's buffer
 * and session/conn, which pulls. It judges and never answers: which frame or code goes back is
 * decided above.
 *
 * Two states, one function each: read_head until a header is whole, read_payload until its frame
 * is. The common case runs through both without copying: header and payload lie in the fed bytes,
 * are unmasked where they lie, and the item is a view of them. Whatever is split takes the same way
 * through `message` or `control`, and so does what is compressed, through the inflater.
 *
 * The outcome is the same however the bytes were cut: every rule is judged at the first byte that
 * shows it, in the order of the bytes, and a breach reports the bytes of the header up to that
 * byte.
 */
#include "core/proto/message.h"

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/proto/mask.h"
#include "core/proto/stray_http.h"

void mw_reader_init(struct mw_reader *reader, struct mw_mem *mem, enum mw_role role)
{
    *reader = (struct mw_reader){
        .max_message = SIZE_MAX,
        .max_fragments = SIZE_MAX,
        .max_inflated = SIZE_MAX,
        .mem = mem,
        .role = (uint8_t)role,
    };
    mw_buf_init(&reader->message, mem, 0);
    mw_buf_init(&reader->control, mem, 0);
}

void mw_reader_free(struct mw_reader *reader)
{
    if (!reader)
        return;
    mw_buf_free(&reader->message);
    mw_buf_free(&reader->control);
    mw_inflater_free(reader->inflater);
}

bool mw_reader_is_idle(const struct mw_reader *reader)
{
    return reader->in_len == 0 && !reader->in_frame && reader->head_have == 0 &&
           reader->message_opcode == 0 && !reader->release && !reader->dead;
}

void mw_reader_serve(struct mw_reader *reader, struct mw_mem *mem, enum mw_role role,
                     struct mw_inflater *inflater)
{
    mw_assert(mw_reader_is_idle(reader));
    reader->mem = reader->message.mem = reader->control.mem = mem;
    reader->role = (uint8_t)role;
    reader->inflater = inflater;
    reader->deaf = false;
}

/* The buffer behind the last item has been read by now: an idle reader owns nothing. */
static void release(struct mw_reader *reader)
{
    reader->release = false;
    mw_buf_free(&reader->control);
    if (!reader->message_opcode)
        mw_buf_free(&reader->message);
}

void mw_reader_feed(struct mw_reader *reader, char *bytes, size_t len)
{
    mw_assert(reader->in_len == 0);
    if (reader->release)
        release(reader);
    if (reader->dead)
        return;
    reader->in = (uint8_t *)bytes;
    reader->in_len = len;
}

static void consume(struct mw_reader *reader, size_t len)
{
    reader->in += len;
    reader->in_len -= len;
}

/* ---- ends of the reader ---- */

static bool die(struct mw_reader *reader, struct mw_item *item, enum mw_item_kind kind)
{
    mw_reader_free(reader);
    reader->dead = true;
    reader->in_len = 0;
    reader->head_have = 0;
    item->kind = kind;
    return true;
}

/* The breach is shown by the first `len` bytes of the header. */
static bool breach(struct mw_reader *reader, struct mw_item *item, enum mw_rule rule, size_t len)
{
    item->rule = rule;
    item->data = mw_view((const char *)reader->head_bytes, len);
    return die(reader, item, MW_ITEM_BREACH);
}

static bool no_memory(struct mw_reader *reader, struct mw_item *item)
{
    item->data = mw_view("", 0);
    return die(reader, item, MW_ITEM_NOMEM);
}

/*
 * A breach of what follows the header: its bytes are written anew, there is only one way to write
 * them.
 */
static bool breach_behind_head(struct mw_reader *reader, struct mw_item *item, enum mw_rule rule)
{
    const struct mw_frame_head *head = &reader->head;
    size_t len = mw_frame_encode(reader->head_bytes, (enum mw_opcode)head->opcode, head->fin,
                                 head->len, head->masked ? head->mask : NULL);
    if (head->compressed)
        mw_frame_set_compressed(reader->head_bytes);
    return breach(reader, item, rule, len);
}

/* ---- payload ---- */

static bool is_plain_text(const struct mw_reader *reader)
{
    return reader->message_opcode == MW_OPCODE_TEXT && !reader->compressed &&
           !mw_opcode_is_control(reader->head.opcode);
}

/*
 * Unmasks what there is of the payload and takes it off the input. *ascii: so many of its first
 * bytes are known to be ASCII, which is seen on the way.
 */
static struct mw_view take_payload(struct mw_reader *reader, size_t *ascii)
{
    size_t len = reader->left < reader->in_len ? (size_t)reader->left : reader->in_len;
    char *data = (char *)reader->in;
    uint64_t offset = reader->head.len - reader->left;
    *ascii = 0;
    if (reader->head.masked && is_plain_text(reader))
        *ascii = mw_mask_ascii(reader->in, len, reader->head.mask, offset);
    else if (reader->head.masked)
        mw_mask(reader->in, len, reader->head.mask, offset);
    reader->left -= len;
    reader->frames += reader->left == 0;
    consume(reader, len);
    return mw_view(data, len);
}

/* Below, a read of its own costs more than the copy that it saves. */
#define PLACE_MIN 16384

/*
 * The header says what is still to come of a frame. Of that a large message's buffer takes up to
 * four times what is here, so that it moves half as often while it grows, and that there is a place
 * to read to: 1 MiB of which the first 256 KiB have come has its whole place. Whoever promises and
 * does not send costs five times what it has sent.
 */
static void foresee(const struct mw_reader *reader, struct mw_buf *buf, size_t more)
{
    size_t most = 4 * (buf->len + more);
    size_t ahead = reader->left < most ? (size_t)reader->left : most;
    if (most >= PLACE_MIN && buf->cap - buf->len < more)
        (void)mw_buf_reserve(buf, more + ahead);
}

/*
 * It stands there already where it was read to the place that place() has named; a full buffer has
 * none, and what lies behind it in memory is somebody else's.
 */
static bool put(const struct mw_reader *reader, struct mw_buf *buf, struct mw_view part)
{
    bool has_room = part.len > 0 && buf->cap - buf->len >= part.len;
    if (has_room && part.data == buf->data + buf->len) {
        buf->len += part.len;
        return true;
    }
    foresee(reader, buf, part.len);
    return mw_buf_put_view(buf, part) == MW_OK;
}

char *mw_reader_place(struct mw_reader *reader, size_t *room)
{
    struct mw_buf *buf = &reader->message;
    bool is_wanted = reader->in_frame && !mw_opcode_is_control(reader->head.opcode) &&
                     !reader->compressed && !reader->deaf && !reader->release;
    size_t free_bytes = buf->cap - buf->len;
    if (!is_wanted || reader->left < PLACE_MIN || free_bytes < PLACE_MIN)
        return NULL;
    *room = reader->left < free_bytes ? (size_t)reader->left : free_bytes;
    return buf->data + buf->len;
}

/*
 * Makes `*part` the whole of what was gathered: itself where nothing had to be kept. False: no
 * memory. A buffer is released after the item that shows it.
 */
static bool gather(struct mw_reader *reader, struct mw_buf *buf, bool is_last, struct mw_view *part)
{
    if (is_last && buf->len == 0)
        return true;
    if (!put(reader, buf, *part))
        return false;
    *part = mw_buf_view(buf);
    reader->release = is_last;
    return true;
}

static bool end_close(struct mw_reader *reader, struct mw_item *item)
{
    enum mw_rule rule;
    if (mw_close_decode(item->data, &item->close, &rule) != MW_OK)
        return breach_behind_head(reader, item, rule);
    item->kind = MW_ITEM_CLOSE;
    return true;
}

static bool read_control(struct mw_reader *reader, struct mw_item *item)
{
    size_t ascii;
    item->data = take_payload(reader, &ascii);
    bool is_last = reader->left == 0;
    if (!gather(reader, &reader->control, is_last, &item->data))
        return no_memory(reader, item);
    if (!is_last)
        return false;
    reader->in_frame = false;
    item->opcode = (enum mw_opcode)reader->head.opcode;
    if (item->opcode == MW_OPCODE_CLOSE)
        return end_close(reader, item);
    item->kind = item->opcode == MW_OPCODE_PING ? MW_ITEM_PING : MW_ITEM_PONG;
    return true;
}

/*
 * RFC 6455 8.1: fails on the byte that cannot be right, and where the message ends inside a
 * character. The first `ascii` bytes are right where a character may begin.
 */
static bool text_is_wrong(struct mw_reader *reader, struct mw_view part, size_t ascii, bool is_last)
{
    if (reader->message_opcode != MW_OPCODE_TEXT)
        return false;
    if (ascii > 0 && mw_utf8_is_whole(&reader->utf8))
        part = mw_view_from(part, ascii);
    if (mw_utf8_feed(&reader->utf8, part.data, part.len, NULL) != MW_OK)
        return true;
    return is_last && !mw_utf8_is_whole(&reader->utf8);
}

/* True where the reader has died of it. */
static bool plain_data(struct mw_reader *reader, struct mw_item *item, size_t ascii, bool is_last)
{
    if (text_is_wrong(reader, item->data, ascii, is_last))
        return breach_behind_head(reader, item, MW_RULE_TEXT_UTF8);
    if (!gather(reader, &reader->message, is_last, &item->data))
        return no_memory(reader, item);
    return false;
}

/* What an inflater's answer means; NONE for no memory, too. */
static enum mw_rule rule_of(int err)
{
    if (err == MW_ERR_PROTOCOL)
        return MW_RULE_DEFLATE_DATA;
    return err == MW_ERR_FULL ? MW_RULE_INFLATED_TOO_BIG : MW_RULE_NONE;
}

/*
 * The same for a compressed message. What an error leaves was inflated before it, so the text is
 * judged first.
 */
static bool compressed_data(struct mw_reader *reader, struct mw_item *item, bool is_last)
{
    struct mw_buf *message = &reader->message;
    size_t before = message->len;
    int err = mw_inflater_feed(reader->inflater, item->data, message);
    if (!err && is_last)
        err = mw_inflater_end(reader->inflater, message);
    struct mw_view fresh =
        mw_view(before ? message->data + before : message->data, message->len - before);
    if (text_is_wrong(reader, fresh, 0, is_last && !err))
        return breach_behind_head(reader, item, MW_RULE_TEXT_UTF8);
    if (rule_of(err))
        return breach_behind_head(reader, item, rule_of(err));
    if (err)
        return no_memory(reader, item);
    item->data = mw_buf_view(message);
    reader->release = is_last;
    return false;
}

/* Of a message that nobody will hear; its first part may be here. */
static void forget_message(struct mw_reader *reader)
{
    reader->message_opcode = 0;
    reader->utf8 = (struct mw_utf8){ 0 };
    mw_buf_free(&reader->message);
}

static bool read_data(struct mw_reader *reader, struct mw_item *item)
{
    size_t ascii;
    item->data = take_payload(reader, &ascii);
    bool frame_ends = reader->left == 0;
    bool is_last = frame_ends && reader->head.fin;
    if (reader->deaf) {
        reader->in_frame = !frame_ends;
        if (is_last)
            forget_message(reader);
        return false;
    }
    if (reader->compressed ? compressed_data(reader, item, is_last)
                           : plain_data(reader, item, ascii, is_last))
        return true;
    reader->in_frame = !frame_ends;
    if (!is_last)
        return false;
    item->kind = MW_ITEM_MESSAGE;
    item->opcode = (enum mw_opcode)reader->message_opcode;
    reader->message_opcode = 0;
    return true;
}

static bool read_payload(struct mw_reader *reader, struct mw_item *item)
{
    bool is_control = mw_opcode_is_control(reader->head.opcode);
    return is_control ? read_control(reader, item) : read_data(reader, item);
}

/* ---- header ---- */

/* RFC 6455 5.4: what the first byte of a header shows in the light of the frames before. */
static enum mw_rule check_order(const struct mw_reader *reader, uint8_t opcode)
{
    if (mw_opcode_is_control(opcode))
        return MW_RULE_NONE;
    if (opcode == MW_OPCODE_CONTINUATION)
        return reader->message_opcode ? MW_RULE_NONE : MW_RULE_CONTINUATION_WITHOUT_START;
    return reader->message_opcode ? MW_RULE_MESSAGE_IN_MESSAGE : MW_RULE_NONE;
}

static enum mw_rule check_limits(const struct mw_reader *reader)
{
    bool goes_on = reader->head.opcode == MW_OPCODE_CONTINUATION;
    size_t received = goes_on ? reader->received : 0, before = goes_on ? reader->fragments : 0;
    if (received > reader->max_message || reader->head.len > reader->max_message - received)
        return MW_RULE_MESSAGE_TOO_BIG;
    return before < reader->max_fragments ? MW_RULE_NONE : MW_RULE_TOO_MANY_FRAGMENTS;
}

/* A limit that a reload has made smaller than what is here already refuses the next byte. */
static size_t inflated_end(const struct mw_reader *reader)
{
    size_t held = reader->message.len;
    return reader->max_inflated > held ? reader->max_inflated : held;
}

/* A buffer need not double beyond where the message can end. */
static void bound_message(struct mw_reader *reader)
{
    size_t end = reader->received;
    bool may_go_on = !reader->head.fin && reader->max_message > end;
    reader->message.max_bytes = may_go_on ? reader->max_message : end;
    if (reader->compressed)
        reader->message.max_bytes = inflated_end(reader);
}

static void begin_data(struct mw_reader *reader)
{
    if (reader->head.opcode != MW_OPCODE_CONTINUATION) {
        reader->message_opcode = reader->head.opcode;
        reader->compressed = reader->head.compressed;
        reader->fragments = 0;
        reader->received = 0;
    }
    reader->fragments++;
    reader->received += (size_t)reader->head.len;
    bound_message(reader);
}

/* The header is whole: the rules that need all of it, then its payload, which may be empty. */
static bool begin_frame(struct mw_reader *reader, struct mw_item *item)
{
    if (!mw_opcode_is_control(reader->head.opcode)) {
        enum mw_rule rule = check_limits(reader);
        if (rule)
            return breach_behind_head(reader, item, rule);
        begin_data(reader);
    }
    reader->head_have = 0;
    reader->left = reader->head.len;
    reader->in_frame = true;
    return read_payload(reader, item);
}

/*
 * The first of the header's bytes that breaks a rule says which one, so each longer piece of it
 * says the same.
 */
static bool breach_in_head(struct mw_reader *reader, struct mw_item *item, const uint8_t *bytes,
                           size_t have)
{
    enum mw_rule rule = MW_RULE_NONE;
    struct mw_frame_head head;
    size_t len = 0;
    while (!rule && len < have && len < MW_FRAME_HEAD_MAX) {
        reader->head_bytes[len] = bytes[len];
        len++;
        (void)mw_frame_decode(reader->head_bytes, len, (enum mw_role)reader->role, reader->inflater,
                              &head, &rule);
        if (!rule)
            rule = check_order(reader, reader->head_bytes[0] & 0x0F);
    }
    return breach(reader, item, rule, len);
}

static void keep_head(struct mw_reader *reader, const uint8_t *bytes, size_t have)
{
    memmove(reader->head_bytes, bytes, have);
    reader->head_have = (uint8_t)have;
    reader->in_len = 0;
}

/*
 * The header is refused, whatever follows. Where it may be HTTP text that was cut off, the answer
 * waits for the bytes that tell: else it would depend on the cut.
 */
static bool refuse_head(struct mw_reader *reader, struct mw_item *item, const uint8_t *bytes,
                        size_t have)
{
    size_t shown = 0;
    switch (mw_stray_http(bytes, have, &shown)) {
    case MW_STRAY_NO:
        break;
    case MW_STRAY_MAYBE:
        keep_head(reader, bytes, have);
        return false;
    case MW_STRAY_YES:
        memmove(reader->head_bytes, bytes, shown);
        return breach(reader, item, MW_RULE_HTTP_TEXT, shown);
    }
    return breach_in_head(reader, item, bytes, have);
}

/*
 * Tries the header at `bytes`: the input itself, or head_bytes with the input's first bytes behind
 * them.
 */
static bool try_head(struct mw_reader *reader, struct mw_item *item, const uint8_t *bytes,
                     size_t have)
{
    enum mw_rule rule = MW_RULE_NONE;
    int size = mw_frame_decode(bytes, have, (enum mw_role)reader->role, reader->inflater,
                               &reader->head, &rule);
    if (size < 0 || check_order(reader, bytes[0] & 0x0F))
        return refuse_head(reader, item, bytes, have);
    if (size == 0) {
        keep_head(reader, bytes, have);
        return false;
    }
    consume(reader, (size_t)size - reader->head_have);
    return begin_frame(reader, item);
}

static bool read_head(struct mw_reader *reader, struct mw_item *item)
{
    if (reader->head_have == 0)
        return try_head(reader, item, reader->in, reader->in_len);
    size_t room = MW_FRAME_HEAD_MAX - reader->head_have;
    size_t more = reader->in_len < room ? reader->in_len : room;
    memcpy(reader->head_bytes + reader->head_have, reader->in, more);
    return try_head(reader, item, reader->head_bytes, reader->head_have + more);
}

/* ---- the usual frame ---- */

#define SHORT_HEAD 6
#define SHORT_MAX  125

/*
 * A whole message in one short frame, for a server, with all that belongs to it here, and nothing
 * unfinished before it: what the long way finds of it, found at once.
 */
static bool is_short(const struct mw_reader *reader)
{
    const uint8_t *in = reader->in;
    if (reader->in_len < SHORT_HEAD || reader->in_frame || reader->head_have > 0)
        return false;
    size_t len = in[1] & 0x7F;
    bool is_usual = (in[0] == (0x80 | MW_OPCODE_TEXT) || in[0] == (0x80 | MW_OPCODE_BINARY)) &&
                    (in[1] & 0x80) && len <= SHORT_MAX && reader->in_len >= SHORT_HEAD + len;
    return is_usual && reader->role == MW_ROLE_SERVER && !reader->message_opcode && !reader->deaf &&
           len <= reader->max_message && reader->max_fragments > 0;
}

static bool short_is_wrong(struct mw_reader *reader, struct mw_item *item, const uint8_t *head)
{
    reader->head = (struct mw_frame_head){ .fin = true,
                                           .masked = true,
                                           .opcode = MW_OPCODE_TEXT,
                                           .size = SHORT_HEAD,
                                           .len = head[1] & 0x7F };
    memcpy(reader->head.mask, head + 2, sizeof reader->head.mask);
    return breach_behind_head(reader, item, MW_RULE_TEXT_UTF8);
}

/* 430 -> 240 instructions of a message of 64 bytes. */
static bool read_short(struct mw_reader *reader, struct mw_item *item)
{
    uint8_t *head = reader->in, *payload = head + SHORT_HEAD;
    size_t len = head[1] & 0x7F;
    size_t ascii = mw_mask_ascii(payload, len, head + 2, 0);
    item->opcode = (enum mw_opcode)(head[0] & 0x0F);
    item->data = mw_view((const char *)payload, len);
    if (item->opcode == MW_OPCODE_TEXT && ascii < len &&
        !mw_utf8_valid(mw_view_from(item->data, ascii)))
        return short_is_wrong(reader, item, head);
    item->kind = MW_ITEM_MESSAGE;
    item->rule = MW_RULE_NONE;
    reader->compressed = false;
    reader->fragments = 1;
    reader->received = len;
    reader->frames++;
    consume(reader, SHORT_HEAD + len);
    return true;
}

/* ---- the reader ---- */

void mw_reader_next(struct mw_reader *reader, struct mw_item *item)
{
    if (reader->release)
        release(reader);
    if (is_short(reader) && read_short(reader, item))
        return;
    *item = (struct mw_item){ .kind = MW_ITEM_MORE };
    bool ready = false;
    while (!ready && reader->in_len > 0)
        ready = reader->in_frame ? read_payload(reader, item) : read_head(reader, item);
    if (!ready)
        item->data = mw_view("", 0);
}

struct mw_view mw_reader_rest(const struct mw_reader *reader)
{
    return mw_view((const char *)reader->in, reader->in_len);
}

bool mw_reader_in_message(const struct mw_reader *reader)
{
    return reader->message_opcode != 0;
}

uint64_t mw_reader_partial(const struct mw_reader *reader)
{
    if (!reader->in_frame)
        return reader->head_have;
    return reader->head.size + (reader->head.len - reader->left);
}

bool mw_reader_is_in_doubt(const struct mw_reader *reader)
{
    size_t shown;
    return reader->head_have > 0 &&
           mw_stray_http(reader->head_bytes, reader->head_have, &shown) == MW_STRAY_MAYBE;
}

void mw_reader_judge(struct mw_reader *reader, struct mw_item *item)
{
    *item = (struct mw_item){ .kind = MW_ITEM_MORE };
    if (mw_reader_is_in_doubt(reader))
        (void)breach_in_head(reader, item, reader->head_bytes, reader->head_have);
}

static bool buf_is_sound(const struct mw_buf *buf)
{
    return buf->len <= buf->cap && (buf->data != NULL) == (buf->cap > 0);
}

/*
 * What is kept has a reason: an unfinished message or frame, or an item that may still be looked
 * at.
 */
static bool keeps_only_what_it_needs(const struct mw_reader *reader)
{
    bool in_control = reader->in_frame && mw_opcode_is_control(reader->head.opcode);
    bool message_ok = !reader->message.data || reader->message_opcode || reader->release;
    bool control_ok = !reader->control.data || in_control || reader->release;
    return message_ok && control_ok;
}

bool mw_reader_validate(const struct mw_reader *reader)
{
    if (!buf_is_sound(&reader->message) || !buf_is_sound(&reader->control))
        return false;
    if (reader->dead)
        return reader->in_len == 0 && !reader->message.data && !reader->control.data;
    if (reader->in_frame && (reader->left == 0 || reader->left > reader->head.len))
        return false;
    if (reader->in_frame && reader->head_have > 0)
        return false;
    if (reader->head_have >= MW_FRAME_HEAD_MAX)
        return false;
    if (!reader->message_opcode && !mw_utf8_is_whole(&reader->utf8))
        return false;
    if (reader->inflater && !mw_inflater_validate(reader->inflater))
        return false;
    return keeps_only_what_it_needs(reader);
}
