/* A client that comes back, against a server that sends it away. */
#include "core/outbound/returning.h"

#include "tests/unit/outbound/far.h"

struct tale {
    struct mw_returning *returning;
    unsigned opened, ended, nexts, frees_at; /* frees_at: in which `next`; 0: never */
    struct mw_reconnect_step first, step;    /* the first and the last that was told */
    bool is_impatient;
};

static void tale_opened(void *owner, const struct mw_ws_answer *answer)
{
    (void)answer;
    ((struct tale *)owner)->opened++;
}

static void tale_ended(void *owner, const struct mw_ws_ended *ended)
{
    (void)ended;
    ((struct tale *)owner)->ended++;
}

static void tale_next(void *owner, const struct mw_reconnect_step *step)
{
    struct tale *tale = owner;
    tale->nexts++;
    tale->step = *step;
    if (tale->nexts == 1)
        tale->first = *step;
    if (tale->frees_at == tale->nexts) {
        mw_returning_free(tale->returning);
        tale->returning = NULL;
    } else if (tale->is_impatient && step->why == MW_RECONNECT_RETURNS) {
        assert_true(mw_returning_now(tale->returning));
    }
}

static const struct mw_returning_events events = {
    .client = { .opened = tale_opened, .ended = tale_ended },
    .next = tale_next,
};

static void begin(struct stage *stage, struct mw_ws_client_setup *setup, struct tale *tale)
{
    char why[256];
    memset(tale, 0, sizeof *tale);
    *setup = (struct mw_ws_client_setup){ .outbound = &stage->outbound,
                                          .url = mw_view_text(stage->url),
                                          .owner = tale };
    assert_int_equal(mw_returning_start(setup, &events, &tale->returning, why), MW_OK);
}

TEST(as_told_it_returns_and_when_told_so_it_stays)
{
    const struct far_play play = { .then = FAR_SPEAKS,
                                   .close_code = 1012,
                                   .close_reason = "again;retry=1-2" };
    struct stage stage;
    struct mw_ws_client_setup setup;
    struct tale tale;
    open_stage(&stage, &play, NULL);
    begin(&stage, &setup, &tale);
    wait_for_count(&stage.world, &tale.nexts, 1);
    /* A busy machine looks when it has been back a second time. */
    assert_int_equal(tale.first.why, MW_RECONNECT_RETURNS);
    assert_in_range(tale.first.after_ms, 1, 2);
    assert_true(tale.first.resume);
    wait_for_count(&stage.world, &tale.opened, 2);
    stage.play.close_reason = "enough;retry=no";
    wait_for_count(&stage.world, &tale.nexts, 2);
    assert_true(mw_returning_now(tale.returning));
    wait_for_count(&stage.world, &tale.nexts, 3);
    assert_int_equal(tale.step.why, MW_RECONNECT_TOLD);
    assert_int_equal(mw_returning_attempts(tale.returning), 3);
    assert_null(mw_returning_client(tale.returning));
    assert_false(mw_returning_now(tale.returning));
    mw_returning_free(tale.returning);
    close_stage(&stage);
}

TEST(a_refusal_that_would_only_be_repeated_ends_it)
{
    const struct far_play play = { .answer = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n" };
    struct stage stage;
    struct mw_ws_client_setup setup;
    struct tale tale;
    open_stage(&stage, &play, NULL);
    begin(&stage, &setup, &tale);
    wait_for_count(&stage.world, &tale.nexts, 1);
    assert_int_equal(tale.step.why, MW_RECONNECT_REFUSED);
    assert_int_equal(tale.ended, 1);
    mw_returning_free(tale.returning);
    close_stage(&stage);
}

TEST(stopped_while_it_waits_it_stays)
{
    const struct far_play play = { .then = FAR_RESETS };
    struct stage stage;
    struct mw_ws_client_setup setup;
    struct tale tale;
    open_stage(&stage, &play, NULL);
    begin(&stage, &setup, &tale);
    wait_for_count(&stage.world, &tale.nexts, 1);
    assert_int_equal(tale.step.why, MW_RECONNECT_RETURNS);
    mw_returning_stop(tale.returning, 1000, mw_view("", 0));
    wait_for_count(&stage.world, &tale.nexts, 2);
    assert_int_equal(tale.step.why, MW_RECONNECT_OURS);
    mw_returning_free(tale.returning);
    close_stage(&stage);
}

TEST(stopped_while_it_is_open_it_says_goodbye_and_stays)
{
    const struct far_play play = { .then = FAR_SPEAKS };
    struct stage stage;
    struct mw_ws_client_setup setup;
    struct tale tale;
    open_stage(&stage, &play, NULL);
    begin(&stage, &setup, &tale);
    wait_for_count(&stage.world, &tale.opened, 1);
    assert_true(mw_ws_client_is_open(mw_returning_client(tale.returning)));
    mw_returning_stop(tale.returning, 1000, mw_view("", 0));
    wait_for_count(&stage.world, &tale.nexts, 1);
    assert_int_equal(tale.step.why, MW_RECONNECT_OURS);
    mw_returning_free(tale.returning);
    close_stage(&stage);
}

TEST(impatient_it_tries_again_at_once_and_counts)
{
    const struct far_play play = { .then = FAR_FINISHES };
    struct stage stage;
    struct mw_ws_client_setup setup;
    struct tale tale;
    open_stage(&stage, &play, NULL);
    begin(&stage, &setup, &tale);
    tale.is_impatient = true;
    wait_for_count(&stage.world, &tale.nexts, 5);
    assert_true(tale.step.attempt >= 5);
    assert_true(tale.step.most_ms >= 16000);
    mw_returning_free(tale.returning);
    close_stage(&stage);
}

TEST(let_go_of_inside_its_own_event_nothing_stays)
{
    const struct far_play play = { .then = FAR_FINISHES };
    struct stage stage;
    struct mw_ws_client_setup setup;
    struct tale tale;
    open_stage(&stage, &play, NULL);
    begin(&stage, &setup, &tale);
    tale.frees_at = 1;
    wait_for_count(&stage.world, &tale.nexts, 1);
    run_some_turns(&stage.world);
    close_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(as_told_it_returns_and_when_told_so_it_stays),
        CASE(a_refusal_that_would_only_be_repeated_ends_it),
        CASE(stopped_while_it_waits_it_stays),
        CASE(stopped_while_it_is_open_it_says_goodbye_and_stays),
        CASE(impatient_it_tries_again_at_once_and_counts),
        CASE(let_go_of_inside_its_own_event_nothing_stays),
    };
    return RUN(cases);
}
