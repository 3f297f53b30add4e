/*
 * What a flood of TLS hellos leaves to those who are connected: echoes a second of some wss clients,
 * alone and while hellos come faster than the server can answer them. Each hello is a real one and
 * costs the server its whole flight; what it answers is thrown away.
 *
 *   ./dev bench flood [HELLOS_PER_SECOND [SECONDS]]
 */
import { connect as plain, createServer } from 'node:net';
import { connect as tls } from 'node:tls';
import WebSocket from '../tests/node_modules/ws/wrapper.mjs';
import { cpuSeconds, folderOf, makeCertificate, startMoonwire, stop } from './lab.mjs';

const [rate = 3000, seconds = 5] = process.argv.slice(2).map(Number);
const CLIENTS = 50;
const TICK_MS = 10;
const MOST_UNANSWERED = 2000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* What a TLS client says first. */
function recordHello() {
    return new Promise((resolve) => {
        const server = createServer((socket) => socket.once('data', (hello) => {
            socket.destroy();
            server.close();
            resolve(hello);
        }));
        server.listen(0, '127.0.0.1', () => {
            const client = tls({ port: server.address().port, host: '127.0.0.1' });
            client.on('error', () => {});
        });
    });
}

function flood(port, hello) {
    const seen = { sent: 0, answered: 0, held: 0 };
    const one = () => {
        const socket = plain(port, '127.0.0.1', () => socket.write(hello));
        seen.sent++;
        seen.held++;
        socket.once('data', () => { seen.answered++; socket.resetAndDestroy(); });
        socket.on('error', () => {});
        socket.once('close', () => { seen.held--; });
    };
    const timer = setInterval(() => {
        for (let i = 0; i < (rate * TICK_MS) / 1000 && seen.held < MOST_UNANSWERED; i++) one();
    }, TICK_MS);
    return { seen, stop: () => clearInterval(timer) };
}

async function openClients(port) {
    const count = { echoes: 0 };
    const open = () => new Promise((resolve, reject) => {
        const client = new WebSocket(`wss://127.0.0.1:${port}/echo`, { rejectUnauthorized: false });
        client.once('open', () => { client.send('x'.repeat(64)); resolve(client); });
        client.on('message', (data) => { count.echoes++; client.send(data); });
        client.once('error', reject);
    });
    const clients = [];
    for (let i = 0; i < CLIENTS; i++) clients.push(await open());
    return { count, close: () => clients.forEach((client) => client.terminate()) };
}

async function measure(server, count) {
    const before = { echoes: count.echoes, cpu: cpuSeconds(server.pid) };
    await sleep(seconds * 1000);
    return {
        echoes: (count.echoes - before.echoes) / seconds,
        cpu: (cpuSeconds(server.pid) - before.cpu) / seconds,
    };
}

const folder = folderOf({ 'scripts/echo.lua':
    'local M = {}\nfunction M.on_message(conn, data) conn:send(data) end\nreturn M\n' });
const { cert, key } = makeCertificate(folder);
const server = await startMoonwire(folder, '--tls-cert', cert, '--tls-key', key);
const hello = await recordHello();
const clients = await openClients(server.port);
const alone = await measure(server, clients.count);
const hellos = flood(server.port, hello);
await sleep(1000);
const answered = hellos.seen.answered;
const flooded = await measure(server, clients.count);
const share = (hellos.seen.answered - answered) / seconds;
hellos.stop();
clients.close();
await stop(server);

const line = (name, { echoes, cpu }) =>
    console.log(`${name.padEnd(14)}${echoes.toFixed(0).padStart(12)}${cpu.toFixed(2).padStart(12)}`);
console.log(`${CLIENTS} wss clients, each with one message under way`);
console.log(`${''.padEnd(14)}${'echoes/s'.padStart(12)}${'CPU'.padStart(12)}`);
line('alone', alone);
line('with hellos', flooded);
console.log(`hellos answered each second: ${share.toFixed(0)}; echoes left: ` +
    `${((flooded.echoes / alone.echoes) * 100).toFixed(0)} %`);
process.exit();
