/*
 * CPU of the server for one echoed message of 64 bytes, beside that of a bare libuv echo in the same
 * run, and the memory of an idle connection. Server and load generator are pinned to different cores;
 * floor and server take turns, so that what else the machine does hits both. The result is one JSON
 * object on stdout.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const [messages = 1_000_000, rounds = 5] = process.argv.slice(2).map(Number);
const CONNECTIONS = 100;
const IDLE = [1000, 10_000];
const built = process.env.MOONWIRE_BUILD ??
    fileURLToPath(new URL('../build/release', import.meta.url));
/* Without pings, for the load generator expects echoes and nothing else. */
const ECHO = 'return { limits = { ping = 0 }, on_message = function(conn, data) conn:send(data) end }\n';
const [SERVER_CORE, LOAD_CORE] = [0, cpus().length - 1];

/* A child on one core, its lines one after the other. */
function pinned(core, file, args, from = 'stdout') {
    const stdio = ['pipe', 'pipe', from === 'stderr' ? 'pipe' : 'inherit'];
    const child = spawn('taskset', ['-c', String(core), file, ...args], { stdio });
    const lines = createInterface({ input: child[from] })[Symbol.asyncIterator]();
    const line = async () => {
        const { value, done } = await lines.next();
        if (done) throw new Error(`${file} ended early`);
        return value;
    };
    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.once('exit', () => child.kill('SIGKILL')); /* where a measurement fails */
    return { pid: child.pid, child, line, ended };
}

async function startFloor() {
    const server = pinned(SERVER_CORE, join(built, 'bench', 'echo_floor'), []);
    return { ...server, port: await server.line(), path: '-' };
}

async function startMoonwire(folder) {
    const args = ['serve', folder, '--listen', '127.0.0.1:0'];
    const server = pinned(SERVER_CORE, join(built, 'moonwire'), args, 'stderr');
    let line;
    let port;
    do {
        line = JSON.parse(await server.line());
        if (line.msg === 'listening') port = new URL(line.url).port;
    } while (line.msg !== 'ready');
    const drain = async () => { for (;;) await server.line(); };
    drain().catch(() => {}); /* the log must not back up */
    return { ...server, port, path: '/echo' };
}

async function stop(server) {
    server.child.kill('SIGTERM');
    await server.ended;
}

/* ---- what the kernel counts ---- */

const HZ = Number(execFileSync('getconf', ['CLK_TCK']));

/* CPU seconds of a process, user and system: as the scheduler counts, or else in clock ticks. */
function cpuSeconds(pid) {
    try {
        const tasks = readdirSync(`/proc/${pid}/task`);
        const ns = tasks.map((task) => parseInt(readFileSync(`/proc/${pid}/task/${task}/schedstat`), 10));
        return ns.reduce((sum, each) => sum + each, 0) / 1e9;
    } catch {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '').split(' ');
        return (Number(fields[11]) + Number(fields[12])) / HZ;
    }
}

function heapBytes(pid) {
    const [, kib] = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(kib) * 1024;
}

/* ---- the measurements ---- */

async function startLoad(server, connections, count) {
    const args = [server.port, server.path, connections, count].map(String);
    const load = pinned(LOAD_CORE, join(built, 'bench', 'echo_load'), args);
    if (await load.line() !== 'ready') throw new Error('the load did not start');
    return load;
}

async function echoCost(server, count) {
    const load = await startLoad(server, CONNECTIONS, count);
    const before = cpuSeconds(server.pid);
    load.child.stdin.write('go\n');
    const seconds = Number((await load.line()).split(' ')[1]);
    const cpu_us = ((cpuSeconds(server.pid) - before) / count) * 1e6;
    load.child.stdin.end();
    await load.ended;
    return { cpu_us, per_second: count / seconds };
}

async function idleBytes(server, connections) {
    const before = heapBytes(server.pid);
    const load = await startLoad(server, connections, 1);
    const bytes = (heapBytes(server.pid) - before) / connections;
    load.child.stdin.end();
    await load.ended;
    return Math.round(bytes);
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const rounded = (value) => Number(value.toFixed(3));

async function alternate(servers) {
    const seen = servers.map(() => []);
    for (let round = 0; round < rounds; round++) {
        for (const [i, server] of servers.entries()) {
            const cost = await echoCost(server, messages);
            seen[i].push(cost);
            const name = server.path === '-' ? 'floor   ' : 'moonwire';
            const speed = Math.round(cost.per_second);
            console.error(`${name}  ${cost.cpu_us.toFixed(3)} us of CPU a message, ${speed}/s`);
        }
    }
    return seen;
}

const folder = mkdtempSync(join(tmpdir(), 'moonwire-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, 'scripts'));
writeFileSync(join(folder, 'scripts/echo.lua'), ECHO);

const servers = [await startFloor(), await startMoonwire(folder)];
for (const server of servers) await echoCost(server, Math.ceil(messages / 10)); /* to warm up */
const [floor, moonwire] = await alternate(servers);
for (const server of servers) await stop(server);

const idle = {};
for (const connections of IDLE) {
    const server = await startMoonwire(folder);
    idle[connections] = await idleBytes(server, connections);
    await stop(server);
}

const middle = (side, key) => rounded(median(side.map((cost) => cost[key])));
console.log(JSON.stringify({
    connections: CONNECTIONS, messages, rounds, payload_bytes: 64,
    cpu_us_per_message: { floor: middle(floor, 'cpu_us'), moonwire: middle(moonwire, 'cpu_us') },
    ratio: rounded(middle(moonwire, 'cpu_us') / middle(floor, 'cpu_us')),
    ratio_by_round: moonwire.map((cost, i) => rounded(cost.cpu_us / floor[i].cpu_us)),
    messages_per_second: {
        floor: middle(floor, 'per_second'), moonwire: middle(moonwire, 'per_second'),
    },
    heap_bytes_per_idle_connection: idle,
}, null, 1));
