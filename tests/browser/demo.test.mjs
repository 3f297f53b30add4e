/* The demo page: two people chat while chat.lua is edited under them, and neither is dropped. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Project, root, start, startAgain } from '../e2e/harness.mjs';
import { launch, open, shoot } from './chromium.mjs';

const phone = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' };
const desk = { viewport: { width: 1100, height: 800 }, colorScheme: 'light' };

/* The repository's own scripts and page, in a folder where they can be edited. */
function copyOfScripts() {
    const project = new Project();
    cpSync(join(root, 'scripts'), project.path('scripts'), { recursive: true });
    return project;
}

const part = (page, name) => page.getByTestId(name);
const shows = (page, name, hasText) => part(page, name).filter({ hasText }).waitFor();
const isExactly = (page, name, text) => shows(page, name, new RegExp(`^${text}$`));
const isInState = (page, state) =>
    page.locator(`[data-testid=state][data-state=${state}]`).waitFor();

async function enter(browser, url, name, options) {
    const page = await open(browser, 'about:blank', options);
    page.sockets = { opened: 0, closed: 0 };
    page.on('websocket', (socket) => {
        page.sockets.opened++;
        socket.on('close', () => { page.sockets.closed++; });
    });
    await page.goto(url);
    await isInState(page, 'open');
    await part(page, 'name').fill(name);
    await part(page, 'name').press('Enter');
    return page;
}

async function say(page, text) {
    await part(page, 'composer').fill(text);
    await part(page, 'composer').press('Enter');
}

test('two tabs chat while the script is edited, broken and mended under them', async (t) => {
    const server = await start(t, copyOfScripts());
    const chat = readFileSync(server.project.path('scripts/chat.lua'), 'utf8');
    const browser = await launch(t);
    const ann = await enter(browser, server.url, 'Ann', desk);
    const bob = await enter(browser, server.url, 'Bob', phone);
    await shows(ann, 'people', 'Bob');
    await shows(bob, 'people', 'Ann');
    await say(ann, 'hello Bob');
    await shows(bob, 'messages', 'hello Bob');
    await say(bob, 'hello Ann');
    await shows(ann, 'messages', 'hello Ann');
    await isExactly(ann, 'version', 'v1');
    await shoot(ann, 'demo-chat-desk');
    await shoot(bob, 'demo-chat-phone');

    const opened = [ann, bob].map((page) => page.sockets.opened);
    for (let n = 1; n <= 5; n++) {
        server.project.write('scripts/chat.lua', `${chat}\n-- edit ${n}\n`);
        await server.log({ msg: 'reloaded', script: 'chat.lua' }, n);
        await say(ann, `after edit ${n}`);
        await shows(bob, 'messages', `after edit ${n}`);
        for (const page of [ann, bob]) {
            await isExactly(page, 'survived', n);
            await isExactly(page, 'version', `v${n + 1}`);
        }
    }

    server.project.write('scripts/chat.lua', `${chat}\nthis is no Lua`);
    const said = await server.log({ msg: 'reload refused', script: 'chat.lua' });
    assert.match(said.frame, /this is no Lua/);
    await say(bob, 'still here');
    await shows(ann, 'messages', 'still here');
    server.project.write('scripts/chat.lua', `${chat}\n-- mended\n`);
    await isExactly(ann, 'survived', 6);
    await shows(ann, 'messages', 'hello Ann');
    await shoot(ann, 'demo-after-edits');

    for (const page of [ann, bob]) {
        assert.equal(page.sockets.closed, 0, 'no socket ended');
        assert.deepEqual(page.complaints, []);
    }
    assert.deepEqual([ann, bob].map((page) => page.sockets.opened), opened, 'none was opened anew');
    assert.deepEqual(server.all({ msg: 'closed' }), []);
    for (const page of [ann, bob]) await page.context().close();
});

for (const colorScheme of ['light', 'dark']) {
    test(`the page is alive and fits 360 px, ${colorScheme}`, async (t) => {
        const server = await start(t, copyOfScripts());
        const page = await enter(await launch(t), server.url, 'Ann', { ...phone, colorScheme });
        await shows(page, 'ticker', /\d/);
        const before = await part(page, 'ticker').textContent();
        await part(page, 'ticker').filter({ hasNotText: before }).waitFor();
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= 360, `it is ${wide} px wide`);
        await shoot(page, `demo-phone-${colorScheme}`);
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    });
}

test('when the server goes the page says so, and it comes back with the server', async (t) => {
    const server = await start(t, copyOfScripts());
    const options = { ...desk, expected: /WebSocket|Failed to load resource/ };
    const page = await enter(await launch(t), server.url, 'Ann', options);
    await server.stop();
    await isInState(page, 'waiting');
    await shoot(page, 'demo-server-gone');
    const again = await startAgain(server.project, server.port);
    t.after(() => again.stop());
    await isInState(page, 'open');
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

test('another room is another connection, and no trouble', async (t) => {
    const server = await start(t, copyOfScripts());
    const page = await enter(await launch(t), server.url, 'Ann', desk);
    await page.evaluate(() => { location.hash = 'attic'; });
    await shows(page, 'log', /Opened \/chat\/attic as Ann/);
    await isInState(page, 'open');
    assert.equal((await server.log({ msg: 'closed', script: 'chat.lua' })).code, 1000);
    assert.doesNotMatch(await part(page, 'log').textContent(), /Closed 1000/);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});
