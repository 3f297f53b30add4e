/*
 * When to come back, and whether: core/session/reconnect.c in JavaScript, held to the same cases by
 * tests/client/policy.json. The n-th return in a row is drawn between the least time of the code's
 * row and its most * 2^n, at most its cap: full jitter over a floor, so that no crowd ever returns
 * as one.
 */
import { GROWTH, rowOf } from './policy.js';

const CUT = 1006;

export function makeBackoff({ random = Math.random, floor = 0, cap = Infinity, minUptime = 5e3 }) {
    let failures = 0; /* returns in a row of which none stood */
    let resume; /* the session may be asked for */

    /*
     * After an end: [ms, the least ms where something speaks for haste, resume], or [] to stay
     * away. `uptime` in ms; undefined: it never opened.
     */
    return (code, advice, uptime) => {
        if (uptime >= minUptime) failures = 0;
        const row = rowOf(code);
        if (uptime >= 0) resume = !!row[6];
        if (advice?.resume === false) resume = false;
        if (advice ? !advice.retry : !row[2] || failures >= (row[5] || Infinity)) {
            failures = 0;
            resume = false;
            return [];
        }
        /* Advice is taken to the letter as long as it works; then as no less than a cut line. */
        const [, , least, most, top] = advice ? rowOf(CUT) : row;
        const own = [least, Math.min(top, cap, most * GROWTH ** failures)];
        const [from, to] = own.map((ms, i) =>
            Math.max(floor, advice ? advice.retry[i] : 0, advice && !failures ? 0 : ms));
        const after = Math.round(from + random() * (to - from));
        failures++;
        return [after, advice ? after : from, resume];
    };
}
