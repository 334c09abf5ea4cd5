import * as fs from 'node:fs';
import { readFileBounded } from '../../base/files.js';
import { readYaml } from '../../base/yaml.js';
import { MtlsError } from '../../errors.js';
import { Fields, type Problem } from '../issue/fields.js';

/** What a policy or a profile may weigh. */
const CONFIG_LIMIT = 65_536;

/** In what a team writes its policy and its profiles. */
export const EXTENSIONS = ['.yaml', '.json'] as const;

/**
 * What a file of the workspace says, read by `read` from its map. What is not read to its end without a problem is not
 * read at all: POLICY_INVALID, with all the problems. `text` is for those who have it already.
 */
export async function readConfig<Key extends string, T>(
  path: string,
  keys: readonly Key[],
  read: (fields: Fields<Key>) => T,
  text = readFileBounded(path, CONFIG_LIMIT, 'YAML').toString('utf8'),
): Promise<T> {
  const problems: Problem[] = [];
  if (path.endsWith('.json')) assertJson(path, text);
  // JSON is YAML, which knows lines, and a key that is there twice
  const { root, faults } = await readYaml(text.replace(/^\ufeff/, ''));
  if (faults.length === 0) {
    const fields = Fields.of(root, keys, { problems, what: 'the file' });
    const value = fields === undefined ? undefined : read(fields);
    if (problems.length === 0) return value as T;
  }
  const all = [...faults.map(({ line, problem }) => ({ line, message: problem })), ...problems].sort((a, b) => a.line - b.line);
  throw new MtlsError('POLICY_INVALID', { path, problems: all.map(({ line, message }) => `line ${line}: ${message}`) });
}

function assertJson(path: string, text: string): void {
  try {
    JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new MtlsError('POLICY_INVALID', { path, problems: ['not JSON'] }, { cause: error });
  }
}

/**
 * The one file of a stem that there is, among its `EXTENSIONS`; undefined when there is none. Two of them are
 * POLICY_INVALID, for nobody knows which one holds, and so is `.yml`, which would be passed over.
 */
export function configPath(stem: string): string | undefined {
  const [first, second] = EXTENSIONS.map((extension) => `${stem}${extension}`).filter((path) => isThere(path));
  if (second !== undefined)
    throw new MtlsError('POLICY_INVALID', { path: second, problems: [`there is ${first} too, expected one of them`] });
  if (isThere(`${stem}.yml`))
    throw new MtlsError('POLICY_INVALID', { path: `${stem}.yml`, problems: ['expected its name to end in .yaml'] });
  return first;
}

/** Also a link to nowhere is there: what cannot be read may not count as no policy. */
const isThere = (path: string): boolean => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
