/* judge_reach: names, addresses and certificates. */
#include "core/doctor/judge.h"

#include "tests/unit/unit.h"

#define DAY_S 86400
#define NOW_S 1700000000

TEST(a_name_without_an_address_fails)
{
    const struct mw_ws_path path = { .step = MW_WS_RESOLVE };
    const struct mw_ws_ended ended = { .fault = MW_WS_FAULT_no_address, .text = "no such name" };
    struct mw_doctor_line line = { .name = "DNS" };
    mw_doctor_judge_dns(&line, "x.test", &path, &ended);
    assert_int_equal(line.state, MW_DOCTOR_FAIL);
    assert_string_equal(line.value, "x.test: no such name");
}

TEST(addresses_are_listed_and_one_that_fails_is_a_warning)
{
    static const struct mw_dial_address addresses[] = {
        { .text = "2001:db8::1", .is_v6 = true, .state = MW_DIAL_FAILED, .error = "unreachable" },
        { .text = "192.0.2.1", .state = MW_DIAL_CONNECTED },
        { .text = "192.0.2.2", .state = MW_DIAL_WAITING },
    };
    struct mw_ws_path path = { .addresses = addresses,
                               .address_count = 3,
                               .address = &addresses[1],
                               .took_us = { 4400, 900 } };
    struct mw_doctor_line line = { .name = "DNS" };
    mw_doctor_judge_dns(&line, "x.test", &path, NULL);
    assert_string_equal(line.value, "2001:db8::1, 192.0.2.1, 192.0.2.2");
    assert_int_equal(line.took_ms, 4);
    line = (struct mw_doctor_line){ .name = "TCP" };
    mw_doctor_judge_tcp(&line, 443, &path, NULL);
    assert_int_equal(line.state, MW_DOCTOR_WARN);
    assert_string_equal(line.value, "192.0.2.1 port 443");
    assert_non_null(strstr(line.why, "2001:db8::1, which the name has as well, failed"));
    assert_non_null(strstr(line.fix, "AAAA"));
    path.addresses = &addresses[1];
    path.address_count = 2;
    line = (struct mw_doctor_line){ .name = "TCP" };
    mw_doctor_judge_tcp(&line, 443, &path, NULL);
    assert_int_equal(line.state, MW_DOCTOR_OK);
}

TEST(a_port_that_refuses_is_told_from_one_that_is_silent)
{
    struct mw_dial_address address = { .text = "192.0.2.1",
                                       .state = MW_DIAL_FAILED,
                                       .error = "connection refused" };
    const struct mw_ws_path path = { .step = MW_WS_CONNECT,
                                     .addresses = &address,
                                     .address_count = 1 };
    const struct mw_ws_ended ended = { .fault = MW_WS_FAULT_no_connection };
    struct mw_doctor_line line = { .name = "TCP" };
    mw_doctor_judge_tcp(&line, 81, &path, &ended);
    assert_string_equal(line.value, "192.0.2.1 port 81: connection refused");
    assert_non_null(strstr(line.why, "nobody listens"));
    address.error = "timed out";
    mw_doctor_judge_tcp(&line, 81, &path, &ended);
    assert_non_null(strstr(line.why, "firewall"));
}

static void judge_tls(struct mw_doctor_line *line, const struct mw_tls_peer *peer, bool failed)
{
    const struct mw_doctor_tls_view view = { "x.test", 443, !failed, NOW_S };
    const struct mw_ws_path path = {
        .step = MW_WS_SECURE, .is_secure = true, .tls = { .version = "TLSv1.3" }, .peer = peer
    };
    const struct mw_ws_ended ended = { .fault = MW_WS_FAULT_tls, .text = "what is wrong" };
    *line = (struct mw_doctor_line){ .name = "TLS" };
    mw_doctor_judge_tls(line, &view, &path, failed ? &ended : NULL);
}

TEST(each_flaw_of_a_certificate_is_named)
{
    static const struct {
        struct mw_tls_peer peer;
        const char *why;
    } cases[] = {
        { { .is_expired = true, .is_unknown = true }, "is over" },
        { { .is_not_yet = true }, "not valid yet" },
        { { .is_other_name = true }, "for another name" },
        { { .is_self_signed = true, .is_unknown = true }, "signed by itself" },
        { { .is_unknown = true }, "Nobody that this machine trusts" },
        { { .is_revoked = true }, "revoked" },
        { { .is_weak = true }, "too weak" },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct mw_doctor_line line;
        judge_tls(&line, &cases[i].peer, true);
        assert_int_equal(line.state, MW_DOCTOR_FAIL);
        assert_non_null(strstr(line.why, cases[i].why));
        judge_tls(&line, &cases[i].peer, false);
        assert_int_equal(line.state, MW_DOCTOR_WARN);
        assert_non_null(strstr(line.value, "--insecure"));
    }
}

TEST(days_are_counted)
{
    struct mw_tls_peer peer = { .is_trusted = true };
    struct mw_doctor_line line;
    peer.about.expires_unix_s = NOW_S + 61LL * DAY_S;
    judge_tls(&line, &peer, false);
    assert_int_equal(line.state, MW_DOCTOR_OK);
    assert_string_equal(line.value, "TLSv1.3, certificate ok, 61 days left");
    peer.about.expires_unix_s = NOW_S + 3LL * DAY_S;
    judge_tls(&line, &peer, false);
    assert_int_equal(line.state, MW_DOCTOR_WARN);
    judge_tls(&line, NULL, true);
    assert_non_null(strstr(line.fix, "openssl s_client -connect x.test:443"));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_name_without_an_address_fails),
        CASE(addresses_are_listed_and_one_that_fails_is_a_warning),
        CASE(a_port_that_refuses_is_told_from_one_that_is_silent),
        CASE(each_flaw_of_a_certificate_is_named),
        CASE(days_are_counted),
    };
    return RUN(cases);
}
