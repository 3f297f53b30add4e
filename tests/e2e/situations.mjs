/*
 * What docs/closing.md tells of, made to happen: a server, peers, and a clock that is set forward
 * where minutes have to pass. Each gives what its examples need: the server, the connection that
 * `why ID` is asked about, and what is to be done when all was looked at.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { openSync, writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { Project, Server, refused } from './harness.mjs';
import { CLOSE, TEXT, closeBody, frame, http, upgraded } from './wire.mjs';

const LIBRARY = process.env.MOONWIRE_CLOCK_LIBRARY;
if (!LIBRARY) throw new Error('set MOONWIRE_CLOCK_LIBRARY to what tests/e2e/peers/clock.c became');

/* The two clocks of the system as tests/e2e/peers/clock.c shows them to a program. */
class Clock {
    #ahead_ns = 0n;
    #file;

    constructor(project) {
        project.write('clock', '\0'.repeat(8));
        this.#file = openSync(project.path('clock'), 'r+');
        const asan = process.env.ASAN_OPTIONS;
        this.env = {
            LD_PRELOAD: LIBRARY,
            MOONWIRE_CLOCK: project.path('clock'),
            ASAN_OPTIONS: `${asan ? `${asan}:` : ''}verify_asan_link_order=0`,
        };
    }

    /* Whoever waits for the kernel sees it when it wakes. */
    forward(seconds) {
        this.#ahead_ns += BigInt(seconds) * 1_000_000_000n;
        const bytes = Buffer.alloc(8);
        bytes.writeBigInt64LE(this.#ahead_ns);
        writeSync(this.#file, bytes, 0, 8, 0);
    }
}

/* A server whose clock can be set forward; it is stopped by the test's end. */
export async function serve(t, files, env = {}) {
    const project = files instanceof Project ? files : new Project(files);
    const clock = new Clock(project);
    const server = new Server(project, { env: { ...clock.env, LC_ALL: 'C.UTF-8', ...env } });
    t.after(() => server.finish());
    await server.ready();
    return { server, clock, env: clock.env };
}

const chat = (limits, more = '') => ({
    'scripts/chat.lua': `
        local M = { limits = { ${limits} } }
        function M.on_message(conn, data) conn:send(data) end
        ${more}
        return M`,
});

async function talk(wire, text = 'hello') {
    wire.send(frame(TEXT, text));
    await wire.frame();
}

/* The conn of the n-th end. */
async function ended(server, nth = 1) {
    return (await server.log({ msg: 'closed' }, nth)).conn;
}

/* It wakes, and looks at its clock. */
export const poke = (server) => http(server, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');

const together = (count, make) => Promise.all(Array.from({ length: count }, make));

/* ---- 1006 ---- */

/* A proxy that ends what has been silent for 60 s, five times. */
async function idleLimit(t) {
    const stage = await serve(t, chat('ping = 0'));
    for (let i = 1; i <= 5; i++) {
        const wire = await upgraded(stage.server, '/chat');
        await talk(wire);
        stage.clock.forward(60);
        wire.socket.end();
        stage.conn = await ended(stage.server, i);
        wire.drop();
    }
    return stage;
}

/* One that ends what is 240 s old, however much is said. */
async function ageLimit(t) {
    const stage = await serve(t, chat('ping = 0'));
    for (let i = 1; i <= 5; i++) {
        const wire = await upgraded(stage.server, '/chat');
        stage.clock.forward(235);
        await talk(wire);
        stage.clock.forward(5);
        wire.socket.end();
        stage.conn = await ended(stage.server, i);
        wire.drop();
    }
    return stage;
}

/* A device that sleeps: it hears of nothing and answers nothing, and its network says nothing. */
async function asleep(t) {
    const stage = await serve(t, chat(''));
    const wire = await upgraded(stage.server, '/chat');
    await talk(wire);
    stage.clock.forward(26);
    await poke(stage.server);
    await wire.frame();
    stage.clock.forward(21);
    await poke(stage.server);
    stage.conn = await ended(stage.server);
    wire.drop();
    return stage;
}

/* A proxy in front is restarted: what it carried is reset in one moment. */
async function allAtOnce(t) {
    const stage = await serve(t, chat(''));
    const wires = await together(40, () => upgraded(stage.server, '/chat'));
    await Promise.all(wires.map((wire) => talk(wire)));
    for (const wire of wires) wire.reset();
    stage.conn = await ended(stage.server, wires.length);
    return stage;
}

/* A page of another origin, which its user sees as 1006. */
async function refusedPage(t) {
    const stage = await serve(t, chat(''));
    const { status } = await refused(stage.server, '/chat?moonwire=0123456789abcdefABCDEF',
        { origin: 'https://app.example.org' });
    assert.equal(status, 403);
    return stage;
}

/* The same on a path of its own: what says nothing for 4 s is ended, in order and without a word. */
async function cutPath(t) {
    const stage = await serve(t, chat(''));
    const proxy = createServer({ allowHalfOpen: true }, (client) => {
        const server = connect(stage.server.port, '127.0.0.1');
        for (const [from, to] of [[client, server], [server, client]]) {
            from.setTimeout(4000, () => [client, server].forEach((side) => side.end()));
            from.on('data', (bytes) => to.write(bytes)).on('error', () => to.destroy());
            from.on('end', () => to.end());
        }
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    t.after(() => proxy.close());
    return { ...stage, port: proxy.address().port };
}

async function soundPath(t) {
    return serve(t, chat(''));
}

/* ---- the server's own verdicts ---- */

/* A proxy that answers HTTP on a stream that has been upgraded. */
async function httpInStream(t) {
    const stage = await serve(t, chat(''));
    const wire = await upgraded(stage.server, '/chat');
    wire.send('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
    await wire.closing();
    wire.drop();
    stage.conn = await ended(stage.server);
    return stage;
}

/* A proxy that compresses what nobody agreed to compress. */
async function compressedOnTheWay(t) {
    const stage = await serve(t, chat(''));
    const wire = await upgraded(stage.server, '/chat');
    wire.send(frame(TEXT, 'hello', { rsv: 4 }));
    await wire.closing();
    wire.drop();
    stage.conn = await ended(stage.server);
    return stage;
}

/* The client says nothing more, and the answer to its Close frame is not waited for. */
async function provoke(server, path, act) {
    const wire = await upgraded(server, path);
    act(wire);
    await wire.closing();
    wire.send(frame(CLOSE, closeBody(1000)));
    wire.drop();
}

async function overLimits(t) {
    const stage = await serve(t, {
        'scripts/big.lua': 'return { limits = { message = 1000 } }',
        'scripts/full.lua': 'return { limits = { connections = 1 } }',
        ...chat('rate = 5, burst = 5'),
    });
    const { server } = stage;
    const first = await upgraded(server, '/full');
    await provoke(server, '/full', () => {});
    await ended(server, 1);
    await provoke(server, '/big', (wire) => wire.send(frame(TEXT, 'x'.repeat(2000))));
    await ended(server, 2);
    await provoke(server, '/chat', (wire) => wire.send(Buffer.concat(Array(6).fill(frame(TEXT, 'hello')))));
    stage.conn = await ended(server, 3);
    stage.leave = () => first.drop();
    return stage;
}

async function slowClient(t) {
    const stage = await serve(t, chat('queue = 65536, ping = 0', `
        function M.on_message(conn)
          repeat until not conn:send(("x"):rep(50000))
          log.info("flooded")
        end`));
    const wire = await upgraded(stage.server, '/chat');
    wire.socket.pause();
    wire.send(frame(TEXT, 'go'));
    await stage.server.log({ msg: 'flooded' });
    stage.clock.forward(6); /* it does not answer the Close frame either */
    await poke(stage.server);
    stage.conn = await ended(stage.server);
    wire.drop();
    return stage;
}

/* A client that goes on sending and never reads: what the server says is lost on the way. */
async function codeLost(t) {
    const stage = await serve(t, chat('message = 1000'));
    const wire = await upgraded(stage.server, '/chat');
    wire.socket.pause();
    wire.send(frame(TEXT, 'x'.repeat(2000)));
    stage.conn = await ended(stage.server);
    wire.reset();
    return stage;
}

/* A mistake in on_open, which nobody noticed before it was saved. */
async function fails(t) {
    const stage = await serve(t, { 'scripts/chat.lua': `local M = {}
function M.on_open(conn, req)
  conn.data.name = req.session.name
end
return M` });
    const wire = await upgraded(stage.server, '/chat');
    await wire.closing();
    wire.send(frame(CLOSE, closeBody(1000)));
    wire.drop();
    stage.conn = await ended(stage.server);
    return stage;
}

/* ---- what clients say ---- */

async function tabsClosed(t) {
    const stage = await serve(t, chat(''));
    const { server } = stage;
    const wires = await together(8, () => upgraded(server, '/chat'));
    for (const wire of wires) {
        await talk(wire);
        wire.send(frame(CLOSE, closeBody(1001)));
    }
    await ended(server, wires.length);
    const silent = await upgraded(server, '/chat');
    silent.send(frame(CLOSE));
    stage.conn = await ended(server, wires.length + 1);
    for (const wire of [...wires, silent]) wire.drop();
    return stage;
}

/* ---- the end of a server ---- */

async function deploy(t) {
    const stage = await serve(t, chat(''));
    await together(40, () => stage.server.connect('/chat'));
    stage.leave = () => stage.server.exited;
    return stage;
}

/* ---- scripts of the page itself: `files` are its blocks of Lua ---- */

async function scripts(t, files) {
    const stage = await serve(t, files);
    const late = await stage.server.connect('/room');
    assert.deepEqual(await late.seen(), { code: 3000, reason: 'log in first' });
    const peer = await stage.server.connect('/room?token=letmein');
    peer.send('/kick');
    assert.deepEqual(await peer.seen(), { code: 4500, reason: 'be nice' });
    const fast = await stage.server.connect('/room?token=letmein');
    for (let i = 0; i < 1000; i++) fast.send('hello');
    assert.deepEqual(await fast.seen(), { code: 4001, reason: 'slow down;retry=30000-60000' });
    stage.conn = (await stage.server.log({ msg: 'closed', code: 4500 })).conn;
    return stage;
}

/* Nothing runs, and nothing is asked. */
async function nothing(t) {
    const project = new Project();
    t.after(() => project.remove());
    return { project, env: {} };
}

export const situations = {
    'idle-limit': idleLimit,
    'age-limit': ageLimit,
    asleep,
    'all-at-once': allAtOnce,
    'refused-page': refusedPage,
    'cut-path': cutPath,
    'sound-path': soundPath,
    'http-in-stream': httpInStream,
    'compressed-on-the-way': compressedOnTheWay,
    'over-limits': overLimits,
    'slow-client': slowClient,
    'code-lost': codeLost,
    fails,
    'tabs-closed': tabsClosed,
    deploy,
    scripts,
    nothing,
};
