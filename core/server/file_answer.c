/*
 * Decides on the answer to a request for a file that is there, and writes its head. Called by
 * static_files, which reads and sends.
 */
#include "core/server/file_answer.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/str.h"
#include "core/proto/http_date.h"
#include "core/proto/http_out.h"
#include "core/proto/mime.h"

/*
 * RFC 9110 8.8.1, 8.8.2: who saves twice within a second may leave the same time twice. So a file
 * of this very second (or of a clock that is ahead) has no date yet, and its tag is a weak one.
 */
static void describe(struct mw_file_answer *answer, const struct mw_file_info *info, int64_t now_s)
{
    answer->size = info->size;
    answer->modified_s = info->modified_s;
    answer->has_date = info->modified_s >= 0 && info->modified_s < now_s;
    snprintf(answer->etag, sizeof answer->etag, "%s\"%" PRIx64 "-%" PRIx64 ".%" PRIx32 "\"",
             answer->has_date ? "" : "W/", info->size, (uint64_t)info->modified_s,
             info->modified_ns);
}

/* RFC 9110 14.2: a range is something of GET alone, and of a request whose preconditions hold. */
static unsigned decide_range(struct mw_file_answer *answer, const struct mw_http_head *head,
                             const struct mw_validators *validators, int64_t now_s)
{
    size_t count;
    struct mw_view range = mw_http_header(head, "range", &count);
    if (count != 1 || !mw_view_is(head->method, "GET") ||
        !mw_if_range_holds(head, validators, now_s))
        return 200;
    switch (mw_range_read(range, answer->size, &answer->part)) {
    case MW_RANGE_WHOLE:
        return 200;
    case MW_RANGE_PART:
        return 206;
    case MW_RANGE_OUTSIDE:
        return 416;
    }
    return 200;
}

static unsigned decide_status(struct mw_file_answer *answer, const struct mw_http_head *head,
                              int64_t now_s)
{
    const struct mw_validators validators = {
        .etag = mw_view_text(answer->etag),
        .has_date = answer->has_date,
        .modified_s = answer->modified_s,
    };
    switch (mw_precondition_judge(head, &validators, now_s)) {
    case MW_PRECONDITION_HOLDS:
        return decide_range(answer, head, &validators, now_s);
    case MW_PRECONDITION_UNCHANGED:
        return 304;
    case MW_PRECONDITION_FAILED:
        return 412;
    }
    return 412;
}

void mw_file_answer_decide(struct mw_file_answer *answer, const struct mw_http_head *head,
                           const struct mw_file_info *info, mw_ms unix_ms)
{
    int64_t now_s = (int64_t)(unix_ms / 1000);
    *answer = (struct mw_file_answer){ .part = { 0, info->size } };
    describe(answer, info, now_s);
    answer->status = decide_status(answer, head, now_s);
    if ((answer->status == 200 || answer->status == 206) && mw_view_is(head->method, "GET"))
        answer->body = answer->part;
}

void mw_file_answer_content_range(const struct mw_file_answer *answer, char out[72])
{
    const struct mw_range *part = &answer->part;
    if (answer->status == 416)
        snprintf(out, 72, "bytes */%" PRIu64, answer->size);
    else
        snprintf(out, 72, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part->start,
                 part->start + part->len - 1, answer->size);
}

/* What a 304 leaves out (RFC 9110 15.4.5): the client has it. */
static int put_representation(const struct mw_file_answer *answer, struct mw_buf *out,
                              struct mw_view name)
{
    char text[72];
    int err = mw_http_field(out, "Content-Type", mw_view_text(mw_mime_of(name)));
    if (!err)
        err = mw_http_field(out, "X-Content-Type-Options", mw_view_text("nosniff"));
    if (!err)
        err = mw_http_field_number(out, "Content-Length", answer->part.len);
    if (!err)
        err = mw_http_field(out, "Accept-Ranges", mw_view_text("bytes"));
    if (!err && answer->status == 206) {
        mw_file_answer_content_range(answer, text);
        err = mw_http_field(out, "Content-Range", mw_view_text(text));
    }
    if (!err && answer->has_date) {
        mw_http_date((mw_ms)answer->modified_s * 1000, text);
        err = mw_http_field(out, "Last-Modified", mw_view_text(text));
    }
    return err;
}

int mw_file_answer_put_head(const struct mw_file_answer *answer, struct mw_http_conn *http,
                            struct mw_view name, mw_ms unix_ms)
{
    struct mw_buf *out = &http->out;
    int err = mw_http_conn_start(http, answer->status, unix_ms);
    if (!err)
        err = mw_http_field(out, "ETag", mw_view_text(answer->etag));
    if (!err)
        err = mw_http_field(out, "Cache-Control", mw_view_text("no-cache"));
    if (!err && answer->status != 304)
        err = put_representation(answer, out, name);
    return err ? err : mw_http_end(out);
}
