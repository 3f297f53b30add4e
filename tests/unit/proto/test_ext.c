/* ext: offers and the answers to them as tables, and what a client makes of answers. */
#include "core/proto/ext.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

struct headers {
    struct mw_header list[4];
    struct mw_http_head head;
};

/* Header values, one a line. */
static const struct mw_http_head *given(struct headers *headers, const char *lines)
{
    size_t count = 0;
    while (*lines) {
        size_t len = strcspn(lines, "\n");
        headers->list[count++] =
            (struct mw_header){ mw_view_text("sec-websocket-extensions"), mw_view(lines, len) };
        lines += len + (lines[len] == '\n');
    }
    headers->head = (struct mw_http_head){ .headers = headers->list, .header_count = count };
    return &headers->head;
}

#define PMD "permessage-deflate"

/* ---- the server's side ---- */

static const struct {
    const char *offer;
    const char *answer; /* "": declined */
    const char *alone;  /* the answer of a server without takeover */
} offers[] = {
    { "", "", "" },
    { PMD, PMD "; client_no_context_takeover",
      PMD "; server_no_context_takeover; client_no_context_takeover" },
    { PMD "; client_max_window_bits", PMD "; client_max_window_bits=12",
      PMD "; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=12" },
    { PMD "; client_max_window_bits=15", PMD "; client_max_window_bits=12", NULL },
    { PMD "; client_max_window_bits=10", PMD "; client_max_window_bits=10", NULL },
    { PMD "; client_max_window_bits=8", PMD "; client_max_window_bits=8", NULL },
    { PMD "; client_max_window_bits=\"10\"", PMD "; client_max_window_bits=10", NULL },
    { PMD "; client_max_window_bits=\"\\1\\0\"", PMD "; client_max_window_bits=10", NULL },
    { PMD "; server_max_window_bits=15; client_max_window_bits",
      PMD "; server_max_window_bits=12; client_max_window_bits=12", NULL },
    { PMD "; server_max_window_bits=9; client_max_window_bits",
      PMD "; server_max_window_bits=9; client_max_window_bits=12", NULL },
    { PMD ";server_no_context_takeover;client_max_window_bits",
      PMD "; server_no_context_takeover; client_max_window_bits=12", NULL },
    { PMD " ; client_no_context_takeover ; client_max_window_bits",
      PMD "; client_no_context_takeover; client_max_window_bits=12", NULL },

    /* what cannot be kept is declined, and the next one is looked at */
    { PMD "; server_max_window_bits=8", "", "" },
    { PMD "; server_max_window_bits=8, " PMD "; client_max_window_bits",
      PMD "; client_max_window_bits=12", NULL },
    { "x-webkit-deflate-frame", "", "" },
    { "x-other; a=1; b=\"c\", " PMD, PMD "; client_no_context_takeover", NULL },
    { "x-other\n" PMD, PMD "; client_no_context_takeover", NULL },
    { PMD "; unknown", "", "" },
    { PMD "; unknown, " PMD "; client_max_window_bits", PMD "; client_max_window_bits=12", NULL },
    { PMD "; client_max_window_bits; client_max_window_bits", "", "" },
    { PMD "; server_no_context_takeover; server_no_context_takeover", "", "" },
    { PMD "; server_no_context_takeover=1", "", "" },
    { PMD "; client_no_context_takeover=\"\\x\"", "", "" },
    { PMD "; server_max_window_bits", "", "" },
    { PMD "; server_max_window_bits=7", "", "" },
    { PMD "; server_max_window_bits=16", "", "" },
    { PMD "; server_max_window_bits=010", "", "" },
    { PMD "; server_max_window_bits=100000000000000000000", "", "" },
    { PMD "; client_max_window_bits=x", "", "" },
    { PMD "; client_max_window_bits=-9", "", "" },
    { PMD "; Client_Max_Window_Bits", "", "" },
    { "Permessage-Deflate", "", "" },

    /* lists with holes */
    { ", ,," PMD " , ,", PMD "; client_no_context_takeover", NULL },
};

TEST(each_offer_has_its_answer)
{
    for (size_t i = 0; i < MW_COUNT(offers); i++) {
        struct headers headers;
        struct mw_ext_deflate terms;
        char text[MW_EXT_TEXT_MAX];
        const struct mw_http_head *head = given(&headers, offers[i].offer);
        if (!mw_ext_is_wellformed(head))
            fail_msg("not well-formed: %s", offers[i].offer);
        mw_ext_pick(head, true, &terms);
        mw_ext_write(text, &terms);
        assert_string_equal(text, offers[i].answer);
        assert_int_equal(terms.on, *offers[i].answer != 0);
        if (!offers[i].alone)
            continue;
        mw_ext_pick(head, false, &terms);
        mw_ext_write(text, &terms);
        assert_string_equal(text, offers[i].alone);
    }
}

static const char *const malformed[] = {
    ";",        "a;",      "a;;b",    "a b",         "a;b c",     "a=1",        "a;b=",
    "a;b=\"\"", "a;=1",    "a;b=\"c", "a;b=\"c d\"", "a;b=\"c\\", "a;b=\"c\"d", "\"a\"",
    "a,b;",     "a;b=c=d", "a/b",     PMD ";\nx",    PMD "\nx;",  "a\x80",      "a;b=\"\xE4\"",
};

TEST(what_is_against_the_grammar_is_told)
{
    for (size_t i = 0; i < MW_COUNT(malformed); i++) {
        struct headers headers;
        if (mw_ext_is_wellformed(given(&headers, malformed[i])))
            fail_msg("taken as well-formed: %s", malformed[i]);
    }
}

TEST(every_beginning_of_an_offer_is_read_within_its_bytes)
{
    static const char text[] = PMD "; client_max_window_bits=\"1\\5\" ,x;y=\"z\"";
    for (size_t len = 0; len < sizeof text; len++) {
        char *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, text, len);
        struct mw_header header = { mw_view_text("sec-websocket-extensions"), mw_view(exact, len) };
        struct mw_http_head head = { .headers = &header, .header_count = 1 };
        struct mw_ext_deflate terms;
        (void)mw_ext_is_wellformed(&head);
        mw_ext_pick(&head, true, &terms);
        free(exact);
    }
}

/* ---- the client's side ---- */

#define BARE \
    { \
        .on = true, .client_bits = 15 \
    }
#define SILENT \
    { \
        .on = true \
    }
#define NARROW \
    { \
        .on = true, .client_bits = 10, .server_bits = 11 \
    }
#define ALONE \
    { \
        .on = true, .client_bits = 15, .server_no_takeover = true \
    }

static const struct {
    struct mw_ext_deflate offer;
    const char *offered, *answer;
    int err;
    struct mw_ext_deflate terms;
} answers[] = {
    { { 0 }, "", "", MW_OK, { 0 } },
    { { 0 }, "", PMD, MW_ERR_PROTOCOL, { 0 } },
    { BARE, PMD "; client_max_window_bits", "", MW_OK, { 0 } },
    { BARE, PMD "; client_max_window_bits", PMD, MW_OK, { .on = true, .client_bits = 15 } },
    { BARE, NULL, PMD "; client_max_window_bits=9", MW_OK, { .on = true, .client_bits = 9 } },
    { BARE, NULL, PMD "; client_max_window_bits", MW_ERR_PROTOCOL, { 0 } },
    { BARE, NULL, PMD "; client_max_window_bits=16", MW_ERR_PROTOCOL, { 0 } },
    { BARE,
      NULL,
      PMD "; server_max_window_bits=9",
      MW_OK,
      { .on = true, .client_bits = 15, .server_bits = 9 } },
    { BARE,
      NULL,
      PMD "; server_no_context_takeover; client_no_context_takeover",
      MW_OK,
      { .on = true, .client_bits = 15, .server_no_takeover = true, .client_no_takeover = true } },
    { BARE, NULL, PMD "; unknown", MW_ERR_PROTOCOL, { 0 } },
    { BARE,
      NULL,
      PMD "; server_no_context_takeover; server_no_context_takeover",
      MW_ERR_PROTOCOL,
      { 0 } },
    { BARE, NULL, PMD ", " PMD, MW_ERR_PROTOCOL, { 0 } },
    { BARE, NULL, PMD "\n" PMD, MW_ERR_PROTOCOL, { 0 } },
    { BARE, NULL, "x-other", MW_ERR_PROTOCOL, { 0 } },
    { BARE, NULL, PMD ", x-other", MW_ERR_PROTOCOL, { 0 } },
    { BARE, NULL, PMD ";", MW_ERR_PROTOCOL, { 0 } },
    { SILENT, PMD, PMD "; client_max_window_bits=12", MW_ERR_PROTOCOL, { 0 } },
    { SILENT, PMD, PMD, MW_OK, { .on = true } },
    { NARROW,
      PMD "; server_max_window_bits=11; client_max_window_bits=10",
      PMD "; server_max_window_bits=11",
      MW_OK,
      { .on = true, .server_bits = 11, .client_bits = 10 } },
    { NARROW,
      NULL,
      PMD "; server_max_window_bits=9; client_max_window_bits=12",
      MW_OK,
      { .on = true, .server_bits = 9, .client_bits = 10 } },
    { NARROW, NULL, PMD "; server_max_window_bits=12", MW_ERR_PROTOCOL, { 0 } },
    { NARROW, NULL, PMD, MW_ERR_PROTOCOL, { 0 } },
    { ALONE,
      PMD "; server_no_context_takeover; client_max_window_bits",
      PMD,
      MW_ERR_PROTOCOL,
      { 0 } },
    { ALONE,
      NULL,
      PMD "; server_no_context_takeover",
      MW_OK,
      { .on = true, .client_bits = 15, .server_no_takeover = true } },
};

TEST(a_client_checks_each_answer_against_its_offer)
{
    for (size_t i = 0; i < MW_COUNT(answers); i++) {
        struct headers headers;
        struct mw_ext_deflate terms;
        char text[MW_EXT_TEXT_MAX];
        mw_ext_write(text, &answers[i].offer);
        if (answers[i].offered)
            assert_string_equal(text, answers[i].offered);
        int err = mw_ext_check(given(&headers, answers[i].answer), &answers[i].offer, &terms);
        if (err != answers[i].err)
            fail_msg("\"%s\" to \"%s\": %d", answers[i].answer, text, err);
        assert_int_equal(terms.on, answers[i].terms.on);
        assert_int_equal(terms.server_bits, answers[i].terms.server_bits);
        assert_int_equal(terms.client_bits, answers[i].terms.client_bits);
        assert_int_equal(terms.server_no_takeover, answers[i].terms.server_no_takeover);
        assert_int_equal(terms.client_no_takeover, answers[i].terms.client_no_takeover);
    }
}

/* Whatever a client of ours offers, a server of ours gives an answer that it takes. */
TEST(both_roles_agree_on_every_offer)
{
    for (unsigned bits = 0; bits <= 15; bits++) {
        for (unsigned n = 0; n < 64; n++) {
            uint8_t other = n >> 2 ? (uint8_t)(n >> 2) : 0;
            if ((bits && bits < 8) || (other && other < 9))
                continue;
            struct mw_ext_deflate offer = { true, n & 1, n & 2, other, (uint8_t)bits };
            struct mw_ext_deflate ours, theirs;
            struct headers headers;
            char text[MW_EXT_TEXT_MAX];
            mw_ext_write(text, &offer);
            mw_ext_pick(given(&headers, text), true, &ours);
            assert_true(ours.on);
            mw_ext_write(text, &ours);
            assert_int_equal(mw_ext_check(given(&headers, text), &offer, &theirs), MW_OK);
            assert_int_equal(ours.server_bits, theirs.server_bits);
            assert_int_equal(ours.server_no_takeover, theirs.server_no_takeover);
            assert_int_equal(ours.client_no_takeover, theirs.client_no_takeover);
            assert_true(mw_ext_bits(theirs.client_bits) <= mw_ext_bits(ours.client_bits));
        }
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_offer_has_its_answer),
        CASE(what_is_against_the_grammar_is_told),
        CASE(every_beginning_of_an_offer_is_read_within_its_bytes),
        CASE(a_client_checks_each_answer_against_its_offer),
        CASE(both_roles_agree_on_every_offer),
    };
    return RUN(cases);
}
