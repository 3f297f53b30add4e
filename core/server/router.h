/*
 * Path patterns: "/chat/:room", "/files/" + "*rest". Pure. The most specific pattern wins: segment
 * by segment a literal goes before a parameter, a parameter before the rest.
 */
#ifndef MW_SERVER_ROUTER_H
#define MW_SERVER_ROUTER_H

#include "core/base/mem.h"
#include "moonwire/host.h"

#define MW_PATTERN_MAX_SEGMENTS 16

enum mw_segment_kind { MW_SEGMENT_LITERAL, MW_SEGMENT_PARAM, MW_SEGMENT_REST };

struct mw_segment {
    enum mw_segment_kind kind;
    struct mw_view text; /* the literal or the parameter's name; into the pattern's text */
};

struct mw_pattern {
    char *text; /* owned; NULL: no pattern */
    size_t text_len;
    size_t count;
    struct mw_segment segments[MW_PATTERN_MAX_SEGMENTS];
};

/*
 * Reads a pattern. MW_OK, MW_ERR_NOMEM, or MW_ERR_BAD_ARG with a sentence in *why (static): it
 * begins with '/', has at most 16 segments, names of parameters are letters, digits and '_' and
 * differ, the rest stands last.
 */
int mw_pattern_parse(struct mw_pattern *pattern, struct mw_mem *mem, struct mw_view text,
                     const char **why);
void mw_pattern_free(struct mw_pattern *pattern, struct mw_mem *mem);
/* Moves; `from` is empty afterwards. */
void mw_pattern_move(struct mw_pattern *to, struct mw_pattern *from);

/*
 * The pattern of a file without a route of its own: "game/room.lua" is "/game/room", "index.lua" is
 * "/".
 */
int mw_pattern_of_file(struct mw_pattern *pattern, struct mw_mem *mem, struct mw_view file,
                       struct mw_view suffix, const char **why);

/* Matches a normalised path; *count params are filled with views into pattern and path. */
bool mw_pattern_match(const struct mw_pattern *pattern, struct mw_view path,
                      struct mw_param params[MW_PATTERN_MAX_SEGMENTS], size_t *count);

/* < 0: a is more specific; 0: they match the same paths (names of parameters do not count). */
int mw_pattern_compare(const struct mw_pattern *a, const struct mw_pattern *b);

#endif
