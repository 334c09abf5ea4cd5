import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { shellWord } from '../../errors.js';
import { type DoctorFinding, found } from './findings.js';

/** The workspace's own `.gitignore`, which leaves everything out. */
export function checkGitignore(workspace: string): DoctorFinding[] {
  const file = join(workspace, '.gitignore');
  if (ignoresAll(file)) return [];
  return [found('GITIGNORE_MISSING', file, `${file}: expected the line *, found none`, ignoreAll(file))];
}

const ignoreAll = (file: string): string => `echo '*' > ${shellWord(file)}`;

function ignoresAll(file: string): boolean {
  try {
    const lines = fs.readFileSync(file, 'utf8').split(/\r?\n/);
    return lines.includes('*') && !lines.some((line) => line.startsWith('!'));
  } catch {
    return false;
  }
}

/**
 * Keys in a git work tree that it took in, or would. `git` answers where it is installed and will; else a `.gitignore`
 * that leaves everything out is taken for an answer, and nothing else is.
 */
export function checkGit(keys: readonly string[], workspace?: string): DoctorFinding[] {
  return keys.flatMap((key) => {
    // git does not look through the links by which a service's files are laid
    const real = realPath(key);
    const tree = real === undefined ? undefined : workTreeOf(dirname(real));
    if (real === undefined || tree === undefined) return [];
    const tracked = git(tree, ['ls-files', '--error-unmatch', '--', real]) === 0;
    if (tracked) {
      const remedy = `git -C ${shellWord(tree)} rm --quiet --cached -- ${shellWord(real)}`;
      return [found('KEY_IN_GIT', key, `${key}: git has it, so that everyone with the repository does; expected a new key`, remedy)];
    }
    if (isIgnored(real, tree)) return [];
    const own = workspace === undefined ? undefined : realPath(workspace);
    const isOurs = own !== undefined && real.startsWith(`${own}/`);
    const remedy = isOurs
      ? ignoreAll(join(own, '.gitignore'))
      : `echo ${shellWord(`/${basename(real)}`)} >> ${shellWord(join(dirname(real), '.gitignore'))}`;
    return [found('KEY_NOT_IGNORED', key, `${key}: expected the git work tree ${tree} to ignore it, and it does not`, remedy)];
  });
}

function isIgnored(file: string, tree: string): boolean {
  const status = git(tree, ['check-ignore', '--quiet', '--', file]);
  if (status === 0 || status === 1) return status === 0;
  for (let directory = dirname(file); directory.startsWith(tree); directory = dirname(directory)) {
    if (ignoresAll(join(directory, '.gitignore'))) return true;
    if (directory === dirname(directory)) return false;
  }
  return false;
}

/** A repository may name a program that git is to run first (core.fsmonitor): not for us. Null when git could not be asked. */
function git(tree: string, words: readonly string[]): number | null {
  return spawnSync('git', ['-C', tree, '-c', 'core.fsmonitor=false', ...words], { stdio: 'ignore', timeout: 5_000 }).status;
}

function workTreeOf(from: string): string | undefined {
  for (let directory = from; ; directory = dirname(directory)) {
    if (fs.existsSync(join(directory, '.git'))) return directory;
    if (directory === dirname(directory)) return undefined;
  }
}

function realPath(path: string): string | undefined {
  try {
    return fs.realpathSync(path);
  } catch {
    return undefined;
  }
}
