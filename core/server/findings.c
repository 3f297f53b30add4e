/* A list of findings. Filled by check, read by the verb. */
#include "core/server/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"

void mw_findings_init(struct mw_findings *findings, struct mw_mem *mem)
{
    *findings = (struct mw_findings){ .mem = mem };
}

static void free_text(struct mw_findings *findings, const char *text)
{
    if (text)
        mw_free(findings->mem, (void *)(uintptr_t)text, strlen(text) + 1);
}

static void free_texts(struct mw_findings *findings, struct mw_found *found)
{
    free_text(findings, found->file);
    free_text(findings, found->text);
    free_text(findings, found->rule);
    free_text(findings, found->message);
    free_text(findings, found->hint);
}

void mw_findings_free(struct mw_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        free_texts(findings, &findings->items[i]);
    mw_free(findings->mem, findings->items, findings->cap * sizeof *findings->items);
    findings->items = 0;
    findings->count = findings->cap = 0;
}

static bool make_room(struct mw_findings *findings)
{
    size_t cap = findings->cap ? findings->cap * 2 : 16;
    if (findings->count < findings->cap)
        return true;
    struct mw_found *items = mw_realloc(findings->mem, findings->items,
                                        findings->cap * sizeof *items, cap * sizeof *items);
    if (!items)
        return false;
    findings->items = items;
    findings->cap = cap;
    return true;
}

/* Texts end at a NUL, which a line of source may hold. */
static const char *copy(struct mw_findings *findings, struct mw_view text)
{
    text.len = mw_view_find(text, '\0', 0);
    return mw_mem_copy(findings->mem, text.data ? text : mw_view_text(""));
}

/* Nobody wrote a longer line by hand, and each finding in it would hold it. */
#define MAX_LINE 1000

static struct mw_view line_to_show(struct mw_view line)
{
    return line.len <= MAX_LINE ? line : mw_view_text("");
}

/* "./scripts" and "chat.lua": "scripts/chat.lua". */
static void join(char out[1024], const char *folder, struct mw_view file)
{
    while (folder[0] == '.' && folder[1] == '/')
        folder += 2;
    bool is_here = !*folder || !strcmp(folder, ".");
    snprintf(out, 1024, "%s%s%.*s", is_here ? "" : folder, is_here ? "" : "/",
             (int)(file.len < 512 ? file.len : 512), file.data);
}

void mw_findings_add(struct mw_findings *findings, const char *folder,
                     const struct mw_finding *finding)
{
    char path[1024];
    if (!make_room(findings)) {
        findings->err = MW_ERR_NOMEM;
        return;
    }
    join(path, folder, finding->file);
    struct mw_found found = {
        .file = copy(findings, mw_view_text(path)),
        .line = finding->line,
        .column = finding->column,
        .width = finding->width,
        .text = copy(findings, line_to_show(finding->text)),
        .rule = copy(findings, mw_view_text(finding->rule)),
        .severity = finding->severity,
        .message = copy(findings, mw_view_text(finding->message)),
        .hint = copy(findings, mw_view_text(finding->hint)),
    };
    if (found.file && found.text && found.rule && found.message && found.hint) {
        findings->items[findings->count++] = found;
    } else {
        free_texts(findings, &found);
        findings->err = MW_ERR_NOMEM;
    }
}

bool mw_findings_has(const struct mw_findings *findings, const char *rule, const char *folder,
                     struct mw_view file, int line, const char *message)
{
    char path[1024];
    join(path, folder, file);
    for (size_t i = 0; i < findings->count; i++) {
        const struct mw_found *found = &findings->items[i];
        bool is_same = found->line == line || !strcmp(found->message, message);
        if (rule && strcmp(found->rule, rule) != 0)
            continue;
        if (found->severity == MW_SEVERITY_ERROR && is_same && !strcmp(found->file, path))
            return true;
    }
    return false;
}

static int compare(const void *a, const void *b)
{
    const struct mw_found *one = a, *other = b;
    int order = strcmp(one->file, other->file);
    if (!order)
        order = (one->line > other->line) - (one->line < other->line);
    if (!order)
        order = (one->column > other->column) - (one->column < other->column);
    return order ? order : strcmp(one->rule, other->rule);
}

void mw_findings_sort(struct mw_findings *findings)
{
    if (findings->count)
        qsort(findings->items, findings->count, sizeof *findings->items, compare);
}

size_t mw_findings_count(const struct mw_findings *findings, enum mw_severity severity)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++)
        count += findings->items[i].severity == severity;
    return count;
}
