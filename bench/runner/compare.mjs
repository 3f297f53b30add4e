/*
 * Two reports: ratios alone, for absolute figures belong to a machine and a day. What moved is what
 * lies outside of the other's rounds with all of its own. Pure.
 */
const range = (one) => one.ratio_range ?? [one.ratio, one.ratio];

function judge(then, now) {
    const [[least, most], [nowLeast, nowMost]] = [range(then), range(now)];
    if (nowMost < least) return 'less';
    if (nowLeast > most) return 'more';
    return 'within the rounds';
}

export function compare(before, after) {
    const rows = [];
    for (const [name, { candidates }] of Object.entries(after.scenarios)) {
        for (const [who, now] of Object.entries(candidates)) {
            const then = before.scenarios[name]?.candidates[who];
            if (then?.ratio === undefined || now.ratio === undefined || who === 'floor') continue;
            if (after.scenarios[name].base !== before.scenarios[name].base) continue;
            rows.push({ name, who, then: then.ratio, now: now.ratio, moved: judge(then, now) });
        }
    }
    return rows;
}

export function compareText(before, rows) {
    const lines = [`ratios, against those of ${before.made}`];
    for (const { name, who, then, now, moved } of rows)
        lines.push(`${name.padEnd(18)}${who.padEnd(16)}${then.toFixed(2).padStart(8)} -> ` +
            `${now.toFixed(2).padStart(6)}  ${moved}`);
    if (!rows.length) lines.push('nothing is in both');
    return lines.join('\n');
}
