/*
 * The text format 0.0.4 of Prometheus, read as strictly as its pages allow: each metric has one HELP
 * and one TYPE before its samples, which stand together; no series comes twice; counters end with
 * _total and never are negative; buckets of a histogram add up.
 */
import assert from 'node:assert/strict';

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\+Inf|NaN|[-+]?[0-9.eE+-]+)$`);
const UNESCAPED = { n: '\n', '"': '"', '\\': '\\' };

function labelsOf(text = '') {
    const found = [...text.matchAll(new RegExp(LABEL, 'g'))].map(([pair]) => {
        const at = pair.indexOf('=');
        const value = pair.slice(at + 2, -1).replace(/\\(.)/g, (_, c) => UNESCAPED[c]);
        return [pair.slice(0, at), value];
    });
    const labels = Object.fromEntries(found);
    assert.equal(Object.keys(labels).length, found.length, `a label twice: ${text}`);
    assert.ok(found.every(([name]) => !name.startsWith('__')), text);
    return labels;
}

const suffixes = { counter: [''], gauge: [''], histogram: ['_bucket', '_sum', '_count'] };

function checkHistogram(metric) {
    const series = {};
    for (const sample of metric.samples)
        (series[JSON.stringify({ ...sample.labels, le: undefined })] ??= []).push(sample);
    for (const samples of Object.values(series)) {
        const of = (suffix) => samples.filter(({ name }) => name === metric.name + suffix);
        const buckets = of('_bucket');
        const bounds = buckets.map(({ labels }) => labels.le);
        assert.equal(bounds.at(-1), '+Inf');
        for (let i = 1; i < buckets.length; i++) {
            assert.ok(buckets[i].value >= buckets[i - 1].value, metric.name);
            assert.ok(i === buckets.length - 1 || Number(bounds[i]) > Number(bounds[i - 1]));
        }
        assert.equal(of('_count').length, 1);
        assert.equal(of('_sum').length, 1);
        assert.equal(of('_count')[0].value, buckets.at(-1).value);
    }
}

function check(metric) {
    const seen = new Set();
    for (const { name, labels, value } of metric.samples) {
        const key = name + JSON.stringify(Object.entries(labels).sort());
        assert.ok(!seen.has(key), `${key} twice`);
        seen.add(key);
        assert.ok(metric.type === 'gauge' || value >= 0, key);
    }
    assert.equal(metric.name.endsWith('_total'), metric.type === 'counter', metric.name);
    if (metric.type === 'histogram') checkHistogram(metric);
}

/* All metrics by name: { name, type, help, samples: [{ name, labels, value }] }. */
export function parseExposition(text) {
    assert.ok(text.endsWith('\n') && !text.includes('\r'), 'each line ends with a line feed');
    const metrics = new Map();
    let help, metric;
    for (const line of text.slice(0, -1).split('\n')) {
        const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
        if (comment?.[1] === 'HELP') {
            help = comment;
            continue;
        }
        if (comment) {
            const [, , name, type] = comment;
            assert.equal(help?.[2], name, `TYPE of ${name} without its HELP before it`);
            assert.ok(type in suffixes && !metrics.has(name), line);
            metric = { name, type, help: help[3], samples: [] };
            metrics.set(name, metric);
            continue;
        }
        const found = SAMPLE.exec(line);
        assert.ok(found, `no line of the format: ${line}`);
        const [, name, labels, value] = found;
        assert.ok(suffixes[metric?.type]?.some((suffix) => metric.name + suffix === name), line);
        const number = value === '+Inf' ? Infinity : Number(value);
        assert.ok(!Number.isNaN(number), line);
        metric.samples.push({ name, labels: labelsOf(labels), value: number });
    }
    for (const each of metrics.values()) check(each);
    return metrics;
}

/* The sum of all samples of a metric (or of one series of a histogram) that have these labels. */
export function sumOf(metrics, name, wanted = {}) {
    const family = metrics.get(name) ?? metrics.get(name.replace(/_(sum|count|bucket)$/, ''));
    assert.ok(family, `there is no ${name}`);
    return family.samples
        .filter((sample) => sample.name === name)
        .filter(({ labels }) => Object.entries(wanted).every(([key, want]) => labels[key] === want))
        .reduce((sum, { value }) => sum + value, 0);
}
