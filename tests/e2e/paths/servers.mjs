/*
 * Servers that do one thing as RFC 6455 forbids it, and otherwise echo. All on free ports; they end
 * with the test.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { CLOSE, closeBody, frame, PING, PONG } from '../wire.mjs';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const accept = (key) => createHash('sha1').update(key + GUID).digest('base64');

/* Frames of the client as they come, unmasked. */
function* frames(state) {
    for (;;) {
        const bytes = state.bytes;
        if (bytes.length < 2) return;
        const short = bytes[1] & 0x7f;
        const width = { 126: 2, 127: 8 }[short] ?? 0;
        if (bytes.length < 6 + width) return;
        const size = width === 0 ? short
            : width === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
        const used = 6 + width + size;
        if (bytes.length < used) return;
        const mask = bytes.subarray(2 + width, 6 + width);
        const payload = Buffer.from(bytes.subarray(6 + width, used).map((b, i) => b ^ mask[i % 4]));
        state.bytes = bytes.subarray(used);
        yield { fin: bytes[0] >= 0x80, opcode: bytes[0] & 15, payload };
    }
}

export const honestAnswer = (request, key) => ['HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept(key)}`];

/* What an honest server does; tests replace single ones. */
const HONEST = {
    answer: honestAnswer,
    opened: () => {},
    message: (send, opcode, payload) => send(opcode, payload),
    ping: (send, payload) => send(PONG, payload),
    close: (send, payload, socket) => { send(CLOSE, payload); socket.end(); },
    masked: false,
};

function serve(socket, habits) {
    const state = { bytes: Buffer.alloc(0), parts: [], opcode: 0 };
    const send = (opcode, payload, options) =>
        socket.writable && socket.write(frame(opcode, payload, { masked: habits.masked, ...options }));
    const take = ({ fin, opcode, payload }) => {
        if (opcode === PING) return habits.ping(send, payload);
        if (opcode === PONG) return undefined;
        if (opcode === CLOSE) return habits.close(send, payload, socket);
        if (opcode) state.opcode = opcode;
        state.parts.push(payload);
        if (!fin) return undefined;
        const whole = Buffer.concat(state.parts);
        state.parts = [];
        return habits.message(send, state.opcode, whole, socket);
    };
    let isOpen = false;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
        state.bytes = Buffer.concat([state.bytes, chunk]);
        const end = isOpen ? -1 : state.bytes.indexOf('\r\n\r\n');
        if (!isOpen && end < 0) return;
        if (!isOpen) {
            const request = state.bytes.subarray(0, end).toString();
            const key = /^sec-websocket-key: *(.*)$/im.exec(request)?.[1].trim() ?? '';
            state.bytes = state.bytes.subarray(end + 4);
            socket.write(`${habits.answer(request, key).join('\r\n')}\r\n\r\n`);
            isOpen = true;
            habits.opened(send, socket);
        }
        for (const one of frames(state)) take(one);
    });
    socket.on('end', () => socket.end());
}

/* tls: { cert, key }. */
export async function strangeServer(t, habits = {}, tls) {
    const open = new Set();
    const met = (socket) => {
        open.add(socket);
        socket.on('close', () => open.delete(socket));
        socket.setNoDelay(true);
        serve(socket, { ...HONEST, ...habits });
    };
    const server = tls ? createTlsServer(tls, met) : createServer({ allowHalfOpen: true }, met);
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.on('listening', resolve));
    t.after(() => {
        for (const socket of open) socket.destroy();
        server.close();
    });
    return { port: server.address().port };
}

/* Answers every request with this status, and these header lines. */
export const refuses = (status, phrase, headers = [], body = '') => ({
    answer: () => [`HTTP/1.1 ${status} ${phrase}`, ...headers, `Content-Length: ${body.length}`,
        'Connection: close', ...(body ? ['', body] : [])],
});

export const wrongAccept = { answer: (request) => HONEST.answer(request, 'another key') };
export const masksFrames = { masked: true };
export const neverAnswersClose = { close: () => {} };
export const closes1006 = { close: (send, payload, socket) => {
    send(CLOSE, closeBody(1006));
    socket.end();
} };
export const changesCode = { close: (send, payload, socket) => {
    send(CLOSE, closeBody(1011, 'oops'));
    socket.end();
} };
export const dropsInsteadOfClose = { close: (send, payload, socket) => socket.destroy() };
export const neverPongs = { ping: () => {} };
/* A message above so many bytes comes back shorter. */
export const truncates = (bytes) => ({
    message: (send, opcode, payload) => send(opcode, payload.subarray(0, bytes)),
});
/* What came in pieces comes back as the last of them. */
export const forgetsFragments = { message: (send, opcode, payload) => {
    send(opcode, payload.includes('fragment') ? payload.subarray(-8) : payload);
} };
/* Sends pieces of a message as messages. */
export const breaksFragments = { message: (send, opcode, payload) => {
    const half = payload.length >> 1;
    send(opcode, payload.subarray(0, half), { fin: false });
    send(opcode, payload.subarray(half));
} };
export const otherProtocol = { answer: (request, key) =>
    [...HONEST.answer(request, key), 'Sec-WebSocket-Protocol: not-offered'] };
export const unknownExtension = { answer: (request, key) =>
    [...HONEST.answer(request, key), 'Sec-WebSocket-Extensions: x-strange'] };
/* Takes what is said and says nothing. */
export const mute = { message: () => {} };
/* Ends the connection by itself, with a code of its own. */
export const closesAfter = (ms, code, reason) => ({ opened: (send, socket) => {
    setTimeout(() => { send(CLOSE, closeBody(code, reason)); socket.end(); }, ms);
} });
