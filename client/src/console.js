/*
 * One line per close for whoever develops the page: what ended, what it means, what follows, and
 * what to type to know more.
 */
const seconds = (ms) => (ms / 1e3).toFixed(1) + ' s';

/* So long without a word before a cut: rather an idle limit on the path than the server. */
const IDLE_MS = 25e3;

export function report({ code, reason, explain, opened, lasted, silent, id, retryIn }) {
    console.info(`[moonwire] closed ${code} ${reason} (${explain})` +
        (opened ? ` after ${seconds(lasted)}, silent ${seconds(silent)}` : '') +
        (code == 1006 && silent > IDLE_MS ? ' (idle limit of a proxy?)' : '') +
        (retryIn == null ? '; stays' : '; back in ' + seconds(retryIn)) +
        ` · moonwire ${id ? 'why ' + id : 'explain ' + code}`);
}
