/*
 * A client that has a session and comes back to it (docs/running.md, "Sessions that come back"), by
 * npm ws and nothing of the server's own client; and a network in between that breaks.
 */
import { randomBytes } from 'node:crypto';
import { connect as dial, createServer } from 'node:net';
import { WebSocket } from 'ws';
import { within } from './harness.mjs';

const newMark = () => randomBytes(16).toString('base64url');

/*
 * Counts as the contract says. `heard`: what came, in order, holes as { missed }. What it sends is
 * kept until the server has said that it has it.
 */
export class SessionPeer {
    heard = [];
    count; /* messages of this session so far */
    acked = 0; /* of its own: the server has them */
    sent = []; /* ... and those behind them */
    returns = 0;
    fresh = 0; /* sessions begun */
    token;
    #waiting = new Set();

    /*
     * `silence_ms`: without a byte for so long the connection is given up; 0: never. `token` and
     * `count`: of a session that it has from elsewhere.
     */
    constructor(url, { silence_ms = 0, delay_ms = () => 5, token = '', count = 0, ...options } = {}) {
        Object.assign(this, { url, silence_ms, delay_ms, token, count, options });
        this.wait_ms = silence_ms;
        this.#open();
    }

    #open() {
        const mark = newMark();
        const query = `moonwire=${mark}.${this.token && `${this.token}.${this.count}`}`;
        const socket = new WebSocket(`${this.url}${this.url.includes('?') ? '&' : '?'}${query}`,
            [], this.options);
        Object.assign(this, { socket, mark, isReady: false });
        socket.on('message', (data, isBinary) => {
            if (socket === this.socket) this.#take(isBinary ? data : data.toString());
        });
        socket.on('unexpected-response', (request, response) => {
            this.status = response.statusCode;
            this.#look();
            socket.terminate();
        });
        socket.on('error', () => {});
        socket.on('ping', () => this.#listen());
        socket.on('close', (code, reason) => this.#closed(socket, code, reason.toString()));
        this.#listen();
    }

    /*
     * Any byte is life; without it the socket is left, which the server may not notice. Who is left
     * before the hello is given twice as long the next time: a slow machine is no silence.
     */
    #listen() {
        clearTimeout(this.timer);
        const socket = this.socket;
        if (this.silence_ms) this.timer = setTimeout(() => socket.terminate(), this.wait_ms);
    }

    #closed(socket, code, reason) {
        if (socket !== this.socket) return; /* an earlier one */
        clearTimeout(this.timer);
        this.wait_ms = this.isReady ? this.silence_ms : Math.min(this.wait_ms * 2, 8000);
        this.isReady = false;
        this.closed = { code, reason };
        this.#look();
        if (code === 1006 && !this.isOver) setTimeout(() => this.isOver || this.#open(), this.delay_ms());
    }

    #take(data) {
        this.#listen();
        const isAside = typeof data === 'string' && data.startsWith(this.mark);
        if (!this.isReady) {
            if (!isAside) throw new Error(`before the hello: ${data}`);
            this.#begin(JSON.parse(data.slice(this.mark.length)));
        } else if (isAside) {
            this.#aside(data.slice(this.mark.length));
        } else {
            this.count++;
            this.heard.push(data);
        }
        this.#look();
    }

    #begin(hello) {
        const { resume } = hello;
        this.hello = hello;
        this.isReady = true;
        if (resume?.back) {
            this.returns++;
            if (resume.missed) this.#miss(resume.missed);
        } else {
            this.fresh++;
            this.count = 0;
            if (this.fresh > 1) this.heard.push({ lost: this.sent.splice(0) });
            this.acked = 0;
        }
        this.token = resume?.token ?? '';
        if (resume) this.#acknowledge(resume.got);
        for (const text of this.sent) this.socket.send(text);
        if (!resume) this.sent = [];
    }

    #miss(missed) {
        this.count += missed;
        this.heard.push({ missed });
    }

    #acknowledge(got) {
        if (got < this.acked || got > this.acked + this.sent.length)
            throw new Error(`the server has ${got}, of ${this.acked} to ${this.acked + this.sent.length}`);
        this.sent.splice(0, got - this.acked);
        this.acked = got;
    }

    #aside(text) {
        if (text === '?') this.socket.send(`${this.mark}+${this.count}`);
        if (text[0] === '+') this.#acknowledge(Number(text.slice(1)));
        if (text[0] === '-') this.#miss(Number(text.slice(1)));
    }

    #look() { for (const look of this.#waiting) look(); }

    /* When `is` is true of this peer. */
    until(is, what = String(is)) {
        let look;
        const promise = new Promise((resolve) => {
            look = () => is(this) && resolve(this);
            this.#waiting.add(look);
            look();
        }).finally(() => this.#waiting.delete(look));
        return within(promise, () => `${what} (heard ${JSON.stringify(this.heard.slice(-5))}, `
            + `closed ${JSON.stringify(this.closed)}, status ${this.status})`);
    }

    ready() { return this.until((peer) => peer.isReady, 'a hello'); }

    send(text) {
        this.sent.push(text);
        if (this.isReady) this.socket.send(text);
    }

    ask() { this.socket.send(`${this.mark}?`); }

    /* The network is gone, from both ends; it comes back `delay_ms` later. */
    cut() { this.socket.terminate(); }
    stay() { this.isOver = true; this.socket.terminate(); return this; }
    back() { this.isOver = false; this.#open(); return this.ready(); }
    /* As the client says it by. */
    async close() {
        this.isOver = true;
        clearTimeout(this.timer);
        if (this.socket.readyState === WebSocket.OPEN) this.socket.close(1000);
        else this.socket.terminate();
        await this.until((peer) => peer.socket.readyState === WebSocket.CLOSED, 'the end');
    }
}

/* A generator of numbers below 1, the same for the same seed (xorshift32). */
export function chance(seed) {
    let state = (seed | 0) || 1;
    return () => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return (state >>> 0) / 2 ** 32;
    };
}

/*
 * The network: forwards to `port`, and breaks each connection after some bytes in one direction, in
 * one of three ways. Where it only falls silent the server's end stays, and hears nothing.
 */
export class Network {
    cuts = { reset: 0, fin: 0, stall: 0 };
    isSound = false;
    #sockets = new Set();

    constructor(port, random) {
        this.random = random;
        this.server = createServer({ allowHalfOpen: true }, (near) => this.#join(near,
            dial({ port, host: '127.0.0.1', allowHalfOpen: true })));
    }

    async listen() {
        await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
        this.port = this.server.address().port;
        return this;
    }

    get total() { return this.cuts.reset + this.cuts.fin + this.cuts.stall; }

    #join(near, far) {
        const how = ['reset', 'fin', 'stall'][Math.floor(this.random() * 3)];
        const bytes = Math.floor(this.random() ** 3 * 4000), isUp = this.random() < 0.5;
        const pair = { near, far, how, isCut: false };
        for (const socket of [near, far]) {
            this.#sockets.add(socket);
            socket.setNoDelay(true);
            socket.on('error', () => {});
            socket.on('close', () => this.#sockets.delete(socket));
        }
        this.#pipe(pair, near, far, isUp ? bytes : Infinity);
        this.#pipe(pair, far, near, isUp ? Infinity : bytes);
    }

    #pipe(pair, from, to, bytes) {
        from.on('data', (chunk) => {
            if (pair.isCut) return;
            const last = !this.isSound && chunk.length >= bytes;
            to.write(last ? chunk.subarray(0, bytes) : chunk);
            bytes -= chunk.length;
            if (last) this.#cut(pair);
        });
        from.on('end', () => { if (!pair.isCut) to.end(); });
        from.on('close', () => {
            if (pair.how === 'stall' && from === pair.near) setTimeout(() => to.destroy(), 1000).unref();
            else to.destroy();
        });
    }

    #cut(pair) {
        pair.isCut = true;
        this.cuts[pair.how]++;
        if (pair.how === 'reset') {
            pair.near.resetAndDestroy();
            pair.far.resetAndDestroy();
        } else if (pair.how === 'fin') {
            pair.near.end();
            pair.far.end();
        }
    }

    close() {
        this.server.close();
        for (const socket of this.#sockets) socket.destroy();
    }
}
