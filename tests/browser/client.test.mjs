/*
 * The client that pages load from /_moonwire/client.js, in Chromium: each row of its policy with
 * the page's timers in virtual time, and what only real pages and real ends can show.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { ROWS, rowOf } from '../../client/src/policy.js';
import { SENDABLE, administer, start, startAgain } from '../e2e/harness.mjs';
import { launch, open } from './chromium.mjs';

const files = {
    'public/index.html': '<!doctype html><title>test</title>',
    'public/other.html': '<!doctype html><title>another</title>',
    'scripts/ends.lua': `
        local M = { limits = { ping = 3, pong = 7 } }
        function M.on_open(conn, req)
          if req.query.refuse then return false, 429, "come later" end
          if req.query.never then return false, 403, "not you" end
        end
        function M.on_message(conn, data)
          if data:sub(1, 1) ~= "{" then return conn:send(data) end
          local how = json.decode(data)
          conn:close(how.code, how.reason, how.advice)
        end
        return M`,
};
const server = await start({ after }, files);
const browser = await launch({ after }, { ignoreDefaultArgs: ['--disable-back-forward-cache'] });
const quiet = { expected: /WebSocket connection|Failed to load resource/ };

/* What runs in the page: a socket that writes down what happens to it, and who counts attempts. */
const prepare = async () => {
    const { Socket } = await import('/_moonwire/client.js');
    window.attempts = [];
    class Counted extends WebSocket {
        constructor(...args) { super(...args); window.attempts.push(this); }
    }
    window.begin = (url, options = {}) => {
        const { draw = 0, ...others } = options;
        const socket = new Socket(url, { WebSocket: Counted, random: () => draw, ...others });
        const seen = { closes: [], states: [], messages: [] };
        Object.assign(window, seen, { socket });
        socket.onstate = ({ state }) => seen.states.push(state);
        socket.onmessage = ({ data }) => seen.messages.push(data);
        socket.onclose = ({ code, reason, explain, advice, retryIn, opened, id, refused }) =>
            seen.closes.push({ code, reason, explain, advice, retryIn, opened, id, refused });
    };
    /* Without timers, which may stand still. */
    window.until = (is) => new Promise((resolve) => {
        const look = () => is() && resolve(is());
        for (const type of ['state', 'message', 'close', 'open']) socket.addEventListener(type, look);
        look();
    });
};

async function fresh(t, { still: stands = false, url = server.url } = {}) {
    const page = await open(browser, 'about:blank', quiet);
    t.after(() => page.context().close());
    if (stands) await page.clock.install();
    await page.goto(url);
    await page.evaluate(prepare);
    if (stands) await page.clock.pauseAt(await page.evaluate(() => Date.now()) + 1000);
    return page;
}

const attempts = (page) => page.evaluate(() => window.attempts.length);
const closes = (page, n) => page.evaluate((count) =>
    window.until(() => window.closes.length >= count && window.closes), n);
const state = (page, wanted) => page.evaluate((is) =>
    window.until(() => window.socket.state === is), wanted);

/* ---- a server that ends as ours never does ---- */

const RAW = {
    1005: (socket) => socket.end(Buffer.from([0x88, 0])),
    1006: (socket) => socket.destroy(),
};
const raw = createServer((socket) => socket.once('data', (head) => {
    socket.on('error', () => {});
    const [, code, key] = /^GET \/(\d+).*sec-websocket-key: (\S+)/is.exec(head) ?? [];
    if (!code) return socket.destroy(); /* it asks why it was refused */
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
    const end = RAW[code] ?? (() => socket.end(Buffer.from([0x88, 2, code >> 8, code & 255])));
    return end(socket);
}));
await new Promise((resolve) => raw.listen(0, '127.0.0.1', resolve));
after(() => raw.close());

/* ---- the policy ---- */

const first = (n) => ROWS.slice(0, n).reduce((sum, [many]) => sum + many, 0);
/* TLS that fails is 1006 to a page; in a frame the browser does not believe it either. */
const UNSEEN = [1015];
const codes = ROWS.flatMap((_, n) => [...new Set([first(n), Math.min(first(n + 1) - 1, 5001)])])
    .filter((code) => !UNSEEN.includes(code));

async function endWith(page, code, draw) {
    const isOurs = SENDABLE.includes(code);
    await page.evaluate(() => { window.socket?.close(); window.attempts.length = 0; });
    await page.evaluate(([url, options]) => window.begin(url, options),
        [isOurs ? '/ends' : `ws://127.0.0.1:${raw.address().port}/${code}`, { draw }]);
    if (isOurs) {
        await state(page, 'open');
        await page.evaluate((how) => window.socket.send(JSON.stringify(how)), { code, reason: 'test' });
    }
    return (await closes(page, 1))[0];
}

const still = await fresh({ after }, { still: true });

for (const code of codes) {
    const [, meaning, least, most] = rowOf(code);
    test(`${code}: ${least === undefined ? 'stays away' : `back between ${least} and ${most} ms`}`, async () => {
        const close = await endWith(still, code, 1 - 1e-12);
        assert.deepEqual([close.code, close.explain, close.opened], [code, meaning, true]);
        assert.equal(close.retryIn, most ?? null);
        assert.equal((await endWith(still, code, 0)).retryIn, least ?? null);
        if (least === undefined) {
            await still.clock.runFor(3600e3);
            assert.equal(await attempts(still), 1);
            assert.equal(await still.evaluate(() => window.socket.state), 'closed');
            return;
        }
        await still.clock.runFor(least - 1);
        assert.equal(await attempts(still), 1, 'not before');
        await still.clock.runFor(1);
        assert.equal(await attempts(still), 2, 'and then');
        assert.deepEqual(still.complaints, []);
    });
}

const ask = (page, how) => page.evaluate((what) => window.socket.send(JSON.stringify(what)), how);
const begin = async (page, ...args) => {
    await page.evaluate((what) => window.begin(...what), args);
    await state(page, 'open');
};

test('advice of the server goes before the code', async (t) => {
    const page = await fresh(t, { still: true });
    await begin(page, '/ends');
    await ask(page, { code: 1001, reason: 'moved', advice: false });
    const [one] = await closes(page, 1);
    assert.deepEqual([one.code, one.reason, one.advice, one.retryIn],
        [1001, 'moved', { retry: false, resume: true }, null]);
    await begin(page, '/ends', { draw: 0.5 });
    await ask(page, { code: 4900, reason: 'later', advice: { after: 40, spread: 20 } });
    const [two] = await closes(page, 1);
    assert.deepEqual([two.reason, two.advice, two.retryIn],
        ['later', { retry: [40e3, 60e3], resume: true }, 50e3]);
});

test('the page knows its id, messages and nothing else, and why it was refused', async (t) => {
    const page = await fresh(t);
    await begin(page, '/ends', { json: true });
    await page.evaluate(() => window.socket.send([1, 2]));
    assert.deepEqual(await page.evaluate(() => window.until(() => window.messages.length && window.messages)),
        [[1, 2]]);
    const id = await page.evaluate(() => window.socket.id);
    const { out } = await administer(server, 'why', id);
    assert.match(out, new RegExp(id));
    await page.evaluate(() => { window.socket.close(); window.begin('/ends?never=1'); });
    const [never] = await closes(page, 1);
    assert.deepEqual([never.code, never.opened, never.explain, never.refused.status, never.retryIn],
        [1006, false, 'not you', 403, null]);
    await page.evaluate(() => window.begin('/ends?refuse=1'));
    const [later] = await closes(page, 1);
    assert.deepEqual([later.refused.status, later.refused.cause, later.explain, later.retryIn],
        [429, 'script_close', 'come later', 5000]);
});

test('a server that says nothing more is found out', async (t) => {
    const deaf = await start(t, files);
    const page = await fresh(t, { still: true, url: deaf.url });
    await begin(page, '/ends');
    await page.evaluate(() => window.socket.send('x'));
    await page.evaluate(() => window.until(() => window.messages.length));
    await page.clock.runFor(3000);
    await page.evaluate(() => window.socket.send('y'));
    await page.evaluate(() => window.until(() => window.messages.length > 1));
    deaf.process.kill('SIGSTOP');
    t.after(() => deaf.process.kill('SIGCONT'));
    await page.clock.runFor(9999);
    assert.equal(await page.evaluate(() => window.closes.length), 0);
    await page.clock.runFor(7001);
    const [close] = await closes(page, 1);
    assert.deepEqual([close.code, close.explain, close.opened], [4000, 'Was silent for 10 s', true]);
    deaf.process.kill('SIGCONT');
    await page.clock.runFor(1000);
    await state(page, 'open');
});

test('reload, drain and kill -9: it comes back, by the slot or by the code', async (t) => {
    let host = await start(t, files);
    const page = await fresh(t, { url: host.url });
    const again = async () => {
        host = await startAgain(host.project, host.port);
        t.after(() => host.stop('SIGKILL'));
        await state(page, 'open');
    };
    await begin(page, '/ends');
    host.project.write('scripts/ends.lua', `${files['scripts/ends.lua']}\n-- edited`);
    await host.log({ msg: 'reloaded', script: 'ends.lua' });
    assert.equal(await page.evaluate(() => window.closes.length), 0, 'a reload closes nothing');
    await host.stop();
    const [drained] = await closes(page, 1);
    assert.deepEqual([drained.code, drained.reason], [1001, 'server is stopping']);
    assert.ok(drained.advice.retry[1] >= drained.retryIn && drained.retryIn >= drained.advice.retry[0]);
    await again();
    const { length } = await closes(page, 1);
    await host.stop('SIGKILL');
    const cut = (await closes(page, length + 1))[length];
    assert.deepEqual([cut.code, cut.advice, cut.opened], [1006, null, true]);
    await again();
});

test('offline it waits for the network', async (t) => {
    const page = await fresh(t);
    await begin(page, '/ends');
    await page.evaluate(() => { window.hung = window.until(() => window.socket.id); });
    const id = await page.evaluate(() => window.hung);
    await page.context().setOffline(true);
    await administer(server, 'close', id, '1001');
    await state(page, 'offline');
    const before = await attempts(page);
    await page.context().setOffline(false);
    await state(page, 'open');
    assert.equal(await attempts(page), before + 1);
});

test('the back button finds the page as it was, and the socket comes back', async (t) => {
    const page = await fresh(t);
    await begin(page, '/ends');
    await page.evaluate(() => {
        window.onpageshow = ({ persisted }) => { window.wasKept = persisted; };
    });
    await page.goto(`${server.url}other.html`);
    await page.goBack({ waitUntil: 'commit' });
    assert.equal(await page.evaluate(() => window.wasKept), true, 'the page was kept');
    await state(page, 'open');
    const seen = await page.evaluate(() => window.states);
    assert.deepEqual(seen.slice(0, 2).concat(seen.at(-1)), ['open', 'waiting', 'open']);
    assert.ok(seen.includes('idle'));
    assert.equal((await closes(page, 1))[0].code, 1001);
});

test('a worker has it too', async (t) => {
    const page = await fresh(t);
    const answer = await page.evaluate(() => new Promise((resolve) => {
        const code = `import { Socket } from '${location.origin}/_moonwire/client.js';
            const socket = new Socket('${location.origin}/ends');
            socket.onmessage = ({ data }) => postMessage(data);
            socket.send('from a worker');`;
        const worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })),
            { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => resolve(message);
    }));
    assert.equal(answer, 'from a worker');
});
