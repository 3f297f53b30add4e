/*
 * A close by the server while the client is in the middle of an upload: the client reads the code,
 * each time, whatever it still had to send.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { start, within } from './harness.mjs';
import { RUNS, ends, scripts } from './uploads.mjs';
import { BINARY, TEXT, frame, upgraded } from './wire.mjs';

const server = await start({ after }, scripts);
const bytes = Buffer.alloc(1 << 26, 'Moonwire');

/*
 * Sends without an end, so that its buffer is full all the time, until it reads a close. Node reads
 * between two turns of its loop, so the next piece is left to the next one.
 */
async function uploading(from, path, pieces, size) {
    const peer = await from.connect(path, { perMessageDeflate: false });
    const more = () => {
        if (peer.socket.readyState !== 1) return;
        peer.socket.send(bytes.subarray(0, size), (error) => error || setImmediate(more));
    };
    for (let i = 0; i < pieces; i++) more();
    return peer;
}

for (const { name, path, pieces, bytes: size, code } of ends) {
    test(`${name} is ${code} to an upload, ${RUNS} of ${RUNS} times`, async () => {
        for (let run = 0; run < RUNS; run++) {
            const peer = await uploading(server, path, pieces, size);
            assert.equal((await peer.seen()).code, code, `run ${run}`);
        }
    });

    test(`${name} is ${code} to each of 50 uploads at once`, async () => {
        const uploads = Array.from({ length: 50 }, () => uploading(server, path, 4, 1 << 18));
        for (const peer of await Promise.all(uploads)) assert.equal((await peer.seen()).code, code);
    });
}

test(`a client that is idle in the middle of a message reads 3008, ${RUNS} of ${RUNS} times`, async () => {
    const upload = async () => {
        const peer = await server.connect('/idle', { perMessageDeflate: false });
        while (peer.socket.readyState === 1) {
            peer.socket.send(bytes.subarray(0, 1 << 18), { fin: false });
            await sleep(20);
        }
        return (await peer.seen()).code;
    };
    for (let run = 0; run < RUNS; run += 5) {
        const codes = await Promise.all([upload(), upload(), upload(), upload(), upload()]);
        assert.deepEqual(codes, Array(5).fill(3008));
    }
});

test(`a server that stops is 1001 to an upload, ${RUNS} of ${RUNS} times`, async (t) => {
    for (let run = 0; run < RUNS; run++) {
        const stopping = await start(t, scripts);
        const peer = await uploading(stopping, '/taking', 8, 1 << 20);
        await stopping.log({ msg: 'taken' });
        stopping.process.kill('SIGTERM');
        assert.equal((await peer.seen()).code, 1001, `run ${run}`);
        await stopping.exited;
    }
});

/*
 * A blocking client behind a slow line: it reads when it has sent all it has, long after the server
 * has closed, and a reset in the meantime would take the code from it.
 */
const slow = [
    { path: '/small', begin: frame(BINARY, '', { length: 1 << 26 }), code: 1009 },
    { path: '/closing', begin: frame(TEXT, 'go'), code: 4001 },
];

test('who reads only when a long upload is done still reads the code', async () => {
    await Promise.all(slow.map(async ({ path, begin, code }) => {
        const wire = await upgraded(server, path);
        wire.socket.pause();
        wire.send(begin);
        const piece = frame(BINARY, bytes.subarray(0, 60_000));
        for (let i = 0; i < 40; i++) {
            wire.send(piece);
            await sleep(250);
        }
        wire.socket.resume();
        assert.equal((await wire.closing()).code, code);
        assert.equal(await wire.ends(), 'fin');
        wire.drop();
    }));
});

test('who drips instead of uploading is not waited for', async () => {
    const wire = await upgraded(server, '/small');
    wire.send(frame(BINARY, '', { length: 1 << 26 }));
    assert.equal((await wire.closing()).code, 1009);
    assert.equal(await wire.ends(), 'fin');
    const dripping = setInterval(() => wire.send('x'), 100);
    const broken = new Promise((resolve) => wire.socket.once('close', resolve));
    await within(broken, () => 'the end of the linger');
    clearInterval(dripping);
});
