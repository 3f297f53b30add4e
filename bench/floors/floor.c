/* The server of the floors: accepts, reads into one buffer, writes at once. Knows no messages. */
#include "bench/floors/floor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES 65536
#define BACKLOG      4096

struct late_write {
    uv_write_t request;
    char bytes[];
};

struct floor_peer *floor_peers;

static char receive_buffer[BUFFER_BYTES]; /* one for all, as in the server that is measured */
static floor_on_bytes bytes_came;

static void written_late(uv_write_t *request, int status)
{
    (void)status;
    free(request->data);
}

static void write_late(struct floor_peer *to, const char *bytes, size_t len)
{
    struct late_write *late = malloc(sizeof *late + len);
    if (!late)
        abort();
    late->request.data = late;
    memcpy(late->bytes, bytes, len);
    uv_buf_t rest = uv_buf_init(late->bytes, (unsigned)len);
    if (uv_write(&late->request, (uv_stream_t *)&to->tcp, &rest, 1, written_late) != 0)
        free(late);
}

void floor_write(struct floor_peer *to, const char *bytes, size_t len)
{
    uv_buf_t out = uv_buf_init((char *)(size_t)bytes, (unsigned)len);
    int taken = uv_try_write((uv_stream_t *)&to->tcp, &out, 1);
    size_t done = taken > 0 ? (size_t)taken : 0;
    if (done < len)
        write_late(to, bytes + done, len - done);
}

static void lend_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    (void)handle;
    (void)wanted;
    *out = uv_buf_init(receive_buffer, sizeof receive_buffer);
}

static void gone(uv_handle_t *handle)
{
    free(handle);
}

static void leave(struct floor_peer *peer)
{
    *peer->link = peer->next;
    if (peer->next)
        peer->next->link = peer->link;
    uv_close((uv_handle_t *)&peer->tcp, gone);
}

static void came(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct floor_peer *peer = (struct floor_peer *)stream;
    if (count < 0)
        leave(peer);
    else if (count > 0)
        bytes_came(peer, buffer->base, (size_t)count);
}

static void welcome(uv_stream_t *listener, int status)
{
    struct floor_peer *peer = malloc(sizeof *peer);
    if (status < 0 || !peer || uv_tcp_init(listener->loop, &peer->tcp) != 0)
        abort();
    peer->link = &floor_peers;
    peer->next = floor_peers;
    if (peer->next)
        peer->next->link = &peer->next;
    floor_peers = peer;
    if (uv_accept(listener, (uv_stream_t *)&peer->tcp) != 0) {
        leave(peer);
        return;
    }
    uv_tcp_nodelay(&peer->tcp, 1);
    uv_read_start((uv_stream_t *)&peer->tcp, lend_buffer, came);
}

int floor_serve(floor_on_bytes on_bytes)
{
    uv_tcp_t listener;
    struct sockaddr_in address;
    int size = sizeof address;
    bytes_came = on_bytes;
    signal(SIGPIPE, SIG_IGN);
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(uv_default_loop(), &listener);
    if (uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&listener, BACKLOG, welcome) != 0 ||
        uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &size) != 0) {
        fputs("floor: cannot listen on 127.0.0.1\n", stderr);
        return 1;
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
