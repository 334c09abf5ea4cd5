import { join } from 'node:path';
import * as fs from 'node:fs';
import { EXTENSIONS } from '../policy/config-file.js';
import { readWorkspacePolicy } from '../policy/policy.js';
import { readProfiles } from '../policy/profiles.js';
import type { Examined } from './examined.js';
import { namesIn } from './examined.js';
import { type DoctorFinding, asFinding } from './findings.js';

/** The policy and each profile can be read: what cannot lets nothing be issued. */
export async function checkPolicies({ paths: { policy, profiles } }: Examined): Promise<DoctorFinding[]> {
  const findings = await reading(policy, () => readWorkspacePolicy(policy));
  if (!fs.existsSync(profiles)) return findings;
  const stems = namesIn(profiles, findings).flatMap((name) => {
    const extension = [...EXTENSIONS, '.yml'].find((each) => name.endsWith(each));
    return extension === undefined ? [] : [{ name: name.slice(0, -extension.length), file: join(profiles, name) }];
  });
  for (const { name, file } of stems) findings.push(...(await reading(file, () => readProfiles(profiles, [name]))));
  return findings;
}

async function reading(file: string, read: () => Promise<unknown>): Promise<DoctorFinding[]> {
  try {
    await read();
    return [];
  } catch (error) {
    return [asFinding(file, error)];
  }
}
