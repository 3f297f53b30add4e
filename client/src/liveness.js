/*
 * Is the server still there? A browser cannot ping, and does not notice when a line dies without a
 * word. So after `ping` ms in which nothing was heard the server is asked, and `pong` ms later, if
 * still nothing came, it counts as gone. A timer that fires late was held up by the machine (a
 * sleeping tab, a frozen page), and proves nothing: then it is asked again first.
 *
 * line.heardAt: when something was heard last. Starts line.timer; gives a function to call when
 * something happened to the network or the page, which asks now.
 */
export function watch(line, ping, pong, ask, gone) {
    let askedAt = 0;
    const isAsked = () => askedAt > line.heardAt;
    const wait = (ms) => { line.timer = setTimeout(look, ms); };
    const probe = () => {
        clearTimeout(line.timer);
        askedAt = performance.now();
        wait(pong);
        ask();
    };
    const look = () => {
        const now = performance.now();
        const quiet = line.heardAt + ping - now;
        if (isAsked() && now < askedAt + 2 * pong) gone();
        else if (!isAsked() && quiet > 0) wait(quiet);
        else probe();
    };
    wait(ping);
    return () => isAsked() || probe();
}
