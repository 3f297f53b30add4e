#include "core/session/cause.h"

#include "core/proto/close.h"
#include "tests/unit/unit.h"

/* Section 4 of the contract with script authors, written down a second time on purpose. */
static const struct {
    const char *name, *who;
    unsigned code, wire_code;
} contract[] = {
    { "peer_close", "client", 1005, 1005 },       { "peer_fin", "network", 1006, 1006 },
    { "peer_reset", "network", 1006, 1006 },      { "tls_error", "network", 1006, 1006 },
    { "ping_timeout", "network", 1006, 3008 },    { "write_timeout", "network", 1006, 3008 },
    { "idle_timeout", "server", 3008, 3008 },     { "max_age", "server", 1001, 1001 },
    { "protocol_error", "server", 1002, 1002 },   { "http_on_websocket", "server", 1002, 1002 },
    { "bad_utf8", "server", 1007, 1007 },         { "bad_compression", "server", 1007, 1007 },
    { "bad_json", "server", 1007, 1007 },         { "message_too_big", "server", 1009, 1009 },
    { "inflated_too_big", "server", 1009, 1009 }, { "too_many_fragments", "server", 1008, 1008 },
    { "rate_limited", "server", 1008, 1008 },     { "connection_limit", "server", 1013, 1013 },
    { "slow_consumer", "server", 1013, 1013 },    { "out_of_memory", "server", 1013, 1013 },
    { "script_close", "server", 1000, 1000 },     { "script_error", "server", 1011, 1011 },
    { "script_budget", "server", 1011, 1011 },    { "script_memory", "server", 1011, 1011 },
    { "script_paused", "server", 1013, 1013 },    { "script_busy", "server", 1013, 1013 },
    { "script_removed", "server", 1001, 1001 },   { "drain", "server", 1001, 1001 },
    { "admin_close", "server", 1008, 1008 },
};

TEST(the_table_of_causes_says_what_the_contract_says)
{
    assert_int_equal(MW_CAUSE_COUNT, MW_COUNT(contract));
    for (int cause = 0; cause < MW_CAUSE_COUNT; cause++) {
        const struct mw_cause_row *row = mw_cause_row((enum mw_cause)cause);
        assert_string_equal(row->name, contract[cause].name);
        assert_string_equal(mw_who_name(row->who), contract[cause].who);
        assert_int_equal(row->code, contract[cause].code);
        assert_int_equal(row->wire_code, contract[cause].wire_code);
    }
}

TEST(what_goes_over_the_wire_may_be_sent)
{
    for (int cause = 0; cause < MW_CAUSE_COUNT; cause++) {
        const struct mw_cause_row *row = mw_cause_row((enum mw_cause)cause);
        bool never_sent = cause == MW_CAUSE_peer_close || cause == MW_CAUSE_peer_fin ||
                          cause == MW_CAUSE_peer_reset || cause == MW_CAUSE_tls_error;
        assert_int_equal(mw_close_code_is_sendable(row->wire_code), !never_sent);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_table_of_causes_says_what_the_contract_says),
        CASE(what_goes_over_the_wire_may_be_sent),
    };
    return RUN(cases);
}
