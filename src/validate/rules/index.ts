import { authority, pathLength } from './authority.js';
import { dates } from './dates.js';
import { extensions } from './extensions.js';
import { keys } from './keys.js';
import { name } from './name.js';
import { nameConstraints } from './name-constraints.js';
import { policies } from './policies.js';
import { extendedKeyUsage, keyUsage } from './purpose.js';
import type { Rule } from './rule.js';
import { signature } from './signature.js';

/** What must hold of a path, in the order in which it is told; revocation comes behind these. */
export const PATH_RULES: readonly Rule[] = [
  extendedKeyUsage,
  keyUsage,
  name,
  dates,
  keys,
  extensions,
  signature,
  authority,
  pathLength,
  nameConstraints,
  policies,
];
