/* What is remembered of ends, for how long, and how much of it. */
#include "core/server/ends.h"

#include "core/base/str.h"
#include "tests/unit/unit.h"

static struct mw_end_record facts_of(mw_id id, mw_ms at_ms)
{
    return (struct mw_end_record){
        .id = id,
        .state = "closed",
        .at_ms = at_ms,
        .code = 1006,
        .cause = MW_CAUSE_peer_fin,
        .ping_ms = MW_NEVER,
        .rtt_ms = UINT32_MAX,
        .path = mw_view_text("/chat/lobby"),
        .script = mw_view_text("chat.lua"),
    };
}

static void add(struct mw_ends *ends, mw_id id, mw_ms at_ms)
{
    struct mw_end_record facts = facts_of(id, at_ms);
    mw_ends_add(ends, &facts);
}

TEST(an_end_is_found_by_its_id_and_owns_its_texts)
{
    struct mw_mem mem;
    struct mw_ends ends;
    char path[] = "/gone";
    mw_mem_init(&mem, NULL, 0);
    mw_ends_init(&ends, &mem);
    struct mw_flight_entry entry = { .kind = MW_FLIGHT_IN, .at_ms = 7 };
    struct mw_end_record facts = facts_of(5, 1000);
    facts.path = mw_view_text(path);
    facts.flight = &entry;
    facts.flight_count = 1;
    mw_ends_add(&ends, &facts);
    memset(path, 'x', sizeof path - 1);
    entry.at_ms = 0;
    const struct mw_end_record *found = mw_ends_find(&ends, 5, 1000);
    assert_non_null(found);
    assert_view(found->path, "/gone");
    assert_view(found->script, "chat.lua");
    assert_int_equal(found->flight[0].at_ms, 7);
    assert_null(mw_ends_find(&ends, 6, 1000));
    mw_ends_free(&ends);
    assert_mem_empty(&mem);
}

TEST(the_last_ones_come_first)
{
    struct mw_mem mem;
    struct mw_ends ends;
    mw_mem_init(&mem, NULL, 0);
    mw_ends_init(&ends, &mem);
    for (mw_id id = 1; id <= 3; id++)
        add(&ends, id, 1000);
    const struct mw_end_record *record = 0;
    for (mw_id id = 3; id >= 1; id--) {
        record = mw_ends_before(&ends, record, 1000);
        assert_int_equal(record->id, id);
    }
    assert_null(mw_ends_before(&ends, record, 1000));
    mw_ends_free(&ends);
    assert_mem_empty(&mem);
}

TEST(they_are_bounded_in_number)
{
    struct mw_mem mem;
    struct mw_ends ends;
    mw_mem_init(&mem, NULL, 0);
    mw_ends_init(&ends, &mem);
    for (mw_id id = 1; id <= MW_ENDS_MAX + 10; id++)
        add(&ends, id, 1000);
    assert_int_equal(ends.count, MW_ENDS_MAX);
    assert_null(mw_ends_find(&ends, 10, 1000));
    assert_non_null(mw_ends_find(&ends, 11, 1000));
    mw_ends_free(&ends);
    assert_mem_empty(&mem);
}

TEST(they_are_bounded_in_bytes)
{
    struct mw_mem mem;
    struct mw_ends ends;
    static char long_text[4000];
    static struct mw_flight_entry flight[MW_FLIGHT_ENTRIES];
    mw_mem_init(&mem, NULL, 0);
    mw_ends_init(&ends, &mem);
    memset(long_text, 'x', sizeof long_text);
    for (mw_id id = 1; id <= MW_ENDS_MAX; id++) {
        struct mw_end_record facts = facts_of(id, 1000);
        facts.path = facts.fault = facts.detail = facts.reason = facts.route = facts.rule =
            mw_view(long_text, sizeof long_text);
        facts.flight = flight;
        facts.flight_count = MW_FLIGHT_ENTRIES;
        mw_ends_add(&ends, &facts);
    }
    assert_true(mem.bytes <= MW_ENDS_BYTES);
    assert_true(ends.count < MW_ENDS_MAX);
    assert_int_equal(mw_ends_find(&ends, MW_ENDS_MAX, 1000)->path.len, MW_END_TEXT_MAX);
    mw_ends_free(&ends);
    assert_mem_empty(&mem);
}

TEST(they_are_forgotten_after_a_quarter_of_an_hour)
{
    struct mw_mem mem;
    struct mw_ends ends;
    mw_mem_init(&mem, NULL, 0);
    mw_ends_init(&ends, &mem);
    add(&ends, 1, 1000);
    add(&ends, 2, 2000);
    assert_non_null(mw_ends_find(&ends, 1, 1000 + MW_ENDS_KEEP_MS));
    assert_null(mw_ends_find(&ends, 1, 1001 + MW_ENDS_KEEP_MS));
    assert_non_null(mw_ends_find(&ends, 2, 1001 + MW_ENDS_KEEP_MS));
    mw_ends_free(&ends);
    assert_mem_empty(&mem);
}

static bool remember_two(struct mw_mem *mem)
{
    struct mw_ends ends;
    mw_ends_init(&ends, mem);
    add(&ends, 1, 1000);
    add(&ends, 2, 1000);
    bool has_both = ends.count == 2;
    mw_ends_free(&ends);
    return has_both;
}

TEST(without_memory_an_end_is_not_remembered)
{
    assert_int_equal(fail_each_allocation(remember_two), 2);
}

TEST(a_record_is_written_with_what_is_known)
{
    struct mw_mem mem;
    struct mw_buf text;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&text, &mem, 0);
    const struct mw_flight_entry flight[] = {
        { .kind = MW_FLIGHT_IN, .what = 0x81, .number = 1, .bytes = 5, .at_ms = 1500, .times = 2 },
        { .kind = MW_FLIGHT_CALL, .what = 0, .number = MW_FLIGHT_FAILED, .times = 1 },
        { .kind = MW_FLIGHT_REFUSED, .bytes = 99, .times = 1 },
        { .kind = MW_FLIGHT_OUT, .what = 0x88, .number = 1002, .bytes = 2, .times = 1 },
    };
    struct mw_end_record facts = facts_of(0xab, 1000);
    facts.flight = flight;
    facts.flight_count = MW_COUNT(flight);
    facts.lasted_ms = 2500;
    facts.dropped = 4;
    facts.part_have = 3;
    facts.part_of = 10;
    struct mw_json_writer json = { .out = &text };
    mw_end_record_json(&facts, &json);
    assert_int_equal(json.err, MW_OK);
    assert_int_equal(mw_buf_put_byte(&text, '\0'), MW_OK);
    static const char *const parts[] = {
        "\"conn\":\"ab\"",
        "\"code\":1006",
        "\"cause\":\"peer_fin\"",
        "\"who\":\"network\"",
        "\"lasted\":2.5",
        "\"dropped\":4,\"queued\"",
        "\"part_have\":3,\"part_of\":10",
        "{\"at\":1.5,\"what\":\"in\",\"frame\":\"text\",\"fin\":true,\"rsv\":0,\"bytes\":5,"
        "\"times\":2}",
        "\"handler\":\"on_message\",\"result\":\"failed\"",
        "\"what\":\"refused\",\"queued\":99",
        "\"frame\":\"close\",\"fin\":true,\"rsv\":0,\"code\":1002",
    };
    for (size_t i = 0; i < MW_COUNT(parts); i++) {
        if (!strstr(text.data, parts[i]))
            fail_msg("no %s in %s", parts[i], text.data);
    }
    mw_buf_free(&text);
    assert_mem_empty(&mem);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_end_is_found_by_its_id_and_owns_its_texts),
        CASE(the_last_ones_come_first),
        CASE(they_are_bounded_in_number),
        CASE(they_are_bounded_in_bytes),
        CASE(they_are_forgotten_after_a_quarter_of_an_hour),
        CASE(without_memory_an_end_is_not_remembered),
        CASE(a_record_is_written_with_what_is_known),
    };
    return RUN(cases);
}
