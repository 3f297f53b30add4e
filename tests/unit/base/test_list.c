#include "core/base/list.h"

#include "tests/unit/unit.h"

struct item {
    struct mw_link link;
    char name;
};

static void assert_names(struct mw_link *list, const char *want)
{
    for (struct mw_link *link = list->next; link != list; link = link->next)
        assert_int_equal(MW_OWNER(link, struct item, link)->name, *want++);
    assert_int_equal(*want, '\0');
}

TEST(links_keep_the_order_they_were_put_in)
{
    struct mw_link list, taken;
    struct item items[] = { { .name = 'a' }, { .name = 'b' }, { .name = 'c' } };
    mw_list_init(&list);
    assert_true(mw_list_is_empty(&list));
    for (size_t i = 0; i < MW_COUNT(items); i++) {
        mw_list_init(&items[i].link);
        assert_false(mw_list_is_linked(&items[i].link));
        mw_list_push(&list, &items[i].link);
        assert_true(mw_list_is_linked(&items[i].link));
    }
    assert_names(&list, "abc");
    mw_list_remove(&items[1].link);
    mw_list_remove(&items[1].link);
    assert_names(&list, "ac");
    mw_list_push(&items[2].link, &items[1].link);
    assert_names(&list, "abc");
    mw_list_take(&taken, &list);
    assert_true(mw_list_is_empty(&list));
    assert_names(&taken, "abc");
    assert_ptr_equal(mw_list_pop(&taken), &items[0].link);
    assert_false(mw_list_is_linked(&items[0].link));
    assert_names(&taken, "bc");
}

TEST(an_empty_list_gives_nothing)
{
    struct mw_link list, taken;
    mw_list_init(&list);
    assert_null(mw_list_pop(&list));
    mw_list_take(&taken, &list);
    assert_true(mw_list_is_empty(&taken));
    assert_true(mw_list_is_empty(&list));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(links_keep_the_order_they_were_put_in),
        CASE(an_empty_list_gives_nothing),
    };
    return RUN(cases);
}
