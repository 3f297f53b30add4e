/*
 * The options of the server, from the rows of config.def. Later sources win: defaults,
 * moonwire.lua, environment, flags. Immutable once the server runs.
 */
#ifndef MW_SERVER_CONFIG_H
#define MW_SERVER_CONFIG_H

#include "core/base/ip.h"
#include "core/io/tls_ctx.h"
#include "core/proto/forwarded.h"
#include "moonwire/app.h"

#define MW_CONFIG_TEXT_MAX 256
#define MW_CONFIG_FLAG_MAX 32
/* More than the largest content network has; more than a server has names. */
#define MW_CONFIG_MAX_NETS  64
#define MW_CONFIG_MAX_PAIRS 17

struct mw_config_nets {
    size_t count;
    struct mw_net items[MW_CONFIG_MAX_NETS];
};

/* Files, relative to the project; both "" where there is no such pair. */
struct mw_config_pair {
    char cert[MW_CONFIG_TEXT_MAX];
    char key[MW_CONFIG_TEXT_MAX];
};

struct mw_config_tls {
    bool throw_away;
    struct mw_config_pair pairs[MW_CONFIG_MAX_PAIRS]; /* tls.cert, then tls.certificates */
    char least_version[MW_CONFIG_TEXT_MAX];
    char client[MW_CONFIG_TEXT_MAX];
    char client_ca[MW_CONFIG_TEXT_MAX];
    double ticket_lifetime; /* s; 0: no tickets */
};

struct mw_config {
    char listen[MW_CONFIG_TEXT_MAX];
    double workers; /* threads; 0: as many as there are processors for us */
    struct mw_config_tls tls;
    struct mw_config_nets trusted; /* proxies */
    char trusted_header[MW_CONFIG_TEXT_MAX];
    bool proxy_protocol;
    char log_format[MW_CONFIG_TEXT_MAX];
    char log_level[MW_CONFIG_TEXT_MAX];
    char health_live[MW_CONFIG_TEXT_MAX];   /* a path, or "off" */
    char health_ready[MW_CONFIG_TEXT_MAX];  /* the same */
    char metrics_path[MW_CONFIG_TEXT_MAX];  /* the same */
    double connections, connections_per_ip; /* of the process; 0: no limit */
    double accept_rate;                     /* new WebSockets/s; 0: no limit */
    double memory;                          /* resident bytes of the process; 0: the container's */
    double compression_memory;              /* bytes */
    double script_memory;                   /* bytes */
    double script_string;                   /* bytes of one string */
    double script_queued;                   /* bytes that wait on its behalf */
    double topics_memory;                   /* bytes of all histories */
    double script_cpu, script_cpu_warn;     /* ms of CPU time of one call */
    double resume_sessions;                 /* that may be away on a worker */
    double drain_rate;                      /* clients/s */
    double drain_grace, drain_timeout;      /* s */
    char admin_socket[MW_CONFIG_TEXT_MAX];  /* a path, relative to the project, or "off" */
    bool auto_rollback;                     /* from a fresh version that fails far more often */
    bool dev;                               /* `moonwire dev`: goes on although no script loads */
    struct mw_view dir;                     /* the project; borrowed */
};

void mw_config_default(struct mw_config *config);
/* The same for `moonwire dev`: nobody waits for a balancer there. */
void mw_config_default_dev(struct mw_config *config);

/*
 * Sets one option from text or from a scalar of moonwire.lua. MW_OK; MW_ERR_NOT_FOUND: no such key;
 * MW_ERR_BAD_ARG. `why` then holds a sentence with the value and what to do.
 */
int mw_config_set(struct mw_config *config, struct mw_view key, struct mw_view text, char why[256]);
int mw_config_set_scalar(struct mw_config *config, const struct mw_setting *setting, char why[256]);

/* Everything set by MOONWIRE_* variables. As mw_config_set. */
int mw_config_from_environment(struct mw_config *config, char why[256]);

/* Whether options contradict each other. MW_OK, or MW_ERR_BAD_ARG with a sentence in `why`. */
int mw_config_check(const struct mw_config *config, char why[256]);

/* The key of a flag: "log-level" gives "log.level"; NULL: none. Static. */
const char *mw_config_key_of_flag(struct mw_view flag);
/* The nearest flag to a wrong one ("--listne"), without dashes; false: there is none. */
bool mw_config_nearest_flag(struct mw_view flag, char out[MW_CONFIG_FLAG_MAX]);
/* A flag that needs no value: --tls. */
bool mw_config_flag_is_bare(const char *key);

/* What the value of an option is, by its key. Static. */
const char *mw_config_flag_help(const char *key);

/* For help: flag n, from 0; false past the last. */
struct mw_option_help {
    char flag[MW_CONFIG_FLAG_MAX];
    const char *normal, *text;
};
bool mw_config_help(size_t n, struct mw_option_help *out);

#define MW_CONFIG_MAX_WORKERS 64
/* `auto` is answered by what the system says now. At least 1. */
unsigned mw_config_workers(const struct mw_config *config);
enum mw_log_level mw_config_level(const struct mw_config *config);
enum mw_tls_version mw_config_least_version(const struct mw_config *config);
enum mw_tls_client mw_config_client(const struct mw_config *config);
enum mw_forwarded_by mw_config_forwarded_by(const struct mw_config *config);
/* Connections are TLS. */
bool mw_config_has_tls(const struct mw_config *config);
/* The peer is one of our proxies. */
bool mw_config_trusts(const struct mw_config *config, const struct mw_ip *peer);

#endif
