#include "core/server/rare.h"

#include "tests/unit/io/folder.h"

TEST(a_flood_writes_a_few_lines_and_the_next_one_says_how_many_are_missing)
{
    struct folder folder;
    struct mw_log log;
    struct mw_rare rare = { 0 };
    char text[4096];
    make_folder(&folder);
    int fd = open(below(&folder, "log"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(mw_log_open(&log, fd, true, false, MW_LOG_INFO), MW_OK);
    for (int i = 0; i <= 100; i++) {
        struct mw_log_line line;
        mw_rare_begin(&rare, i < 100 ? 1000 : 2000, &line, &log, MW_LOG_INFO, "stranger");
        mw_log_integer(&line, "number", i);
        mw_log_end(&line);
    }
    mw_log_close(&log);
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    size_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 7);
    assert_non_null(strstr(text, "\"left_out\":94,\"number\":100"));
    close(fd);
    remove_folder(&folder);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_flood_writes_a_few_lines_and_the_next_one_says_how_many_are_missing),
    };
    return RUN(cases);
}
