/* explain, facts, pair, doc: what is said about codes, pairs, causes and a script's own codes. */
#include <stdio.h>

#include "tests/unit/explain/told.h"

static void expect(const char *words, const struct mw_here *here, const char *const *parts)
{
    struct told told;
    const char *text = told_text(&told, TOLD_MARKDOWN, words, here);
    for (; *parts; parts++)
        assert_has(text, *parts);
    told_free(&told);
}

#define EXPECT(words, here, ...) expect(words, here, (const char *const[]){ __VA_ARGS__, 0 })

TEST(a_code_has_facts_and_sections)
{
    EXPECT("1006", 0, "### 1006 Abnormal Closure", "reserved: never sent on the wire",
           "yes, after 0.25 to 1 s, then longer, up to 30 s", "**Description**",
           "**When you see this code**", "**How to fix**", "peer\\_fin, peer\\_reset",
           "**See also**", "moonwire explain 1001 1006");
    EXPECT("1002", 0, "yes, after 5 to 10 s, then longer, up to 60 s; at most 5 tries");
    EXPECT("1000", 0, "no: stay away until something has changed", "sent by either side");
    EXPECT("1010", 0, "sent by clients only");
    EXPECT("1012", 0, "sent by servers only");
}

TEST(a_number_without_a_row_of_its_own_gets_its_range_and_its_neighbours)
{
    EXPECT("1500", 0, "1500 Reserved for the Protocol", "1500 is one of the codes 1016 to 2999.",
           "Nearest codes with a meaning: 1015, 3000");
    EXPECT("7", 0, "0 to 999", "Nearest codes with a meaning: 1000");
    EXPECT("99999", 0, "5000 to 65535", "Nearest codes with a meaning: 3008");
    EXPECT("4001", 0, "No running server was asked", "4000 to 4499");
}

TEST(a_cause_says_who_what_and_when_to_come_back)
{
    EXPECT("slow_consumer", 0, "### slow\\_consumer", "a cause, ended by: server",
           "1013 Try Again Later", "yes, after 5 to 15 s", "**What happened**",
           "**Likely reasons**", "**How to fix**", "moonwire explain 1013");
    EXPECT("ping_timeout", 0, "tried on the wire | 3008 Timeout", "1006 Abnormal Closure");
    EXPECT("peer_close", 0, "as the code says");
}

TEST(a_written_pair_has_its_own_words)
{
    EXPECT("1006 1001", 0, "### 1006 / 1001", "| 1006 Abnormal Closure | 1001 Going Away |",
           "1001 is said; 1006 is inferred.", "**Key differences**", "**When to use which**");
}

TEST(any_other_pair_is_composed_from_the_rows)
{
    EXPECT("1000 1015", 0, "1000 goes over the wire in a Close frame; 1015 never does",
           "After 1015 a client comes back by itself; after 1000 it stays away.",
           "1015 - never send it; conn:close(1015) is an error.", "1000 - The work is done");
    EXPECT("1004 1005", 0, "Neither goes over the wire");
    EXPECT("1010 1012", 0, "1010 is sent by: client. 1012 is sent by: server.",
           "only a client sends it", "only a server sends it");
    EXPECT("1001 1002", 0, "1001 is planned; 1002 is a fault.");
    EXPECT("1002 1011", 0,
           "After 1002 a client gives up after 5 tries; after 1011 it goes on trying.",
           "After 1011 a client may ask for its session; after 1002 it starts afresh.",
           "after 1002 in 5 to 10 s, after 1011 in 1 to 5 s");
    EXPECT("4001 4002", 0, "The protocol makes no difference between them");
    EXPECT("1003 1007", 0, "After both a client stays away until something has changed.");
    EXPECT("1001 4000", 0, "After both a client comes back in 1 to 5 s.");
}

static const struct mw_here_end ends[] = {
    { 1006, MW_VIEW("peer_fin"), MW_VIEW("network"), 139 },
    { 1006, MW_VIEW("ping_timeout"), MW_VIEW("network"), 3 },
    { 1001, MW_VIEW("peer_close"), MW_VIEW("client"), 58 },
};
static const struct mw_here_code codes[] = {
    { 4001,
      MW_VIEW("chat.lua"),
      MW_VIEW("kicked"),
      MW_VIEW("ask a moderator"),
      { .kind = MW_ADVICE_STAY } },
    { 4500,
      MW_VIEW("game/room.lua"),
      MW_VIEW("full"),
      MW_VIEW(""),
      { .kind = MW_ADVICE_RETURN, .after_ms = 1000, .spread_ms = 4000 } },
};
static const struct mw_here here = { ends, MW_COUNT(ends), codes, MW_COUNT(codes), 0 };

TEST(what_the_server_saw_is_told)
{
    EXPECT("1006", &here, "**Here, in the last hour**", "142 times, 71 % of all ends",
           "peer\\_fin: 139 times (by: network)", "likely cause: peer\\_fin");
    EXPECT("peer_close", &here, "58 times, 29 % of all ends", "by: client");
    EXPECT("1011", &here, "not once");
}

TEST(a_code_of_a_script_has_the_scripts_words)
{
    EXPECT("4001", &here, "### 4001 kicked", "a code of your script chat.lua",
           "Said by chat.lua: kicked", "chat.lua (as the running server has it)",
           "1. ask a moderator", "no: stay away");
    EXPECT("4500", &here, "4500 full", "add fix =", "yes, after 1 to 5 s");
    EXPECT("4001 4500", &here, "| 4001 kicked | 4500 full |");
}

/* The table said "stay away" and the differences "both come back". */
TEST(a_pair_with_a_code_of_a_script_does_not_contradict_itself)
{
    EXPECT("1001 4001", &here, "| 4001 kicked |",
           "After 1001 a client comes back by itself; "
           "after 4001 it stays away.",
           "4001 - kicked", "4001 - ask a moderator");
    EXPECT("4001 4500", &here, "4001 - kicked", "4500 - full",
           "After 4500 a client comes back by itself; after 4001 it stays away.", "add fix =");
}

static const struct mw_here_code disputed[] = {
    { 4001,
      MW_VIEW("chat.lua"),
      MW_VIEW("kicked"),
      MW_VIEW("ask a moderator"),
      { .kind = MW_ADVICE_STAY } },
    { 4008,
      MW_VIEW("chat.lua"),
      MW_VIEW("too fast"),
      MW_VIEW(""),
      { .kind = MW_ADVICE_RETURN, .after_ms = 30000, .spread_ms = 30000 } },
    { 4001,
      MW_VIEW("game.lua"),
      MW_VIEW("lost"),
      MW_VIEW(""),
      { .kind = MW_ADVICE_RETURN, .after_ms = 2500 } },
    { 4001,
      MW_VIEW("lobby.lua"),
      MW_VIEW("kicked"),
      MW_VIEW("ask a moderator"),
      { .kind = MW_ADVICE_STAY } },
    { 4002, MW_VIEW("a.lua"), MW_VIEW("moved"), MW_VIEW(""), { .kind = MW_ADVICE_NONE } },
    { 4002, MW_VIEW("b.lua"), MW_VIEW("moved"), MW_VIEW("follow"), { .kind = MW_ADVICE_NONE } },
};
static const struct mw_here from_files = { 0, 0, disputed, MW_COUNT(disputed), "app/scripts" };

/* Only the first script's words were shown. */
TEST(scripts_that_do_not_agree_are_all_heard)
{
    EXPECT("4001", &from_files, "### 4001 kicked / lost",
           "a code of your script chat.lua, game.lua, lobby.lua", "read from app/scripts;",
           "chat.lua, lobby.lua - no: stay away until something has changed; "
           "game.lua - yes, after 2.5 s |",
           "| session may be resumed | no |", "Said by chat.lua, lobby.lua: kicked",
           "Said by game.lua: lost", "1. chat.lua, lobby.lua - ask a moderator",
           "1. game.lua - The script names no way");
    EXPECT("4002", &from_files, "### 4002 moved\n", "yes, after 1 to 5 s, then longer",
           "1. a.lua - The script names", "1. b.lua - follow");
    EXPECT("4001 4008", &from_files, "| 4001 kicked / lost | 4008 too fast |",
           "4001 (chat.lua, lobby.lua) - kicked", "4001 (game.lua) - lost", "4008 - too fast",
           "| yes, after 30 to 60 s |");
}

TEST(what_scripts_say_of_coming_back_is_told_with_its_times)
{
    EXPECT("4008", &from_files, "yes, after 30 to 60 s |");
    EXPECT("1001 4008", &from_files, "after 1001 in 1 to 5 s, after 4008 in 30 to 60 s");
}

/* "1001 - From a client: the tab was closed." */
TEST(a_composed_pair_has_no_two_colons_in_a_row)
{
    for (unsigned lang = 0; lang < MW_LANG_COUNT; lang++) {
        struct told told = { 0 };
        mw_mem_init(&told.mem, 0, 0);
        mw_buf_init(&told.out, &told.mem, 0);
        assert_int_equal(told_add(&told, TOLD_MARKDOWN, (enum mw_lang)lang, "1001 1011", 0, 0), 0);
        for (unsigned code = 1001; code <= 1011; code += 10) {
            char number[16];
            snprintf(number, sizeof number, "%u:", code);
            assert_lacks(mw_buf_cstr(&told.out), number);
        }
        told_free(&told);
    }
}

TEST(a_code_that_no_script_names_is_told_so)
{
    EXPECT("4777", &from_files, "No script here says what 4777 means");
    EXPECT("4777", &here, "No script here says what 4777 means");
    EXPECT("4777", 0, "no scripts were read");
}

TEST(the_overview_has_a_line_for_each_row)
{
    struct mw_mem mem;
    struct mw_doc doc;
    mw_mem_init(&mem, 0, 0);
    mw_doc_init(&doc, &mem, MW_LANG_EN);
    mw_explain_overview(&doc);
    assert_int_equal(doc.err, 0);
    assert_view(mw_doc_text(&doc, &mw_doc_at(&doc, 2)->cells[0]), "1000 Normal Closure");
    assert_view(mw_doc_text(&doc, &mw_doc_at(&doc, 1)->cells[0]), "0-999 Not Used");
    mw_doc_free(&doc);
    assert_mem_empty(&mem);
}

static bool says_all(struct mw_mem *mem)
{
    struct told told = { 0 };
    mw_buf_init(&told.out, mem, 0);
    int err = 0;
    struct mw_doc doc;
    struct mw_subject subject = { MW_SUBJECT_CODE, 4001, 0, 0 };
    mw_doc_init(&doc, mem, MW_LANG_EN);
    mw_explain(&doc, &subject, &here);
    err = mw_render_terminal(&told.out, &doc, &(struct mw_terminal){ .cells = 80 });
    if (!err)
        err = mw_render_json(&told.out, &doc, &subject, &here);
    if (!err)
        err = mw_render_markdown(&told.out, &doc, 2);
    if (!err)
        err = mw_render_html(&told.out, &doc, mw_view_text("/"));
    mw_doc_free(&doc);
    mw_buf_free(&told.out);
    return err == 0;
}

TEST(no_memory_is_an_answer)
{
    assert_true(fail_each_allocation(says_all) > 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_code_has_facts_and_sections),
        CASE(a_number_without_a_row_of_its_own_gets_its_range_and_its_neighbours),
        CASE(a_cause_says_who_what_and_when_to_come_back),
        CASE(a_written_pair_has_its_own_words),
        CASE(any_other_pair_is_composed_from_the_rows),
        CASE(what_the_server_saw_is_told),
        CASE(a_code_of_a_script_has_the_scripts_words),
        CASE(a_pair_with_a_code_of_a_script_does_not_contradict_itself),
        CASE(scripts_that_do_not_agree_are_all_heard),
        CASE(what_scripts_say_of_coming_back_is_told_with_its_times),
        CASE(a_composed_pair_has_no_two_colons_in_a_row),
        CASE(a_code_that_no_script_names_is_told_so),
        CASE(the_overview_has_a_line_for_each_row),
        CASE(no_memory_is_an_answer),
    };
    return RUN(cases);
}
