/*
 * When to come back, and whether: core/session/reconnect.c in JavaScript, held to the same cases by
 * tests/client/policy.json. The n-th return in a row is drawn between the least time of the code's
 * row and its most * 2^n, at most its cap: full jitter over a floor, so that no crowd ever returns
 * as one.
 */
import { GROWTH, rowOf } from './policy.js';

const CUT = 1006;

/*
 * After an end: [ms, the least ms where something speaks for haste], or [] to stay away. `row`: of
 * the code. `failures`: returns in a row of which none stood.
 */
export function backoff(row, advice, failures, { random = Math.random, floor = 0, cap = Infinity }) {
    const [, , least, most, top, , tries] = advice ? rowOf(CUT) : row;
    if (advice ? !advice.retry : !most || failures >= tries) return [];
    /* Advice is taken to the letter as long as it works; then as no less than a cut line. */
    const [from, to] = [least, Math.min(top, cap, most * GROWTH ** failures)].map((ms, i) =>
        advice ? Math.max(failures && ms, advice.retry[i]) : ms);
    const ms = Math.max(floor, Math.round(from + random() * (to - from)));
    return [ms, advice ? ms : Math.max(floor, from)];
}
