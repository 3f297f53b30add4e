/* Close codes and the body of a Close frame, both ways (RFC 6455 5.5.1, 7.4). */
#ifndef MW_PROTO_CLOSE_H
#define MW_PROTO_CLOSE_H

#include "core/proto/rule.h"
#include "moonwire/types.h"

#define MW_CLOSE_REASON_MAX 123

/* Codes that the core itself names. */
enum mw_close_code {
    MW_CLOSE_NORMAL = 1000,
    MW_CLOSE_GOING_AWAY = 1001,
    MW_CLOSE_PROTOCOL_ERROR = 1002,
    MW_CLOSE_UNSUPPORTED_DATA = 1003,
    MW_CLOSE_NO_STATUS = 1005, /* never on the wire */
    MW_CLOSE_ABNORMAL = 1006,  /* never on the wire */
    MW_CLOSE_INVALID_DATA = 1007,
    MW_CLOSE_POLICY = 1008,
    MW_CLOSE_TOO_BIG = 1009,
    MW_CLOSE_INTERNAL = 1011,
    MW_CLOSE_RESTART = 1012,
    MW_CLOSE_TRY_LATER = 1013,
    MW_CLOSE_TIMEOUT = 3008,
};

/*
 * NULL: the code may be sent (1000-1003, 1007-1014, 3000-4999); else a sentence that says why not.
 * Static.
 */
const char *mw_close_code_refusal(unsigned code);
static inline bool mw_close_code_is_sendable(unsigned code)
{
    return mw_close_code_refusal(code) == 0;
}

/* "going away"; a range's name for codes without one of their own ("private use"). Static. */
const char *mw_close_code_name(unsigned code);

struct mw_close {
    unsigned code;         /* MW_CLOSE_NO_STATUS where the body was empty */
    struct mw_view reason; /* into the body */
};

/* Reads the body of a received Close frame. MW_OK, or MW_ERR_PROTOCOL with *rule. */
int mw_close_decode(struct mw_view body, struct mw_close *out, enum mw_rule *rule);

/*
 * Writes a body of code and reason (valid UTF-8, cut at 123 bytes on a code point); returns its
 * size, 0 for MW_CLOSE_NO_STATUS.
 */
size_t mw_close_encode(uint8_t out[125], unsigned code, struct mw_view reason);

#endif
