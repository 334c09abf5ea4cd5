/**
 * Makes the references in docs/ from the tables in src/ and from oclif.manifest.json (so build first): `npm run generate`.
 * With `--check` it writes nothing and names what is stale.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { DOCTOR_FINDINGS } from '../src/authority/doctor/index.js';
import { ERRORS, EXIT } from '../src/errors.js';
import { DIAGNOSES } from '../src/probe/diagnoses.js';
import { DEPLOYMENT_FINDINGS } from '../src/validate/deployment/findings.js';
import { FINDINGS } from '../src/validate/findings.js';
import { LINT_RULES, PROFILES } from '../src/validate/lint/index.js';
import { type Manifest, commandReference } from './command-reference.js';
import { table } from './markdown.js';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const MADE_BY = '<!-- Made by `npm run generate`. Change the source, not this file. -->';

const DOCUMENTS: Readonly<Record<string, () => readonly string[]>> = {
  'docs/errors.md': () => [
    '# Errors',
    'What can keep a command from doing its work. The code is stable: under `--json` it is `error.code`, and the library throws an `MtlsError` with it. The message may change.',
    table(
      ['code', 'when it happens', 'exit code'],
      Object.entries(ERRORS).map(([code, entry]) => [`\`${code}\``, entry.when, String('exit' in entry ? entry.exit : EXIT.could_not)]),
    ),
  ],
  'docs/diagnoses.md': () => [
    '# Diagnoses',
    'What `mtls probe` can come to: `diagnosis.code`, the side that has to change something, the stage of the handshake at which it shows, what it means, and the first thing to do. The codes are stable. When several fit the evidence, `code` is the likeliest and `alternatives` names the others.',
    table(
      ['code', 'side', 'stage', 'meaning', 'first step'],
      Object.entries(DIAGNOSES).map(([code, { side, stage, meaning, first }]) => [`\`${code}\``, side, stage, meaning, first]),
    ),
  ],
  'docs/findings.md': () => [
    '# Findings',
    'What `mtls verify` can have against a certificate: `errors[].code`, and the rule that is broken. The codes are stable.',
    table(
      ['code', 'what it says', 'source'],
      Object.entries(FINDINGS).map(([code, { meaning, source }]) => [`\`${code}\``, meaning, source ?? 'our own limit']),
    ),
    '`mtls verify --dir` has these beside them, and the [errors](errors.md) of reading files:',
    table(
      ['code', 'what it says', 'source'],
      Object.entries(DEPLOYMENT_FINDINGS).map(([code, { meaning, source }]) => [`\`${code}\``, meaning, source ?? '']),
    ),
  ],
  'docs/lint.md': () => [
    '# Rules of lint',
    'What `mtls lint` looks for: `findings[].code`, how bad it is, in which profiles, what is wrong, and where it is written. The codes are stable. An error breaks a must or cannot work, a warning will hurt, a notice is worth knowing. `mtls lint` exits 1 for errors and warnings; `--ignore CODE` leaves a rule out.',
    table(
      ['profile', 'rules'],
      PROFILES.map((profile) => [`\`${profile}\``, String(LINT_RULES.filter(({ profiles }) => profiles.includes(profile)).length)]),
    ),
    table(
      ['code', 'severity', 'profiles', 'what is wrong', 'source'],
      LINT_RULES.map(({ id, severity, profiles, title, source }) => [`\`${id}\``, severity, profiles.join(' '), title, source]),
    ),
  ],
  'docs/doctor.md': () => [
    '# What the doctor finds',
    'What `mtls doctor` can have against a workspace: `checks[].findings[].code`, and how bad it is. The codes are stable. `mtls doctor` exits 1 for errors and warnings; a notice is worth knowing.',
    table(
      ['code', 'severity', 'what it says'],
      Object.entries(DOCTOR_FINDINGS).map(([code, { severity, meaning }]) => [`\`${code}\``, severity, meaning]),
    ),
    'Services have the [findings](findings.md) of `mtls verify --dir` beside them, and files that cannot be read the [errors](errors.md).',
  ],
  'docs/commands.md': () => commandReference(JSON.parse(readFileSync('oclif.manifest.json', 'utf8')) as Manifest),
};

const isCheck = process.argv.includes('--check');
for (const [path, sections] of Object.entries(DOCUMENTS)) {
  const text = await format([MADE_BY, ...sections()].join('\n\n'), { ...(await resolveConfig(path)), filepath: path });
  const old = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  if (old === text) continue;
  if (isCheck) {
    console.error(`${path} is ${old === undefined ? 'missing' : 'stale'}: npm run generate`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    console.log(`${path} ${old === undefined ? 'made' : 'changed'}`);
  }
}
