/*
 * The floor of a fan-out: what comes from one goes to all others, with one write for each of them
 * and read; messages that come together go together.
 */
#include "bench/floors/floor.h"

static void write_others(struct floor_peer *from, const char *bytes, size_t len)
{
    for (struct floor_peer *to = floor_peers; to; to = to->next) {
        if (to != from)
            floor_write(to, bytes, len);
    }
}

int main(void)
{
    return floor_serve(write_others);
}
