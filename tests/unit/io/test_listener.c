#include "core/io/listener.h"

#include <stdio.h>
#include <sys/resource.h>

#include "core/base/str.h"
#include "tests/unit/io/sockets.h"

#define MANY 100

struct door {
    struct world world;
    struct mw_listener *listener;
    struct owner guests[MANY];
    unsigned count;
    bool closes_on_accept;
    int other; /* where it closes: another listening socket, with a guest that waits */
};

static void let_in(void *ctx, struct mw_stream *stream)
{
    struct door *door = ctx;
    assert_in_range(door->count, 0, MANY - 1);
    take_stream(&door->guests[door->count++], &door->world, stream);
    if (!door->closes_on_accept)
        return;
    mw_listener_close(door->listener);
    door->other = dup(door->other); /* gets the number that was the listener's a moment ago */
}

static int try_open(struct door *door, const char *address, char why[128])
{
    return mw_listener_open(door->world.loop, mw_view_text(address), let_in, door, &door->listener,
                            why);
}

static struct door *open_door(const char *address)
{
    static struct door door;
    char why[128];
    memset(&door, 0, sizeof(door));
    open_world(&door.world);
    assert_int_equal(try_open(&door, address, why), MW_OK);
    return &door;
}

static void close_door(struct door *door)
{
    if (!door->closes_on_accept)
        mw_listener_close(door->listener);
    for (unsigned i = 0; i < door->count; i++)
        mw_stream_close(door->guests[i].stream, false);
    close_world(&door->world);
}

static uint16_t port_of(const char *address)
{
    uint64_t port = 0;
    const char *colon = strrchr(address, ':');
    assert_non_null(colon);
    assert_true(mw_parse_u64(mw_view_text(colon + 1), 1, UINT16_MAX, &port));
    return (uint16_t)port;
}

static int knock(const struct door *door)
{
    return connect_to(port_of(mw_listener_address(door->listener)));
}

/* ---- addresses ---- */

TEST(an_address_that_is_none_is_refused_with_a_reason)
{
    static const char *const addresses[] = {
        "",
        ":",
        "8080",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1: 80",
        "127.0.0.1:80x",
        "127.0.0.1:0x50",
        "127.0.0.256:80",
        "127.1:80",
        " 127.0.0.1:80",
        "example.org:80",
        "::1:80",
        "[::1]",
        "[::1]80",
        "[::1:80",
        "::1]:80",
        "[127.0.0.1]:80",
        "[localhost]:80",
        "[]:80",
        "[]]:80",
        "[[::1]]:80",
        "[:]:80",
        "[:80",
        "1.1.1.1111111111111111111111111111111111111111111111111111111111111111111111:80",
    };
    struct world world;
    struct door door = { .count = 0 };
    open_world(&world);
    door.world = world;
    for (size_t i = 0; i < MW_COUNT(addresses); i++) {
        char why[128] = "";
        int err = try_open(&door, addresses[i], why);
        if (err != MW_ERR_BAD_ARG)
            fail_msg("\"%s\" gave %d", addresses[i], err);
        assert_true(strlen(why) > 0);
        assert_null(door.listener);
    }
    char why[128];
    struct mw_view with_nul = MW_VIEW("127.0.0.1\0:80");
    int err = mw_listener_open(world.loop, with_nul, let_in, &door, &door.listener, why);
    assert_int_equal(err, MW_ERR_BAD_ARG);
    close_world(&world);
}

static bool has_v6(void)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

TEST(port_0_picks_a_free_one_and_the_address_says_which)
{
    static const struct {
        const char *address, *begins;
        bool needs_v6;
    } rows[] = {
        { "127.0.0.1:0", "127.0.0.1:", false },
        { "localhost:0", "127.0.0.1:", false },
        { "LocalHost:0", "127.0.0.1:", false },
        { "0.0.0.0:0", "0.0.0.0:", false },
        { "[::1]:0", "[::1]:", true },
        { "[::]:0", "[::]:", true },
        { ":0", "[::]:", true },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        if (rows[i].needs_v6 && !has_v6())
            continue;
        struct door *door = open_door(rows[i].address);
        const char *address = mw_listener_address(door->listener);
        assert_memory_equal(address, rows[i].begins, strlen(rows[i].begins));
        assert_true(port_of(address) > 0);
        close_door(door);
    }
}

TEST(a_port_in_use_is_refused_with_a_reason)
{
    struct door *door = open_door("127.0.0.1:0");
    struct door second = { .world = door->world };
    char why[128] = "";
    assert_int_equal(try_open(&second, mw_listener_address(door->listener), why), MW_ERR_IO);
    assert_string_equal(why, "address already in use");
    assert_null(second.listener);
    close_door(door);
}

TEST(an_address_of_another_machine_is_refused_with_a_reason)
{
    struct door door = { .count = 0 };
    struct world world;
    char why[128] = "";
    open_world(&world);
    door.world = world;
    assert_int_equal(try_open(&door, "192.0.2.1:0", why), MW_ERR_IO); /* RFC 5737: nobody's */
    assert_true(strlen(why) > 0);
    close_world(&world);
}

/* ---- connections ---- */

TEST(each_connection_gives_a_stream)
{
    struct door *door = open_door("127.0.0.1:0");
    int guests[MANY];
    for (unsigned i = 0; i < MANY; i++)
        guests[i] = knock(door);
    wait_for_count(&door->world, &door->count, MANY);
    close_door(door);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(door->guests[i].closed, 1);
        close(guests[i]);
    }
}

TEST(on_all_addresses_an_ipv4_peer_keeps_its_plain_address)
{
    struct door *door = open_door(":0");
    int guest = knock(door);
    char peer[MW_STREAM_ADDRESS_LEN];
    wait_for_count(&door->world, &door->count, 1);
    mw_stream_peer(door->guests[0].stream, peer);
    assert_string_equal(peer, "127.0.0.1");
    close(guest);
    close_door(door);
}

TEST(a_listener_may_be_closed_from_inside_accept)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(other, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(other, 1), 0);
    set_nonblocking(other);
    assert_int_equal(getsockname(other, (struct sockaddr *)&address, &len), 0);

    struct door *door = open_door("127.0.0.1:0");
    door->closes_on_accept = true;
    door->other = other;
    int guests[] = { knock(door), knock(door), connect_to(ntohs(address.sin_port)) };
    wait_for_count(&door->world, &door->count, 1);
    run_some_turns(&door->world);
    assert_int_equal(door->count, 1);
    for (size_t i = 0; i < MW_COUNT(guests); i++)
        close(guests[i]);
    close_door(door);
    close(door->other);
    close(other);
}

TEST(a_closed_listener_frees_its_port_at_once)
{
    struct door *door = open_door("127.0.0.1:0");
    char address[64], why[128];
    (void)snprintf(address, sizeof(address), "%s", mw_listener_address(door->listener));
    mw_listener_close(door->listener);
    mw_listener_close(NULL);
    assert_int_equal(try_open(door, address, why), MW_OK);
    close_door(door);
}

/* Longer than a pause. */
static void run_long(struct door *door)
{
    for (int i = 0; i < 6; i++)
        run_some_turns(&door->world);
}

/* No descriptor is left: each connection has to wait, none is lost. */
TEST(without_descriptors_connections_wait_until_there_is_one)
{
    struct door *door = open_door("127.0.0.1:0");
    struct rlimit limit, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int guest = knock(door);
    int next = dup(guest);
    close(next); /* is the lowest that is free */
    none = (struct rlimit){ (rlim_t)next, limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    run_long(door);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(door->count, 0);
    wait_for_count(&door->world, &door->count, 1);
    close(guest);
    close_door(door);
}

TEST(a_listener_can_be_closed_while_it_pauses)
{
    struct door *door = open_door("127.0.0.1:0");
    struct rlimit limit, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int guest = knock(door);
    int next = dup(guest);
    close(next);
    none = (struct rlimit){ (rlim_t)next, limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    run_some_turns(&door->world);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    close(guest);
    mw_listener_close(door->listener);
    run_long(door);
    assert_int_equal(door->count, 0);
    close_world(&door->world);
}

/* ---- several on one address ---- */

TEST(who_comes_is_spread_over_all_that_have_joined)
{
    struct door *door = open_door("127.0.0.1:0");
    struct door other = { .world = door->world };
    char why[128];
    int guests[64];
    assert_int_equal(
        mw_listener_join(door->world.loop, door->listener, let_in, &other, &other.listener, why),
        MW_OK);
    assert_string_equal(mw_listener_address(other.listener), mw_listener_address(door->listener));
    for (size_t i = 0; i < MW_COUNT(guests); i++)
        guests[i] = knock(door);
    while (door->count + other.count < MW_COUNT(guests))
        run_some_turns(&door->world);
    assert_true(door->count > 0 && other.count > 0);
    for (size_t i = 0; i < MW_COUNT(guests); i++)
        close(guests[i]);
    for (unsigned i = 0; i < other.count; i++)
        mw_stream_close(other.guests[i].stream, false);
    mw_listener_close(other.listener);
    close_door(door);
}

/* Though it would be allowed to: the address is somebody else's server. */
TEST(who_has_not_joined_finds_the_address_in_use)
{
    struct door *door = open_door("127.0.0.1:0");
    struct mw_listener *joined, *stranger = NULL;
    char why[128], address[64];
    (void)snprintf(address, sizeof address, "%s", mw_listener_address(door->listener));
    assert_int_equal(mw_listener_join(door->world.loop, door->listener, let_in, door, &joined, why),
                     MW_OK);
    assert_int_equal(
        mw_listener_open(door->world.loop, mw_view_text(address), let_in, door, &stranger, why),
        MW_ERR_IO);
    assert_string_equal(why, "address already in use");
    mw_listener_close(joined);
    close_door(door);
}

/* ---- descriptors that are left to others ---- */

static int whys[8];
static unsigned why_count;

static void note_pause(void *ctx, int why)
{
    (void)ctx;
    assert_in_range(why_count, 0, MW_COUNT(whys) - 1);
    whys[why_count++] = why;
}

static unsigned last_count;

static void let_in_and_ask(void *ctx, struct mw_stream *stream)
{
    struct door *door = ctx;
    last_count += mw_listener_is_last(door->listener);
    let_in(ctx, stream);
}

static struct door *open_door_with_care(unsigned kept_back, unsigned last_ones)
{
    static struct door door;
    const struct mw_accept_care care = { kept_back, last_ones, note_pause };
    char why[128];
    memset(&door, 0, sizeof(door));
    why_count = last_count = 0;
    open_world(&door.world);
    assert_int_equal(mw_listener_open(door.world.loop, mw_view_text("127.0.0.1:0"), let_in_and_ask,
                                      &door, &door.listener, why),
                     MW_OK);
    mw_listener_care(door.listener, &care);
    return &door;
}

static bool has_gone_on(void *ctx)
{
    (void)ctx;
    return why_count > 0 && whys[why_count - 1] == 0;
}

/* Ten are free, four are kept back: of eight guests six get in, and the others when two have gone.
 */
TEST(some_descriptors_are_kept_back_and_the_pause_is_told_by_its_errno)
{
    struct door *door = open_door_with_care(4, 2);
    struct rlimit limit, few;
    int guests[8];
    int first = knock(door); /* the loop and the streams have opened what they want by then */
    wait_for_count(&door->world, &door->count, 1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (unsigned i = 0; i < MW_COUNT(guests); i++)
        guests[i] = knock(door);
    int next = dup(guests[0]);
    close(next);
    few = (struct rlimit){ (rlim_t)next + 10, limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    mw_listener_care(door->listener, &(struct mw_accept_care){ 4, 2, note_pause });
    run_long(door);
    assert_int_equal(door->count, 1 + 6);
    assert_int_equal(last_count, 2);
    assert_int_equal(why_count, 1);
    assert_int_equal(whys[0], EMFILE);
    int own = dup(guests[0]); /* what was kept back is there */
    assert_true(own >= 0);
    close(own);
    mw_stream_close(door->guests[0].stream, false);
    mw_stream_close(door->guests[1].stream, false);
    wait_for_count(&door->world, &door->count, 1 + 8);
    wait_until(&door->world, has_gone_on, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(why_count, 2);
    mw_listener_close(door->listener);
    for (unsigned i = 2; i < door->count; i++)
        mw_stream_close(door->guests[i].stream, false);
    close_world(&door->world);
    for (unsigned i = 0; i < MW_COUNT(guests); i++)
        close(guests[i]);
    close(first);
}

/* ---- memory ---- */

static bool make_listener(struct mw_mem *mem)
{
    struct mw_loop *loop = NULL;
    struct mw_listener *listener = NULL;
    char why[128];
    int err = mw_loop_new(mem, &loop);
    if (err == MW_OK)
        err = mw_listener_open(loop, mw_view_text("127.0.0.1:0"), let_in, NULL, &listener, why);
    assert_true(err == MW_OK || (err == MW_ERR_NOMEM && !listener));
    mw_listener_close(listener);
    assert_int_equal(mw_loop_free(loop), 0);
    return err == MW_OK;
}

TEST(without_memory_there_is_no_listener)
{
    assert_int_equal(fail_each_allocation(make_listener), 3);
}

TEST(without_memory_for_a_stream_the_guest_is_sent_away_and_the_next_let_in)
{
    struct door *door = open_door("127.0.0.1:0");
    struct far first = { .fd = knock(door) };
    door->world.mem.fail_at = door->world.mem.count + 1;
    wait_until(&door->world, far_has_ended, &first);
    assert_int_equal(door->count, 0);
    int second = knock(door);
    wait_for_count(&door->world, &door->count, 1);
    close(first.fd);
    close(second);
    close_door(door);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_address_that_is_none_is_refused_with_a_reason),
        CASE(port_0_picks_a_free_one_and_the_address_says_which),
        CASE(a_port_in_use_is_refused_with_a_reason),
        CASE(who_comes_is_spread_over_all_that_have_joined),
        CASE(who_has_not_joined_finds_the_address_in_use),
        CASE(an_address_of_another_machine_is_refused_with_a_reason),
        CASE(each_connection_gives_a_stream),
        CASE(on_all_addresses_an_ipv4_peer_keeps_its_plain_address),
        CASE(a_listener_may_be_closed_from_inside_accept),
        CASE(a_closed_listener_frees_its_port_at_once),
        CASE(without_descriptors_connections_wait_until_there_is_one),
        CASE(a_listener_can_be_closed_while_it_pauses),
        CASE(some_descriptors_are_kept_back_and_the_pause_is_told_by_its_errno),
        CASE(without_memory_there_is_no_listener),
        CASE(without_memory_for_a_stream_the_guest_is_sent_away_and_the_next_let_in),
    };
    return RUN(cases);
}
