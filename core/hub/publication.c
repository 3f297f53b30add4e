/* Publications: one block, two messages. Made by server/fanout, handed on by hub/topic. */
#include "core/hub/publication.h"

#include "core/base/check.h"

static struct mw_view put_name(char **to, struct mw_view name)
{
    char *at = *to;
    if (name.len)
        memcpy(at, name.data, name.len);
    *to += name.len;
    return mw_view(at, name.len);
}

static void copy_names(struct mw_publication *publication, char *to,
                       const struct mw_publication_setup *setup)
{
    publication->topic = put_name(&to, setup->topic);
    publication->party = put_name(&to, setup->party);
    publication->has_how = setup->how;
    if (!setup->how)
        return;
    publication->how.policy = setup->how->policy;
    publication->how.key = put_name(&to, setup->how->key);
}

struct mw_publication *mw_publication_new(struct mw_msg *framed,
                                          const struct mw_publication_setup *setup)
{
    struct mw_publication *publication;
    size_t bytes = sizeof *publication + setup->workers * sizeof publication->places[0];
    size_t names = setup->topic.len + setup->party.len + (setup->how ? setup->how->key.len : 0);
    publication = mw_shared_alloc(bytes + names);
    if (!publication)
        return NULL;
    memset(publication, 0, bytes);
    mw_msg_twins_init(&publication->twins, framed);
    publication->kind = setup->kind;
    publication->except = setup->except;
    publication->bytes = bytes + names;
    publication->workers = setup->workers;
    copy_names(publication, (char *)publication + bytes, setup);
    atomic_init(&publication->references, 1);
    mw_list_init(&publication->in_topic);
    mw_list_init(&publication->in_stripe);
    for (unsigned i = 0; i < setup->workers; i++)
        publication->places[i].publication = publication;
    return publication;
}

struct mw_publication *mw_publication_keep(struct mw_publication *publication)
{
    /* Whoever keeps already holds one: there is nothing to order. */
    atomic_fetch_add_explicit(&publication->references, 1, memory_order_relaxed);
    return publication;
}

void mw_publication_drop(struct mw_publication *publication)
{
    if (!publication ||
        atomic_fetch_sub_explicit(&publication->references, 1, memory_order_acq_rel) != 1)
        return;
    mw_assert(!publication->kept_by);
    mw_msg_twins_free(&publication->twins);
    mw_shared_free(publication, publication->bytes);
}

struct mw_view mw_publication_data(const struct mw_publication *publication)
{
    struct mw_msg *plain = publication->twins.plain;
    return mw_view(mw_msg_payload(plain), mw_msg_payload_len(plain));
}

/* The packed form is smaller than the plain one, and may come at any time. */
size_t mw_publication_bytes(const struct mw_publication *publication)
{
    return publication->bytes + 2 * mw_msg_bytes(publication->twins.plain);
}

size_t mw_publication_wire_bytes(const struct mw_publication *publication)
{
    return mw_msg_wire(publication->twins.plain).len;
}
