/*
 * What a page says and hears over a session, written down; runs in Node and, passed as text, in a
 * page. Numbers go up, each is echoed; the script's own messages are "n1", "n2" and so on.
 */
export function talk(Socket, url, options) {
    const socket = new Socket(url, {
        resume: true, queue: 1e4, dev: false, minUptime: 0, cap: 50, connectTimeout: 1500,
        random: () => 1, ...options,
    });
    const seen = { heard: [], sent: 0, drops: [], resumed: 0, fresh: 0, socket };
    socket.onmessage = ({ data }) => seen.heard.push(data);
    socket.ongap = ({ missed }) => seen.heard.push({ missed });
    socket.ondrop = ({ data, reason }) => seen.drops.push([data, reason]);
    socket.onopen = ({ resumed }) => { if (resumed) seen.resumed++; else seen.fresh++; };
    seen.say = () => socket.send(String(++seen.sent));
    seen.isAnswered = () => seen.heard.includes(`echo ${seen.sent}`);
    return seen;
}

/* The first thing that is wrong with it, where no session was lost; else undefined. */
export function faultOf({ heard, sent, drops, fresh }) {
    if (fresh != 1) return `${fresh} sessions`;
    if (drops.length) return `dropped ${drops[0]}`;
    const gap = heard.find((it) => it.missed);
    if (gap) return `a gap of ${gap.missed}`;
    for (const [prefix, last] of [['echo ', sent], ['n', undefined]]) {
        const numbers = heard.filter((it) => it.startsWith(prefix)).map((it) => +it.slice(prefix.length));
        const wrong = numbers.findIndex((number, i) => i && number != numbers[i - 1] + 1);
        if (wrong > 0) return `${prefix}${numbers[wrong]} behind ${numbers[wrong - 1]}`;
        if (last !== undefined && (numbers[0] ?? 1) != 1) return `begins with ${prefix}${numbers[0]}`;
        if (last !== undefined && numbers.length != last) return `${numbers.length} of ${last} ${prefix}`;
    }
}

/* The other end: on_message writes down what is out of order. */
export const TALK = `
    local M = { resume = 60, origins = { "*" }, limits = { ping = 1, pong = 1 } }
    function M.on_start() timer.every("tick", 0.02, "tick") end
    function M.tick()
      state.n = (state.n or 0) + 1
      publish("news", "n" .. state.n)
    end
    function M.on_open(conn)
      conn.data.heard = 0
      conn:subscribe("news")
    end
    function M.on_message(conn, data)
      conn.data.heard = conn.data.heard + 1
      if tonumber(data) ~= conn.data.heard then
        log.error("out of order", { got = data, want = conn.data.heard })
      end
      conn:send("echo " .. data)
    end
    return M`;
