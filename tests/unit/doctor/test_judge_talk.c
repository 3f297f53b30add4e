/* judge_talk: what pings, echoes, ends and Close frames mean. */
#include "core/doctor/judge.h"

#include "core/base/str.h"
#include "tests/unit/unit.h"

static void assert_line(const struct mw_doctor_line *line, enum mw_doctor_state state,
                        const char *value)
{
    assert_int_equal(line->state, state);
    assert_non_null(strstr(line->value, value));
    assert_int_equal(*line->fix != '\0', state != MW_DOCTOR_OK);
    assert_int_equal(*line->why != '\0', state != MW_DOCTOR_OK);
}

TEST(pings_are_judged_by_the_fastest_and_the_handshake)
{
    static const struct {
        struct mw_doctor_pings pings;
        enum mw_doctor_state state;
        const char *value;
    } cases[] = {
        { { 5, 5, 900, 12000, 2000, 0 }, MW_DOCTOR_OK, "0.9 to 12 ms" },
        { { 5, 1, 900, 900, 2000, 0 }, MW_DOCTOR_OK, "0.9 ms" },
        /* far away, and the handshake shows it */
        { { 5, 5, 300000, 320000, 310000, 0 }, MW_DOCTOR_OK, "300 to 320 ms" },
        { { 5, 5, 300000, 320000, 2000, 0 }, MW_DOCTOR_WARN, "300 to 320 ms" },
        { { 1, 0, 0, 0, 2000, 0 }, MW_DOCTOR_FAIL, "no answer in 5.0 s" },
        { { 85, 0, 0, 0, 2000, 11135 }, MW_DOCTOR_FAIL, "only when more was sent (11135" },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct mw_doctor_line line = { .name = "ping" };
        mw_doctor_judge_pings(&line, &cases[i].pings, 5000);
        assert_line(&line, cases[i].state, cases[i].value);
    }
}

TEST(echoes_are_judged_by_what_came_back)
{
    static const struct {
        struct mw_doctor_echo echo;
        enum mw_doctor_state state;
        const char *value;
    } cases[] = {
        { { MW_DOCTOR_ECHO_FINE, 1048576, 1048576, 0, 0 },
          MW_DOCTOR_OK,
          "1 byte to 1 MiB came back whole" },
        { { MW_DOCTOR_ECHO_TOO_LARGE, 65536, 65535, 0, 0 },
          MW_DOCTOR_OK,
          "up to 65535 bytes came back whole; the server takes no 65536 bytes (1009" },
        { { MW_DOCTOR_ECHO_MISSING, 1400, 126, 0, 5000 },
          MW_DOCTOR_FAIL,
          "1400 bytes did not come back in 5.0 s; 126 bytes did" },
        { { MW_DOCTOR_ECHO_CHANGED, 4096, 1400, 77, 0 }, MW_DOCTOR_FAIL, "from byte 77 on" },
        { { MW_DOCTOR_ECHO_SHORTER, 4096, 1400, 2000, 0 }, MW_DOCTOR_FAIL, "came back as 2000" },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct mw_doctor_line line = { .name = "echo" };
        mw_doctor_judge_echo(&line, &cases[i].echo);
        assert_line(&line, cases[i].state, cases[i].value);
    }
}

TEST(a_death_says_how_and_during_what)
{
    static const struct {
        enum mw_cause cause;
        enum mw_rule rule;
        unsigned said_code; /* 0: no Close frame */
        const char *value, *fix;
    } cases[] = {
        { MW_CAUSE_peer_fin, MW_RULE_NONE, 0, "cut (FIN) without a Close frame after 1.5 s, here",
          "moonwire why 42" },
        { MW_CAUSE_peer_reset, MW_RULE_NONE, 0, "reset (RST) after 1.5 s", "why 42" },
        { MW_CAUSE_tls_error, MW_RULE_NONE, 0, "ended by a fault of TLS", "why 42" },
        { MW_CAUSE_peer_close, MW_RULE_NONE, 1011, "closed with 1011, here", "explain 1011" },
        { MW_CAUSE_http_on_websocket, MW_RULE_HTTP_TEXT, 0, "plain HTTP in place of a frame", "" },
        { MW_CAUSE_protocol_error, MW_RULE_MASKED, 0, "breaks a rule", "masks no frame" },
        { MW_CAUSE_protocol_error, MW_RULE_RSV, 0, "breaks a rule", "compresses" },
        { MW_CAUSE_protocol_error, MW_RULE_OPCODE, 0, "breaks a rule", "changes bytes" },
    };
    const struct mw_doctor_who who = { .conn_id = "42" };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        const struct mw_doctor_end end = { .is_over = true,
                                           .opened = true,
                                           .cause = cases[i].cause,
                                           .rule = cases[i].rule,
                                           .has_close = cases[i].said_code > 0,
                                           .said_code = cases[i].said_code,
                                           .bytes = { 0x81, 0x85 },
                                           .byte_count = 2,
                                           .uptime_ms = 1500 };
        struct mw_doctor_line line = { .name = "echo" };
        mw_doctor_judge_death(&line, &end, &who, "here");
        assert_line(&line, MW_DOCTOR_FAIL, cases[i].value);
        assert_non_null(strstr(line.fix, cases[i].fix));
        if (cases[i].rule != MW_RULE_NONE)
            assert_non_null(strstr(line.why, "its first bytes: 81 85"));
    }
}

TEST(a_close_frame_has_to_come_back_as_it_went)
{
    static const struct {
        bool has_close;
        unsigned said_code;
        enum mw_rule rule;
        enum mw_doctor_state state;
        const char *value;
    } cases[] = {
        { true, 1000, MW_RULE_NONE, MW_DOCTOR_OK, "1000 came back" },
        { true, 1011, MW_RULE_NONE, MW_DOCTOR_WARN, "1000 was sent, and 1011 came back" },
        { true, 1005, MW_RULE_NONE, MW_DOCTOR_WARN, "and 1005 came back" },
        { true, 1006, MW_RULE_NONE, MW_DOCTOR_FAIL, "breaks a rule (code 1006)" },
        { true, 1000, MW_RULE_CLOSE_UTF8, MW_DOCTOR_FAIL, "breaks a rule" },
        { false, 0, MW_RULE_RSV, MW_DOCTOR_FAIL, "in place of the Close frame" },
        { false, 0, MW_RULE_NONE, MW_DOCTOR_FAIL, "no Close frame came back" },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        const struct mw_doctor_end end = { .has_close = cases[i].has_close,
                                           .said_code = cases[i].said_code,
                                           .rule = cases[i].rule };
        struct mw_doctor_line line = { .name = "close" };
        mw_doctor_judge_close(&line, &end, 1000);
        assert_line(&line, cases[i].state, cases[i].value);
    }
}

TEST(what_a_close_frame_said_is_kept)
{
    struct mw_doctor_end end = { .is_over = false };
    mw_doctor_end_said(&end, mw_view("\x03\xf3oops", 6));
    assert_true(end.has_close);
    assert_int_equal(end.said_code, 1011);
    assert_string_equal(end.said, "oops");
    mw_doctor_end_said(&end, mw_view("", 0));
    assert_int_equal(end.said_code, 1005);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(pings_are_judged_by_the_fastest_and_the_handshake),
        CASE(echoes_are_judged_by_what_came_back),
        CASE(a_death_says_how_and_during_what),
        CASE(a_close_frame_has_to_come_back_as_it_went),
        CASE(what_a_close_frame_said_is_kept),
    };
    return RUN(cases);
}
