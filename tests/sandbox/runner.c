/*
 * Runs one script that tries to get out of the sandbox: `sandbox_runner tests/sandbox/x.lua`. The
 * script is loaded, given a connection and the message "go" three times; what it prints and what
 * goes wrong must be the lines that begin with
 * "--> " in it, in order. Afterwards nothing may be held.
 */
#include "tests/unit/lua/fake_host.h"

/* Small enough that eating it up is quick. */
#define CAP (8 * 1024 * 1024)

static char script[65536];
static struct world world;

/* The next line that begins with "--> ", without that; NULL at the end. */
static const char *next_expected(const char **rest, char *line, size_t size)
{
    const char *at = strstr(*rest, "--> ");
    if (!at)
        return NULL;
    at += 4;
    size_t len = strcspn(at, "\n");
    *rest = at + len;
    snprintf(line, size, "%.*s", (int)len, at);
    return line;
}

/* The next line of the transcript, without "log info v1 c1 ". */
static const char *next_seen(const char **rest, char *line, size_t size)
{
    static const char *const prefixes[] = { "log info v1 c1 ", "log info v1 " };
    if (**rest == '\0')
        return NULL;
    size_t len = strcspn(*rest, "\n");
    snprintf(line, size, "%.*s", (int)len, *rest);
    *rest += len + 1; /* each line of it has its end */
    for (size_t i = 0; i < MW_COUNT(prefixes); i++) {
        if (strncmp(line, prefixes[i], strlen(prefixes[i])) == 0)
            return line + strlen(prefixes[i]);
    }
    return line;
}

static void compare(void)
{
    char want_line[1024], seen_line[1024];
    const char *expected = script, *seen = world.host.transcript;
    for (;;) {
        const char *want = next_expected(&expected, want_line, sizeof(want_line));
        const char *got = next_seen(&seen, seen_line, sizeof(seen_line));
        if (!want && !got)
            return;
        if (!want || !got || strcmp(want, got) != 0)
            fail_msg("want: %s\ngot:  %s\nall:\n%s", want ? want : "(nothing more)",
                     got ? got : "(nothing more)", world.host.transcript);
    }
}

TEST(the_script_stays_inside)
{
    world_open_capped(&world, CAP);
    if (load(&world, script) != MW_OK) {
        fake_host_functions.fault(&world.host, &world.fault);
    } else {
        must_open(&world, 1);
        for (int i = 0; i < 3; i++)
            say(&world, 1, "go");
        pass(&world, 10);
        end_conn(&world, 1, 1000, "peer_close");
    }
    compare();
    world_close(&world);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest cases[] = { CASE(the_script_stays_inside) };
    if (argc != 2)
        return 2;
    must_read(argv[1], script, sizeof(script));
    return RUN(cases);
}
