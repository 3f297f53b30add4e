#include "tests/unit/explain/told.h"

#include "core/base/str.h"

static const struct mw_terminal ordinary = { .cells = 80 };

int told_add(struct told *told, enum told_form form, enum mw_lang lang, const char *words,
             const struct mw_here *here, const struct mw_terminal *terminal)
{
    struct mw_doc doc;
    struct mw_subject subject;
    struct mw_view rest = mw_view_text(words), first, second = mw_view_text("");
    int err = 0;
    assert_true(mw_view_split(&rest, ' ', &first));
    (void)mw_view_split(&rest, ' ', &second);
    assert_true(mw_subject_of(&subject, first, second));
    mw_doc_init(&doc, &told->mem, lang);
    mw_explain(&doc, &subject, here);
    switch (form) {
    case TOLD_TERMINAL:
        err = mw_render_terminal(&told->out, &doc, terminal ? terminal : &ordinary);
        break;
    case TOLD_JSON:
        err = mw_render_json(&told->out, &doc, &subject, here);
        break;
    case TOLD_MARKDOWN:
        err = mw_render_markdown(&told->out, &doc, 3);
        break;
    case TOLD_HTML:
        err = mw_render_html(&told->out, &doc, mw_view_text("/_moonwire/explain/x"));
        break;
    }
    mw_doc_free(&doc);
    return err;
}

const char *told_text(struct told *told, enum told_form form, const char *words,
                      const struct mw_here *here)
{
    mw_mem_init(&told->mem, 0, 0);
    mw_buf_init(&told->out, &told->mem, 0);
    assert_int_equal(told_add(told, form, MW_LANG_EN, words, here, 0), 0);
    return mw_buf_cstr(&told->out);
}

void told_free(struct told *told)
{
    mw_buf_free(&told->out);
    assert_mem_empty(&told->mem);
}
