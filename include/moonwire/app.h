/*
 * Port 1: what the core asks of a script engine. The Lua engine is one implementation
 * (engine_lua.h), the C engine of the tests another; the core knows neither language.
 *
 * An engine makes an *app* for each script on each worker. An app outlives its versions:
 * connections, their data and `state` belong to the app, code belongs to a version. All calls for
 * an app come from its worker's thread, never nested: no function of an engine is called while
 * another one of the same worker is on the stack, so whatever a script does through the host has
 * its consequences (messages, ends of connections) only after the call has returned.
 *
 * Views that are passed in live until the call returns. Strings passed out say how long they live.
 */
#ifndef MOONWIRE_APP_H
#define MOONWIRE_APP_H

#include "moonwire/host.h"
#include "moonwire/types.h"

struct mw_app; /* the engine's own */

/* ---- sources ---- */

/* One file, already read: engines never open files. */
struct mw_source {
    struct mw_view path; /* below the script folder, "lib/rooms.lua": how errors name it */
    struct mw_view text;
};

/*
 * What a version may be made of. `libs` are all files below lib/; `require "a.b"` or "a/b" means
 * "lib/a/b.lua". A version may ask for a library later than at load, so the set stays valid until
 * the version is gone: the engine copies what it wants to keep.
 */
struct mw_sources {
    struct mw_source script;
    const struct mw_source *libs;
    size_t lib_count;
};

/* ---- what a version says about itself ---- */

/* M.limits (docs/scripting.md); a number that the script did not give holds the default below. */
#define MW_LIMIT_LIST(X) \
    X(message, 1048576, 1, 1073741824)    /* bytes of a message */ \
    X(inflated, 0, 0, 1073741824)         /* bytes of a compressed one, inflated; 0 = message */ \
    X(fragments, 131072, 1, 16777216)     /* of one message */ \
    X(queue, 1048576, 1024, 1073741824)   /* bytes waiting to be sent */ \
    X(idle, 0, 0, 31536000)               /* s without a message; 0 = off */ \
    X(ping, 25, 0, 86400)                 /* s between pings; 0 = off */ \
    X(pong, 20, 1, 86400)                 /* s to wait for any byte after a ping */ \
    X(rate, 0, 0, 1000000)                /* messages/s; 0 = off */ \
    X(burst, 0, 0, 1000000)               /* messages at once; 0 = rate */ \
    X(connections, 0, 0, 10000000)        /* on the route and worker; 0 = off */ \
    X(connections_per_ip, 0, 0, 10000000) /* of those of one address (IPv6: its /64); 0 = off */ \
    X(age, 0, 0, 31536000)                /* s of life; 0 = off */

struct mw_limits {
#define MW_LIMIT_FIELD(name, normal, least, most) double name;
    MW_LIMIT_LIST(MW_LIMIT_FIELD)
#undef MW_LIMIT_FIELD
    enum mw_policy policy; /* CLOSE or DROP: of messages that have no room in `queue` */
};

/* A row of M.codes: a close code of the script's own. */
struct mw_code_spec {
    unsigned code;           /* 3000..4999 */
    struct mw_view name;     /* "kicked" */
    struct mw_view fix;      /* what its receiver can do; empty: nothing is said */
    struct mw_advice advice; /* NONE: nothing is said */
};

/* A row of M.topics: what is kept of the topics whose name fits. */
struct mw_topic_spec {
    struct mw_view pattern; /* 1 to 256 bytes; where it ends in '*' anything may follow */
    uint32_t history;       /* messages, 1..MW_BOUND_HISTORY */
    uint32_t ttl_s;         /* 1..MW_BOUND_HISTORY_TTL_S */
};

struct mw_route_spec {
    struct mw_view pattern;  /* "/chat/:room"; empty: the place of the file says it */
    struct mw_view affinity; /* a parameter: connections with one value share a worker; or empty */
    const struct mw_view *protocols; /* in order of preference */
    size_t protocol_count;
    const struct mw_view *origins; /* empty: same origin only; "*" allows all */
    size_t origin_count;
    struct mw_limits limits;
    bool compression;    /* permessage-deflate is agreed to where the client offers it */
    bool wants_messages; /* on_message exists; messages are counted and dropped otherwise */
    bool decides_closes; /* decide_close exists */
    bool advises;        /* advise_reconnect exists */
    const struct mw_code_spec *codes; /* sorted by code */
    size_t code_count;
    double resume_s; /* how long a session that the network has ended may come back; 0: never */
    const struct mw_topic_spec *topics; /* in no order */
    size_t topic_count;
};

#define MW_RESUME_MAX_S 86400

/* The script's own word for a code, or NULL. */
static inline const struct mw_code_spec *mw_route_spec_code(const struct mw_route_spec *spec,
                                                            unsigned code)
{
    for (size_t i = 0; i < spec->code_count; i++) {
        if (spec->codes[i].code == code)
            return &spec->codes[i];
    }
    return 0;
}

/* ---- a fault: an error of a script, for people ---- */

enum mw_fault_kind {
    MW_FAULT_ERROR,
    MW_FAULT_CPU,    /* the call used up its CPU time and was stopped */
    MW_FAULT_MEMORY, /* the script used up its memory and the call was stopped */
};

struct mw_fault {
    enum mw_fault_kind kind;
    char file[256];    /* "chat.lua"; empty where unknown */
    int line;          /* 0 where unknown */
    char message[512]; /* without file and line */
    char frame[512];   /* the source line, with its number; may be empty */
    char hint[256];    /* what to do next; may be empty */
    char trace[1024];  /* the calls that led there, script frames only; may be empty */
    char samples[256]; /* of a stopped or slow call: where its time went; may be empty */
    char handler[64];  /* "on_message", "timer", "load"; may be empty */
    unsigned version;
    mw_id conn; /* 0 where none was concerned */
};

/* ---- decisions and results ---- */

enum mw_app_result {
    MW_APP_DONE,
    MW_APP_WAITING, /* the handler yielded: host->finished follows, unless the connection or the app
                       ends */
    MW_APP_FAILED,  /* an error, already given to host->fault; the message is dropped */
    MW_APP_BAD_JSON, /* format = "json" and the text was none */
};

/* What on_open or on_resume decided. */
struct mw_verdict {
    bool accept;
    /* Where not accepted: 400..599 an HTTP refusal; 1000..4999 upgrade, then close with it. */
    unsigned code;
    /* Body or close reason. Until the next call of the engine. */
    struct mw_view reason;
};

/* What a session comes back to. */
struct mw_return {
    double away_s;     /* since its connection was cut */
    uint64_t missed;   /* messages that are lost for ever: there was no room to keep them */
    uint64_t replayed; /* ... that it is sent now */
};

/* An upgrade request, for on_open and on_resume. */
struct mw_header {
    struct mw_view name; /* lower case */
    struct mw_view value;
};

struct mw_request {
    mw_id conn;
    struct mw_view path;             /* percent-decoded, without query */
    struct mw_view target;           /* as it came */
    struct mw_view query;            /* raw, without '?', and without the server's `moonwire=` */
    const struct mw_header *headers; /* in order of arrival, repeated ones apart */
    size_t header_count;
    const struct mw_tls_facts *tls; /* NULL: plain */
    struct mw_view ip;              /* of on_resume: where it comes from now; else host->info's */
    const struct mw_return *back;   /* NULL: for on_open */
};

/* How a connection ended, or is about to (docs/running.md). All texts are static or live until the
 * call returns. */
struct mw_end {
    unsigned code; /* 1005 and 1006 included */
    struct mw_view reason;
    const char *who;   /* "client" | "server" | "network" */
    const char *cause; /* a name of cause.def */
    const char *rule;  /* "" or the rule broken, with its RFC section */
    struct mw_view detail;
    struct mw_view bytes; /* hex of the offending frame header, or empty */
    double lasted_s, silent_s;
    uint64_t sent, received; /* messages */
    unsigned pings_unanswered;
    bool clean; /* both Close frames were seen */
};

/* What a Close frame will say. */
struct mw_farewell {
    unsigned code;           /* one that may be sent */
    struct mw_view reason;   /* UTF-8 */
    struct mw_advice advice; /* NONE: `advise` is asked */
};

/* ---- settings ---- */

enum mw_setting_kind { MW_SETTING_TEXT, MW_SETTING_NUMBER, MW_SETTING_BOOL };

/* One scalar of moonwire.lua; lists give one call per item with keys "origins[1]", "origins[2]". */
struct mw_setting {
    struct mw_view key; /* "listen", "log.format": path with dots */
    enum mw_setting_kind kind;
    struct mw_view text;
    double number;
    bool flag;
};

/* Returns false to stop; the callee has said why elsewhere. */
typedef bool mw_setting_fn(void *ctx, const struct mw_setting *setting);

/* ---- check: what can be known of scripts without running them ---- */

enum mw_severity { MW_SEVERITY_WARNING, MW_SEVERITY_ERROR };

struct mw_finding {
    struct mw_view file; /* as the source is named: "chat.lua", "lib/rooms.lua" */
    int line, column;    /* from 1; columns count characters */
    int width;           /* characters of that line, at least 1 */
    struct mw_view text; /* of that line */
    enum mw_severity severity;
    const char *rule;    /* its name, "undeclared-write"; static */
    const char *message; /* what is wrong */
    const char *hint;    /* what to do; may be empty */
};

/*
 * The files of a project and what to do with what is found. Views that the functions are given
 * point into the sources, texts live until they return.
 */
struct mw_check {
    const struct mw_source *scripts;
    size_t script_count;
    const struct mw_source *libs;
    size_t lib_count;
    const struct mw_source *settings;           /* NULL: there is none */
    const char *(*code_refusal)(unsigned code); /* as in host.h */
    void *ctx;
    void (*finding)(void *ctx, const struct mw_finding *finding);
    /*
     * A script names its route here (the finding's file, place and text are set, the rest is not):
     * patterns are the server's business.
     */
    void (*route)(void *ctx, struct mw_view pattern, const struct mw_finding *place);
    /* A value of the settings stands here: the same. */
    void (*setting)(void *ctx, struct mw_view key, const struct mw_finding *place);
};

/* ---- the engine ---- */

struct mw_app_setup {
    const struct mw_host *host; /* borrowed for the app's life */
    void *host_app;             /* first argument of every host function */
    struct mw_view name;        /* "chat.lua"; copied */
    size_t memory_bytes;        /* cap of everything done on the script's behalf */
    size_t string_bytes;        /* longest string that the script can make; 0: no limit */
    unsigned cpu_stop_ms;       /* CPU time of one call; 0: no limit */
    unsigned cpu_warn_ms;       /* a call that took longer is told of; 0: never */
};

struct mw_app_stats {
    size_t memory_bytes, memory_peak_bytes;
    size_t spare_bytes; /* given back and kept for its next requests: beside memory_bytes */
    size_t conn_objects, timers, waiting;
    size_t owed_closes;         /* ends of connections that on_close has not been told of yet */
    uint64_t lost_closes;       /* ... and never will be */
    uint64_t calls, slow_calls; /* into the script, ever */
    unsigned version;           /* 0: none yet */
    size_t old_versions;        /* replaced, and kept because calls of theirs wait */
};

/* What went over in a rebuild. */
struct mw_carried {
    size_t conns;          /* that are open: all of them */
    size_t keys, all_keys; /* of `state`, carried and there */
    size_t left_out;       /* values, those keys among them: each was told of, or the first ten */
};

struct mw_engine {
    const char *name;   /* "lua" */
    const char *suffix; /* ".lua": files of the script folder that are meant for it */

    /*
     * Reads a settings file and calls `each` for every scalar in it. MW_OK, MW_ERR_NOMEM, or
     * MW_ERR_SCRIPT with *fault filled.
     */
    int (*settings)(const struct mw_source *file, mw_setting_fn *each, void *ctx,
                    struct mw_fault *fault);

    /* Runs nothing. MW_OK whatever was found, or MW_ERR_NOMEM. */
    int (*check)(const struct mw_check *check);

    /* Gives an app without a version, or NULL: no memory. */
    struct mw_app *(*create)(const struct mw_app_setup *setup);
    /* Frees everything; runs no script code. NULL is allowed. */
    void (*destroy)(struct mw_app *app);

    /*
     * For a rebuild: copies what outlives versions from an app to one that is fresh from `create`
     * and will take its place: connections with their data, `state`, on_close calls that are owed.
     * Then follows `prepare` of `to`, which sees all of it and is told of a reload; with its
     * `commit` `from` is destroyed, without it `to`. Until then both are paused, `to` is told of
     * each `close` as well, and calls that wait in `from` never go on. `from` stays as it is.
     * Values that are no plain data, or for which there is no room, are left out: counted, and
     * named in host->log. MW_ERR_NOMEM: not even the connections fit, and `to` is of no use.
     */
    int (*carry)(struct mw_app *from, struct mw_app *to, struct mw_carried *told);

    /*
     * Compiles, runs and checks a new version beside the live one, which notices nothing. On MW_OK
     * *spec is the candidate's (borrowed until commit or discard, then until the version is
     * replaced) and exactly one of commit and discard must follow. Otherwise MW_ERR_SCRIPT or
     * MW_ERR_NOMEM with *fault filled. Warnings go to host->log.
     */
    int (*prepare)(struct mw_app *app, const struct mw_sources *sources, unsigned version,
                   const struct mw_route_spec **spec, struct mw_fault *fault);
    /* Makes the candidate live, O(1) in connections. Timers of the old version end. Cannot fail. */
    void (*commit)(struct mw_app *app);
    void (*discard)(struct mw_app *app);
    /* True when the live version has required the library at this path ("lib/rooms.lua"). */
    bool (*uses)(const struct mw_app *app, struct mw_view lib_path);

    /* on_start after the first commit; on_stop before destroy, when no connection is left. */
    enum mw_app_result (*start)(struct mw_app *app);
    void (*stop)(struct mw_app *app);

    /*
     * on_open. With MW_APP_DONE *verdict is set; with MW_APP_WAITING it comes with host->finished.
     */
    enum mw_app_result (*open)(struct mw_app *app, const struct mw_request *request,
                               struct mw_verdict *verdict);
    /*
     * on_resume, for a connection that `open` has accepted and that is away: as open. Its id is the
     * one it had. Never called while a call for it waits; where it is refused, `close` follows.
     */
    enum mw_app_result (*resume)(struct mw_app *app, const struct mw_request *request,
                                 struct mw_verdict *verdict);
    /* on_message; never called for a connection whose last call is still waiting. */
    enum mw_app_result (*message)(struct mw_app *app, mw_id conn, enum mw_opcode kind,
                                  struct mw_view data);
    /* on_drain; may come while a message handler waits. */
    void (*drain)(struct mw_app *app, mw_id conn);
    /*
     * decide_close: the server is about to close a connection for which `open` was called, for a
     * reason that is not the script's own; *end has code and reason of the default, and is not
     * clean. True where the script wants something else: *said, whose reason is good until the next
     * call of the engine. Only where spec->decides_closes; cannot wait.
     */
    bool (*decide)(struct mw_app *app, mw_id conn, const struct mw_end *end,
                   struct mw_farewell *said);
    /*
     * advise_reconnect: when its peer may come back that is about to get this code (end->code). Of
     * kind NONE where the script has nothing to say. Only where spec->advises; cannot wait.
     */
    struct mw_advice (*advise)(struct mw_app *app, mw_id conn, const struct mw_end *end);
    /*
     * The end of a connection for which `open` was called: on_close if on_open had accepted, and in
     * any case the engine lets go of it. The id still answers host->info during the call. What
     * waits goes on and finds the connection closed; host->finished is not called for it any more.
     * Where host->may_call says no, on_close is owed: it is called in a later tick, once, in the
     * order of the ends, with what the engine has kept of them.
     */
    void (*close)(struct mw_app *app, mw_id conn, const struct mw_end *end);

    /* The moment asked for with host->wake_at has come. */
    void (*tick)(struct mw_app *app, mw_ms now_ms);

    /*
     * While an app is paused nothing of the script runs: only prepare, commit, discard, close and
     * what asks are called. When it goes on, host->wake_at is asked anew for whatever was due.
     */
    void (*pause)(struct mw_app *app, bool paused);

    void (*stats)(const struct mw_app *app, struct mw_app_stats *out);
};

#endif
