/*
 * What happens to the page and its network. A page with an open connection is not kept for the back
 * button, so it sleeps while it is put aside. Workers have no document, Node has none of it: what
 * is not there never happens.
 *
 * Calls rest('waiting', true) when there is reason to try now, rest('waiting') when the network
 * goes, rest('idle') before the page is put aside. What it returns can abort() all of it.
 */
export function followLife(rest) {
    /* As options of a listener: its signal; and the window hears of the document as it captures. */
    const ended = Object.assign(new AbortController(), { capture: true });
    const wake = () => rest('waiting', true);
    const sleep = () => rest('idle');
    const calls = {
        online: wake, pageshow: wake, resume: wake, pagehide: sleep, freeze: sleep,
        offline: () => rest('waiting'), visibilitychange: () => document.hidden || wake(),
    };
    for (const type in calls) globalThis.addEventListener?.(type, calls[type], ended);
    return ended;
}

/* False only where something says so: Node's navigator has no such field. */
export const isOnline = () => globalThis.navigator?.onLine !== false;
