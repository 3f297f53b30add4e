/*
 * What a reload costs those who are connected: a script with so many idle connections is loaded anew
 * again and again, and meanwhile somebody has echoes from another one. For each kind of reload the
 * time that the server reports (prepare and commit: so long the worker does nothing else), and the
 * longest time between two echoes, beside that of the same seconds without a reload.
 *
 *   ./dev bench reload [CONNECTIONS [RELOADS]]
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from '../tests/node_modules/ws/wrapper.mjs';
import { LOAD_CORE, built, folderOf, median, pinned, startMoonwire, stop } from './lab.mjs';

const [connections = 10_000, reloads = 30] = process.argv.slice(2).map(Number);
/* A gap is looked for from the request until so long after its answer: what a commit puts off. */
const AFTER_MS = 150;

/* Some work to load, as much as a real script has: handlers, tables, and a state that it reads. */
const idle = (ping) => `
state.loads = (state.loads or 0) + 1
local M = { limits = { ping = ${ping} } }
local names = {}
for i = 1, 200 do names[i] = "name " .. i end
${Array.from({ length: 60 }, (_, i) => `local function f${i}(a, b) return a and b or names[${i + 1}] end`).join('\n')}
function M.on_message(conn, data) conn.data.last = f0(data, names) end
return M
`;

const folder = folderOf({
    'scripts/echo.lua': 'return { limits = { ping = 0 }, on_message = function(c, d) c:send(d) end }',
    'scripts/idle.lua': idle(3000),
});

/* ---- asking the server ---- */

function openControl() {
    const socket = createConnection(join(folder, 'data/moonwire.sock'));
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    const ask = async (request) => {
        socket.write(`${JSON.stringify(request)}\n`);
        const answer = JSON.parse((await lines.next()).value);
        if (!answer.ok) throw new Error(JSON.stringify(answer));
        return answer.lines[0];
    };
    return { ask, close: () => socket.destroy() };
}

/* ---- echoes ---- */

async function openEcho(port) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/echo`, { perMessageDeflate: false });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const text = 'x'.repeat(64);
    let last = performance.now();
    let longest = 0;
    socket.on('message', () => {
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
        socket.send(text);
    });
    socket.send(text);
    /* The longest gap while this ran. */
    const during = async (run) => {
        longest = 0;
        await run();
        return Math.max(longest, performance.now() - last);
    };
    return { during, close: () => socket.terminate() };
}

/* ---- the rows ---- */

let pings = 3000;
const kinds = {
    'as it was': () => ({ cmd: 'reload', script: 'idle.lua' }),
    'other deadlines for all': () => {
        writeFileSync(join(folder, 'scripts/idle.lua'), idle(++pings));
        return { cmd: 'reload', script: 'idle.lua' };
    },
    'rollback and forth': () => ({ cmd: 'rollback', script: 'idle.lua' }),
};

async function measure(kind, control, echo) {
    const seen = { ms: [], quiet: [], gaps: [] };
    for (let i = 0; i < reloads; i++) {
        let took = 0;
        const request = kinds[kind]();
        if (request.cmd === 'rollback') await control.ask({ cmd: 'reload', script: 'idle.lua' });
        seen.gaps.push(await echo.during(async () => {
            const begin = performance.now();
            const line = await control.ask(request);
            if (line.kept !== connections) throw new Error(`${line.kept} were kept`);
            seen.ms.push(line.ms);
            await sleep(AFTER_MS);
            took = performance.now() - begin;
        }));
        await sleep(AFTER_MS); /* for the watcher, which saw the save too */
        seen.quiet.push(await echo.during(() => sleep(took)));
    }
    return seen;
}

function countOpen() {
    const text = execFileSync(join(built, 'moonwire'), ['metrics', folder], { encoding: 'utf8' });
    return Number(/^moonwire_connections\{.*script="idle.lua".*\} (\d+)/m.exec(text)?.[1]);
}

async function hold(port) {
    const args = ['bench', `ws://127.0.0.1:${port}/idle`, '--mode', 'idle', '--clients', connections,
        '--seconds', 3600];
    const load = pinned(LOAD_CORE, join(built, 'moonwire'), args.map(String));
    let isOver = false;
    load.ended.then(() => { isOver = true; });
    while (countOpen() !== connections) {
        if (isOver) throw new Error(`the connections did not come: ${await load.line()}`);
        await sleep(100);
    }
    return load;
}

const server = await startMoonwire(folder);
const crowd = await hold(server.port);
const control = openControl();
const echo = await openEcho(server.port);
const cell = (value) => value.toFixed(2).padStart(9);
console.log(`${connections} idle connections, ${reloads} reloads of each kind; ms, median and most`);
console.log(`${' '.repeat(26)}${'server says'.padStart(18)}${'echo gap'.padStart(18)}${'without'.padStart(18)}`);
for (const kind of Object.keys(kinds)) {
    const { ms, gaps, quiet } = await measure(kind, control, echo);
    const cells = [ms, gaps, quiet].flatMap((each) => [median(each), Math.max(...each)]).map(cell);
    console.log(kind.padEnd(26) + cells.join(''));
}
echo.close();
control.close();
crowd.child.kill('SIGKILL');
await crowd.ended;
await stop(server);
