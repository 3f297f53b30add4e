/* What becomes of the rounds of a scenario: medians, ratios, how far they were apart. Pure. */

export function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    if (!sorted.length) return undefined;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const FIGURES = ['cpu_us', 'p50_us', 'p99_us', 'per_second', 'busy', 'bytes', 'kernel_bytes'];

/*
 * Rounds are objects of figures; those that something disturbed are left out. Where all were, they
 * are taken as they are, and `disturbed` says so.
 */
export function summarize(rounds) {
    const calm = rounds.filter((round) => !round.disturbed);
    const used = calm.length ? calm : rounds;
    const summary = { kept: used.length, dropped: rounds.length - calm.length };
    if (!calm.length) summary.disturbed = true;
    for (const figure of FIGURES) {
        const values = used.map((round) => round[figure]).filter((value) => value !== undefined);
        if (values.length) summary[figure] = median(values);
    }
    return { ...summary, rounds };
}

const costOf = (round) => round.cpu_us ?? round.bytes;

/* Of the medians; and the least and the most of those of one round, which is the spread. */
export function ratioTo(base, summary) {
    const ratio = costOf(summary) / costOf(base);
    const pairs = [];
    for (const round of summary.rounds) {
        const other = base.rounds.find((each) => each.round === round.round && !each.disturbed);
        if (other && !round.disturbed) pairs.push(costOf(round) / costOf(other));
    }
    return { ratio, ratio_range: pairs.length ? [Math.min(...pairs), Math.max(...pairs)] : undefined };
}

/* met, and by how much: of a ratio, or of bytes. */
export function verdict(scenario, summary) {
    const goal = scenario.goal_bytes ?? scenario.goal;
    const value = scenario.goal_bytes ? summary.bytes : summary.ratio;
    if (goal === undefined || value === undefined) return undefined;
    return { goal, met: value <= goal, by: Math.abs(goal - value) };
}
