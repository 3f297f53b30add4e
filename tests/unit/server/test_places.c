#include "core/server/places.h"

#include <errno.h>

#include "tests/unit/io/folder.h"

static struct folder folder;
static char why[512];
static struct mw_places places;

static int set_up(void **state)
{
    (void)state;
    make_folder(&folder);
    memset(&places, 0, sizeof places);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(&folder);
    return 0;
}

static int find(const char *dir)
{
    errno = ENOENT; /* of something else, long ago */
    return mw_places_find(&places, mw_view_text(dir), mw_view_text(".lua"), why);
}

TEST(a_project_has_its_scripts_and_its_public_files_in_folders_of_their_own)
{
    make_below(&folder, "scripts");
    make_below(&folder, "public");
    write_file(&folder, "scripts/chat.lua", "return {}");
    assert_int_equal(find(folder.path), MW_OK);
    assert_string_equal(places.scripts, below(&folder, "scripts"));
    assert_string_equal(places.public_files, below(&folder, "public"));
    assert_string_equal(places.settings, below(&folder, "moonwire.lua"));
}

TEST(a_folder_that_holds_scripts_is_enough)
{
    write_file(&folder, "chat.lua", "return {}");
    assert_int_equal(find(folder.path), MW_OK);
    assert_string_equal(places.scripts, folder.path);
    assert_string_equal(places.public_files, below(&folder, "public"));
}

TEST(public_files_may_lie_beside_the_scripts)
{
    make_below(&folder, "scripts");
    make_below(&folder, "scripts/public");
    write_file(&folder, "scripts/chat.lua", "return {}");
    assert_int_equal(find(folder.path), MW_OK);
    assert_string_equal(places.public_files, below(&folder, "scripts/public"));
}

TEST(what_is_no_project_is_refused_with_what_to_do)
{
    char long_path[5000];
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    write_file(&folder, "file", "no folder");
    make_below(&folder, "empty");
    make_below(&folder, "settings_only");
    write_file(&folder, "settings_only/moonwire.lua", "return {}");
    const struct {
        const char *dir, *says;
    } table[] = {
        { below(&folder, "none"), "there is no such folder" },
        { below(&folder, "file"), "this is not a folder" },
        { below(&folder, "empty"), "holds no script" },
        { below(&folder, "settings_only"), "holds no script" },
        { "", "empty or too long" },
        { long_path, "empty or too long" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        assert_int_equal(find(table[i].dir), MW_ERR_NOT_FOUND);
        assert_non_null(strstr(why, table[i].says));
    }
}

#define IN_A_FOLDER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_FOLDER(a_project_has_its_scripts_and_its_public_files_in_folders_of_their_own),
        IN_A_FOLDER(a_folder_that_holds_scripts_is_enough),
        IN_A_FOLDER(public_files_may_lie_beside_the_scripts),
        IN_A_FOLDER(what_is_no_project_is_refused_with_what_to_do),
    };
    return RUN(cases);
}
