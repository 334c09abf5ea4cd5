import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadOptions, PJSON, Plugin } from '@oclif/core/interfaces';

/**
 * What oclif asks to run one command that is already found: the package in `root`, and no list of the others, which takes
 * longer to read and sort than most commands take. It is not loaded: whoever runs the command does that.
 */
export function commandConfig(root: string): LoadOptions {
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PJSON;
  const plugin: Plugin = {
    ...{ name: pjson.name, alias: pjson.name, version: pjson.version, type: 'core', moduleType: 'module', valid: true },
    ...{ _base: '', root, pjson, isRoot: true, hasManifest: false, options: { root } },
    ...{ commands: [], commandIDs: [], commandsDir: undefined, hooks: {}, topics: [] },
    load: () => Promise.resolve(),
    findCommand: () => undefined as never,
  };
  return { root, plugins: new Map([[plugin.name, plugin]]) };
}
