/* -H and -s, as a client wants them. */
#include "core/cli/handshake_args.h"

#include "tests/unit/unit.h"

static struct mw_args with(const char *const *headers, const char *const *protocols)
{
    struct mw_args args = { .verb = "connect" };
    for (; headers && *headers; headers++)
        args.headers.items[args.headers.count++] = *headers;
    for (; protocols && *protocols; protocols++)
        args.protocols.items[args.protocols.count++] = *protocols;
    return args;
}

static bool both_are_read(struct mw_mem *mem)
{
    static const char *const headers[] = { "X-One:1", "Cookie:  a=b: c ", "Empty:", NULL };
    static const char *const protocols[] = { "chat", "v2.json", NULL };
    struct mw_handshake_args handshake;
    struct mw_args args = with(headers, protocols);
    int code = mw_handshake_args_read(&handshake, mem, &args);
    if (!code) {
        assert_int_equal(handshake.header_count, 3);
        assert_view(handshake.headers[0].name, "x-one");
        assert_view(handshake.headers[0].value, "1");
        assert_view(handshake.headers[1].name, "cookie");
        assert_view(handshake.headers[1].value, "a=b: c");
        assert_view(handshake.headers[2].value, "");
        assert_int_equal(handshake.protocol_count, 2);
        assert_view(handshake.protocols[1], "v2.json");
    }
    mw_handshake_args_free(&handshake);
    return !code;
}

TEST(names_are_in_lower_case_and_values_without_blanks_around)
{
    assert_true(fail_each_allocation(both_are_read) > 0);
}

TEST(what_is_no_header_or_subprotocol_is_refused)
{
    static const char *const wrong[][2] = {
        { "no colon", NULL }, { ": x", NULL }, { "a b: x", NULL },
        { NULL, "a b" },      { NULL, "a,b" }, { NULL, "" },
    };
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    for (size_t i = 0; i < MW_COUNT(wrong); i++) {
        struct mw_handshake_args handshake;
        const char *headers[] = { wrong[i][0], NULL }, *protocols[] = { wrong[i][1], NULL };
        struct mw_args args = with(headers, protocols);
        assert_int_equal(mw_handshake_args_read(&handshake, &mem, &args), 2);
        mw_handshake_args_free(&handshake);
    }
    assert_mem_empty(&mem);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(names_are_in_lower_case_and_values_without_blanks_around),
        CASE(what_is_no_header_or_subprotocol_is_refused),
    };
    return RUN(cases);
}
