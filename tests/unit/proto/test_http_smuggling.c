/*
 * http: heads that two readers might read differently, which is how a request is smuggled past a
 * proxy (RFC 9112 11.2). Each is refused, by the same name at every cut; and what is refused says
 * so however faults are put together.
 */
#include "core/base/rng.h"
#include "core/base/str.h"
#include "tests/unit/proto/http_cuts.h"

#define LINE "POST / HTTP/1.1\r\n"
#define HEAD LINE "Host: a\r\n"
#define CL   "Content-Length: "
#define TE   "Transfer-Encoding: "
#define END  "\r\n\r\n"

static const struct {
    struct mw_view input;
    const char *said; /* its beginning */
} cases[] = {
    /* lengths */
    { MW_VIEW(HEAD CL "5" END), "POST / 1.1 alive body" },
    { MW_VIEW(HEAD CL "0" END), "POST / 1.1 alive |" },
    { MW_VIEW(HEAD CL "007" END), "POST / 1.1 alive body" },
    { MW_VIEW(HEAD CL "\t 5  " END), "POST / 1.1 alive body" },
    { MW_VIEW(HEAD CL "5\t" END), "400 bad_length" }, /* stricter than the RFC */
    { MW_VIEW(HEAD CL "18446744073709551615" END), "POST / 1.1 alive body" },
    { MW_VIEW(HEAD CL "18446744073709551616" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "99999999999999999999999" END), "400 bad_length" },
    { MW_VIEW(HEAD CL END), "400 bad_length" },
    { MW_VIEW(HEAD CL " " END), "400 bad_length" },
    { MW_VIEW(HEAD "Content-Length:" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "+5" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "-5" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "-0" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "0x5" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "5.0" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "5 5" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "5, 5" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "5,6" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "5," END), "400 bad_length" },
    { MW_VIEW(HEAD CL "five" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "5\0" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "5\r\n" CL "5" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "5\r\n" CL "6" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "0\r\n" CL "0" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "5\r\ncontent-LENGTH: 5" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "\r\n" CL "5" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "5\r\n 6" END), "400 bad_" },
    { MW_VIEW(HEAD "Content-Length : 5" END), "400 bad_header" },
    { MW_VIEW(HEAD "Content-Length\t: 5" END), "400 bad_header" },
    { MW_VIEW(HEAD " Content-Length: 5" END), "400 bad_" },
    { MW_VIEW(HEAD "Content_Length: 5" END), "POST / 1.1 alive |" },
    /* codings */
    { MW_VIEW(HEAD TE "chunked" END), "POST / 1.1 alive body" },
    { MW_VIEW(HEAD TE "ChunKED" END), "POST / 1.1 alive body" },
    { MW_VIEW(HEAD TE "\t, chunked" END), "POST / 1.1 alive body" },
    { MW_VIEW(HEAD TE "gzip, chunked" END), "501 unknown_coding" },
    { MW_VIEW(HEAD TE "gzip\r\n" TE "chunked" END), "501 unknown_coding" },
    { MW_VIEW(HEAD TE "identity, chunked" END), "501 unknown_coding" },
    { MW_VIEW(HEAD TE "gzip" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "identity" END), "400 bad_length" },
    { MW_VIEW(HEAD TE END), "400 bad_length" },
    { MW_VIEW(HEAD TE "," END), "400 bad_length" },
    { MW_VIEW(HEAD TE "chunked, gzip" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "chunked, identity" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "chunked\r\n" TE "identity" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "chunked, chunked" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "chunked\r\n" TE "chunked" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "xchunked" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "chunkedx" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "\"chunked\"" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "chunked;q=1" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "chunked chunked" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "\vchunked" END), "400 bad_header" },
    { MW_VIEW(HEAD TE "chunked\v" END), "400 bad_header" },
    { MW_VIEW(HEAD TE "chunk\0ed" END), "400 bad_header" },
    { MW_VIEW(HEAD TE "\xA0"
                      "chunked" END),
      "400 bad_length" },
    { MW_VIEW(HEAD TE "\r\n chunked" END), "400 bad_header" },
    { MW_VIEW(HEAD TE "chunked\r\n\tgzip" END), "400 bad_" },
    { MW_VIEW(HEAD "Transfer-Encoding : chunked" END), "400 bad_header" },
    { MW_VIEW(HEAD "Transfer-Encoding\xA0: chunked" END), "400 bad_header" },
    { MW_VIEW(HEAD "Transfer\0-Encoding: chunked" END), "400 bad_header" },
    { MW_VIEW(HEAD "X: y\nTransfer-Encoding: chunked" END), "400 bad_line_end" },
    { MW_VIEW(HEAD "X: y\rTransfer-Encoding: chunked" END), "400 bad_line_end" },
    { MW_VIEW("POST / HTTP/1.0\r\nHost: a\r\n" TE "chunked" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "5\r\n" TE "chunked" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "chunked\r\n" CL "5" END), "400 bad_length" },
    { MW_VIEW(HEAD CL "0\r\n" TE "chunked" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "identity\r\n" CL "5" END), "400 bad_length" },
    { MW_VIEW(HEAD TE "\r\n" CL "5" END), "400 bad_length" },
    { MW_VIEW(HEAD "TE: chunked" END), "POST / 1.1 alive |" },
    /* ends of lines, folds, names, values */
    { MW_VIEW(LINE "Host: a\n\n"), "400 bad_line_end" },
    { MW_VIEW(LINE "Host: a\r\n\n"), "400 bad_" },
    { MW_VIEW(LINE "Host: a\n\r\n"), "400 bad_line_end" },
    { MW_VIEW(LINE "Host: a\r\r\n\r\n"), "400 bad_line_end" },
    { MW_VIEW(LINE "Host: a\r\n\r\r\n"), "400 bad_" },
    { MW_VIEW(LINE "Host: a\r\n\rX: b" END), "400 bad_" },
    { MW_VIEW(LINE "\r\nHost: a" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: a\r\n \r\nX: b" END), "400 bad_" },
    { MW_VIEW(LINE "Host: a\r\n b" END), "400 bad_" },
    { MW_VIEW(LINE " Host: a" END), "400 bad_header" },
    { MW_VIEW(LINE "\tHost: a" END), "400 bad_header" },
    { MW_VIEW(LINE " \r\nHost: a" END), "400 bad_header" },
    { MW_VIEW(LINE "Ho st: a" END), "400 bad_header" },
    { MW_VIEW(LINE "Host\r\n: a" END), "400 bad_header" },
    { MW_VIEW(LINE "Host: a\r\nX\r\nY: b" END), "400 bad_header" },
    { MW_VIEW(HEAD ": b" END), "400 bad_header" },
    { MW_VIEW(HEAD "X(: b" END), "400 bad_header" },
    { MW_VIEW(HEAD "X/Y: b" END), "400 bad_header" },
    { MW_VIEW(HEAD "X\": b" END), "400 bad_header" },
    { MW_VIEW(HEAD "\xC3\xA4: b" END), "400 bad_header" },
    { MW_VIEW(HEAD "X\x7F: b" END), "400 bad_header" },
    { MW_VIEW(HEAD "!#$%&'*+-.^_`|~9: b" END), "POST / 1.1 alive |" },
    { MW_VIEW(HEAD "X: \x80\xFF" END), "POST / 1.1 alive |" },
    { MW_VIEW(HEAD "X: a\tb" END), "POST / 1.1 alive |" },
    { MW_VIEW(HEAD "X: a\0b" END), "400 bad_header" },
    { MW_VIEW(HEAD "X: a\x1B" END), "400 bad_header" },
    { MW_VIEW(HEAD "X: a\x7F" END), "400 bad_header" },
    { MW_VIEW(HEAD "X: a\f" END), "400 bad_header" },
    /* hosts */
    { MW_VIEW(LINE "\r\n"), "400 bad_host" },
    { MW_VIEW(LINE "Host: a\r\nHost: a" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: a\r\nHOST: b" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: a\r\nHost:" END), "400 bad_host" },
    { MW_VIEW("POST / HTTP/1.0\r\nHost: a\r\nHost: b" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: a b" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: a/b" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: u@a" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: a, b" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: a?b" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: a:80:80" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: a:b" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: a:65536" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: ::1" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: [::1" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: [::1]a" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: [127.0.0.1]" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: a%zz" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: \xC3\xA4" END), "400 bad_host" },
    { MW_VIEW(LINE "Host: a_b.c-d:" END), "POST / 1.1 alive |" },
    { MW_VIEW(LINE "Host: [2001:db8::1]:8080" END), "POST / 1.1 alive |" },
    /* the authority of an absolute form takes the place of Host */
    { MW_VIEW("GET http://b:1/ HTTP/1.1\r\nHost: b:1" END),
      "GET http://b:1/ 1.1 alive | host=b:1" },
    { MW_VIEW("GET http://b/ HTTP/1.1\r\nHost: a" END), "GET http://b/ 1.1 alive | host=b" },
    { MW_VIEW("GET ws://b HTTP/1.1\r\nX: y\r\nHost:" END), "GET ws://b 1.1 alive | x=y | host=b" },
    { MW_VIEW("GET http://b/ HTTP/1.1" END), "400 bad_host" },
    { MW_VIEW("GET http://b/ HTTP/1.1\r\nHost: a b" END), "400 bad_host" },
    { MW_VIEW("GET http://b/ HTTP/1.0" END), "GET http://b/ 1.0" },
    { MW_VIEW("GET /http://b/ HTTP/1.1\r\nHost: a" END), "GET /http://b/ 1.1 alive | host=a" },
};

/* What was used counts where there is a rest that belongs to somebody else. */
static size_t used_of(const struct answer *answer)
{
    bool is_refusal = answer->text[0] == '4' || answer->text[0] == '5';
    return is_refusal ? SIZE_MAX : answer->used;
}

static bool begins_as_expected(const char *said, const char *expected)
{
    return mw_view_starts_with(mw_view_text(said), expected);
}

TEST(what_two_readers_might_read_differently_is_refused_at_every_cut)
{
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct mw_view input = cases[i].input;
        struct answer whole = run(MW_HTTP_REQUEST, input, 0, input.len);
        if (!begins_as_expected(whole.text, cases[i].said))
            fail_msg("%s\n  said     %s\n  expected %s", input.data, whole.text, cases[i].said);
        check_every_cut(input.data, MW_HTTP_REQUEST, input, whole.text, used_of(&whole));
    }
}

/* ---- several faults in one head ---- */

static const struct mw_view pieces[] = {
    MW_VIEW("Host: a\r\n"), MW_VIEW("Host: a\r\n"),    MW_VIEW("X: y\r\n"),
    MW_VIEW("X: \r\n"),     MW_VIEW(CL "5\r\n"),       MW_VIEW(CL "x\r\n"),
    MW_VIEW(TE "chunked"),  MW_VIEW(TE "gzip\r\n"),    MW_VIEW("X: a\0\r\n"),
    MW_VIEW("X y\r\n"),     MW_VIEW(" X: y\r\n"),      MW_VIEW("X : y\r\n"),
    MW_VIEW("X: y\n"),      MW_VIEW("X: y\r"),         MW_VIEW("\r\n"),
    MW_VIEW("\r\n"),        MW_VIEW("Upgrade: x\r\n"), MW_VIEW("Connection: upgrade, close\r\n"),
};

static const struct mw_view lines[] = {
    MW_VIEW("GET / HTTP/1.1\r\n"),     MW_VIEW("GET / HTTP/1.1\r\n"),
    MW_VIEW("POST /a HTTP/1.0\r\n"),   MW_VIEW("GET  / HTTP/1.1\r\n"),
    MW_VIEW("GET / HTTP/1.2\r\n"),     MW_VIEW("GET /\r\n"),
    MW_VIEW("BREW /\0 HTTP/3\r\n"),    MW_VIEW("GET #\xFF HTTP/1.1"),
    MW_VIEW("\r\nGET / HTTP/1.1\r\n"),
};

static size_t append(char *out, size_t len, struct mw_view piece)
{
    memcpy(out + len, piece.data, piece.len);
    return len + piece.len;
}

TEST(the_first_of_several_faults_is_named_whatever_the_cut)
{
    struct mw_rng rng;
    mw_rng_seed(&rng, 20260101);
    for (int round = 0; round < 1500; round++) {
        char input[400];
        size_t len = append(input, 0, lines[mw_rng_below(&rng, MW_COUNT(lines))]);
        for (uint64_t left = mw_rng_below(&rng, 9); left > 0; left--)
            len = append(input, len, pieces[mw_rng_below(&rng, MW_COUNT(pieces))]);
        len = append(input, len, (struct mw_view)MW_VIEW("\r\n"));
        struct mw_view view = mw_view(input, len);
        struct answer whole = run(MW_HTTP_REQUEST, view, 0, len);
        for (size_t step = 1; step < 9; step++)
            expect(input, run(MW_HTTP_REQUEST, view, 0, step), whole.text, used_of(&whole));
        size_t first = (size_t)mw_rng_below(&rng, len);
        expect(input, run(MW_HTTP_REQUEST, view, first, len), whole.text, used_of(&whole));
    }
}

/* ---- a limit and a fault together: the one that comes first ---- */

static void check_both_faults(const char *name, const char *input, size_t len, const char *said)
{
    static const size_t steps[] = { 1, 2, 7, 100, 1000, 4096, 20000 };
    for (size_t i = 0; i < MW_COUNT(steps); i++)
        expect(name, run(MW_HTTP_REQUEST, mw_view(input, len), 0, steps[i]), said, SIZE_MAX);
}

TEST(a_fault_before_a_limit_is_the_fault_and_behind_it_the_limit)
{
    char input[MW_HTTP_MAX_HEAD + 200] = "GET /";
    memset(input + 5, 'x', sizeof input - 5);
    input[4 + MW_HTTP_MAX_TARGET - 1] = '\t';
    check_both_faults("fault in a long target", input, sizeof input, "400 bad_target");
    input[4 + MW_HTTP_MAX_TARGET - 1] = 'x';
    input[4 + MW_HTTP_MAX_TARGET] = '\t';
    check_both_faults("fault at the limit", input, sizeof input, "400 bad_target");
    input[4 + MW_HTTP_MAX_TARGET] = 'x';
    input[4 + MW_HTTP_MAX_TARGET + 1] = '\t';
    check_both_faults("fault behind the limit", input, sizeof input, "414 target_too_long");

    size_t start = (size_t)snprintf(input, sizeof input, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    memset(input + start, 'x', sizeof input - start);
    input[MW_HTTP_MAX_HEAD - 1] = '\n';
    check_both_faults("fault in a large head", input, sizeof input, "400 bad_line_end");
    input[MW_HTTP_MAX_HEAD - 1] = 'x';
    input[MW_HTTP_MAX_HEAD] = '\n';
    check_both_faults("fault behind a large head", input, sizeof input, "431 head_too_large");
}

TEST(a_fault_in_the_name_of_a_header_too_many_is_the_fault)
{
    char input[1000];
    size_t len = (size_t)snprintf(input, sizeof input, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (size_t i = 1; i < MW_HTTP_MAX_HEADERS; i++)
        len = append(input, len, (struct mw_view)MW_VIEW("X: y\r\n"));
    size_t bad = append(input, len, (struct mw_view)MW_VIEW("Xx y: z\r\n\r\n"));
    check_both_faults("fault in its name", input, bad, "400 bad_header");
    bad = append(input, len, (struct mw_view)MW_VIEW("Xxy: \0\r\n\r\n"));
    check_both_faults("fault in its value", input, bad, "431 too_many_headers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_two_readers_might_read_differently_is_refused_at_every_cut),
        CASE(the_first_of_several_faults_is_named_whatever_the_cut),
        CASE(a_fault_before_a_limit_is_the_fault_and_behind_it_the_limit),
        CASE(a_fault_in_the_name_of_a_header_too_many_is_the_fault),
    };
    return RUN(tests);
}
