/* Behind proxies: the PROXY protocol over raw sockets, and headers that name the client. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { certificate } from './certificates.mjs';
import { start, within } from './harness.mjs';
import { TEXT, Wire, frame, upgradeText } from './wire.mjs';

const pair = certificate('a.example');
const files = {
    'scripts/who.lua': `
        local M = { origins = { "*" } }
        function M.on_open(conn, req) conn:send(req.ip .. " " .. conn.ip) end
        function M.on_message(conn, data) conn:send(data) end
        return M`,
    'public/index.html': 'here',
    'a.pem': pair.cert,
    'a.key': pair.key,
};
const listen = ['--listen', '127.0.0.1:0'];
const trusting = [...listen, '--trusted-proxies', '127.0.0.0/8,10.0.0.0/8'];
const safe = ['--tls-cert', 'a.pem', '--tls-key', 'a.key'];

const trusted = await start({ after }, files, { args: [...trusting, '--proxy-protocol'] });
const trustedTls = await start({ after }, files, { args: [...trusting, ...safe, '--proxy-protocol'] });
const headers = await start({ after }, files, { args: trusting });
const standard = await start({ after }, files,
    { args: [...trusting, '--trusted-header', 'forwarded'] });
const nobody = await start({ after }, files, { args: listen });

/* ---- headers of the PROXY protocol ---- */

const v1 = (from, family = 'TCP4', to = family === 'TCP4' ? '198.51.100.1' : '2001:db8::1') =>
    Buffer.from(`PROXY ${family} ${from} ${to} 56324 443\r\n`);

function v2(command, family, addresses, extra = Buffer.alloc(0)) {
    const head = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
        0x20 | command, family, 0, 0]);
    head.writeUInt16BE(addresses.length + extra.length, 14);
    return Buffer.concat([head, addresses, extra]);
}

const ports = Buffer.from([0xdc, 4, 1, 0xbb]);
const v4 = Buffer.concat([Buffer.from([203, 0, 113, 9, 198, 51, 100, 1]), ports]);
const v6 = Buffer.concat([Buffer.from('20010db8000000000000000000000042', 'hex'),
    Buffer.from('20010db8000000000000000000000001', 'hex'), ports]);
const tlv = Buffer.from([0x04, 0, 3, 1, 2, 3]);

const introductions = [
    ['version 1, IPv4', v1('203.0.113.9'), '203.0.113.9'],
    ['version 1, IPv6', v1('2001:db8::42', 'TCP6'), '2001:db8::42'],
    ['version 1, unknown', Buffer.from('PROXY UNKNOWN\r\n'), '127.0.0.1'],
    ['version 2, IPv4', v2(1, 0x11, v4), '203.0.113.9'],
    ['version 2, IPv6 and more behind it', v2(1, 0x21, v6, tlv), '2001:db8::42'],
    ['version 2, the proxy itself', v2(0, 0, Buffer.alloc(0)), '127.0.0.1'],
];

/* What the script says of whom it sees, on a wire that has sent all it has to say. */
async function who(wire) {
    assert.equal((await wire.answer()).status, 101);
    return (await wire.frame()).payload.toString();
}

for (const [what, header, ip] of introductions) {
    test(`${what}: the script sees ${ip}, with every cut`, async () => {
        const bytes = Buffer.concat([header, Buffer.from(upgradeText('/who'))]);
        const cuts = Array.from({ length: header.length + 1 }, (_, i) => i);
        const wires = await Promise.all(cuts.map(async (cut) => {
            const wire = new Wire(trusted.port);
            if (cut) await new Promise((sent) => { wire.socket.write(bytes.subarray(0, cut), sent); });
            await new Promise((later) => { setTimeout(later, 5); }); /* two reads, most likely */
            wire.send(bytes.subarray(cut));
            return wire;
        }));
        for (const wire of wires) {
            assert.equal(await who(wire), `${ip} ${ip}`);
            wire.drop();
        }
    });
}

/* As health checks end. The kernel hands out what was sent, and has forgotten by whom. */
test('who resets behind its first bytes is nobody without an address', async () => {
    const hello = upgradeText('/who');
    const said = [[trusted, `PROXY UNKNOWN\r\n`], [trusted, `PROXY UNKNOWN\r\n${hello}`], [nobody, hello]];
    for (const [server, text] of said) {
        await Promise.all(Array.from({ length: 100 }, async () => {
            const wire = new Wire(server.port);
            await new Promise((sent) => { wire.socket.write(text, sent); });
            wire.reset();
        }));
    }
    for (const [server, text] of said.slice(1)) {
        const wire = new Wire(server.port);
        wire.send(text);
        assert.equal(await who(wire), '127.0.0.1 127.0.0.1');
        wire.drop();
        assert.deepEqual([...server.all({ ip: '' }), ...server.all({ peer: '' })], []);
    }
});

test('a header byte by byte', async () => {
    const wire = new Wire(trusted.port);
    for (const byte of Buffer.concat([v2(1, 0x21, v6, tlv), Buffer.from(upgradeText('/who'))])) {
        await new Promise((sent) => { wire.socket.write(Buffer.from([byte]), sent); });
    }
    assert.equal(await who(wire), '2001:db8::42 2001:db8::42');
    wire.send(frame(TEXT, 'hello'));
    assert.equal((await wire.frame()).payload.toString(), 'hello');
    wire.drop();
});

test('TLS behind the header, in one piece with it and in another', async () => {
    for (const inOne of [true, false]) {
        const wire = new Wire(trustedTls.port);
        await new Promise((resolve) => { wire.socket.once('connect', resolve); });
        if (!inOne) await new Promise((sent) => { wire.socket.write(v1('203.0.113.9'), sent); });
        else {
            wire.socket.cork();
            wire.socket.write(v1('203.0.113.9'));
            process.nextTick(() => wire.socket.uncork());
        }
        wire.socket.removeAllListeners('data');
        const socket = connect({ socket: wire.socket, ca: [pair.cert], servername: 'a.example' });
        socket.write(upgradeText('/who'));
        let seen = '';
        await within(new Promise((resolve, reject) => {
            socket.on('error', reject).on('data', (chunk) => {
                seen += chunk;
                if (seen.includes('203.0.113.9')) resolve();
            });
        }), () => 'the greeting', () => `: ${seen}${trustedTls.tail()}`);
        socket.destroy();
    }
});

test('a trusted proxy without a header, or with a broken one, is sent away and named', async () => {
    const wrong = [upgradeText('/who'), 'PROXY TCP4 nonsense\r\n', v2(1, 0x11, Buffer.alloc(2))];
    for (const [i, bytes] of wrong.entries()) {
        const wire = new Wire(trusted.port);
        wire.send(bytes);
        await wire.ends();
        wire.drop();
        const line = await trusted.log({ msg: 'proxy refused', peer: '127.0.0.1' }, i + 1);
        assert.match(line.error, /PROXY/);
        if (i === 0) assert.match(line.hint, /trusted_proxies/);
        else assert.equal(line.hint, undefined); /* it is switched on there */
    }
});

test('from anybody else a header is refused, and the log says what to set', async () => {
    for (const [at, hint] of [[nobody, /list its address/], [headers, /proxy_protocol = true/]]) {
        const wire = new Wire(at.port);
        wire.send(v1('203.0.113.9'));
        wire.send(upgradeText('/who'));
        const { status, body } = await wire.answer();
        assert.equal(status, 400);
        assert.match(body, /proxy_not_trusted/);
        assert.equal(await wire.ends(), 'fin');
        wire.drop();
        assert.match((await at.log({ msg: 'proxy not trusted', peer: '127.0.0.1' })).hint, hint);
    }
});

/* ---- headers of HTTP ---- */

/* The header that the proxies do not write comes as the client has sent it. */
const named = [
    [{ 'X-Forwarded-For': '203.0.113.1' }, '203.0.113.1'],
    [{ 'X-Forwarded-For': '198.51.100.66, 203.0.113.2, 10.1.1.1' }, '203.0.113.2'],
    [{ 'X-Forwarded-For': '10.0.0.1, 10.0.0.2' }, '10.0.0.1'],
    [{ 'X-Forwarded-For': '203.0.113.3, nonsense' }, '127.0.0.1'],
    [{ 'X-Forwarded-For': '203.0.113.6', Forwarded: 'for=198.51.100.66' }, '203.0.113.6'],
    [{ Forwarded: 'for=198.51.100.66' }, '127.0.0.1'],
    [{}, '127.0.0.1'],
];
const namedByStandard = [
    [{ Forwarded: 'for=203.0.113.4;proto=https, for=10.0.0.1' }, '203.0.113.4'],
    [{ Forwarded: 'for="[2001:db8::7]:1234"' }, '2001:db8::7'],
    [{ Forwarded: 'for=203.0.113.5', 'X-Forwarded-For': '198.51.100.66' }, '203.0.113.5'],
    [{ 'X-Forwarded-For': '198.51.100.66' }, '127.0.0.1'],
];

function expectNames(at, table, header) {
    for (const [fields, ip] of table) {
        test(`${JSON.stringify(fields)} of a trusted proxy of ${header} is ${ip}`, async () => {
            const wire = new Wire(at.port);
            wire.send(upgradeText('/who', fields));
            assert.equal(await who(wire), `${ip} ${ip}`);
            wire.drop();
        });
    }
}
expectNames(headers, named, 'X-Forwarded-For');
expectNames(standard, namedByStandard, 'Forwarded');

test('of anybody else they are ignored', async () => {
    const wire = new Wire(nobody.port);
    wire.send(upgradeText('/who', { 'X-Forwarded-For': '203.0.113.1', Forwarded: 'for=::1' }));
    assert.equal(await who(wire), '127.0.0.1 127.0.0.1');
    wire.drop();
});

test('on a connection that is kept each request has its own client', async () => {
    const wire = new Wire(headers.port);
    wire.send('GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n');
    assert.equal((await wire.answer()).status, 200);
    wire.send(upgradeText('/who', { 'X-Forwarded-For': '203.0.113.2' }));
    assert.equal(await who(wire), '203.0.113.2 203.0.113.2');
    wire.drop();
});

test('the address is in the log of the end', async () => {
    const wire = new Wire(headers.port);
    wire.send(upgradeText('/who', { 'X-Forwarded-For': '203.0.113.77' }));
    await who(wire);
    wire.reset();
    await headers.log({ msg: 'closed', ip: '203.0.113.77' });
});
