/*
 * Every cause of cause.def that a peer, a script or an operator can provoke: what the peer
 * receives, what on_close is told, what the log says; and the same ends once more where the script
 * has the last word. One row each; MOONWIRE_FULL=1 prints each as a line of JSON, with the verdict
 * of `moonwire why`.
 * Not here: script_busy and out_of_memory, which need a server without time or memory for half a
 * minute (tests/unit/server/test_fair.c, test_conversation_memory.c).
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { deflateRawSync, constants } from 'node:zlib';
import { certificate } from './certificates.mjs';
import { Peer, Project, administer, alone, start, within } from './harness.mjs';
import { BINARY, CLOSE, PING, TEXT, closeBody, frame, upgraded } from './wire.mjs';

/* ---- scripts ---- */

const ON_CLOSE = `
    function M.on_close(conn, code, reason, info)
      info.tag, info.code, info.reason = conn.params.tag, code, reason
      log.info("end", info)
    end`;

/* Says what it wants about each end: the same code, and what it was asked. */
const DECIDES = `
    function M.decide_close(conn, cause, info)
      assert(cause == info.cause and info.who == "server" and not info.clean)
      return 4100, cause, { after = 1, spread = 2 }
    end`;

const written = (name, limits, more = '') => ({
    [`scripts/${name}.lua`]: `
        local M = { route = "/${name}/:tag", limits = { ${limits} } } ${more} ${ON_CLOSE} return M`,
    [`scripts/decides_${name}.lua`]: `
        local M = { route = "/decides_${name}/:tag", limits = { ${limits} } }
        ${more} ${ON_CLOSE} ${DECIDES} return M`,
});

const files = {
    'moonwire.lua': 'return { script = { cpu = 150, memory = 4 * 1024 * 1024 } }',
    ...written('plain', 'message = 1000, fragments = 3, ping = 0', `
        function M.on_message(conn, data) conn:send(data == "id" and conn.id or data) end`),
    ...written('small', 'message = 1000, inflated = 100'),
    ...written('json', '', 'M.format = "json" function M.on_message() end'),
    ...written('pinged', 'ping = 1, pong = 1'),
    ...written('idle', 'idle = 1'),
    ...written('aged', 'age = 1'),
    ...written('rated', 'rate = 1, burst = 2'),
    ...written('one', 'connections = 1'),
    ...written('alone', 'connections_per_ip = 1'),
    ...written('flood', 'queue = 65536, ping = 0', `
        local BYTES = ("x"):rep(50000)
        function M.on_message(conn) repeat until not conn:send(BYTES) log.info("full") end`),
    ...written('full', 'queue = 64 * 1024 * 1024, ping = 0', `
        local BYTES = ("x"):rep(1000000)
        function M.on_message(conn) for i = 1, 16 do conn:send(BYTES, "binary") end end`),
    ...written('fails', '', 'function M.on_open() error("no luck") end'),
    ...written('spins', '', 'function M.on_open() while true do end end'),
    ...written('eats', '', `
        function M.on_open() local all = {} while true do all[#all + 1] = ("x"):rep(100000 + #all) end end`),
    'scripts/says.lua': `
        local M = { route = "/says/:tag", codes = { [4003] = { "full", retry = { after = 9 } },
          [4600] = { "moved", retry = true } } }
        local advice = { no = false, soon = { after = 0.25 }, fresh = { spread = 8, resume = false } }
        function M.on_open(conn, req)
          if req.query.refuse then return false, tonumber(req.query.refuse), "not you" end
        end
        function M.on_message(conn, data)
          local code, reason, key = data:match("^(%d+) (%a*) ?(%a*)$")
          conn:close(tonumber(code), reason, advice[key])
        end
        function M.advise_reconnect(conn, code, info)
          if code == 4002 then return { after = 7, spread = 1 } end
          assert(info.cause == "script_close")
        end
        function M.decide_close() error("not asked about its own closes") end
        ${ON_CLOSE} return M`,
    'scripts/clumsy.lua': `
        local M = { route = "/clumsy/:what", limits = { rate = 1, burst = 1 } }
        function M.on_message() end
        function M.decide_close(conn)
          if conn.params.what == "bad" then return 1006 end
          if conn.params.what == "fails" then error("oh") end
          if conn.params.what == "waits" then sleep(1) end
          if conn.params.what == "spins" then while true do end end
        end
        return M`,
};

const server = await start({ after }, files);

/* ---- peers ---- */

/* That limit is half a minute, in which all the others are tried. */
const stuck = await upgraded(server, '/full/stuck');
stuck.socket.pause(); /* it takes nothing any more, whatever the kernel still does for it */
stuck.send(frame(TEXT, 'go'));
const ping = setInterval(() => stuck.send(frame(PING, '')), 1000); /* and is alive all the same */
after(() => { clearInterval(ping); stuck.reset(); });

const DEFLATE = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
const small = (data) => deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const often = (n, bytes) => Buffer.concat(Array(n).fill(bytes));

/* The Close frame, and an answer to it, so that both have said goodbye. */
async function closing(wire) {
    const got = await wire.closing();
    wire.send(frame(CLOSE, closeBody(1000)));
    return got;
}

/* A second one where only one may be: the first stays until the row is over. */
async function second(path) {
    const first = await upgraded(server, `${path}-first`);
    const wire = await upgraded(server, path);
    wire.socket.once('close', () => first.drop());
    return wire;
}

/* What the server calls this connection. */
async function idOf(wire) {
    wire.send(frame(TEXT, 'id'));
    return (await wire.frame()).payload.toString();
}

/* One request to the admin socket, and its answer. */
function tell(request) {
    return new Promise((resolve, reject) => {
        const socket = connect(server.project.path('data/moonwire.sock'));
        let text = '';
        socket.on('data', (bytes) => { text += bytes; });
        socket.on('end', () => resolve(JSON.parse(text)));
        socket.on('error', reject);
        socket.end(`${JSON.stringify(request)}\n`);
    });
}

let floods = 0; /* queues that were filled */

/*
 * cause; how it is provoked, in words; the script's name; code and reason that the peer receives
 * (null: nothing); what its info has; how it is provoked; its tag, where the cause has several rows.
 */
const rows = [
    { cause: 'peer_close', how: 'sends Close 4321',
        script: 'plain', who: 'client', code: 4321, sees: [4321, ''], clean: true,
        go: (wire) => wire.send(frame(CLOSE, closeBody(4321, 'me first'))), reason: 'me first' },
    { cause: 'peer_fin', how: 'ends its stream without a Close frame',
        script: 'plain', who: 'network', code: 1006, sees: null,
        go: (wire) => wire.socket.end() },
    { cause: 'peer_reset', how: 'resets the TCP connection',
        script: 'plain', who: 'network', code: 1006, sees: null,
        go: (wire) => wire.reset() },
    { cause: 'ping_timeout', how: 'answers no ping; limits.ping = 1, pong = 1',
        script: 'pinged', who: 'network', code: 1006, unanswered: 1,
        sees: [3008, 'no answer to ping'], reason: 'no answer to ping', go: () => {} },
    { cause: 'idle_timeout', how: 'says nothing; limits.idle = 1',
        script: 'idle', code: 3008, sees: [3008, 'idle'], go: () => {} },
    { cause: 'max_age', how: 'stays; limits.age = 1',
        script: 'aged', code: 1001, sees: [1001, 'open for limits.age'],
        go: () => {} },
    { cause: 'protocol_error', how: 'sends a frame with RSV1, which was not agreed on',
        script: 'plain', code: 1002, rule: /5\.2: reserved/, bytes: /^c1/,
        sees: [1002, /5\.2: reserved/], go: (wire) => wire.send(frame(TEXT, 'hi', { rsv: 4 })) },
    { cause: 'http_on_websocket', how: 'sends an HTTP request after the upgrade',
        script: 'plain', code: 1002, rule: /plain HTTP/, bytes: /^474554/,
        sees: [1002, /plain HTTP/], go: (wire) => wire.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n') },
    { cause: 'bad_utf8', how: 'sends text that is not UTF-8',
        script: 'plain', code: 1007, rule: /8\.1/, sees: [1007, /8\.1/],
        go: (wire) => wire.send(frame(TEXT, Buffer.of(0xc0, 0xaf))) },
    { cause: 'bad_compression', how: 'sends bytes that DEFLATE does not know',
        script: 'small', code: 1007, changes: DEFLATE, rule: /7692/,
        sees: [1007, /7692/], go: (wire) => wire.send(frame(TEXT, Buffer.of(255, 255), { rsv: 4 })) },
    { cause: 'bad_json', how: 'sends half an object to a script with format = "json"',
        script: 'json', code: 1007, sees: [1007, 'the message is not valid JSON'],
        received: 1, go: (wire) => wire.send(frame(TEXT, '{"a":')) },
    { cause: 'message_too_big', how: 'sends 1 001 bytes; limits.message = 1000',
        script: 'plain', code: 1009, rule: /7\.4\.1/, bytes: /^82fe/,
        sees: [1009, /7\.4\.1/], go: (wire) => wire.send(frame(BINARY, Buffer.alloc(1001))) },
    { cause: 'inflated_too_big', how: 'sends 101 bytes, compressed; limits.inflated = 100',
        script: 'small', code: 1009, changes: DEFLATE, rule: /./,
        sees: [1009, /./], go: (wire) => wire.send(frame(TEXT, small('y'.repeat(101)), { rsv: 4 })) },
    { cause: 'too_many_fragments', how: 'sends 4 fragments; limits.fragments = 3',
        script: 'plain', code: 1008, rule: /7\.4\.1/, sees: [1008, /7\.4\.1/],
        go: (wire) => wire.send(often(4, frame(0, '', { fin: false })).fill(1, 0, 1)) },
    { cause: 'rate_limited', how: 'sends 3 messages at once; limits.rate = 1, burst = 2',
        script: 'rated', code: 1008, received: 3,
        sees: [1008, 'more messages than limits.rate;retry=10000-60000'],
        go: (wire) => wire.send(often(3, frame(TEXT, 'x'))) },
    { cause: 'slow_consumer', how: 'does not read while the script sends; limits.queue = 65536',
        script: 'flood', code: 1013,
        sees: [1013, 'the client reads too slowly;retry=5000-15000'],
        async go(wire) {
            wire.socket.pause();
            wire.send(frame(TEXT, 'go'));
            await server.log({ msg: 'full' }, ++floods); /* who reads before that is fast enough */
            wire.socket.resume();
        } },
    { cause: 'connection_limit', how: 'is the second; limits.connections = 1',
        script: 'one', code: 1013, known: false, open: second,
        sees: [1013, 'the route is full;retry=5000-30000'], go: () => {} },
    { cause: 'connection_limit', how: 'is the second of its address; limits.connections_per_ip = 1',
        tag: 'connection_limit_per_ip', script: 'alone', code: 1013, known: false, open: second,
        sees: [1013, 'more connections than limits.connections_per_ip;retry=5000-30000'],
        go: () => {} },
    { cause: 'script_error', how: 'on_open calls error()',
        script: 'fails', code: 1011, known: false, sees: [1011, 'on_open failed'],
        decided: true, go: () => {} },
    { cause: 'script_budget', how: 'on_open loops for ever',
        script: 'spins', code: 1011, known: false,
        sees: [1011, 'on_open failed'], decided: true, go: () => {} },
    { cause: 'script_memory', how: 'on_open fills its memory',
        script: 'eats', code: 1011, known: false,
        sees: [1011, 'on_open failed'], decided: true, go: () => {} },
    { cause: 'script_close', how: 'conn:close(4001, "kicked", false)',
        script: 'says', who: 'server', code: 4001, sees: [4001, 'kicked;retry=no'],
        go: (wire) => wire.send(frame(TEXT, '4001 kicked no')) },
    { cause: 'admin_close', how: 'moonwire close ID 4005 "be gone"',
        script: 'plain', code: 4005, sees: [4005, 'be gone'],
        async go(wire) {
            const said = await administer(server, 'close', await idOf(wire), '4005', 'be gone');
            assert.equal(said.code, 0, said.err);
        } },
    { cause: 'admin_close', how: '{"cmd":"close","id":ID} on the admin socket',
        tag: 'admin_close_socket', script: 'plain', code: 1008, sees: [1008, ''],
        async go(wire) { assert.ok((await tell({ cmd: 'close', id: await idOf(wire) })).ok); } },
    /* A row for a cause of your own needs no more than these fields. */
];

const same = (got, want, what) => (want instanceof RegExp
    ? assert.match(got ?? '', want, what) : assert.equal(got, want, what));

/* For who wants to quote it: a line of JSON. */
async function quote(own, how, peer, line, info) {
    if (process.env.MOONWIRE_FULL !== '1') return;
    const { out, err } = await administer(own, 'why', line.conn);
    const happened = /what happened\n([^]*?)\n {2}\S/.exec(out)?.[1].trim().replace(/\s+/g, ' ');
    const { who, code, reason = '' } = info ?? {};
    console.log(JSON.stringify({
        cause: line.cause, how, peer: peer ?? 'nothing',
        on_close: info ? { who, code, reason } : 'not called', log: line,
        why: happened ? `${out.split('\n')[0]}. ${happened}` : err,
    }));
}

/* Provokes the end on this path; what the peer has seen. */
async function provoke(row, path) {
    const wire = await (row.open ? row.open(path) : upgraded(server, path, row.changes));
    await row.go(wire);
    const seen = row.sees ? await closing(wire) : null;
    return { wire, seen };
}

/* on_close and the log say the same, field by field. */
async function told(row, path, tag, code, reason) {
    const line = await server.log({ msg: 'closed', path });
    const who = row.who ?? 'server';
    const expected = { code, who, cause: row.cause };
    for (const [key, want] of Object.entries(expected)) same(line[key], want, `${key} in the log`);
    same(line.reason ?? '', reason, 'reason in the log');
    same(line.rule ?? '', row.rule ?? '', 'rule in the log');
    if (row.known === false) {
        assert.deepEqual(server.all({ msg: 'end', tag }), [], 'on_open had not accepted');
        return { line };
    }
    const info = await server.log({ msg: 'end', tag });
    for (const key of ['code', 'who', 'cause']) assert.equal(info[key], line[key], key);
    for (const key of ['reason', 'rule', 'detail', 'bytes'])
        assert.equal(info[key] ?? '', line[key] ?? '', key);
    if (row.bytes) assert.match(info.bytes, row.bytes);
    if (row.received) assert.equal(info.received, row.received);
    assert.equal(info.pings_unanswered, row.unanswered ?? 0);
    assert.ok(info.lasted >= 0 && info.silent >= 0 && info.silent <= info.lasted + 0.001);
    if (row.clean) assert.equal(info.clean, true);
    return { line, info };
}

for (const row of rows) {
    const name = row.tag ?? row.cause;
    test(`${name}: peer, on_close and log`, async () => {
        const path = `/${row.script}/${name}`;
        const { wire, seen } = await provoke(row, path);
        if (row.sees) {
            assert.equal(seen.code, row.sees[0]);
            same(seen.reason, row.sees[1], 'the reason on the wire');
        }
        const reason = row.reason ?? row.sees?.[1] ?? '';
        const { line, info } = await told(row, path, name, row.code, reason);
        await quote(server, row.how, seen, line, info);
        wire.drop();
    });
}

/* ---- the script has the last word ---- */

/* A row that names its `who` is none that decide_close is asked about. */
for (const row of rows.filter(({ who, known, decided }) => !who && (known !== false || decided))) {
    const name = row.tag ?? row.cause;
    test(`${name}: decide_close has the last word`, async () => {
        const tag = `${name}-decided`, path = `/decides_${row.script}/${tag}`;
        const { wire, seen } = await provoke(row, path);
        const reason = `${row.cause};retry=1000-3000`;
        assert.deepEqual(seen, { code: 4100, reason });
        await told(row, path, tag, 4100, reason);
        wire.drop();
    });
}

/* What the script says or on_open refuses with, and what the peer receives. */
const words = [
    ['1000 bye', 1000, 'bye'],
    ['1000 bye no', 1000, 'bye'], /* the code says so already */
    ['4001 kicked no', 4001, 'kicked;retry=no'],
    ['4001 soon soon', 4001, 'soon;retry=250'],
    ['4001 anew fresh', 4001, 'anew;retry=0-8000;resume=no'],
    ['4002 advised', 4002, 'advised;retry=7000-8000'],
    ['4002 mine no', 4002, 'mine;retry=no'],
    ['4003 named', 4003, 'named;retry=9000'],
    ['4600 moved', 4600, 'moved;retry=1000-5000'],
    [`4001 ${'x'.repeat(130)} no`, 4001, `${'x'.repeat(114)};retry=no`],
];

for (const [what, code, reason] of words) {
    test(`conn:close(${what.slice(0, 20)}) is ${code} ${reason.slice(0, 30)}`, async () => {
        const tag = what.replace(/\W+/g, '_');
        const peer = await server.connect(`/says/${tag}`);
        peer.send(what);
        assert.deepEqual(await peer.seen(), { code, reason });
        const { cause, who } = await server.log({ msg: 'end', tag });
        assert.deepEqual([cause, who], ['script_close', 'server']);
    });
}

for (const [refusal, reason] of [[4001, 'not you'], [4002, 'not you;retry=7000-8000'],
    [4003, 'not you;retry=9000']]) {
    test(`an on_open that refuses with ${refusal} is advised on`, async () => {
        const peer = await server.connect(`/says/refused?refuse=${refusal}`);
        assert.deepEqual(await peer.seen(), { code: refusal, reason });
    });
}

for (const [what, error] of [['bad', /returned 1006: /], ['fails', /oh/],
    ['waits', /sleep cannot wait in decide_close/], ['spins', /CPU time/]]) {
    test(`a decide_close that ${what} is reported, and the default stands`, async () => {
        const peer = await server.connect(`/clumsy/${what}`);
        for (let i = 0; i < 2; i++) peer.send('too fast');
        assert.deepEqual(await peer.seen(),
            { code: 1008, reason: 'more messages than limits.rate;retry=10000-60000' });
        const fault = await server.log({ msg: 'script error', script: 'clumsy.lua', error });
        assert.equal(fault.handler, 'decide_close');
        assert.equal(fault.file, 'clumsy.lua');
        assert.ok(fault.line >= 4 && fault.line <= 9, `line ${fault.line}`);
    });
}

/* ---- ends that need a server of their own ---- */

test('script_removed and script_paused: peer and log', async (t) => {
    const project = new Project({
        'scripts/gone.lua': `local M = {} ${ON_CLOSE}
            function M.decide_close(_, cause) return 4004, cause end return M`,
        'scripts/loops.lua': 'return { on_message = function() while true do end end }',
    });
    const own = await start(t, project, /* each worker counts stops */
        { env: { ...alone, MOONWIRE_SCRIPT_CPU: '30' } });
    const gone = await own.connect('/gone');
    rmSync(project.path('scripts/gone.lua'));
    const seen = { code: 4004, reason: 'script_removed;retry=30000-60000' };
    assert.deepEqual(await gone.seen(), seen);
    const removed = await own.log({ msg: 'closed', script: 'gone.lua' });
    assert.equal(removed.cause, 'script_removed');
    await quote(own, 'rm scripts/gone.lua; its decide_close says 4004', seen, removed,
        await own.log({ msg: 'end', script: 'gone.lua' }));

    const loops = await own.connect('/loops');
    for (let i = 0; i < 5; i++) loops.send('loop');
    await own.log({ msg: 'script paused' });
    const late = await own.connect('/loops');
    const turned = { code: 1013, reason: 'the script is paused;retry=5000-30000' };
    assert.deepEqual(await late.seen(), turned);
    const paused = await own.log({ msg: 'closed', cause: 'script_paused' });
    assert.equal(paused.code, 1013);
    await quote(own, 'comes after five calls of its script were stopped', turned, paused);
});

test('tls_error: on_close and log', async (t) => {
    const { cert, key } = certificate('a.example');
    const own = await start(t, {
        'scripts/plain.lua': files['scripts/plain.lua'], 'a.pem': cert, 'a.key': key,
    }, { args: ['--listen', '127.0.0.1:0', '--tls-cert', 'a.pem', '--tls-key', 'a.key'] });
    const peer = new Peer(`wss://127.0.0.1:${own.port}/plain/tls`, { ca: [cert], servername: 'a.example' });
    await within(peer.opened, () => 'wss');
    const { _handle } = peer.socket._socket;
    const { WriteWrap } = process.binding('stream_wrap');
    const record = Buffer.from([0x17, 3, 3, 0, 32, ...Buffer.alloc(32, 7)]); /* cannot be decrypted */
    (_handle._parent ?? _handle).writeBuffer(new WriteWrap(), record);
    const info = await own.log({ msg: 'end', tag: 'tls' });
    assert.deepEqual([info.code, info.who, info.cause], [1006, 'network', 'tls_error']);
    const line = await own.log({ msg: 'closed', cause: 'tls_error' });
    assert.equal(line.detail, info.detail);
    assert.ok(info.detail.length > 5);
    await quote(own, 'sends a TLS record that cannot be decrypted', null, line, info);
    peer.socket.terminate();
});

test('write_timeout: on_close and log', async () => {
    const end = { msg: 'end', tag: 'stuck' };
    const info = await server.log(end).catch(() => server.log(end)); /* 30 s, and a bit */
    assert.deepEqual([info.code, info.who, info.cause], [1006, 'network', 'write_timeout']);
    const line = await server.log({ msg: 'closed', path: '/full/stuck' });
    assert.equal(line.cause, 'write_timeout');
    await quote(server, 'takes nothing while 16 MB wait for it', null, line, info);
});

/* How a server is told to end; code and reason that a peer receives. */
const drains = [
    ['TERM', 1001, /^server is stopping;retry=\d+(-\d+)?$/, (own) => own.process.kill('SIGTERM')],
    ['moonwire drain --restart', 1012, /^server is restarting;retry=[5-9]\d{3}(-\d+)?$/,
        async (own) => assert.equal((await administer(own, 'drain', '--restart')).code, 0)],
];

for (const [how, code, reason, end] of drains) {
    test(`drain by ${how}: peer, on_close and log, and decide_close has the last word`, async (t) => {
        const own = await start(t, Object.fromEntries(['plain', 'decides_plain']
            .map((name) => [`scripts/${name}.lua`, files[`scripts/${name}.lua`]])));
        const peer = await own.connect('/plain/drain');
        const decided = await own.connect('/decides_plain/drain');
        await end(own);
        const seen = await peer.seen();
        assert.equal(seen.code, code);
        assert.match(seen.reason, reason);
        assert.deepEqual(await decided.seen(), { code: 4100, reason: 'drain;retry=1000-3000' });
        const line = await own.log({ msg: 'closed', path: '/plain/drain' });
        const info = await own.log({ msg: 'end', script: 'plain.lua', tag: 'drain' });
        for (const { who, cause, code: got, reason: said } of [line, info])
            assert.deepEqual([who, cause, got, said], ['server', 'drain', code, seen.reason]);
        assert.deepEqual(await own.exited, { code: 0, signal: null });
        await quote(own, how, seen, line, info); /* which nobody is left to be asked about */
    });
}
