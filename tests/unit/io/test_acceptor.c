/* What listener.c and local.c leave to the acceptor; a shortage of descriptors is in
 * test_listener.c. */
#include "core/io/acceptor.h"

#include "tests/unit/io/sockets.h"

#define GUESTS   5
#define PER_TURN 2

struct door {
    struct world world;
    struct mw_acceptor acceptor;
    uint16_t port;
    struct owner guests[GUESTS];
    uint64_t turns[GUESTS]; /* in which each was let in */
    unsigned count, closed;
};

static struct door door;
static unsigned asked;

static void let_in(void *ctx, struct mw_stream *stream)
{
    assert_ptr_equal(ctx, &door);
    assert_in_range(door.count, 0, GUESTS - 1);
    door.turns[door.count] = mw_loop_turn(door.world.loop);
    take_stream(&door.guests[door.count++], &door.world, stream);
}

static void on_closed(struct mw_acceptor *acceptor)
{
    assert_ptr_equal(acceptor, &door.acceptor);
    door.closed++;
}

static void open_door(bool (*lets_in)(int fd))
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    door = (struct door){ 0 };
    asked = 0;
    open_world(&door.world);
    door.acceptor = (struct mw_acceptor){
        .loop = door.world.loop,
        .socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
        .per_turn = PER_TURN,
        .lets_in = lets_in,
        .accept = let_in,
        .ctx = &door,
        .closed = on_closed,
    };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = door.acceptor.socket;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, GUESTS), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    door.port = ntohs(address.sin_port);
    assert_int_equal(mw_acceptor_open(&door.acceptor), 0);
}

static void close_door(void)
{
    mw_acceptor_close(&door.acceptor);
    for (unsigned i = 0; i < door.count; i++)
        mw_stream_close(door.guests[i].stream, false);
    close_world(&door.world);
    assert_int_equal(door.closed, 1);
}

TEST(so_many_are_accepted_in_a_turn_and_the_others_in_the_next)
{
    int guests[GUESTS];
    open_door(NULL);
    for (unsigned i = 0; i < GUESTS; i++)
        guests[i] = connect_to(door.port);
    wait_for_count(&door.world, &door.count, GUESTS);
    for (unsigned i = PER_TURN; i < GUESTS; i++)
        assert_true(door.turns[i] > door.turns[i - PER_TURN]);
    close_door();
    for (unsigned i = 0; i < GUESTS; i++)
        close(guests[i]);
}

static bool second_alone(int fd)
{
    assert_true(fd >= 0);
    return asked++ == 1;
}

TEST(who_is_not_let_in_is_closed_and_the_next_one_asked)
{
    open_door(second_alone);
    struct far first = { .fd = connect_to(door.port) };
    wait_until(&door.world, far_has_ended, &first);
    assert_int_equal(door.count, 0);
    int second = connect_to(door.port);
    wait_for_count(&door.world, &door.count, 1);
    close_door();
    assert_int_equal(asked, 2);
    close(first.fd);
    close(second);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(so_many_are_accepted_in_a_turn_and_the_others_in_the_next),
        CASE(who_is_not_let_in_is_closed_and_the_next_one_asked),
    };
    return RUN(cases);
}
