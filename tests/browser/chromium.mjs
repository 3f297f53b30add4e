/* Debian's Chromium, driven by playwright-core, against a server under test. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as later } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { LEAVING_MS, PATIENCE_MS, root } from '../e2e/harness.mjs';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const shots = join(root, 'build', 'screenshots');

export async function launch(t, options) {
    const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
    const browser = await chromium.launch({ executablePath, args, ...options });
    /* One that does not end by itself goes with this process. */
    t.after(() => Promise.race([browser.close(), later(LEAVING_MS, undefined, { ref: false })]));
    return browser;
}

/* A page; what it throws or logs as an error, unless `expected` matches it, is in its complaints. */
export async function open(browser, url, { expected, ...options } = {}) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.complaints = [];
    const complain = (text) => { if (!expected?.test(text)) page.complaints.push(text); };
    page.on('pageerror', (error) => complain(String(error)));
    page.on('console', (message) => { if (message.type() === 'error') complain(message.text()); });
    await page.goto(url);
    return page;
}

export async function shoot(page, name) {
    mkdirSync(shots, { recursive: true });
    await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}
