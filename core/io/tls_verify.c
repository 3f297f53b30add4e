/*
 * A client and the certificate that it is shown: mbedTLS checks it, and what it finds is written
 * down here, so that it can be told in full whether it was taken or not.
 */
#include <mbedtls/oid.h>
#include <stdio.h>

#include "core/io/tls_stream.h"

/* A name goes into the hello (SNI), an address must not (RFC 6066 3); it is compared here. */
static bool is_address(const struct mw_tls_stream *tls, struct mw_ip *ip)
{
    return mw_ip_parse(mw_view_text(tls->sni), ip);
}

static bool is_signed_by_itself(const mbedtls_x509_crt *cert)
{
    return cert->subject_raw.len == cert->issuer_raw.len &&
           memcmp(cert->subject_raw.p, cert->issuer_raw.p, cert->subject_raw.len) == 0;
}

static void note_flags(struct mw_tls_peer *peer, const mbedtls_x509_crt *cert, int depth,
                       uint32_t flags)
{
    const uint32_t weak =
        MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY;
    if (flags == 0)
        return;
    peer->is_trusted = false;
    peer->is_expired |= (flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0;
    peer->is_not_yet |= (flags & MBEDTLS_X509_BADCERT_FUTURE) != 0;
    peer->is_other_name |= (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0;
    peer->is_revoked |= (flags & MBEDTLS_X509_BADCERT_REVOKED) != 0;
    peer->is_weak |= (flags & weak) != 0;
    if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) {
        bool is_own = depth == 0 && is_signed_by_itself(cert);
        peer->is_self_signed |= is_own;
        peer->is_unknown |= !is_own;
    }
}

static void note_leaf(struct mw_tls_peer *peer, const mbedtls_x509_crt *leaf)
{
    peer->is_misused =
        mbedtls_x509_crt_check_extended_key_usage(leaf, MBEDTLS_OID_SERVER_AUTH,
                                                  MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) != 0;
    mw_tls_about(leaf, &peer->about);
    if (mbedtls_x509_dn_gets(peer->issuer, sizeof(peer->issuer), &leaf->issuer) < 0)
        (void)snprintf(peer->issuer, sizeof(peer->issuer), "(a very long name)");
}

/* The rest of it is mbedTLS's, which still takes the subject for a name where there is no other:
 * RFC 9525 2 forbids that, and browsers have not done so since 2017. */
static bool is_named(const struct mw_tls_stream *tls, const mbedtls_x509_crt *cert)
{
    struct mw_ip ip;
    if (is_address(tls, &ip))
        return mw_tls_names_have_ip(cert, &ip);
    return mbedtls_x509_crt_has_ext_type(cert, MBEDTLS_X509_EXT_SUBJECT_ALT_NAME);
}

/* From the root down to the leaf, which has depth 0. */
static int on_certificate(void *ctx, mbedtls_x509_crt *cert, int depth, uint32_t *flags)
{
    struct mw_tls_stream *tls = ctx;
    struct mw_tls_peer *peer = tls->peer;
    if (depth == 0 && !is_named(tls, cert))
        *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    if (!peer) {
        peer = tls->peer = mw_alloc_zero(mw_loop_mem(tls->loop->loop), sizeof(*peer));
        if (!peer)
            return MBEDTLS_ERR_X509_ALLOC_FAILED;
        peer->is_trusted = true;
    }
    peer->chain_len++;
    note_flags(peer, cert, depth, *flags);
    if (depth == 0)
        note_leaf(peer, cert);
    return 0;
}

bool mw_tls_expect(struct mw_tls_stream *tls)
{
    struct mw_ip ip;
    mbedtls_ssl_set_verify(&tls->ssl, on_certificate, tls);
    return mbedtls_ssl_set_hostname(&tls->ssl, is_address(tls, &ip) ? NULL : tls->sni) == 0;
}

void mw_tls_agree(struct mw_tls_stream *tls)
{
    const char *protocol = mbedtls_ssl_get_alpn_protocol(&tls->ssl);
    if (tls->peer && mbedtls_ssl_get_verify_result(&tls->ssl) != 0)
        tls->peer->is_trusted = false; /* also one that is not meant for servers */
    if (tls->peer && protocol)
        (void)snprintf(tls->peer->alpn, sizeof(tls->peer->alpn), "%s", protocol);
}
