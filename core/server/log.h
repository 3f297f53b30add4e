/*
 * One event, one line: text for a terminal, a JSON object a line for everything else. Any thread
 * may log; lines go through io/sink, so a stuck reader stops nobody.
 */
#ifndef MW_SERVER_LOG_H
#define MW_SERVER_LOG_H

#include "core/base/json.h"
#include "core/io/sink.h"
#include "moonwire/app.h"

struct mw_log {
    struct mw_sink *sink;    /* owned */
    struct mw_buf *captured; /* where lines go that are no log; NULL: they go to the sink */
    enum mw_log_level level;
    bool json, colour;
};

/* Writes to `fd` (borrowed). MW_ERR_NOMEM. */
int mw_log_open(struct mw_log *log, int fd, bool json, bool colour, enum mw_log_level level);
/*
 * A log whose lines are put into a buffer: JSON as ever, or for people, but without the time and
 * the level, which who has asked knows. Nothing to close.
 */
void mw_log_capture(struct mw_log *log, bool json, struct mw_buf *out);
/* Writes what waits, for a bounded time. */
void mw_log_close(struct mw_log *log);
/* The same for a process that leaves at once: other threads may still write, to no effect. */
void mw_log_finish(struct mw_log *log);

/*
 * A line in the making, on the stack of who logs: begin, fields, end. Below the log's level it
 * costs nothing and writes nothing.
 */
struct mw_log_line {
    struct mw_log *log; /* NULL: below the level */
    struct mw_mem mem;
    struct mw_buf text;
    struct mw_buf human; /* replaces message and fields on a terminal, where not empty */
    struct mw_json_writer json;
};

void mw_log_begin(struct mw_log_line *line, struct mw_log *log, enum mw_log_level level,
                  struct mw_view message);
void mw_log_text(struct mw_log_line *line, const char *key, struct mw_view value);
void mw_log_number(struct mw_log_line *line, const char *key, double value);
void mw_log_integer(struct mw_log_line *line, const char *key, int64_t value);
/* A value that is JSON already. */
void mw_log_json(struct mw_log_line *line, struct mw_view key, struct mw_view json);
/*
 * What a person at a terminal reads instead of message and fields; further lines are indented by
 * the caller.
 */
void mw_log_say(struct mw_log_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void mw_log_end(struct mw_log_line *line);

/* A line without fields. */
void mw_log_note(struct mw_log *log, enum mw_log_level level, const char *message);

/* Whose fault it is, and what comes of it. */
struct mw_log_fault_facts {
    struct mw_view script;
    const char *route; /* its pattern; "": none yet */
    const char *what;  /* "reload refused" */
    const char *so;    /* what follows from it, "v7 goes on serving"; or "" */
};

/* A fault of a script: one JSON object, or file:line, source line and hint for a person. */
void mw_log_fault(struct mw_log *log, const struct mw_log_fault_facts *facts,
                  const struct mw_fault *fault);

/* The text of a connection's id, as scripts and logs know it: hex digits and a NUL. */
void mw_id_text(mw_id id, char out[17]);
/* ... and back. False: it is none. */
bool mw_id_read(struct mw_view text, mw_id *id);

/*
 * Text of anybody's, fit for a terminal: control characters as \x1b, and no line of it can be taken
 * for one of ours.
 */
void mw_log_put_visible(struct mw_buf *out, struct mw_view text);

/* The same where it has to stay in its line: ends of lines are \x0a. 0, or the buffer's error. */
int mw_log_put_line(struct mw_buf *out, struct mw_view text);

#endif
