#include "core/server/cgroup.h"

#include "tests/unit/io/folder.h"

/* Makes the folders on the way too. */
static void put(struct folder *root, const char *path, const char *text)
{
    char way[256];
    snprintf(way, sizeof way, "%s", path);
    for (char *slash = strchr(way, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(below(root, way), 0700);
        *slash = '/';
    }
    write_file(root, path, text);
}

TEST(the_least_limit_of_the_groups_of_this_process_counts)
{
    static const struct {
        const char *groups;
        struct {
            const char *path, *text;
        } files[3];
        uint64_t bytes;
    } table[] = {
        { "", { { 0 } }, 0 },
        { "0::/\n", { { 0 } }, 0 },
        { "0::/\n", { { "sys/fs/cgroup/memory.max", "max\n" } }, 0 },
        { "0::/\n", { { "sys/fs/cgroup/memory.max", "536870912\n" } }, 536870912 },
        { "0::/a/b\n",
          { { "sys/fs/cgroup/a/b/memory.max", "max\n" },
            { "sys/fs/cgroup/a/memory.max", "1000000\n" },
            { "sys/fs/cgroup/memory.max", "2000000\n" } },
          1000000 },
        /* A container that is told the path of its host. */
        { "0::/docker/0123\n", { { "sys/fs/cgroup/memory.max", "700\n" } }, 700 },
        { "4:cpu,cpuacct:/x\n5:memory:/x/\n0::/\n",
          { { "sys/fs/cgroup/memory/x/memory.limit_in_bytes", "9223372036854771712\n" },
            { "sys/fs/cgroup/memory/memory.limit_in_bytes", "4096\n" } },
          4096 },
        { "5:memory:/\n",
          { { "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n" } },
          0 },
        { "5:cpu,memory:/\n", { { "sys/fs/cgroup/memory/memory.limit_in_bytes", "77\n" } }, 77 },
        { "5:memoryless:/\n", { { "sys/fs/cgroup/memory/memory.limit_in_bytes", "77\n" } }, 0 },
        { "nonsense\n:\n::\n0::/\n", { { "sys/fs/cgroup/memory.max", "words\n" } }, 0 },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct folder root;
        make_folder(&root);
        put(&root, "proc/self/cgroup", table[i].groups);
        for (size_t n = 0; n < MW_COUNT(table[i].files) && table[i].files[n].path; n++)
            put(&root, table[i].files[n].path, table[i].files[n].text);
        assert_int_equal(mw_cgroup_memory_limit(root.path), table[i].bytes);
        remove_folder(&root);
    }
}

TEST(a_machine_without_control_groups_has_no_limit)
{
    assert_int_equal(mw_cgroup_memory_limit("/nowhere"), 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_least_limit_of_the_groups_of_this_process_counts),
        CASE(a_machine_without_control_groups_has_no_limit),
    };
    return RUN(cases);
}
