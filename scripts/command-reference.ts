import { fenced, table } from './markdown.js';

interface Flag {
  readonly name: string;
  readonly char?: string;
  readonly type: 'boolean' | 'option';
  readonly summary?: string;
  readonly description?: string;
  readonly helpValue?: string | readonly string[];
  readonly options?: readonly string[];
  readonly default?: unknown;
  readonly env?: string;
  readonly required?: boolean;
  readonly multiple?: boolean;
  readonly allowNo?: boolean;
  readonly hidden?: boolean;
}

interface Arg {
  readonly name: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly hidden?: boolean;
}

interface Command {
  readonly id: string;
  readonly summary?: string;
  readonly description?: string;
  readonly usage?: string | readonly string[];
  readonly examples?: readonly (string | { readonly description: string; readonly command: string })[];
  readonly args: Readonly<Record<string, Arg>>;
  readonly flags: Readonly<Record<string, Flag>>;
  readonly strict: boolean;
  readonly hidden?: boolean;
}

/** What oclif.manifest.json says of the commands. */
export interface Manifest {
  readonly commands: Readonly<Record<string, Command>>;
}

/** The reference of all commands, in sections of Markdown. */
export function commandReference({ commands }: Manifest): readonly string[] {
  const shown = Object.values(commands)
    .filter(({ hidden }) => hidden !== true)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return [
    '# Commands',
    'Every command takes `--json` (one JSON object on stdout and nothing else; a command that runs long prints one object a line) and `--help`. Exit codes: 0 good, 1 examined and found bad, 2 could not do it ([errors](errors.md)), 70 a bug of ours, 130 interrupted.',
    table(
      ['command', ''],
      shown.map(({ id, summary }) => [`[${wordsOf(id)}](#mtls-${id.replaceAll(':', '-')})`, summary ?? '']),
    ),
    ...shown.flatMap(section),
  ];
}

const wordsOf = (id: string): string => id.replaceAll(':', ' ');

function section(command: Command): readonly string[] {
  const flags = Object.values(command.flags).filter(({ name, hidden }) => name !== 'json' && hidden !== true);
  const args = Object.values(command.args).filter(({ hidden }) => hidden !== true);
  return [
    `## mtls ${wordsOf(command.id)}`,
    `${sentence(command.summary)}${command.description === undefined ? '' : `\n\n${resolve(command.description, command)}`}`,
    fenced(usageOf(command, args, flags)),
    ...(args.some(({ description }) => description !== undefined)
      ? [
          table(
            ['argument', ''],
            args.map(({ name, description }) => [`\`${name.toUpperCase()}\``, description ?? '']),
          ),
        ]
      : []),
    ...(flags.length === 0
      ? []
      : [
          table(
            ['flag', ''],
            flags.map((flag) => [`\`${spelling(flag)}\``, meaningOf(flag)]),
          ),
        ]),
    ...examplesOf(command),
  ];
}

function usageOf(command: Command, args: readonly Arg[], flags: readonly Flag[]): string {
  if (command.usage !== undefined) {
    return [command.usage]
      .flat()
      .map((line) => `mtls ${resolve(line, command)}`)
      .join('\n');
  }
  const words = args.map(({ name, required }, i) => {
    const more = !command.strict && i === args.length - 1 ? '…' : '';
    return required === true ? `${name.toUpperCase()}${more}` : `[${name.toUpperCase()}${more}]`;
  });
  const needed = flags.filter(({ required }) => required === true).map((flag) => `--${flag.name} ${valueOf(flag)}`.trimEnd());
  return ['mtls', wordsOf(command.id), ...words, ...needed, ...(flags.length > needed.length ? ['[FLAGS]'] : [])].join(' ');
}

function spelling(flag: Flag): string {
  const long = flag.allowNo === true ? `--[no-]${flag.name}` : `--${flag.name}`;
  return `${flag.char === undefined ? '' : `-${flag.char}, `}${long} ${valueOf(flag)}`.trimEnd();
}

function valueOf({ type, helpValue, options, name }: Flag): string {
  if (type === 'boolean') return '';
  return [helpValue ?? shortList(options) ?? name.toUpperCase()].flat().join(' ');
}

/** `a|b|c`, when that is short enough to stand in the place of a value. */
function shortList(options: readonly string[] | undefined): string | undefined {
  const list = options?.join('|');
  return list !== undefined && list.length <= 30 ? list : undefined;
}

function meaningOf(flag: Flag): string {
  const notes = [
    ...(flag.required === true ? ['required'] : []),
    ...(flag.multiple === true ? ['may be given several times'] : []),
    ...(flag.options !== undefined && valueOf(flag) !== shortList(flag.options) ? [`one of ${flag.options.join(', ')}`] : []),
    ...(typeof flag.default === 'string' || typeof flag.default === 'number' ? [`default: ${flag.default}`] : []),
    ...(flag.env === undefined ? [] : [`or the environment variable \`${flag.env}\``]),
  ];
  return [flag.summary ?? flag.description ?? '', ...notes].filter((part) => part !== '').join('; ');
}

function examplesOf(command: Command): readonly string[] {
  const examples = (command.examples ?? []).map((example) =>
    typeof example === 'string' ? resolve(example, command) : `# ${example.description}\n${resolve(example.command, command)}`,
  );
  return examples.length === 0 ? [] : [fenced(examples.join('\n'))];
}

/** The few placeholders of oclif that examples and usage have. */
function resolve(text: string, { id }: Command): string {
  return text.replace(/<%=\s*config\.bin\s*%>/g, 'mtls').replace(/<%=\s*command\.id\s*%>/g, wordsOf(id));
}

const sentence = (text = ''): string => (text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
