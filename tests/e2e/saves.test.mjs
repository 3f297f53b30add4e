/* However a script is saved, it is loaded once, and the connection that talks to it stays. */
import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { test } from 'node:test';
import { Project, hold, start } from './harness.mjs';
import { saves } from './saves.mjs';

const chat = `
    local M = { route = "/chat" }
    function M.on_message(conn, data) conn:send("ALPHA " .. conn.version) end
    return M`;
const fence = (n) => `return { on_message = function(conn) conn:send("${n}") end }`;

for (const [name, { before, save: write, isHeld }] of Object.entries(saves)) {
    const save = async (server, from, to) => {
        const held = isHeld && await hold(server);
        write(server.project, from, to);
        if (held) held.go();
    };
    test(`one save is one reload: ${name}`, async (t) => {
        const project = new Project();
        before(project, chat);
        const server = await start(t, project);
        const peer = await server.connect('/chat');
        assert.equal(await peer.ask('?'), 'ALPHA 1');

        await save(server, 'ALPHA', 'BETA');
        const { from, v } = await server.log({ msg: 'reloaded', script: 'chat.lua' });
        assert.deepEqual([from, v], [1, 2]);
        assert.equal(await peer.ask('?'), 'BETA 2');

        /* What this save still had to say would come before what the next one says. */
        await save(server, 'BETA', 'GAMMA');
        await server.log({ msg: 'reloaded', script: 'chat.lua' }, 2);
        assert.equal(await peer.ask('?'), 'GAMMA 3');
        const outcomes = server.outcomes('chat.lua').map((line) => `${line.msg} ${line.v}`);
        assert.deepEqual(outcomes, ['reloaded 2', 'reloaded 3']);
        assert.deepEqual(await peer.close(1000), { code: 1000, reason: '' });
    });
}

const nothings = {
    'the same text again': (project) => project.write('scripts/chat.lua', chat),
    'a new time': (project) => utimesSync(project.path('scripts/chat.lua'), 0, 0),
    'an editor\'s files beside it': (project) => {
        for (const name of ['.chat.lua.swp', 'chat.lua~', '4913', '#chat.lua#', '.#chat.lua'])
            project.write(`scripts/${name}`, 'x');
    },
};

test('what changes no script is no reload', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': chat, 'scripts/fence.lua': fence(0) });
    let n = 0;
    for (const [name, touch] of Object.entries(nothings)) {
        touch(server.project);
        server.project.write('scripts/fence.lua', fence(++n));
        await server.log({ msg: 'reloaded', script: 'fence.lua' }, n);
        assert.deepEqual(server.outcomes('chat.lua'), [], name);
    }
    const peer = await server.connect('/chat');
    assert.equal(await peer.ask('?'), 'ALPHA 1');
    await peer.close();
});
