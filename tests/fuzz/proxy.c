/*
 * PROXY headers: each beginning of the bytes, as they would have come in turn. What was decided
 * stays decided, is decided within the bound, and says the same of the same header.
 *
 * The input is the bytes; ones that begin with 'h' are "\r\n\r\n\0\r\nQUIT\n" and what follows.
 */
#include "core/proto/proxy.h"

#include "tests/fuzz/fuzz.h"

struct answer {
    long result;
    struct mw_proxy_head head;
    const char *why;
};

static struct answer read_beginning(struct mw_view bytes)
{
    struct answer answer = { .why = NULL };
    char *copy = exact_copy(bytes);
    answer.result = mw_proxy_read(mw_view(copy, bytes.len), &answer.head, &answer.why);
    bool may_begin = mw_proxy_may_begin(mw_view(copy, bytes.len));
    CHECK(bytes.len == 0 || may_begin || answer.result == MW_ERR_PROTOCOL);
    free(copy);
    return answer;
}

/* Of version 2: what the header says of its own length. */
static size_t announced(struct mw_view bytes)
{
    if (bytes.data[0] != '\r')
        return 0;
    return 16u + (uint8_t)bytes.data[14] * 256u + (uint8_t)bytes.data[15];
}

static bool same_head(const struct mw_proxy_head *a, const struct mw_proxy_head *b)
{
    return mw_ip_equal(&a->from, &b->from) && mw_ip_equal(&a->to, &b->to) &&
           a->from_port == b->from_port && a->to_port == b->to_port;
}

static void check_one(const struct answer *answer, struct mw_view bytes)
{
    const struct mw_ip *from = &answer->head.from, *to = &answer->head.to;
    CHECK(answer->result > 0 || answer->result == MW_ERR_AGAIN ||
          answer->result == MW_ERR_PROTOCOL);
    CHECK((answer->result == MW_ERR_PROTOCOL) == (answer->why != NULL));
    CHECK(answer->result != MW_ERR_AGAIN || bytes.len < MW_PROXY_HEAD_MAX);
    if (answer->result <= 0)
        return;
    CHECK((size_t)answer->result <= bytes.len && answer->result <= MW_PROXY_HEAD_MAX);
    CHECK(announced(bytes) == 0 || (size_t)answer->result == announced(bytes));
    CHECK(announced(bytes) != 0 ||
          mw_view_ends_with(mw_view(bytes.data, (size_t)answer->result), "\r\n"));
    CHECK(from->len == 0 || from->len == 4 || from->len == 16);
    CHECK((from->len == 0) == (to->len == 0));
    CHECK(from->len || (!answer->head.from_port && !answer->head.to_port));
}

static void check_beginnings(struct mw_view bytes)
{
    struct answer whole = read_beginning(bytes);
    check_one(&whole, bytes);
    for (size_t len = 0; len < bytes.len && len < MW_PROXY_HEAD_MAX + 2; len++) {
        struct answer part = read_beginning(mw_view(bytes.data, len));
        check_one(&part, mw_view(bytes.data, len));
        if (part.result == MW_ERR_AGAIN) {
            CHECK(whole.result <= 0 || (size_t)whole.result > len);
            continue;
        }
        CHECK(part.result == whole.result && part.why == whole.why);
        CHECK(part.result <= 0 ||
              ((size_t)part.result == len && same_head(&part.head, &whole.head)));
        return;
    }
    CHECK(whole.result <= 0 || (size_t)whole.result == bytes.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char v2[12] = "\r\n\r\n\0\r\nQUIT\n";
    struct mw_view input = mw_view((const char *)data, size);
    struct mw_mem mem;
    struct mw_buf bytes;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&bytes, &mem, 0);
    if (size > 0 && data[0] == 'h') {
        must_put(&bytes, mw_view(v2, sizeof v2));
        input = mw_view_from(input, 1);
    }
    must_put(&bytes, input);
    check_beginnings(mw_buf_view(&bytes));
    mw_buf_free(&bytes);
    CHECK(mw_mem_is_empty(&mem));
    return 0;
}
