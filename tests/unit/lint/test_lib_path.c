#include "lua/lint/lib_path.h"

#include <string.h>

#include "tests/unit/unit.h"

TEST(names_become_paths_below_lib)
{
    static const char *const table[][2] = {
        { "rooms", "lib/rooms.lua" },
        { "game/rooms", "lib/game/rooms.lua" },
        { "game.rooms", "lib/game/rooms.lua" },
        { "a-b_9", "lib/a-b_9.lua" },
    };
    char path[MW_LIB_PATH_MAX];
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        assert_true(mw_lib_path(mw_view_text(table[i][0]), path));
        assert_string_equal(path, table[i][1]);
    }
}

TEST(what_could_lead_elsewhere_is_no_name)
{
    static const char *const table[] = { "",   "..", "../x", "/x",   "x/",    "a//b",    "a..b",
                                         ".a", "a.", "a b",  "a\\b", "a/./b", "\xc3\xa4" };
    char path[MW_LIB_PATH_MAX], longest[MW_LIB_NAME_MAX + 1];
    for (size_t i = 0; i < MW_COUNT(table); i++)
        assert_false(mw_lib_path(mw_view_text(table[i]), path));
    assert_false(mw_lib_path(mw_view("a\0b", 3), path));
    memset(longest, 'x', sizeof(longest));
    assert_true(mw_lib_path(mw_view(longest, MW_LIB_NAME_MAX), path));
    assert_int_equal(strlen(path), MW_LIB_NAME_MAX + 8);
    assert_false(mw_lib_path(mw_view(longest, sizeof(longest)), path));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(names_become_paths_below_lib),
        CASE(what_could_lead_elsewhere_is_no_name),
    };
    return RUN(cases);
}
