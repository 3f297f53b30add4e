/*
 * The load: N connections, each with one message under way. A message is a masked frame of 64
 * bytes; its echo is compared byte for byte, then the next one goes. Plain sockets and epoll, so
 * that the generator is cheaper than what it measures.
 *
 *   echo_load PORT PATH CONNECTIONS MESSAGES
 *
 * PATH "-" is a bare echo, which returns the frame as it was sent. When all connections stand it
 * prints "ready" and waits for a line on stdin; then it runs, prints "done SECONDS", and holds the
 * connections until stdin ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD    64
#define SENT_BYTES (2 + 4 + PAYLOAD) /* head, mask, payload */
#define ECHO_BYTES (2 + PAYLOAD)     /* a server masks nothing */
#define EVENTS     1024

struct peer {
    int fd;
    uint32_t number; /* of the message under way; it stands in the payload */
    size_t have;     /* bytes of its echo */
    uint8_t expected[SENT_BYTES];
    uint8_t echo[SENT_BYTES];
};

static struct load {
    bool bare; /* no handshake, and the echo is the frame itself */
    size_t echo_bytes;
    struct peer *peers;
    size_t count;
    uint64_t to_send, to_come;
    int epoll;
} load;

static void die(const char *what)
{
    fprintf(stderr, "echo_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- opening ---- */

static int dial(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void upgrade(int fd, const char *path)
{
    char text[1024];
    int len = snprintf(
        text, sizeof text,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        path);
    if (write(fd, text, (size_t)len) != len)
        die("handshake");
    size_t have = 0;
    while (have < 4 || memcmp(text + have - 4, "\r\n\r\n", 4) != 0) {
        if (have == sizeof text || read(fd, text + have, 1) != 1)
            die("handshake");
        have++;
    }
    if (memcmp(text, "HTTP/1.1 101", 12) != 0) {
        fprintf(stderr, "echo_load: refused: %.*s\n", (int)have, text);
        exit(1);
    }
}

static void open_peers(uint16_t port, const char *path)
{
    for (size_t i = 0; i < load.count; i++) {
        struct peer *peer = &load.peers[i];
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = peer };
        peer->fd = dial(port);
        if (!load.bare)
            upgrade(peer->fd, path);
        if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, peer->fd, &event) != 0)
            die("epoll_ctl");
    }
}

/* ---- messages ---- */

static void send_next(struct peer *peer)
{
    static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    uint8_t frame[SENT_BYTES] = { 0x81, 0x80 | PAYLOAD };
    char payload[PAYLOAD + 1];
    snprintf(payload, sizeof payload, "%08x %055x", peer->number++, (unsigned)(peer - load.peers));
    memcpy(frame + 2, mask, sizeof mask);
    for (size_t i = 0; i < PAYLOAD; i++)
        frame[6 + i] = (uint8_t)payload[i] ^ mask[i & 3];
    if (load.bare) {
        memcpy(peer->expected, frame, SENT_BYTES);
    } else {
        peer->expected[0] = 0x81;
        peer->expected[1] = PAYLOAD;
        memcpy(peer->expected + 2, payload, PAYLOAD);
    }
    peer->have = 0;
    load.to_send--;
    if (write(peer->fd, frame, SENT_BYTES) != SENT_BYTES)
        die("write");
}

static void read_echo(struct peer *peer)
{
    ssize_t count = read(peer->fd, peer->echo + peer->have, load.echo_bytes - peer->have);
    if (count <= 0)
        die("a connection ended");
    peer->have += (size_t)count;
    if (peer->have < load.echo_bytes)
        return;
    if (memcmp(peer->echo, peer->expected, load.echo_bytes) != 0) {
        fprintf(stderr, "echo_load: this is no echo of what was sent: %02x %02x ...\n",
                peer->echo[0], peer->echo[1]);
        exit(1);
    }
    load.to_come--;
    if (load.to_send > 0)
        send_next(peer);
}

static void run(void)
{
    struct epoll_event events[EVENTS];
    for (size_t i = 0; i < load.count && load.to_send > 0; i++)
        send_next(&load.peers[i]);
    while (load.to_come > 0) {
        int count = epoll_wait(load.epoll, events, EVENTS, 10000);
        if (count <= 0)
            die("nothing came for 10 s");
        for (int i = 0; i < count; i++)
            read_echo(events[i].data.ptr);
    }
}

int main(int argc, char **argv)
{
    char line[16];
    if (argc != 5) {
        fputs("usage: echo_load PORT PATH CONNECTIONS MESSAGES\n", stderr);
        return 2;
    }
    load.bare = strcmp(argv[2], "-") == 0;
    load.echo_bytes = load.bare ? SENT_BYTES : ECHO_BYTES;
    load.count = strtoul(argv[3], 0, 10);
    load.to_send = load.to_come = strtoull(argv[4], 0, 10);
    load.peers = calloc(load.count, sizeof *load.peers);
    load.epoll = epoll_create1(0);
    if (!load.peers || load.epoll < 0)
        die("start");
    open_peers((uint16_t)strtoul(argv[1], 0, 10), argv[2]);
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        return 0;
    double began_s = now_s();
    run();
    printf("done %.6f\n", now_s() - began_s);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        ;
    return 0;
}
