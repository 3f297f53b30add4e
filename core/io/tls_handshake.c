/*
 * From the first byte to the first record of data. Nothing of mbedTLS is set up before a whole
 * record of the hello is there and its turn has come, so a port scan, a slow hello or a flood of
 * them costs the bytes they sent. While it waits for its turn, the stream below is not read.
 */
#include <mbedtls/oid.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/io/tls_fault.h"
#include "core/io/tls_stream.h"

/* RFC 8446 5.1: kinds of records */
#define ALERT_TYPE     21
#define HANDSHAKE_TYPE 22
#define ALERT_BYTES    (MW_TLS_HEADER_BYTES + 2)

/* ---- waiting for a record ---- */

/* 0, or the fault of what is kept of the hello. Judged by its first bytes, before the rest comes.
 */
static int look_at_hello(struct mw_view input)
{
    unsigned char kind = (unsigned char)input.data[0];
    if (kind >= 'A' && kind <= 'Z')
        return MW_TLS_FAULT_HTTP;
    if (kind != HANDSHAKE_TYPE)
        return MW_TLS_FAULT_NOT_TLS;
    if (input.len < MW_TLS_HEADER_BYTES)
        return 0;
    size_t len = (size_t)(unsigned char)input.data[3] << 8 | (unsigned char)input.data[4];
    if (len > MW_TLS_RECORD_BYTES)
        return MW_TLS_FAULT_HELLO_TOO_LONG;
    return input.len > 2 * (MW_TLS_HEADER_BYTES + MW_TLS_RECORD_BYTES) ? MW_TLS_FAULT_TOO_EARLY : 0;
}

/* The same of what a server says first, which may be an alert. */
static int look_at_answer(struct mw_tls_stream *tls, struct mw_view input)
{
    unsigned char kind = (unsigned char)input.data[0];
    if (tls->has_heard || kind == HANDSHAKE_TYPE || kind == ALERT_TYPE) {
        tls->has_heard = true;
        return 0;
    }
    return kind == 'H' ? MW_TLS_FAULT_HTTP : MW_TLS_FAULT_NOT_TLS;
}

static int look_at_first(struct mw_tls_stream *tls)
{
    struct mw_view input = mw_buf_view(&tls->input);
    if (tls->is_client)
        return look_at_answer(tls, input);
    return tls->state == MW_TLS_HELLO ? look_at_hello(input) : 0;
}

void mw_tls_hear(struct mw_tls_stream *tls, struct mw_view bytes)
{
    if (bytes.len == 0 || !mw_tls_keep_input(tls, bytes))
        return;
    int fault = look_at_first(tls);
    if (fault)
        mw_tls_fail(tls, fault, false);
    else if (mw_tls_has_whole_input(tls))
        mw_tls_queue_add(&tls->loop->queue, &tls->turn);
}

void mw_tls_on_drop(struct mw_tls_turn *turn)
{
    mw_tls_fail(MW_OWNER(turn, struct mw_tls_stream, turn), MW_TLS_FAULT_TOO_SLOW, false);
}

/* ---- its turn ---- */

static bool begin(struct mw_tls_stream *tls)
{
    if (mbedtls_ssl_setup(&tls->ssl, mw_tls_ctx_config(tls->ctx)) != 0)
        return false;
    mw_tls_pool_count_new(&tls->loop->pool, &tls->ssl);
    mbedtls_ssl_set_bio(&tls->ssl, tls, mw_tls_transmit, mw_tls_receive, NULL);
    mbedtls_ssl_set_user_data_p(&tls->ssl, &tls->loop->hello);
    if (tls->is_client && !mw_tls_expect(tls))
        return false;
    mw_tls_queue_begin(&tls->loop->queue, &tls->turn);
    tls->state = MW_TLS_SHAKING;
    return true;
}

/* Steps as far as the input goes. 0: it is over; or the code of mbedTLS. */
static int shake(struct mw_tls_stream *tls, bool *has_said)
{
    mbedtls_ssl_context *ssl = &tls->ssl;
    int code = 0;
    while (code == 0 && ssl->MBEDTLS_PRIVATE(state) != MBEDTLS_SSL_HANDSHAKE_OVER) {
        size_t said = tls->waiting.len;
        if (ssl->MBEDTLS_PRIVATE(state) == MBEDTLS_SSL_SERVER_CERTIFICATE)
            tls->is_full = true; /* a resumed one passes over this state in both versions */
        code = mbedtls_ssl_handshake_step(ssl);
        *has_said = tls->waiting.len > said;
    }
    return code;
}

static bool keep_name(struct mw_tls_stream *tls)
{
    struct mw_view name = mw_view_text(tls->loop->hello.name);
    if (name.len == 0 || tls->sni)
        return true;
    tls->sni = mw_mem_copy(mw_loop_mem(tls->loop->loop), name);
    return tls->sni;
}

/*
 * 0, or the fault of the client's certificate. Where showing one is optional mbedTLS lets a bad one
 * pass; and its key usage is looked at here whatever mbedTLS did, for it once did not
 * (CVE-2024-45159).
 */
static int look_at_client(mbedtls_ssl_context *ssl)
{
    const mbedtls_x509_crt *cert = mbedtls_ssl_get_peer_cert(ssl);
    if (!cert)
        return 0;
    const uint32_t usage = MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
    uint32_t flags = mbedtls_ssl_get_verify_result(ssl);
    if ((flags & ~usage) != 0)
        return MW_TLS_FAULT_CLIENT_CERT;
    if (flags != 0 ||
        mbedtls_x509_crt_check_key_usage(cert, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0 ||
        mbedtls_x509_crt_check_extended_key_usage(cert, MBEDTLS_OID_CLIENT_AUTH,
                                                  MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)) != 0)
        return MW_TLS_FAULT_CLIENT_CERT_USE;
    return 0;
}

/* What came behind the handshake, in the same read, is the owner's already. */
static void open_up(struct mw_tls_stream *tls)
{
    int fault = tls->is_client ? 0 : look_at_client(&tls->ssl);
    if (tls->is_client)
        mw_tls_agree(tls);
    if (!fault)
        fault = mw_tls_settle(tls);
    if (fault) {
        mw_tls_fail(tls, fault, false);
        return;
    }
    mw_tls_leave_queue(tls);
    tls->state = MW_TLS_OPEN;
    if (tls->is_full)
        tls->loop->full++;
    else
        tls->loop->resumed++;
    mw_tls_forget_handshake(&tls->ssl);
    mw_tls_fall_asleep(&tls->sleep, &tls->ssl, &tls->loop->pool);
    mw_tls_do_later(tls);
}

/*
 * A client of TLS 1.3 that finds our certificate bad may say so unencrypted, for it has no keys of
 * its own yet; to mbedTLS that is a bad MAC. No encrypted record is as short.
 */
static int look_for_alert(int code, struct mw_view records)
{
    struct mw_view last = records;
    while (records.len > 0) {
        last = records;
        size_t len = MW_TLS_HEADER_BYTES + (size_t)(unsigned char)records.data[4];
        len += (size_t)(unsigned char)records.data[3] << 8;
        records = mw_view_from(records, len);
    }
    bool is_alert = code == MBEDTLS_ERR_SSL_INVALID_MAC && last.len == ALERT_BYTES &&
                    last.data[0] == ALERT_TYPE;
    return is_alert ? MW_TLS_FAULT_ALERT + (unsigned char)last.data[ALERT_BYTES - 1] : code;
}

/*
 * PSS has to be offered for TLS 1.3, so a server of TLS 1.2 that goes by its own order may take it;
 * then mbedTLS gives up. To people that is no fault of the server's.
 */
static int look_for_signature(const struct mw_tls_stream *tls, int code)
{
    bool is_signed =
        tls->is_client && tls->ssl.MBEDTLS_PRIVATE(state) == MBEDTLS_SSL_SERVER_KEY_EXCHANGE;
    return is_signed && code == MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER ? MW_TLS_FAULT_SIGNATURE : code;
}

void mw_tls_on_turn(struct mw_tls_turn *turn)
{
    struct mw_tls_stream *tls = MW_OWNER(turn, struct mw_tls_stream, turn);
    bool has_said = false;
    if (tls->state == MW_TLS_HELLO && !begin(tls)) {
        mw_tls_break(tls);
        return;
    }
    size_t whole = mw_tls_whole(mw_buf_view(&tls->input));
    tls->loop->hello.name[0] = '\0';
    tls->loop->hand[0] = mw_view(tls->input.data, whole);
    tls->loop->hand[1] = mw_view(NULL, 0);
    int code = shake(tls, &has_said);
    size_t used = whole - tls->loop->hand[0].len;
    code = look_for_alert(code, mw_view(tls->input.data, used));
    code = look_for_signature(tls, code);
    mw_tls_drop_input(tls, used);
    if (!keep_name(tls))
        mw_tls_break(tls);
    else if (code == 0)
        open_up(tls);
    else if (code != MBEDTLS_ERR_SSL_WANT_READ)
        mw_tls_fail(tls, code, has_said);
    mw_tls_flush(tls);
    mw_tls_update_reading(tls);
}
