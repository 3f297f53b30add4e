/*
 * What happens to the page and its network. A page with an open connection is not kept for the back
 * button, so it sleeps while it is put aside. Workers have no document, Node has none of it: what
 * is not there never happens.
 *
 * Calls rest('waiting', true) when there is reason to try now, rest('waiting') when the network
 * goes, rest('idle') before the page is put aside. Returns a function that ends all of it.
 */
export function followLife(rest) {
    const ended = new AbortController();
    const page = globalThis.document;
    const wake = () => rest('waiting', true);
    const sleep = () => rest('idle');
    const on = (target, calls) => {
        for (const type in calls) target?.addEventListener?.(type, calls[type], ended);
    };
    on(globalThis, { online: wake, offline: () => rest('waiting'), pageshow: wake, pagehide: sleep });
    on(page, { visibilitychange: () => page.hidden || wake(), resume: wake, freeze: sleep });
    return () => ended.abort();
}

/* False only where something says so: Node's navigator has no such field. */
export const isOnline = () => globalThis.navigator?.onLine !== false;
