/*
 * One attempt and the connection that comes of it: a real WebSocket, from its address to its end.
 * Knows nothing of what was before, or comes after.
 *
 * Beside the page's messages it speaks with a Moonwire server in texts that begin with the mark:
 * the server's hello (MARK{...}), our question whether it is there (MARK?), its answer (MARK!).
 */
import { mark, resolve } from './address.js';
import { watch } from './liveness.js';

/*
 * `asks`: to be told why, should the server refuse. Calls opened(), heard(data), and last, once,
 * ended({ code, reason, ... }). Throws nothing: what fails is an end. Gives { url, id, ws, end ... }.
 */
export function dial(url, options, asks, opened, heard, ended) {
    const { connectTimeout = 8e3, protocols = [] } = options;
    let tag, openedAt;

    const end = (what) => {
        if (line.over) return;
        line.over = true;
        clearTimeout(timer);
        line.watch?.stop();
        line.ws?.close();
        const now = performance.now();
        ended({
            code: 1006, reason: '', wasClean: false, id: line.id, opened: !!openedAt,
            lasted: openedAt && now - openedAt, silent: line.at && now - line.at, ...what,
        });
    };
    const greet = ({ id, ping, pong }) => {
        line.id = id;
        if (ping) line.watch = watch(ping * 1e3, pong * 1e3, () => line.ws.send(tag + '?'),
            () => end({ code: 4000, explain: `Not a word for ${ping + pong} s` }));
    };
    const hear = ({ data }) => {
        if (line.over) return;
        line.at = performance.now();
        line.watch?.heard();
        if (!tag || !data.startsWith?.(tag)) heard(data);
        else if (data[tag.length] == '{') greet(JSON.parse(data.slice(tag.length)));
    };
    /* To a page every handshake that fails is 1006; the server keeps what it said for a minute. */
    const askWhy = async (what) => {
        try {
            const url = new URL('/_moonwire/why/' + tag, line.url.replace('ws', 'http'));
            const answer = await fetch(url);
            if (answer.ok) what.refused = await answer.json();
        } catch {}
        end(what);
    };
    const connect = async () => {
        try {
            const address = resolve(url.call ? await url() : url);
            if (line.over) return;
            line.url = address.href;
            if (options.sideband !== false) tag = mark(address);
            const ws = line.ws = new (options.WebSocket ?? WebSocket)(address, protocols);
            ws.onopen = () => {
                clearTimeout(timer);
                openedAt = line.at = performance.now();
                opened();
            };
            ws.onmessage = hear;
            ws.onclose = ({ code, reason, wasClean }) =>
                (asks && tag && !openedAt ? askWhy : end)({ code, reason, wasClean });
            ws.onerror = () => {}; /* the end tells; npm ws wants it heard */
        } catch (error) {
            end({ explain: '' + error });
        }
    };
    const timer = setTimeout(() => end({ explain: `No answer in ${connectTimeout / 1e3} s` }),
        connectTimeout);
    const line = { url: '', id: null, end };
    connect();
    return line;
}
