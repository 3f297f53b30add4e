/*
 * A small table of kinds; the one that was quiet longest makes room. Called by route_fault, which
 * writes the lines and owns the alarm.
 */
#include "core/server/fault_fold.h"

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/str.h"

/* ---- which kind ---- */

#define FNV_START 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

static uint64_t mix(uint64_t key, unsigned char byte)
{
    return (key ^ byte) * FNV_PRIME;
}

static uint64_t mix_text(uint64_t key, const char *text)
{
    for (; *text; text++)
        key = mix(key, (unsigned char)*text);
    return mix(key, 0);
}

static uint64_t mix_number(uint64_t key, unsigned number)
{
    for (int i = 0; i < 4; i++)
        key = mix(key, (unsigned char)(number >> (8 * i)));
    return key;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The end of the word that begins here; *has_digit: a number, an id, a name with a number. */
static const char *skip_word(const char *at, bool *has_digit)
{
    for (*has_digit = false; is_word(*at); at++)
        *has_digit = *has_digit || (*at >= '0' && *at <= '9');
    return at;
}

/* Words in quotes and words with digits are what differs between faults that are alike. */
static uint64_t mix_message(uint64_t key, const char *text)
{
    while (*text) {
        const char *end = *text == '\'' || *text == '"' ? strchr(text + 1, *text) : NULL;
        bool differs = end != NULL;
        if (end)
            end++;
        else
            end = skip_word(text, &differs);
        if (end == text) /* punctuation */
            end++;
        if (differs)
            key = mix(key, '#');
        else
            for (const char *at = text; at < end; at++)
                key = mix(key, (unsigned char)*at);
        text = end;
    }
    return key;
}

static uint64_t key_of(const struct mw_fault *fault)
{
    uint64_t key = mix_number(FNV_START, fault->version);
    key = mix_number(key, (unsigned)fault->line);
    key = mix_number(key, fault->kind);
    key = mix_text(key, fault->file);
    key = mix_message(key, fault->message);
    return key ? key : 1;
}

/* ---- the table ---- */

static void make_room(struct mw_fault_fold *fold, const struct mw_fold_kind *kind)
{
    if (kind->more == 0)
        return;
    if (fold->others == 0 || kind->begun_ms < fold->others_ms)
        fold->others_ms = kind->begun_ms;
    fold->others += kind->more;
}

/* The row of this kind: that there was, or a fresh one in the place of the one quiet longest. */
static struct mw_fold_kind *find(struct mw_fault_fold *fold, const struct mw_fault *fault,
                                 mw_ms now_ms)
{
    uint64_t key = key_of(fault);
    struct mw_fold_kind *oldest = &fold->kinds[0];
    for (size_t i = 0; i < MW_FOLD_KINDS; i++) {
        struct mw_fold_kind *kind = &fold->kinds[i];
        if (kind->key == key)
            return kind;
        if (kind->last_ms < oldest->last_ms)
            oldest = kind;
    }
    make_room(fold, oldest);
    *oldest = (struct mw_fold_kind){
        .key = key, .begun_ms = now_ms, .version = fault->version, .line = fault->line
    };
    memcpy(oldest->file, fault->file, sizeof oldest->file);
    return oldest;
}

bool mw_fault_fold_take(struct mw_fault_fold *fold, const struct mw_fault *fault, mw_ms now_ms)
{
    struct mw_fold_kind *kind = find(fold, fault, now_ms);
    kind->last_ms = now_ms;
    if (kind->more == 0 && now_ms - kind->begun_ms >= MW_FOLD_SPAN_MS) {
        kind->begun_ms = now_ms;
        kind->shown = 0;
    }
    if (kind->shown < MW_FOLD_SHOWN &&
        mw_rate_take(&fold->rate, MW_FOLD_PER_S, MW_FOLD_BURST, now_ms)) {
        kind->shown++;
        return true;
    }
    kind->more++;
    return false;
}

mw_ms mw_fault_fold_due(const struct mw_fault_fold *fold)
{
    mw_ms due_ms = fold->others ? mw_ms_add(fold->others_ms, MW_FOLD_SPAN_MS) : MW_NEVER;
    for (size_t i = 0; i < MW_FOLD_KINDS; i++) {
        const struct mw_fold_kind *kind = &fold->kinds[i];
        if (kind->more)
            due_ms = mw_ms_min(due_ms, mw_ms_add(kind->begun_ms, MW_FOLD_SPAN_MS));
    }
    return due_ms;
}

/* ---- what was counted ---- */

static bool is_due(mw_ms begun_ms, mw_ms now_ms)
{
    return now_ms - begun_ms >= MW_FOLD_SPAN_MS;
}

/* It has been going on: the next ten seconds show none of it, and then cost one line again. */
static void tell_of(struct mw_fold_kind *kind, mw_ms now_ms, struct mw_folded *folded)
{
    *folded = (struct mw_folded){ .more = kind->more,
                                  .span_ms = now_ms - kind->begun_ms,
                                  .version = kind->version,
                                  .line = kind->line,
                                  .file = kind->file };
    kind->more = 0;
    kind->begun_ms = now_ms;
    kind->shown = MW_FOLD_SHOWN;
}

bool mw_fault_fold_flush(struct mw_fault_fold *fold, mw_ms now_ms, bool all,
                         struct mw_folded *folded)
{
    for (size_t i = 0; i < MW_FOLD_KINDS; i++) {
        struct mw_fold_kind *kind = &fold->kinds[i];
        if (kind->more && (all || is_due(kind->begun_ms, now_ms))) {
            tell_of(kind, now_ms, folded);
            return true;
        }
    }
    if (fold->others == 0 || !(all || is_due(fold->others_ms, now_ms)))
        return false;
    *folded =
        (struct mw_folded){ .more = fold->others, .span_ms = now_ms - fold->others_ms, .file = "" };
    fold->others = 0;
    return true;
}
