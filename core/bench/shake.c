/*
 * The answer to a handshake. A 101 with the right key is looked at no further where no extension is
 * at stake; everything else is read as a client has to. Called by peer.
 */
#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/bench/parts.h"
#include "core/outbound/ws_answer.h"

/* The place behind the empty line; 0: it has not come. */
static size_t end_of_head(struct mw_view head)
{
    for (size_t i = 3; i < head.len; i++) {
        if (head.data[i] == '\n' && !memcmp(head.data + i - 3, "\r\n\r\n", 4))
            return i + 1;
    }
    return 0;
}

static bool holds(struct mw_view text, const char *part)
{
    size_t len = strlen(part);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (!memcmp(text.data + i, part, len))
            return true;
    }
    return false;
}

/* "HTTP/1.1 503 Service Unavailable", and what it says of coming back. */
static void refuse(struct peer *peer, const struct mw_http_head *head, struct mw_view text,
                   struct mw_view body)
{
    char why[128];
    struct mw_ws_answer answer;
    size_t line = mw_view_find(text, '\r', 0);
    snprintf(why, sizeof why, "the server answered %.*s", (int)(line < 90 ? line : 90), text.data);
    mw_ws_answer_read(&answer, head);
    answer.body = body;
    mw_bench_refused(peer, why, mw_ws_answer_advice(peer->bench->mem, &answer, mw_clock_unix_ms()));
}

static bool is_agreed_before(const struct mw_ext_deflate *a, const struct mw_ext_deflate *b)
{
    return a->server_no_takeover == b->server_no_takeover &&
           a->client_no_takeover == b->client_no_takeover &&
           mw_ext_bits(a->server_bits) == mw_ext_bits(b->server_bits) &&
           mw_ext_bits(a->client_bits) == mw_ext_bits(b->client_bits);
}

/* The first answer settles how all messages are compressed. */
static const char *agree(struct peer *peer, const struct mw_ext_deflate *terms)
{
    struct mw_bench *bench = peer->bench;
    struct mw_ext_deflate *agreed = &bench->result.agreed;
    if (!terms->on)
        return bench->setup.offer.on ? "the server does not take permessage-deflate" : NULL;
    if (!agreed->on &&
        mw_bench_tape_deflate(&bench->tape, &bench->deflate, mw_ext_bits(terms->client_bits),
                              !terms->client_no_takeover))
        return "no memory for compressed messages";
    if (agreed->on && !is_agreed_before(agreed, terms))
        return "the server takes permessage-deflate in another way each time";
    *agreed = *terms;
    mw_bench_check_inflate(&peer->check, &bench->deflate, mw_ext_bits(terms->server_bits),
                           !terms->server_no_takeover);
    return NULL;
}

/* NULL: it is a yes. `is_refused`: somebody has answered something else. */
static const char *judge(struct peer *peer, const struct mw_http_head *head, bool *is_refused)
{
    struct mw_ext_deflate terms = peer->bench->setup.offer;
    struct mw_ws_refusal refusal;
    *is_refused = head->status != 101;
    if (mw_ws_check_answer(head, MW_BENCH_WS_KEY, &terms, &refusal))
        return refusal.text;
    return agree(peer, &terms);
}

/* False: it has been told that it failed. */
static bool read_answer(struct peer *peer, struct mw_view text, struct mw_view body)
{
    struct mw_http_refusal fault;
    bool is_refused;
    size_t used;
    struct mw_http_reader *reader = mw_http_reader_new(peer->bench->mem, MW_HTTP_RESPONSE);
    int err = reader ? mw_http_reader_feed(reader, text, &used, &fault) : MW_ERR_NOMEM;
    const char *why = err ? "what answered does not speak HTTP"
                          : judge(peer, mw_http_reader_head(reader), &is_refused);
    if (why && !err && is_refused)
        refuse(peer, mw_http_reader_head(reader), text, body);
    else if (why)
        mw_bench_failed(peer, err == MW_ERR_NOMEM ? "no memory" : why);
    mw_http_reader_free(reader);
    return !why;
}

int mw_bench_take_answer(struct peer *peer, struct mw_view bytes, struct mw_view *rest)
{
    struct mw_bench *bench = peer->bench;
    bench->moves++;
    if (mw_buf_put_view(&peer->head, bytes)) {
        mw_bench_failed(peer, "no memory for an answer, or it is too long");
        return MW_ERR_FULL;
    }
    struct mw_view head = mw_buf_view(&peer->head);
    size_t len = end_of_head(head);
    if (len == 0)
        return 0;
    *rest = mw_view_from(head, len);
    head.len = len;
    bool is_plain_yes = !bench->setup.offer.on && mw_view_starts_with(head, "HTTP/1.1 101 ") &&
                        holds(head, bench->accept);
    return is_plain_yes || read_answer(peer, head, *rest) ? 1 : MW_ERR_PROTOCOL;
}
