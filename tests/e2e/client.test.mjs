/*
 * The client of client/ in Node, by npm ws, against the server: what the README shows, and ends that
 * are real. Each row of its policy: tests/client and tests/browser/client.test.mjs.
 */
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { WebSocket } from 'ws';
import { Socket } from '../../client/dist/moonwire.js';
import { Project, Server, administer, root, start, startAgain, within } from './harness.mjs';

globalThis.crypto ??= webcrypto; /* as the README says for Node 18 */

const script = `
    local M = { route = "/chat/:room", limits = { ping = 1, pong = 5 } }
    function M.on_open(conn, req)
      if req.query.token == "bad" then return false, 403, "not with this token" end
    end
    function M.on_message(conn, data)
      if data == "leave" then return conn:close(1001, "moved", { after = 0.05, spread = 0.05 }) end
      conn:send(data)
    end
    return M`;
const server = await start({ after }, { 'scripts/chat.lua': script });
const at = (path, scheme = 'ws', { port } = server) => `${scheme}://127.0.0.1:${port}${path}`;

/* The next event that fits. */
const event = (socket, type, fits = () => true) => within(new Promise((resolve) => {
    socket.addEventListener(type, (it) => fits(it) && resolve(it));
}), () => `the event ${type}`);
const connect = (t, url, options) => {
    const socket = new Socket(url, { WebSocket, dev: false, ...options });
    t.after(() => socket.close());
    return socket;
};

/* ---- the README ---- */

const readme = readFileSync(join(root, 'client', 'README.md'), 'utf8');
const examples = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);

for (const [n, code] of examples.entries()) {
    test(`example ${n + 1} of the README`, async (t) => {
        const file = join(root, 'build', `readme-${process.pid}-${n}.mjs`);
        const client = join(root, 'client', 'dist', 'moonwire.js');
        const imports = code.includes('import') ? '' : `import { Socket } from '${client}';\n`;
        writeFileSync(file, imports + code
            .replace(/from '(\/_moonwire\/client\.js|moonwire-client)'/, `from '${client}'`)
            .replace("'ws'", `'${new URL('../node_modules/ws/wrapper.mjs', import.meta.url)}'`)
            .replace('127.0.0.1:8080', `127.0.0.1:${server.port}`) + '\nexport { ws };');
        t.after(() => rmSync(file));
        globalThis.WebSocket = WebSocket;
        globalThis.location = { href: at('/', 'http') };
        const shown = [];
        globalThis.show = (what) => shown.push(what);
        const { ws } = await import(file);
        t.after(() => ws.close());
        await event(ws, 'open');
        assert.ok(ws.url.startsWith(at('/chat/lobby')), ws.url);
        if (code.includes('send')) {
            const { data } = await event(ws, 'message');
            assert.ok(shown.includes(data), 'it is shown');
        } else {
            assert.ok(shown.length, 'something is shown');
        }
    });
}

/* ---- real ends ---- */

test('id, messages, advice and the way back, with npm ws', async (t) => {
    const socket = connect(t, at('/chat/a', 'http'));
    socket.send('hello');
    assert.equal((await event(socket, 'message')).data, 'hello');
    const { id } = socket;
    socket.send('leave');
    const { code, reason, advice, retryIn, id: its } = await event(socket, 'close');
    assert.deepEqual([code, reason, advice, its],
        [1001, 'moved', { retry: [50, 100], resume: true }, id]);
    assert.ok(retryIn >= 50 && retryIn <= 100);
    await event(socket, 'open');
    const { out } = await administer(server, 'why', id);
    assert.match(out, /1001/);
});

test('why it was refused', async (t) => {
    const socket = connect(t, at('/chat/a?token=bad'));
    const { explain, retryIn, refused } = await event(socket, 'close');
    assert.deepEqual([explain, retryIn, refused.status, refused.cause, socket.state],
        ['not with this token', null, 403, 'script_close', 'closed']);
});

test('a server that stops and one that is killed: back at the next one', async (t) => {
    const project = new Project({ 'scripts/chat.lua': script });
    let host = await new Server(project).ready();
    t.after(() => host.stop('SIGKILL').then(() => project.remove()));
    const socket = connect(t, at('/chat/a', 'ws', host), { cap: 100 });
    await event(socket, 'open');
    for (const signal of ['SIGTERM', 'SIGKILL']) {
        const closed = event(socket, 'close');
        await host.stop(signal);
        const { code, opened } = await closed;
        assert.deepEqual([code, opened], [signal === 'SIGTERM' ? 1001 : 1006, true]);
        const opens = event(socket, 'open');
        host = await startAgain(project, host.port);
        await opens;
    }
});

test('a server that stands still is found out, and found again', async (t) => {
    const socket = connect(t, at('/chat/a'));
    await event(socket, 'open');
    socket.send('x');
    await event(socket, 'message');
    server.process.kill('SIGSTOP');
    const { code, explain } = await event(socket, 'close').finally(() => server.process.kill('SIGCONT'));
    assert.deepEqual([code, explain], [4000, 'Was silent for 6 s']);
    await event(socket, 'open');
});
