/*
 * The sentences of tls_fault.c from the other end: what a server did, for who runs the client. The
 * particulars (whose certificate, until when) are in struct mw_tls_peer.
 */
#include "core/base/check.h"
#include "core/io/tls_fault.h"

#define ALERT(name) MBEDTLS_SSL_ALERT_MSG_##name

static const struct row {
    int code;
    struct mw_tls_fault fault;
} rows[] = {
    { MW_TLS_FAULT_HTTP,
      { "the server answers in plain HTTP on this port: use ws:// or another port", -1 } },
    { MW_TLS_FAULT_NOT_TLS, { "what answers on this port does not speak TLS", -1 } },
    { MW_TLS_FAULT_TOO_SLOW,
      { "the handshake took too long while others waited", ALERT(USER_CANCELED) } },
    { MW_TLS_FAULT_SIGNATURE,
      { "the server signs by TLS 1.2 in a way that is not checked here, such as RSA-PSS; browsers "
        "do check it, and with TLS 1.3 so does this client",
        ALERT(ILLEGAL_PARAMETER) } },
    { MBEDTLS_ERR_SSL_BAD_CERTIFICATE,
      { "the server's certificate cannot be read", ALERT(BAD_CERT) } },
    { MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE,
      { "there is no cipher, curve or kind of certificate that both sides know",
        ALERT(HANDSHAKE_FAILURE) } },
    { MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION,
      { "the server speaks only TLS 1.1 or older", ALERT(PROTOCOL_VERSION) } },
    { MBEDTLS_ERR_SSL_INVALID_MAC,
      { "a record was changed on its way, or made with another key (bad MAC)",
        ALERT(BAD_RECORD_MAC) } },
    { MBEDTLS_ERR_SSL_INVALID_RECORD,
      { "a record of TLS is malformed or too long", ALERT(DECODE_ERROR) } },
    { MBEDTLS_ERR_SSL_DECODE_ERROR,
      { "a message of the handshake is malformed", ALERT(DECODE_ERROR) } },
    { MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER,
      { "a message of the handshake contradicts itself or the rules", ALERT(ILLEGAL_PARAMETER) } },
    { MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE,
      { "a message of TLS came where it must not", ALERT(UNEXPECTED_MESSAGE) } },
    { MBEDTLS_ERR_SSL_UNEXPECTED_RECORD,
      { "a record of TLS came where it must not", ALERT(UNEXPECTED_MESSAGE) } },
    { MBEDTLS_ERR_SSL_ALLOC_FAILED,
      { "there was no memory for the handshake", ALERT(INTERNAL_ERROR) } },
    { 0,
      { "the handshake failed in the cryptography: bad signature, bad key, or no memory",
        ALERT(HANDSHAKE_FAILURE) } },
};

static const char *refusal(int alert)
{
    static const struct {
        int alert;
        const char *what;
    } alerts[] = {
        { ALERT(HANDSHAKE_FAILURE),
          "the server found nothing in common (alert handshake_failure)" },
        { ALERT(PROTOCOL_VERSION),
          "the server wants another version of TLS than 1.2 or 1.3 (alert protocol_version)" },
        { ALERT(UNRECOGNIZED_NAME),
          "the server does not serve this name (alert unrecognized_name)" },
        { ALERT(NO_APPLICATION_PROTOCOL),
          "the server does not speak http/1.1 here (alert no_application_protocol)" },
        { ALERT(CERT_REQUIRED), "the server wants a certificate of the client's" },
        { ALERT(INSUFFICIENT_SECURITY), "the server finds what we offer too weak" },
        { ALERT(BAD_RECORD_MAC), "the server got a record that was changed on its way" },
        { ALERT(INTERNAL_ERROR), "the server failed (alert internal_error)" },
    };
    for (size_t i = 0; i < MW_COUNT(alerts); i++) {
        if (alerts[i].alert == alert)
            return alerts[i].what;
    }
    return "the server refused the connection by an alert";
}

/* What is worst to know first. */
static struct mw_tls_fault fault_of_certificate(const struct mw_tls_peer *peer)
{
    if (!peer)
        return (struct mw_tls_fault){ "the server's certificate is not acceptable", -1 };
    if (peer->is_expired)
        return (struct mw_tls_fault){ "the server's certificate, or its issuer's, has expired",
                                      -1 };
    if (peer->is_not_yet)
        return (struct mw_tls_fault){ "the server's certificate is not valid yet", -1 };
    if (peer->is_other_name)
        return (struct mw_tls_fault){ "the server's certificate is for another name", -1 };
    if (peer->is_self_signed)
        return (struct mw_tls_fault){ "the server's certificate is signed by itself", -1 };
    if (peer->is_unknown)
        return (struct mw_tls_fault){
            "the server's certificate is not signed by an authority that is trusted here, or the "
            "server does not send the certificates in between",
            -1
        };
    if (peer->is_revoked)
        return (struct mw_tls_fault){ "the server's certificate was revoked", -1 };
    if (peer->is_weak)
        return (struct mw_tls_fault){ "the server's certificate has a key or signature too weak",
                                      -1 };
    return (struct mw_tls_fault){ "the server's certificate is not meant for servers", -1 };
}

struct mw_tls_fault mw_tls_fault_of_server(int code, const struct mw_tls_peer *peer)
{
    const struct row *row = rows;
    bool is_misused = code == MBEDTLS_ERR_SSL_BAD_CERTIFICATE && peer; /* it was readable */
    if (code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED || is_misused) /* mbedTLS has told the server */
        return fault_of_certificate(peer);
    if (code >= MW_TLS_FAULT_ALERT)
        return (struct mw_tls_fault){ refusal(code - MW_TLS_FAULT_ALERT), -1 };
    while (row->code && row->code != code)
        row++;
    return row->fault;
}
