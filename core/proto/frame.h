/*
 * The header of a frame, both ways (RFC 6455 5.2). Stateless: the caller keeps the bytes of a split
 * header.
 */
#ifndef MW_PROTO_FRAME_H
#define MW_PROTO_FRAME_H

#include "core/proto/rule.h"
#include "moonwire/types.h"

#define MW_FRAME_HEAD_MAX 14
#define MW_CONTROL_MAX    125

/* RSV1, in the first byte of a header (RFC 7692 6). */
#define MW_FRAME_COMPRESSED 0x40

enum mw_role { MW_ROLE_SERVER, MW_ROLE_CLIENT };

struct mw_frame_head {
    uint8_t opcode; /* enum mw_opcode */
    uint8_t size;   /* bytes of the header itself */
    bool fin, masked;
    bool compressed; /* RSV1, where it has a meaning (RFC 7692 6) */
    uint8_t mask[4];
    uint64_t len;
};

static inline bool mw_opcode_is_control(uint8_t opcode)
{
    return (opcode & 0x8) != 0;
}

/*
 * Decodes a header at the start of `bytes` as the role receives it: >0 its size; 0 more bytes are
 * needed (so far nothing is wrong); MW_ERR_PROTOCOL with *rule. A breach is reported with the first
 * byte that shows it, so the answer does not depend on how the bytes were cut. `deflate`:
 * permessage-deflate was agreed on, which gives RSV1 its meaning.
 */
int mw_frame_decode(const uint8_t *bytes, size_t len, enum mw_role role, bool deflate,
                    struct mw_frame_head *head, enum mw_rule *rule);

/* Writes a header; returns its size. `mask` NULL: unmasked (a server's). */
size_t mw_frame_encode(uint8_t out[MW_FRAME_HEAD_MAX], enum mw_opcode opcode, bool fin,
                       uint64_t len, const uint8_t mask[4]);

/* The first byte of a header, which says most of what there is to say of a frame. */
static inline uint8_t mw_frame_first_byte(enum mw_opcode opcode, bool fin, bool compressed)
{
    return (uint8_t)((fin ? 0x80 : 0) | (compressed ? MW_FRAME_COMPRESSED : 0) | (int)opcode);
}

/* Marks a header as the first of a compressed message (RFC 7692 6). */
static inline void mw_frame_set_compressed(uint8_t head[MW_FRAME_HEAD_MAX])
{
    head[0] |= MW_FRAME_COMPRESSED;
}

#endif
