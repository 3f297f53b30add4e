/*
 * A script engine without Lua, to prove that the core needs none. A script is a list of lines, each
 * one thing to do:
 *
 *   route PATH | protocol NAME | origin NAME | limit NAME NUMBER | deaf | broken | lib PATH
 *   on_open:    join TOPIC | greet TEXT | tell-who | refuse CODE TEXT | hang-up CODE | wait-open |
 * fail-open | stop-open KIND on_message: echo | publish TOPIC | tell TOPIC | flood COUNT | close
 * CODE | wait | fail | stop TEXT | bad-json on_close:   farewell TOPIC
 *   before a Close frame:   decide CODE TEXT | advise MS
 *   of sessions: resume SECONDS | on_resume: wait-back | fail-back | refuse-back CODE
 *
 * What waits goes on at the next tick, unless c_engine.hold is set. A message that is the TEXT of
 * `stop` is stopped by its budget, that of `starve` for want of memory. `sign X` puts X into
 * c_engine.signs at each call.
 */
#ifndef MW_TESTS_SERVER_C_ENGINE_H
#define MW_TESTS_SERVER_C_ENGINE_H

#include "core/base/mem.h"
#include "moonwire/app.h"

const struct mw_engine *c_engine_table(void);

struct c_engine {
    struct mw_mem *mem; /* where apps take their memory from; to be set by the test */
    bool hold;
    bool full;       /* apps say that they hold all that they may */
    bool one_by_one; /* a call is over before the next message is asked for */

    /* seen so far */
    unsigned opens, messages, drains, closes, ends; /* ends: closes of accepted connections */
    unsigned starts, stops;
    unsigned followed; /* messages that came while the call before them was on the stack still */
    long receivers;    /* of the last publish */
    unsigned nested;   /* calls while another one was on the stack: must stay 0 */
    unsigned overlaps; /* messages of a connection whose handler waited: must stay 0 */
    unsigned codes[8]; /* of the last ends, the newest first */
    char causes[8][24];
    bool clean; /* of the last end */
    unsigned decides;
    char decided[32]; /* cause and default code of the last one */
    unsigned advised; /* code of the last advise */
    unsigned pauses, resumes;
    unsigned returns;          /* calls of resume */
    uint64_t missed, replayed; /* of the last one */
    unsigned while_paused;     /* calls of a script that was paused: must stay 0 */
    char signs[256];
};

extern struct c_engine c_engine;

#endif
