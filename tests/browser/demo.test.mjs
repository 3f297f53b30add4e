/* The demo page: two people chat while chat.lua is edited under them, and neither is dropped. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Project, root, start } from '../e2e/harness.mjs';
import { launch, open, shoot } from './chromium.mjs';

const phone = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' };
const desk = { viewport: { width: 1100, height: 800 }, colorScheme: 'light' };

async function demo(t) {
    const project = new Project();
    cpSync(join(root, 'scripts'), project.path('scripts'), { recursive: true });
    const server = await start(t, project);
    return { server, chat: readFileSync(project.path('scripts/chat.lua'), 'utf8') };
}

const part = (page, name) => page.getByTestId(name);
const shows = (page, name, text) => part(page, name).filter({ hasText: text }).first().waitFor();

async function enter(page, name) {
    await part(page, 'name').fill(name);
    await part(page, 'name').press('Enter');
}

async function say(page, text) {
    await part(page, 'composer').fill(text);
    await part(page, 'composer').press('Enter');
}

/* Every socket that the page opens, and those of them that ended. */
function watchSockets(page) {
    const sockets = { opened: 0, closed: 0 };
    page.on('websocket', (socket) => {
        sockets.opened++;
        socket.on('close', () => { sockets.closed++; });
    });
    return sockets;
}

test('two tabs chat while the script is edited, broken and mended under them', async (t) => {
    const { server, chat } = await demo(t);
    const browser = await launch(t);
    const [ann, bob] = [await open(browser, server.url, desk), await open(browser, server.url, phone)];
    const sockets = [ann, bob].map(watchSockets);
    for (const [page, name] of [[ann, 'Ann'], [bob, 'Bob']]) {
        await page.reload(); /* so that the sockets are counted from the first one */
        await part(page, 'composer').waitFor();
        await enter(page, name);
    }
    await shows(ann, 'people', 'Bob');
    await shows(bob, 'people', 'Ann');
    await say(ann, 'hello Bob');
    await shows(bob, 'messages', 'hello Bob');
    await say(bob, 'hello Ann');
    await shows(ann, 'messages', 'hello Ann');
    await shoot(ann, 'demo-desk-light');
    await shoot(bob, 'demo-phone-dark');

    const opened = sockets.map((socket) => socket.opened);
    for (let n = 1; n <= 5; n++) {
        server.project.write('scripts/chat.lua', `${chat}\n-- edit ${n}\n`);
        await server.log({ msg: 'reloaded', script: 'chat.lua' }, n);
        await say(ann, `after edit ${n}`);
        await shows(bob, 'messages', `after edit ${n}`);
        for (const page of [ann, bob]) {
            await shows(page, 'survived', String(n));
            await shows(page, 'version', String(n + 1));
        }
    }
    server.project.write('scripts/chat.lua', `${chat}\nthis is no Lua`);
    const said = await server.log({ msg: 'reload refused', script: 'chat.lua' });
    assert.match(said.frame, /this is no Lua/);
    await say(bob, 'still here');
    await shows(ann, 'messages', 'still here');
    await shows(ann, 'survived', '5');
    await shows(ann, 'messages', 'hello Ann');
    await shoot(ann, 'demo-after-edits');

    assert.deepEqual(sockets.map(({ closed }) => closed), [0, 0], 'no socket ended');
    assert.deepEqual(sockets.map((socket) => socket.opened), opened, 'none was opened anew');
    assert.deepEqual([...ann.complaints, ...bob.complaints], []);
    for (const page of [ann, bob]) await page.context().close();
});

test('the page shows live data and fits 360 px in both colour schemes', async (t) => {
    const { server } = await demo(t);
    const browser = await launch(t);
    for (const colorScheme of ['light', 'dark']) {
        const page = await open(browser, server.url, { ...phone, colorScheme });
        await shows(page, 'ticker', /\d/);
        const before = await part(page, 'ticker').textContent();
        await page.waitForFunction((old) => document.querySelector('[data-testid=ticker]').textContent !== old, before);
        const [wide, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(wide <= width, `it is ${wide} px wide`);
        await shoot(page, `demo-phone-${colorScheme}`);
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    }
});

test('when the server goes the page says so, and comes back with it', async (t) => {
    const { server } = await demo(t);
    const browser = await launch(t);
    const page = await open(browser, server.url, { ...desk, expected: /WebSocket connection/ });
    await shows(page, 'state', /./);
    const connected = await part(page, 'state').textContent();
    await server.stop();
    await page.waitForFunction((old) => document.querySelector('[data-testid=state]').textContent !== old, connected);
    await shoot(page, 'demo-server-gone');
    const { Server } = await import('../e2e/harness.mjs');
    const again = new Server(server.project, { args: ['--listen', `127.0.0.1:${server.port}`] });
    t.after(() => again.stop());
    await again.ready();
    await page.waitForFunction((old) => document.querySelector('[data-testid=state]').textContent === old, connected);
    await page.context().close();
});
