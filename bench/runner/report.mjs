/* Runs what was asked for and makes the report: one object, which the tables and JSON are made from. */
import { folderOf, makeCertificate } from '../lab.mjs';
import { candidates, lacksFor } from './candidates.mjs';
import { describeMachine } from './machine.mjs';
import { remember } from './memory.mjs';
import { boundsOf } from './options.mjs';
import { race } from './race.mjs';
import { baseOf, scenarios } from './scenarios.mjs';
import { ratioTo, summarize } from './statistics.mjs';

/* Who is here, with a version; who is not, with one line that says why. */
export function callTheRoll(names, tell) {
    const roll = {};
    for (const name of names) {
        const { title, found, lacks, version } = candidates[name];
        if (found()) roll[name] = { title, version: version() };
        else tell(`without ${title}: ${lacks}`);
    }
    return roll;
}

function summarizeAll(scenario, results) {
    const summaries = {};
    for (const [name, result] of Object.entries(results))
        summaries[name] = result.failed ? result : summarize(result.rounds);
    const base = summaries[baseOf(scenario)];
    for (const summary of Object.values(summaries)) {
        if (base && !base.failed && !summary.failed) Object.assign(summary, ratioTo(base, summary));
    }
    return summaries;
}

async function measure(scenario, present, options, tls, tell) {
    const entrants = present.filter((name) => !lacksFor(name, scenario)).map((name) => ({
        name,
        start: () => candidates[name].start(
            { tls: scenario.tls ? tls : undefined, deflate: scenario.deflate }, scenario.floor),
    }));
    const results = scenario.kind === 'race'
        ? await race(scenario, entrants, { tell, rounds: options.rounds, words: boundsOf(options),
            ...options.quick && { tries: 1 } })
        : await remember(scenario, entrants, { clients: options.clients, seconds: options.seconds, tell });
    return { title: scenario.title, per: scenario.per, base: baseOf(scenario),
        candidates: summarizeAll(scenario, results) };
}

/* onScenario(report, name) is called as soon as each is there. */
export async function makeReport(options, tell, onScenario) {
    const folder = folderOf({});
    const tls = makeCertificate(folder);
    const versions = callTheRoll(options.candidates, tell);
    const report = { made: new Date().toISOString(), machine: describeMachine(),
        rounds: options.rounds, versions, scenarios: {} };
    for (const name of options.scenarios) {
        report.scenarios[name] =
            await measure(scenarios[name], Object.keys(versions), options, tls, tell);
        onScenario(report, name);
    }
    return report;
}
