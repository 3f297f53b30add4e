#include "core/bench/wire.h"

#include <stdio.h>

#include "core/base/str.h"
#include "core/proto/mask.h"
#include "tests/unit/unit.h"

static const char stream[] = "\x81\x05hello"
                             "\x89\x03"
                             "abc"
                             "\x81\x00"
                             "\x88\x02\x03\xe8";

/* Puts what the pieces say into one text: "hello|9:abc||8:.." whatever the cuts. */
static void read_in_pieces(size_t cut, char out[64])
{
    struct mw_bench_reader reader = { .have = 0 };
    size_t len = 0;
    for (size_t at = 0; at < sizeof stream - 1; at += cut) {
        size_t n = sizeof stream - 1 - at < cut ? sizeof stream - 1 - at : cut;
        struct mw_view rest = mw_view(stream + at, n);
        struct mw_bench_piece piece;
        int step;
        while ((step = mw_bench_read(&reader, &rest, &piece)) > 0) {
            if (piece.at == 0 && mw_opcode_is_control(piece.opcode))
                len += (size_t)snprintf(out + len, 64 - len, "%x:", piece.opcode);
            memcpy(out + len, piece.bytes.data, piece.bytes.len);
            len += piece.bytes.len;
            if (piece.is_last)
                out[len++] = '|';
        }
        assert_int_equal(step, 0);
    }
    out[len] = '\0';
}

TEST(pieces_are_the_same_however_the_bytes_are_cut)
{
    for (size_t cut = 1; cut < sizeof stream; cut++) {
        char seen[64];
        read_in_pieces(cut, seen);
        assert_string_equal(seen, "hello|9:abc||8:\x03\xe8|");
    }
}

TEST(masked_frames_and_fragments_are_refused)
{
    static const char *const table[] = { "\x81\x85", "\x01\x01x", "\x80\x01x", "\xc1\x01x",
                                         "\x83\x01x" };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct mw_bench_reader reader = { .have = 0 };
        struct mw_bench_piece piece;
        struct mw_view rest = mw_view_text(table[i]);
        assert_int_equal(mw_bench_read(&reader, &rest, &piece), MW_ERR_PROTOCOL);
    }
}

TEST(a_control_frame_is_masked)
{
    uint8_t out[6 + MW_CONTROL_MAX];
    struct mw_frame_head frame;
    enum mw_rule rule;
    size_t len = mw_bench_control(MW_OPCODE_PONG, mw_view("abc", 3), out);
    assert_int_equal(len, 9);
    assert_int_equal(mw_frame_decode(out, len, MW_ROLE_SERVER, false, &frame, &rule), 6);
    mw_mask(out + 6, 3, frame.mask, 0);
    assert_memory_equal(out + 6, "abc", 3);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(pieces_are_the_same_however_the_bytes_are_cut),
        CASE(masked_frames_and_fragments_are_refused),
        CASE(a_control_frame_is_masked),
    };
    return RUN(cases);
}
