/* local: who may reach a Unix socket, whose place it takes, and what it leaves behind. */
#include "core/io/local.h"

#include <pthread.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "core/base/str.h"
#include "tests/unit/io/folder.h"
#include "tests/unit/io/io.h"

static struct world world;
static struct folder folder;
static unsigned accepted;
static char why[256];

static void on_accept(void *ctx, struct mw_stream *stream)
{
    (void)ctx;
    accepted++;
    mw_stream_close(stream, false);
}

static int set_up(void **state)
{
    (void)state;
    make_folder(&folder);
    open_world(&world);
    accepted = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close_world(&world);
    remove_folder(&folder);
    return 0;
}

static int open_local(const char *path, struct mw_local **out)
{
    *out = NULL;
    return mw_local_open(world.loop, path, on_accept, NULL, out, why);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    return lstat(path, &st) ? 0 : st.st_mode;
}

static void assert_reached(const char *path)
{
    unsigned before = accepted;
    int fd = mw_local_dial(path);
    assert_true(fd >= 0);
    wait_for_count(&world, &accepted, before + 1);
    close(fd);
}

/* What a server leaves that is gone without a word. */
static void leave_stale(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

TEST(the_folder_is_made_and_only_this_user_may_enter)
{
    struct mw_local *local;
    const char *path = below(&folder, "data/s.sock");
    mode_t before = umask(0);
    assert_int_equal(open_local(path, &local), MW_OK);
    (void)umask(before);
    assert_int_equal(mode_of(path), S_IFSOCK | 0600);
    assert_int_equal(mode_of(below(&folder, "data")), S_IFDIR | 0700);
    assert_reached(path);
    mw_local_close(local);
    assert_int_equal(mode_of(path), 0);
    assert_int_equal(mw_local_dial(path), MW_ERR_NOT_FOUND);
}

TEST(a_dead_servers_socket_is_replaced)
{
    struct mw_local *local;
    const char *path = below(&folder, "s.sock");
    leave_stale(path);
    assert_int_equal(mw_local_dial(path), MW_ERR_NOT_FOUND);
    assert_int_equal(open_local(path, &local), MW_OK);
    assert_reached(path);
    mw_local_close(local);
}

TEST(a_living_servers_socket_is_left_alone)
{
    struct mw_local *first, *second;
    const char *path = below(&folder, "s.sock");
    assert_int_equal(open_local(path, &first), MW_OK);
    assert_int_equal(open_local(path, &second), MW_ERR_FULL);
    assert_non_null(strstr(why, "another server"));
    assert_null(second);
    assert_reached(path);
    mw_local_close(first);
}

/* What a server does that takes its place, for a moment. */
static void *let_go_soon(void *ctx)
{
    const struct timespec moment = { .tv_nsec = 30000000 };
    (void)nanosleep(&moment, NULL);
    close(*(int *)ctx);
    return NULL;
}

static int lock_folder(void)
{
    int fd = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    return fd;
}

TEST(a_server_that_takes_its_place_at_the_same_moment_is_waited_for)
{
    pthread_t other;
    struct mw_local *local;
    int fd = lock_folder();
    assert_int_equal(pthread_create(&other, NULL, let_go_soon, &fd), 0);
    assert_int_equal(open_local(below(&folder, "s.sock"), &local), MW_OK);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_reached(below(&folder, "s.sock"));
    mw_local_close(local);
}

TEST(a_folder_that_stays_locked_is_not_said_to_have_a_server)
{
    struct mw_local *local;
    int fd = lock_folder();
    assert_int_equal(open_local(below(&folder, "s.sock"), &local), MW_ERR_AGAIN);
    assert_non_null(strstr(why, "locked by another process"));
    assert_null(local);
    close(fd);
}

TEST(what_is_no_socket_is_left_alone)
{
    struct mw_local *local;
    write_file(&folder, "s.sock", "mine");
    assert_int_equal(open_local(below(&folder, "s.sock"), &local), MW_ERR_IO);
    assert_non_null(strstr(why, "s.sock: File exists"));
    assert_int_equal(mode_of(below(&folder, "s.sock")), S_IFREG | 0600);
}

TEST(somebody_elses_socket_is_not_taken_away)
{
    struct mw_local *local;
    const char *path = below(&folder, "s.sock");
    assert_int_equal(open_local(path, &local), MW_OK);
    delete_file(&folder, "s.sock");
    leave_stale(path);
    mw_local_close(local);
    assert_int_equal(mode_of(path) & S_IFMT, S_IFSOCK);
}

TEST(a_path_longer_than_an_address_works_all_the_same)
{
    struct mw_local *local;
    char path[1000];
    size_t n = (size_t)snprintf(path, sizeof path, "%s", folder.path);
    for (int i = 0; i < 3; i++) {
        n += (size_t)snprintf(path + n, sizeof path - n, "/%0100d", i);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    (void)snprintf(path + n, sizeof path - n, "/data/s.sock");
    assert_int_equal(open_local(path, &local), MW_OK);
    assert_int_equal(mode_of(path), S_IFSOCK | 0600);
    assert_reached(path);
    mw_local_close(local);
    assert_int_equal(mode_of(path), 0);
}

TEST(what_cannot_be_opened_is_an_error_with_a_sentence)
{
    char name[300];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    const struct {
        const char *path, *says;
    } table[] = {
        { below(&folder, "none/data/s.sock"), "No such file" },
        { "", "File name too long" },
        { name, "File name too long" },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct mw_local *local;
        assert_int_equal(open_local(table[i].path, &local), MW_ERR_IO);
        assert_non_null(strstr(why, table[i].says));
    }
}

static bool open_and_close(struct mw_mem *mem)
{
    struct mw_loop *loop;
    struct mw_local *local = NULL;
    if (mw_loop_new(mem, &loop))
        return false;
    int err = mw_local_open(loop, below(&folder, "s.sock"), on_accept, NULL, &local, why);
    mw_local_close(local);
    mw_loop_finish(loop);
    assert_int_equal(mw_loop_free(loop), 0);
    assert_int_equal(mode_of(below(&folder, "s.sock")), 0);
    return err == MW_OK;
}

TEST(without_memory_nothing_stays)
{
    (void)fail_each_allocation(open_and_close);
}

#define IN_A_FOLDER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_FOLDER(the_folder_is_made_and_only_this_user_may_enter),
        IN_A_FOLDER(a_dead_servers_socket_is_replaced),
        IN_A_FOLDER(a_living_servers_socket_is_left_alone),
        IN_A_FOLDER(a_server_that_takes_its_place_at_the_same_moment_is_waited_for),
        IN_A_FOLDER(a_folder_that_stays_locked_is_not_said_to_have_a_server),
        IN_A_FOLDER(what_is_no_socket_is_left_alone),
        IN_A_FOLDER(somebody_elses_socket_is_not_taken_away),
        IN_A_FOLDER(a_path_longer_than_an_address_works_all_the_same),
        IN_A_FOLDER(what_cannot_be_opened_is_an_error_with_a_sentence),
        IN_A_FOLDER(without_memory_nothing_stays),
    };
    return RUN(cases);
}
