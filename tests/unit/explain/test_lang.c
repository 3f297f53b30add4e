/* lang: who gets which language. */
#include "core/explain/lang.h"

#include "tests/unit/unit.h"

TEST(a_tag_is_one_of_four_in_any_form)
{
    static const struct {
        const char *tag;
        int lang; /* -1: none */
    } cases[] = {
        { "en", MW_LANG_EN },
        { "ko", MW_LANG_KO },
        { "KO", MW_LANG_KO },
        { "ko_KR.UTF-8", MW_LANG_KO },
        { "ko-KR", MW_LANG_KO },
        { "vi_VN", MW_LANG_VI },
        { "ja@x", MW_LANG_JA },
        { "en_GB", MW_LANG_EN },
        { "", -1 },
        { "fr", -1 },
        { "kor", -1 },
        { "k", -1 },
        { "C", -1 },
        { "jax", -1 },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        enum mw_lang lang = MW_LANG_COUNT;
        assert_int_equal(mw_lang_of_tag(mw_view_text(cases[i].tag), &lang), cases[i].lang >= 0);
        assert_int_equal(lang, cases[i].lang >= 0 ? cases[i].lang : MW_LANG_COUNT);
    }
}

TEST(the_environment_chooses_as_gettext_does)
{
    static const struct {
        struct mw_lang_env env;
        enum mw_lang lang;
    } cases[] = {
        { { 0 }, MW_LANG_EN },
        { { .lang = "ko_KR.UTF-8" }, MW_LANG_KO },
        { { .lang = "ko_KR.UTF-8", .lc_messages = "vi_VN.UTF-8" }, MW_LANG_VI },
        { { .lang = "ko_KR.UTF-8", .lc_messages = "vi_VN", .lc_all = "ja_JP" }, MW_LANG_JA },
        { { .lang = "ko_KR.UTF-8", .lc_all = "" }, MW_LANG_KO },
        { { .lang = "ko_KR.UTF-8", .lc_all = "C" }, MW_LANG_EN },
        { { .lang = "ko_KR.UTF-8", .lc_ctype = "ja_JP.UTF-8" }, MW_LANG_KO },
        { { .lang = "fr_FR.UTF-8" }, MW_LANG_EN },
        { { .lang = "ko_KR.UTF-8", .language = "ja" }, MW_LANG_JA },
        { { .lang = "ko_KR.UTF-8", .language = "fr:vi:ja" }, MW_LANG_VI },
        { { .lang = "ko_KR.UTF-8", .language = "en_US:ko" }, MW_LANG_EN },
        { { .lang = "ko_KR.UTF-8", .language = "fr" }, MW_LANG_EN },
        { { .lang = "ko_KR.UTF-8", .language = "" }, MW_LANG_KO },
        { { .lang = "C", .language = "ja" }, MW_LANG_EN },
        { { .lang = "POSIX", .language = "ja" }, MW_LANG_EN },
        { { .language = "ja" }, MW_LANG_EN },
        { { .lang = "C.UTF-8", .language = "ja" }, MW_LANG_JA },
        { { .lang = "ko_KR.UTF-8", .lc_all = "C", .language = "ja" }, MW_LANG_EN },
        { { .lang = "C", .moonwire_lang = "vi" }, MW_LANG_VI },
        { { .lang = "ko_KR.UTF-8", .language = "ja", .moonwire_lang = "vi" }, MW_LANG_VI },
        { { .lang = "ko_KR.UTF-8", .moonwire_lang = "xx" }, MW_LANG_EN },
        { { .lang = "ko_KR.UTF-8", .moonwire_lang = "" }, MW_LANG_KO },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++)
        assert_int_equal(mw_lang_of_env(&cases[i].env), cases[i].lang);
}

TEST(the_codeset_is_that_of_the_first_variable_that_is_set)
{
    static const struct {
        struct mw_lang_env env;
        bool is_utf8;
    } cases[] = {
        { { 0 }, false },
        { { .lang = "C" }, false },
        { { .lang = "ko_KR" }, false },
        { { .lang = "ko_KR.EUC-KR" }, false },
        { { .lang = "C.UTF-8" }, true },
        { { .lang = "ko_KR.utf8" }, true },
        { { .lang = "ca_ES.UTF-8@valencia" }, true },
        { { .lang = "ko_KR.UTF-8", .lc_ctype = "C" }, false },
        { { .lang = "C", .lc_ctype = "ko_KR.UTF-8" }, true },
        { { .lang = "C", .lc_ctype = "ko_KR.UTF-8", .lc_all = "POSIX" }, false },
        { { .lang = "C", .lc_messages = "ko_KR.UTF-8" }, false },
        { { .lang = "ko_KR.UTF-8", .lc_all = "" }, true },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++)
        assert_int_equal(mw_lang_env_is_utf8(&cases[i].env), cases[i].is_utf8);
}

TEST(a_browser_gets_the_first_language_that_it_lists)
{
    static const struct {
        const char *list;
        enum mw_lang lang;
    } cases[] = {
        { "", MW_LANG_EN },
        { "ko-KR,ko;q=0.9,en-US;q=0.8", MW_LANG_KO },
        { "fr-FR, fr;q=0.9 , ja ;q=0.8", MW_LANG_JA },
        { "ko;q=0, vi", MW_LANG_VI },
        { "ko;q=0.000, vi;q=0.001", MW_LANG_VI },
        { "*", MW_LANG_EN },
        { ",;,;q=0,", MW_LANG_EN },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++)
        assert_int_equal(mw_lang_of_list(mw_view_text(cases[i].list)), cases[i].lang);
}

TEST(languages_have_tags_and_names_of_their_own)
{
    assert_string_equal(mw_lang_tag(MW_LANG_JA), "ja");
    assert_string_equal(mw_lang_name(MW_LANG_JA), "日本語");
    assert_string_equal(mw_lang_name(MW_LANG_VI), "Tiếng Việt");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_tag_is_one_of_four_in_any_form),
        CASE(the_environment_chooses_as_gettext_does),
        CASE(the_codeset_is_that_of_the_first_variable_that_is_set),
        CASE(a_browser_gets_the_first_language_that_it_lists),
        CASE(languages_have_tags_and_names_of_their_own),
    };
    return RUN(cases);
}
