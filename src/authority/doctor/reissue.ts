import * as fs from 'node:fs';
import { shellWord } from '../../errors.js';
import type { Issued } from '../ledger/ledger.js';
import { ours } from './findings.js';
import { defaultNames } from '../policy/profiles.js';
import type { Examined, ExaminedService } from './examined.js';

/** The command that issues a service's next certificate, with what its last one was issued with. */
export function reissue({ name, paths: { key } }: ExaminedService, last: Issued | undefined, { paths }: Examined): string {
  const words = last === undefined ? [] : flagsOf(last);
  // the key is with its owner, and the next request comes from there
  const keyless = fs.existsSync(key) ? [] : ['--csr', `${name}.csr`];
  return ours(['issue', shellWord(name), ...words, ...keyless].join(' '), paths.directory);
}

function flagsOf({ name, namespace, profile, dns, ip, uri }: Issued): string[] {
  const trustDomain = /^spiffe:\/\/([^/]*)/.exec(uri)?.[1] ?? '';
  const usual = defaultNames({ name, namespace, trustDomain });
  const flag = (word: string, values: readonly string[], known: readonly string[]): string[] =>
    values.filter((value) => !known.includes(value)).flatMap((value) => [word, shellWord(value)]);
  return [
    ...flag('--for', [profile], ['peer']),
    ...flag('--namespace', [namespace], ['default']),
    ...flag('--dns', dns, [...usual.dns, ...usual.local.dns]),
    ...flag('--ip', ip, usual.local.ip),
    ...flag('--uri', [uri], usual.uri),
  ];
}
