/*
 * `resume: true` of the client that pages load, in Chromium: over a network that breaks at any byte,
 * and what only a page has. In Node: tests/e2e/client_sessions.test.mjs.
 */
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, test } from 'node:test';
import { TALK, faultOf, talk } from '../client/talker.mjs';
import { start } from '../e2e/harness.mjs';
import { Network, chance } from '../e2e/session_peer.mjs';
import { launch, open } from './chromium.mjs';

const SOCKETS = 5;
const CUTS = 30;

const server = await start({ after }, {
    'public/index.html': '<!doctype html><title>test</title>',
    'public/other.html': '<!doctype html><title>another</title>',
    'scripts/talk.lua': TALK,
});
const browser = await launch({ after }, { ignoreDefaultArgs: ['--disable-back-forward-cache'] });
const quiet = { expected: /WebSocket connection|Failed to load resource|Access to fetch/ };

/* A page with so many sockets that talk over `port`. */
async function fresh(t, port = server.port, count = 1) {
    const page = await open(browser, server.url, quiet);
    t.after(() => page.context().close());
    await page.evaluate(`window.talk = ${talk}`);
    await page.evaluate(async ([url, n]) => {
        const { Socket } = await import('/_moonwire/client.js');
        window.all = Array.from({ length: n }, () => window.talk(Socket, url));
        /* Resolves when it is so for all of them; looks as things come. */
        window.until = (is) => new Promise((resolve) => {
            const look = () => { if (window.all.every(is)) resolve(); };
            for (const { socket } of window.all)
                for (const type of ['open', 'message', 'close', 'state']) socket.addEventListener(type, look);
            look();
        });
    }, [`ws://127.0.0.1:${port}/talk`, count]);
    await page.evaluate(() => window.until(({ fresh: begun }) => begun));
    return page;
}

const seenBy = (page) => page.evaluate(() => window.all.map(({ heard, sent, drops, resumed, fresh: begun }) =>
    ({ heard, sent, drops, resumed, fresh: begun })));

test('each message once and in order, over a network that breaks', async (t) => {
    const seed = Number(process.env.MOONWIRE_SEED ?? 20261121);
    const network = await new Network(server.port, chance(seed)).listen();
    t.after(() => network.close());
    network.isSound = true; /* who is cut off before the first hello has no session to come back to */
    const page = await fresh(t, network.port, SOCKETS);
    await page.evaluate(() => window.until(({ heard }) => heard.length));
    network.isSound = false;
    await page.evaluate(() => {
        window.talking = setInterval(() => window.all[Math.floor(Math.random() * window.all.length)].say(), 3);
    });
    while (network.total < CUTS) await new Promise((resolve) => setTimeout(resolve, 50));
    network.isSound = true;
    await page.evaluate(() => {
        clearInterval(window.talking);
        return window.until((one) => one.isAnswered());
    });
    const all = await seenBy(page);
    assert.deepEqual(all.map(faultOf).filter((fault) => fault), [], `MOONWIRE_SEED=${seed}`);
    assert.deepEqual(server.all({ msg: 'out of order' }), []);
    const returns = all.reduce((sum, { resumed }) => sum + resumed, 0);
    t.diagnostic(`${JSON.stringify(network.cuts)}, ${returns} returns, ` +
        `${all.reduce((sum, { sent }) => sum + sent, 0)} sent, ${all.reduce((sum, { heard }) => sum + heard.length, 0)} heard`);
    assert.ok(returns > CUTS / 5, `${returns} returns`);
    assert.deepEqual(page.complaints, []);
});

test('cut off while it is offline: what was said meanwhile comes, what was written goes', async (t) => {
    const sockets = new Set();
    const path = createServer((near) => {
        const far = connect(server.port, '127.0.0.1');
        for (const [one, other] of [[near, far], [far, near]]) {
            sockets.add(one);
            one.on('error', () => {}).on('close', () => other.destroy()).pipe(other);
        }
    });
    await new Promise((resolve) => path.listen(0, '127.0.0.1', resolve));
    t.after(() => path.close());
    const page = await fresh(t, path.address().port);
    await page.evaluate(() => window.until(({ heard }) => heard.length));
    await page.context().setOffline(true);
    for (const socket of sockets) socket.resetAndDestroy();
    await page.evaluate(() => window.until(({ socket }) => socket.state == 'offline'));
    await page.evaluate(() => { for (let n = 0; n < 10; n++) window.all[0].say(); });
    await page.context().setOffline(false);
    await page.evaluate(() => window.until((one) => one.resumed && one.isAnswered()));
    assert.deepEqual((await seenBy(page)).map(faultOf), [undefined]);
    assert.deepEqual(page.complaints, []);
});

test('the back button: a page that was put aside begins another session', async (t) => {
    const page = await fresh(t);
    await page.evaluate(() => { window.onpageshow = ({ persisted }) => { window.wasKept = persisted; }; });
    await page.goto(`${server.url}other.html`);
    await page.goBack({ waitUntil: 'commit' });
    await page.evaluate(() => window.until(({ fresh: begun }) => begun == 2));
    const [{ resumed }] = await seenBy(page);
    assert.deepEqual([await page.evaluate(() => window.wasKept), resumed], [true, 0]);
});
