/*
 * The metrics from outside: their text is what Prometheus reads, the same over HTTP and by the
 * command, and each end, refusal, message and reload adds one where it belongs and nowhere else.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { parseExposition, sumOf } from './exposition.mjs';
import { administer, refused, start } from './harness.mjs';
import { BINARY, CLOSE, TEXT, closeBody, frame, http, upgraded } from './wire.mjs';

const talk = (extra = '') => `
    local M = { route = "/talk/:tag", limits = { queue = 65536 } }
    function M.on_message(conn, data)
      if data == "boom" then error("no such room") end
      if data == "late" then sleep(0.001) error("so late") end
      if data == "leave" then return conn:close(4001, "kicked") end
      if data == "flood" then
        for _ = 1, 1000 do conn:send(string.rep("x", 60000)) end
        return
      end
      conn:send(data)
    end
    ${extra}
    return M`;

const soon = 'return { route = "/soon", on_message = function() error("soon") end }';

const server = await start({ after }, {
    'scripts/talk.lua': talk(),
    'scripts/no.lua': 'return { on_open = function() return false, 403 end }',
    'scripts/jam.lua': 'return { format = "json", on_message = function() end }',
    'scripts/od"d\\.lua': 'return { route = "/odd" }',
    'scripts/soon.lua': soon,
}, { args: ['--listen', '127.0.0.1:0', '--metrics-path', '/-/metrics'] });

async function metrics() {
    const { code, out, err } = await administer(server, 'metrics');
    assert.equal(code, 0, err);
    return parseExposition(out);
}

/* What is more after `act` than before, for a metric and labels. */
async function added(act, ...wanted) {
    const before = await metrics();
    await act();
    const now = await metrics();
    return wanted.map(([name, labels]) => sumOf(now, name, labels) - sumOf(before, name, labels));
}

const LABELS = ['cause', 'code', 'error', 'hash', 'kind', 'le', 'outcome', 'result', 'route', 'script', 'type',
    'version', 'who', 'worker'];

test('the text is strict, the same in both places, and has no label that clients choose', async () => {
    const wire = await upgraded(server, '/talk/secret-room?user=eve');
    const answer = await http(server, 'GET /-/metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal(answer.status, 200);
    const over = parseExposition(answer.body.toString()), told = await metrics();
    assert.deepEqual([...over.keys()], [...told.keys()]);
    assert.ok(over.size > 25);
    const labels = new Set([...told.values()].flatMap(({ samples }) =>
        samples.flatMap((sample) => Object.keys(sample.labels))));
    assert.deepEqual([...labels].filter((name) => !LABELS.includes(name)), []);
    assert.ok(!/secret-room|eve/.test(answer.body.toString()));
    assert.equal(sumOf(told, 'moonwire_connections', { route: '/talk/:tag' }), 1);
    assert.equal(sumOf(told, 'moonwire_script_info', { script: 'od"d\\.lua', version: '1' }), 1);
    assert.ok(sumOf(told, 'process_resident_memory_bytes') > 0);
    wire.drop();
    await server.log({ msg: 'closed', path: '/talk/secret-room' });
});

const say = (text) => (wire) => wire.send(frame(TEXT, text));

const ends = [
    ['fin', (wire) => wire.socket.end(), '1006', 'network', 'peer_fin'],
    ['reset', (wire) => wire.reset(), '1006', 'network', 'peer_reset'],
    ['rsv', (wire) => wire.send(frame(TEXT, 'x', { rsv: 2 })), '1002', 'server', 'protocol_error'],
    ['left', (wire) => wire.send(frame(CLOSE, closeBody(1000))), '1000', 'client', 'peer_close'],
    ['own', (wire) => wire.send(frame(CLOSE, closeBody(4007))), 'other', 'client', 'peer_close'],
    ['script', say('leave'), 'other', 'server', 'script_close'],
    ['slow', say('flood'), '1013', 'server', 'slow_consumer'],
];

for (const [tag, act, code, who, cause] of ends) {
    test(`an end by ${cause} (${tag}) is one more there, and no other`, async () => {
        const route = '/talk/:tag';
        const [closes, all, opened, lives, open] = await added(async () => {
            const wire = await upgraded(server, `/talk/${tag}`);
            if (tag === 'slow') wire.socket.pause();
            act(wire);
            await server.log({ msg: 'closed', path: `/talk/${tag}` });
            wire.drop();
        }, ['moonwire_closes_total', { route, code, who, cause }], ['moonwire_closes_total'],
        ['moonwire_connections_opened_total', { route }],
        ['moonwire_connection_duration_seconds_count', { route }],
        ['moonwire_connections', { route }]);
        assert.deepEqual({ closes, all, opened, lives, open },
            { closes: 1, all: 1, opened: 1, lives: 1, open: 0 });
    });
}

test('messages and bytes are counted both ways, and what was dropped', async () => {
    const route = '/talk/:tag';
    const counts = await added(async () => {
        const wire = await upgraded(server, '/talk/count');
        for (const [kind, payload] of [[TEXT, 'one'], [TEXT, 'three'], [BINARY, 'bin']]) {
            wire.send(frame(kind, payload));
            await wire.frame();
        }
        wire.send(frame(TEXT, 'boom'));
        await server.log({ msg: 'script error', script: 'talk.lua' });
        wire.send(frame(CLOSE, closeBody(1000)));
        await server.log({ msg: 'closed', path: '/talk/count' });
        wire.drop();
    }, ['moonwire_messages_received_total', { route, type: 'text' }],
    ['moonwire_messages_received_total', { route, type: 'binary' }],
    ['moonwire_messages_sent_total', { route, type: 'text' }],
    ['moonwire_messages_sent_total', { route, type: 'binary' }],
    ['moonwire_received_bytes_total', { route }],
    ['moonwire_messages_dropped_total', { route, cause: 'handler_error' }],
    ['moonwire_messages_dropped_total', { route }],
    ['moonwire_handler_errors_total', { script: 'talk.lua', kind: 'error' }]);
    assert.deepEqual(counts, [3, 1, 3, 0, 5 * 6 + 3 + 5 + 3 + 4 + 2, 1, 1, 1]);
});

test('a message whose handler fails after it has waited is a dropped one', async () => {
    const cause = 'handler_error';
    const [dropped, failed] = await added(async () => {
        const wire = await upgraded(server, '/talk/late');
        wire.send(frame(TEXT, 'late'));
        await server.log({ msg: 'script error', error: /so late/ });
        wire.send(frame(CLOSE, closeBody(1000)));
        await server.log({ msg: 'closed', path: '/talk/late' });
        wire.drop();
    }, ['moonwire_messages_dropped_total', { cause }], ['moonwire_handler_errors_total']);
    assert.deepEqual([dropped, failed], [1, 1]);
});

test('refused handshakes are counted by what they were told', async () => {
    const cases = [
        ['/nowhere', {}, { error: 'no_route', cause: '' }],
        ['/talk/x', { origin: 'https://evil.example' }, { error: 'origin', cause: '' }],
        ['/no', {}, { error: 'refused', cause: 'script_close' }],
    ];
    for (const [path, options, labels] of cases) {
        const [one, all, closes] = await added(() => refused(server, path, options),
            ['moonwire_handshakes_refused_total', labels], ['moonwire_handshakes_refused_total'],
            ['moonwire_closes_total']);
        assert.deepEqual([one, all, closes], [1, 1, 0], path);
    }
});

test('reloads are counted, and a script that is gone takes no count away', async () => {
    const script = 'talk.lua';
    const result = (name) => ['moonwire_script_reloads_total', { script, result: name }];
    const [loaded, info] = await added(async () => {
        server.project.write('scripts/talk.lua', talk('-- more'));
        await server.log({ msg: 'reloaded', script });
    }, result('loaded'), ['moonwire_script_info', { script, version: '2' }]);
    assert.deepEqual([loaded, info], [1, 1]);
    const [failed, successful] = await added(async () => {
        server.project.write('scripts/talk.lua', 'return {');
        await server.log({ msg: 'reload refused', script });
    }, result('refused'), ['moonwire_script_last_reload_successful', { script }]);
    assert.deepEqual([failed, successful], [1, -1]);
    const wire = await upgraded(server, '/soon');
    wire.send(frame(TEXT, 'x'));
    await server.log({ msg: 'script error', script: 'soon.lua' });
    const [opened, closes, gone] = await added(async () => {
        rmSync(server.project.path('scripts/soon.lua'));
        await server.log({ msg: 'closed', path: '/soon' });
    }, ['moonwire_connections_opened_total'], ['moonwire_closes_total'],
    ['moonwire_closes_total', { script: 'soon.lua', cause: 'script_removed' }]);
    assert.deepEqual([opened, closes, gone], [0, 1, 1]);
    wire.drop();
    const own = { script: 'soon.lua' };
    const before = await metrics();
    const [back, lost, errors] = await added(async () => {
        server.project.write('scripts/soon.lua', soon);
        await server.log({ msg: 'loaded', ...own }, 2);
    }, ['moonwire_script_reloads_total', { ...own, result: 'loaded' }],
    ['moonwire_connections_opened_total'], ['moonwire_handler_errors_total', own]);
    assert.deepEqual([back, lost, errors], [1, 0, 0]);
    const calls = (when) => sumOf(when, 'moonwire_handler_calls_total', own);
    assert.ok(calls(before) > 0 && calls(await metrics()) >= calls(before));
});
