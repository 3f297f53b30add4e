/*
 * The sideband: how the client that is shipped with the server, and whoever speaks like it, talk
 * with the server beside the script's messages (docs/running.md, "The client's sideband"). Pure.
 *
 * The client chooses a mark, new for each attempt, and says it in the query of its URL:
 * moonwire=MARK. Texts that begin with that mark are asides: the server's hello, the client's
 * probe, the answer to it, and in a session how many messages of the other each side has. With
 * moonwire=MARK. it asks for a session as well, which outlives a cut, and with
 * moonwire=MARK.TOKEN.COUNT it comes back to one. A mark is as good as a secret: who does not know
 * it cannot begin a text with it but by chance. Whoever names none gets nothing of this.
 *
 * The hello tells of the limits at the opening. A reload that changes them is not told: a client
 * that probes too early or too late is answered all the same.
 */
#ifndef MW_SESSION_SIDEBAND_H
#define MW_SESSION_SIDEBAND_H

#include "core/proto/frame.h"
#include "core/session/limits.h"
#include "core/session/resume_token.h"

#define MW_SIDEBAND_MARK_MIN 16 /* characters; shorter ones meet by chance */
#define MW_SIDEBAND_MARK_MAX 32

/* Probes are answered once in this time: who asks more often is heard all the same. */
#define MW_SIDEBAND_ANSWER_MS 1000

/* At most so long a client may ask for no pings; longer than the limits of proxies that are known.
 */
#define MW_SIDEBAND_QUIET_MAX_S 600

/* A mark, and JSON of an id of 16 characters, a token, and six numbers. */
#define MW_SIDEBAND_HELLO_MAX 320
/* A character and a number; with the mark before it. */
#define MW_SIDEBAND_ASIDE_MAX  (1 + 20)
#define MW_SIDEBAND_ANSWER_MAX (MW_SIDEBAND_MARK_MAX + MW_SIDEBAND_ASIDE_MAX)

/* Messages of a session are counted in numbers that JavaScript has, too. */
#define MW_SIDEBAND_COUNT_MAX ((UINT64_C(1) << 53) - 1)

/* What one connection has of it. */
struct mw_sideband {
    mw_ms answer_at_ms; /* no answer before */
    uint8_t mark_len;
    char mark[MW_SIDEBAND_MARK_MAX];
};

/* 16 to 32 characters of A-Z a-z 0-9 - and _. */
bool mw_sideband_is_mark(struct mw_view text);

/*
 * The mark that a request's target names in its query; empty: none, also where the parameter is
 * there twice or its value begins with no mark. A view into `target`.
 */
struct mw_view mw_sideband_mark(struct mw_view target);

/* What a request's target asks for beside the script's business. */
struct mw_sideband_ask {
    struct mw_view mark; /* as mw_sideband_mark */
    bool session;        /* wants one that can be resumed: where it cannot have that, a new one */
    bool back;           /* ... has one: */
    struct mw_resume_token token;
    uint64_t count; /* of messages that it has got in that session, missed ones included */
};

/* A session's name that cannot be read is none: its client gets a new one. */
struct mw_sideband_ask mw_sideband_ask(struct mw_view target);

/*
 * A raw query without the parameter, whatever its value: itself, or a copy in `room`, which has
 * query.len bytes at least.
 */
struct mw_view mw_sideband_hide(struct mw_view query, char *room);

/* `mark` is one. Answers at once. */
void mw_sideband_init(struct mw_sideband *sideband, struct mw_view mark);

enum mw_aside {
    MW_ASIDE_NONE,  /* a message of the application */
    MW_ASIDE_PROBE, /* MARK? */
    MW_ASIDE_QUIET, /* MARK~120 */
    MW_ASIDE_COUNT, /* MARK+7 */
    MW_ASIDE_OTHER, /* begins with the mark: not for the application, and nobody here knows it */
};

/* What a whole message of the client is. */
enum mw_aside mw_sideband_read(const struct mw_sideband *sideband, enum mw_opcode opcode,
                               struct mw_view text);

/* Of a session that can be resumed: what the hello says of it. */
struct mw_sideband_session {
    const char *token; /* borrowed */
    mw_ms for_ms;      /* for so long after a cut */
    uint64_t got;      /* messages of the client that the server has */
    bool back;         /* it was resumed: */
    uint64_t missed;   /* so many messages to the client are lost, before all that follows */
};

/*
 * MARK{"v":1,"id":"...","ping":25,"pong":20}: seconds, 0 for never. `id` is at most 16 characters.
 * With a session (else NULL) ,"resume":{"token":"...","for":30,"got":0} and, where it is back,
 * ,"back":true,"missed":0 in that. Returns the length.
 */
size_t mw_sideband_hello(const struct mw_sideband *sideband, const char *id,
                         const struct mw_limits_ms *limits,
                         const struct mw_sideband_session *session,
                         char out[MW_SIDEBAND_HELLO_MAX]);
/* MARK! to a probe, MARK~ to who wants it quiet; 0 to all else. */
size_t mw_sideband_answer(const struct mw_sideband *sideband, enum mw_aside to,
                          char out[MW_SIDEBAND_ANSWER_MAX]);
/* MARK?: how many messages of the session has the client? */
size_t mw_sideband_question(const struct mw_sideband *sideband, char out[MW_SIDEBAND_ANSWER_MAX]);
/* MARK+G: so many messages of the client have come; a session's answer to a probe. */
size_t mw_sideband_got(const struct mw_sideband *sideband, uint64_t got,
                       char out[MW_SIDEBAND_ANSWER_MAX]);
/* MARK-N: here N messages to the client are missing. */
size_t mw_sideband_hole(const struct mw_sideband *sideband, uint64_t lost,
                        char out[MW_SIDEBAND_ANSWER_MAX]);
/* False: it is not COUNT. The client of a session has so many messages of it. */
bool mw_sideband_count(const struct mw_sideband *sideband, struct mw_view text, uint64_t *count);
/* Of a text that is QUIET: for how long. */
mw_ms mw_sideband_quiet_ms(const struct mw_sideband *sideband, struct mw_view text);

#endif
