/*
 * Accounts of scripts, and what happens at their cap. Called by route, host_real and worker; ends
 * clients as ws_driver does, so never from inside a call into one.
 *
 * Who goes at the cap: not who happens to be sent to next, but who keeps the most from being freed.
 * A reader that keeps up has next to nothing waiting, so any number of slow ones costs it nothing.
 */
#include "core/server/account.h"

#include "core/base/check.h"
#include "core/server/away.h"
#include "core/server/client.h"
#include "core/server/worker.h"
#include "core/server/ws_driver.h"

static void end_turn(struct mw_turn_task *task)
{
    struct mw_account *account = MW_OWNER(task, struct mw_account, end_of_turn);
    mw_roll_end(&account->roll);
    if (account->is_left)
        mw_account_sweep(account->worker);
}

struct mw_roll *mw_account_roll(struct mw_account *account)
{
    mw_turn_task_add(account->worker->loop, &account->end_of_turn);
    return &account->roll;
}

struct mw_account *mw_account_new(struct mw_worker *worker, struct mw_view name)
{
    mw_account_sweep(worker);
    struct mw_account *account = mw_alloc_zero(&worker->mem, sizeof *account);
    if (!account)
        return 0;
    mw_list_init(&account->link);
    account->worker = worker;
    account->name = name;
    account->max_bytes = (size_t)worker->config->script_queued;
    mw_mem_init(&account->mem, &worker->mem, 0);
    account->party.mem = &account->mem;
    mw_roll_init(&account->roll, &account->mem);
    mw_turn_task_init(&account->end_of_turn, end_turn);
    mw_list_push(&worker->accounts, &account->link);
    return account;
}

void mw_account_leave(struct mw_account *account)
{
    if (!account)
        return;
    account->is_left = true;
    mw_account_sweep(account->worker);
}

void mw_account_sweep(struct mw_worker *worker)
{
    struct mw_link *link = worker->accounts.next, *next;
    for (; link != &worker->accounts; link = next) {
        next = link->next;
        struct mw_account *account = MW_OWNER(link, struct mw_account, link);
        if (!account->is_left || !mw_mem_is_empty(&account->mem))
            continue;
        mw_list_remove(link);
        mw_turn_task_remove(&account->end_of_turn);
        mw_free(&worker->mem, account, sizeof *account);
    }
}

/* ---- relief ---- */

/* Bytes that clients keep waiting, by their power of two: enough to choose whom to end. */
#define SIZES 64

static unsigned size_of(size_t bytes)
{
    return 63 - (unsigned)__builtin_clzll(bytes | 1);
}

static size_t held_by(const struct mw_client *client, const struct mw_account *account)
{
    bool has_queue = client->facts && client->phase != MW_CLIENT_GONE;
    return has_queue ? mw_conn_held(&client->conn, &account->mem) : 0;
}

/* The least size whose clients, with all larger ones, hold `need` bytes; 0: all of them do not. */
static unsigned least_size(const struct mw_account *account, size_t need)
{
    size_t held[SIZES] = { 0 }, sum = 0;
    const struct mw_client *client;
    mw_id at = 0;
    while ((client = mw_client_next(account->worker, &at))) {
        size_t bytes = held_by(client, account);
        held[size_of(bytes)] += bytes;
    }
    unsigned size = SIZES;
    while (size > 0 && sum < need)
        sum += held[--size];
    return size;
}

/*
 * The Close frame stands behind what the kernel was shown already, and that stays until it is
 * taken: who has had the chance is cut.
 */
static void end_slow(struct mw_client *client)
{
    bool is_open = client->phase == MW_CLIENT_OPEN && client->conn.phase == MW_CONN_OPEN;
    if (is_open)
        (void)mw_ws_driver_close(client, MW_CAUSE_slow_consumer, 0,
                                 mw_view_text("the client reads too slowly"));
    else
        client->cut_soon = true;
    mw_client_settle_later(client);
}

/* Returns how many were ended. */
static size_t relieve(struct mw_account *account, size_t need)
{
    size_t ended = 0;
    unsigned least = least_size(account, need);
    struct mw_client *client;
    mw_id at = 0;
    while ((client = mw_client_next(account->worker, &at))) {
        size_t bytes = held_by(client, account);
        if (bytes == 0 || size_of(bytes) < least || client->phase == MW_CLIENT_OPENING)
            continue;
        if (client->phase == MW_CLIENT_OPEN)
            mw_ws_driver_flush(client); /* the kernel may have room by now */
        bytes = held_by(client, account);
        if (bytes > MW_OUT_CHUNK_BYTES && size_of(bytes) >= least) {
            end_slow(client);
            ended++;
        }
    }
    return ended;
}

static void tell(struct mw_account *account, size_t ended)
{
    struct mw_worker *worker = account->worker;
    struct mw_log_line line;
    mw_rare_begin(&account->rare, mw_loop_now(worker->loop), &line, worker->log, MW_LOG_WARN,
                  "messages that wait fill script.queued");
    mw_log_text(&line, "script", account->name);
    mw_log_integer(&line, "bytes", (int64_t)account->mem.bytes);
    mw_log_integer(&line, "slow_clients_ended", (int64_t)ended);
    mw_log_end(&line);
}

static bool fits(const struct mw_account *account, size_t bytes)
{
    size_t held = account->mem.bytes;
    return held <= account->max_bytes && bytes <= account->max_bytes - held;
}

bool mw_account_has_room(struct mw_account *account, size_t bytes)
{
    if (fits(account, bytes))
        return true;
    size_t goal = account->max_bytes - account->max_bytes / 4;
    mw_ms now_ms = mw_loop_now(account->worker->loop);
    if (bytes > goal || account->spent_ms == now_ms)
        return false;
    mw_away_relieve(account, goal - bytes, true);
    if (fits(account, bytes))
        return true;
    tell(account, relieve(account, account->mem.bytes - (goal - bytes)));
    if (!fits(account, bytes))
        mw_away_relieve(account, goal - bytes, false);
    account->spent_ms = fits(account, bytes) ? 0 : now_ms;
    return account->spent_ms == 0;
}
