/*
 * The conversation of ../conversation.mjs by libwebsockets' client:
 *
 *   peer_libwebsockets ADDRESS [CERTIFICATES]
 *
 * Each connection plays its row of `talks`, one after the other. The callback hears of one event at
 * a time and asks to be called when it may write. Compressed is only what is long: up to version
 * 4.3 this library gives a message that came plain to its caller again and again where compression
 * was agreed on (its issue 2794).
 */
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIB        (1024 * 1024)
#define PATIENCE_S 30

struct message {
    int kind; /* LWS_WRITE_TEXT or LWS_WRITE_BINARY */
    size_t fragments;
    size_t len;
    const char *data;
};

struct talk {
    const char *path;
    size_t count;
    struct message messages[5]; /* each goes when the one before has come back */
    unsigned code;              /* of the close: ours, or the server's */
    const char *reason;         /* NULL: whatever it is */
    bool is_ours, is_compressed;
};

static char large_text[MIB], large_bytes[MIB];

static const struct talk talks[] = {
    { "/echo",
      5,
      { { LWS_WRITE_TEXT, 1, 11,
          "Gr\xc3\xbc\xc3\x9f"
          "e \xe2\x82\xac" },
        { LWS_WRITE_TEXT, 1, 0, "" },
        { LWS_WRITE_TEXT, 1, MIB, large_text },
        { LWS_WRITE_BINARY, 1, MIB, large_bytes },
        { LWS_WRITE_TEXT, 3, 14, "in three parts" } },
      4002,
      "done",
      true,
      false },
    { "/ends", 1, { { LWS_WRITE_TEXT, 1, 11, "4001 enough" } }, 4001, "enough", false, false },
    { "/ends", 1, { { LWS_WRITE_BINARY, 1, 2000, large_bytes } }, 1009, NULL, false, false },
    { "/echo",
      3,
      { { LWS_WRITE_TEXT, 1, MIB, large_text },
        { LWS_WRITE_BINARY, 1, MIB, large_bytes },
        { LWS_WRITE_TEXT, 1, 1000, large_text } },
      4002,
      "done",
      true,
      true },
};

static struct peer {
    const struct talk *talk;
    size_t at;       /* the message whose turn it is */
    size_t fragment; /* of it */
    size_t heard;    /* bytes of its echo */
    bool is_over, has_failed;
    char room[LWS_PRE + MIB];
} peer;

static int fail(const char *what)
{
    fprintf(stderr, "%s, message %zu: %s\n", peer.talk->path, peer.at, what);
    peer.has_failed = true;
    return -1;
}

/* Fragments are of the same size but for the last. */
static int send_fragment(struct lws *wsi)
{
    const struct message *message = &peer.talk->messages[peer.at];
    if (peer.fragment == message->fragments) /* all of it has gone; its echo is waited for */
        return 0;
    size_t size = message->len / message->fragments, from = peer.fragment * size;
    bool is_last = ++peer.fragment == message->fragments;
    if (is_last)
        size = message->len - from;
    int kind = from ? LWS_WRITE_CONTINUATION : message->kind;
    memcpy(peer.room + LWS_PRE, message->data + from, size);
    if (lws_write(wsi, (unsigned char *)peer.room + LWS_PRE, size,
                  (enum lws_write_protocol)(kind | (is_last ? 0 : LWS_WRITE_NO_FIN))) < 0)
        return fail("cannot be sent");
    if (!is_last)
        lws_callback_on_writable(wsi);
    return 0;
}

static int on_writable(struct lws *wsi)
{
    const struct talk *talk = peer.talk;
    if (peer.at < talk->count)
        return send_fragment(wsi);
    if (!talk->is_ours)
        return 0;
    lws_close_reason(wsi, (enum lws_close_status)talk->code, (unsigned char *)talk->reason,
                     strlen(talk->reason));
    peer.is_over = true;
    return -1;
}

static int on_receive(struct lws *wsi, const char *bytes, size_t len)
{
    const struct message *message = &peer.talk->messages[peer.at];
    if (peer.at == peer.talk->count || len > message->len - peer.heard ||
        memcmp(bytes, message->data + peer.heard, len) != 0)
        return fail("came back otherwise");
    if (lws_frame_is_binary(wsi) != (message->kind == LWS_WRITE_BINARY))
        return fail("came back as another kind");
    peer.heard += len;
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0)
        return 0;
    if (peer.heard != message->len)
        return fail("came back short");
    peer.at++;
    peer.fragment = peer.heard = 0;
    lws_callback_on_writable(wsi);
    return 0;
}

/* The server's Close frame: its code, then the reason. */
static int on_close_frame(const unsigned char *body, size_t len)
{
    const struct talk *talk = peer.talk;
    unsigned code = len < 2 ? 1005 : (unsigned)body[0] << 8 | body[1];
    peer.is_over = true;
    if (talk->is_ours || code != talk->code)
        return fail("closed with another code");
    if (talk->reason &&
        (len - 2 != strlen(talk->reason) || memcmp(body + 2, talk->reason, len - 2) != 0))
        return fail("closed with another reason");
    return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    (void)user;
    switch ((int)reason) { /* of some eighty */
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        if (peer.talk->is_compressed && !lws_hdr_total_length(wsi, WSI_TOKEN_EXTENSIONS))
            return fail("compression was not agreed on");
        return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return on_writable(wsi);
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return on_receive(wsi, in, len);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return on_close_frame(in, len);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        return fail(in ? in : "no connection");
    case LWS_CALLBACK_CLIENT_CLOSED:
        if (!peer.is_over && !peer.has_failed)
            return fail("closed without a word");
        peer.talk = NULL;
        return 0;
    }
    return 0;
}

static const struct lws_protocols protocols[] = {
    { .name = "conversation", .callback = on_event, .rx_buffer_size = 65536 },
    { 0 },
};

static const struct lws_extension extensions[] = {
    { "permessage-deflate", lws_extension_callback_pm_deflate,
      "permessage-deflate; client_no_context_takeover; client_max_window_bits" },
    { 0 },
};

static struct lws_context *new_context(const struct talk *talk, const char *certificates)
{
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .extensions = talk->is_compressed ? extensions : NULL,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .client_ssl_ca_filepath = certificates,
    };
    return lws_create_context(&info);
}

static void converse(struct lws_context *context, const struct talk *talk, const char *host,
                     int port, bool is_tls)
{
    peer.talk = talk;
    peer.at = peer.fragment = peer.heard = 0;
    peer.is_over = false;
    const struct lws_client_connect_info info = {
        .context = context,
        .address = host,
        .host = host,
        .port = port,
        .path = talk->path,
        .local_protocol_name = protocols[0].name,
        .ssl_connection = is_tls ? LCCSCF_USE_SSL : 0,
    };
    time_t end = time(NULL) + PATIENCE_S;
    if (!lws_client_connect_via_info(&info))
        fail("no connection");
    while (peer.talk && !peer.has_failed && time(NULL) < end)
        lws_service(context, 100);
    if (peer.talk && !peer.has_failed)
        fail("nothing came");
}

int main(int argc, char **argv)
{
    const char *scheme, *host, *path;
    int port;
    if (argc < 2 || lws_parse_uri(argv[1], &scheme, &host, &port, &path))
        return 2;
    for (size_t i = 0; i < MIB; i++) {
        large_text[i] = "0123456789abcdef"[i % 16];
        large_bytes[i] = (char)(i * 31);
    }
    lws_set_log_level(LLL_ERR, NULL);
    for (size_t i = 0; !peer.has_failed && i < sizeof talks / sizeof *talks; i++) {
        struct lws_context *context = new_context(&talks[i], argc > 2 ? argv[2] : NULL);
        if (!context)
            return 1;
        converse(context, &talks[i], host, port, strcmp(scheme, "wss") == 0);
        lws_context_destroy(context);
    }
    return peer.has_failed ? 1 : 0;
}
