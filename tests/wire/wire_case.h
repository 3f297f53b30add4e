/*
 * One case of a wire file, read into memory: what is fed, what is expected. How a file is written
 * stands at the top of framing.txt.
 */
#ifndef MW_TESTS_WIRE_CASE_H
#define MW_TESTS_WIRE_CASE_H

#include "core/base/buf.h"
#include "core/proto/ext.h"
#include "core/proto/frame.h"
#include "core/session/sideband.h"

#define WIRE_MAX_COMMANDS 8

enum wire_verb { WIRE_SEND, WIRE_CLOSE, WIRE_EOF, WIRE_RESET };

/* Something that happens when `at` bytes of the input have been fed and their events pulled. */
struct wire_command {
    size_t at;
    enum wire_verb verb;
    unsigned number; /* opcode or close code */
    struct mw_buf payload;
};

struct wire_case {
    char name[128];
    int line;
    enum mw_role role; /* ours */
    size_t max_message, max_fragments, max_inflated;
    struct mw_ext_deflate terms;
    struct mw_sideband sideband; /* without a mark: none */
    struct mw_buf input;         /* all bytes of the peer */
    struct wire_command commands[WIRE_MAX_COMMANDS];
    size_t command_count;
    struct mw_buf events; /* text, one line each, as wire_tell_* writes it */
    struct mw_buf reply;  /* bytes; frames unmasked */
    bool shows_header;    /* the end is told with the offending header's bytes */
};

/*
 * Reads a whole file into an array (freed by wire_free). On a mistake in it: prints file:line and
 * what is wrong, and returns NULL.
 */
struct wire_case *wire_read(struct mw_mem *mem, const char *path, size_t *count);
void wire_free(struct mw_mem *mem, struct wire_case *cases, size_t count);

/* ---- events as text, the same for what is expected and what was seen ---- */

void wire_tell_message(struct mw_buf *out, enum mw_opcode opcode, struct mw_view data);
void wire_tell_aside(struct mw_buf *out, struct mw_view data);

struct wire_end {
    const char *cause, *rule; /* rule "" where none was broken */
    unsigned code;
    bool clean;
    struct mw_view reason, header; /* header empty: not told */
};

void wire_tell_end(struct mw_buf *out, const struct wire_end *end);

/* Bytes as the files write them: "text", hex pairs, or length and hash where they are many. */
void wire_tell_bytes(struct mw_buf *out, struct mw_view bytes);

#endif
