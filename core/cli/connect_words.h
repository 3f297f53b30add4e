/*
 * What a line that is typed to `moonwire connect` wants: a text to be sent, or a command. Pure.
 */
#ifndef MW_CLI_CONNECT_WORDS_H
#define MW_CLI_CONNECT_WORDS_H

#include "core/base/buf.h"

/* name, what stands behind it, what it does: of /help, and what the parser goes by. */
#define MW_WORD_LIST(X) \
    X(ping, "[TEXT]", "ping the server; the answer tells how long it took") \
    X(close, "[CODE [REASON]]", "close with that code, 1000 where none is named") \
    X(json, "VALUE", "send it, if it is JSON") \
    X(hex, "0a 0b ...", "send these bytes as a binary message") \
    X(file, "PATH", "send a file: as text where it is UTF-8, else as binary") \
    X(wait, "N | TIME", "wait for N messages, or for 500ms, 2s, 1m, before the next line") \
    X(repeat, "N [every MS] TEXT", "send a text N times") \
    X(stats, "", "what has come and gone so far") \
    X(help, "", "these lines") \
    X(quit, "", "close with 1000 and end")

enum mw_word {
    MW_WORD_text,
#define MW_WORD(name, behind, text) MW_WORD_##name,
    MW_WORD_LIST(MW_WORD)
#undef MW_WORD
};

struct mw_words_line {
    enum mw_word word;
    /* text, ping, json, repeat: what is sent; hex: digits and blanks; file: a path; close: reason
     */
    struct mw_view text;
    unsigned code;  /* of close; 0: none was named */
    uint64_t count; /* of repeat; of wait where span_ms is 0 */
    mw_ms span_ms;  /* of wait; between two of repeat */
};

/*
 * `//x` is the text `/x`. MW_OK, its views into the line, or MW_ERR_BAD_ARG with a sentence. Where
 * commands are off every line is a text.
 */
int mw_words_line_read(struct mw_view line, bool commands, struct mw_words_line *out,
                       char why[256]);

/* Appends the bytes of digits that the parser has taken. MW_ERR_NOMEM. */
int mw_words_hex(struct mw_buf *out, struct mw_view digits);

/* The n-th command: "/close", "[CODE [REASON]]", what it does. False past the last. Static. */
bool mw_words_help(size_t n, const char *out[3]);

#endif
