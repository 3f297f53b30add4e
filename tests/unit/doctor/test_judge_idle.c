/* judge_idle: which of two connections ended, and how, tells what is limited. */
#include "core/doctor/judge.h"

#include "tests/unit/unit.h"

enum how { OPEN, FIN, RST, CLOSED };

static void set_held(struct mw_doctor_held *held, enum how how, mw_ms at_ms, mw_ms silent_ms)
{
    *held = (struct mw_doctor_held){ .quiet_ms = silent_ms };
    if (how == OPEN)
        return;
    held->end =
        (struct mw_doctor_end){ .is_over = true,
                                .opened = true,
                                .cause = how == RST ? MW_CAUSE_peer_reset : MW_CAUSE_peer_fin,
                                .has_close = how == CLOSED,
                                .said_code = how == CLOSED ? 3008 : 0,
                                .uptime_ms = at_ms,
                                .silent_ms = silent_ms };
}

static const struct {
    struct {
        enum how how;
        mw_ms at_ms, silent_ms;
    } silent, talking;
    unsigned ping_s;
    bool is_promised;
    enum mw_doctor_state state;
    const char *value, *why, *fix;
} verdicts[] = {
    { { OPEN, 0, 120000 },
      { OPEN, 0, 500 },
      0,
      false,
      MW_DOCTOR_OK,
      "nothing cut it in 120 s; the longest silence was 120 s",
      "",
      "" },
    { { OPEN, 0, 25000 },
      { OPEN, 0, 500 },
      25,
      false,
      MW_DOCTOR_OK,
      "the longest silence was 25.0 s, for the server's pings end it",
      "",
      "ping = 0" },
    { { OPEN, 0, 30000 },
      { OPEN, 0, 500 },
      0,
      false,
      MW_DOCTOR_OK,
      "30.0 s, for the server spoke",
      "",
      "ping = 0" },
    { { FIN, 60100, 60000 },
      { OPEN, 0, 500 },
      0,
      false,
      MW_DOCTOR_FAIL,
      "by FIN, without a Close frame after 60.0 s of silence",
      "nginx",
      "proxy_read_timeout" },
    { { RST, 350500, 350400 },
      { OPEN, 0, 500 },
      0,
      false,
      MW_DOCTOR_FAIL,
      "by RST after 350 s of silence",
      "(not verified by us)",
      "tcp.idle_timeout" },
    { { FIN, 2000, 2000 },
      { OPEN, 0, 500 },
      0,
      false,
      MW_DOCTOR_FAIL,
      "after 2.0 s of silence",
      "No default of a common proxy",
      "limits = { ping = 1 }" },
    { { FIN, 3000, 3000 },
      { FIN, 3100, 400 },
      0,
      false,
      MW_DOCTOR_FAIL,
      "after 3.1 s of life (to half a second), although it spoke",
      "No default",
      "limits = { age = 2 }" },
    { { FIN, 2000, 2000 },
      { FIN, 9000, 400 },
      0,
      false,
      MW_DOCTOR_FAIL,
      "after 2.0 s of silence",
      "",
      "" },
    { { OPEN, 0, 9000 }, { RST, 9000, 400 }, 0, false, MW_DOCTOR_FAIL, "of life", "", "" },
    { { FIN, 60100, 60000 },
      { OPEN, 0, 500 },
      25,
      true,
      MW_DOCTOR_OK,
      "after 60.0 s of silence (to half a second); the server's pings, every 25 s, come before",
      "",
      "" },
    { { FIN, 40100, 40000 },
      { OPEN, 0, 500 },
      25,
      true,
      MW_DOCTOR_WARN,
      "every 25 s, come before that",
      "One ping that is lost",
      "ping = 15" },
    { { FIN, 20100, 20000 },
      { OPEN, 0, 500 },
      25,
      true,
      MW_DOCTOR_FAIL,
      "after 20.0 s of silence",
      "",
      "ping = 8" },
    { { CLOSED, 5000, 5000 },
      { OPEN, 0, 500 },
      0,
      false,
      MW_DOCTOR_WARN,
      "closed with 3008 after 5.0 s, by the server",
      "",
      "explain 3008" },
    { { OPEN, 0, 5000 },
      { CLOSED, 5000, 300 },
      0,
      false,
      MW_DOCTOR_WARN,
      "closed with 3008 after 5.0 s",
      "",
      "explain 3008" },
};

TEST(the_verdict_follows_from_both_ends)
{
    for (size_t i = 0; i < MW_COUNT(verdicts); i++) {
        struct mw_doctor_idle idle = { .wanted_ms = 120000,
                                       .is_promised = verdicts[i].is_promised };
        struct mw_doctor_line line = { .name = "idle" };
        const struct mw_doctor_who who = { .ping_s = verdicts[i].ping_s };
        set_held(&idle.silent, verdicts[i].silent.how, verdicts[i].silent.at_ms,
                 verdicts[i].silent.silent_ms);
        set_held(&idle.talking, verdicts[i].talking.how, verdicts[i].talking.at_ms,
                 verdicts[i].talking.silent_ms);
        mw_doctor_judge_idle(&line, &idle, &who);
        assert_int_equal(line.state, verdicts[i].state);
        assert_non_null(strstr(line.value, verdicts[i].value));
        assert_non_null(strstr(line.why, verdicts[i].why));
        assert_non_null(strstr(line.fix, verdicts[i].fix));
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = { CASE(the_verdict_follows_from_both_ends) };
    return RUN(cases);
}
