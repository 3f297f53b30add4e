/*
 * Clients that talk while their script is saved again and again, some of the saves broken: nobody is
 * closed, no message is lost, none comes out of order. MOONWIRE_FULL=1 makes it 1 000 clients, 10
 * messages a second each and 100 saves; a line of the output says as JSON what was seen.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { start, within } from './harness.mjs';

const full = process.env.MOONWIRE_FULL === '1';
const CLIENTS = full ? 1000 : 200, SAVES = full ? 100 : 20, BROKEN_EVERY = 5;
const MESSAGE_EVERY_MS = 100, SAVE_EVERY_MS = 220;

/* Pairs of clients talk in a room of two; both get what either says. */
const script = (n) => `
    local version = ${n}
    local M = { route = "/pair/:room" }
    function M.on_open(conn) conn:subscribe(conn.params.room) end
    function M.on_message(conn, data) publish(conn.params.room, data) end
    return M`;
const brokenScript = (n) => `local version = ${n}\nlocal M = {\nreturn M`;

class Talker {
    sent = 0;
    heard = new Map(); /* by speaker: the number of the last message */
    received = 0;
    disorder = 0;

    async connect(server, i) {
        this.name = `c${i}`;
        this.peer = await server.connect(`/pair/room${i >> 1}`, { perMessageDeflate: false });
        this.peer.socket.removeAllListeners('message');
        this.peer.socket.on('message', (data) => this.#hear(data.toString()));
    }
    #hear(text) {
        const [speaker, number] = text.split(' ');
        if (Number(number) !== (this.heard.get(speaker) ?? 0) + 1) this.disorder++;
        this.heard.set(speaker, Number(number));
        this.received++;
        this.look?.();
    }
    speak() { this.peer.send(`${this.name} ${++this.sent}`); }
    /* Resolves when all that was said in the room has come. */
    hasHeard(count) {
        return within(new Promise((resolve) => {
            this.look = () => this.received >= count && resolve();
            this.look();
        }), () => `${this.name} to hear ${count}, it heard ${this.received}`).catch(() => {});
    }
}

const percentile = (sorted, share) => sorted[Math.floor((sorted.length - 1) * share)];

const BROKEN = SAVES / BROKEN_EVERY;

test(`${CLIENTS} clients talk through ${SAVES} saves, ${BROKEN} of them broken`, async (t) => {
    const server = await start(t, { 'scripts/pair.lua': script(0) });
    const talkers = Array.from({ length: CLIENTS }, () => new Talker());
    for (const [i, talker] of talkers.entries()) await talker.connect(server, i);

    /* Each speaks in its slot of every round; what a slow machine missed is made up for. */
    const began = Date.now();
    const SLOTS = 20, SLOT_MS = MESSAGE_EVERY_MS / SLOTS;
    let slot = 0;
    const speaking = setInterval(() => {
        for (; slot * SLOT_MS < Date.now() - began; slot++)
            for (let i = slot % SLOTS; i < CLIENTS; i += SLOTS) talkers[i].speak();
    }, SLOT_MS);

    for (let n = 1; n <= SAVES; n++) {
        server.project.write('scripts/pair.lua', n % BROKEN_EVERY ? script(n) : brokenScript(n));
        const outcome = { script: 'pair.lua', msg: /^(reloaded|reload refused)$/ };
        const [said] = await Promise.all([server.log(outcome, n), sleep(SAVE_EVERY_MS)]);
        assert.equal(said.msg, n % BROKEN_EVERY ? 'reloaded' : 'reload refused', `save ${n}`);
    }
    clearInterval(speaking);
    const seconds = (Date.now() - began) / 1000;

    let lost = 0;
    for (let i = 0; i < CLIENTS; i++) {
        const said = talkers[i].sent + talkers[i ^ 1].sent;
        await talkers[i].hasHeard(said);
        lost += said - talkers[i].received;
    }
    const reloads = server.all({ msg: 'reloaded', script: 'pair.lua' });
    const ms = reloads.map((line) => line.ms).sort((a, b) => a - b);
    const result = {
        clients: CLIENTS, seconds, saves: SAVES,
        reloaded: reloads.length, refused: server.all({ msg: 'reload refused' }).length,
        sent: talkers.reduce((sum, { sent }) => sum + sent, 0),
        received: talkers.reduce((sum, { received }) => sum + received, 0),
        closes: talkers.filter(({ peer }) => peer.end).length, lost,
        reordered: talkers.reduce((sum, { disorder }) => sum + disorder, 0),
        dropped: reloads.reduce((sum, line) => sum + line.dropped, 0),
        reload_ms: { median: percentile(ms, 0.5), p99: percentile(ms, 0.99), max: ms.at(-1) },
    };
    t.diagnostic(JSON.stringify(result));
    const { closes, reordered, dropped, reloaded } = result;
    assert.deepEqual({ closes, lost, reordered, dropped, reloaded },
        { closes: 0, lost: 0, reordered: 0, dropped: 0, reloaded: SAVES - BROKEN });
    assert.ok(result.sent > CLIENTS, 'they did talk');
    for (const { peer } of talkers) peer.socket.close(1000);
    for (const { peer } of talkers) await peer.seen();
});
