/* A report as text, a scenario each, and as the tables of docs/performance.md. Pure. */
import { planTable } from './plan.mjs';
import { scenarios } from './scenarios.mjs';
import { verdict } from './statistics.mjs';

const NONE = '';
const digits = (value, count) => (value === undefined ? NONE : value.toFixed(count));
/* Three significant ones, as many as a measurement has. */
export const figure = (value) => (value === undefined ? NONE
    : digits(value, value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3));
const whole = (value) => digits(value, 0);
const percent = (value) => (value === undefined ? NONE : `${Math.round(value * 100)} %`);

const rangeText = (range) => (range ? `${range[0].toFixed(2)}-${range[1].toFixed(2)}` : NONE);

export function verdictText(scenario, summary) {
    const said = verdict(scenario, summary);
    if (!said) return NONE;
    const shown = scenario.goal_bytes ? whole : (value) => value.toFixed(2);
    return `goal ${shown(said.goal)}: ${said.met ? 'met' : 'not met'} by ${shown(said.by)}`;
}

const titleOf = (report, name) => report.versions[name]?.title ?? name;

/* ---- text ---- */

const columnsOf = (scenario) => (scenario.kind === 'race'
    ? [['CPU us', (one) => figure(one.cpu_us)], ['ratio', (one) => digits(one.ratio, 2)],
        ['of rounds', (one) => rangeText(one.ratio_range)], ['p50 us', (one) => figure(one.p50_us)],
        ['p99 us', (one) => figure(one.p99_us)], ['/s', (one) => whole(one.per_second)],
        ['busy', (one) => percent(one.busy)], ['dropped', (one) => String(one.dropped)]]
    : [['bytes', (one) => whole(one.bytes)], ['ratio', (one) => digits(one.ratio, 2)],
        ['kernel', (one) => whole(one.kernel_bytes)]]);

const padded = (first, cells) =>
    (first.padEnd(16) + cells.map((cell) => cell.padStart(11)).join('')).trimEnd();

export function scenarioText(report, name) {
    const scenario = scenarios[name];
    const columns = columnsOf(scenario);
    const lines = [`${name}: ${scenario.title}; per ${scenario.per}`,
        padded('', columns.map(([head]) => head))];
    for (const [who, one] of Object.entries(report.scenarios[name].candidates)) {
        if (one.failed) {
            lines.push(`${titleOf(report, who).padEnd(16)}  failed: ${one.failed}`);
            continue;
        }
        const notes = [who === 'moonwire' ? verdictText(scenario, one) : NONE,
            one.disturbed ? 'every run was disturbed' : NONE].filter(Boolean);
        lines.push(padded(titleOf(report, who), columns.map(([, show]) => show(one))) +
            (notes.length ? `  ${notes.join('; ')}` : ''));
    }
    const elsewhere = Object.entries(scenario.elsewhere ?? {})
        .map(([who, ratio]) => `${who} ${ratio.toFixed(2)}`);
    if (elsewhere.length) lines.push(`measured elsewhere, ratio to such a floor there: ${elsewhere}`);
    return lines.join('\n');
}

/* ---- markdown ---- */

const row = (cells) => `| ${cells.join(' | ')} |`;
const tableOf = (head, rows) => [row(head), row(head.map((_, i) => (i ? '---:' : '---'))),
    ...rows.map(row)].join('\n');

const namesIn = (report, kinds) => Object.keys(report.scenarios)
    .filter((name) => scenarios[name] && kinds.includes(scenarios[name].kind));
const whoIn = (report, names) => Object.keys(report.versions)
    .filter((who) => names.some((name) => report.scenarios[name].candidates[who]));

function cell(one, show) {
    if (!one) return '–';
    if (one.failed) return 'failed';
    return show(one) + (one.disturbed ? ' (disturbed)' : '');
}

function costTable(report, hasFloor) {
    const names = namesIn(report, ['race']).filter((name) => Boolean(scenarios[name].floor) === hasFloor);
    if (!names.length) return NONE;
    const who = whoIn(report, names);
    const show = (one) => (hasFloor && one.ratio !== undefined
        ? `${figure(one.cpu_us)} (${one.ratio.toFixed(2)})` : figure(one.cpu_us));
    const head = ['server CPU, µs', ...who.map((each) => titleOf(report, each)),
        ...hasFloor ? ['uWebSockets¹', 'goal'] : []];
    return tableOf(head, names.map((name) => {
        const { title, elsewhere, goal } = scenarios[name];
        const { candidates } = report.scenarios[name];
        const last = hasFloor ? [elsewhere ? `(${elsewhere.uwebsockets.toFixed(2)})` : '–',
            goalCell(goal, scenarios[name], candidates.moonwire)] : [];
        return [title, ...who.map((each) => cell(candidates[each], show)), ...last];
    }));
}

function goalCell(goal, scenario, ours) {
    const said = ours && !ours.failed && verdict(scenario, ours);
    const shown = scenario.goal_bytes ? whole(scenario.goal_bytes) : goal?.toFixed(2) ?? '–';
    return said ? `${shown}, ${said.met ? 'met' : 'not met'}` : shown;
}

const rate = (each_second) => each_second < 10_000 ? `${whole(each_second)}/s` : `${whole(each_second / 1000)} k/s`;

function speedTable(report) {
    const names = namesIn(report, ['race']);
    if (!names.length) return NONE;
    const who = whoIn(report, names);
    const show = (one) => `${figure(one.p50_us)} / ${figure(one.p99_us)}; ${rate(one.per_second)}`;
    return tableOf(['p50 / p99, µs; rate', ...who.map((each) => titleOf(report, each))],
        names.map((name) => [scenarios[name].title,
            ...who.map((each) => cell(report.scenarios[name].candidates[each], show))]));
}

function memoryTable(report) {
    const names = namesIn(report, ['idle', 'fresh']);
    if (!names.length) return NONE;
    const who = whoIn(report, names);
    return tableOf(['bytes', ...who.map((each) => titleOf(report, each)), 'goal'],
        names.map((name) => {
            const { candidates } = report.scenarios[name];
            return [scenarios[name].title, ...who.map((each) => cell(candidates[each], (one) => whole(one.bytes))),
                goalCell(undefined, scenarios[name], candidates.moonwire)];
        }));
}

/* The parts of the page by the names of their markers; those without anything are left as they are. */
export function markdownParts(report) {
    const { processor, cores, kernel } = report.machine;
    const versions = Object.values(report.versions).map(({ title, version }) => `${title} ${version}`);
    const parts = {
        machine: `Made ${report.made} (rounds: ${report.rounds}) on ${processor}, ` +
            `${cores} cores, Linux ${kernel.split('-')[0]}. ${versions.join('; ')}.`,
        cost: costTable(report, true),
        plain: costTable(report, false),
        speed: speedTable(report),
        memory: memoryTable(report),
        plan: planTable(report),
    };
    return Object.fromEntries(Object.entries(parts).filter(([, text]) => text));
}

/* Puts the parts between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`. */
export function fillPage(page, parts) {
    return Object.entries(parts).reduce((text, [name, part]) => {
        const [open, close] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
        const [from, to] = [text.indexOf(open), text.indexOf(close)];
        if (from < 0 || to < from) return text;
        return `${text.slice(0, from + open.length)}\n${part}\n${text.slice(to)}`;
    }, page);
}
