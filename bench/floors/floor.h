/*
 * What the floors share: a bare libuv TCP server on a free port of 127.0.0.1, which it prints. A
 * floor does what the scenario's servers must do at least, and nothing of a protocol: what a server
 * costs above it is its own work. No limits, no timeouts, one thread; without memory it aborts.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stddef.h>
#include <uv.h>

/* A connection, the list of all of them, and its place in it. */
struct floor_peer {
    uv_tcp_t tcp; /* first: libuv's pointers are ours */
    struct floor_peer *next, **link;
};

extern struct floor_peer *floor_peers;

/* What has come from one; the bytes are the receive buffer's, until it returns. */
typedef void (*floor_on_bytes)(struct floor_peer *from, const char *bytes, size_t len);

/* At once, or where the kernel does not take all of it, from a copy. */
void floor_write(struct floor_peer *to, const char *bytes, size_t len);

/* For the life of the process; gives its exit code. */
int floor_serve(floor_on_bytes on_bytes);

#endif
