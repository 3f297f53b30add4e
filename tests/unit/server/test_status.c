/* What the status says of scripts that serve, that are paused and that could not be loaded. */
#include "core/server/status.h"

#include "tests/unit/server/serve.h"

static struct mw_status *ask(void)
{
    struct mw_status *status = mw_status_new(NULL);
    assert_non_null(status);
    mw_status_fill(status, &world.worker);
    assert_true(status->is_whole);
    return status;
}

static const struct mw_status_row *row_of(const struct mw_status *status, const char *script)
{
    for (size_t i = 0; i < status->count; i++) {
        if (!strcmp(status->rows[i].script, script))
            return &status->rows[i];
    }
    fail_msg("no row of %s", script);
    return NULL;
}

static const char *text_of(const struct mw_status *status, bool as_json)
{
    static char text[8192];
    struct mw_buf out;
    mw_buf_init(&out, &world.mem, 0);
    struct mw_json_writer json = { .out = &out };
    if (as_json)
        mw_status_json(status, &json);
    else
        assert_int_equal(mw_status_text(status, &out), MW_OK);
    snprintf(text, sizeof text, "%.*s", (int)out.len, out.data);
    mw_buf_free(&out);
    return text;
}

TEST(ends_of_the_last_hour_are_one_line)
{
    serve("echo");
    struct peer *one = add_socket(&world, "/s"), *other = add_socket(&world, "/s");
    run(&world);
    struct mw_status *status = ask();
    assert_null(strstr(text_of(status, false), "in the last hour"));
    mw_status_free(status);
    one->line.peer_finished = true;
    say_close(other, 1000);
    run(&world);
    status = ask();
    assert_non_null(strstr(text_of(status, false),
                           "\n2 connections ended in the last hour, 1 of them by the network"));
    mw_status_free(status);
}

TEST(each_script_has_its_counters_and_its_last_fault)
{
    write_script(&world, "t.capp", "echo");
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s"), *other = add_socket(&world, "/t");
    run(&world);
    say_text(peer, "loop");
    say_text(other, "x");
    run(&world);
    struct mw_status *status = ask();
    assert_int_equal(status->count, 2);
    const struct mw_status_row *bad = row_of(status, "s.capp"), *good = row_of(status, "t.capp");
    assert_int_equal(bad->faults[MW_FAULT_CPU], 1);
    assert_int_equal(bad->connections, 1);
    assert_string_equal(bad->route, "/s");
    assert_true(bad->has_failed && bad->serves && !bad->paused);
    assert_false(good->has_failed);
    const char *text = text_of(status, false);
    assert_non_null(strstr(text, "s.capp v1  /s  serves"));
    assert_non_null(strstr(text, "stopped 1 for CPU time, 0 for memory"));
    assert_non_null(strstr(text, "last: v1 on_message, s.capp:1: it took too long"));
    assert_non_null(strstr(text, "\n    s.capp:1 in on_message"));
    text = text_of(status, true);
    assert_non_null(strstr(text, "\"stopped_cpu\":1"));
    assert_non_null(strstr(text, "\"kind\":\"cpu\""));
    assert_null(strstr(text, "paused_ms"));
    mw_status_free(status);
}

TEST(a_fault_without_a_line_is_not_said_to_be_in_line_0)
{
    serve("stop loop\necho");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    say_text(peer, "loop");
    run(&world);
    struct mw_status *status = ask();
    status->rows[0].last.line = 0; /* its file alone is known */
    assert_non_null(
        strstr(text_of(status, false), "last: v1 on_message, s.capp: it took too long"));
    assert_null(strstr(text_of(status, true), "\"line\""));
    mw_status_free(status);
}

TEST(a_script_that_is_paused_or_not_loaded_says_so)
{
    write_script(&world, "broken.capp", "broken");
    write_script(&world, "s.capp", "stop loop\necho");
    open_worker(&world, c_engine_table(), 1);
    assert_int_equal(load(&world), 1);
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    for (int i = 0; i < MW_QUARANTINE_STOPS; i++)
        say_text(peer, "loop");
    run(&world);
    struct mw_status *status = ask();
    const char *text = text_of(status, false);
    assert_non_null(strstr(text, "s.capp v1  /s  PAUSED for "));
    assert_non_null(strstr(text, "broken.capp v0  /broken  not loaded"));
    assert_non_null(strstr(text_of(status, true), "\"paused_ms\":"));
    mw_status_free(status);
    c_engine.stops++; /* on_stop of the one that is paused is not called */
}

TEST(a_script_whose_file_was_refused_says_so_until_it_is_mended)
{
    serve("echo");
    write_script(&world, "s.capp", "broken");
    assert_int_equal(load(&world), 1);
    struct mw_status *status = ask();
    assert_non_null(
        strstr(text_of(status, false), "s.capp v1  /s  serves  (its file was refused)"));
    assert_non_null(strstr(text_of(status, true), "\"refused\":true"));
    mw_status_free(status);
    write_script(&world, "s.capp", "echo");
    assert_int_equal(load(&world), 0);
    status = ask();
    assert_null(strstr(text_of(status, false), "refused"));
    assert_null(strstr(text_of(status, true), "refused"));
    mw_status_free(status);
}

TEST(without_scripts_there_are_no_rows)
{
    open_worker(&world, c_engine_table(), 1);
    struct mw_status *status = ask();
    assert_int_equal(status->count, 0);
    assert_string_equal(text_of(status, true), "[]");
    mw_status_free(status);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(ends_of_the_last_hour_are_one_line),
        IN_A_WORLD(each_script_has_its_counters_and_its_last_fault),
        IN_A_WORLD(a_fault_without_a_line_is_not_said_to_be_in_line_0),
        IN_A_WORLD(a_script_that_is_paused_or_not_loaded_says_so),
        IN_A_WORLD(a_script_whose_file_was_refused_says_so_until_it_is_mended),
        IN_A_WORLD(without_scripts_there_are_no_rows),
    };
    return RUN(cases);
}
