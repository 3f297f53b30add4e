/*
 * A host in memory for the tests of the engine: a few connections, a clock that stands still, and a
 * transcript of everything the engine asked for, one line each:
 *
 *   send 1 text hello            publish room text hi           subscribe 1 room
 *   send 1 text hi [drop]       publish room text hi [latest pos]
 *   close 1 4001 bye             ping 1                         finished 1 open accept
 *   log info v1 hello            fault on_open v1 chat.lua:2 message
 *
 * Around it `struct world`: an app with that host, and the steps that most tests are made of.
 */
#ifndef MW_TESTS_UNIT_LUA_FAKE_HOST_H
#define MW_TESTS_UNIT_LUA_FAKE_HOST_H

#include <stdio.h>
#include <string.h>

#include "lua/engine.h"
#include "moonwire/engine_lua.h"
#include "tests/unit/unit.h"

#define FAKE_CONNS  8
#define FAKE_TOPICS 4

struct fake_conn {
    mw_id id; /* 0: free */
    enum mw_conn_state state;
    bool is_accepted;
    bool resumed;
    bool is_busy;    /* set by a test; cleared when the call that waits has finished */
    int send_answer; /* of the next sends */
    double rtt_s;
    char topics[FAKE_TOPICS][64];
};

struct fake_host {
    struct fake_conn conns[FAKE_CONNS];
    const struct mw_tls_facts *tls; /* of the next requests; NULL: plain */
    mw_ms now_ms, unix_ms;
    mw_ms wake_ms;
    unsigned calls_a_turn, calls_left; /* what may_call allows; 0 a turn: anything */
    struct mw_fault fault;             /* the last one */
    unsigned fault_count;
    const char *following[4];   /* messages behind the next one: for next_message */
    size_t followed;            /* of them: asked for */
    struct mw_view heard;       /* where the engine has the text of the message */
    char heard_text[256];       /* what it was when the engine said so */
    unsigned sends, heard_sent; /* messages sent; those that were just that text */
    void (*on_follow)(void);    /* between two of them; or NULL */
    volatile int *stops;        /* of a budget, which is used up by the next send; or NULL */
    bool is_quiet;              /* what is sent, published and finished is not written down */
    char transcript[65536];
    size_t len;
};

struct world {
    struct fake_host host;
    struct mw_mem mem; /* counts what the app holds */
    struct mw_app *app;
    const struct mw_engine *engine;
    struct mw_fault fault; /* of the last load that was refused */
    const struct mw_route_spec *spec;
    unsigned version;
};

extern const struct mw_host fake_host_functions;

void fake_host_init(struct fake_host *host);

/* " retry=no", " retry=5000+10000 afresh" (after and spread in ms), or nothing. */
void advice_text(const struct mw_advice *advice, char out[64]);

/* ---- a world ---- */

/* An app whose memory `mem` counts and may refuse; false where it did. */
bool world_open_in(struct world *world, struct mw_mem *mem, size_t memory_bytes);

/* `memory_bytes` is the app's cap; 0 = 64 MiB. */
void world_open_capped(struct world *world, size_t memory_bytes);
static inline void world_open(struct world *world)
{
    world_open_capped(world, 0);
}

/* Destroys the app and checks that it gave everything back. */
void world_close(struct world *world);

/*
 * Loads "chat.lua" with these libraries (path, text, path, text, ..., NULL) as the next version.
 * MW_OK or the error.
 */
int load_with(struct world *world, const char *script, const char *const *libs);
int load(struct world *world, const char *script);
/* The two halves of it: the old version serves in between. */
int prepare_with(struct world *world, const char *script, const char *const *libs);
void must_prepare(struct world *world, const char *script);
void commit(struct world *world);
/* The same, and it must succeed. */
void must_load(struct world *world, const char *script);
/* The text of a file, which must fit: for the runners of scripts that are files. */
void must_read(const char *path, char *out, size_t size);

/* Connection n (1..7) asks for /chat/lobby?query. */
enum mw_app_result open_conn(struct world *world, mw_id id, const char *query,
                             struct mw_verdict *verdict);
/* The same, and it must be accepted. */
void must_open(struct world *world, mw_id id);
/*
 * One that is away comes back from 192.0.2.7 after 1.5 s; it has missed 2 messages and gets 3.
 */
enum mw_app_result resume_conn(struct world *world, mw_id id, struct mw_verdict *verdict);
enum mw_app_result say(struct world *world, mw_id id, const char *text);
enum mw_app_result say_binary(struct world *world, mw_id id, const char *bytes, size_t len);
void end_conn(struct world *world, mw_id id, unsigned code, const char *cause);

/* Time passes; the engine is ticked at each moment that it asked for. */
void pass(struct world *world, mw_ms span_ms);

/* The transcript since the last time is exactly this; begins a new one. */
void expect(struct world *world, const char *transcript);
/* It holds this text somewhere; begins a new one. */
void expect_somewhere(struct world *world, const char *text);
void forget(struct world *world);

/*
 * Loads `script` with one on_message whose body is `body`, says "go" to connection 1, and expects.
 */
void expect_from(struct world *world, const char *body, const char *transcript);

/* A line of a handler, and what it leads to: the whole transcript, or "*" and a part of it. */
struct line_case {
    const char *body, *transcript;
};
/* Each in a world of its own. */
void expect_lines(struct world *world, const struct line_case *lines, size_t count);

#endif
