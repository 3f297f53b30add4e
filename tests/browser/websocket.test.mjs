/* The browser's own WebSocket: what a page sees of handshakes, messages, closes and refusals. */
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, test } from 'node:test';
import { SENDABLE, start } from '../e2e/harness.mjs';
import { launch, open } from './chromium.mjs';

const server = await start({ after }, {
    'moonwire.lua': 'return { script = { string = 17 * 1024 * 1024 } }',
    'public/index.html': '<!doctype html><title>test</title>',
    'scripts/echo.lua': `
        local M = { protocols = { "v2", "v1" } }
        M.limits = { message = 17 * 1024 * 1024, queue = 64 * 1024 * 1024 }
        function M.on_message(conn, data, kind)
          conn:send(data, kind == "binary" and "binary" or nil)
        end
        return M`,
    'scripts/compressed.lua': `
        local M = { origins = { "*" } }
        function M.on_message(conn, data) conn:send(data) end
        return M`,
    'scripts/open.lua': 'return { origins = { "*" } }',
    'scripts/ends.lua': `
        local M = { route = "/ends/:tag", limits = { message = 1024 } }
        function M.on_open(conn)
          if conn.params.tag == "refused" then return false, 429, "slow down" end
          if conn.params.tag == "4001" then return false, 4001, "say who you are" end
        end
        function M.on_message(conn, data)
          local code, reason = data:match("^(%d+) ?(.*)$")
          conn:close(tonumber(code), reason)
        end
        function M.on_close(conn, code, reason, info)
          log.info("end", { tag = conn.params.tag, code = code, reason = reason,
                            cause = info.cause, clean = info.clean })
        end
        return M`,
});
const browser = await launch({ after });
/* The handshakes that are refused on purpose are errors in the console. */
const page = await open(browser, server.url, { expected: /WebSocket connection|favicon|404/ });

/* In the page: a conversation, which ends with `close` when each of `send` has been answered. */
await page.evaluate(() => {
    window.talk = (path, { protocols = [], send = [], close } = {}) => new Promise((resolve) => {
        const socket = new WebSocket(`ws://${location.host}${path}`, protocols);
        const seen = { opened: false, messages: [] };
        const finish = () => {
            if (close && seen.messages.length >= send.length) socket.close(...close);
        };
        socket.binaryType = 'arraybuffer';
        socket.onopen = () => {
            const { protocol, extensions } = socket;
            Object.assign(seen, { opened: true, protocol, extensions });
            send.forEach((data) => socket.send(data));
            finish();
        };
        socket.onmessage = ({ data }) => { seen.messages.push(data); finish(); };
        socket.onclose = ({ code, reason, wasClean }) => resolve({ ...seen, code, reason, wasClean });
    });
});
const talk = (path, options) => page.evaluate(([to, how]) => window.talk(to, how), [path, options]);
const end = (tag) => server.log({ msg: 'end', tag });

test('the handshake, with the subprotocol that the script prefers', async () => {
    const seen = await talk('/echo', { protocols: ['v1', 'v2'], close: [1000, 'done'] });
    assert.deepEqual(seen, {
        opened: true, protocol: 'v2', messages: [],
        extensions: 'permessage-deflate; client_max_window_bits=12',
        code: 1000, reason: '', wasClean: true,
    });
});

for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20, 1 << 24]) {
    test(`echo of ${size} bytes, text and binary`, async () => {
        const same = await page.evaluate(async (bytes) => {
            const text = '€'.repeat(bytes / 3) + 'x'.repeat(bytes % 3);
            const data = Uint8Array.from({ length: bytes }, (_, i) => i * 31);
            const seen = await window.talk('/echo', { send: [text, data], close: [1000] });
            const back = new Uint8Array(seen.messages[1]);
            const intact = back.every((byte, i) => byte === data[i]);
            return [seen.code, seen.messages[0] === text, back.length, intact];
        }, size);
        assert.deepEqual(same, [1000, true, size, true]);
    });
}

/* Between the browser and the server: counts the bytes of both ways. */
async function counted(t) {
    const line = { up: 0, down: 0 };
    const proxy = createServer((near) => {
        const far = connect(server.port, '127.0.0.1');
        near.on('data', (chunk) => { line.up += chunk.length; });
        far.on('data', (chunk) => { line.down += chunk.length; });
        near.pipe(far).pipe(near);
        for (const end of [near, far]) end.on('error', () => { near.destroy(); far.destroy(); });
    });
    await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    t.after(() => proxy.close());
    return Object.assign(line, { port: proxy.address().port });
}

test('what the browser and the server say is really compressed', async (t) => {
    const line = await counted(t);
    const answers = await page.evaluate((port) => new Promise((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/compressed`);
        const said = Array.from({ length: 50 }, (_, i) =>
            JSON.stringify({ id: i, text: `message ${i * 7919} of a talk`.repeat(30) }));
        const heard = [];
        socket.onopen = () => said.forEach((text) => socket.send(text));
        socket.onmessage = ({ data }) => heard.push(data) === said.length && socket.close(1000);
        socket.onclose = ({ code }) => resolve(
            { code, same: said.every((text, i) => text === heard[i]), size: said.join('').length });
    }), line.port);
    assert.deepEqual([answers.code, answers.same], [1000, true]);
    assert.ok(answers.size > 30_000);
    assert.ok(line.up < answers.size / 4, `${line.up} bytes up for ${answers.size}`);
    assert.ok(line.down < answers.size / 4, `${line.down} bytes down for ${answers.size}`);
});

/* A page may close with these only; the browser itself sends 1001 when the page is left. */
for (const code of [1000, 3000, 3999, 4000, 4999]) {
    test(`close ${code} of the page reaches the script`, async () => {
        const seen = await talk(`/ends/page_${code}`, { close: [code, 'bye'] });
        assert.deepEqual([seen.code, seen.wasClean], [code, true]);
        const { code: its, reason, cause, clean } = await end(`page_${code}`);
        assert.deepEqual([its, reason, cause, clean], [code, 'bye', 'peer_close', true]);
    });
}

test('a close without arguments is 1005 on both sides', async () => {
    assert.equal((await talk('/ends/bare', { close: [] })).code, 1005);
    assert.equal((await end('bare')).code, 1005);
});

for (const code of SENDABLE) {
    test(`close ${code} of the script reaches the page`, async () => {
        const seen = await talk(`/ends/script_${code}`, { send: [`${code} enough`] });
        assert.deepEqual([seen.code, seen.reason, seen.wasClean], [code, 'enough', true]);
        assert.equal((await end(`script_${code}`)).code, code);
    });
}

test('a reason of 123 bytes reaches the page whole', async () => {
    const reason = 'é'.repeat(61) + '!';
    assert.equal((await talk('/ends/reason', { send: [`4000 ${reason}`] })).reason, reason);
});

test('a message too big is 1009, read in the middle of the upload', async () => {
    const seen = await page.evaluate(() =>
        window.talk('/ends/big', { send: [new Uint8Array(1 << 24)] }));
    assert.equal(seen.code, 1009);
    assert.equal((await end('big')).cause, 'message_too_big');
});

test('a page that is left says 1001', async () => {
    const leaving = await open(browser, server.url, { expected: /favicon|404/ });
    await leaving.evaluate(() => new Promise((resolve) => {
        window.socket = new WebSocket(`ws://${location.host}/ends/left`);
        window.socket.onopen = resolve;
    }));
    await leaving.goto('about:blank');
    assert.equal((await end('left')).code, 1001);
    await leaving.context().close();
});

test('a refusal by HTTP is a bare 1006 to the page, one by close code is read', async () => {
    const refused = await talk('/ends/refused');
    assert.deepEqual([refused.opened, refused.code, refused.reason], [false, 1006, '']);
    const told = await talk('/ends/4001');
    assert.deepEqual([told.opened, told.code, told.reason], [true, 4001, 'say who you are']);
});

test('a page of another origin is refused where the script does not list it', async (t) => {
    const other = await start(t, {
        'public/index.html': 'another origin', 'scripts/a.lua': 'return {}',
    });
    const foreign = await open(browser, other.url, { expected: /WebSocket|404/ });
    const dial = (path) => foreign.evaluate((url) => new Promise((resolve) => {
        const socket = new WebSocket(url);
        socket.onopen = () => socket.close(1000);
        socket.onclose = (event) => resolve(event.code);
    }), `ws://127.0.0.1:${server.port}${path}`);
    assert.equal(await dial('/echo'), 1006);
    assert.equal(await dial('/open'), 1000);
    await foreign.context().close();
});

test('the page had nothing to complain about', () => assert.deepEqual(page.complaints, []));
