/* moonwire bench: each mode against a server; what it counts is what was there, and what is wrong is found. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { certificate } from './certificates.mjs';
import { binary, start, within } from './harness.mjs';

const echo = 'return { on_message = function(conn, data, kind) conn:send(data, kind) end }';

const server = await start({ after }, {
    'scripts/echo.lua': echo,
    'scripts/anew.lua': `
        local M = { limits = { format = "json" } }
        function M.on_message(conn, data) conn:send(data) end
        return M`,
    'scripts/pinged.lua': 'return { limits = { ping = 1 } }',
    'scripts/fan.lua': `
        local M = {}
        function M.on_open(conn) conn:subscribe("all") end
        function M.on_message(conn, data) conn:publish("all", data) end
        return M`,
    'scripts/counted.lua': `
        local count, M = 0, {}
        function M.on_message(conn, data) count = count + 1; conn:send(data) end
        function M.on_close() log.info("counted", { count = count }) end
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

/* It sleeps where it can: other tests want the processors as well. */
function bench(path, ...words) {
    const url = path.includes(':') ? path : `ws://127.0.0.1:${server.port}/${path}`;
    const args = ['bench', url, '--json', '--spin', 'off', '--pid', String(server.process.pid)];
    return within(new Promise((resolve) => {
        execFile(binary, [...args, ...words], (error, out, err) =>
            resolve({ code: error ? error.code : 0, err, got: out && JSON.parse(out) }));
    }), () => `moonwire bench ${words.join(' ')}`);
}

async function well(...words) {
    const { code, err, got } = await bench(...words);
    assert.deepEqual([code, err, got.failed, got.why], [0, '', 0, '']);
    assert.ok(got.server_resident > 0 && got.server_own <= got.server_resident);
    return got;
}

test('echo: as many as were asked for, of any size and depth', async () => {
    for (const words of [[], ['--depth', '8'], ['--size', '1'], ['--size', '0', '--depth', '3'],
        ['--size', '70000', '--depth', '3'], ['--body', 'binary'],
        ['--body', 'binary', '--size', '30000'], ['--spin', 'on']]) {
        const got = await well('echo', '--clients', '50', '--messages', '500', ...words);
        assert.deepEqual([got.opened, got.sent, got.received], [50, 500, 500]);
        assert.equal(got.latency_us.count, 500);
        assert.ok(got.latency_us.p50 <= got.latency_us.p99 && got.latency_us.p99 <= got.latency_us.max);
    }
});

test('a message of 1 MiB comes back whole', async () => {
    const got = await well('echo', '--clients', '2', '--messages', '4', '--size', '1048576');
    assert.equal(got.received, 4);
});

test('JSON is compared by what it means: the script writes it anew', async () => {
    const got = await well('anew', '--clients', '5', '--messages', '300', '--depth', '4',
        '--body', 'json', '--size', '300');
    assert.equal(got.received, 300);
});

test('by a timetable as many go as the rate says, in echo and fanout', async () => {
    for (const [path, mode, each] of [['echo', 'echo', 1], ['fan', 'fanout', 10]]) {
        const got = await well(path, '--mode', mode, '--clients', '10', '--messages', '100',
            '--rate', '500', '--body', 'text');
        assert.deepEqual([got.sent, got.received], [100, 100 * each]);
        assert.equal(got.lag_us.count, 100);
        assert.ok(got.took_us >= 99 * 2000, `${got.took_us} us for 99 spans of 2 ms`);
    }
});

test('what is said in the warm-up is not counted', async () => {
    const got = await well('counted', '--clients', '1', '--messages', '100', '--warmup', '1');
    assert.deepEqual([got.received, got.latency_us.count], [100, 100]);
    const { count } = await server.log({ msg: 'counted' });
    assert.ok(count > 100, `${count} messages came in all`);
});

test('compression: every answer is inflated and compared, with contexts and without', async () => {
    for (const [how, agreed] of [['takeover', /^permessage-deflate; client_max/],
        ['fresh', /server_no_context_takeover; client_no_context_takeover/]]) {
        const got = await well('echo', '--clients', '5', '--messages', '2000', '--depth', '4',
            '--body', 'json', '--size', '300', '--deflate', how);
        assert.equal(got.received, 2000);
        assert.match(got.deflate, agreed);
    }
});

test('TLS: echo, fanout and churn', async (t) => {
    const { cert, key } = certificate('a.example');
    const secure = await start(t, { 'scripts/echo.lua': echo, 'a.pem': cert, 'a.key': key },
        { args: ['--listen', '127.0.0.1:0', '--tls-cert', 'a.pem', '--tls-key', 'a.key'] });
    const url = `wss://127.0.0.1:${secure.port}/echo`;
    for (const words of [[], ['--depth', '5', '--spin', 'on'], ['--size', '100000'],
        ['--mode', 'churn'], ['--deflate', 'fresh', '--size', '300']]) {
        const got = await well(url, '--insecure', '--clients', '5', '--messages', '50', ...words);
        assert.equal(got.received, 50);
    }
    const { code, got } = await bench(url, '--clients', '1', '--messages', '5');
    assert.equal(code, 1);
    assert.match(got.why, /certificate/);
});

test('fanout: each subscriber gets each message', async () => {
    for (const depth of ['1', '16']) {
        const got = await well('fan', '--mode', 'fanout', '--clients', '50', '--messages', '20',
            '--depth', depth, '--size', '1000');
        assert.deepEqual([got.opened, got.sent, got.received], [51, 20, 1000]);
    }
});

test('churn: each cycle is a connection, from as many addresses as were asked for', async () => {
    for (const words of [['--sources', '9'], ['--abrupt']]) {
        const got = await well('echo', '--mode', 'churn', '--clients', '50', '--messages', '200',
            ...words);
        assert.deepEqual([got.opened, got.received], [200, 200]);
    }
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

/* Servers that are nearly right: each does something wrong with its 20th message. */
const lies = {
    byte: (data) => (data.writeUInt8(data.readUInt8(40) ^ 1, 40), [[data]]),
    short: (data) => [[data.subarray(1)]],
    twice: (data) => [[data], [data]],
    never: () => [],
    kind: (data) => [[data, { binary: true }]],
    parts: (data) => [[data.subarray(0, 9), { fin: false }], [data.subarray(9), { fin: true }]],
};

async function liar(t, how, options) {
    const it = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
    it.on('connection', (socket) => {
        let count = 0;
        socket.on('error', () => {});
        socket.on('message', (data, binary) => {
            const answers = ++count === 20 ? lies[how](data) : [[data]];
            for (const [bytes, more] of answers) socket.send(bytes, { binary, ...more });
        });
    });
    t.after(() => { for (const socket of it.clients) socket.terminate(); it.close(); });
    await within(new Promise((resolve) => { it.on('listening', resolve); }), () => 'the liar');
    return `ws://127.0.0.1:${it.address().port}/`;
}

test('a server that lies is found, whatever its lie', async (t) => {
    for (const [how, why, ...words] of [
        ['byte', /not what was sent: byte 40 of 64, in message 19/],
        ['byte', /not what was sent: byte 40 of 5000/, '--size', '5000'],
        ['byte', /not what was sent/, '--deflate', 'takeover', '--body', 'json', '--size', '200'],
        ['byte', /not what was sent/, '--body', 'json', '--size', '200'],
        ['short', /63 bytes instead of 64/],
        ['twice', /nobody had asked for|not what was sent/],
        ['never', /nothing moved|not what was sent/, '--timeout', '1'],
        ['kind', /binary/],
        ['parts', /fragment/],
    ]) {
        const deflate = words.includes('--deflate');
        const url = await liar(t, how, { perMessageDeflate: deflate && { threshold: 0 } });
        for (const depth of ['1', '4']) {
            const { code, got } = await bench(url, '--clients', '1', '--messages', '60', '--depth',
                depth, ...words);
            assert.equal(code, 1, how);
            assert.match(got.why, why, how);
            assert.ok(got.received < 60);
        }
    }
    const { code, got } = await bench(await liar(t, 'byte'), '--deflate', 'fresh', '--messages', '1');
    assert.equal(code, 1);
    assert.match(got.why, /does not take permessage-deflate/);
});

/* What a floor does: no protocol at all. */
async function bare(t, { fans = false, lies_at = Infinity }) {
    const peers = new Set();
    let seen = 0;
    const it = createServer((socket) => {
        peers.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => peers.delete(socket));
        socket.on('data', (data) => {
            seen += data.length;
            if (seen > lies_at) data[0] ^= 1;
            for (const peer of fans ? peers : [socket]) peer.write(data);
        });
    });
    t.after(() => { for (const peer of peers) peer.destroy(); it.close(); });
    await within(new Promise((resolve) => { it.listen(0, '127.0.0.1', resolve); }), () => 'a floor');
    return `tcp://127.0.0.1:${it.address().port}`;
}

test('bare: echo, fanout and churn without a handshake, every byte compared', async (t) => {
    const url = await bare(t, {});
    for (const words of [[], ['--depth', '16'], ['--size', '100000'], ['--mode', 'churn']]) {
        const got = await well(url, '--bare', '--clients', '8', '--messages', '80', ...words);
        assert.deepEqual([got.sent, got.received], [80, 80]);
    }
    const got = await well(await bare(t, { fans: true }), '--bare', '--mode', 'fanout', '--clients',
        '8', '--messages', '20', '--depth', '4');
    assert.deepEqual([got.sent, got.received], [20, 160]);
    const wrong = await bench(await bare(t, { lies_at: 5000 }), '--bare', '--messages', '1000');
    assert.equal(wrong.code, 1);
    assert.match(wrong.got.why, /not what was sent/);
});

test('storm: all come at once, who is refused comes again, until all are in', async (t) => {
    const calm = await well('echo', '--mode', 'storm', '--clients', '100');
    assert.deepEqual([calm.opened, calm.refused, calm.arrivals_ms.length], [100, 0, 10]);
    const again = await well('echo', '--mode', 'storm', '--clients', '100', '--cut');
    assert.deepEqual([again.opened, again.refused], [100, 0]);

    /* 100 a second, 25 of them at once: most are told when to come, and come then. */
    const narrow = await start(t, { 'scripts/echo.lua': echo },
        { args: ['--listen', '127.0.0.1:0', '--accept-rate', '100'] });
    const url = `ws://127.0.0.1:${narrow.port}/echo`;
    const got = await well(url, '--mode', 'storm', '--clients', '100');
    assert.equal(got.opened, 100);
    assert.ok(got.refused > 0, 'some are refused');
    const rude = await well(url, '--mode', 'storm', '--clients', '100', '--impatient');
    assert.equal(rude.opened, 100);
    assert.ok(rude.refused > got.refused, `${rude.refused} refused after ${got.refused}`);
});

test('storm: who never gets in is told of', async (t) => {
    const shut = await start(t, { 'scripts/echo.lua': echo },
        { args: ['--listen', '127.0.0.1:0', '--connections', '10'] });
    const { code, got } = await bench(`ws://127.0.0.1:${shut.port}/echo`, '--mode', 'storm',
        '--clients', '30', '--seconds', '2');
    assert.equal(code, 1);
    assert.deepEqual([got.opened, got.failed], [10, 20]);
    assert.ok(got.refused >= 20);
});

test('what it is asked for has to make sense', async () => {
    for (const words of [['--mode', 'gale'], ['--clients', '0'], ['--size', 'x'],
        ['--sources', '70000'], ['--messages', '-1'], ['--bare'], ['--body', 'json'],
        ['--rate', '0'], ['--mode', 'idle', '--rate', '5'], ['--impatient'], ['--abrupt']])
        assert.equal((await bench('echo', ...words)).code, 2, words.join(' '));
});
