/* here_files, project_codes, rehearse: what scripts say that nobody serves. */
#include "core/cli/here.h"
#include "core/explain/subject.h"
#include "tests/unit/io/folder.h"

static struct folder folder;
static struct mw_cli_here here;

static int set_up(void **state)
{
    (void)state;
    make_folder(&folder);
    make_below(&folder, "scripts");
    make_below(&folder, "scripts/lib");
    write_file(&folder, "scripts/lib/own.lua",
               "return { [4001] = { 'kicked', retry = { after = 2, spread = 1 } } }");
    write_file(&folder, "scripts/chat.lua", "return { codes = require('own') }");
    write_file(&folder, "scripts/game.lua",
               "return { codes = { [4001] = { 'lost', fix = 'try' }, [4008] = { 'fast' } } }");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(&folder);
    return 0;
}

/* As behind an ask that nobody answered; at which allocation memory ends, 0: never. */
static const struct mw_here *read_files(const char *one, const char *two, uint64_t fail_at)
{
    const struct mw_args args = { .dir = folder.path };
    struct mw_subject subject;
    memset(&here, 0, sizeof here);
    here.control.fd = -1;
    mw_mem_init(&here.control.mem, 0, 0);
    here.control.mem.fail_at = fail_at;
    assert_true(mw_subject_of(&subject, mw_view_text(one), mw_view_text(two)));
    return mw_cli_here_read_files(&here, &args, &subject);
}

static void done(void)
{
    mw_cli_here_free(&here);
    assert_mem_empty(&here.control.mem);
}

TEST(rows_of_the_wanted_codes_are_read_with_their_files)
{
    const struct mw_here *found = read_files("4001", "", 0);
    assert_non_null(found);
    assert_null(found->ends);
    assert_string_equal(found->folder, below(&folder, "scripts"));
    assert_int_equal(found->code_count, 2);
    assert_view(found->codes[0].script, "chat.lua");
    assert_view(found->codes[0].text, "kicked");
    assert_int_equal(found->codes[0].advice.after_ms, 2000);
    assert_int_equal(found->codes[0].advice.spread_ms, 1000);
    assert_view(found->codes[1].script, "game.lua");
    assert_view(found->codes[1].fix, "try");
    done();
    assert_int_equal(read_files("1006", "4008", 0)->code_count, 1);
    done();
    assert_int_equal(read_files("4001", "4008", 0)->code_count, 3);
    done();
    assert_int_equal(read_files("4777", "", 0)->code_count, 0);
    done();
}

TEST(nothing_is_loaded_for_what_scripts_do_not_name)
{
    assert_null(read_files("1006", "", 0));
    done();
    assert_null(read_files("peer_fin", "", 0));
    done();
    assert_null(read_files("1001", "1006", 0));
    done();
}

TEST(a_script_that_fails_takes_nothing_from_the_others)
{
    write_file(&folder, "scripts/bad.lua", "error('no')");
    write_file(&folder, "scripts/slow.lua", "while true do end");
    write_file(&folder, "scripts/big.lua", "local t = {} while true do t[#t + 1] = {} end");
    assert_int_equal(read_files("4001", "", 0)->code_count, 2);
    done();
}

TEST(without_memory_nothing_is_said_and_nothing_is_kept)
{
    const struct mw_here *found = 0;
    for (uint64_t n = 1; !found && n < 100; n++) {
        found = read_files("4001", "", n);
        done();
    }
    assert_non_null(found);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_setup_teardown(rows_of_the_wanted_codes_are_read_with_their_files, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_loaded_for_what_scripts_do_not_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_script_that_fails_takes_nothing_from_the_others, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_memory_nothing_is_said_and_nothing_is_kept, set_up,
                                        tear_down),
    };
    return RUN(cases);
}
