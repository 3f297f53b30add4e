/* What is told of a drain, in the log and to who has asked for it. */
#ifndef MW_SERVER_DRAIN_SAY_H
#define MW_SERVER_DRAIN_SAY_H

#include "core/server/drain.h"
#include "core/server/log.h"

void mw_drain_say_begun(struct mw_log *log, const struct mw_drain_facts *facts);
/* `left`: WebSockets that have not ended; of the tally told and clean. */
void mw_drain_say_progress(struct mw_log *log, size_t left, const struct mw_drain_tally *tally);
void mw_drain_say_over(struct mw_log *log, const struct mw_drain_tally *tally);

/* "12 cut: 3 did not read what was sent, 9 ...", or "". */
#define MW_DRAIN_TEXT_MAX 384
void mw_drain_cut_text(const struct mw_drain_tally *tally, char out[MW_DRAIN_TEXT_MAX]);
size_t mw_drain_count_cut(const struct mw_drain_tally *tally);

#endif
