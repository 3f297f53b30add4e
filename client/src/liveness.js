/*
 * Is the server still there? A browser cannot ping, and does not notice when a line dies without a
 * word. So after `ping` ms in which nothing was heard the server is asked, and `pong` ms later, if
 * still nothing came, it counts as gone. A timer that fires late was held up by the machine (a
 * sleeping tab, a frozen page), and proves nothing: then it is asked again first.
 */
/* The server answers once a second and drops more questions; whom we just heard is there anyway. */
const FRESH_MS = 2e3;

/*
 * line.heardAt: when something was heard last. Keeps line.timer; gives a function to call when
 * something happened to the network or the page, which asks now.
 */
export function watch(line, ping, pong, ask, gone) {
    let askedAt = 0;
    const look = (quiet) => {
        clearTimeout(line.timer);
        const now = performance.now();
        const isAsked = askedAt > line.heardAt;
        let ms = (isAsked ? askedAt + pong : line.heardAt + quiet) - now;
        if (ms <= 0) {
            if (isAsked && ms > -pong) return gone();
            askedAt = now;
            ms = pong;
            ask();
        }
        line.timer = setTimeout(() => look(Math.max(ping, FRESH_MS)), ms);
    };
    look(ping);
    return () => look(FRESH_MS);
}
