/*
 * A page in virtual time: its clock and timers, a WebSocket whose other end is the test, what the
 * network and the browser do to it. The client takes all of it from the global object, so that is
 * where it stands; one world at a time.
 */
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../e2e/harness.mjs';

const real = { setImmediate };
/* Promises that are due, and those that they lead to. */
const settle = () => new Promise((resolve) => real.setImmediate(resolve));

const put = (name, value) =>
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

if (!globalThis.crypto) put('crypto', webcrypto); /* Node 18, where a page has it */

class FakeWebSocket {
    static made = [];
    readyState = 0;
    protocol = '';
    extensions = '';
    bufferedAmount = 0;
    sent = [];
    constructor(url, protocols) {
        Object.assign(this, { url: String(url), protocols });
        FakeWebSocket.made.push(this);
        FakeWebSocket.onmade?.(this);
    }
    get asked() { return new URL(this.url).searchParams.get('moonwire'); }
    get mark() { return this.asked?.split('.')[0] ?? null; } /* a session is asked for behind it */

    /* What the page does. */
    send(data) { this.sent.push(data); }
    close(...why) {
        const [code = 1005, reason = ''] = why;
        if (why.length && why[0] === undefined) throw new Error('Chromium takes it for 0');
        if (code != 1005 && code != 1000 && !(code >= 3000 && code < 5000)) throw new Error('code');
        if (this.readyState > 1) return;
        this.closedWith = [code, reason];
        this.readyState = 2;
    }
    /* What the server and the network do. */
    accept() {
        if (this.readyState) return;
        this.readyState = 1;
        this.onopen({});
    }
    say(data) { this.onmessage?.({ data }); }
    hello(id = '100000001', ping = 25, pong = 20, resume = undefined) {
        this.say(this.mark + JSON.stringify({ v: 1, id, ping, pong, resume }));
    }
    async end(code = 1006, reason = '', wasClean = code != 1006) {
        this.readyState = 3;
        this.onclose?.({ code, reason, wasClean });
        await settle();
    }
}

export class World {
    now = 1000;
    #timers = [];
    #count = 0;
    asked = []; /* URLs that were fetched */
    answer = null; /* of the next refusals; null: 404; 'never': it hangs */
    lines = []; /* of the console */

    constructor({ document = true } = {}) {
        FakeWebSocket.made = [];
        FakeWebSocket.onmade = undefined;
        put('WebSocket', FakeWebSocket);
        put('performance', { now: () => this.now });
        put('setTimeout', (call, ms = 0, ...args) => {
            this.#timers.push({ id: ++this.#count, at: this.now + (ms > 0 && ms < 2 ** 31 ? ms : 0), call, args });
            return this.#count;
        });
        put('clearTimeout', (id) => { this.#timers = this.#timers.filter((timer) => timer.id != id); });
        put('fetch', async (url, { signal } = {}) => {
            this.asked.push(String(url));
            if (this.answer == 'never')
                return new Promise((_, fail) => { signal.addEventListener('abort', () => fail(signal.reason)); });
            if (this.answer instanceof Error) throw this.answer;
            return { ok: !!this.answer, json: async () => this.answer };
        });
        put('navigator', { onLine: true });
        put('location', { href: 'http://page.test/dir/index.html' });
        this.window = new EventTarget();
        put('addEventListener', (...args) => this.window.addEventListener(...args));
        put('document', document ? Object.assign(new EventTarget(), { hidden: false }) : undefined);
        put('console', { ...console, info: (line) => this.lines.push(line) });
    }

    /* Who hears of each WebSocket that is made. */
    set onmade(call) { FakeWebSocket.onmade = call; }
    get sockets() { return FakeWebSocket.made; }
    get last() { return FakeWebSocket.made.at(-1); }
    get timers() { return this.#timers.length; }

    /* Lets time pass, timer by timer. */
    async pass(ms) {
        const end = this.now + ms;
        await settle();
        for (;;) {
            const next = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
            if (!next) break;
            this.#timers.splice(this.#timers.indexOf(next), 1);
            this.now = Math.max(this.now, next.at);
            next.call(...next.args);
            await settle();
        }
        this.now = end;
    }
    /* The machine sleeps: time passes, and what was due is late. */
    sleep(ms) { this.now += ms; }

    window_(type) { this.window.dispatchEvent(new Event(type)); return settle(); }
    /* Of the document: the window hears of it first, as it captures. */
    document_(type) { return this.window_(type); }
    network(isThere) {
        globalThis.navigator.onLine = isThere;
        return this.window_(isThere ? 'online' : 'offline');
    }
    show(isShown) {
        globalThis.document.hidden = !isShown;
        return this.document_('visibilitychange');
    }
}

/* As it is shipped; what it loads by itself is there at once when it has been loaded before. */
await import(join(root, 'client', 'dist', 'resume.js'));
export const { Socket } = await import(join(root, 'client', 'dist', 'moonwire.js'));

/* A socket that writes down what happens to it. */
export function watched(url = '/chat', options = {}) {
    const socket = new Socket(url, { random: () => 0, dev: false, ...options });
    const seen = { states: [], closes: [], messages: [], drops: [], errors: 0, opens: 0 };
    socket.addEventListener('state', ({ state, retryIn }) => seen.states.push([state, retryIn]));
    socket.addEventListener('close', (event) => seen.closes.push(event));
    socket.addEventListener('message', ({ data }) => seen.messages.push(data));
    socket.addEventListener('drop', ({ data }) => seen.drops.push(data));
    socket.addEventListener('error', () => seen.errors++);
    socket.addEventListener('open', () => seen.opens++);
    return Object.assign(seen, { socket });
}

export const policy = JSON.parse(readFileSync(join(root, 'tests', 'client', 'policy.json'), 'utf8'));
