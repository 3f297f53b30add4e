/* Copies of sources: found by path, cut into lines. */
#include "lua/source.h"
#include "tests/unit/unit.h"

static const struct mw_source libs[] = {
    { MW_VIEW("lib/a.lua"), MW_VIEW("one\ntwo\r\n\nfour") },
    { MW_VIEW("lib/empty.lua"), { NULL, 0 } },
};

static const struct mw_sources sources = {
    .script = { MW_VIEW("chat.lua"), MW_VIEW("return {}\n") },
    .libs = libs,
    .lib_count = MW_COUNT(libs),
};

TEST(files_are_found_by_path)
{
    struct mw_mem mem;
    struct mw_lua_sources copy;
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_lua_sources_copy(&copy, &mem, &sources), MW_OK);
    assert_ptr_equal(mw_lua_sources_find(&copy, mw_view_text("chat.lua")), &copy.files[0]);
    assert_ptr_equal(mw_lua_sources_find(&copy, mw_view_text("lib/empty.lua")), &copy.files[2]);
    assert_null(mw_lua_sources_find(&copy, mw_view_text("a.lua")));
    assert_null(mw_lua_sources_find(&copy, mw_view_text("")));
    mw_lua_sources_free(&copy, &mem);
    mw_lua_sources_free(&copy, &mem);
    assert_mem_empty(&mem);
}

TEST(lines_are_counted_from_one)
{
    static const char *const lines[] = { "", "one", "two", "", "four", "", "" };
    struct mw_mem mem;
    struct mw_lua_sources copy;
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_lua_sources_copy(&copy, &mem, &sources), MW_OK);
    for (int i = 0; i < (int)MW_COUNT(lines); i++)
        assert_view(mw_lua_source_line(&copy.files[1], i), lines[i]);
    assert_view(mw_lua_source_line(&copy.files[1], -1), "");
    assert_view(mw_lua_source_line(&copy.files[2], 1), "");
    assert_view(mw_lua_source_line(&copy.files[0], 2), "");
    mw_lua_sources_free(&copy, &mem);
    assert_mem_empty(&mem);
}

static bool copy_once(struct mw_mem *mem)
{
    struct mw_lua_sources copy;
    if (mw_lua_sources_copy(&copy, mem, &sources) != MW_OK)
        return false;
    mw_lua_sources_free(&copy, mem);
    return true;
}

TEST(without_memory_nothing_is_held)
{
    assert_int_equal(fail_each_allocation(copy_once), 7);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(files_are_found_by_path),
        CASE(lines_are_counted_from_one),
        CASE(without_memory_nothing_is_held),
    };
    return RUN(cases);
}
