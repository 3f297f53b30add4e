#include "core/base/rng.h"

#include "tests/unit/unit.h"

/* The values that the authors' reference code gives. */
TEST(numbers_are_those_of_the_published_algorithms)
{
    struct mw_rng rng;
    mw_rng_seed(&rng, 1234567);
    assert_true(rng.s[0] == UINT64_C(6457827717110365317));
    assert_true(rng.s[1] == UINT64_C(3203168211198807973));
    assert_true(rng.s[2] == UINT64_C(9817491932198370423));
    assert_true(rng.s[3] == UINT64_C(4593380528125082431));

    rng = (struct mw_rng){ { 1, 2, 3, 4 } };
    assert_true(mw_rng_next(&rng) == 11520);
    assert_true(mw_rng_next(&rng) == 0);
    assert_true(mw_rng_next(&rng) == 1509978240);
    assert_true(mw_rng_next(&rng) == UINT64_C(1215971899390074240));
}

TEST(the_same_seed_gives_the_same_numbers)
{
    struct mw_rng a, b, c;
    mw_rng_seed(&a, 7);
    mw_rng_seed(&b, 7);
    mw_rng_seed(&c, 8);
    bool differs = false;
    for (int i = 0; i < 100; i++) {
        uint64_t number = mw_rng_next(&a);
        assert_true(number == mw_rng_next(&b));
        differs |= number != mw_rng_next(&c);
    }
    assert_true(differs);
}

TEST(numbers_stay_below_their_bound_and_reach_all_of_it)
{
    static const uint64_t bounds[] = { 1, 2, 3, 10, 64, UINT64_C(1) << 63, UINT64_MAX };
    struct mw_rng rng;
    mw_rng_seed(&rng, 0);
    for (size_t i = 0; i < MW_COUNT(bounds); i++) {
        uint64_t seen = 0;
        for (int n = 0; n < 2000; n++) {
            uint64_t number = mw_rng_below(&rng, bounds[i]);
            assert_true(number < bounds[i]);
            seen |= UINT64_C(1) << (number & 63);
        }
        uint64_t all = bounds[i] < 64 ? (UINT64_C(1) << bounds[i]) - 1 : UINT64_MAX;
        assert_true(seen == all);
    }
}

/* Each third of 3 * 2^62 is drawn as often; a plain remainder would draw the first twice. */
TEST(no_number_is_likelier_than_another)
{
    struct mw_rng rng;
    unsigned in_third[3] = { 0 };
    mw_rng_seed(&rng, 99);
    for (int n = 0; n < 3000; n++)
        in_third[mw_rng_below(&rng, UINT64_C(3) << 62) >> 62]++;
    for (size_t i = 0; i < MW_COUNT(in_third); i++)
        assert_in_range(in_third[i], 900, 1100);
}

TEST(the_system_gives_bytes_that_differ)
{
    unsigned char a[300] = { 0 }, b[300] = { 0 };
    assert_int_equal(mw_random_bytes(a, sizeof(a)), MW_OK);
    assert_int_equal(mw_random_bytes(b, sizeof(b)), MW_OK);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_not_equal(a + 268, b + 268, 32); /* also at the end */
    assert_int_equal(mw_random_bytes(a, 0), MW_OK);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(numbers_are_those_of_the_published_algorithms),
        CASE(the_same_seed_gives_the_same_numbers),
        CASE(numbers_stay_below_their_bound_and_reach_all_of_it),
        CASE(no_number_is_likelier_than_another),
        CASE(the_system_gives_bytes_that_differ),
    };
    return RUN(cases);
}
