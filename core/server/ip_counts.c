/*
 * A table from address to count. It never looks at a connection: who has entered holds its row and
 * leaves by it, so an address that is read anew cannot be taken off another one. Called by upgrade
 * (enter) and ws_driver (leave).
 */
#include "core/server/ip_counts.h"

#include <string.h>

/*
 * uthash takes its memory from the counts that are in scope, and reports its lack instead of
 * leaving.
 */
#define uthash_malloc(size)          mw_alloc(counts->mem, size)
#define uthash_free(block, size)     mw_free(counts->mem, block, size)
#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) ((element)->orphan = true)
#include <uthash.h>

#define V6_BYTES     16
#define V6_NET_BYTES 8

struct mw_ip_count {
    UT_hash_handle hh;
    struct mw_ip net; /* the key: bytes alone, without padding */
    bool orphan;      /* could not be put into the table */
    size_t count;     /* at least 1 */
};

_Static_assert(sizeof(struct mw_ip) == 1 + V6_BYTES, "a key has no bytes that nobody sets");

void mw_ip_counts_init(struct mw_ip_counts *counts, struct mw_mem *mem)
{
    *counts = (struct mw_ip_counts){ .mem = mem };
}

static struct mw_ip net_of(const struct mw_ip *ip)
{
    struct mw_ip net = { .len = ip->len };
    memcpy(net.bytes, ip->bytes, ip->len == V6_BYTES ? V6_NET_BYTES : ip->len);
    return net;
}

static struct mw_ip_count *find(const struct mw_ip_counts *counts, const struct mw_ip *net)
{
    struct mw_ip_count *count = 0;
    HASH_FIND(hh, counts->table, net, sizeof *net, count);
    return count;
}

static struct mw_ip_count *add(struct mw_ip_counts *counts, const struct mw_ip *net)
{
    struct mw_ip_count *count = mw_alloc_zero(counts->mem, sizeof *count);
    if (!count)
        return 0;
    count->net = *net;
    HASH_ADD(hh, counts->table, net, sizeof count->net, count);
    if (count->orphan) {
        mw_free(counts->mem, count, sizeof *count);
        return 0;
    }
    return count;
}

int mw_ip_counts_enter(struct mw_ip_counts *counts, const struct mw_ip *ip, size_t most,
                       struct mw_ip_count **out)
{
    struct mw_ip net = net_of(ip);
    struct mw_ip_count *count = find(counts, &net);
    if (count && count->count >= most)
        return MW_ERR_FULL;
    if (!count)
        count = add(counts, &net);
    if (!count)
        return MW_ERR_NOMEM;
    count->count++;
    *out = count;
    return MW_OK;
}

void mw_ip_counts_leave(struct mw_ip_counts *counts, struct mw_ip_count *count)
{
    if (!count || --count->count > 0)
        return;
    HASH_DEL(counts->table, count);
    mw_free(counts->mem, count, sizeof *count);
}

size_t mw_ip_counts_of(const struct mw_ip_counts *counts, const struct mw_ip *ip)
{
    struct mw_ip net = net_of(ip);
    const struct mw_ip_count *count = find(counts, &net);
    return count ? count->count : 0;
}
