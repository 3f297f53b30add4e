/*
 * Bytes of a stream to messages and control frames: header, unmasking in place, fragments, limits,
 * inflating, streaming UTF-8. Pull: feed bytes, then ask for items until MORE. Never calls back,
 * never looks at a clock, answers nothing.
 *
 * A frame that lies whole in the fed bytes is handed over in place. Only what is split moves to a
 * buffer, which grows with bytes received, to a few times as much of what the header promises, and
 * is freed with the item's end: an idle reader owns none.
 */
#ifndef MW_PROTO_MESSAGE_H
#define MW_PROTO_MESSAGE_H

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/proto/close.h"
#include "core/proto/deflate.h"
#include "core/proto/frame.h"

enum mw_item_kind {
    MW_ITEM_MORE,    /* all fed bytes are used up */
    MW_ITEM_MESSAGE, /* opcode TEXT or BINARY; data whole */
    MW_ITEM_PING,
    MW_ITEM_PONG,
    MW_ITEM_CLOSE,  /* close is set */
    MW_ITEM_BREACH, /* rule; data: the header up to the byte that shows it. Nothing follows */
    MW_ITEM_NOMEM,  /* the message could not be held. Nothing follows */
};

struct mw_item {
    enum mw_item_kind kind;
    enum mw_opcode opcode;
    enum mw_rule rule;
    struct mw_close close;
    struct mw_view data; /* until the next call */
};

struct mw_reader {
    /* limits; may be changed at any time */
    size_t max_message, max_fragments; /* bytes as they come over the wire, frames */
    size_t max_inflated;               /* bytes of a compressed message, at least 1 */

    /* borrowed; set once permessage-deflate was agreed on, else NULL */
    struct mw_inflater *inflater;

    /* private */
    struct mw_mem *mem;
    uint8_t *in; /* borrowed, fed and not yet used up */
    size_t in_len;
    struct mw_frame_head head;
    uint64_t left;      /* payload bytes of the frame still to come */
    size_t received;    /* payload bytes of the message, with those of the current frame */
    uint32_t fragments; /* of the message, so far */
    uint32_t frames;    /* that were read to their end, ever; wraps */
    struct mw_utf8 utf8;
    uint8_t head_bytes[MW_FRAME_HEAD_MAX]; /* of the current or last header */
    uint8_t head_have;
    uint8_t role;           /* enum mw_role */
    uint8_t message_opcode; /* 0: no message is unfinished */
    bool compressed;        /* the unfinished message is */
    bool in_frame, dead, release, deaf;
    struct mw_buf message; /* split, fragmented or inflated message */
    struct mw_buf control; /* split control frame */
};

void mw_reader_init(struct mw_reader *reader, struct mw_mem *mem, enum mw_role role);
void mw_reader_free(struct mw_reader *reader);

/*
 * Nothing was fed that is not used up, no frame or message is unfinished, no item is looked at: as
 * after init, but for limits and whom it serves.
 */
bool mw_reader_is_idle(const struct mw_reader *reader);
/* An idle one reads for another connection: what it keeps is kept in `mem` from now on. */
void mw_reader_serve(struct mw_reader *reader, struct mw_mem *mem, enum mw_role role,
                     struct mw_inflater *inflater);

/*
 * Gives bytes (borrowed and changed by unmasking, until next() has said MORE or the reader is
 * dead); everything fed before must have been used up.
 */
void mw_reader_feed(struct mw_reader *reader, char *bytes, size_t len);

/*
 * Where the next bytes can be read to, so that they are not copied: behind what is here of a large
 * message whose header has said that more comes. NULL: anywhere. Until the next call; to be fed
 * then, as far as bytes have come.
 */
char *mw_reader_place(struct mw_reader *reader, size_t *room);

/* The next item. After a BREACH or NOMEM always MORE. */
void mw_reader_next(struct mw_reader *reader, struct mw_item *item);

/* Bytes fed and not used up yet: what the owner must keep when it stops asking. */
struct mw_view mw_reader_rest(const struct mw_reader *reader);

/* Forgets those bytes: they, or others, may be fed later. */
static inline void mw_reader_detach(struct mw_reader *reader)
{
    reader->in = 0;
    reader->in_len = 0;
}

/*
 * From now on messages are read over: neither kept nor inflated nor judged, and none is told.
 * Control frames and headers are what they were.
 */
static inline void mw_reader_go_deaf(struct mw_reader *reader)
{
    reader->deaf = true;
}

/* A message has begun and not ended. */
bool mw_reader_in_message(const struct mw_reader *reader);

/* Bytes of a frame that is not whole yet, its header with them; 0: there is none. */
uint64_t mw_reader_partial(const struct mw_reader *reader);

/*
 * The last bytes are no header, and may become HTTP text: the breach is told when more of them have
 * come, or by judge(), which the owner calls when it has waited enough or no more can come. Gives
 * that breach, or MORE where there is no doubt.
 */
bool mw_reader_is_in_doubt(const struct mw_reader *reader);
void mw_reader_judge(struct mw_reader *reader, struct mw_item *item);

bool mw_reader_validate(const struct mw_reader *reader);

#endif
