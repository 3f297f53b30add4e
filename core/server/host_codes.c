/*
 * `codes` of scripts, from the catalogue: facts row by row, an explanation as the command prints
 * it. In English, for a script speaks to its author. Called through host_real and host_none.
 */
#include "core/server/host_codes.h"

#include "core/explain/explain.h"
#include "core/explain/render.h"
#include "core/proto/close_catalog.h"

/* As wide as a terminal of which nothing is known. */
#define CELLS 80

bool mw_host_code_facts(size_t n, struct mw_code_facts *out)
{
    const struct mw_close_row *row;
    for (size_t i = 0; (row = mw_close_row_at(i)); i++) {
        if (row->first == row->last && n-- == 0)
            break;
    }
    if (!row)
        return false;
    struct mw_words words = mw_words_of_code(MW_LANG_EN, row);
    *out = (struct mw_code_facts){
        .code = row->first,
        .name = row->name,
        .title = row->title,
        .description = mw_words_text(&words).text,
        .is_sendable = row->sender != MW_CLOSE_BY_NOBODY,
        .retry = row->policy.retry,
        .resume = row->policy.resume,
        .least_ms = row->policy.least_ms,
        .most_ms = row->policy.most_ms,
    };
    return true;
}

int mw_host_explain(void *host_app, unsigned code, unsigned other,
                    int (*put)(void *ctx, struct mw_view text), void *ctx)
{
    static const struct mw_here nothing = { 0 };
    static const struct mw_terminal terminal = { .cells = CELLS, .ascii = true };
    const struct mw_subject subject = { code == other ? MW_SUBJECT_CODE : MW_SUBJECT_PAIR, code,
                                        other, MW_CAUSE_peer_close };
    struct mw_mem mem;
    struct mw_doc doc;
    struct mw_buf text;
    (void)host_app;
    mw_mem_init(&mem, 0, 0);
    mw_buf_init(&text, &mem, 0);
    mw_doc_init(&doc, &mem, MW_LANG_EN);
    mw_explain(&doc, &subject, &nothing);
    int err = mw_render_terminal(&text, &doc, &terminal);
    if (!err)
        err = put(ctx, mw_buf_view(&text));
    mw_doc_free(&doc);
    mw_buf_free(&text);
    return err;
}
