/* codes: rows that nobody changes, and explanations. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

static const struct line_case lines[] = {
    { "print(codes[1006].name, codes[1006].sendable, codes[1006].retry)",
      "log info v1 c1 abnormal\tfalse\ttrue\n" },
    { "print(codes[1000].after, codes[1006].after, codes[1006].spread)",
      "log info v1 c1 nil\t0.25\t0.75\n" },
    { "print(codes[4001], codes[1], codes.nothing)", "log info v1 c1 nil\tnil\tnil\n" },
    { "print(codes.explain(1006), codes.explain(1001, 1006))",
      "log info v1 c1 about 1006 1006\tabout 1001 1006\n" },
    { "codes[1006] = 1", "*cannot be set: this table belongs to the server" },
    { "codes[1006].name = 'x'", "*cannot be set: this table belongs to the server" },
    { "rawset(codes[1006], 'name', 'x')", "*cannot be set: this table belongs to the server" },
    { "codes.explain()", "*bad argument #1 to 'explain'" },
    { "codes.explain(70000)", "*a close code is 0 to 65535" },
    { "codes.explain(1006, -1)", "*a close code is 0 to 65535" },
    { "codes.explain('peer_fin')", "*bad argument #1 to 'explain'" },
};

TEST(codes_are_read_and_explained)
{
    expect_lines(&world, lines, MW_COUNT(lines));
}

int main(void)
{
    const struct CMUnitTest cases[] = { CASE(codes_are_read_and_explained) };
    return RUN(cases);
}
