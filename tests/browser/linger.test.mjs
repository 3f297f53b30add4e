/* A close by the server while a page is in the middle of an upload: the page reads the code. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { start } from '../e2e/harness.mjs';
import { RUNS, ends, scripts } from '../e2e/uploads.mjs';
import { launch, open } from './chromium.mjs';

const page_files = { 'public/index.html': '<!doctype html><title>test</title>', ...scripts };
const server = await start({ after }, page_files);
const browser = await launch({ after });
const aPage = (url) => open(browser, url, { expected: /favicon|404|WebSocket/ });

/* In the page: an upload without an end, with so much waiting in it, until it is closed. */
function upload({ port, path, pieces, bytes }) {
    return new Promise((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
        const piece = new Uint8Array(bytes);
        const more = () => {
            if (socket.readyState !== WebSocket.OPEN) return;
            while (socket.bufferedAmount < pieces * bytes) socket.send(piece);
            setTimeout(more);
        };
        socket.onopen = more;
        socket.onclose = ({ code }) => resolve(code);
        window.uploading = socket;
    });
}

const page = await aPage(server.url);

for (const { name, path, pieces, bytes, code } of ends) {
    test(`${name} is ${code} to an upload of a page, ${RUNS} of ${RUNS} times`, async () => {
        for (let run = 0; run < RUNS; run++) {
            const seen = await page.evaluate(upload, { port: server.port, path, pieces, bytes });
            assert.equal(seen, code, `run ${run}`);
        }
    });
}

test(`a script's close is read by each of 50 uploads of a page at once`, async () => {
    const seen = await page.evaluate(async ([source, what]) => {
        const one = (0, eval)(`(${source})`);
        return Promise.all(Array.from({ length: 50 }, () => one(what)));
    }, [String(upload), { port: server.port, path: '/closing', pieces: 4, bytes: 1 << 18 }]);
    assert.deepEqual(seen, Array(50).fill(4001));
});

test(`a server that stops is 1001 to an upload of a page, ${RUNS} of ${RUNS} times`, async (t) => {
    for (let run = 0; run < RUNS; run++) {
        const stopping = await start(t, page_files);
        const where = { port: stopping.port, path: '/taking', pieces: 8, bytes: 1 << 20 };
        const code = page.evaluate(upload, where);
        await stopping.log({ msg: 'taken' });
        stopping.process.kill('SIGTERM');
        assert.equal(await code, 1001, `run ${run}`);
        await stopping.exited;
    }
});
