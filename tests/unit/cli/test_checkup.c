/* checkup: what figures of the kernel mean, and how its tables are read. */
#include "core/cli/checkup.h"

#include "core/base/str.h"
#include "tests/unit/unit.h"

#define DAY_S 86400

TEST(the_limit_that_counts_is_the_hard_one)
{
    static const struct {
        uint64_t soft, hard;
        enum mw_doctor_state state;
        const char *says;
    } cases[] = {
        { 1024, 1048576, MW_DOCTOR_OK, "room for about 1048476 connections" },
        { 10000, 10000, MW_DOCTOR_OK, "10000: room" },
        { 1024, 4096, MW_DOCTOR_WARN, "4096 (the shell's 1024 is raised" },
        { 256, 256, MW_DOCTOR_FAIL, "room for about 156 connections" },
        { 50, 50, MW_DOCTOR_FAIL, "room for about 0 connections" },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct mw_doctor_line line = { .name = "open files" };
        mw_checkup_judge_files(&line, cases[i].soft, cases[i].hard);
        assert_int_equal(line.state, cases[i].state);
        assert_non_null(strstr(line.value, cases[i].says));
        assert_int_equal(*line.fix != '\0', line.state != MW_DOCTOR_OK);
    }
}

TEST(more_connections_than_descriptors_are_found)
{
    static const struct {
        uint64_t connections, hard;
        enum mw_doctor_state state;
    } cases[] = {
        { 0, 100, MW_DOCTOR_OK },
        { 900, 1000, MW_DOCTOR_OK },
        { 901, 1000, MW_DOCTOR_WARN },
        { 1, 50, MW_DOCTOR_WARN },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct mw_doctor_line line = { .name = "connections" };
        mw_checkup_judge_connections(&line, cases[i].connections, cases[i].hard);
        assert_int_equal(line.state, cases[i].state);
        assert_int_equal(*line.fix != '\0', line.state != MW_DOCTOR_OK);
    }
}

TEST(a_short_backlog_and_a_full_table_are_found)
{
    struct mw_doctor_line line = { .name = "x" };
    mw_checkup_judge_backlog(&line, 1024);
    assert_int_equal(line.state, MW_DOCTOR_OK);
    mw_checkup_judge_backlog(&line, 128);
    assert_int_equal(line.state, MW_DOCTOR_WARN);
    assert_non_null(strstr(line.fix, "sysctl -w net.core.somaxconn=4096"));
    line.state = MW_DOCTOR_OK;
    mw_checkup_judge_conntrack(&line, 79, 100);
    assert_int_equal(line.state, MW_DOCTOR_OK);
    mw_checkup_judge_conntrack(&line, 80, 100);
    assert_int_equal(line.state, MW_DOCTOR_WARN);
    assert_non_null(strstr(line.fix, "nf_conntrack_max=400"));
}

TEST(a_certificate_is_judged_by_its_dates)
{
    static const struct {
        int64_t from, until;
        enum mw_doctor_state state;
        const char *says;
    } cases[] = {
        { -100, 60, MW_DOCTOR_OK, "CN=x, 60 days left" },
        { -100, 13, MW_DOCTOR_WARN, "CN=x, 13 days left" },
        { -100, -3, MW_DOCTOR_FAIL, "CN=x has expired 3 days ago" },
        { 2, 60, MW_DOCTOR_FAIL, "CN=x is not valid before 2 days from now" },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct mw_doctor_line line = { .name = "certificates" };
        int64_t now = 1700000000;
        mw_checkup_judge_dates(&line, "CN=x", now + cases[i].from * DAY_S,
                               now + cases[i].until * DAY_S, now);
        assert_int_equal(line.state, cases[i].state);
        assert_string_equal(line.value, cases[i].says);
    }
}

TEST(mount_points_are_read_with_their_escapes)
{
    static const char text[] =
        "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
        "36 22 8:1 /src/chat.lua /app/scripts/chat.lua rw - ext4 /dev/sda1 rw\n"
        "37 22 8:1 /b /app/my\\040folder/a.lua rw - ext4 /dev/sda1 rw\n"
        "38 22 8:1 /c /app/back\\134slash.lua rw - ext4 /dev/sda1 rw\n"
        "short row\n";
    static const struct {
        const char *path;
        bool is_mount;
    } cases[] = {
        { "/app/scripts/chat.lua", true },
        { "/app/my folder/a.lua", true },
        { "/app/back\\slash.lua", true },
        { "/app/scripts", false },
        { "/app/scripts/chat.lua2", false },
        { "", false },
        { "row", false },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++)
        assert_int_equal(mw_checkup_is_mount(mw_view_text(text), mw_view_text(cases[i].path)),
                         cases[i].is_mount);
    assert_false(mw_checkup_is_mount(mw_view_text(""), mw_view_text("/")));
}

TEST(who_listens_is_found_in_the_tables_of_the_kernel)
{
    static const char text[] =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
        "timeout "
        "inode\n"
        "   0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        "
        "0 "
        "111 1 0000000000000000 100 0 0 10 0\n"
        "   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        "
        "0 "
        "222 1 0000000000000000 100 0 0 10 0\n"
        "   2: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A "
        "00000000:00000000 00:00000000 00000000  1000        0 333 1 0000000000000000 100 0 0 10 "
        "0\n";
    assert_int_equal(mw_checkup_listener_inode(mw_view_text(text), 8080), 333);
    assert_int_equal(mw_checkup_listener_inode(mw_view_text(text), 8081), 111);
    assert_int_equal(mw_checkup_listener_inode(mw_view_text(text), 80), 0);
    assert_int_equal(mw_checkup_listener_inode(mw_view_text(""), 80), 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_limit_that_counts_is_the_hard_one),
        CASE(more_connections_than_descriptors_are_found),
        CASE(a_short_backlog_and_a_full_table_are_found),
        CASE(a_certificate_is_judged_by_its_dates),
        CASE(mount_points_are_read_with_their_escapes),
        CASE(who_listens_is_found_in_the_tables_of_the_kernel),
    };
    return RUN(cases);
}
