/*
 * The client of client/ with `resume: true`, by npm ws, over a network that breaks at any byte, in
 * both directions. In Chromium: tests/browser/sessions.test.mjs.
 */
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { Socket } from '../../client/dist/moonwire.js';
import { TALK, faultOf, talk } from '../client/talker.mjs';
import { start, within } from './harness.mjs';
import { Network, chance } from './session_peer.mjs';

globalThis.crypto ??= webcrypto;

const SOCKETS = 10;
const CUTS = 50;

test('a drain: what the server has handled is not told as lost', async (t) => {
    const server = await start(t, { 'scripts/talk.lua': TALK });
    const one = talk(Socket, `ws://127.0.0.1:${server.port}/talk`, { WebSocket });
    t.after(() => one.socket.close());
    const closed = new Promise((resolve) => { one.socket.onclose = resolve; });
    for (let n = 0; n < 5; n++) one.say();
    await within((async () => {
        while (!one.isAnswered()) await new Promise((resolve) => setTimeout(resolve, 20));
    })(), () => 'the answers');
    await server.stop();
    assert.deepEqual([(await closed).code, one.drops], [1001, []]);
});

test('each message once and in order, over a network that breaks', async (t) => {
    const seed = Number(process.env.MOONWIRE_SEED ?? 20261121);
    const random = chance(seed);
    const server = await start(t, { 'scripts/talk.lua': TALK });
    const network = await new Network(server.port, random).listen();
    const all = Array.from({ length: SOCKETS }, () =>
        talk(Socket, `ws://127.0.0.1:${network.port}/talk`, { WebSocket }));
    const until = (is, what) => within((async () => {
        while (!is()) await new Promise((resolve) => setTimeout(resolve, 20));
    })(), () => what);
    /* Who is cut off before the first hello has no session to come back to. */
    network.isSound = true;
    await until(() => all.every(({ heard }) => heard.length), 'the sessions');
    network.isSound = false;
    const talking = setInterval(() => {
        const one = all[Math.floor(random() * SOCKETS)];
        one.say();
    }, 3);
    try {
        await until(() => network.total >= CUTS, `${CUTS} cuts`);
        clearInterval(talking);
        network.isSound = true;
        await until(() => all.every((one) => one.isAnswered()), 'the last answer');
        assert.deepEqual(all.map(faultOf).filter((fault) => fault), [], `MOONWIRE_SEED=${seed}`);
        assert.deepEqual(server.all({ msg: 'out of order' }), []);
        const returns = all.reduce((sum, { resumed }) => sum + resumed, 0);
        t.diagnostic(`${JSON.stringify(network.cuts)}, ${returns} returns, ` +
            `${all.reduce((sum, { sent }) => sum + sent, 0)} sent, ${all.reduce((sum, { heard }) => sum + heard.length, 0)} heard`);
        assert.ok(returns > CUTS / 5, `${returns} returns`);
    } finally {
        clearInterval(talking);
        for (const { socket } of all) socket.close();
        network.close();
    }
});
