/*
 * Is the server still there? A browser cannot ping, and does not notice when a line dies without a
 * word. So after `ping` ms in which nothing was heard the server is asked, and `pong` ms later, if
 * still nothing came, it counts as gone. A timer that fires late was held up by the machine (a
 * sleeping tab, a frozen page), and proves nothing: then it is asked again first.
 */
export function watch(ping, pong, ask, gone) {
    let heardAt = performance.now();
    let askedAt = 0; /* 0: no question is open */
    let timer;

    const wait = (ms) => { timer = setTimeout(look, ms); };
    const probe = () => {
        clearTimeout(timer);
        askedAt = performance.now();
        wait(pong);
        ask();
    };
    const look = () => {
        const now = performance.now();
        if (askedAt ? now > askedAt + 2 * pong : now >= heardAt + ping) probe();
        else if (askedAt) gone();
        else wait(heardAt + ping - now);
    };
    wait(ping);
    return {
        heard() { heardAt = performance.now(); askedAt = 0; },
        /* Something happened to the network or the page: ask now. */
        doubt() { askedAt || probe(); },
        stop() { clearTimeout(timer); },
    };
}
