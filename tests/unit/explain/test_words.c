/* words: whole in English, alike in all languages, with the headings that were agreed on. */
#include "core/explain/words.h"

#include "core/base/utf8.h"
#include "core/proto/close_catalog.h"
#include "tests/unit/unit.h"

/* Longer ones are no short sentences any more. */
#define LONGEST_CHARACTERS 170

static void assert_sound(struct mw_phrase phrase)
{
    size_t characters = 0;
    assert_true(*phrase.text);
    assert_true(mw_utf8_valid(mw_view_text(phrase.text)));
    for (const char *at = phrase.text; *at; at++) {
        characters += ((unsigned char)*at & 0xC0) != 0x80;
        assert_true((unsigned char)*at >= 0x20);
        if (phrase.lang == MW_LANG_EN)
            assert_true((unsigned char)*at < 0x7F);
    }
    assert_true(characters <= LONGEST_CHARACTERS);
}

/* Everything that is said about one thing; in `lang` alone where the language is there at all. */
static void assert_whole(const struct mw_words *words, bool has_text, size_t lists)
{
    assert_non_null(words->english);
    if (has_text) {
        assert_sound(mw_words_text(words));
        assert_int_equal(mw_words_text(words).lang, words->lang);
    }
    for (unsigned list = 0; list < lists; list++) {
        size_t count = mw_words_count(words, (enum mw_words_list)list);
        assert_true(count >= 1);
        for (size_t i = 0; i < count; i++) {
            assert_sound(mw_words_line(words, (enum mw_words_list)list, i));
            assert_int_equal(mw_words_line(words, (enum mw_words_list)list, i).lang, words->lang);
        }
    }
}

static const enum mw_lang written[] = { MW_LANG_EN, MW_LANG_KO, MW_LANG_VI, MW_LANG_JA };

TEST(every_language_that_is_there_says_everything)
{
    unsigned code, other;
    struct mw_words words;
    for (size_t n = 0; n < MW_COUNT(written); n++) {
        enum mw_lang lang = written[n];
        for (unsigned i = 0; i < MW_LABEL_COUNT; i++) {
            assert_sound(mw_label(lang, (enum mw_label)i));
            assert_int_equal(mw_label(lang, (enum mw_label)i).lang, lang);
        }
        for (size_t i = 0; mw_close_row_at(i); i++) {
            words = mw_words_of_code(lang, mw_close_row_at(i));
            assert_whole(&words, true, 2);
            assert_int_equal(*mw_words_gloss(&words).text != 0, lang != MW_LANG_EN);
        }
        for (unsigned i = 0; i < MW_CAUSE_COUNT; i++) {
            words = mw_words_of_cause(lang, (enum mw_cause)i);
            assert_whole(&words, true, 2);
        }
        for (size_t i = 0; mw_words_pair_at(i, &code, &other); i++) {
            assert_true(mw_words_of_pair(lang, code, other, &words));
            assert_whole(&words, false, 3);
        }
    }
}

/* Which of {1} to {9} a text has, as bits. */
static unsigned places(const char *text)
{
    unsigned found = 0;
    for (; *text; text++) {
        if (text[0] == '{' && text[1] >= '1' && text[1] <= '9' && text[2] == '}')
            found |= 1U << (text[1] - '1');
    }
    return found;
}

TEST(a_label_has_the_same_places_in_every_language)
{
    for (unsigned i = 0; i < MW_LABEL_COUNT; i++) {
        for (unsigned lang = 0; lang < MW_LANG_COUNT; lang++)
            assert_int_equal(places(mw_label((enum mw_lang)lang, (enum mw_label)i).text),
                             places(mw_label(MW_LANG_EN, (enum mw_label)i).text));
    }
}

TEST(the_headings_are_those_that_were_agreed_on)
{
    /* clang-format off */
    static const char *const texts[MW_LANG_COUNT][5] = {
        [MW_LANG_EN] = {
            "Description",
            "When you see this code",
            "How to fix",
            "Key differences",
            "When to use which",
        },
        [MW_LANG_KO] = {
            "설명",
            "이 코드를 보게 되는 경우",
            "해결 방법",
            "주요 차이점",
            "언제 어떤 것을 사용할지",
        },
        [MW_LANG_VI] = {
            "Mô tả",
            "Khi bạn thấy mã này",
            "Cách khắc phục",
            "Sự khác biệt chính",
            "Khi nào dùng cái nào",
        },
        [MW_LANG_JA] = {
            "説明",
            "このコードが表示される場合",
            "解決方法",
            "主な違い",
            "どちらをいつ使うか",
        },
    };
    /* clang-format on */
    static const enum mw_label headings[] = { MW_LABEL_DESCRIPTION, MW_LABEL_WHEN, MW_LABEL_FIX,
                                              MW_LABEL_DIFFERENCES, MW_LABEL_WHICH };
    for (size_t n = 0; n < MW_COUNT(written); n++) {
        for (size_t i = 0; i < MW_COUNT(headings); i++)
            assert_string_equal(mw_label(written[n], headings[i]).text, texts[written[n]][i]);
    }
}

TEST(pairs_are_found_in_either_order)
{
    static const unsigned pairs[][2] = {
        { 1000, 1001 }, { 1000, 1002 }, { 1001, 1002 }, { 1001, 1006 },
        { 1002, 1006 }, { 1001, 1012 }, { 1005, 1006 }, { 1008, 1013 },
    };
    struct mw_words words;
    for (size_t i = 0; i < MW_COUNT(pairs); i++) {
        assert_true(mw_words_of_pair(MW_LANG_EN, pairs[i][0], pairs[i][1], &words));
        assert_true(mw_words_of_pair(MW_LANG_EN, pairs[i][1], pairs[i][0], &words));
    }
    assert_false(mw_words_of_pair(MW_LANG_EN, 1000, 1015, &words));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(every_language_that_is_there_says_everything),
        CASE(a_label_has_the_same_places_in_every_language),
        CASE(the_headings_are_those_that_were_agreed_on),
        CASE(pairs_are_found_in_either_order),
    };
    return RUN(cases);
}
