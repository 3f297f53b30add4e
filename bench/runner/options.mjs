/* The command line of the runner. */
import { candidates } from './candidates.mjs';
import { namesOf, scenarios } from './scenarios.mjs';

const counts = ['rounds', 'seconds', 'messages', 'clients'];
const texts = ['json', 'markdown', 'compare', 'from', 'only'];

export class Usage extends Error {}

function chosenScenarios(words) {
    if (!words.length) return Object.keys(scenarios);
    return [...new Set(words.flatMap((word) => {
        const names = namesOf(word);
        if (!names.length) throw new Usage(`there is no scenario or script ${word}; --help lists them`);
        return names;
    }))];
}

function chosenCandidates(only) {
    const names = only?.split(',') ?? Object.keys(candidates);
    const unknown = names.find((name) => !candidates[name]);
    if (unknown) throw new Usage(`there is no ${unknown}: ${Object.keys(candidates).join(', ')}`);
    return Object.keys(candidates).filter((name) => names.includes(name));
}

export function readOptions(argv) {
    const options = {};
    const words = [];
    const left = [...argv];
    while (left.length) {
        const word = left.shift();
        const name = word.replace(/^--/, '');
        if (!word.startsWith('--')) words.push(word);
        else if (name === 'quick' || name === 'help') options[name] = true;
        else if (!counts.includes(name) && !texts.includes(name)) throw new Usage(`what is ${word}?`);
        else if (!left.length) throw new Usage(`${word} wants a value`);
        else options[name] = left.shift();
    }
    for (const name of counts) {
        if (options[name] === undefined) continue;
        options[name] = Number(options[name]);
        if (!(Number.isInteger(options[name]) && options[name] > 0))
            throw new Usage(`--${name} wants a whole number`);
    }
    const scenarioNames = chosenScenarios(words);
    return { ...options, scenarios: scenarioNames, candidates: chosenCandidates(options.only),
        rounds: options.rounds ?? (options.quick ? 1 : 3) };
}

/* What bounds a run of a race; the warm-up is in no figure. */
export const boundsOf = ({ messages, seconds }) => (messages ? ['--messages', messages]
    : ['--seconds', seconds ?? 1, '--warmup', 1]);
