/*
 * Another loop to which parcels go: on the test's own thread, so that every stage can be held, and
 * one with a thread of its own that echoes whatever comes to it.
 */
#ifndef MW_TESTS_UNIT_IO_THERE_H
#define MW_TESTS_UNIT_IO_THERE_H

#include <stdlib.h>

#include "core/base/check.h"
#include "core/io/mailbox.h"
#include "core/io/parcel.h"
#include "core/io/thread.h"
#include "tests/unit/io/sockets.h"

struct there {
    struct world world;
    struct mw_tls_loop *tls;
    struct owner owner;
};

static inline void open_there(struct there *there)
{
    *there = (struct there){ .tls = NULL };
    open_world(&there->world);
    there->tls = mw_tls_loop_new(there->world.loop);
    assert_non_null(there->tls);
}

/* Packs what the owner has, waits until its loop has let go of it, and unpacks it there. */
static inline void move_there(struct owner *owner, struct there *there)
{
    struct mw_parcel parcel;
    assert_int_equal(mw_stream_pack(owner->stream, &parcel), MW_OK);
    assert_int_equal(owner->closed, 0);
    wait_for_count(owner->world, &owner->closed, 1);
    take_stream(&there->owner, &there->world,
                mw_stream_unpack(&parcel, there->world.loop, there->tls));
    assert_int_equal(parcel.socket, -1);
    assert_null(parcel.tls);
}

static inline void close_there(struct there *there)
{
    if (there->owner.stream && there->owner.closed == 0)
        drop_stream(&there->owner, false);
    mw_tls_loop_free(there->tls);
    close_world(&there->world);
    assert_int_equal(mw_shared_bytes(), 0);
}

/* ---- between threads: each echo is made by the other one ---- */

#define HOPS          6
#define MESSAGE_BYTES 16

struct station {
    struct mw_mem mem;
    struct mw_loop *loop;
    struct mw_tls_loop *tls;
    struct mw_mailbox *box;
    struct mw_thread *thread;
    struct station *other;
};

/* A connection on its way. */
struct hopper {
    struct mw_mail mail;
    struct mw_parcel parcel;
    unsigned hops;
};

/* ... and for as long as it is on one of the loops. */
struct visit {
    struct station *station;
    struct hopper *hopper; /* NULL: it has gone on */
    struct mw_stream *stream;
    struct mw_turn_task leave;
    char bytes[MESSAGE_BYTES];
    size_t len;
};

static inline void visit_read_(void *ctx, char *bytes, size_t len)
{
    struct visit *visit = ctx;
    struct mw_view echo = mw_view(visit->bytes, MESSAGE_BYTES);
    mw_assert(visit->len + len <= MESSAGE_BYTES);
    memcpy(visit->bytes + visit->len, bytes, len);
    visit->len += len;
    if (visit->len < MESSAGE_BYTES)
        return;
    visit->len = 0;
    (void)MW_ALWAYS(mw_stream_write(visit->stream, &echo, 1) == MESSAGE_BYTES);
    if (++visit->hopper->hops < HOPS) {
        mw_stream_set_reading(visit->stream, false);
        mw_turn_task_add(visit->station->loop, &visit->leave);
    }
}

static inline void visit_leave_(struct mw_turn_task *task)
{
    struct visit *visit = MW_OWNER(task, struct visit, leave);
    struct hopper *hopper = visit->hopper;
    (void)MW_ALWAYS(mw_stream_pack(visit->stream, &hopper->parcel) == MW_OK);
    visit->hopper = NULL;
    mw_mailbox_post(visit->station->other->box, &hopper->mail);
}

static inline void visit_end_(void *ctx, enum mw_stream_end how)
{
    struct visit *visit = ctx;
    (void)how;
    mw_stream_close(visit->stream, false);
}

static inline void visit_written_(void *ctx)
{
    (void)ctx;
}

static inline void visit_closed_(void *ctx)
{
    struct visit *visit = ctx;
    if (visit->hopper)
        free(visit->hopper);
    mw_free(&visit->station->mem, visit, sizeof(*visit));
}

static inline void visit_begins_(void *ctx, struct mw_mail *mail)
{
    static const struct mw_stream_events events = {
        .read = visit_read_, .end = visit_end_, .written = visit_written_, .closed = visit_closed_
    };
    struct station *station = ctx;
    struct hopper *hopper = MW_OWNER(mail, struct hopper, mail);
    if (hopper->parcel.socket < 0) {
        mw_mailbox_close(station->box);
        free(hopper);
        return;
    }
    struct visit *visit = mw_alloc_zero(&station->mem, sizeof(*visit));
    (void)MW_ALWAYS(visit);
    visit->station = station;
    visit->hopper = hopper;
    visit->stream = mw_stream_unpack(&hopper->parcel, station->loop, station->tls);
    (void)MW_ALWAYS(visit->stream);
    mw_turn_task_init(&visit->leave, visit_leave_);
    mw_stream_attach(visit->stream, &events, visit);
    mw_stream_set_reading(visit->stream, true);
}

static inline void station_open(struct station *station, struct station *other)
{
    *station = (struct station){ .other = other };
    mw_mem_init(&station->mem, NULL, 0);
    assert_int_equal(mw_loop_new(&station->mem, &station->loop), MW_OK);
    station->tls = mw_tls_loop_new(station->loop);
    assert_non_null(station->tls);
    assert_int_equal(mw_mailbox_open(station->loop, visit_begins_, station, &station->box), MW_OK);
}

static inline void station_run_(void *ctx)
{
    mw_loop_finish(((struct station *)ctx)->loop);
}

static inline void station_start(struct station *station)
{
    station->thread = mw_thread_start("station", station_run_, station);
    assert_non_null(station->thread);
}

/* A parcel without a socket: nothing more comes, and its thread ends with the last visit. */
static inline void station_send(struct station *station, const struct mw_parcel *parcel)
{
    struct hopper *hopper = calloc(1, sizeof(*hopper));
    assert_non_null(hopper);
    hopper->parcel = *parcel;
    mw_mailbox_post(station->box, &hopper->mail);
}

static inline void station_close(struct station *station)
{
    const struct mw_parcel end = { .socket = -1 };
    station_send(station, &end);
    mw_thread_join(station->thread);
    mw_tls_loop_free(station->tls);
    assert_int_equal(mw_loop_free(station->loop), 0);
    assert_mem_empty(&station->mem);
}

#endif
