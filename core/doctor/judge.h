/*
 * What a step of the way came to, in words: from what a client knows to a line of the report. Pure;
 * texts of servers are borrowed for the call.
 */
#ifndef MW_DOCTOR_JUDGE_H
#define MW_DOCTOR_JUDGE_H

#include "core/doctor/report.h"
#include "core/outbound/ws_client.h"

/* The end of a connection, kept: `ended` of a client lives for a call alone. */
struct mw_doctor_end {
    bool is_over, opened, ours, clean;
    enum mw_ws_fault fault;
    enum mw_cause cause;
    enum mw_rule rule;
    unsigned code;      /* as a browser would see it */
    bool has_close;     /* a Close frame of the server came */
    unsigned said_code; /* ... with this code, 1005 without one */
    char said[124];     /* ... and this reason */
    char text[160];     /* of the fault */
    uint8_t bytes[16];  /* of the frame that broke the rule */
    size_t byte_count;
    mw_ms uptime_ms, silent_ms;
};
void mw_doctor_end_of(struct mw_doctor_end *end, const struct mw_ws_ended *ended);
/* By the payload of its Close frame, before that. */
void mw_doctor_end_said(struct mw_doctor_end *end, struct mw_view payload);

/*
 * Letters, digits, _ and - alone, as our names are. What else a server calls so must not stand in a
 * line that people are told to type.
 */
#define MW_DOCTOR_WORD_MAX 31
bool mw_doctor_is_word(struct mw_view text);

/* Who answers, as far as it is known. */
struct mw_doctor_who {
    bool is_ours;     /* a Moonwire server, whatever stands in front of it */
    char conn_id[32]; /* its own name for the connection; "" */
    unsigned ping_s;  /* how often it pings; 0: it does not, or that is not known */
    char server[64];  /* the Server header, of the server or of what stands in front; "" */
};
void mw_doctor_who_of(struct mw_doctor_who *who, const struct mw_ws_answer *answer);

/* ---- the steps up to the handshake; ended NULL: the way went on from there ---- */

void mw_doctor_judge_dns(struct mw_doctor_line *line, const char *host,
                         const struct mw_ws_path *path, const struct mw_ws_ended *ended);
void mw_doctor_judge_tcp(struct mw_doctor_line *line, unsigned port, const struct mw_ws_path *path,
                         const struct mw_ws_ended *ended);

struct mw_doctor_tls_view {
    const char *host;
    unsigned port;
    bool insecure;
    int64_t now_unix_s;
};
void mw_doctor_judge_tls(struct mw_doctor_line *line, const struct mw_doctor_tls_view *view,
                         const struct mw_ws_path *path, const struct mw_ws_ended *ended);

void mw_doctor_judge_handshake(struct mw_doctor_line *line, const struct mw_doctor_who *who,
                               bool sent_origin, const struct mw_ws_path *path,
                               const struct mw_ws_ended *ended);
/* `wanted`: those that were asked for, as the header has them; "". */
void mw_doctor_judge_subprotocol(struct mw_doctor_line *line, const char *wanted,
                                 struct mw_view chosen);

/* ---- the steps of an open connection ---- */

/* It ended in the middle of something: "while 4096 bytes were on their way". */
void mw_doctor_judge_death(struct mw_doctor_line *line, const struct mw_doctor_end *end,
                           const struct mw_doctor_who *who, const char *during);

struct mw_doctor_pings {
    unsigned asked, answered;
    uint64_t least_us, most_us;
    uint64_t handshake_us; /* how long a question took that the server had to answer itself */
    unsigned pushed_bytes; /* what came only after so much more was sent; 0: came by itself */
};
void mw_doctor_judge_pings(struct mw_doctor_line *line, const struct mw_doctor_pings *pings,
                           mw_ms waited_ms);

enum mw_doctor_echo_fault {
    MW_DOCTOR_ECHO_FINE,
    MW_DOCTOR_ECHO_MISSING,   /* nothing came back in time */
    MW_DOCTOR_ECHO_CHANGED,   /* as long, and other bytes */
    MW_DOCTOR_ECHO_SHORTER,   /* its beginning alone */
    MW_DOCTOR_ECHO_TOO_LARGE, /* the server refused it by 1009 */
};
struct mw_doctor_echo {
    enum mw_doctor_echo_fault fault;
    size_t size, passed; /* of the one with the fault; of the largest that came back */
    size_t came;         /* bytes: of one that is shorter; where CHANGED, of the first change */
    mw_ms waited_ms;
};
void mw_doctor_judge_echo(struct mw_doctor_line *line, const struct mw_doctor_echo *echo);

void mw_doctor_judge_close(struct mw_doctor_line *line, const struct mw_doctor_end *end,
                           unsigned code);

/* ---- silence ---- */

/* One connection that was held open. */
struct mw_doctor_held {
    struct mw_doctor_end end; /* is_over false: it was still open */
    mw_ms quiet_ms;           /* the longest time without a byte either way */
};
struct mw_doctor_idle {
    mw_ms wanted_ms;
    struct mw_doctor_held silent, talking; /* the second one spoke all the time */
    bool is_promised;                      /* the server kept its pings to the silent one back */
};
void mw_doctor_judge_idle(struct mw_doctor_line *line, const struct mw_doctor_idle *idle,
                          const struct mw_doctor_who *who);

/* "65536 bytes", "2.0 s". */
void mw_doctor_put_seconds(char out[32], mw_ms ms);

#endif
