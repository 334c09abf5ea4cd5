import { nearest } from '../base/nearest.js';
import { MtlsError } from '../errors.js';
import { type Typed, typedAgain } from './typed.js';

/** Words that are no command of ours. Throws USAGE; those of the plugin and of oclif itself pass. */
export function assertCommand([word = '', ...words]: readonly string[], commands: readonly string[]): void {
  if (word === '' || ['--help', '--version', ...commands].includes(word)) return;
  const ofTopic = commands.filter((command) => command.startsWith(`${word} `));
  if (ofTopic.length > 0) return assertOfTopic(word, words, ofTopic);
  if (word === 'help' || word === '-h') {
    const [about] = words;
    throw new MtlsError('USAGE', {
      problem: `unknown command ${word}`,
      hint: about !== undefined && commands.includes(about) ? `mtls ${about} --help` : 'mtls --help',
    });
  }
  if (word.startsWith('-')) throw new MtlsError('USAGE', { problem: `the command comes first, found ${word}` });
  const meant = nearest(word, commands);
  throw new MtlsError('USAGE', {
    problem: `unknown command ${word}`,
    ...(meant === undefined ? {} : { hint: typedAgain(meant, words) }),
  });
}

/** Behind `authority` stands what to do with it, or nothing but a wish for help. */
function assertOfTopic(topic: string, [second, ...words]: readonly string[], commands: readonly string[]): void {
  if (second === undefined || second === '--help' || commands.includes(`${topic} ${second}`)) return;
  const meant = nearest(`${topic} ${second}`, commands);
  throw new MtlsError('USAGE', {
    problem: `unknown command ${topic} ${second}`,
    hint: meant === undefined ? `mtls ${topic} --help` : typedAgain(meant, words),
  });
}

/** What oclif's parser says of a command line: one line, in our words. */
export function usageError(error: Error, { command, words, flags }: Typed): MtlsError<'USAGE'> {
  const { args, flags: unknown } = error as { readonly args?: readonly Described[]; readonly flags?: readonly string[] };
  // RequiredArgsError, NonExistentFlagsError, UnexpectedArgsError: told apart by what they carry
  if (args?.[0] !== undefined && typeof args[0] === 'object')
    return usage(error, `missing: ${args.map(({ name, description }) => description ?? name).join(', ')}`);
  const [flag] = unknown ?? [];
  if (flag === undefined || command === undefined) return usage(error, inOneLine(error.message));
  const meant = flag.startsWith('--') ? nearest(flag.slice(2).split('=', 1)[0]!, flags) : undefined;
  const right = words.map((word) => (word === flag || word.startsWith(`${flag}=`) ? `--${meant}${word.slice(flag.length)}` : word));
  return usage(error, `unknown flag ${unknown!.join(', ')}`, meant === undefined ? undefined : typedAgain(command, right));
}

interface Described {
  readonly name: string;
  readonly description?: string;
}

const usage = (cause: Error, problem: string, hint?: string): MtlsError<'USAGE'> =>
  new MtlsError('USAGE', { problem, ...(hint === undefined ? {} : { hint }) }, { cause });

/** What oclif says in several lines, with what is only noise left out, and a flag as it is typed. */
function inOneLine(message: string): string {
  return message
    .split('\n')
    .map((line) => line.trim().replace(/ {2,}/g, ': '))
    .filter((line) => line !== '' && !/^(See more help|Note:|Alternatively, |The following errors? occurred)/.test(line))
    .map((line) => line.replace(/^./, (first) => first.toLowerCase()).replace(/^missing required flag (?=\w)/, 'missing --'))
    .join('; ');
}
