/*
 * Scripts that stay within their budget and use nearly all of it with every message: others wait for
 * one such call, not for as many as there are clients. A line of the output says as JSON what was
 * seen, as multiples of the burning call; the test itself counts those by the server's own CPU time,
 * so that it does not matter how long this process stands still.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { alone, start } from './harness.mjs';

const full = process.env.MOONWIRE_FULL === '1';
const BURN_MS = full ? 190 : 40, BUDGET_MS = full ? 250 : 200, CLIENTS = full ? 50 : 20;
const ECHOES = full ? 100 : 40;

const burner = `
    local function burn()
      local till = os.clock() + ${BURN_MS / 1000}
      while os.clock() < till do end
      publish("burnt", "x")
    end
    local M = {}
    function M.on_open(conn) if conn.params.how == "open" then burn() end end
    function M.on_message(conn) burn() conn:send("burnt") end
    function M.on_close(conn) if conn.params.how == "close" then burn() end end
    M.route = "/burner/:how"
    return M`;
const timers = `
    local M = {}
    for i = 1, 10 do timer.every("t" .. i, 0.001, function()
      local till = os.clock() + ${BURN_MS / 1000}
      while os.clock() < till do end
      publish("burnt", "x")
    end) end
    return M`;
const watch = 'return { on_open = function(conn) conn:subscribe("burnt") end }';
const clock = 'return { on_message = function(conn) conn:send(tostring(os.clock())) end }';

/* What the process has burnt so far, as its os.clock() tells it: seconds. */
function burntBy({ process: { pid } }) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
}

/* Asks again and again; after how many burnt calls, and how many ms, does the answer come? */
async function askOften(server, peer) {
    const seen = { mostBurnt: 0, longestMs: 0 };
    for (let i = 0; i < ECHOES; i++) {
        const [before, begun] = [burntBy(server), performance.now()];
        const burnt_ms = (Number(await peer.ask('?')) - before) * 1000;
        seen.mostBurnt = Math.max(seen.mostBurnt, Math.floor(burnt_ms / BURN_MS));
        seen.longestMs = Math.max(seen.longestMs, performance.now() - begun);
        await sleep(3);
    }
    return seen;
}

function tell(what, { mostBurnt, longestMs }) {
    console.log(JSON.stringify({ what, clients: CLIENTS, burn_ms: BURN_MS,
        longest_echo_in_calls: Number((longestMs / BURN_MS).toFixed(2)),
        most_calls_before_an_echo: mostBurnt }));
}

/* How many calls have burnt, as somebody sees it who is told of each. */
async function counter(server) {
    const peer = await server.connect('/watch');
    let burnt = 0;
    peer.socket.on('message', () => { burnt++; });
    return () => burnt;
}

/* The one that runs, and those whose answers were on their way: without turns it is all of them. */
function expectTurns(what, seen) {
    tell(what, seen);
    assert.ok(seen.mostBurnt <= 4, `${seen.mostBurnt} of ${CLIENTS} ${what} before an echo`);
}

const serve = (t, files) =>
    start(t, { 'scripts/watch.lua': watch, ...files }, { env: {
        ...alone, MOONWIRE_SCRIPT_CPU: `${BUDGET_MS}`, MOONWIRE_LOG_LEVEL: 'info',
    } });

test('messages that burn their budget delay others by one of them', async (t) => {
    const server = await serve(t, { 'scripts/burner.lua': burner, 'scripts/clock.lua': clock });
    let going = true;
    const burners = [];
    for (let i = 0; i < CLIENTS; i++) {
        const peer = await server.connect('/burner/message', { perMessageDeflate: false });
        peer.socket.on('message', () => { if (going) peer.send('x'); });
        burners.push(peer);
    }
    const peer = await server.connect('/clock');
    for (const each of burners) { each.send('x'); each.send('x'); }
    const seen = await askOften(server, peer);
    going = false;
    expectTurns('messages', seen);
    for (const each of burners) each.socket.terminate();
    await peer.close();
});

test('handshakes and ends that burn their budget delay others by one of them', async (t) => {
    const server = await serve(t, { 'scripts/burner.lua': burner, 'scripts/clock.lua': clock });
    const peer = await server.connect('/clock');
    const burnt = await counter(server);
    const opening = Array.from({ length: CLIENTS }, () => server.connect('/burner/open'));
    expectTurns('handshakes', await askOften(server, peer));
    for (const each of await Promise.all(opening)) each.socket.terminate();
    const closing = [];
    for (let i = 0; i < CLIENTS; i++) closing.push(await server.connect('/burner/close'));
    for (const each of closing) each.socket.terminate();
    const before = burnt();
    expectTurns('ends', await askOften(server, peer));
    assert.ok(burnt() > before);
    await peer.close();
});

test('timers that burn their budget delay others by one of them', async (t) => {
    const server = await serve(t, { 'scripts/timers.lua': timers, 'scripts/clock.lua': clock });
    const peer = await server.connect('/clock');
    expectTurns('timers', await askOften(server, peer));
    server.project.write('scripts/timers.lua', 'return {}'); /* a save gets its turn as well */
    await server.log({ msg: 'reloaded', script: 'timers.lua' });
    await peer.close();
});
