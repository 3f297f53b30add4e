/*
 * The matcher of patterns: one loop over the items of the pattern and a stack of the choices that
 * were made on the way, in place of a recursion. Under the functions of str_match.c; knows nothing
 * of Lua, allocates nothing, and looks at the stop flag before each step.
 *
 * An item either matches and moves on, or fails; then the last choice is taken back. The stack is
 * as deep as Lua's own recursion may be, so that the same patterns are too complex.
 */
#include "lua/pattern.h"

#include "lua/bytes.h"

/* Lua's MAXCCALLS less the call that is there without any choice. */
#define MAX_DEPTH 199

enum choice_kind {
    CHOICE_OPENED,   /* a capture was opened: close the book on it */
    CHOICE_CLOSED,   /* a capture was closed: it is open again */
    CHOICE_OPTIONAL, /* x? took a byte: go on without */
    CHOICE_GREEDY,   /* x* or x+ took `more` bytes: one less */
    CHOICE_LAZY,     /* x- took as little as it could: one more */
};

struct choice {
    enum choice_kind kind;
    unsigned capture;     /* CLOSED */
    const uint8_t *at;    /* in the subject: where it took the first byte, or LAZY will take one */
    const uint8_t *after; /* in the pattern: what is behind the item */
    size_t more;          /* GREEDY */
    struct mw_item item;  /* LAZY */
};

enum step {
    STEP_ON,     /* matched so far */
    STEP_BACK,   /* does not match: to the last choice */
    STEP_DONE,   /* matched to the pattern's end */
    STEP_NONE,   /* does not match, and no choice is left */
    STEP_BROKEN, /* `error` says why */
};

struct machine {
    struct mw_match *match;
    const volatile int *stop;
    const uint8_t *subject, *subject_end, *pattern_end;
    const uint8_t *at;   /* in the subject */
    const uint8_t *item; /* in the pattern */
    enum mw_match_result error;
    unsigned depth;
    struct choice choices[MAX_DEPTH];
};

static enum step broken(struct machine *m, enum mw_match_result error)
{
    m->error = error;
    return STEP_BROKEN;
}

/* The next byte of the subject; a NUL at its end. */
static uint8_t byte_at(const struct machine *m, const uint8_t *at)
{
    return at < m->subject_end ? *at : 0;
}

/* A new choice, or NULL: they are too many. */
static struct choice *choose(struct machine *m, enum choice_kind kind, const uint8_t *after)
{
    if (m->depth == MAX_DEPTH)
        return NULL;
    struct choice *choice = &m->choices[m->depth++];
    choice->kind = kind;
    choice->at = m->at;
    choice->after = after;
    return choice;
}

/* ---- captures ---- */

static enum step open_capture(struct machine *m)
{
    struct mw_match *match = m->match;
    bool is_position = m->item + 1 < m->pattern_end && m->item[1] == ')';
    if (match->capture_count == MW_MAX_CAPTURES)
        return broken(m, MW_MATCH_MANY_CAPTURES);
    if (!choose(m, CHOICE_OPENED, NULL))
        return broken(m, MW_MATCH_TOO_COMPLEX);
    match->captures[match->capture_count++] = (struct mw_capture){
        .start = (size_t)(m->at - m->subject),
        .len = is_position ? MW_CAPTURE_POSITION : MW_CAPTURE_OPEN,
    };
    m->item += is_position ? 2 : 1;
    return STEP_ON;
}

static enum step close_capture(struct machine *m)
{
    struct mw_match *match = m->match;
    unsigned i = match->capture_count;
    while (i > 0 && match->captures[i - 1].len != MW_CAPTURE_OPEN)
        i--;
    if (i == 0)
        return broken(m, MW_MATCH_BAD_CLOSE);
    struct choice *choice = choose(m, CHOICE_CLOSED, NULL);
    if (!choice)
        return broken(m, MW_MATCH_TOO_COMPLEX);
    choice->capture = i - 1;
    struct mw_capture *capture = &match->captures[i - 1];
    capture->len = (size_t)(m->at - m->subject) - capture->start;
    m->item++;
    return STEP_ON;
}

/* %1 to %9; %0 is none. */
static enum step match_capture(struct machine *m)
{
    struct mw_match *match = m->match;
    int index = m->item[1] - '0';
    if (index == 0 || (unsigned)index > match->capture_count ||
        match->captures[index - 1].len == MW_CAPTURE_OPEN) {
        match->bad_index = index;
        return broken(m, MW_MATCH_BAD_INDEX);
    }
    const struct mw_capture *capture = &match->captures[index - 1];
    if ((size_t)(m->subject_end - m->at) < capture->len) /* always less than a position */
        return STEP_BACK;
    const char *captured = (const char *)m->subject + capture->start;
    if (mw_bytes_common(captured, (const char *)m->at, capture->len, m->stop) != capture->len)
        return STEP_BACK;
    m->at += capture->len;
    m->item += 2;
    return STEP_ON;
}

/* ---- the other items that begin with '%' ---- */

/* %bxy */
static enum step match_balance(struct machine *m)
{
    if (m->pattern_end - m->item < 4)
        return broken(m, MW_MATCH_CUT_BALANCE);
    uint8_t opens = m->item[2], closes = m->item[3];
    if (m->at == m->subject_end || *m->at != opens)
        return STEP_BACK;
    size_t open = 1;
    for (const uint8_t *at = m->at + 1; at < m->subject_end && !*m->stop; at++) {
        if (*at == closes) {
            if (--open > 0)
                continue;
            m->at = at + 1;
            m->item += 4;
            return STEP_ON;
        }
        if (*at == opens)
            open++;
    }
    return STEP_BACK;
}

/* %f[set] */
static enum step match_frontier(struct machine *m)
{
    const uint8_t *set = m->item + 2;
    if (set == m->pattern_end || *set != '[')
        return broken(m, MW_MATCH_CUT_FRONTIER);
    const uint8_t *set_end = mw_item_set_end(++set, m->pattern_end, m->stop);
    if (!set_end)
        return broken(m, MW_MATCH_CUT_SET);
    uint8_t before = m->at == m->subject ? 0 : m->at[-1];
    if (mw_item_set_holds(set, set_end, before, m->stop) ||
        !mw_item_set_holds(set, set_end, byte_at(m, m->at), m->stop))
        return STEP_BACK;
    m->item = set_end + 1;
    return STEP_ON;
}

/* ---- items of one byte, and how often ---- */

static enum step repeat(struct machine *m, const struct mw_item *item, const uint8_t *after)
{
    const uint8_t *end = mw_item_seek(item, false, m->at, m->subject_end, m->stop);
    struct choice *choice = choose(m, CHOICE_GREEDY, after);
    if (!choice)
        return broken(m, MW_MATCH_TOO_COMPLEX);
    choice->more = (size_t)(end - m->at);
    m->at = end;
    m->item = after;
    return STEP_ON;
}

static enum step take_as_suffix_says(struct machine *m, const struct mw_item *item,
                                     const uint8_t *suffix)
{
    struct choice *choice;
    switch (suffix < m->pattern_end ? *suffix : 0) {
    case '+':
        m->at++;
        return repeat(m, item, suffix + 1);
    case '*':
        return repeat(m, item, suffix + 1);
    case '?':
        if (!choose(m, CHOICE_OPTIONAL, suffix + 1))
            return broken(m, MW_MATCH_TOO_COMPLEX);
        m->at++;
        m->item = suffix + 1;
        return STEP_ON;
    case '-':
        if (!(choice = choose(m, CHOICE_LAZY, suffix + 1)))
            return broken(m, MW_MATCH_TOO_COMPLEX);
        choice->item = *item;
        m->item = suffix + 1;
        return STEP_ON;
    default:
        m->at++;
        m->item = suffix;
        return STEP_ON;
    }
}

static bool may_be_left_out(const struct machine *m, const uint8_t *suffix)
{
    return suffix < m->pattern_end && (*suffix == '*' || *suffix == '?' || *suffix == '-');
}

static enum step match_one_byte(struct machine *m)
{
    struct mw_item item;
    const uint8_t *suffix = mw_item_read(m->item, m->pattern_end, &item, m->stop);
    if (!suffix)
        return broken(m, *m->item == '%' ? MW_MATCH_CUT_ESCAPE : MW_MATCH_CUT_SET);
    if (m->at < m->subject_end && mw_item_takes(&item, *m->at, m->stop))
        return take_as_suffix_says(m, &item, suffix);
    if (!may_be_left_out(m, suffix))
        return STEP_BACK;
    m->item = suffix + 1;
    return STEP_ON;
}

/* ---- the loop ---- */

static enum step match_escaped(struct machine *m)
{
    uint8_t letter = m->item + 1 < m->pattern_end ? m->item[1] : 0;
    if (letter == 'b')
        return match_balance(m);
    if (letter == 'f')
        return match_frontier(m);
    if (letter >= '0' && letter <= '9')
        return match_capture(m);
    return match_one_byte(m);
}

static enum step go_on(struct machine *m)
{
    if (m->item == m->pattern_end)
        return STEP_DONE;
    switch (*m->item) {
    case '(':
        return open_capture(m);
    case ')':
        return close_capture(m);
    case '%':
        return match_escaped(m);
    case '$':
        if (m->item + 1 < m->pattern_end)
            return match_one_byte(m);
        m->item++;
        return m->at == m->subject_end ? STEP_ON : STEP_BACK;
    default:
        return match_one_byte(m);
    }
}

/* Has the choice another way to go? Then `at` is where that begins. */
static bool choose_again(struct machine *m, struct choice *choice)
{
    switch (choice->kind) {
    case CHOICE_OPENED:
        m->match->capture_count--;
        return false;
    case CHOICE_CLOSED:
        m->match->captures[choice->capture].len = MW_CAPTURE_OPEN;
        return false;
    case CHOICE_OPTIONAL:
        m->depth--;
        m->at = choice->at;
        return true;
    case CHOICE_GREEDY:
        if (choice->more == 0)
            return false;
        m->at = choice->at + --choice->more;
        return true;
    case CHOICE_LAZY:
        if (choice->at == m->subject_end || !mw_item_takes(&choice->item, *choice->at, m->stop))
            return false;
        m->at = ++choice->at;
        return true;
    }
    return false;
}

static enum step go_back(struct machine *m)
{
    while (m->depth > 0) {
        struct choice *choice = &m->choices[m->depth - 1];
        if (choose_again(m, choice)) {
            m->item = choice->after;
            return STEP_ON;
        }
        m->depth--;
    }
    return STEP_NONE;
}

/* Tries at m->at: STEP_DONE, STEP_NONE or STEP_BROKEN; anything once it is to stop. */
static enum step try_here(struct machine *m)
{
    enum step step = STEP_ON;
    m->match->capture_count = 0;
    m->depth = 0;
    m->item = (const uint8_t *)m->match->pattern.data;
    while (step <= STEP_BACK && !*m->stop)
        step = step == STEP_ON ? go_on(m) : go_back(m);
    return step;
}

/* ---- searching ---- */

/*
 * Most patterns begin with an item that must take a byte, behind the brackets of captures at most.
 * Where it does not, there is no need to try. Only for patterns that were tried once, and so are
 * sound up to there.
 */
static enum mw_match_first read_first(const struct machine *m, struct mw_item *first)
{
    const uint8_t *at = (const uint8_t *)m->match->pattern.data;
    while (at < m->pattern_end && *at == '(')
        at += at + 1 < m->pattern_end && at[1] == ')' ? 2 : 1;
    if (at == m->pattern_end || *at == ')' || *at == '$')
        return MW_MATCH_FIRST_ELSE;
    if (*at == '%' && (at + 1 == m->pattern_end || strchr("bf0123456789", at[1])))
        return MW_MATCH_FIRST_ELSE;
    const uint8_t *suffix = mw_item_read(at, m->pattern_end, first, m->stop);
    return suffix && !may_be_left_out(m, suffix) ? MW_MATCH_FIRST_ITEM : MW_MATCH_FIRST_ELSE;
}

/* The first place from `from` on where a match may begin; or the end. */
static const uint8_t *seek_first(const struct machine *m, const uint8_t *from)
{
    const struct mw_item *first = &m->match->first;
    if (first->kind != MW_ITEM_BYTE)
        return mw_item_seek(first, true, from, m->subject_end, m->stop);
    size_t found =
        mw_bytes_seek(m->match->subject, (char)first->byte, (size_t)(from - m->subject), m->stop);
    return found == MW_BYTES_NONE ? m->subject_end : m->subject + found;
}

static enum step search(struct machine *m, const uint8_t *at, size_t not_end)
{
    struct mw_match *match = m->match;
    for (;; at++) {
        if (match->has_first == MW_MATCH_FIRST_ITEM) {
            at = seek_first(m, at);
            if (at == m->subject_end)
                return STEP_NONE;
        }
        m->at = at;
        enum step step = try_here(m);
        match->start = (size_t)(at - m->subject);
        match->end = (size_t)(m->at - m->subject);
        if (step == STEP_BROKEN || (step == STEP_DONE && match->end != not_end))
            return step;
        if (match->is_anchored || at == m->subject_end || *m->stop)
            return STEP_NONE;
        if (match->has_first == MW_MATCH_FIRST_UNKNOWN)
            match->has_first = read_first(m, &match->first);
    }
}

enum mw_match_result mw_match_next(struct mw_match *match, size_t from, size_t not_end)
{
    struct machine m;
    m.match = match;
    m.stop = match->stop;
    m.subject = (const uint8_t *)match->subject.data;
    m.subject_end = m.subject + match->subject.len;
    m.pattern_end = (const uint8_t *)match->pattern.data + match->pattern.len;
    enum step step = search(&m, m.subject + from, not_end);
    if (*match->stop)
        return MW_MATCH_STOPPED;
    if (step == STEP_BROKEN)
        return m.error;
    return step == STEP_DONE ? MW_MATCH_FOUND : MW_MATCH_NONE;
}

bool mw_pattern_is_plain(struct mw_view pattern, const volatile int *stop)
{
    static const bool is_magic[256] = {
        ['^'] = true, ['$'] = true, ['*'] = true, ['+'] = true, ['?'] = true,
        ['.'] = true, ['('] = true, ['['] = true, ['%'] = true, ['-'] = true,
    };
    for (size_t i = 0; i < pattern.len && !*stop; i++) {
        if (is_magic[(uint8_t)pattern.data[i]])
            return false;
    }
    return true;
}
