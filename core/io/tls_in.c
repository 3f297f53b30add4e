/*
 * Ciphertext to plaintext. mbedTLS is handed whole records only: of one that has come in part, the
 * bytes that did are kept here, as many as they are, and no connection holds a record buffer for
 * what may never come. One read from below becomes at most one read above.
 */
#include "core/base/check.h"
#include "core/base/str.h"
#include "core/io/tls_stream.h"

static unsigned char byte_at(struct mw_view bytes, size_t i)
{
    return (unsigned char)bytes.data[i];
}

/*
 * Bytes of the record that begins here, as far as its header tells: those of the header at least.
 * A longer one than there may be ends at once: mbedTLS shall see it and complain.
 */
static size_t record_len(struct mw_view bytes)
{
    if (bytes.len < MW_TLS_HEADER_BYTES)
        return MW_TLS_HEADER_BYTES;
    size_t len = (size_t)byte_at(bytes, 3) << 8 | byte_at(bytes, 4);
    return MW_TLS_HEADER_BYTES + (len > MW_TLS_RECORD_BYTES + MW_TLS_MORE_BYTES ? 0 : len);
}

size_t mw_tls_whole(struct mw_view bytes)
{
    size_t whole = 0;
    while (whole + MW_TLS_HEADER_BYTES <= bytes.len) {
        size_t len = record_len(mw_view_from(bytes, whole));
        if (len > bytes.len - whole)
            break;
        whole += len;
    }
    return whole;
}

bool mw_tls_has_whole_input(const struct mw_tls_stream *tls)
{
    return tls->input.len > 0 && mw_tls_whole(mw_buf_view(&tls->input)) > 0;
}

bool mw_tls_keep_input(struct mw_tls_stream *tls, struct mw_view bytes)
{
    if (bytes.len == 0 || mw_buf_put_view(&tls->input, bytes) == MW_OK)
        return true;
    mw_tls_break(tls);
    return false;
}

/* mbedTLS's reading: from the records in hand. */
int mw_tls_receive(void *ctx, unsigned char *out, size_t max_bytes)
{
    struct mw_view *hand = ((struct mw_tls_stream *)ctx)->loop->hand;
    if (hand->len == 0)
        hand++;
    size_t len = hand->len < max_bytes ? hand->len : max_bytes;
    if (len == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    memcpy(out, hand->data, len);
    *hand = mw_view_from(*hand, len);
    return (int)len;
}

static size_t in_hand(const struct mw_tls_stream *tls)
{
    return tls->loop->hand[0].len + tls->loop->hand[1].len;
}

static bool carried_nothing(int count)
{
    return count == 0 || count == MBEDTLS_ERR_SSL_WANT_READ ||
           count == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
}

/*
 * Decrypts all that is in hand into the loop's buffer, where it fits, and gives the length. *code
 * tells why it ended: MBEDTLS_ERR_SSL_WANT_READ when nothing is left. mbedTLS also says so, or says
 * 0, after a record that carried nothing. No client has a message of the handshake to send any
 * more, so neither has it a part of one, which would keep the buffers from sleeping. Servers do:
 * tickets, which are dropped, and may come in parts.
 */
static size_t decrypt(struct mw_tls_stream *tls, int *code)
{
    unsigned char *plain = (unsigned char *)tls->loop->plain;
    size_t len = 0, before;
    int count;
    tls->loop->is_decrypting = true;
    do {
        before = in_hand(tls);
        count = mbedtls_ssl_read(&tls->ssl, plain + len, MW_TLS_PLAIN_BYTES - len);
        if (count > 0)
            len += (size_t)count;
    } while (count > 0 || (carried_nothing(count) && in_hand(tls) < before));
    tls->loop->is_decrypting = false;
    *code = carried_nothing(count) ? MBEDTLS_ERR_SSL_WANT_READ : count;
    if (*code == MBEDTLS_ERR_SSL_WANT_READ && !tls->is_client && mw_tls_is_amid(&tls->ssl))
        *code = MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE;
    return len;
}

int mw_tls_settle(struct mw_tls_stream *tls)
{
    int code;
    tls->loop->hand[0] = tls->loop->hand[1] = mw_view(NULL, 0);
    (void)decrypt(tls, &code);
    return code == MBEDTLS_ERR_SSL_WANT_READ ? 0 : code;
}

/* Fills up the record that was begun with the first of the bytes. False: no memory. */
static bool complete_record(struct mw_tls_stream *tls, struct mw_view *bytes)
{
    for (;;) {
        struct mw_view kept = mw_buf_view(&tls->input);
        size_t whole = mw_tls_whole(kept);
        struct mw_view part = mw_view_from(kept, whole);
        if (part.len == 0 || bytes->len == 0)
            return true;
        size_t lacks = record_len(part) - part.len;
        struct mw_view more = mw_view(bytes->data, lacks < bytes->len ? lacks : bytes->len);
        if (!mw_tls_keep_input(tls, more))
            return false;
        *bytes = mw_view_from(*bytes, more.len);
    }
}

void mw_tls_drop_input(struct mw_tls_stream *tls, size_t len)
{
    if (len == tls->input.len)
        mw_buf_free(&tls->input);
    else
        mw_buf_skip(&tls->input, len);
}

static void tell_read(struct mw_tls_stream *tls, size_t len)
{
    if (len > 0 && !tls->is_closing)
        tls->stream.events->read(tls->stream.owner, tls->loop->plain, len);
}

/* Whatever is in hand behind a goodbye is dropped. */
static void look_at(struct mw_tls_stream *tls, int code)
{
    if (code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        mw_tls_end(tls, MW_STREAM_FIN);
        code = mw_tls_settle(tls);
    }
    if (code != 0 && code != MBEDTLS_ERR_SSL_WANT_READ)
        mw_tls_fail(tls, code, false);
}

void mw_tls_take_in(struct mw_tls_stream *tls, struct mw_view bytes)
{
    struct mw_view *hand = tls->loop->hand;
    int code;
    if (!complete_record(tls, &bytes))
        return;
    size_t kept = mw_tls_whole(mw_buf_view(&tls->input)), come = mw_tls_whole(bytes);
    if (kept + come > 0) {
        if (mw_tls_wake(&tls->sleep, &tls->ssl, &tls->loop->pool)) {
            mw_tls_break(tls);
            return;
        }
        hand[0] = mw_view(tls->input.data, kept);
        hand[1] = mw_view(bytes.data, come);
    }
    size_t len = kept + come > 0 ? decrypt(tls, &code) : 0;
    if (kept + come > 0) {
        mw_tls_drop_input(tls, kept);
        look_at(tls, code);
    }
    if (tls->state == MW_TLS_OPEN && mw_tls_keep_input(tls, mw_view_from(bytes, come))) {
        mw_tls_fall_asleep(&tls->sleep, &tls->ssl, &tls->loop->pool);
        mw_tls_flush(tls);
    }
    tell_read(tls, len);
}
