/* wss: certificates of every kind, and what is told of them. */
#include "core/outbound/ws_client.h"
#include "tests/unit/outbound/far.h"

struct secure_case {
    struct cert_wish wish;
    bool by_ca, insecure, plain, by_name;
    enum mw_ws_fault fault;
    const char *text;
};

static struct cert authority, other_authority;

static const struct secure_case secure_cases[] = {
    { { .subject = "CN=a", .hosts = { "4:127.0.0.1" } },
      true,
      false,
      false,
      false,
      MW_WS_FAULT_none,
      NULL },
    { { .subject = "CN=a", .hosts = { "4:127.0.0.1" }, .from_days = -9, .to_days = -2 },
      true,
      false,
      false,
      false,
      MW_WS_FAULT_tls,
      "expired" },
    { { .subject = "CN=a", .hosts = { "4:127.0.0.1" }, .from_days = 2, .to_days = 9 },
      true,
      false,
      false,
      false,
      MW_WS_FAULT_tls,
      "not valid yet" },
    { { .subject = "CN=a", .hosts = { "moon.example" } },
      true,
      false,
      false,
      false,
      MW_WS_FAULT_tls,
      "another name" },
    { { .subject = "CN=a", .hosts = { "4:127.0.0.1" } },
      false,
      false,
      false,
      false,
      MW_WS_FAULT_tls,
      "signed by itself" },
    { { .subject = "CN=a", .hosts = { "4:127.0.0.1" }, .issuer = &other_authority },
      false,
      false,
      false,
      false,
      MW_WS_FAULT_tls,
      "not signed by an authority" },
    { { .subject = "CN=a", .hosts = { "4:127.0.0.1" } },
      false,
      true,
      false,
      false,
      MW_WS_FAULT_none,
      NULL },
    { { .subject = "CN=a", .hosts = { "b" }, .from_days = -9, .to_days = -2 },
      true,
      true,
      false,
      false,
      MW_WS_FAULT_none,
      NULL },
    { { .subject = "CN=a", .hosts = { "localhost" } },
      true,
      false,
      false,
      true,
      MW_WS_FAULT_none,
      NULL },
    { { .subject = "CN=a", .hosts = { "remotehost" } },
      true,
      false,
      false,
      true,
      MW_WS_FAULT_tls,
      "another name" },
    { { .subject = "CN=localhost" }, true, false, false, true, MW_WS_FAULT_tls, "another name" },
    { { .subject = "CN=a" }, true, false, true, false, MW_WS_FAULT_tls, "plain HTTP" },
};

static void check_secure(const struct secure_case *one)
{
    struct stage stage;
    struct seen seen;
    struct cert cert;
    struct cert_wish wish = one->wish;
    if (one->by_ca)
        wish.issuer = &authority;
    cert_make(&cert, &wish);
    const struct far_play tls = { .then = FAR_SPEAKS, .tls = &cert };
    const struct far_play plain = { .answer = "HTTP/1.1 400 Bad Request\r\n\r\n", .at_once = true };
    open_stage(&stage, one->plain ? &plain : &tls, &authority);
    struct mw_ws_client_setup setup = setup_of(&stage, &seen);
    char url[64];
    if (one->by_name) { /* which may be ::1 first, where nobody listens */
        snprintf(url, sizeof url, "wss://localhost%s", strrchr(stage.url, ':'));
        setup.url = mw_view_text(url);
    }
    setup.insecure = one->insecure;
    start(&setup, &seen);
    if (one->fault == MW_WS_FAULT_none) {
        wait_for_open(&stage, &seen);
        mw_ws_client_send(seen.client, MW_OPCODE_TEXT, mw_view_text("moon"));
        wait_for_count(&stage.world, &seen.messages, 1);
        assert_string_equal(seen.message, "moon");
        mw_ws_client_close(seen.client, 1000, mw_view("", 0));
    }
    wait_for_end(&stage, &seen);
    assert_string_equal(mw_ws_fault_name(seen.ended.fault), mw_ws_fault_name(one->fault));
    assert_int_equal(seen.has_peer, !one->plain);
    if (one->text) {
        assert_non_null(strstr(seen.ended.text, one->text));
        assert_int_equal(seen.ended.code, 1015);
        assert_int_equal(seen.ended_at, MW_WS_SECURE);
        assert_false(seen.peer.is_trusted);
    } else {
        assert_string_equal(seen.facts.version, "TLSv1.3");
        assert_string_equal(seen.peer.alpn, "http/1.1");
        assert_string_equal(seen.peer.about.subject, "CN=a");
        assert_true(seen.peer.about.expires_unix_s > seen.peer.about.begins_unix_s);
        assert_int_equal(seen.peer.is_trusted, !one->insecure);
        assert_true(seen.ended.clean);
    }
    close_stage(&stage);
    cert_free(&cert);
}

TEST(what_is_wrong_with_a_certificate_is_told_and_insecure_takes_it)
{
    cert_make(&authority, &(struct cert_wish){ .subject = "CN=moon ca", .use = USE_AUTHORITY });
    cert_make(&other_authority,
              &(struct cert_wish){ .subject = "CN=other ca", .use = USE_AUTHORITY });
    for (size_t i = 0; i < MW_COUNT(secure_cases); i++) {
        print_message("    case %zu\n", i);
        check_secure(&secure_cases[i]);
    }
    cert_free(&authority);
    cert_free(&other_authority);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(what_is_wrong_with_a_certificate_is_told_and_insecure_takes_it),
    };
    return RUN(cases);
}
