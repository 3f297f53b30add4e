/*
 * How a GET or HEAD of a file is answered, from the request's head and the file's size and age:
 * preconditions (RFC 9110 13), range (14), and the head of the answer. No sockets, no reading.
 */
#ifndef MW_SERVER_FILE_ANSWER_H
#define MW_SERVER_FILE_ANSWER_H

#include "core/io/file.h"
#include "core/proto/conditional.h"
#include "core/proto/range.h"
#include "core/session/http_conn.h"

struct mw_file_answer {
    unsigned status;      /* 200, 206, 304; or 412, 416, which put_head does not know */
    struct mw_range body; /* of the file; empty where no body follows the head */
    struct mw_range part; /* what Content-Length and Content-Range say, also to HEAD */
    uint64_t size;        /* of the file */
    bool has_date;
    int64_t modified_s;
    char etag[64];
};

void mw_file_answer_decide(struct mw_file_answer *answer, const struct mw_http_head *head,
                           const struct mw_file_info *info, mw_ms unix_ms);

/*
 * The head of a 200, 206 or 304 into http->out, for a file of this name. MW_ERR_NOMEM: a part of it
 * may be there.
 */
int mw_file_answer_put_head(const struct mw_file_answer *answer, struct mw_http_conn *http,
                            struct mw_view name, mw_ms unix_ms);

/* "bytes 0-499/1234", or of a 416 "bytes *" + "/1234", into out[72]. */
void mw_file_answer_content_range(const struct mw_file_answer *answer, char out[72]);

#endif
