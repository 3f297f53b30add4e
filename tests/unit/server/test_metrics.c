/* metrics: what is counted where, and the text of it. tests/e2e reads that as strictly as can be.
 */
#include "core/server/metrics.h"

#include "core/server/inquiry.h"
#include "core/server/process.h"
#include "core/server/script_counts.h"
#include "tests/unit/server/serve.h"

static int put_all(struct mw_mem *mem, struct mw_buf *out)
{
    struct mw_metrics_sheet sheet;
    mw_metrics_sheet_init(&sheet, mem);
    int err = mw_metrics_sheet_add(&sheet, &world.worker);
    if (!err)
        err = mw_metrics_write(&sheet, out);
    mw_metrics_sheet_free(&sheet);
    return err;
}

/* All of it, as somebody gets who asks; valid until the next call. */
static const char *text(void)
{
    static char copy[262144];
    struct mw_buf out;
    mw_buf_init(&out, &world.mem, 0);
    assert_int_equal(put_all(&world.mem, &out), MW_OK);
    assert_true(out.len < sizeof copy);
    memcpy(copy, out.data, out.len);
    copy[out.len] = '\0';
    mw_buf_free(&out);
    return copy;
}

#define S "{route=\"/s\",script=\"s.capp\""

static void assert_line(const char *line)
{
    char whole[512];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    if (!strstr(text(), whole))
        fail_msg("there is no line %s in\n%s", line, text());
}

TEST(a_connection_is_counted_from_its_answer_to_its_end)
{
    serve("echo");
    assert_line("moonwire_connections" S "} 0");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    say_text(peer, "hello");
    run(&world);
    assert_line("moonwire_connections" S "} 1");
    assert_line("moonwire_connections_opened_total" S "} 1");
    assert_line("moonwire_messages_received_total" S ",type=\"text\"} 1");
    assert_line("moonwire_messages_sent_total" S ",type=\"text\"} 1");
    assert_line("moonwire_messages_sent_total" S ",type=\"binary\"} 0");
    assert_line("moonwire_received_bytes_total" S "} 11"); /* 2 + 4 + 5 */
    say_close(peer, 1000);
    run(&world);
    assert_line("moonwire_connections" S "} 0");
    assert_line("moonwire_connections_opened_total" S "} 1");
    assert_line("moonwire_closes_total" S ",code=\"1000\",who=\"client\",cause=\"peer_close\"} 1");
    assert_line("moonwire_connection_duration_seconds_count" S "} 1");
    assert_line("moonwire_connection_duration_seconds_bucket" S ",le=\"+Inf\"} 1");
}

TEST(a_handshake_that_is_refused_was_no_connection)
{
    serve("echo");
    add_socket(&world, "/nowhere");
    run(&world);
    assert_line("moonwire_handshakes_refused_total{error=\"no_route\",cause=\"\"} 1");
    assert_line("moonwire_connections_opened_total" S "} 0");
    assert_null(strstr(text(), "moonwire_closes_total{"));
}

TEST(a_code_that_is_not_registered_is_counted_as_other)
{
    static const struct {
        unsigned code;
        bool is_other;
    } table[] = {
        { 999, true },  { 1000, false }, { 1006, false }, { 1015, false }, { 1016, true },
        { 2999, true }, { 3000, false }, { 3001, true },  { 3003, false }, { 3008, false },
        { 3009, true }, { 4000, true },  { 4500, true },  { 65535, true },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        static struct mw_metrics_cells cells;
        cells = (struct mw_metrics_cells){ 0 };
        mw_metrics_count_end(&cells, table[i].code, MW_CAUSE_peer_close, 0, false);
        assert_int_equal(cells.closes[MW_METRICS_CODE_OTHER][MW_CAUSE_peer_close],
                         table[i].is_other);
    }
    serve("echo");
}

TEST(a_life_goes_into_the_bucket_whose_bound_it_does_not_exceed)
{
    static const struct {
        mw_ms lasted_ms;
        enum mw_metrics_bucket bucket;
    } table[] = {
        { 0, MW_METRICS_BUCKET_1 },
        { 1000, MW_METRICS_BUCKET_1 },
        { 1001, MW_METRICS_BUCKET_5 },
        { 60000, MW_METRICS_BUCKET_60 },
        { 86400000, MW_METRICS_BUCKET_86400 },
        { 86400001, MW_METRICS_BUCKET_ABOVE },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        static struct mw_metrics_cells cells;
        cells = (struct mw_metrics_cells){ 0 };
        mw_metrics_count_end(&cells, 1000, MW_CAUSE_peer_close, table[i].lasted_ms, true);
        assert_int_equal(cells.durations[table[i].bucket], 1);
        assert_int_equal(cells.duration_ms, table[i].lasted_ms);
        mw_metrics_count_end(&cells, 1000, MW_CAUSE_peer_fin, 7, false);
        assert_int_equal(cells.ended, 1);
        assert_int_equal(cells.duration_ms, table[i].lasted_ms);
    }
    serve("echo");
}

TEST(refusals_of_more_kinds_than_there_is_room_for_are_counted_as_other)
{
    static char errors[MW_METRICS_REFUSALS + 5][16];
    serve("echo");
    for (size_t i = 0; i < MW_COUNT(errors); i++) {
        snprintf(errors[i], sizeof errors[i], "error_%zu", i);
        mw_metrics_count_refusal(&world.worker.metrics, errors[i], "drain");
        mw_metrics_count_refusal(&world.worker.metrics, errors[0], "drain");
    }
    assert_line("moonwire_handshakes_refused_total{error=\"error_0\",cause=\"drain\"} 38");
    assert_line("moonwire_handshakes_refused_total{error=\"error_30\",cause=\"drain\"} 1");
    assert_line("moonwire_handshakes_refused_total{error=\"other\",cause=\"\"} 6");
}

static void remove_script(const char *path)
{
    delete_file(&world.folder, path);
    (void)load(&world);
    RUN_UNTIL(&world, mw_list_is_empty(&world.worker.routes));
}

/* To what adds up rates, a series that gets those of another one tells of all of them anew. */
TEST(a_script_that_goes_takes_no_count_away_and_gives_none_to_others)
{
    serve("echo");
    add_socket(&world, "/s");
    run(&world);
    remove_script("scripts/s.capp");
    assert_line("moonwire_connections" S "} 0");
    assert_line("moonwire_connections_opened_total" S "} 1");
    assert_line("moonwire_closes_total" S
                ",code=\"1001\",who=\"server\",cause=\"script_removed\"} 1");
    assert_line("moonwire_script_reloads_total{script=\"s.capp\",result=\"loaded\"} 1");
    assert_null(strstr(text(), "moonwire_script_paused{"));
    assert_null(strstr(text(), "\"gone\""));
}

TEST(a_script_that_comes_back_does_not_count_from_zero)
{
    serve("echo");
    add_socket(&world, "/s");
    run(&world);
    remove_script("scripts/s.capp");
    write_script(&world, "s.capp", "broken");
    assert_int_equal(load(&world), 1);
    assert_line("moonwire_connections_opened_total" S "} 1");
    write_script(&world, "s.capp", "echo");
    assert_int_equal(load(&world), 0);
    add_socket(&world, "/s");
    run(&world);
    assert_line("moonwire_connections" S "} 1");
    assert_line("moonwire_connections_opened_total" S "} 2");
    assert_line("moonwire_script_reloads_total{script=\"s.capp\",result=\"loaded\"} 2");
    assert_line("moonwire_script_paused{script=\"s.capp\"} 0");
}

/* While clients of the old one have not answered its Close frame. */
TEST(a_script_that_is_back_before_its_clients_are_gone_has_one_series)
{
    serve("echo");
    add_socket(&world, "/s");
    run(&world);
    delete_file(&world.folder, "scripts/s.capp");
    (void)load(&world);
    write_script(&world, "s.capp", "echo");
    assert_int_equal(load(&world), 0);
    assert_true(world.worker.routes.next->next != &world.worker.routes);
    add_socket(&world, "/s");
    RUN_UNTIL(&world, world.worker.routes.next->next == &world.worker.routes);
    assert_line("moonwire_connections" S "} 1");
    assert_line("moonwire_connections_opened_total" S "} 2");
    const char *first = strstr(text(), "\nmoonwire_connections_opened_total{");
    assert_null(strstr(first + 1, "\nmoonwire_connections_opened_total{"));
}

TEST(of_more_scripts_than_are_remembered_the_sums_are)
{
    serve("echo");
    remove_script("scripts/s.capp");
    for (int i = 0; i < MW_SCRIPT_COUNTS_GONE + 2; i++) {
        char name[24], path[40];
        snprintf(name, sizeof name, "n%d.capp", i);
        snprintf(path, sizeof path, "scripts/%s", name);
        write_script(&world, name, "echo");
        assert_int_equal(load(&world), 0);
        remove_script(path);
    }
#define LOADED "moonwire_script_reloads_total{script=\""
    assert_line(LOADED "gone\",result=\"loaded\"} 3");
    assert_line(LOADED "n2.capp\",result=\"loaded\"} 1");
    assert_null(strstr(text(), "\"n1.capp\""));
}

/* Names of files are anybody's bytes. */
TEST(values_of_labels_are_escaped_and_are_utf8)
{
    serve("echo");
    struct mw_link *scripts = &world.worker.metrics.scripts;
    struct mw_script_counts *counts = MW_OWNER(scripts->next, struct mw_script_counts, link);
    memcpy(counts->name, "a\"\\\n\xFF.", counts->name_len);
    assert_line("moonwire_script_paused{script=\"a\\\"\\\\\\n\xEF\xBF\xBD.\"} 0");
}

TEST(a_load_that_is_refused_is_counted_and_shown)
{
    serve("echo");
    assert_line("moonwire_script_last_reload_successful{script=\"s.capp\"} 1");
    write_script(&world, "s.capp", "broken");
    assert_int_equal(load(&world), 1);
    assert_line("moonwire_script_last_reload_successful{script=\"s.capp\"} 0");
    assert_line("moonwire_script_reloads_total{script=\"s.capp\",result=\"loaded\"} 1");
    assert_line("moonwire_script_reloads_total{script=\"s.capp\",result=\"refused\"} 1");
    assert_non_null(strstr(text(), "\nmoonwire_script_info{script=\"s.capp\",version=\"1\","));
}

TEST(without_memory_there_is_no_text_and_nothing_is_lost)
{
    serve("echo");
    for (size_t most = 64; most < 16384; most += 64) {
        struct mw_mem mem;
        struct mw_buf out;
        mw_mem_init(&mem, 0, most);
        mw_buf_init(&out, &mem, 0);
        assert_int_equal(put_all(&mem, &out), MW_ERR_NOMEM);
        mw_buf_free(&out);
        assert_true(mw_mem_is_empty(&mem));
    }
}

static const char *get(const char *line)
{
    struct peer *peer = add_peer(&world);
    say(peer, line);
    say(peer, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    RUN_UNTIL(&world, peer->line.finished || peer->line.closed);
    return mw_buf_cstr(&peer->line.to_peer);
}

TEST(they_are_served_where_the_settings_say_and_nowhere_else)
{
    char why[256];
    serve("echo");
    assert_int_equal(strncmp(get("GET /metrics"), "HTTP/1.1 404 ", 13), 0);
    assert_int_equal(strncmp(get("GET /off"), "HTTP/1.1 404 ", 13), 0);
    assert_int_equal(
        mw_config_set(&world.config, mw_view_text("metrics.path"), mw_view_text("/metrics"), why),
        MW_OK);
    const char *answer = get("GET /metrics");
    assert_int_equal(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
    assert_non_null(
        strstr(answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strstr(answer, "\r\nCache-Control: no-store\r\n"));
    assert_non_null(strstr(answer, "\n# TYPE moonwire_connections gauge\n"));
    answer = get("HEAD /metrics");
    assert_int_equal(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    assert_int_equal(strncmp(get("POST /metrics"), "HTTP/1.1 405 ", 13), 0);
}

TEST(the_process_knows_itself)
{
    struct mw_process process;
    mw_process_look(&process);
    assert_true(process.resident_bytes > 65536);
    assert_true(process.max_fds > 0);
    serve("echo");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(a_connection_is_counted_from_its_answer_to_its_end),
        IN_A_WORLD(a_handshake_that_is_refused_was_no_connection),
        IN_A_WORLD(a_code_that_is_not_registered_is_counted_as_other),
        IN_A_WORLD(a_life_goes_into_the_bucket_whose_bound_it_does_not_exceed),
        IN_A_WORLD(refusals_of_more_kinds_than_there_is_room_for_are_counted_as_other),
        IN_A_WORLD(a_script_that_goes_takes_no_count_away_and_gives_none_to_others),
        IN_A_WORLD(a_script_that_comes_back_does_not_count_from_zero),
        IN_A_WORLD(a_script_that_is_back_before_its_clients_are_gone_has_one_series),
        IN_A_WORLD(of_more_scripts_than_are_remembered_the_sums_are),
        IN_A_WORLD(values_of_labels_are_escaped_and_are_utf8),
        IN_A_WORLD(a_load_that_is_refused_is_counted_and_shown),
        IN_A_WORLD(without_memory_there_is_no_text_and_nothing_is_lost),
        IN_A_WORLD(they_are_served_where_the_settings_say_and_nowhere_else),
        IN_A_WORLD(the_process_knows_itself),
    };
    return RUN(cases);
}
