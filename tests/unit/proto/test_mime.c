/* mime: the suffix decides, in any letter case, and nothing else of the name. */
#include "core/proto/mime.h"

#include <stdio.h>

#include "tests/unit/unit.h"

TEST(the_suffix_decides)
{
    static const struct {
        const char *name, *type;
    } files[] = {
        { "index.html", "text/html; charset=utf-8" },
        { "/public/app.min.js", "text/javascript; charset=utf-8" },
        { "STYLE.CSS", "text/css; charset=utf-8" },
        { "logo.svg", "image/svg+xml" },
        { "a.tar.gz", "application/gzip" },
        { ".html", "text/html; charset=utf-8" },
        { "README", "application/octet-stream" },
        { "html", "application/octet-stream" },
        { "a.", "application/octet-stream" },
        { "", "application/octet-stream" },
        { "a.htmlx", "application/octet-stream" },
        { "a.html/b", "application/octet-stream" },
        { "a.unknown", "application/octet-stream" },
    };
    for (size_t i = 0; i < MW_COUNT(files); i++)
        assert_string_equal(mw_mime_of(mw_view_text(files[i].name)), files[i].type);
}

/* What a page of today loads; a browser refuses a module or wasm of another type. */
TEST(what_pages_load_has_its_type)
{
    static const char *const suffixes[] = {
        "html", "css",  "js",   "mjs",  "json", "map",  "wasm",  "svg",         "png", "jpg",
        "jpeg", "gif",  "webp", "avif", "ico",  "woff", "woff2", "ttf",         "otf", "txt",
        "md",   "csv",  "xml",  "pdf",  "mp3",  "mp4",  "webm",  "ogg",         "wav", "vtt",
        "m4a",  "opus", "flac", "zip",  "gz",   "glb",  "xhtml", "webmanifest",
    };
    for (size_t i = 0; i < MW_COUNT(suffixes); i++) {
        char name[32];
        snprintf(name, sizeof name, "/a.b/x.%s", suffixes[i]);
        const char *type = mw_mime_of(mw_view_text(name));
        assert_string_not_equal(type, "application/octet-stream");
        bool is_text = strncmp(type, "text/", 5) == 0;
        assert_int_equal(is_text, strstr(type, "; charset=utf-8") != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_suffix_decides),
        CASE(what_pages_load_has_its_type),
    };
    return RUN(tests);
}
