/*
 * What disturbs a quiet talk: the p99 of a small echo on a timetable, quiet, and while others on the
 * same worker do their worst. In each round every mixture has its turn, and is told as a ratio to
 * the quiet part of that round; shown are medians over the rounds. Where that is allowed, the server
 * and the echoes' generator go before whatever else wants their cores (a nice of -20), those who
 * disturb included: what is seen is the server's.
 *
 *   ./dev bench mixture [--rounds N] [--connections N] [--seconds S] [--rate N] [--json FILE] [--markdown]
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOAD_CORE, built, folderOf, median, pinned, startMoonwire, stop } from './lab.mjs';
import { numbersOf, tableOf } from './runner/words.mjs';

const words = numbersOf({ rounds: 5, connections: 10_000, seconds: 2, rate: 1000 });
const binary = join(built, 'moonwire');
const CLIENTS = 20, STALLED = 100, PUBLISH_EVERY_MS = 5, FILLS = 8000;
const LEAST_CPU_MS = 20, MOST_CPU_MS = 200;

/* Stays within the budget, and uses nearly all of it with every message. */
const burner = (ms) => `
    return { on_message = function(conn, data)
      local till = os.clock() + ${ms * 0.95 / 1000}
      while os.clock() < till do end
      conn:send(data)
    end }`;
const files = (cpu_ms) => ({
    'moonwire.lua': `return { script = { cpu = ${cpu_ms}, cpu_warn = 0 } }`,
    'scripts/echo.lua': `return { compression = false,
        on_message = function(conn, data) conn:send(data) end }`,
    'scripts/large.lua': `return { compression = false, limits = { queue = 4194304 },
        on_message = function(conn, data) conn:send(data) end }`,
    'scripts/burn.lua': burner(cpu_ms),
    'scripts/idle.lua': `return { limits = { ping = 3000 },
        on_message = function(conn, data) conn:send(data) end }`,
    'scripts/fan.lua': `
        local M = { compression = false, limits = { queue = 262144, policy = "drop", ping = 0 } }
        function M.on_open(conn, req) if req.query.reads then conn:subscribe("all") end end
        function M.on_message(conn, data) publish("all", data) end
        return M`,
});

/* ---- loads of `moonwire bench` ---- */

const urlOf = (server, path) => `ws://127.0.0.1:${server.port}/${path}`;

/* Before others, or behind them; nothing where it is not allowed. */
function renice(pid, value) {
    const threads = readdirSync(`/proc/${pid}/task`);
    spawnSync('renice', ['-n', String(value), '-p', ...threads]);
}

function load(server, path, isFirst, ...more) {
    const args = ['bench', urlOf(server, path), '--json', '--spin', 'off', ...more].map(String);
    const child = pinned(LOAD_CORE, binary, args);
    renice(child.pid, isFirst ? -20 : 10);
    return child;
}

/* Goes on until it is ended. */
function during(server, path, ...more) {
    const going = load(server, path, false, '--seconds', 3600, ...more);
    return async () => { going.child.kill('SIGKILL'); await going.ended; };
}

/* The latencies of the small echo, in microseconds. */
async function listen(server) {
    const listening = load(server, 'echo', true, '--clients', CLIENTS, '--rate', words.rate,
        '--warmup', 1, '--seconds', words.seconds, '--timeout', 30);
    const text = await listening.line();
    await listening.ended;
    const got = JSON.parse(text);
    if (got.why) throw new Error(got.why);
    const { p50, p99, max } = got.latency_us;
    return { p50, p99, max, lag: got.lag_us?.p99 };
}

/* ---- plain sockets: readers that stall, and one who publishes ---- */

const MASK = Buffer.alloc(4);
const frame = (text) => Buffer.concat([Buffer.of(0x81, 0x80 | 126, text.length >> 8, text.length & 255),
    MASK, Buffer.from(text)]);

function upgrade(server, path) {
    const socket = createConnection(server.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`GET /${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    return once(socket, 'data').then(() => socket.pause());
}

async function stall(server) {
    const readers = [];
    for (let i = 0; i < STALLED; i++) readers.push(await upgrade(server, 'fan?reads=1'));
    const publisher = await upgrade(server, 'fan');
    const message = frame('m'.repeat(1024));
    /* More than the kernels keep, so that all of them stall before anything is measured. */
    for (let i = 0; i < FILLS; i++)
        if (!publisher.write(message)) await once(publisher, 'drain');
    const publishing = setInterval(() => publisher.write(message), PUBLISH_EVERY_MS);
    return () => {
        clearInterval(publishing);
        for (const socket of [publisher, ...readers]) socket.destroy();
    };
}

/* ---- reloads ---- */

async function reloadOften(server) {
    const socket = createConnection(join(server.folder, 'data/moonwire.sock'));
    const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
    let goesOn = true;
    const over = (async () => {
        while (goesOn) {
            socket.write('{"cmd":"reload","script":"idle.lua"}\n');
            const { ok, lines } = JSON.parse((await answers.next()).value);
            if (!ok || lines[0].kept !== words.connections) throw new Error(JSON.stringify(lines));
            await sleep(20);
        }
    })();
    return async () => { goesOn = false; await over; socket.destroy(); };
}

/* ---- the rounds ---- */

/* What it is called; the server; begins it and gives what ends it. */
const mixtures = {
    quiet: ['quiet', 'main', async () => () => {}],
    burn: [`another script burns ${MOST_CPU_MS} ms again and again`, 'main',
        async (server) => during(server, 'burn', '--clients', 4, '--size', 16)],
    burn_least: [`the same with script.cpu = ${LEAST_CPU_MS}`, 'least',
        async (server) => during(server, 'burn', '--clients', 4, '--size', 16)],
    large: ['1 MiB messages on 4 other connections', 'main',
        async (server) => during(server, 'large', '--clients', 4, '--size', 1 << 20)],
    reload: [`reloads with ${words.connections} connections`, 'main', reloadOften],
    stalled: [`${STALLED} readers stall on a fan-out`, 'main', stall],
};

async function serve(cpu_ms) {
    const folder = folderOf(files(cpu_ms));
    const server = { ...await startMoonwire(folder), folder };
    renice(server.pid, -20);
    return server;
}

async function crowd(server) {
    const leave = during(server, 'idle', '--mode', 'idle', '--clients', words.connections);
    const all = new RegExp(`^moonwire_connections\\{.*idle.lua.*\\} ${words.connections}$`, 'm');
    const counted = () => spawnSync(binary, ['metrics', server.folder], { encoding: 'utf8' }).stdout;
    while (!all.test(counted())) await sleep(100);
    return leave;
}

async function run(servers, seen) {
    const quiet = {};
    for (const [name, [, which, begin]] of Object.entries(mixtures)) {
        const server = servers[which];
        quiet[which] ??= await listen(server);
        const end = await begin(server);
        if (name !== 'quiet') await sleep(200);
        const got = name === 'quiet' ? quiet[which] : await listen(server);
        await end();
        if (name !== 'quiet') await sleep(300); /* for what was queued to go */
        seen[name].push({ ...got, quiet: quiet[which].p99, ratio: got.p99 / quiet[which].p99 });
    }
}

const servers = { main: await serve(MOST_CPU_MS), least: await serve(LEAST_CPU_MS) };
const leave = await crowd(servers.main);
const seen = Object.fromEntries(Object.keys(mixtures).map((name) => [name, []]));
for (let round = 0; round < words.rounds; round++) {
    await run(servers, seen);
    process.stderr.write(`round ${round + 1} of ${words.rounds}\n`);
}
await leave();
for (const server of Object.values(servers)) await stop(server);

const middle = (name, key) => median(seen[name].map((each) => each[key]));
const rows = Object.entries(mixtures).map(([name, [title]]) => [title, middle(name, 'p50').toFixed(0),
    middle(name, 'p99').toFixed(0), middle(name, 'max').toFixed(0), middle(name, 'ratio').toFixed(2)]);
const head = [`64 B echo, ${words.rate}/s on ${CLIENTS} connections`, 'p50 µs', 'p99 µs', 'max µs', 'p99 to quiet'];
console.log(tableOf(head, rows, words.markdown));
if (words.json) writeFileSync(words.json, `${JSON.stringify({ mixture: words, rounds: seen }, null, 1)}\n`);
process.exit(0);
