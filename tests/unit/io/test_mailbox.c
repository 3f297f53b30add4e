#include "core/io/mailbox.h"

#include "core/io/thread.h"
#include "tests/unit/io/io.h"

#define SENDERS         4
#define LETTERS         2000
#define CLOSING_LETTERS 8

struct letter {
    struct mw_mail mail;
    unsigned sender, number;
};

struct office {
    struct world world;
    struct mw_mailbox *box;
    struct letter letters[SENDERS][LETTERS];
    unsigned next[SENDERS]; /* the number that has to come next */
    unsigned count;
    unsigned closes_at; /* the count at which the box is closed from inside; 0: never */
    unsigned asks_at;   /* ... at which whatever else there is has to come at once */
};

struct sender {
    struct office *office;
    unsigned number;
};

static void receive(void *ctx, struct mw_mail *mail)
{
    struct office *office = ctx;
    struct letter *letter = MW_OWNER(mail, struct letter, mail);
    assert_int_equal(letter->number, office->next[letter->sender]++);
    if (++office->count == office->closes_at)
        mw_mailbox_close(office->box);
    if (office->count == office->asks_at) {
        mw_mailbox_deliver(office->box);
        assert_int_equal(office->count, CLOSING_LETTERS);
    }
}

static struct office *open_office(void)
{
    static struct office office;
    memset(&office, 0, sizeof(office));
    open_world(&office.world);
    assert_int_equal(mw_mailbox_open(office.world.loop, receive, &office, &office.box), MW_OK);
    return &office;
}

static void post(struct office *office, unsigned sender, unsigned number)
{
    struct letter *letter = &office->letters[sender][number];
    letter->sender = sender;
    letter->number = number;
    mw_mailbox_post(office->box, &letter->mail);
}

static void send_letters(void *ctx)
{
    struct sender *sender = ctx;
    for (unsigned i = 0; i < LETTERS; i++)
        post(sender->office, sender->number, i);
}

TEST(letters_of_four_threads_all_come_each_senders_in_order)
{
    struct office *office = open_office();
    struct sender senders[SENDERS];
    struct mw_thread *threads[SENDERS];
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){ office, i };
        threads[i] = mw_thread_start("sender", send_letters, &senders[i]);
        assert_non_null(threads[i]);
    }
    wait_for_count(&office->world, &office->count, SENDERS * LETTERS);
    for (unsigned i = 0; i < SENDERS; i++)
        mw_thread_join(threads[i]);
    mw_mailbox_close(office->box);
    close_world(&office->world);
    assert_int_equal(office->count, SENDERS * LETTERS);
}

TEST(a_letter_from_the_own_thread_comes_too)
{
    struct office *office = open_office();
    post(office, 0, 0);
    assert_int_equal(office->count, 0); /* by the loop, never from inside post */
    wait_for_count(&office->world, &office->count, 1);
    mw_mailbox_close(office->box);
    close_world(&office->world);
}

TEST(closing_delivers_what_is_there)
{
    struct office *office = open_office();
    for (unsigned i = 0; i < CLOSING_LETTERS; i++)
        post(office, 0, i);
    mw_mailbox_close(office->box);
    assert_int_equal(office->count, CLOSING_LETTERS);
    close_world(&office->world);
    assert_int_equal(office->count, CLOSING_LETTERS);
}

TEST(a_letter_may_have_the_others_delivered_first)
{
    for (unsigned asks_at = 1; asks_at <= CLOSING_LETTERS; asks_at += 3) {
        struct office *office = open_office();
        office->asks_at = asks_at;
        for (unsigned i = 0; i < CLOSING_LETTERS; i++)
            post(office, 0, i);
        wait_for_count(&office->world, &office->count, CLOSING_LETTERS);
        mw_mailbox_close(office->box);
        close_world(&office->world);
        assert_int_equal(office->count, CLOSING_LETTERS);
    }
}

TEST(a_letter_may_close_the_box_and_the_others_still_come)
{
    struct office *office = open_office();
    office->closes_at = 3;
    for (unsigned i = 0; i < CLOSING_LETTERS; i++)
        post(office, 0, i);
    wait_for_count(&office->world, &office->count, CLOSING_LETTERS);
    close_world(&office->world);
}

TEST(a_thread_may_send_the_letter_that_closes_the_box)
{
    struct office *office = open_office();
    struct sender sender = { office, 0 };
    office->closes_at = LETTERS;
    struct mw_thread *thread = mw_thread_start("sender", send_letters, &sender);
    assert_non_null(thread);
    wait_for_count(&office->world, &office->count, LETTERS);
    mw_loop_finish(office->world.loop); /* the box goes while the sender may still be inside post */
    mw_thread_join(thread);
    close_world(&office->world);
}

static bool make_box(struct mw_mem *mem)
{
    struct mw_loop *loop = NULL;
    struct mw_mailbox *box = NULL;
    int err = mw_loop_new(mem, &loop);
    if (err == MW_OK)
        err = mw_mailbox_open(loop, receive, NULL, &box);
    assert_true(err == MW_OK || (err == MW_ERR_NOMEM && !box));
    mw_mailbox_close(box);
    assert_int_equal(mw_loop_free(loop), 0);
    return err == MW_OK;
}

TEST(without_memory_there_is_no_mailbox)
{
    assert_int_equal(fail_each_allocation(make_box), 3);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(letters_of_four_threads_all_come_each_senders_in_order),
        CASE(a_letter_from_the_own_thread_comes_too),
        CASE(closing_delivers_what_is_there),
        CASE(a_letter_may_have_the_others_delivered_first),
        CASE(a_letter_may_close_the_box_and_the_others_still_come),
        CASE(a_thread_may_send_the_letter_that_closes_the_box),
        CASE(without_memory_there_is_no_mailbox),
    };
    return RUN(cases);
}
