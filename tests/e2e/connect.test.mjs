/*
 * `moonwire connect` as people and scripts use it: with -x, a pipe and a terminal, against our
 * server, npm ws, and servers that misbehave.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { certificate } from './certificates.mjs';
import { binary, Project, start, startAgain, within } from './harness.mjs';
import * as strange from './paths/servers.mjs';
import { strangeServer } from './paths/servers.mjs';
import { CLOSE, closeBody, TEXT } from './wire.mjs';

const python = process.env.PYTHON ?? 'python3';
const terminal = fileURLToPath(new URL('terminal.py', import.meta.url));
const plain = { TERM: 'xterm', LC_ALL: 'C.UTF-8', MOONWIRE_LANG: 'en', NO_COLOR: '1' };

const room = `
    local M = { subprotocols = { "chat" } }
    function M.on_open(conn, req)
      if req.query.who == "nobody" then return false, 403, "say who you are" end
    end
    function M.on_message(conn, data, kind)
      if data == "kick" then return conn:close(4001, "kicked", false) end
      if data == "evil" then return conn:send("\\27[2Jred\\u{202e}\\n> forged") end
      if data == "silence" then return end
      if data == "twice" then conn:send("one") end
      conn:send(data, kind)
    end
    return M`;
const serve = (t, options) => start(t, { 'scripts/room.lua': room }, options);
const room_of = (server) => `ws://127.0.0.1:${server.port}/room`;

/* A run of the program: out, err, and what was shown so far to wait for. */
class Run {
    out = '';
    err = '';
    all = ''; /* both, as they came */
    #waiting = new Set();

    constructor(file, args, { env = {}, input } = {}) {
        this.what = args.join(' ');
        this.process = spawn(file, args, { env: { ...process.env, ...plain, ...env } });
        const heard = (name) => (data) => {
            this[name] += data;
            this.all += data;
            for (const look of this.#waiting) look();
        };
        this.process.stdout.setEncoding('utf8').on('data', heard('out'));
        this.process.stderr.setEncoding('utf8').on('data', heard('err'));
        this.process.stdin.on('error', () => {});
        if (input !== undefined) this.process.stdin.end(input);
        this.ended = new Promise((resolve) => this.process.on('close', resolve));
    }

    type(keys) { this.process.stdin.write(keys); }

    /* When it shows this in what is behind the last such place; gives all since then. */
    #seen = 0;
    async shows(pattern) {
        let look;
        const promise = new Promise((resolve) => {
            look = () => {
                const rest = this.all.slice(this.#seen);
                const found = pattern.exec(rest);
                if (!found) return;
                this.#seen += found.index + found[0].length;
                resolve(rest.slice(0, found.index + found[0].length));
            };
            this.#waiting.add(look);
            look();
        });
        const done = await within(promise, () => `${pattern} of ${this.what}`,
            () => `; it shows\n${this.all}`);
        this.#waiting.delete(look);
        return done;
    }

    async end() {
        this.code = await within(this.ended, () => `the end of ${this.what}`,
            () => `; it shows\n${this.all}`);
        assert.doesNotMatch(this.err + this.out, /Sanitizer|runtime error/);
        return this;
    }
}

/* Whatever goes wrong, nobody is left behind. */
function open(t, args, options) {
    const run = new Run(binary, ['connect', ...args], options);
    t.after(() => run.process.kill('SIGKILL'));
    return run;
}

const connect = (t, args, options) => open(t, args, { input: '', ...options }).end();

function sit(t, args, env = {}) {
    const home = mkdtempSync(join(tmpdir(), 'moonwire-home-'));
    const run = new Run(python, [terminal, binary, 'connect', ...args],
        { env: { XDG_STATE_HOME: home, ...env } });
    run.home = home;
    t.after(() => {
        run.process.kill('SIGKILL');
        rmSync(home, { recursive: true, force: true });
    });
    return run;
}

/* Lines of --jsonl, without what differs from run to run. */
const events = (run) => run.out.trim().split('\n').map((line) => JSON.parse(line));
const of = (run, kind) => events(run).filter(({ event }) => event === kind);

/* ---- -x ---- */

test('-x sends, prints the answer, closes with 1000 and leaves with 0', async (t) => {
    const server = await serve(t);
    const run = await connect(t, [room_of(server), '-x', 'hello']);
    assert.deepEqual([run.code, run.out], [0, 'hello\n']);
    assert.match(run.err, /^connected in [\d.]+ ms · permessage-deflate\n/);
    assert.match(run.err, /closed 1000 \(normal closure\) by this side after .* 1 in, 1 out\n$/);
    const closed = await server.log({ msg: 'closed' });
    assert.deepEqual([closed.code, closed.cause], [1000, 'peer_close']);
});

test('several -x wait for each other; with --wait they do not', async (t) => {
    const server = await serve(t);
    const file = join(tmpdir(), `moonwire-connect-${process.pid}`);
    t.after(() => rmSync(file, { force: true }));
    writeFileSync(file, 'of a file');
    const run = await connect(t, [room_of(server), '-x', 'a', '-x', '/hex 00ff 1b', '-x', '/ping p',
        '-x', '//x', '-x', '/json {"a":1}', '-x', `/file ${file}`]);
    assert.deepEqual([run.code, run.out], [0, 'a\n00 ff 1b\n/x\n{"a":1}\nof a file\n']);
    assert.match(run.err, /^< pong p +\+[\d.]+ ms$/m);
    const both = await connect(t, [room_of(server), '-x', 'twice', '-x', '/wait 2', '--wait', '0']);
    assert.deepEqual([both.code, both.out], [0, 'one\ntwice\n']);
});

test('no answer to -x is a failure, and so is a line that is wrong', async (t) => {
    const server = await serve(t);
    const silent = await connect(t, [room_of(server), '-x', 'silence', '--timeout', '2']);
    assert.equal(silent.code, 1);
    assert.match(silent.err, /no answer came within 2 s/);
    for (const [line, says] of [['/pin', /did you mean \/ping/], ['/json {', /no JSON/],
        ['/file /nothing/here', /cannot be read/], ['/close 1006', /must not be sent/]]) {
        const run = await connect(t, [room_of(server), '-x', line, '-x', 'never sent']);
        assert.deepEqual([run.code, run.out], [2, ''], line);
        assert.match(run.err, says);
    }
});

test('/close sends code and reason, and that is no failure', async (t) => {
    const server = await serve(t);
    const run = await connect(t, [room_of(server), '-x', '/close 4001 bye to all']);
    assert.equal(run.code, 0);
    assert.match(run.err, /closed 4001 \(private use\) by this side/);
    const closed = await server.log({ msg: 'closed' });
    assert.deepEqual([closed.code, closed.reason], [4001, 'bye to all']);
});

test('headers, origin and subprotocols go out, compression only where it may', async (t) => {
    const asked = [];
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true,
        handleProtocols: () => 'b' });
    t.after(() => server.close());
    server.on('connection', (socket, request) => {
        asked.push(request.headers);
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    await new Promise((resolve) => server.on('listening', resolve));
    const url = `ws://127.0.0.1:${server.address().port}/x`;
    const run = await connect(t, [url, '-H', 'X-One: 1', '-H', 'Cookie: a=b', '--origin',
        'https://o.example', '-s', 'a', '-s', 'b', '-x', 'hi', '--no-compress', '-v']);
    assert.deepEqual([run.code, run.out], [0, 'hi\n']);
    assert.match(run.err, /connected in .* protocol b\n/);
    assert.doesNotMatch(run.err, /permessage-deflate/);
    assert.match(run.err, /^ {4}sec-websocket-protocol: b$/m);
    const [headers] = asked;
    assert.deepEqual([headers['x-one'], headers.cookie, headers.origin,
        headers['sec-websocket-protocol'], headers['sec-websocket-extensions']],
    ['1', 'a=b', 'https://o.example', 'a, b', undefined]);
    const packed = await connect(t, [url, '-s', 'b', '-x', 'y'.repeat(5000)]);
    assert.equal(packed.out, `${'y'.repeat(5000)}\n`);
    assert.match(packed.err, /permessage-deflate/);
});

test('a wrong command line is told of', async (t) => {
    for (const [args, says] of [[[], /where to\?/], [['ws://h/', '-H', 'x'], /NAME: VALUE/],
        [['ws://h/', '-s', 'a b'], /one word/], [['ws://h/', '--wait', 'x'], /--wait wants seconds/],
        [['ws://h/', '--ca', '/nothing'], /cannot be read/], [['ws://h/#x'], /./],
        [['ws://h/', '--lang', 'xx'], /--lang is/], [['ws://h/', 'again'], /one URL/],
        [['ws://h/', '-x'], /--send wants a value/], [['ws://h/', '-H', 'Upgrade: x'], /./]]) {
        const run = await connect(t, args);
        assert.deepEqual([run.code, run.out], [2, ''], args.join(' '));
        assert.match(run.err, says);
    }
});

/* ---- a pipe ---- */

test('each line of a pipe is a message, and what still comes is waited for', async (t) => {
    const server = await serve(t);
    const run = await connect(t, [room_of(server)], { input: 'a\n\n/wait 2\n/repeat 2 r\n\xe4\nlast\n/wait 4' });
    assert.deepEqual([run.code, run.out], [0, 'a\n\nr\nr\n\xe4\nlast\n']);
    const stays = await connect(t, [room_of(server), '--wait', '600'], { input: 'a\nb\nkick' });
    assert.deepEqual([stays.code, stays.out], [1, 'a\nb\n']);
    const bare = await connect(t, [room_of(server), '--no-slash', '-x', '/etc', '-x', '//x']);
    assert.deepEqual([bare.code, bare.out], [0, '/etc\n//x\n']);
    const wrong = await connect(t, [room_of(server)], { input: Buffer.from('a\n\xff\nb\n', 'latin1') });
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /has to be UTF-8/);
});

test('/wait counts the messages that were there before it was read', async (t) => {
    const server = await serve(t);
    const run = open(t, [room_of(server)]);
    run.type('a\nb\n');
    await run.shows(/a\nb\n/);
    run.process.stdin.end('/wait 1\n/wait 1\nc\n/wait 1');
    await run.end();
    assert.deepEqual([run.code, run.out], [0, 'a\nb\nc\n']);
});

test('a pipe of 60 MB is read as fast as the connection takes it', async (t) => {
    const server = await serve(t);
    const line = `${'z'.repeat(60_000)}\n`;
    const run = open(t, [room_of(server), '--jsonl', '--no-compress']);
    let left = 1000;
    const more = () => {
        while (left > 0) {
            left--;
            if (!run.process.stdin.write(line)) break;
        }
        if (left) run.process.stdin.once('drain', more);
        else run.process.stdin.end();
    };
    more();
    await run.end();
    assert.equal(run.code, 0);
    const [closed] = of(run, 'closed');
    assert.deepEqual([closed.sent, closed.sent_bytes], [1000, 60_000_000]);
});

test('--ping keeps asking while nothing comes', async (t) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    t.after(() => server.close());
    server.on('connection', (socket) => socket.on('ping', () => socket.close(1000, 'asked')));
    await new Promise((resolve) => server.on('listening', resolve));
    const run = await connect(t, [`ws://127.0.0.1:${server.address().port}/`, '--ping', '1',
        '--wait', '600']);
    assert.equal(run.code, 0);
    assert.match(run.err, /closed 1000 \(normal closure\) by the server/);
});

/* ---- programs ---- */

test('--jsonl gives one object for each event, and nothing else', async (t) => {
    const server = await serve(t);
    const run = await connect(t, [room_of(server), '--jsonl', '-x', 'a\u001b', '-x', '/hex 00ff',
        '-x', '/ping', '-x', '/stats', '-x', 'kick']);
    assert.deepEqual([run.code, run.err], [1, '']);
    assert.deepEqual(events(run).map(({ event }) => event), ['open', 'sent', 'message', 'sent',
        'message', 'pong', 'stats', 'sent', 'closed']);
    const [open_] = of(run, 'open');
    assert.deepEqual([open_.status, open_.compression, Object.keys(open_.steps)],
        [101, true, ['dns', 'tcp', 'http']]);
    assert.deepEqual(of(run, 'message').map(({ type, data, hex }) => [type, data ?? hex]),
        [['text', 'a\u001b'], ['binary', '00ff']]);
    const [closed] = of(run, 'closed');
    assert.deepEqual([closed.code, closed.who, closed.ours, closed.clean, closed.reason, closed.retry],
        [4001, 'server', false, true, 'kicked', false]);
});

/* ---- a terminal ---- */

test('at a terminal: what arrives stands above what is being typed', async (t) => {
    const server = await serve(t);
    const run = sit(t, [room_of(server)]);
    await run.shows(/type \/help\r\n.*> /s);
    run.type('/repeat 2 every 300 tick\r');
    await run.shows(/< tick/);
    run.type('hal');
    await run.shows(/> hal/);
    const shown = await run.shows(/< tick.*> hal/s);
    assert.match(shown, /\r\x1b\[K< tick/, 'the line that is typed made way');
    run.type('\x1b');         /* nobody waits for what may come behind it */
    run.type('[Dx\r');
    await run.shows(/< haxl/);
    run.type('\x1b[A\x1b[A'); /* the line before the last one */
    await run.shows(/> \/repeat 2 every 300 tick/);
    run.type('\x15evil\r');
    const evil = await run.shows(/forged/);
    assert.match(evil, /< \\x1b\[2Jred\\xe2\\x80\\xae\r\n\| > forged$/);
    assert.ok(!evil.includes('\x1b[2J'));
    run.type('/bogus\r');
    await run.shows(/no command \/bogus/);
    run.type('/help\r');
    await run.shows(/\/repeat +N/);
    run.type('\x04');
    await run.shows(/closed 1000 \(normal closure\) by this side/);
    assert.equal((await run.end()).code, 0);
    const history = join(run.home, 'moonwire', 'connect_history');
    assert.equal(statSync(history).mode & 0o777, 0o600);
    assert.match(readFileSync(history, 'utf8'), /^\/repeat.*\nhaxl\nevil\n/);
});

test('ctrl-C closes with 1000; nothing is kept with --no-history', async (t) => {
    const server = await serve(t);
    const run = sit(t, [room_of(server), '--no-history']);
    await run.shows(/> /);
    run.type('secret\r');
    await run.shows(/< secret/);
    run.type('\x03');
    await run.shows(/closed 1000/);
    assert.equal((await run.end()).code, 0);
    assert.throws(() => statSync(join(run.home, 'moonwire')));
    assert.equal((await server.log({ msg: 'closed' })).code, 1000);
});

test('a terminal without UTF-8 gets ASCII, a dumb one no escapes, a real one bold', async (t) => {
    const server = await serve(t);
    const ascii = sit(t, [room_of(server)], { LC_ALL: 'C' });
    await ascii.shows(/permessage-deflate, type \/help/);
    ascii.type('/close 4001 x\r');
    await ascii.end();
    assert.match(ascii.out, /^[\x00-\x7f]*$/);
    const dumb = sit(t, [room_of(server)], { TERM: 'dumb' });
    await dumb.shows(/type \/help/);
    dumb.type('hi\n');
    await dumb.shows(/< hi/);
    dumb.type('/quit\n');
    assert.equal((await dumb.end()).code, 0);
    assert.ok(!dumb.out.includes('\x1b'));
    const bold = sit(t, [room_of(server)], { NO_COLOR: '' });
    await bold.shows(/> /);
    bold.type('/quit\r');
    await bold.shows(/\x1b\[1mclosed 1000/);
    await bold.end();
});

/* ---- ends ---- */

test('the verdict tells the code, the reason, the advice and what it means, in one\'s language', async (t) => {
    const server = await serve(t);
    const run = await connect(t, [room_of(server), '-x', 'kick']);
    assert.equal(run.code, 1);
    assert.match(run.err, /closed 4001 \(private use\) by the server after/);
    assert.match(run.err, /^ {2}reason +kicked$/m);
    assert.match(run.err, /^ {2}advice +do not come back$/m);
    assert.match(run.err, /^ {2}What happened$/m);
    assert.match(run.err, /^ {2}next +moonwire explain 4001$/m);
    const ja = await connect(t, [room_of(server), '-x', 'kick', '--lang', 'ja']);
    assert.doesNotMatch(ja.err, /What happened/);
});

test('--id asks for the id, and what the server says beside its messages is not shown', async (t) => {
    const server = await serve(t);
    const run = await connect(t, [`${room_of(server)}?a=1`, '--id', '-x', 'hi']);
    const { conn } = await server.log({ msg: 'closed' });
    assert.deepEqual([run.code, run.out], [0, 'hi\n']);
    assert.ok(run.err.includes(`connection ${conn}\n`), run.err);
});

const ends = [
    ['a Close with advice', { opened: (send, socket) => {
        send(CLOSE, closeBody(1012, 'restart;retry=1000-5000'));
        socket.end();
    } }, 1, [/closed 1012 \(service restart\) by the server/, /reason +restart\n/,
        /advice +come back in 1\.0 s to 5\.0 s/]],
    ['a stream that ends', { opened: (send, socket) => socket.end() }, 1,
        [/closed 1006 .* by the network/, /FIN/, /next +moonwire doctor ws:/]],
    ['a reset', { message: (send, opcode, payload, socket) => socket.resetAndDestroy() }, 1, [/closed 1006/, /RST/]],
    ['a masked frame', { ...strange.masksFrames, opened: (send) => send(TEXT, 'x') }, 1,
        [/closed 1002 .* by this side/, /rule +RFC 6455 5\.1: a server masks no frame/, /bytes +81 81/]],
    ['HTTP on the stream', { opened: (send, socket) =>
        socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n') }, 1, [/closed 1002/]],
    ['a reason with escapes', { opened: (send, socket) => {
        send(CLOSE, closeBody(3000, 'who\x1b[2J\u202e\n  next        rm'));
        socket.end();
    } }, 1, [/reason +who\\x1b\[2J\\xe2\\x80\\xae\\x0a/]],
];
for (const [name, habits, code, says] of ends)
    test(`the verdict on ${name}`, async (t) => {
        const { port } = await strangeServer(t, habits);
        const run = await connect(t, [`ws://127.0.0.1:${port}/`, '--wait', '20'], { input: 'hi\n' });
        assert.equal(run.code, code, run.err);
        for (const each of says) assert.match(run.err, each);
        assert.ok(!(run.err + run.out).includes('\x1b'));
    });

/* ---- what never opens ---- */

test('refused handshakes: the status, who answered and what it said', async (t) => {
    const server = await serve(t);
    const nobody = await connect(t, [`${room_of(server)}?who=nobody`, '-x', 'hi']);
    assert.equal(nobody.code, 1);
    assert.match(nobody.err, /^not connected: the server answered with another status than 101/m);
    for (const each of [/status +403/, /detail +say who you are/, /browsers +show 1006/])
        assert.match(nobody.err, each);
    const proxy = await strangeServer(t, strange.refuses(301, 'Moved',
        ['Server: nginx', 'Location: https://elsewhere/'], '<h1>moved\x1b[2J</h1>'));
    const moved = await connect(t, [`ws://127.0.0.1:${proxy.port}/`, '-x', 'hi']);
    assert.equal(moved.code, 1);
    for (const each of [/status +301/, /server +nginx/, /location +https:\/\/elsewhere\//, /body +<h1>moved\\x1b\[2J</])
        assert.match(moved.err, each);
    assert.ok(!moved.err.includes('\x1b[2J'));
    const wrong = await strangeServer(t, strange.wrongAccept);
    const bad = await connect(t, [`ws://127.0.0.1:${wrong.port}/`, '-x', 'hi', '--jsonl']);
    assert.equal(bad.code, 1);
    assert.equal(of(bad, 'failed')[0].fault, 'bad_answer');
});

test('where nobody is, the code is 69', async (t) => {
    const gone = createServer();
    await new Promise((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address();
    await new Promise((resolve) => gone.close(resolve));
    const run = await connect(t, [`ws://127.0.0.1:${port}/`, '-x', 'hi']);
    assert.equal(run.code, 69);
    assert.match(run.err, /tried +127\.0\.0\.1: connection refused/);
    const mute = createServer();
    t.after(() => mute.close());
    mute.on('connection', (socket) => socket.on('error', () => {}));
    await new Promise((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const late = await connect(t, [`ws://127.0.0.1:${mute.address().port}/`, '-x', 'hi', '--timeout',
        '1']);
    assert.equal(late.code, 69);
    assert.match(late.err, /the time for this step was over \(at http/);
});

test('wss: a certificate that nobody knows is refused, --ca and --insecure take it', async (t) => {
    const pair = certificate('localhost');
    const project = new Project({ 'scripts/room.lua': room, 'cert.pem': pair.cert, 'key.pem': pair.key });
    const server = await start(t, project, { args: ['--listen', '127.0.0.1:0',
        '--tls-cert', project.path('cert.pem'), '--tls-key', project.path('key.pem')] });
    const url = `wss://127.0.0.1:${server.port}/room`;
    const refused = await connect(t, [url, '-x', 'hi']);
    assert.equal(refused.code, 69);
    assert.match(refused.err, /not connected: TLS could not be agreed on \(at tls/);
    assert.match(refused.err, /--insecure takes any certificate/);
    const taken = await connect(t, [url, '-x', 'hi', '--insecure']);
    assert.deepEqual([taken.code, taken.out], [0, 'hi\n']);
    assert.match(taken.err, /TLSv1\.3, certificate not trusted/);
    const known = await connect(t, [url, '-x', 'hi', '--ca', project.path('cert.pem')]);
    assert.deepEqual([known.code, known.out], [0, 'hi\n']);
    assert.doesNotMatch(known.err, /not trusted/);
});

/* ---- coming back ---- */

test('--reconnect comes back after a drain and after a kill, and stays away when told to', async (t) => {
    const first = await serve(t);
    const run = open(t, [room_of(first), '--reconnect']);
    await run.shows(/connected in/);
    run.type('hello\n');
    await run.shows(/hello\n/);
    await first.stop();
    assert.match(await run.shows(/coming back in/), /closed 1001 .*by the server/);
    const project = new Project({ 'scripts/room.lua': room });
    t.after(() => project.remove());
    const second = await startAgain(project, first.port);
    await run.shows(/connected in/);
    second.process.kill('SIGKILL');
    assert.match(await run.shows(/coming back in/), /closed 1006 .*by the network/);
    await second.exited;
    const third = await startAgain(project, first.port);
    t.after(() => third.finish());
    await run.shows(/connected in/);
    run.type('kick\n');
    await run.shows(/not coming back: /);
    await run.end();
    assert.equal(run.code, 1);
    assert.match(run.err, /not coming back: the server said/);
});

test('who is asked to leave while it waits to come back leaves', async (t) => {
    const server = await serve(t);
    const run = open(t, [room_of(server), '--reconnect']);
    await run.shows(/connected in/);
    await server.stop();
    await run.shows(/coming back in/);
    run.process.kill('SIGTERM');
    assert.equal((await run.end()).code, 143);
});
