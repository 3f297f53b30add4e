/* Looks lines up. Keeps nothing, calls nobody. */
#include "tests/unit/server/c_script.h"

#include "core/base/str.h"

bool line_of(const struct version *version, const char *word, size_t n, struct mw_view *rest)
{
    struct mw_view text = mw_view(version->text, version->len), line;
    size_t len = strlen(word);
    while (mw_view_split(&text, '\n', &line)) {
        line = mw_view_trim(line);
        bool fits = mw_view_starts_with(line, word) && (line.len == len || line.data[len] == ' ');
        if (fits && n-- == 0) {
            *rest = mw_view_trim(mw_view_from(line, len));
            return true;
        }
    }
    return false;
}

unsigned take_number(struct mw_view *rest)
{
    uint64_t number = 0;
    size_t end = mw_view_find(*rest, ' ', 0);
    (void)mw_parse_u64(mw_view(rest->data, end), 0, UINT32_MAX, &number);
    *rest = mw_view_trim(mw_view_from(*rest, end));
    return (unsigned)number;
}

static void set_limit(struct mw_limits *limits, struct mw_view rest)
{
    size_t end = mw_view_find(rest, ' ', 0);
    struct mw_view name = mw_view(rest.data, end), number = mw_view_from(rest, end);
    number = mw_view_trim(number);
#define SET(field, normal, least, most) \
    if (mw_view_is(name, #field)) \
        limits->field = take_number(&number);
    MW_LIMIT_LIST(SET)
#undef SET
}

void fill_spec(struct version *version)
{
    struct mw_route_spec *spec = &version->spec;
    struct mw_view rest;
#define NORMAL(name, normal, least, most) spec->limits.name = (normal);
    MW_LIMIT_LIST(NORMAL)
#undef NORMAL
    for (size_t n = 0; line_of(version, "limit", n, &rest); n++)
        set_limit(&spec->limits, rest);
    (void)line_of(version, "route", 0, &spec->pattern);
    spec->protocols = &version->protocol;
    spec->protocol_count = line_of(version, "protocol", 0, &version->protocol);
    spec->origins = &version->origin;
    spec->origin_count = line_of(version, "origin", 0, &version->origin);
    spec->compression = true;
    spec->resume_s = line_of(version, "resume", 0, &rest) ? take_number(&rest) : 0;
    spec->wants_messages = !line_of(version, "deaf", 0, &rest);
    spec->decides_closes = line_of(version, "decide", 0, &rest);
    spec->advises = line_of(version, "advise", 0, &rest);
}

void version_free(struct version *version)
{
    if (!version)
        return;
    mw_free(version->mem, version->text, version->len + 1);
    mw_free(version->mem, version, sizeof *version);
}

const char *judge(const struct version *version, const struct mw_sources *sources)
{
    struct mw_view rest;
    if (line_of(version, "broken", 0, &rest))
        return "it is broken";
    for (size_t n = 0; line_of(version, "lib", n, &rest); n++) {
        const struct mw_source *lib = NULL;
        for (size_t i = 0; i < sources->lib_count; i++)
            lib = mw_view_equal(sources->libs[i].path, rest) ? &sources->libs[i] : lib;
        if (!lib || mw_view_starts_with(lib->text, "broken"))
            return lib ? "a library is broken" : "a library is missing";
    }
    return NULL;
}
