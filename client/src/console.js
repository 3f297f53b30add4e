/*
 * One line per close for whoever develops the page: what ended, what it means, what follows, and
 * what to type to know more.
 */

/* So long without a word before a cut: rather an idle limit on the path than the server. */
const IDLE_MS = 25e3;

export const report = ({ code, reason, explain, silent, id, retryIn }) => console.info(
    `[moonwire] closed ${code} ${reason} (${explain})` +
    `, silent for ${silent / 1e3 | 0} s` +
    (code == 1006 && silent > IDLE_MS ? ' (idle limit of a proxy?)' : '') +
    (retryIn == null ? ', stays' : `, back in ${retryIn} ms`) +
    ` · moonwire ${id ? 'why ' + id : 'explain ' + code}`);
