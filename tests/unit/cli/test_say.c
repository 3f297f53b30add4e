/* say: texts keep their lines, and nothing in them reaches the terminal as a command. */
#include "core/cli/say.h"

#include "tests/unit/unit.h"

static const char *said(struct mw_view text)
{
    static char out[256];
    FILE *file = tmpfile();
    assert_non_null(file);
    mw_cli_say(file, text);
    rewind(file);
    size_t len = fread(out, 1, sizeof out - 1, file);
    out[len] = '\0';
    fclose(file);
    return out;
}

TEST(what_would_move_a_cursor_is_shown_by_its_bytes)
{
    static const struct {
        struct mw_view text;
        const char *out;
    } rows[] = {
        { MW_VIEW(""), "" },
        { MW_VIEW("a\n\tb"), "a\n\tb" },
        { MW_VIEW("\x1b[2J\r\x7f"), "\\x1b[2J\\x0d\\x7f" },
        { MW_VIEW("\xC2\x9B m\xC3\xA4"), "\\xc2\\x9b m\xC3\xA4" },
        { MW_VIEW("\xE2\x80\xAE"
                  "x\xE2\x80\x94"),
          "\\xe2\\x80\\xaex\xE2\x80\x94" },
        { MW_VIEW("a\0b"), "a\\x00b" },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++)
        assert_string_equal(said(rows[i].text), rows[i].out);
}

int main(void)
{
    const struct CMUnitTest cases[] = { CASE(what_would_move_a_cursor_is_shown_by_its_bytes) };
    return RUN(cases);
}
