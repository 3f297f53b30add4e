/*
 * Keys of session tickets. They belong to no context, so that clients resume across a change of
 * certificates, and any number of contexts and threads may use them at once: mbedTLS locks, and
 * makes a new key when the one in use is `lifetime_s` old.
 */
#include <mbedtls/ssl_ticket.h>
#include <stdatomic.h>

#include "core/io/tls_mbed.h"

/* RFC 8446 4.6.1: no longer than a week. */
#define MAX_LIFETIME_S 604800U

struct mw_tls_tickets {
    atomic_uint holders;
    mbedtls_ssl_ticket_context keys;
};

struct mw_tls_tickets *mw_tls_tickets_new(unsigned lifetime_s)
{
    struct mw_tls_tickets *tickets = mw_shared_alloc(sizeof(*tickets));
    if (!tickets)
        return NULL;
    atomic_init(&tickets->holders, 1);
    mbedtls_ssl_ticket_init(&tickets->keys);
    if (lifetime_s > MAX_LIFETIME_S)
        lifetime_s = MAX_LIFETIME_S;
    if (mbedtls_ssl_ticket_setup(&tickets->keys, mw_tls_random, NULL, MBEDTLS_CIPHER_AES_256_GCM,
                                 lifetime_s) == 0)
        return tickets;
    mw_tls_tickets_release(tickets);
    return NULL;
}

struct mw_tls_tickets *mw_tls_tickets_hold(struct mw_tls_tickets *tickets)
{
    if (tickets)
        atomic_fetch_add(&tickets->holders, 1);
    return tickets;
}

void mw_tls_tickets_release(struct mw_tls_tickets *tickets)
{
    if (!tickets || atomic_fetch_sub(&tickets->holders, 1) > 1)
        return;
    mbedtls_ssl_ticket_free(&tickets->keys);
    mw_shared_free(tickets, sizeof(*tickets));
}

void mw_tls_tickets_use(struct mw_tls_tickets *tickets, mbedtls_ssl_config *config)
{
    mbedtls_ssl_conf_session_tickets_cb(config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                        &tickets->keys);
}
