/*
 * What may stand on a path and break it: proxies of TCP that do one thing wrong, on purpose and
 * always the same way. Each is on a free port and ends with the test.
 */
import { createConnection, createServer } from 'node:net';

/*
 * A proxy to 127.0.0.1:upstream. `treat(pipe)` is called for each connection; pipe.client and
 * pipe.server are the sockets, and pipe.toServer(chunk), pipe.toClient(chunk) pass bytes on unless
 * they are replaced.
 */
export async function middlebox(t, upstream, treat = () => {}) {
    const open = new Set();
    const server = createServer({ allowHalfOpen: true }, (client) => {
        const far = createConnection({ port: upstream, host: '127.0.0.1', allowHalfOpen: true });
        const pipe = {
            client, server: far,
            toServer: (chunk) => far.write(chunk), toClient: (chunk) => client.write(chunk),
            endClient: () => client.end(), both: (act) => { act(client); act(far); },
        };
        for (const socket of [client, far]) {
            socket.setNoDelay(true);
            open.add(socket);
            socket.on('close', () => open.delete(socket));
            socket.on('error', () => pipe.both((one) => one.destroy()));
        }
        treat(pipe);
        client.on('data', (chunk) => pipe.toServer(chunk));
        far.on('data', (chunk) => pipe.toClient(chunk));
        client.on('end', () => far.end());
        far.on('end', () => pipe.endClient());
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.on('listening', resolve));
    t.after(() => {
        for (const socket of open) socket.destroy();
        server.close();
    });
    return { port: server.address().port };
}

const cut = (pipe, how) => pipe.both((socket) =>
    (how === 'rst' ? socket.resetAndDestroy() : socket.end()));

/* After so many bytes of the client. */
export const cutAfterBytes = (bytes, how = 'fin') => (pipe) => {
    let seen = 0;
    pipe.toServer = (chunk) => {
        seen += chunk.length;
        if (seen > bytes) cut(pipe, how);
        else pipe.server.write(chunk);
    };
};

/* So many milliseconds after it was opened, whatever is said. */
export const cutAfterMs = (ms, how = 'fin') => (pipe) => {
    const timer = setTimeout(() => cut(pipe, how), ms);
    pipe.client.on('close', () => clearTimeout(timer));
};

/* After so many milliseconds in which nothing was said by either side. */
export const cutSilent = (ms, how = 'fin') => (pipe) => {
    let timer = setTimeout(() => cut(pipe, how), ms);
    const heard = () => {
        clearTimeout(timer);
        timer = setTimeout(() => cut(pipe, how), ms);
    };
    pipe.client.on('data', heard);
    pipe.server.on('data', heard);
    pipe.client.on('close', () => clearTimeout(timer));
};

/* The first `head` of a direction is HTTP and passes; what follows goes through `change`. */
function behindHead(change, pass) {
    let head = Buffer.alloc(0);
    let isOver = false;
    return (chunk) => {
        if (isOver) return change(chunk);
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return undefined;
        isOver = true;
        pass(head.subarray(0, end + 4));
        const rest = head.subarray(end + 4);
        return rest.length ? change(rest) : undefined;
    };
}

/* One bit of each n-th byte that the server sends as frames. */
export const flipBits = (nth) => (pipe) => {
    let at = 0;
    pipe.toClient = behindHead((chunk) => pipe.client.write(Buffer.from(chunk.map((byte) => {
        at += 1;
        return at % nth ? byte : byte ^ 1;
    }))), (head) => pipe.client.write(head));
};

/* Answers HTTP on the upgraded stream, as soon as a frame of the client comes. */
export const answerHttp = () => (pipe) => {
    pipe.toServer = behindHead(() => pipe.client.write(
        'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'),
    (head) => pipe.server.write(head));
};

/* Keeps what the server sends as frames until there is so much of it. */
export const buffer = (bytes) => (pipe) => {
    let kept = Buffer.alloc(0);
    pipe.toClient = behindHead((chunk) => {
        kept = Buffer.concat([kept, chunk]);
        if (kept.length < bytes) return;
        pipe.client.write(kept);
        kept = Buffer.alloc(0);
    }, (head) => pipe.client.write(head));
};

/* Frames of the server stay so long; in order. */
export const delay = (ms) => (pipe) => {
    const late = (chunk) => setTimeout(() => pipe.client.writable && pipe.client.write(chunk), ms);
    pipe.toClient = behindHead(late, (head) => pipe.client.write(head));
    pipe.endClient = () => setTimeout(() => pipe.client.end(), ms);
};

/* Changes the lines of a head, by name in lower case: a value, or null to leave it out. */
function changeHead(head, changes) {
    const [first, ...lines] = head.toString('latin1').split('\r\n').filter((line) => line);
    const kept = lines.filter((line) => !(line.split(':')[0].toLowerCase() in changes));
    const added = Object.entries(changes).filter(([, value]) => value !== null)
        .map(([name, value]) => `${name}: ${value}`);
    return `${[first, ...kept, ...added].join('\r\n')}\r\n\r\n`;
}

/* Of the request, of the answer. */
export const changeHeads = (request = {}, answer = {}) => (pipe) => {
    pipe.toServer = behindHead((chunk) => pipe.server.write(chunk),
        (head) => pipe.server.write(changeHead(head, request)));
    pipe.toClient = behindHead((chunk) => pipe.client.write(chunk),
        (head) => pipe.client.write(changeHead(head, answer)));
};

export const stripExtensions = () => changeHeads({ 'sec-websocket-extensions': null });

/* Accepts compression in the server's name, who knows nothing of it. */
export const answerDeflate = () => (pipe) => {
    let isOffered = false;
    const answer = { 'sec-websocket-extensions': 'permessage-deflate' };
    pipe.toServer = behindHead((chunk) => pipe.server.write(chunk), (head) => {
        isOffered = /^sec-websocket-extensions:/im.test(head);
        pipe.server.write(changeHead(head, { 'sec-websocket-extensions': null }));
    });
    pipe.toClient = behindHead((chunk) => pipe.client.write(chunk),
        (head) => pipe.client.write(isOffered ? changeHead(head, answer) : head));
};

export const stripUpgrade = () => changeHeads({ upgrade: null, connection: 'close' });
