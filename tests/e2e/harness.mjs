/*
 * The server as its users run it: a folder of files, a process, its log. A test starts one with
 * start(), talks to it by real sockets and waits for log lines, never for time to pass. When the
 * test ends the server is stopped by TERM, and has to leave with code 0, no bytes, no handles and
 * nothing said by a sanitizer.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import {
    existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync,
    writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { setTimeout as later } from 'node:timers'; /* also where a test has virtual time */
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const built = ['asan', 'debug', 'release'].map((preset) => join(root, 'build', preset, 'moonwire'));
export const binary = process.env.MOONWIRE ?? built.find(existsSync);
if (!binary) throw new Error('nothing to test: run ./dev build, or set MOONWIRE');

/* How long to wait for what must come. No test asserts how long anything took. */
export const PATIENCE_MS = Number(process.env.MOONWIRE_PATIENCE_MS ?? 30_000);

export function within(promise, what, tail = () => '') {
    let timer;
    const late = new Promise((_, reject) => {
        const giveUp = () => reject(new Error(`gave up waiting for ${what()}${tail()}`));
        timer = setTimeout(giveUp, PATIENCE_MS);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/*
 * What a test of ours has left open keeps its process alive when all has been judged. That is no
 * fault of the server's, so it is named, and nobody waits for it; but for servers that are still
 * being stopped, since they are judged too.
 */
export const LEAVING_MS = 10_000;
const running = new Set();
function leave() {
    if (running.size) return later(leave, LEAVING_MS).unref();
    console.log(`# still open after the last test: ${process.getActiveResourcesInfo()}`);
    process.exit();
}
after(() => { later(leave, LEAVING_MS).unref(); });

/*
 * When all has been said Node tidies up, and turns in a circle there where a socket was reset at the
 * wrong moment (seen with 20.20: Environment::CleanupHandles, one run in fifty on a busy machine). So
 * it ends at once, behind whoever else has something to do at the end.
 */
const end = () => process.exit();
process.on('beforeExit', () => { process.off('exit', end).on('exit', end); });

/* Close codes that may go over the wire, and some that may not (RFC 6455 7.4). */
export const SENDABLE = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
    3000, 3999, 4000, 4999];
export const UNSENDABLE = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535];

/* ---- a folder to serve ---- */

export class Project {
    constructor(files = {}) {
        this.dir = mkdtempSync(join(tmpdir(), 'moonwire-test-'));
        for (const [name, text] of Object.entries(files)) this.write(name, text);
    }
    path(name) { return join(this.dir, name); }
    /* In one step: a server that looks must not see half of it. saves.mjs has the other ways. */
    write(name, text) {
        mkdirSync(dirname(this.path(name)), { recursive: true });
        writeFileSync(this.path(`${name}.new`), text);
        renameSync(this.path(`${name}.new`), this.path(name));
    }
    remove() { rmSync(this.dir, { recursive: true, force: true }); }
}

/*
 * For tests of what each worker has for itself, such as `state` or the slots of a small drain: the
 * others run with any number of workers (MOONWIRE_WORKERS=2 ./dev test e2e).
 */
export const alone = { MOONWIRE_WORKERS: '1' };

/* ---- a process and its log ---- */

/* Whether a log line has each of these fields: equal, or matched by a RegExp. */
function fits(line, wanted) {
    return Object.entries(wanted).every(([key, want]) =>
        want instanceof RegExp ? want.test(line[key] ?? '') : line[key] === want);
}

export class Server {
    lines = []; /* parsed log */
    noise = []; /* what was on stderr and is no JSON: nothing, if all is well */
    #waiting = new Set();

    /* `by`: a program and its words that becomes the server, as prlimit(1) does. */
    constructor(project, options = {}) {
        const { verb = 'serve', args = ['--listen', '127.0.0.1:0'], env = {}, by = [] } = options;
        const [program, ...words] = [...by, binary, verb, project.dir, ...args];
        this.project = project;
        this.process = spawn(program, words, {
            env: { ...process.env, MOONWIRE_LOG_LEVEL: 'debug', MOONWIRE_DRAIN_GRACE: '0', ...env },
            stdio: ['ignore', 'inherit', 'pipe'],
        });
        running.add(this);
        this.exited = new Promise((resolve) =>
            this.process.on('close', (code, signal) => {
                running.delete(this);
                this.ended = { code, signal };
                for (const waiting of this.#waiting) waiting.reject(this.#gone());
                resolve(this.ended);
            }));
        createInterface({ input: this.process.stderr }).on('line', (text) => this.#read(text));
    }

    #read(text) {
        if (process.env.MOONWIRE_SHOW_LOG) console.error(text);
        try {
            this.lines.push(JSON.parse(text));
        } catch {
            this.noise.push(text);
            return;
        }
        for (const waiting of this.#waiting) waiting.look();
    }

    tail() {
        const last = this.lines.slice(-8).map((line) => JSON.stringify(line));
        return `; the server's last words:\n${[...last, ...this.noise.slice(0, 40)].join('\n')}`;
    }

    #gone() { return new Error(`the server is gone${this.tail()}`); }

    all(wanted) { return this.lines.filter((line) => fits(line, wanted)); }

    /* The n-th line that fits, from the start of the log: now, or when it comes. */
    log(wanted, nth = 1) {
        let waiting;
        const promise = new Promise((resolve, reject) => {
            waiting = { reject, look: () => {
                const found = this.all(wanted)[nth - 1];
                if (found) resolve(found);
                return found;
            } };
            if (waiting.look()) return;
            if (this.ended) reject(this.#gone());
            this.#waiting.add(waiting);
        }).finally(() => this.#waiting.delete(waiting));
        promise.catch(() => {});
        const say = (_, value) => (value instanceof RegExp ? String(value) : value);
        const what = () => `line ${nth} of the log with ${JSON.stringify(wanted, say)}`;
        return within(promise, what, () => this.tail());
    }

    async ready() {
        this.url = (await this.log({ msg: 'listening' })).url;
        this.port = Number(new URL(this.url).port);
        await this.log({ msg: 'ready' });
        return this;
    }

    /* How often a script was loaded anew or refused: what a save led to. */
    outcomes(script) { return this.all({ script, msg: /^(reloaded|reload refused)$/ }); }

    async connect(path, options) {
        const peer = new Peer(`ws://127.0.0.1:${this.port}${path}`, options);
        await within(peer.opened, () => `the handshake on ${path}`, () => this.tail());
        return peer;
    }

    async stop(signal = 'SIGTERM') {
        if (!this.ended) this.process.kill(signal);
        return within(this.exited, () => 'the server to stop', () => this.tail());
    }

    /* Stops it, and asserts that it left nothing behind. */
    async finish() {
        try {
            const { code, signal } = await this.stop();
            assert.deepEqual(this.noise, [], 'stderr holds nothing but JSON lines');
            assert.deepEqual({ code, signal }, { code: 0, signal: null }, `exit${this.tail()}`);
            const { bytes_left, handles_left } = this.all({ msg: 'stopped' }).at(-1) ?? {};
            assert.deepEqual({ bytes_left, handles_left }, { bytes_left: 0, handles_left: 0 });
        } finally {
            if (!this.ended) this.process.kill('SIGKILL');
            this.project.remove();
        }
    }
}

/*
 * Stands still until `go` has been called. On a busy machine threads go on until one of them has
 * seen the signal, so that is waited for.
 */
export async function hold({ process: { pid } }) {
    const states = () => readdirSync(`/proc/${pid}/task`).map((task) =>
        /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'))[1]);
    process.kill(pid, 'SIGSTOP');
    while (states().some((state) => state !== 'T')) await new Promise(setImmediate);
    return { go: () => process.kill(pid, 'SIGCONT') };
}

/* A command about this server, as an operator types it: { code, out, err }. */
export function administer(server, verb, ...words) {
    return within(new Promise((resolve) => {
        execFile(binary, [verb, ...words, server.project.dir], (error, out, err) =>
            resolve({ code: error ? error.code : 0, out, err }));
    }), () => `moonwire ${verb} ${words.join(' ')}`);
}

/*
 * All of a test's servers are finished by one hook: the runner skips the hooks behind one that
 * fails, and a server that is left running would keep the test's process for ever.
 */
const servers = new WeakMap();

function finishLater(t, server) {
    if (!servers.has(t)) {
        servers.set(t, []);
        t.after(async () => {
            const ends = await Promise.allSettled(servers.get(t).map((each) => each.finish()));
            const failed = ends.find(({ status }) => status === 'rejected');
            if (failed) throw failed.reason;
        });
    }
    servers.get(t).push(server);
}

/* `t` is a test's context, or { after } of node:test for a server that many tests share. */
export async function start(t, files, options) {
    const server = new Server(files instanceof Project ? files : new Project(files), options);
    finishLater(t, server);
    return server.ready();
}

/*
 * A server on the port of one that has gone. Meanwhile the kernel may have given it to a connection
 * of somebody else: then it is tried until that one has gone, too.
 */
export async function startAgain(project, port, options = {}) {
    const IN_USE = 69, until = Date.now() + PATIENCE_MS;
    for (;;) {
        const server = new Server(project, { ...options, args: ['--listen', `127.0.0.1:${port}`] });
        const failure = await server.ready().then(() => null, (error) => error);
        if (!failure) return server;
        server.process.kill('SIGKILL');
        if ((await server.exited).code !== IN_USE || Date.now() > until) throw failure;
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
}

/* ---- a client, by npm ws ---- */

export class Peer {
    #inbox = [];
    #waiting = [];

    constructor(url, { protocols = [], ...options } = {}) {
        this.socket = new WebSocket(url, protocols, options);
        this.socket.on('message', (data, isBinary) =>
            this.#take({ value: isBinary ? data : data.toString() }));
        this.opened = new Promise((resolve, reject) => {
            this.socket.on('open', resolve);
            this.socket.on('error', reject);
        });
        this.opened.catch(() => {});
        this.ended = new Promise((resolve) =>
            this.socket.on('close', (code, reason) => {
                this.end = { code, reason: reason.toString() };
                this.#take({ error: new Error(`closed with ${code} ${reason}`) });
                resolve(this.end);
            }));
    }

    #take(item) {
        if (this.#waiting.length) this.#waiting.shift()(item);
        else this.#inbox.push(item);
    }

    /* The next message: a string for text, a Buffer for binary. */
    async next() {
        const item = this.#inbox.shift() ??
            await within(new Promise((resolve) => this.#waiting.push(resolve)), () => 'a message');
        if (item.error) throw item.error;
        return item.value;
    }

    async nextJson() { return JSON.parse(await this.next()); }

    /* Messages that came and were not taken. */
    get unread() { return this.#inbox.filter((item) => !item.error).map((item) => item.value); }

    send(data, options) { this.socket.send(data, options); }

    async ask(data) {
        this.send(data);
        return this.next();
    }

    /* The code and reason that this side saw, with or without a close of its own. */
    async close(...codeAndReason) {
        this.socket.close(...codeAndReason);
        return this.seen();
    }

    seen() { return within(this.ended, () => 'the connection to end'); }
}

/* A handshake that the server must refuse: the HTTP answer. */
export async function refused(server, path, options) {
    const peer = new Peer(`ws://127.0.0.1:${server.port}${path}`, options);
    peer.opened.then(() => peer.socket.terminate(), () => {});
    const answer = await within(new Promise((resolve, reject) => {
        peer.socket.on('unexpected-response', (_, response) => resolve(response));
        peer.opened.then(() => reject(new Error(`${path} was accepted`)), reject);
    }), () => `a refusal of ${path}`);
    let body = '';
    for await (const chunk of answer) body += chunk;
    return { status: answer.statusCode, headers: answer.headers, body };
}
