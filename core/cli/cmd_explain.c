/*
 * `moonwire explain`: which words name what, in which language and form. What is said stands in
 * core/explain; a running server is asked for its last hour and its scripts' own codes. Where there
 * is none the scripts are read.
 */
#include <stdio.h>

#include "core/base/str.h"
#include "core/cli/commands.h"
#include "core/cli/here.h"
#include "core/cli/settings.h"
#include "core/cli/terminal.h"
#include "core/explain/book.h"
#include "core/explain/explain.h"
#include "core/server/server.h"

struct wish {
    enum mw_lang lang;
    struct mw_terminal terminal;
    const struct mw_here *here; /* NULL: neither a server nor a project was there */
};

/* ---- the language ---- */

static int unknown_language(const char *tag)
{
    char why[160];
    snprintf(why, sizeof why, "there is no language \"%.32s\"; there are en, ko, vi and ja", tag);
    return mw_cli_fail(MW_EXIT_USAGE, "", why);
}

/*
 * Files are UTF-8 wherever they are made. A terminal that is not gets English, which is ASCII; who
 * asked for another language is told why.
 */
static int choose_language(const struct mw_args *args, struct wish *wish)
{
    struct mw_lang_env env = mw_cli_lang_env();
    bool is_text = !args->json && !args->markdown;
    wish->lang = mw_lang_of_env(&env);
    wish->terminal = mw_cli_terminal();
    wish->terminal.ascii = is_text && wish->terminal.ascii;
    if (args->lang && !mw_lang_of_tag(mw_view_text(args->lang), &wish->lang))
        return unknown_language(args->lang);
    if (!wish->terminal.ascii || wish->lang == MW_LANG_EN)
        return MW_EXIT_OK;
    wish->lang = MW_LANG_EN;
    if (args->lang)
        fputs("moonwire: this terminal is not UTF-8, so here it is in English; with "
              "LC_ALL=C.UTF-8 it is what you asked for\n",
              stderr);
    return MW_EXIT_OK;
}

/* ---- what is wanted ---- */

static bool looks_like_connection(struct mw_view word)
{
    size_t hex = 0;
    while (hex < word.len && strchr("0123456789abcdef", word.data[hex]))
        hex++;
    return word.len >= 8 && hex == word.len;
}

static int unknown_subject(const struct mw_args *args)
{
    struct mw_view word = mw_view_text(args->words[0]);
    const char *near = mw_subject_nearest(word);
    const char *folder = args->words[1] ? args->words[1] : args->words[0];
    char why[256];
    if (mw_cli_is_folder(folder))
        snprintf(why, sizeof why, "a folder is written with a slash or a dot: ./%.64s", folder);
    else if (args->words[1])
        snprintf(why, sizeof why, "\"%.32s\" and \"%.32s\": a pair is two close codes",
                 args->words[0], args->words[1]);
    else if (near)
        snprintf(why, sizeof why, "nothing is called \"%.64s\"; did you mean \"%s\"?",
                 args->words[0], near);
    else if (looks_like_connection(word))
        snprintf(why, sizeof why, "\"%.32s\" is no close code; of a connection: moonwire why %.32s",
                 args->words[0], args->words[0]);
    else
        snprintf(why, sizeof why,
                 "nothing is called \"%.64s\": a close code, two of them, or a cause; moonwire "
                 "explain lists the codes",
                 args->words[0]);
    return mw_cli_fail(MW_EXIT_FAILED, "", why);
}

/* ---- one, a list, all ---- */

static int write_one(struct mw_buf *out, const struct mw_args *args, const struct wish *wish,
                     const struct mw_subject *subject)
{
    struct mw_doc doc;
    mw_doc_init(&doc, out->mem, wish->lang);
    mw_explain(&doc, subject, wish->here);
    int err = args->json       ? mw_render_json(out, &doc, subject, wish->here)
              : args->markdown ? mw_render_markdown(out, &doc, 1)
                               : mw_render_terminal(out, &doc, &wish->terminal);
    mw_doc_free(&doc);
    return err;
}

static int write_all(struct mw_buf *out, const struct mw_args *args, const struct wish *wish)
{
    if (args->json)
        return mw_book_json(out, wish->lang, wish->here);
    if (args->markdown)
        return mw_book_markdown(out, wish->lang);
    return mw_book_terminal(out, wish->lang, wish->here, &wish->terminal);
}

static int write_overview(struct mw_buf *out, const struct wish *wish)
{
    struct mw_doc doc;
    mw_doc_init(&doc, out->mem, wish->lang);
    mw_explain_overview(&doc);
    int err = mw_render_terminal(out, &doc, &wish->terminal);
    mw_doc_free(&doc);
    return err;
}

static int print(const struct mw_args *args, const struct wish *wish,
                 const struct mw_subject *subject)
{
    struct mw_mem mem;
    struct mw_buf out;
    mw_mem_init(&mem, 0, 0);
    mw_buf_init(&out, &mem, 0);
    bool wants_all = args->all || (!args->words[0] && (args->json || args->markdown));
    int err = wants_all        ? write_all(&out, args, wish)
              : args->words[0] ? write_one(&out, args, wish, subject)
                               : write_overview(&out, wish);
    if (!err && args->json)
        err = mw_buf_put_byte(&out, '\n');
    if (!err)
        fwrite(out.data, 1, out.len, stdout);
    mw_buf_free(&out);
    return err ? mw_cli_fail(MW_EXIT_FAILED, "", "out of memory") : MW_EXIT_OK;
}

int mw_cmd_explain(const struct mw_args *args)
{
    struct wish wish = { 0 };
    struct mw_subject subject = { 0 };
    struct mw_cli_here here;
    if (args->words[0] && args->all)
        return mw_cli_fail(MW_EXIT_USAGE, "", "--all is everything: leave out the words");
    if (args->json && args->markdown)
        return mw_cli_fail(MW_EXIT_USAGE, "", "--json or --markdown, not both");
    int code = choose_language(args, &wish);
    if (code)
        return code;
    if (args->words[0] &&
        !mw_subject_of(&subject, mw_view_text(args->words[0]), mw_view_text(args->words[1])))
        return unknown_subject(args);
    wish.here = mw_cli_here_ask(&here, args);
    if (!wish.here && args->words[0])
        wish.here = mw_cli_here_read_files(&here, args, &subject);
    code = print(args, &wish, &subject);
    mw_cli_here_free(&here);
    return code;
}
