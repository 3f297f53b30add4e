/* mime: the suffix decides, in any letter case, and nothing else of the name. */
#include "core/proto/mime.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = { CASE(the_suffix_decides) };
    return RUN(tests);
}
