/*
 * Sentences for failures, as a table: what a code of mbedTLS, a check of ours, or an alert of the
 * peer's means for who runs the server. Nothing is formatted, so nothing of the peer's gets in.
 */
#include "core/io/tls_fault.h"

#include "core/base/check.h"

#define ALERT(name) MBEDTLS_SSL_ALERT_MSG_##name

static const struct row {
    int code;
    struct mw_tls_fault fault;
} rows[] = {
    { MW_TLS_FAULT_HTTP,
      { "plain HTTP came where TLS is spoken: the client should use https or wss",
        ALERT(UNEXPECTED_MESSAGE) } },
    { MW_TLS_FAULT_NOT_TLS, { "what came is not TLS", ALERT(UNEXPECTED_MESSAGE) } },
    { MW_TLS_FAULT_HELLO_TOO_LONG,
      { "the client's hello is longer than a TLS record may be", ALERT(RECORD_OVERFLOW) } },
    { MW_TLS_FAULT_TOO_EARLY,
      { "the client sent more than its hello before it was answered", ALERT(UNEXPECTED_MESSAGE) } },
    { MW_TLS_FAULT_TOO_SLOW,
      { "the client left its handshake open while others waited for its place",
        ALERT(USER_CANCELED) } },
    { MW_TLS_FAULT_CLIENT_CERT,
      { "the client's certificate is expired, or not signed by an authority that is trusted here",
        ALERT(BAD_CERT) } },
    { MW_TLS_FAULT_CLIENT_CERT_USE,
      { "the client's certificate is not meant for clients (key usage)",
        ALERT(UNSUPPORTED_CERT) } },
    { MBEDTLS_ERR_X509_CERT_VERIFY_FAILED,
      { "the client's certificate is expired, or not signed by an authority that is trusted here",
        ALERT(BAD_CERT) } },
    { MBEDTLS_ERR_SSL_BAD_CERTIFICATE,
      { "the client's certificate is not acceptable", ALERT(BAD_CERT) } },
    { MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE,
      { "the client has no certificate, and must have one", ALERT(CERT_REQUIRED) } },
    { MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL,
      { "the client wants another protocol than http/1.1 (ALPN)",
        ALERT(NO_APPLICATION_PROTOCOL) } },
    { MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE,
      { "there is no cipher, curve or kind of certificate that both sides know",
        ALERT(HANDSHAKE_FAILURE) } },
    { MBEDTLS_ERR_SSL_INVALID_MAC,
      { "a record was changed on its way, or made with another key (bad MAC)",
        ALERT(BAD_RECORD_MAC) } },
    { MBEDTLS_ERR_SSL_INVALID_RECORD,
      { "a record of TLS is malformed or too long", ALERT(DECODE_ERROR) } },
    { MBEDTLS_ERR_SSL_BAD_INPUT_DATA,
      { "a record of TLS is longer than it may be", ALERT(RECORD_OVERFLOW) } },
    { MBEDTLS_ERR_SSL_DECODE_ERROR,
      { "a message of the handshake is malformed", ALERT(DECODE_ERROR) } },
    { MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER,
      { "a message of the handshake contradicts itself or the rules", ALERT(ILLEGAL_PARAMETER) } },
    { MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION,
      { "the hello has an extension that must not be there", ALERT(UNSUPPORTED_EXT) } },
    { MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE,
      { "a message of TLS came where it must not", ALERT(UNEXPECTED_MESSAGE) } },
    { MBEDTLS_ERR_SSL_UNEXPECTED_RECORD,
      { "a record of TLS came where it must not", ALERT(UNEXPECTED_MESSAGE) } },
    { MBEDTLS_ERR_SSL_ALLOC_FAILED,
      { "there was no memory for the handshake", ALERT(INTERNAL_ERROR) } },
    { MBEDTLS_ERR_SSL_COUNTER_WRAPPING,
      { "so many records were sent that the keys are used up", ALERT(INTERNAL_ERROR) } },
    { 0,
      { "the handshake failed in the cryptography: bad signature, bad key, or no memory",
        ALERT(HANDSHAKE_FAILURE) } },
};

static struct mw_tls_fault version_fault(enum mw_tls_version least)
{
    switch (least) {
    case MW_TLS_1_2:
        break;
    case MW_TLS_1_3:
        return (struct mw_tls_fault){
            "the client speaks only TLS 1.2 or older, and 1.3 is asked for", ALERT(PROTOCOL_VERSION)
        };
    }
    return (struct mw_tls_fault){ "the client speaks only TLS 1.1 or older",
                                  ALERT(PROTOCOL_VERSION) };
}

static const char *refusal(int alert)
{
    static const struct {
        int alert;
        const char *what;
    } alerts[] = {
        { ALERT(UNKNOWN_CA), "the client does not trust our certificate (alert unknown_ca)" },
        { ALERT(CERT_UNKNOWN),
          "the client does not trust our certificate (alert certificate_unknown)" },
        { ALERT(BAD_CERT), "the client does not trust our certificate (alert bad_certificate)" },
        { ALERT(CERT_EXPIRED), "the client finds our certificate expired" },
        { ALERT(CERT_REVOKED), "the client finds our certificate revoked" },
        { ALERT(UNSUPPORTED_CERT), "the client does not know our kind of certificate" },
        { ALERT(HANDSHAKE_FAILURE),
          "the client found nothing in common (alert handshake_failure)" },
        { ALERT(INSUFFICIENT_SECURITY), "the client finds what we offer too weak" },
        { ALERT(PROTOCOL_VERSION), "the client does not want the version of TLS" },
        { ALERT(UNRECOGNIZED_NAME), "the client finds our certificate is for another name" },
        { ALERT(BAD_RECORD_MAC), "the client got a record that was changed on its way" },
        { ALERT(DECRYPT_ERROR), "the client could not verify our signature (alert decrypt_error)" },
        { ALERT(INTERNAL_ERROR), "the client failed (alert internal_error)" },
        { ALERT(USER_CANCELED), "the client gave up (alert user_canceled)" },
    };
    for (size_t i = 0; i < MW_COUNT(alerts); i++) {
        if (alerts[i].alert == alert)
            return alerts[i].what;
    }
    return "the client refused the connection by an alert";
}

struct mw_tls_fault mw_tls_fault_of(int code, enum mw_tls_version least)
{
    const struct row *row = rows;
    if (code == MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION)
        return version_fault(least);
    if (code >= MW_TLS_FAULT_ALERT)
        return (struct mw_tls_fault){ refusal(code - MW_TLS_FAULT_ALERT), -1 };
    while (row->code && row->code != code)
        row++;
    return row->fault;
}
