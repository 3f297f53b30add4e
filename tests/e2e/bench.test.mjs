/* moonwire bench: each mode against a server; what it counts is what was there, and what is wrong is found. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { binary, start, within } from './harness.mjs';

const server = await start({ after }, {
    'scripts/echo.lua': 'return { on_message = function(conn, data) conn:send(data) end }',
    'scripts/pinged.lua': 'return { limits = { ping = 1 } }',
    'scripts/fan.lua': `
        local M = {}
        function M.on_open(conn) conn:subscribe("all") end
        function M.on_message(conn, data) conn:publish("all", data) end
        return M`,
    /* Right but for the last byte of the 20th. */
    'scripts/wrong.lua': `
        local count, M = 0, {}
        function M.on_message(conn, data)
          count = count + 1
          conn:send(count == 20 and data:sub(1, -2) .. " " or data)
        end
        return M`,
});

function bench(path, ...words) {
    const url = path.includes(':') ? path : `ws://127.0.0.1:${server.port}/${path}`;
    return within(new Promise((resolve) => {
        execFile(binary, ['bench', url, '--json', '--pid', String(server.process.pid), ...words],
            (error, out, err) => resolve({ code: error ? error.code : 0, err,
                got: out && JSON.parse(out) }));
    }), () => `moonwire bench ${words.join(' ')}`);
}

async function well(...words) {
    const { code, err, got } = await bench(...words);
    assert.deepEqual([code, err, got.failed, got.why], [0, '', 0, '']);
    assert.ok(got.server_resident > 0 && got.server_own <= got.server_resident);
    return got;
}

test('echo: as many as were asked for, of any size and depth', async () => {
    for (const words of [[], ['--depth', '8'], ['--size', '1'], ['--size', '70000', '--depth', '3']]) {
        const got = await well('echo', '--clients', '50', '--messages', '500', ...words);
        assert.deepEqual([got.opened, got.sent, got.received], [50, 500, 500]);
    }
});

test('fanout: each subscriber gets each message', async () => {
    for (const depth of ['1', '16']) {
        const got = await well('fan', '--mode', 'fanout', '--clients', '50', '--messages', '20',
            '--depth', depth, '--size', '1000');
        assert.deepEqual([got.opened, got.sent, got.received], [51, 20, 1000]);
    }
});

test('churn: each cycle is a connection, from as many addresses as were asked for', async () => {
    const got = await well('echo', '--mode', 'churn', '--clients', '50', '--messages', '200',
        '--sources', '9');
    assert.deepEqual([got.opened, got.received], [200, 200]);
});

test('idle: the connections stay, and their pings are answered', async () => {
    const got = await well('pinged', '--mode', 'idle', '--clients', '50', '--seconds', '3');
    assert.deepEqual([got.opened, got.received], [50, 0]);
    assert.ok(got.pings >= 50, `${got.pings} pings`);
});

test('a wrong byte, a silent script, a refusal and a server that is not there are found', async () => {
    for (const [path, why, ...words] of [
        ['wrong', /not what was sent/, '--messages', '100', '--clients', '1'],
        ['pinged', /nothing moved/, '--messages', '10', '--timeout', '2'],
        ['none', /404/, '--messages', '10'],
        ['ws://127.0.0.1:1/', /refused/i, '--messages', '10'],
        ['none', /404/, '--mode', 'churn', '--messages', '10'],
    ]) {
        const { code, got } = await bench(path, ...words);
        assert.equal(code, 1);
        assert.match(got.why, why);
    }
});

test('what it is asked for has to make sense', async () => {
    for (const words of [['--mode', 'gale'], ['--clients', '0'], ['--size', 'x'],
        ['--sources', '70000'], ['--messages', '-1'], ['--bare'], ['--body', 'json'],
        ['--rate', '0'], ['--mode', 'idle', '--rate', '5'], ['--impatient']])
        assert.equal((await bench('echo', ...words)).code, 2, words.join(' '));
});
