#include "core/base/speck.h"

#include "tests/unit/unit.h"

TEST(the_vector_of_the_paper_holds)
{
    static const uint32_t key[4] = { 0x03020100, 0x0b0a0908, 0x13121110, 0x1b1a1918 };
    struct mw_speck speck;
    mw_speck_init(&speck, key);
    assert_int_equal(mw_speck_apply(&speck, 0x3b7265747475432d), 0x8c6fa548454e028b);
}

int main(void)
{
    const struct CMUnitTest cases[] = { CASE(the_vector_of_the_paper_holds) };
    return RUN(cases);
}
