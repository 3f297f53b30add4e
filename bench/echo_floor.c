/*
 * The floor of the measurement: a bare libuv TCP echo, one read and one write a message, nothing
 * between them. What a server costs above it is its own work. No limits, no timeouts, no answer to
 * anything but bytes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define BUFFER_BYTES 65536
#define BACKLOG      4096

static char receive_buffer[BUFFER_BYTES]; /* one for all, as in the server that is measured */

struct late_write {
    uv_write_t request;
    char bytes[];
};

static void gone(uv_handle_t *handle)
{
    free(handle);
}

static void lend_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    (void)handle;
    (void)wanted;
    *out = uv_buf_init(receive_buffer, sizeof receive_buffer);
}

static void written_late(uv_write_t *request, int status)
{
    (void)status;
    free(request->data);
}

/* What the kernel did not take at once is copied and waits. */
static void write_late(uv_stream_t *stream, const char *bytes, size_t len)
{
    struct late_write *late = malloc(sizeof *late + len);
    if (!late)
        abort();
    late->request.data = late;
    for (size_t i = 0; i < len; i++)
        late->bytes[i] = bytes[i];
    uv_buf_t rest = uv_buf_init(late->bytes, (unsigned)len);
    if (uv_write(&late->request, stream, &rest, 1, written_late) != 0)
        free(late);
}

static void echo(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    if (count < 0) {
        uv_close((uv_handle_t *)stream, gone);
        return;
    }
    uv_buf_t out = uv_buf_init(buffer->base, (unsigned)count);
    int taken = uv_try_write(stream, &out, 1);
    size_t done = taken > 0 ? (size_t)taken : 0;
    if (done < (size_t)count)
        write_late(stream, buffer->base + done, (size_t)count - done);
}

static void welcome(uv_stream_t *listener, int status)
{
    uv_tcp_t *tcp = malloc(sizeof *tcp);
    if (status < 0 || !tcp || uv_tcp_init(listener->loop, tcp) != 0)
        abort();
    if (uv_accept(listener, (uv_stream_t *)tcp) != 0) {
        uv_close((uv_handle_t *)tcp, gone);
        return;
    }
    uv_tcp_nodelay(tcp, 1);
    uv_read_start((uv_stream_t *)tcp, lend_buffer, echo);
}

int main(void)
{
    uv_tcp_t listener;
    struct sockaddr_in address;
    int size = sizeof address;
    signal(SIGPIPE, SIG_IGN);
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(uv_default_loop(), &listener);
    if (uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&listener, BACKLOG, welcome) != 0 ||
        uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &size) != 0) {
        fputs("echo_floor: cannot listen on 127.0.0.1\n", stderr);
        return 1;
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
