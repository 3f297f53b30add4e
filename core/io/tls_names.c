/*
 * Which host a certificate is for. Names are compared by us, before the handshake is decided, so
 * that one port serves many hosts; mbedTLS compares only what a client is shown.
 */
#include <mbedtls/oid.h>
#include <stdio.h>

#include "core/base/str.h"
#include "core/io/tls_mbed.h"

static struct mw_view view_of(const mbedtls_x509_buf *buf)
{
    return mw_view((const char *)buf->p, buf->len);
}

static int kind_of(const mbedtls_x509_sequence *san)
{
    return san->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
}

static bool is_host(const mbedtls_x509_sequence *san)
{
    return san->buf.p && kind_of(san) == MBEDTLS_X509_SAN_DNS_NAME;
}

static struct mw_view common_name(const mbedtls_x509_crt *leaf)
{
    for (const mbedtls_x509_name *part = &leaf->subject; part; part = part->next) {
        if (part->oid.len == MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_CN) &&
            memcmp(part->oid.p, MBEDTLS_OID_AT_CN, part->oid.len) == 0)
            return view_of(&part->val);
    }
    return mw_view("", 0);
}

/* RFC 6125 6.4.3: the whole left-most label and no other; "*.b.c" is for "a.b.c" alone. */
static bool does_fit(struct mw_view pattern, struct mw_view host)
{
    if (!mw_view_starts_with(pattern, "*."))
        return mw_view_equal_nocase(pattern, host);
    size_t label = mw_view_find(host, '.', 0);
    return label > 0 && mw_view_find(pattern, '.', 2) < pattern.len &&
           mw_view_equal_nocase(mw_view_from(pattern, 1), mw_view_from(host, label));
}

bool mw_tls_names_fit(const mbedtls_x509_crt *leaf, struct mw_view name)
{
    bool has_hosts = false;
    if (name.len > 0 && name.data[name.len - 1] == '.')
        name.len--;
    if (name.len == 0)
        return false;
    for (const mbedtls_x509_sequence *san = &leaf->subject_alt_names; san; san = san->next) {
        if (!is_host(san))
            continue;
        has_hosts = true;
        if (does_fit(view_of(&san->buf), name))
            return true;
    }
    return !has_hosts && does_fit(common_name(leaf), name);
}

bool mw_tls_names_share(const mbedtls_x509_crt *a, const mbedtls_x509_crt *b)
{
    for (const mbedtls_x509_sequence *san = &a->subject_alt_names; san; san = san->next) {
        if (is_host(san) && mw_tls_names_fit(b, view_of(&san->buf)))
            return true;
    }
    return mw_tls_names_fit(b, common_name(a));
}

bool mw_tls_names_have_ip(const mbedtls_x509_crt *leaf, const struct mw_ip *ip)
{
    for (const mbedtls_x509_sequence *san = &leaf->subject_alt_names; san; san = san->next) {
        if (!san->buf.p || kind_of(san) != MBEDTLS_X509_SAN_IP_ADDRESS)
            continue;
        struct mw_ip own = mw_ip_of(san->buf.p, san->buf.len);
        if (mw_ip_equal(&own, ip))
            return true;
    }
    return false;
}

static void append(char *out, size_t max_bytes, struct mw_view text)
{
    size_t len = strlen(out);
    (void)snprintf(out + len, max_bytes - len, "%s%.*s", len > 0 ? ", " : "", (int)text.len,
                   text.data);
}

static void append_address(char *out, size_t max_bytes, const mbedtls_x509_buf *address)
{
    char text[MW_IP_TEXT_LEN];
    struct mw_ip ip = mw_ip_of(address->p, address->len);
    mw_ip_text(&ip, text);
    if (text[0])
        append(out, max_bytes, mw_view_text(text));
}

/* What a certificate says is somebody else's text: only what a log bears. */
static void keep_printable(char *text)
{
    for (; *text; text++) {
        if (*text < 0x20 || *text > 0x7e)
            *text = '?';
    }
}

void mw_tls_names_list(const mbedtls_x509_crt *leaf, char *out, size_t max_bytes)
{
    out[0] = '\0';
    for (const mbedtls_x509_sequence *san = &leaf->subject_alt_names; san; san = san->next) {
        if (is_host(san))
            append(out, max_bytes, view_of(&san->buf));
        else if (san->buf.p && kind_of(san) == MBEDTLS_X509_SAN_IP_ADDRESS)
            append_address(out, max_bytes, &san->buf);
    }
    if (!out[0])
        append(out, max_bytes, common_name(leaf));
    keep_printable(out);
}
