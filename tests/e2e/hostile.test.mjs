/*
 * The tests of bytes once more, against a server that reads one byte at a time and writes one at
 * first (the knobs of core/io/debug.h; a release build knows none of them).
 */
Object.assign(process.env, { MW_DBG_READ_CHUNK: '1', MW_DBG_SHORT_WRITE: '1' });
await import('./breaches.test.mjs');
await import('./http.test.mjs');
