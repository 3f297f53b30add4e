/* Chromium over wss, against the throw-away certificate of `dev --tls`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from '../e2e/harness.mjs';
import { launch, open } from './chromium.mjs';

test('a page and its socket over TLS', async (t) => {
    const server = await start(t, {
        'public/index.html': '<!doctype html><title>safe</title>',
        'scripts/echo.lua': `
            local M = {}
            function M.on_open(conn, req) conn:send(req.tls.version) end
            function M.on_message(conn, data) conn:send(data) end
            return M`,
    }, { verb: 'dev', args: ['--tls', '--listen', '127.0.0.1:0'] });
    const browser = await launch(t);
    const page = await open(browser, server.url, { ignoreHTTPSErrors: true, expected: /favicon|404/ });
    assert.equal(await page.title(), 'safe');
    const seen = await page.evaluate(() => new Promise((resolve) => {
        const socket = new WebSocket(`wss://${location.host}/echo`);
        const messages = [];
        socket.onmessage = ({ data }) => {
            messages.push(data);
            if (messages.length === 1) socket.send('x'.repeat(100_000));
            else socket.close(1000);
        };
        socket.onclose = ({ code, wasClean }) => resolve({ code, wasClean, messages });
    }));
    assert.deepEqual(seen.messages.map((text) => text.length), ['TLSv1.3'.length, 100_000]);
    assert.equal(seen.messages[0], 'TLSv1.3');
    assert.deepEqual([seen.code, seen.wasClean], [1000, true]);
    assert.deepEqual(page.complaints, []);
});
