/*
 * A peer that may do anything: bytes over a plain socket, frames as RFC 6455 forbids them, HTTP as
 * nobody writes it.
 */
import { createConnection } from 'node:net';
import { within } from './harness.mjs';

export const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/*
 * A frame. `length` declares another length than the payload's; `wide` writes it in 2 or 8 bytes
 * though fewer would do.
 */
export function frame(opcode, payload = '', options = {}) {
    const { fin = true, rsv = 0, masked = true, length, wide } = options;
    const body = Buffer.from(payload);
    const declared = BigInt(length ?? body.length);
    const width = wide ?? (declared < 126n ? 0 : declared < 65536n ? 2 : 8);
    const head = Buffer.alloc(2 + width);
    head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
    head[1] = (masked ? 0x80 : 0) | { 0: Number(declared), 2: 126, 8: 127 }[width];
    if (width === 2) head.writeUInt16BE(Number(declared), 2);
    if (width === 8) head.writeBigUInt64BE(declared, 2);
    if (!masked) return Buffer.concat([head, body]);
    return Buffer.concat([head, MASK, body.map((byte, i) => byte ^ MASK[i % 4])]);
}

export function closeBody(code, reason = '') {
    const body = Buffer.alloc(2);
    body.writeUInt16BE(code);
    return Buffer.concat([body, Buffer.from(reason)]);
}

export class Wire {
    #bytes = Buffer.alloc(0);
    #wake = () => {};

    constructor(port) {
        this.socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true });
        this.socket.setNoDelay(true);
        this.socket.on('data', (chunk) => {
            this.#bytes = Buffer.concat([this.#bytes, chunk]);
            this.#wake();
        });
        this.ended = new Promise((resolve) => {
            const end = (how) => { this.end ??= how; this.#wake(); resolve(how); };
            this.socket.on('end', () => end('fin'));
            this.socket.on('error', (error) => end(error.code));
        });
    }

    send(bytes) { this.socket.write(bytes); }

    /* Waits until `parse` finds something in what has come: { used, ...found }. */
    async #take(what, parse) {
        for (;;) {
            const found = parse(this.#bytes);
            if (found) {
                this.#bytes = this.#bytes.subarray(found.used);
                return found;
            }
            const rest = this.#bytes.subarray(0, 200);
            if (this.end) throw new Error(`the stream ended (${this.end}) before ${what}: ${rest}`);
            await within(new Promise((resolve) => { this.#wake = resolve; }), () => what);
        }
    }

    /* The next HTTP answer; that of a HEAD has no body. */
    async answer({ body: hasBody = true } = {}) {
        const { head } = await this.#take('an HTTP answer', (bytes) => {
            const end = bytes.indexOf('\r\n\r\n');
            return end >= 0 && { head: bytes.subarray(0, end).toString(), used: end + 4 };
        });
        const [line, ...fields] = head.split('\r\n');
        const headers = Object.fromEntries(fields.map((field) => {
            const [, name, value] = /^([^:]+):\s*(.*)$/.exec(field);
            return [name.toLowerCase(), value];
        }));
        const status = Number(line.split(' ')[1]);
        const size = hasBody && status !== 101 ? Number(headers['content-length'] ?? 0) : 0;
        const { body } = await this.#take('an HTTP body', (bytes) =>
            bytes.length >= size && { body: bytes.subarray(0, size), used: size });
        return { status, headers, body: body.toString() };
    }

    /* The next frame of the server. */
    async frame() {
        return this.#take('a frame', (bytes) => {
            if (bytes.length < 2) return null;
            const short = bytes[1] & 0x7f;
            const width = { 126: 2, 127: 8 }[short] ?? 0;
            if (bytes.length < 2 + width) return null;
            const size = width === 0 ? short
                : width === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
            const used = 2 + width + size;
            if (bytes.length < used) return null;
            return {
                used, fin: bytes[0] >= 0x80, rsv: (bytes[0] >> 4) & 7, opcode: bytes[0] & 15,
                masked: bytes[1] >= 0x80, payload: bytes.subarray(2 + width, used),
            };
        });
    }

    /* The code and reason of the Close frame that comes, whatever comes before it. */
    async closing() {
        let got;
        do got = await this.frame(); while (got.opcode !== CLOSE);
        const code = got.payload.length >= 2 ? got.payload.readUInt16BE(0) : 1005;
        return { code, reason: got.payload.subarray(2).toString() };
    }

    /* 'fin', or the error with which the stream broke. */
    ends() { return within(this.ended, () => 'the stream to end'); }

    /* Bytes that came and that nobody has asked for yet. */
    get unread() { return this.#bytes.length; }

    drop() { this.socket.destroy(); }
    reset() { this.socket.resetAndDestroy(); }
}

/* One HTTP request as it is written here, on a connection of its own. */
export async function http(server, text, options) {
    const wire = new Wire(server.port);
    wire.send(text);
    const answer = await wire.answer(options);
    wire.drop();
    return answer;
}

/* An upgrade request, all of whose lines can be changed: a value of null leaves the line out. */
export function upgradeText(path, changes = {}, line = `GET ${path} HTTP/1.1`) {
    const fields = {
        Host: '127.0.0.1', Upgrade: 'websocket', Connection: 'Upgrade',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version': '13', ...changes,
    };
    const kept = Object.entries(fields).filter(([, value]) => value !== null);
    return `${line}\r\n${kept.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/* A wire whose handshake is done. */
export async function upgraded(server, path, changes) {
    const wire = new Wire(server.port);
    wire.send(upgradeText(path, changes));
    const answer = await wire.answer();
    if (answer.status !== 101) throw new Error(`${path} answered ${answer.status} ${answer.body}`);
    wire.upgrade = answer;
    return wire;
}
