/* What a command line says about the handshake of a client of ours: for connect and doctor. */
#ifndef MW_CLI_HANDSHAKE_ARGS_H
#define MW_CLI_HANDSHAKE_ARGS_H

#include "core/base/buf.h"
#include "core/cli/args.h"
#include "core/proto/http.h"

struct mw_handshake_args {
    struct mw_header headers[MW_ARG_LIST_MAX]; /* names in lower case */
    struct mw_view protocols[MW_ARG_LIST_MAX];
    size_t header_count, protocol_count;
    struct mw_buf names; /* private: whose bytes the headers' names are */
};

/*
 * -H and -s; views into argv and into itself. 0, or the exit code, and then what is wrong has been
 * said. Free it in both cases.
 */
int mw_handshake_args_read(struct mw_handshake_args *handshake, struct mw_mem *mem,
                           const struct mw_args *args);
void mw_handshake_args_free(struct mw_handshake_args *handshake);

#endif
