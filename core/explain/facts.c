/* Lines of facts from the rows of the catalogue and of the causes. Called by explain, pair. */
#include "core/explain/facts.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/explain/own.h"
#include "core/session/advice.h"

/* ---- values ---- */

void mw_fact_seconds(uint32_t ms, char out[MW_FACT_SECONDS_MAX])
{
    snprintf(out, MW_FACT_SECONDS_MAX, "%g", ms / 1000.0);
}

const char *mw_fact_level(const struct mw_close_row *row)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    return names[row->level];
}

enum mw_label mw_fact_sender(const struct mw_close_row *row)
{
    static const enum mw_label labels[] = { MW_LABEL_BOTH, MW_LABEL_CLIENT, MW_LABEL_SERVER,
                                            MW_LABEL_NOBODY };
    return labels[row->sender];
}

struct mw_fact_code mw_fact_code(unsigned code, const struct mw_here *here)
{
    return (struct mw_fact_code){ code, mw_close_row(code), mw_own_next(here, code, 0), here };
}

void mw_fact_title(enum mw_lang lang, const struct mw_fact_code *code, char out[MW_FACT_TITLE_MAX])
{
    struct mw_words words = mw_words_of_code(lang, code->row);
    struct mw_phrase gloss = mw_words_gloss(&words);
    char own[MW_OWN_NAMES_MAX];
    mw_own_words(code->here, code->code, own);
    if (code->script)
        snprintf(out, MW_FACT_TITLE_MAX, "%u %s", code->code, own);
    else if (*gloss.text)
        snprintf(out, MW_FACT_TITLE_MAX, "%u %s (%s)", code->code, gloss.text, code->row->title);
    else
        snprintf(out, MW_FACT_TITLE_MAX, "%u %s", code->code, code->row->title);
}

/* ---- coming back ---- */

/* One voice alone; NULL where the script says nothing else than the row. */
static const struct mw_advice *advice_of(const struct mw_fact_code *code)
{
    bool tells_more = code->script && mw_advice_tells_more(&code->script->advice, code->code);
    return tells_more ? &code->script->advice : 0;
}

/* A first wait of the script's; those that follow grow as those of a code after which one returns.
 */
static struct mw_close_policy policy_of_advice(const struct mw_close_row *row,
                                               const struct mw_advice *advice)
{
    struct mw_close_policy policy = row->policy.retry ? row->policy : mw_close_row(4000)->policy;
    if (advice->kind != MW_ADVICE_RETURN)
        return (struct mw_close_policy){ .retry = false };
    policy.resume = policy.resume && !advice->afresh;
    policy.least_ms = advice->after_ms;
    policy.most_ms = advice->after_ms + advice->spread_ms;
    if (policy.cap_ms < policy.most_ms)
        policy.cap_ms = policy.most_ms;
    return policy;
}

static struct mw_close_policy policy_of_voice(const struct mw_fact_code *code)
{
    const struct mw_advice *advice = advice_of(code);
    return advice ? policy_of_advice(code->row, advice) : code->row->policy;
}

struct mw_close_policy mw_fact_policy(const struct mw_fact_code *code)
{
    return mw_own_is_disputed(code->here, code->code) ? code->row->policy : policy_of_voice(code);
}

void mw_fact_put_retry(struct mw_doc *doc, const struct mw_close_policy *policy)
{
    char least[MW_FACT_SECONDS_MAX], most[MW_FACT_SECONDS_MAX], cap[MW_FACT_SECONDS_MAX], tries[16];
    mw_fact_seconds(policy->least_ms, least);
    mw_fact_seconds(policy->most_ms, most);
    mw_fact_seconds(policy->cap_ms, cap);
    snprintf(tries, sizeof tries, "%u", policy->tries);
    const char *const values[] = { least, most, cap, tries, 0 };
    if (!policy->retry)
        mw_doc_label(doc, MW_LABEL_RETRY_STAY);
    else
        mw_doc_fill(doc, policy->tries ? MW_LABEL_RETRY_TRIES : MW_LABEL_RETRY_RETURN, values);
}

static void put_yes(struct mw_doc *doc, bool is_so)
{
    mw_doc_label(doc, is_so ? MW_LABEL_YES : MW_LABEL_NO);
}

static bool is_on_wire(const struct mw_close_row *row)
{
    return row->sender != MW_CLOSE_BY_NOBODY;
}

/* ---- of codes: each fact puts one cell ---- */

static void put_wire(struct mw_doc *doc, const struct mw_fact_code *code)
{
    mw_doc_label(doc, is_on_wire(code->row) ? MW_LABEL_YES : MW_LABEL_NEVER);
}

static void put_sender(struct mw_doc *doc, const struct mw_fact_code *code)
{
    mw_doc_label(doc, mw_fact_sender(code->row));
}

/* A Close frame came, with a code that may be sent or with none. */
static void put_clean(struct mw_doc *doc, const struct mw_fact_code *code)
{
    put_yes(doc, is_on_wire(code->row) || code->code == 1005);
}

/* "yes, after 30 to 60 s": how it goes on when that fails is not the script's to say. */
static void put_wait(struct mw_doc *doc, const struct mw_advice *advice)
{
    char least[MW_FACT_SECONDS_MAX], most[MW_FACT_SECONDS_MAX];
    mw_fact_seconds(advice->after_ms, least);
    mw_fact_seconds(advice->after_ms + advice->spread_ms, most);
    const char *const values[] = { least, most, 0 };
    mw_doc_fill(doc, advice->spread_ms ? MW_LABEL_RETRY_ONCE : MW_LABEL_RETRY_AT, values);
}

static void put_voice_retry(struct mw_doc *doc, const struct mw_fact_code *code)
{
    const struct mw_advice *advice = advice_of(code);
    struct mw_close_policy policy = policy_of_voice(code);
    if (advice && advice->kind == MW_ADVICE_RETURN)
        put_wait(doc, advice);
    else
        mw_fact_put_retry(doc, &policy);
}

static void put_voice_resume(struct mw_doc *doc, const struct mw_fact_code *code)
{
    put_yes(doc, policy_of_voice(code).resume);
}

/* One cell: what each says behind its name. */
static void put_voices(struct mw_doc *doc, const struct mw_fact_code *code,
                       void (*put)(struct mw_doc *doc, const struct mw_fact_code *code))
{
    struct mw_fact_code one = *code;
    char names[MW_OWN_NAMES_MAX];
    mw_doc_cell_begin(doc);
    for (; one.script; one.script = mw_own_next(code->here, code->code, one.script)) {
        mw_own_names(code->here, code->code, one.script, names);
        mw_doc_putf(doc, "%s%s - ", one.script == code->script ? "" : "; ", names);
        put(doc, &one);
    }
    mw_doc_cell_end(doc);
}

static void put_retry(struct mw_doc *doc, const struct mw_fact_code *code)
{
    if (mw_own_is_disputed(code->here, code->code))
        put_voices(doc, code, put_voice_retry);
    else
        put_voice_retry(doc, code);
}

static void put_resume(struct mw_doc *doc, const struct mw_fact_code *code)
{
    bool resume = policy_of_voice(code).resume;
    struct mw_fact_code one = *code;
    while (one.script && policy_of_voice(&one).resume == resume)
        one.script = mw_own_next(code->here, code->code, one.script);
    if (one.script)
        put_voices(doc, code, put_voice_resume);
    else
        put_yes(doc, resume);
}

static void put_level(struct mw_doc *doc, const struct mw_fact_code *code)
{
    mw_doc_putf(doc, "%s", mw_fact_level(code->row));
}

static const struct {
    enum mw_label label;
    const char *key;
    void (*put)(struct mw_doc *doc, const struct mw_fact_code *code);
    bool of_pairs_alone; /* a single code says it otherwise */
} facts[] = {
    { MW_LABEL_FACT_WIRE, "on_wire", put_wire, false },
    { MW_LABEL_FACT_SENDER, "sender", put_sender, true },
    { MW_LABEL_FACT_CLEAN, "clean", put_clean, true },
    { MW_LABEL_FACT_RETRY, "retry", put_retry, false },
    { MW_LABEL_FACT_RESUME, "resume", put_resume, false },
    { MW_LABEL_FACT_LEVEL, "log_level", put_level, false },
};

static void begin(struct mw_doc *doc, enum mw_label label, const char *key)
{
    mw_doc_item(doc, MW_DOC_FACT, key);
    mw_doc_label(doc, label);
}

/* The causes whose ends are reported with this code, unless somebody gives another. */
static void put_causes(struct mw_doc *doc, unsigned code)
{
    char names[512];
    size_t len = 0;
    for (unsigned i = 0; i < MW_CAUSE_COUNT; i++) {
        const struct mw_cause_row *row = mw_cause_row((enum mw_cause)i);
        if (row->code == code && len < sizeof names - 64)
            len += (size_t)snprintf(names + len, 64, "%s%s", len ? ", " : "", row->name);
    }
    if (!len)
        return;
    begin(doc, MW_LABEL_FACT_CAUSES, "causes");
    mw_doc_put_view(doc, mw_view(names, len), doc->lang);
}

/* Whose code it is, and where that was found. */
static void put_scripts(struct mw_doc *doc, const struct mw_fact_code *code)
{
    char names[MW_OWN_NAMES_MAX];
    const char *const values[] = { names, code->here->folder, 0 };
    mw_own_names(code->here, code->code, 0, names);
    begin(doc, MW_LABEL_FACT_SCRIPT, "script");
    mw_doc_fill(doc, values[1] ? MW_LABEL_SCRIPT_READ : MW_LABEL_SCRIPT_SERVED, values);
}

void mw_facts_of_code(struct mw_doc *doc, const struct mw_fact_code *code)
{
    if (code->script)
        put_scripts(doc, code);
    for (size_t i = 0; i < MW_COUNT(facts); i++) {
        if (facts[i].of_pairs_alone)
            continue;
        begin(doc, facts[i].label, facts[i].key);
        facts[i].put(doc, code);
    }
    put_causes(doc, code->code);
}

void mw_facts_of_pair(struct mw_doc *doc, const struct mw_fact_code *code,
                      const struct mw_fact_code *other)
{
    for (size_t i = 0; i < MW_COUNT(facts); i++) {
        begin(doc, facts[i].label, facts[i].key);
        facts[i].put(doc, code);
        facts[i].put(doc, other);
    }
}

/* ---- of causes ---- */

static void put_code(struct mw_doc *doc, enum mw_lang lang, unsigned code)
{
    struct mw_fact_code column = mw_fact_code(code, 0);
    char title[MW_FACT_TITLE_MAX];
    mw_fact_title(lang, &column, title);
    mw_doc_put_view(doc, mw_view_text(title), lang);
}

/* Somebody else says the code: the peer or the script. */
static bool is_of_any_code(const struct mw_cause_row *cause)
{
    return cause == mw_cause_row(MW_CAUSE_peer_close) ||
           cause == mw_cause_row(MW_CAUSE_script_close);
}

void mw_facts_of_cause(struct mw_doc *doc, const struct mw_cause_row *cause)
{
    static const enum mw_label who[] = { MW_LABEL_CLIENT, MW_LABEL_SERVER, MW_LABEL_NETWORK };
    begin(doc, MW_LABEL_FACT_WHO, "who");
    mw_doc_label(doc, who[cause->who]);
    begin(doc, MW_LABEL_FACT_CODE, "code");
    put_code(doc, doc->lang, cause->code);
    if (cause->wire_code != cause->code) {
        begin(doc, MW_LABEL_FACT_TRIED, "wire_code");
        put_code(doc, doc->lang, cause->wire_code);
    }
    begin(doc, MW_LABEL_FACT_RETRY, "retry");
    if (is_of_any_code(cause))
        mw_doc_label(doc, MW_LABEL_BY_ITS_CODE);
    else if (cause->advice.kind == MW_ADVICE_RETURN)
        mw_doc_label(doc, MW_LABEL_YES);
    else
        mw_fact_put_retry(doc, &mw_close_row(cause->code)->policy);
    if (cause->advice.kind != MW_ADVICE_RETURN)
        return;
    begin(doc, MW_LABEL_FACT_ADVICE, "advice");
    put_wait(doc, &cause->advice);
}
