#include "core/io/file.h"

#include "tests/unit/io/folder.h"
#include "tests/unit/io/io.h"

struct reader {
    struct world world;
    struct folder folder;
    struct mw_file *file;
    struct mw_file_info info;
    int err;
    long count;
    char bytes[64];
    unsigned opened, reads;
    bool closes_when_read;
};

static void on_opened(void *ctx, int err, struct mw_file *file, const struct mw_file_info *info)
{
    struct reader *reader = ctx;
    assert_true((err == MW_OK) == (file != NULL) && (file != NULL) == (info != NULL));
    reader->err = err;
    reader->file = file;
    if (info)
        reader->info = *info;
    reader->opened++;
}

static void on_read(void *ctx, long count)
{
    struct reader *reader = ctx;
    reader->count = count;
    reader->reads++;
    if (reader->closes_when_read)
        mw_file_close(reader->file);
}

/*
 * root/            what is served
 *   index.html, sub/page.html, folder/, pipe
 *   in -> sub/page.html, absolute-in, out -> ../secret.html, up -> .., loop -> loop
 * root-2/secret.html   begins with the same letters
 * secret.html
 */
static void open_reader(struct reader *reader)
{
    *reader = (struct reader){ .file = NULL };
    open_world(&reader->world);
    make_folder(&reader->folder);
    const struct folder *folder = &reader->folder;
    make_below(folder, "root");
    make_below(folder, "root/sub");
    make_below(folder, "root/folder");
    make_below(folder, "root-2");
    write_file(folder, "secret.html", "secret");
    write_file(folder, "root-2/secret.html", "secret");
    write_file(folder, "root/index.html", "moonwire");
    write_file(folder, "root/empty", "");
    write_file(folder, "root/sub/page.html", "page");
    write_file(folder, "root/ a b%41.html", "blank");
    link_file(folder, "sub/page.html", "root/in");
    link_file(folder, below(folder, "root/sub/page.html"), "root/absolute-in");
    link_file(folder, "../secret.html", "root/out");
    link_file(folder, below(folder, "secret.html"), "root/absolute-out");
    link_file(folder, "..", "root/up");
    link_file(folder, "loop", "root/loop");
    link_file(folder, "nowhere", "root/dangling");
    link_file(folder, "root", "linked-root");
    assert_int_equal(mkfifo(below(folder, "root/pipe"), 0600), 0);
    assert_int_equal(mknod(below(folder, "root/socket"), S_IFSOCK | 0600, 0), 0);
}

static void close_reader(struct reader *reader)
{
    close_world(&reader->world);
    remove_folder(&reader->folder);
}

static int open_below(struct reader *reader, const char *root, struct mw_view path)
{
    const char *real_root = below(&reader->folder, root);
    int err = mw_file_open(reader->world.loop, real_root, path, on_opened, reader);
    assert_int_equal(err, MW_OK);
    wait_for_count(&reader->world, &reader->opened, reader->opened + 1);
    return reader->err;
}

static void open_index(struct reader *reader)
{
    assert_int_equal(open_below(reader, "root", mw_view_text("index.html")), MW_OK);
}

static void start_reading(struct reader *reader, uint64_t offset, size_t len)
{
    int err = mw_file_read(reader->file, offset, reader->bytes, len, on_read, reader);
    assert_int_equal(err, MW_OK);
}

static long read_at(struct reader *reader, uint64_t offset, size_t len)
{
    start_reading(reader, offset, len);
    wait_for_count(&reader->world, &reader->reads, reader->reads + 1);
    return reader->count;
}

/* ---- what is opened, and what is not ---- */

TEST(only_regular_files_below_the_root_are_opened)
{
    static const struct {
        const char *root, *path;
        int err;
    } rows[] = {
        { "root", "index.html", MW_OK },
        { "root/", "index.html", MW_OK },
        { "linked-root", "index.html", MW_OK },
        { "root", "empty", MW_OK },
        { "root", "sub/page.html", MW_OK },
        { "root", "sub/../index.html", MW_OK },
        { "root", "./index.html", MW_OK },
        { "root", "sub//page.html", MW_OK },
        { "root", " a b%41.html", MW_OK },
        { "root", "in", MW_OK },
        { "root", "absolute-in", MW_OK },
        { "root", "up/root/index.html", MW_OK }, /* out and in again ends inside */
        { "root", "missing.html", MW_ERR_NOT_FOUND },
        { "root", "index.html/", MW_ERR_NOT_FOUND },
        { "root", "index.html/more", MW_ERR_NOT_FOUND },
        { "root", "..", MW_ERR_NOT_FOUND },
        { "root", "../secret.html", MW_ERR_NOT_FOUND },
        { "root", "../root-2/secret.html", MW_ERR_NOT_FOUND },
        { "root", "sub/../../secret.html", MW_ERR_NOT_FOUND },
        { "root", "/etc/passwd", MW_ERR_NOT_FOUND },
        { "root", "../../../../../../../../../etc/passwd", MW_ERR_NOT_FOUND },
        { "root", "out", MW_ERR_NOT_FOUND },
        { "root", "absolute-out", MW_ERR_NOT_FOUND },
        { "root", "up/secret.html", MW_ERR_NOT_FOUND },
        { "root", "loop", MW_ERR_NOT_FOUND },
        { "root", "dangling", MW_ERR_NOT_FOUND },
        { "root", "pipe", MW_ERR_NOT_FOUND },
        { "root", "socket", MW_ERR_NOT_FOUND },
        { "root", "folder", MW_ERR_BAD_ARG },
        { "root", "folder/", MW_ERR_BAD_ARG },
        { "no-root", "index.html", MW_ERR_NOT_FOUND },
    };
    struct reader reader;
    open_reader(&reader);
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        int err = open_below(&reader, rows[i].root, mw_view_text(rows[i].path));
        if (err != rows[i].err)
            fail_msg("%s in %s gave %d and not %d", rows[i].path, rows[i].root, err, rows[i].err);
        mw_file_close(reader.file);
    }
    close_reader(&reader);
}

TEST(a_path_longer_than_any_is_not_found)
{
    struct reader reader;
    static char path[3 * PATH_MAX];
    open_reader(&reader);
    memset(path, 'a', sizeof(path));
    assert_int_equal(open_below(&reader, "root", mw_view(path, sizeof(path))), MW_ERR_NOT_FOUND);
    assert_int_equal(open_below(&reader, "root", mw_view(path, 300)), MW_ERR_NOT_FOUND);
    close_reader(&reader);
}

TEST(no_path_and_one_with_a_nul_are_refused_at_once)
{
    struct reader reader;
    open_reader(&reader);
    static const struct mw_view paths[] = { MW_VIEW(""), MW_VIEW("index.html\0.png") };
    for (size_t i = 0; i < MW_COUNT(paths); i++) {
        int err = mw_file_open(reader.world.loop, "/", paths[i], on_opened, &reader);
        assert_int_equal(err, MW_ERR_BAD_ARG);
    }
    assert_int_equal(reader.opened, 0);
    close_reader(&reader);
}

TEST(below_the_root_of_all_every_file_is_found)
{
    struct reader reader;
    open_reader(&reader);
    const char *path = below(&reader.folder, "secret.html") + 1;
    int err = mw_file_open(reader.world.loop, "/", mw_view_text(path), on_opened, &reader);
    assert_int_equal(err, MW_OK);
    wait_for_count(&reader.world, &reader.opened, 1);
    assert_int_equal(reader.err, MW_OK);
    mw_file_close(reader.file);
    close_reader(&reader);
}

TEST(the_info_is_the_files)
{
    struct reader reader;
    struct stat info;
    open_reader(&reader);
    open_index(&reader);
    assert_int_equal(stat(below(&reader.folder, "root/index.html"), &info), 0);
    assert_int_equal(reader.info.size, 8);
    assert_int_equal(reader.info.modified_s, info.st_mtim.tv_sec);
    assert_int_equal(reader.info.modified_ns, info.st_mtim.tv_nsec);
    assert_int_equal(reader.info.inode, info.st_ino);
    mw_file_close(reader.file);
    close_reader(&reader);
}

/* ---- reading ---- */

TEST(a_file_is_read_from_any_place_to_its_end)
{
    struct reader reader;
    open_reader(&reader);
    open_index(&reader);
    assert_int_equal(read_at(&reader, 0, sizeof(reader.bytes)), 8);
    assert_memory_equal(reader.bytes, "moonwire", 8);
    assert_int_equal(read_at(&reader, 4, 2), 2);
    assert_memory_equal(reader.bytes, "wi", 2);
    assert_int_equal(read_at(&reader, 8, 1), 0);
    assert_int_equal(read_at(&reader, INT64_MAX, 0), 0);
    int err = mw_file_read(reader.file, UINT64_MAX, reader.bytes, 1, on_read, &reader);
    assert_int_equal(err, MW_ERR_BAD_ARG);
    mw_file_close(reader.file);
    close_reader(&reader);
}

TEST(a_file_closed_during_a_read_ends_it_with_closed)
{
    struct reader reader;
    open_reader(&reader);
    open_index(&reader);
    start_reading(&reader, 0, 8);
    mw_file_close(reader.file);
    assert_int_equal(reader.reads, 0);
    wait_for_count(&reader.world, &reader.reads, 1);
    assert_int_equal(reader.count, MW_ERR_CLOSED);
    close_reader(&reader);
}

TEST(a_file_may_be_closed_when_it_is_read)
{
    struct reader reader;
    open_reader(&reader);
    open_index(&reader);
    reader.closes_when_read = true;
    assert_int_equal(read_at(&reader, 0, 8), 8);
    close_reader(&reader);
    mw_file_close(NULL);
}

/* ---- memory ---- */

static bool open_and_read(struct mw_mem *mem)
{
    struct reader reader = { .file = NULL };
    struct mw_loop *loop = NULL;
    int err = mw_loop_new(mem, &loop);
    if (err == MW_OK)
        err = mw_file_open(loop, "/", mw_view_text("etc/passwd"), on_opened, &reader);
    if (err == MW_OK)
        mw_loop_finish(loop);
    if (reader.file) {
        err = mw_file_read(reader.file, 0, reader.bytes, 8, on_read, &reader);
        mw_loop_finish(loop);
        assert_int_equal(reader.reads, err == MW_OK);
    }
    mw_file_close(reader.file);
    assert_int_equal(mw_loop_free(loop), 0);
    assert_true(err == MW_OK || err == MW_ERR_NOMEM);
    return err == MW_OK && reader.err == MW_OK;
}

TEST(without_memory_nothing_is_opened_or_read)
{
    assert_int_equal(fail_each_allocation(open_and_read), 6);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(only_regular_files_below_the_root_are_opened),
        CASE(a_path_longer_than_any_is_not_found),
        CASE(no_path_and_one_with_a_nul_are_refused_at_once),
        CASE(below_the_root_of_all_every_file_is_found),
        CASE(the_info_is_the_files),
        CASE(a_file_is_read_from_any_place_to_its_end),
        CASE(a_file_closed_during_a_read_ends_it_with_closed),
        CASE(a_file_may_be_closed_when_it_is_read),
        CASE(without_memory_nothing_is_opened_or_read),
    };
    return RUN(cases);
}
