#include "core/base/err.h"

#include "tests/unit/unit.h"

static const int numbers[] = { MW_OK,
#define NUMBER(name, number, text) MW_ERR_##name,
                               MW_ERR_LIST(NUMBER)
#undef NUMBER
};

TEST(every_error_has_its_own_name_and_text)
{
    for (size_t i = 0; i < MW_COUNT(numbers); i++) {
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(numbers[i], numbers[j]);
            assert_string_not_equal(mw_err_name(numbers[i]), mw_err_name(numbers[j]));
            assert_string_not_equal(mw_err_text(numbers[i]), mw_err_text(numbers[j]));
        }
        assert_string_not_equal(mw_err_name(numbers[i]), "UNKNOWN");
    }
    assert_string_equal(mw_err_name(MW_OK), "OK");
    assert_string_equal(mw_err_name(MW_ERR_NOMEM), "NOMEM");
    assert_string_equal(mw_err_text(MW_ERR_NOMEM), "out of memory");
}

TEST(a_number_that_is_no_error_has_a_name_too)
{
    assert_string_equal(mw_err_name(1), "UNKNOWN");
    assert_string_equal(mw_err_name(-9999), "UNKNOWN");
    assert_non_null(mw_err_text(-9999));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(every_error_has_its_own_name_and_text),
        CASE(a_number_that_is_no_error_has_a_name_too),
    };
    return RUN(cases);
}
