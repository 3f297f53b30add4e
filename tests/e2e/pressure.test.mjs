/*
 * Peers that do not read: what they say is left in their hands, what they are told is bounded, by
 * each policy, and the others get everything, in order. How long anything takes is not asserted.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { alone, start, within } from './harness.mjs';
import { BINARY, PING, PONG, TEXT, Wire, frame, upgradeText } from './wire.mjs';

const MIB = 1 << 20, MARK = 'abcdefghijklmnopqrstuv';

/* Sanitizers keep what was freed for a while: nothing to be measured there. */
const isMeasured = !process.env.MOONWIRE_SANITIZE;

const topic = (policy, options = '{}') => `
    local M = { limits = { queue = 131072, policy = "${policy}" } }
    local n = 0
    local filler = ("x"):rep(4000)
    function M.on_open(conn, req)
      if req.query.is ~= "stalled" then conn.data.reads = true end
      conn:subscribe("${policy}${options.length}")
    end
    function M.on_message(conn, data)
      if data == "lost" then
        return conn:send({ dropped = conn.dropped, replaced = conn.replaced })
      end
      for _ = 1, tonumber(data) do
        n = n + 1
        publish("${policy}${options.length}", ("%08d"):format(n) .. filler, ${options})
      end
    end
    function M.on_close(conn, code, reason, info) log.info("end", { cause = info.cause }) end
    return M`;

const files = {
    'scripts/echo.lua': `return { limits = { ping = 0 },
        on_message = function(conn, data, kind) conn:send(data, kind) end,
        on_close = function(conn, code, reason, info) log.info("end", { cause = info.cause }) end }`,
    'scripts/close.lua': topic('close'),
    'scripts/drop.lua': topic('drop'),
    'scripts/latest.lua': topic('close', '{ policy = "latest", key = "a" }'),
};
const serve = (env) => start({ after }, files, { env: { MOONWIRE_LOG_LEVEL: 'info', ...env } });
const server = await serve();
const ofOneWorker = await serve(alone); /* where what one call publishes comes to all in one turn */

const memory = (of = server) => Number(/VmRSS:\s+(\d+)/.exec(
    readFileSync(`/proc/${of.process.pid}/status`))[1]) / 1024;

/* A wire that has not read anything behind the handshake; read() goes on. */
async function stalled(path, on = server) {
    const wire = new Wire(on.port);
    wire.send(upgradeText(path));
    assert.equal((await wire.answer()).status, 101);
    wire.socket.pause();
    wire.read = () => wire.socket.resume();
    return wire;
}

const settled = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* ---- reading stops ---- */

test('who sends 64 MiB before it reads anything gets all of it back', async (t) => {
    const count = 256, size = MIB / 4, before = memory();
    const wire = await stalled('/echo');
    const body = Buffer.alloc(size, 'e');
    for (let i = 0; i < count; i++) {
        body.writeUInt32BE(i);
        wire.send(frame(BINARY, body));
    }
    /* As long as the kernels take some: then the server has stopped. */
    for (let left = -1; left !== wire.socket.writableLength; await settled(300)) {
        left = wire.socket.writableLength;
    }
    assert.ok(wire.socket.writableLength > 32 * MIB, 'most of it was not taken');
    t.diagnostic(`${(memory() - before).toFixed(1)} MiB more`);
    assert.ok(!isMeasured || memory() - before < 16, `${before} MiB became ${memory()}`);
    wire.read();
    for (let i = 0; i < count; i++) {
        const { opcode, payload } = await wire.frame();
        assert.equal(opcode, BINARY);
        assert.equal(payload.length, size);
        assert.equal(payload.readUInt32BE(), i);
    }
    wire.send(frame(PING, 'still there'));
    assert.equal((await wire.frame()).opcode, PONG);
    wire.drop();
});

test('its Close is heard behind what it has said', async () => {
    const wire = await stalled('/echo');
    const body = Buffer.alloc(MIB, 'e');
    for (let i = 0; i < 12; i++) wire.send(frame(BINARY, body));
    wire.send(frame(8, Buffer.from([0x0f, 0xa1])));
    wire.read();
    for (let i = 0; i < 12; i++) assert.equal((await wire.frame()).payload.length, MIB);
    assert.equal((await wire.closing()).code, 4001);
    wire.drop();
});

/* ---- policies ---- */

const READERS = 18, STALLED = 2, ROUNDS = 60, EACH = 50;

/* Reads all that comes: the numbers, and the asides. */
function reader(wire) {
    const got = { numbers: [], missed: 0 };
    got.until = (async () => {
        for (;;) {
            const { opcode, payload } = await wire.frame();
            const text = opcode === TEXT ? payload.toString() : '';
            if (text.startsWith(`${MARK}-`)) {
                got.missed += Number(text.slice(MARK.length + 1));
            } else if (opcode === TEXT && !text.startsWith(MARK)) {
                got.numbers.push(Number(text.slice(0, 8)));
                if (got.numbers.at(-1) === got.last) return;
            } else if (opcode === 8) {
                got.closed = payload.readUInt16BE();
                return;
            }
        }
    })();
    got.until.catch(() => {}); /* of one that is dropped nobody waits for the rest */
    return got;
}

/* The numbers 1 to ROUNDS * EACH to everybody; what it came to. */
async function play(name, on = server) {
    const before = memory(on), isWhole = name !== 'latest';
    const slow = await Promise.all(Array.from({ length: STALLED }, () =>
        stalled(`/${name}?is=stalled&moonwire=${MARK}`, on)));
    const wires = await Promise.all(Array.from({ length: READERS }, () => stalled(`/${name}`, on)));
    const readers = wires.map((wire) => reader(wire));
    for (const wire of wires) wire.read();
    const teller = wires[0];
    const last = ROUNDS * EACH;
    let most = 0;
    for (const got of readers) got.last = last;
    for (let round = 1; round <= ROUNDS; round++) {
        teller.send(frame(TEXT, String(EACH)));
        const heard = () => readers.every((got) => got.numbers.at(-1) === round * EACH);
        while (!heard()) await settled(5);
        most = Math.max(most, memory(on) - before);
    }
    for (const got of readers) {
        await within(got.until, () => 'all numbers');
        const all = Array.from({ length: isWhole ? last : ROUNDS }, (_, i) => i + 1);
        assert.deepEqual(got.numbers, isWhole ? all : all.map((round) => round * EACH));
    }
    assert.ok(!isMeasured || most < 24, `${most} MiB more`);
    const lasts = slow.map((wire) => reader(wire));
    for (const got of lasts) got.last = last;
    for (const wire of slow) wire.read();
    return { slow, lasts, teller, wires, ended: () => on.all({ msg: 'end', script: `${name}.lua` }) };
}

const drop = ({ slow, wires }) => [...slow, ...wires].forEach((wire) => wire.drop());

/* What all of them have not got, as each is told when it asks. */
async function lost({ slow, wires }) {
    const sum = { dropped: 0, replaced: 0 };
    for (const wire of [...slow, ...wires]) {
        wire.send(frame(TEXT, 'lost'));
        let text;
        do text = (await wire.frame()).payload.toString(); while (!text.startsWith('{'));
        const { dropped, replaced } = JSON.parse(text);
        sum.dropped += dropped;
        sum.replaced += replaced;
    }
    return sum;
}

test('close: who does not read is ended, the others have everything', async () => {
    const game = await play('close');
    await server.log({ msg: 'end', script: 'close.lua' }, STALLED);
    assert.deepEqual(game.ended().map(({ cause }) => cause),
        Array(STALLED).fill('slow_consumer'));
    drop(game);
});

test('drop: who does not read stays, and is told how many it has missed', async () => {
    const game = await play('drop');
    const behind = within(Promise.all(game.lasts.map((got) => got.until)),
        () => 'a message behind the hole');
    /* As long as a queue is full, what is published is part of the hole. */
    let isThere = false;
    behind.catch(() => {}).then(() => { isThere = true; });
    for (let last = ROUNDS * EACH + 1; !isThere; last++) {
        for (const got of game.lasts) got.last = last;
        game.teller.send(frame(TEXT, '1'));
        await settled(100);
    }
    await behind;
    for (const got of game.lasts) {
        assert.ok(got.missed > 0);
        assert.equal(got.numbers.length + got.missed, got.numbers.at(-1));
        const sorted = [...got.numbers].sort((a, b) => a - b);
        assert.deepEqual(got.numbers, sorted);
    }
    assert.deepEqual(game.ended(), []);
    const { dropped, replaced } = await lost(game);
    assert.equal(dropped, game.lasts.reduce((sum, got) => sum + got.missed, 0));
    assert.equal(replaced, 0);
    drop(game);
});

test('latest: who does not read gets the newest, and nothing is called missed', async () => {
    const game = await play('latest', ofOneWorker);
    for (const got of game.lasts) {
        await within(got.until, () => 'the newest');
        assert.equal(got.missed, 0);
        assert.equal(got.numbers.at(-1), ROUNDS * EACH);
        assert.ok(got.numbers.length < ROUNDS * EACH);
    }
    assert.deepEqual(game.ended(), []);
    const { dropped, replaced } = await lost(game);
    assert.equal(dropped, 0);
    const heard = game.lasts.reduce((sum, got) => sum + got.numbers.length, 0);
    assert.equal(replaced, (READERS * ROUNDS * (EACH - 1)) + (STALLED * ROUNDS * EACH) - heard);
    drop(game);
});
