/*
 * Hints are a table: what the message says, what the line says, what to do. A hint that needs a
 * name from the message has a function. The first row that fits wins.
 *
 * Never guesses loudly: without a fitting row there is no hint.
 */
#include "lua/hints.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "lua/names.h"

#define MAX_NAMES  256
#define NAME_BYTES 64

struct problem {
    const struct mw_lua_where *where;
    const struct mw_lua_source *file;
    const char *message;
    char line[256];
    char name[NAME_BYTES]; /* the first quoted word of the message behind the row's text */
    char *out;
    size_t size;
};

static void say(struct problem *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct problem *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(p->out, p->size, format, args);
    va_end(args);
}

/* The name in this library that is near to the one in the message, or NULL. */
static const char *nearest(const struct problem *p, const char *library)
{
    const char *const *names = mw_lua_names(library);
    return names ? mw_nearest_name(mw_view_text(p->name), names) : NULL;
}

/* ---- hints with names ---- */

static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool hint_method(struct problem *p)
{
    const char *name = nearest(p, "conn");
    if (!name)
        name = nearest(p, "string");
    if (!name)
        return false;
    say(p, "did you mean '%s'?", name);
    return true;
}

/* Words of other languages that read as globals here. */
static bool hint_foreign_word(struct problem *p)
{
    static const struct {
        const char *word, *meant;
    } words[] = {
        { "null", "nil" },
        { "None", "nil" },
        { "undefined", "nil" },
        { "True", "true" },
        { "False", "false" },
        { "console", "log.info(...)" },
        { "setTimeout", "timer.after(seconds, fn)" },
        { "setInterval", "timer.every(name, seconds, fn)" },
        { "io", "files cannot be opened from a script" },
    };
    for (size_t i = 0; i < MW_COUNT(words); i++) {
        if (strcmp(words[i].word, p->name) == 0) {
            say(p, "in Lua, and here: %s", words[i].meant);
            return true;
        }
    }
    return false;
}

static bool hint_global(struct problem *p)
{
    const char *name = p->where->is_script ? nearest(p, "_G") : NULL;
    if (name)
        say(p, "did you mean '%s'?", name);
    return name || hint_foreign_word(p);
}

/* `string.uper(x)`: the word before the dot is the library. */
static bool hint_field(struct problem *p)
{
    char needle[NAME_BYTES + 2], library[NAME_BYTES];
    snprintf(needle, sizeof(needle), ".%s", p->name);
    const char *dot = strstr(p->line, needle), *start = dot;
    while (start && start > p->line && is_word_byte(start[-1]))
        start--;
    if (start == dot || (size_t)(dot - start) >= sizeof(library))
        return false;
    snprintf(library, sizeof(library), "%.*s", (int)(dot - start), start);
    const char *name = nearest(p, library);
    if (name)
        say(p, "did you mean '%s.%s'?", library, name);
    return name != NULL;
}

static bool hint_undeclared(struct problem *p)
{
    say(p, "write `local %s = ...`, or `state.%s = ...` to keep it across reloads", p->name,
        p->name);
    return true;
}

static bool hint_nil_index(struct problem *p)
{
    say(p, "'%s' is nil here: set it before, or write (%s or {}).field", p->name, p->name);
    return true;
}

static bool hint_concat(struct problem *p)
{
    say(p, "'%s' has no text here: write tostring(%s), or (%s or \"\")", p->name, p->name, p->name);
    return true;
}

static bool hint_arithmetic(struct problem *p)
{
    say(p, "'%s' is nil here: write (%s or 0) if that is what it means", p->name, p->name);
    return true;
}

static bool hint_colon(struct problem *p)
{
    char method[NAME_BYTES];
    const char *end = strchr(p->message, ' ');
    const char *dot = strchr(p->message, '.');
    if (!dot || !end || end < dot)
        return false;
    snprintf(method, sizeof(method), "%.*s", (int)(end - dot - 1), dot + 1);
    say(p, "did you write conn.%s? methods take a colon: conn:%s(...)", method, method);
    return true;
}

/* An 'end' inside of brackets: which of the two is wrong cannot be known. */
static bool hint_unclosed(struct problem *p)
{
    if (!strstr(p->message, "near 'end'"))
        return false;
    say(p, "there is one 'end' too many, or a '%s' is missing before", p->name);
    return true;
}

/* ---- a missing 'end' ---- */

static bool has_word(const char *line, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = line; (at = strstr(at, word)); at += len) {
        if ((at == line || !is_word_byte(at[-1])) && !is_word_byte(at[len]))
            return true;
    }
    return false;
}

static bool opens_block(const char *line)
{
    bool opens = has_word(line, "then") || has_word(line, "do") || has_word(line, "function");
    return opens && !has_word(line, "end") && !has_word(line, "elseif");
}

struct open_block {
    int line;
    size_t indent;
};

static bool read_line(const struct mw_lua_source *file, int number, char *out, size_t size,
                      size_t *indent)
{
    struct mw_view line = mw_lua_source_line(file, number);
    size_t blanks = 0;
    while (blanks < line.len && (line.data[blanks] == ' ' || line.data[blanks] == '\t'))
        blanks++;
    *indent = blanks;
    struct mw_view text = mw_view_from(line, blanks);
    snprintf(out, size, "%.*s", (int)(text.len < size ? text.len : size - 1),
             text.data ? text.data : "");
    char *comment = strstr(out, "--");
    if (comment)
        *comment = '\0';
    return line.data != NULL;
}

/* The first block whose 'end' stands at another depth than its beginning was never closed. */
static bool hint_end(struct problem *p)
{
    struct open_block open[64];
    size_t depth = 0, indent;
    char line[256];
    if (p->file && strstr(p->file->text, "else if")) {
        say(p, "'else if' opens a block of its own: write elseif");
        return true;
    }
    for (int n = 1; p->file && read_line(p->file, n, line, sizeof(line), &indent); n++) {
        if (opens_block(line) && depth < MW_COUNT(open)) {
            open[depth++] = (struct open_block){ n, indent };
        } else if (strncmp(line, "end", 3) == 0 && !is_word_byte(line[3]) && depth > 0) {
            struct open_block block = open[--depth];
            if (block.indent > indent) {
                say(p,
                    "the block that begins in line %d is not closed: add its 'end' before line %d",
                    block.line, n);
                return true;
            }
        }
    }
    return false;
}

/* ---- the table ---- */

struct row {
    const char *message; /* occurs in the message */
    const char *line;    /* occurs in the source line; NULL: any */
    const char *hint;    /* NULL: ask `make` */
    bool (*make)(struct problem *p);
};

static const struct row rows[] = {
    { "called without its connection", NULL, NULL, hint_colon },
    { "is not declared", NULL, NULL, hint_undeclared },
    { "attempt to call a nil value (method '", NULL, NULL, hint_method },
    { "attempt to call a nil value (global '", NULL, NULL, hint_global },
    { "attempt to call a nil value (field '", NULL, NULL, hint_field },
    { "attempt to index a nil value (global '", NULL, NULL, hint_global },
    { "attempt to index a nil value (field '", NULL, NULL, hint_nil_index },
    { "attempt to index a nil value (local '", NULL, NULL, hint_nil_index },
    { "attempt to index a nil value (upvalue '", NULL, NULL, hint_nil_index },
    { "attempt to concatenate a nil value (", NULL, NULL, hint_concat },
    { "attempt to concatenate a table value (", NULL,
      "inspect(t) or json.encode(t) make text of a table", NULL },
    { "attempt to concatenate a boolean value (", NULL, NULL, hint_concat },
    { "attempt to perform arithmetic on a nil value (", NULL, NULL, hint_arithmetic },
    { "attempt to compare number with string", NULL, "tonumber(x) makes a number of a string",
      NULL },
    { "attempt to compare string with number", NULL, "tonumber(x) makes a number of a string",
      NULL },
    { "attempt to compare nil with", NULL, "one side is nil: give it a default, (x or 0)", NULL },
    { "attempt to compare number with nil", NULL, "one side is nil: give it a default, (x or 0)",
      NULL },
    { "a string or a table, not a number", NULL, "tostring(x) makes text of a number", NULL },
    { "stack overflow", NULL, "a function calls itself without end", NULL },
    { "attempt to load a binary chunk", NULL,
      "scripts are source text; compiled chunks are never loaded", NULL },
    { "near '!'", NULL, "'not equal' is ~= in Lua, and 'not' negates", NULL },
    { "'then' expected near '='", NULL, "== compares; = assigns", NULL },
    { "near '+'", "+=", "Lua has no +=: write x = x + 1", NULL },
    { "near '+'", "++", "Lua has no ++: write x = x + 1", NULL },
    { "near '-'", "-=", "Lua has no -=: write x = x - 1", NULL },
    { "near '*'", "*=", "Lua has no *=: write x = x * 2", NULL },
    { "near '..'", "..=", "Lua has no ..=: write s = s .. \"more\"", NULL },
    { "near '&'", "&&", "'and' joins conditions in Lua", NULL },
    { "near '|'", "||", "'or' joins conditions in Lua", NULL },
    { "near '//'", NULL, "comments begin with -- in Lua", NULL },
    { "near '?'", NULL, "instead of a ? b : c write a and b or c", NULL },
    { "syntax error near", "let ", "variables are made with 'local' in Lua", NULL },
    { "syntax error near", "var ", "variables are made with 'local' in Lua", NULL },
    { "syntax error near", "const ", "variables are made with 'local' in Lua", NULL },
    { "syntax error near", "continue",
      "Lua has no continue: write goto continue, and ::continue:: before the loop's end", NULL },
    { "function arguments expected near", ":",
      "fields take a dot, conn.data; a colon is for methods, conn:send(x)", NULL },
    { "<eof> expected near 'end'", NULL,
      "there is one 'end' too many, or a 'then' or 'do' is missing before", NULL },
    { "')' expected", NULL, NULL, hint_unclosed },
    { "'}' expected", NULL, NULL, hint_unclosed },
    { "'}' expected", NULL, "a comma may be missing at the end of the line before", NULL },
    { "unfinished string", NULL, "the quote is not closed in this line; [[ ... ]] holds several",
      NULL },
    { "'end' expected", NULL, NULL, hint_end },
    { "unexpected symbol near '}'", NULL, NULL, hint_end }, /* the same inside of a table */
};

/* The first word in quotes at or behind `from`. */
static void read_name(struct problem *p, const char *from)
{
    const char *start = strchr(from, '\'');
    const char *end = start ? strchr(start + 1, '\'') : NULL;
    p->name[0] = '\0';
    if (end && (size_t)(end - start) <= sizeof(p->name))
        snprintf(p->name, sizeof(p->name), "%.*s", (int)(end - start - 1), start + 1);
}

static bool fits(struct problem *p, const struct row *row)
{
    const char *found = strstr(p->message, row->message);
    if (!found || (row->line && !strstr(p->line, row->line)))
        return false;
    read_name(p, strchr(row->message, '\'') ? found : p->message);
    if (row->make)
        return row->make(p);
    say(p, "%s", row->hint);
    return true;
}

void mw_lua_hint(const struct mw_lua_where *where, const struct mw_lua_source *file, int line,
                 const char *message, char *out, size_t size)
{
    struct problem p = {
        .where = where,
        .file = file,
        .message = message,
        .out = out,
        .size = size,
    };
    struct mw_view text = file ? mw_lua_source_line(file, line) : mw_view(NULL, 0);
    snprintf(p.line, sizeof(p.line), "%.*s", (int)(text.len < 255 ? text.len : 255),
             text.data ? text.data : "");
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        if (fits(&p, &rows[i]))
            return;
        out[0] = '\0';
    }
}

const char *mw_lua_nearest_lib(const struct mw_lua_sources *sources, struct mw_view path)
{
    const char *paths[MAX_NAMES + 1] = { NULL };
    size_t count = 0;
    for (size_t i = 1; i < sources->count && count < MAX_NAMES; i++)
        paths[count++] = sources->files[i].path;
    return mw_nearest_name(path, paths);
}
