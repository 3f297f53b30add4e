/*
 * The process's signals as events of one loop: INT, TERM, HUP. PIPE is ignored for the whole
 * process.
 */
#ifndef MW_IO_SIGNALS_H
#define MW_IO_SIGNALS_H

#include "core/io/loop.h"

enum mw_signal { MW_SIGNAL_INTERRUPT, MW_SIGNAL_TERMINATE, MW_SIGNAL_HANGUP };

struct mw_signals;

int mw_signals_open(struct mw_loop *loop, void (*caught)(void *ctx, enum mw_signal which),
                    void *ctx, struct mw_signals **out);
void mw_signals_close(struct mw_signals *signals);

#endif
