/*
 * A queue of mw_end, each one block with its texts behind it. Called by events.c, which knows when
 * to put something off.
 */
#include "lua/owed.h"

#include <string.h>

static struct mw_view put_text(char **at, struct mw_view text)
{
    struct mw_view kept = mw_view(*at, text.len);
    if (text.len)
        memcpy(*at, text.data, text.len);
    *at += text.len;
    return kept;
}

bool mw_lua_owed_put(struct mw_app *app, mw_id conn, const struct mw_end *end)
{
    size_t size = sizeof(struct mw_lua_owed) + end->reason.len + end->detail.len + end->bytes.len;
    struct mw_lua_owed *owed = mw_alloc(&app->mem, size);
    if (!owed)
        return false;
    *owed = (struct mw_lua_owed){ .size = size, .conn = conn, .end = *end };
    char *at = owed->texts;
    owed->end.reason = put_text(&at, end->reason);
    owed->end.detail = put_text(&at, end->detail);
    owed->end.bytes = put_text(&at, end->bytes);
    mw_list_init(&owed->link);
    mw_list_push(&app->owed, &owed->link);
    app->owed_count++;
    return true;
}

struct mw_lua_owed *mw_lua_owed_take(struct mw_app *app)
{
    struct mw_link *link = mw_list_pop(&app->owed);
    if (!link)
        return NULL;
    app->owed_count--;
    return MW_OWNER(link, struct mw_lua_owed, link);
}

void mw_lua_owed_free(struct mw_app *app, struct mw_lua_owed *owed)
{
    mw_free(&app->mem, owed, owed->size);
}

void mw_lua_owed_free_all(struct mw_app *app)
{
    struct mw_lua_owed *owed;
    while ((owed = mw_lua_owed_take(app)))
        mw_lua_owed_free(app, owed);
}
