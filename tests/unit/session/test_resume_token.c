/* resume_token: tokens as text, and which of two generations is taken. */
#include "core/session/resume_token.h"

#include "tests/unit/unit.h"

#define ID UINT64_C(0x0100000003F0E1D2)

static struct mw_resume_token told_by(const struct mw_resume_tokens *tokens)
{
    char text[MW_RESUME_TOKEN_LEN + 1];
    struct mw_resume_token token;
    mw_resume_tokens_text(tokens, text);
    assert_int_equal(strlen(text), MW_RESUME_TOKEN_LEN);
    assert_int_equal(
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        MW_RESUME_TOKEN_LEN);
    assert_true(mw_resume_token_read(mw_view_text(text), &token));
    return token;
}

static struct mw_resume_tokens begun(void)
{
    struct mw_resume_tokens tokens;
    assert_int_equal(mw_resume_tokens_init(&tokens, ID), MW_OK);
    return tokens;
}

TEST(what_was_told_is_read_again)
{
    for (int i = 0; i < 200; i++) { /* among them some with - and _ */
        struct mw_resume_tokens tokens = begun();
        struct mw_resume_token token = told_by(&tokens);
        assert_int_equal(token.id, ID);
        assert_int_equal(mw_resume_tokens_match(&tokens, &token, false), MW_RESUME_NOW);
        assert_int_equal(mw_resume_tokens_match(&tokens, &token, true), MW_RESUME_NOW);
    }
}

TEST(what_is_no_token_is_not_read)
{
    static const char *const table[] = {
        "",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+",
        "/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\xC3\xA9",
    };
    struct mw_resume_token token;
    for (size_t i = 0; i < MW_COUNT(table); i++)
        assert_false(mw_resume_token_read(mw_view_text(table[i]), &token));
    assert_true(mw_resume_token_read(mw_view_text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-_"), &token));
    assert_int_equal(token.id, 0);
}

TEST(a_wrong_bit_anywhere_is_unknown)
{
    struct mw_resume_tokens tokens = begun();
    struct mw_resume_token right = told_by(&tokens);
    for (size_t bit = 0; bit < 8 * sizeof right.secret; bit++) {
        struct mw_resume_token wrong = right;
        wrong.secret[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(mw_resume_tokens_match(&tokens, &wrong, false), MW_RESUME_UNKNOWN);
    }
    right.id ^= 1;
    assert_int_equal(mw_resume_tokens_match(&tokens, &right, false), MW_RESUME_UNKNOWN);
}

TEST(the_secret_of_no_hello_is_not_taken)
{
    struct mw_resume_tokens tokens = begun();
    const struct mw_resume_token zero = { .id = ID };
    assert_int_equal(mw_resume_tokens_match(&tokens, &zero, false), MW_RESUME_UNKNOWN);
}

TEST(the_token_before_is_taken_until_the_hello_was_heard)
{
    struct mw_resume_tokens tokens = begun();
    struct mw_resume_token first = told_by(&tokens);
    assert_int_equal(mw_resume_tokens_renew(&tokens, MW_RESUME_NOW), MW_OK);
    struct mw_resume_token second = told_by(&tokens);
    assert_memory_not_equal(first.secret, second.secret, sizeof first.secret);
    assert_int_equal(mw_resume_tokens_match(&tokens, &first, false), MW_RESUME_BEFORE);
    assert_int_equal(mw_resume_tokens_match(&tokens, &first, true), MW_RESUME_UNKNOWN);
    assert_int_equal(mw_resume_tokens_match(&tokens, &second, false), MW_RESUME_NOW);
    assert_int_equal(mw_resume_tokens_renew(&tokens, MW_RESUME_NOW), MW_OK);
    assert_int_equal(mw_resume_tokens_match(&tokens, &first, false), MW_RESUME_UNKNOWN);
    assert_int_equal(mw_resume_tokens_match(&tokens, &second, false), MW_RESUME_BEFORE);
}

TEST(who_did_not_hear_the_token_is_told_the_same_again)
{
    struct mw_resume_tokens tokens = begun();
    struct mw_resume_token first = told_by(&tokens);
    assert_int_equal(mw_resume_tokens_renew(&tokens, MW_RESUME_NOW), MW_OK);
    struct mw_resume_token second = told_by(&tokens);
    assert_int_equal(mw_resume_tokens_renew(&tokens, MW_RESUME_BEFORE), MW_OK);
    struct mw_resume_token again = told_by(&tokens);
    assert_memory_equal(second.secret, again.secret, sizeof second.secret);
    assert_int_equal(mw_resume_tokens_match(&tokens, &first, false), MW_RESUME_BEFORE);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(what_was_told_is_read_again),
        CASE(what_is_no_token_is_not_read),
        CASE(a_wrong_bit_anywhere_is_unknown),
        CASE(the_secret_of_no_hello_is_not_taken),
        CASE(the_token_before_is_taken_until_the_hello_was_heard),
        CASE(who_did_not_hear_the_token_is_told_the_same_again),
    };
    return RUN(cases);
}
