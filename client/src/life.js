/*
 * What happens to the page and its network. A page with an open connection is not kept for the back
 * button, so it sleeps while it is put aside. Workers have no document, Node has none of it: what
 * is not there never happens.
 *
 * Calls wake() when there is reason to try now, sleep() before the page is put aside, offline()
 * when the network goes. Returns a function that ends all of it.
 */
export function followLife(wake, sleep, offline) {
    const ended = new AbortController();
    const page = globalThis.document;
    const on = (target, calls) => {
        for (const type in calls) target?.addEventListener?.(type, calls[type], ended);
    };
    on(globalThis, { online: wake, offline, pageshow: wake, pagehide: sleep });
    on(page, { visibilitychange: () => page.hidden || wake(), resume: wake, freeze: sleep });
    return () => ended.abort();
}

/* False only where something says so: Node's navigator has no such field. */
export const isOnline = () => globalThis.navigator?.onLine !== false;
