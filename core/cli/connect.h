/* What the parts of `moonwire connect` share. Nobody else includes this. */
#ifndef MW_CLI_CONNECT_H
#define MW_CLI_CONNECT_H

#include "core/cli/args.h"
#include "core/cli/connect_input.h"
#include "core/cli/connect_screen.h"
#include "core/cli/handshake_args.h"
#include "core/outbound/returning.h"

#define MW_MARK_LEN 22

/* ---- the command line (connect_options.c) ---- */

struct mw_connect_options {
    struct mw_ws_client_setup setup; /* but for outbound and owner; url as it was written */
    struct mw_handshake_args handshake;
    struct mw_limits_ms limits;
    struct mw_buf ca;
    struct mw_arg_list sends; /* -x */
    bool has_wait;
    mw_ms wait_ms;     /* after the last line */
    mw_ms patience_ms; /* for each step to an open connection, and for an answer to -x */
    enum mw_lang lang;
    bool jsonl, reconnect, wants_id, verbose, keeps_history, commands;
};

/* 0, or the exit code, and then what is wrong has been said. Free them in both cases. */
int mw_connect_options_read(struct mw_connect_options *options, struct mw_mem *mem,
                            const struct mw_args *args);
void mw_connect_options_free(struct mw_connect_options *options);

/* ---- what is done with lines (connect_play.c) ---- */

enum mw_play_state {
    MW_PLAY_READY,    /* for the next line */
    MW_PLAY_MESSAGES, /* waits for `left` of them */
    MW_PLAY_ANSWER,   /* to a line of -x */
    MW_PLAY_PONG,     /* the same, to a ping */
    MW_PLAY_PAUSE,    /* until the alarm */
    MW_PLAY_REPEAT,   /* `left` times still, at the alarm or when there is room */
    MW_PLAY_ROOM,     /* until what waits to be sent is less */
    MW_PLAY_LAST,     /* all was said; closes at the alarm */
};

struct mw_play {
    enum mw_play_state state;
    struct mw_alarm alarm;
    uint64_t left;
    uint64_t come; /* messages that nothing has waited for yet */
    mw_ms every_ms;
    struct mw_buf text; /* that is repeated */
    size_t sends_done;  /* of -x */
    bool is_input_over;
    bool missed; /* an answer, or the end came before all of -x was sent */
    bool failed; /* a line that nobody typed was wrong */
};

/* ---- all of it (cmd_connect.c) ---- */

struct mw_connect {
    struct mw_connect_options options;
    struct mw_mem mem;
    struct mw_loop *loop;
    struct mw_outbound outbound;
    struct mw_signals *signals;
    struct mw_returning *returning; /* reads `setup` at each attempt */
    struct mw_ws_client_setup setup;
    struct mw_buf url; /* with the mark */
    char mark[MW_MARK_LEN + 1];
    struct mw_screen screen;
    struct mw_input *input; /* NULL: -x says all there is */
    struct mw_play play;
    struct mw_connect_counts counts; /* of this connection */
    char id[64];
    bool is_open;
    uint64_t opened_us;
    uint64_t last_sent_us; /* MW_NEVER: nothing yet */
    int signal;            /* that ended it; 0 */
    int exit_code;
    enum mw_ws_fault fault; /* of the attempt before; none: it was open, or is the first */
    bool is_over;
};

void mw_play_init(struct mw_connect *connect);
void mw_play_free(struct mw_connect *connect);
/* One line, typed, piped or of -x. */
void mw_play_line(struct mw_connect *connect, struct mw_view line);
void mw_play_input_over(struct mw_connect *connect);
/* The connection is open, closed; a message, a pong came; there is room in the queue again. */
void mw_play_opened(struct mw_connect *connect);
void mw_play_closed(struct mw_connect *connect);
void mw_play_message(struct mw_connect *connect);
void mw_play_pong(struct mw_connect *connect);
void mw_play_room(struct mw_connect *connect);

/* For the play: counts and shows. MW_ERR_CLOSED, ... as mw_ws_client_send. */
int mw_connect_send(struct mw_connect *connect, enum mw_opcode opcode, struct mw_view data);
int mw_connect_ping(struct mw_connect *connect, struct mw_view payload);
void mw_connect_stats(struct mw_connect *connect);
/* Closes with 1000, or gives up what is not open; it does not come back. */
void mw_connect_quit(struct mw_connect *connect);

#endif
