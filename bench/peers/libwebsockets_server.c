/*
 * A server on libwebsockets, as its documentation has it: what is to be sent waits until the
 * library says that a connection may write, one message each time.
 *
 *   libwebsockets_server [tls=CERT,KEY] [deflate]
 *
 * It has no topics: a fan-out is a loop over who is there, with one message that all share.
 */
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES 65536
#define CONNECTIONS  20000

struct message {
    size_t holders, len;
    enum lws_write_protocol kind;
    unsigned char bytes[]; /* LWS_PRE, which the library writes the head into; then the payload */
};

struct entry {
    struct entry *next;
    struct message *message;
};

struct session {
    struct lws *wsi;
    struct session *next, **link; /* of those who hear a fan-out */
    struct entry *first, **last;
    struct message *half; /* what has come of a message */
    size_t room;
    bool is_fan;
};

static struct session *everybody;

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void release(struct message *message)
{
    if (message && --message->holders == 0)
        free(message);
}

static void queue(struct session *session, struct message *message)
{
    struct entry *entry = must(malloc(sizeof *entry));
    message->holders++;
    *entry = (struct entry){ .message = message };
    *session->last = entry;
    session->last = &entry->next;
    lws_callback_on_writable(session->wsi);
}

static void pop(struct session *session)
{
    struct entry *entry = session->first;
    session->first = entry->next;
    if (!session->first)
        session->last = &session->first;
    release(entry->message);
    free(entry);
}

static void begin(struct session *session, struct lws *wsi)
{
    char path[64] = "";
    lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
    session->wsi = wsi;
    session->last = &session->first;
    session->is_fan = strcmp(path, "/fan") == 0;
    if (!session->is_fan)
        return;
    session->next = everybody;
    session->link = &everybody;
    if (session->next)
        session->next->link = &session->next;
    everybody = session;
}

static void end(struct session *session)
{
    if (session->is_fan) {
        *session->link = session->next;
        if (session->next)
            session->next->link = session->link;
    }
    while (session->first)
        pop(session);
    release(session->half);
}

static void handle(struct session *session, struct message *message)
{
    if (!session->is_fan) {
        queue(session, message);
        return;
    }
    for (struct session *other = everybody; other; other = other->next) {
        if (other != session)
            queue(other, message);
    }
}

/* Messages come in parts of the buffer's size. */
static void collect(struct session *session, const void *part, size_t len)
{
    size_t have = session->half ? session->half->len : 0;
    if (!session->half || have + len > session->room) {
        bool is_new = !session->half;
        session->room = have + len + lws_remaining_packet_payload(session->wsi);
        session->half =
            must(realloc(session->half, sizeof *session->half + LWS_PRE + session->room));
        if (is_new)
            *session->half = (struct message){
                .holders = 1,
                .kind = lws_frame_is_binary(session->wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT,
            };
    }
    memcpy(session->half->bytes + LWS_PRE + have, part, len);
    session->half->len = have + len;
    if (!lws_is_final_fragment(session->wsi) || lws_remaining_packet_payload(session->wsi))
        return;
    handle(session, session->half);
    release(session->half);
    session->half = NULL;
}

static int write_next(struct session *session)
{
    if (!session->first)
        return 0;
    struct message *message = session->first->message;
    int written = lws_write(session->wsi, message->bytes + LWS_PRE, message->len, message->kind);
    bool is_well = written >= (int)message->len;
    pop(session);
    if (session->first)
        lws_callback_on_writable(session->wsi);
    return is_well ? 0 : -1;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    if (reason == LWS_CALLBACK_ESTABLISHED)
        begin(user, wsi);
    else if (reason == LWS_CALLBACK_CLOSED)
        end(user);
    else if (reason == LWS_CALLBACK_RECEIVE)
        collect(user, in, len);
    else if (reason == LWS_CALLBACK_SERVER_WRITEABLE)
        return write_next(user);
    return 0;
}

static const struct lws_protocols protocols[] = {
    { .name = "bench",
      .callback = on_event,
      .per_session_data_size = sizeof(struct session),
      .rx_buffer_size = BUFFER_BYTES },
    { 0 },
};

static const struct lws_extension extensions[] = {
    { "permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate" },
    { 0 },
};

static void read_option(struct lws_context_creation_info *info, char *word)
{
    if (strcmp(word, "deflate") == 0) {
        info->extensions = extensions;
    } else if (strncmp(word, "tls=", 4) == 0 && strchr(word, ',')) {
        info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info->ssl_cert_filepath = word + 4;
        info->ssl_private_key_filepath = strchr(word, ',') + 1;
        *strchr(word, ',') = '\0';
    }
}

int main(int argc, char **argv)
{
    struct lws_context_creation_info info = {
        .iface = "127.0.0.1",
        .protocols = protocols,
        .pt_serv_buf_size = BUFFER_BYTES,
        .fd_limit_per_thread = CONNECTIONS,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .gid = -1,
        .uid = -1,
    };
    lws_set_log_level(LLL_ERR, NULL);
    for (int i = 1; i < argc; i++)
        read_option(&info, argv[i]);
    struct lws_context *context = must(lws_create_context(&info));
    struct lws_vhost *vhost = must(lws_create_vhost(context, &info));
    printf("%d\n", lws_get_vhost_listen_port(vhost));
    fflush(stdout);
    while (lws_service(context, 0) >= 0)
        ;
    lws_context_destroy(context);
    return 0;
}
