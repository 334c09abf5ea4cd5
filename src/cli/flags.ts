import * as Flags from '@oclif/core/flags';

/** Flags that several commands share, each with one meaning. */
export const workspaceFlag = Flags.string({
  summary: 'the workspace, or the directory that holds its .mtls',
  env: 'MTLS_WORKSPACE',
  helpValue: 'DIR',
  helpGroup: 'GLOBAL',
});

/** A flag that may be given several times, a file each. */
export const filesFlag = (summary: string) => Flags.string({ summary, multiple: true, multipleNonGreedy: true, helpValue: 'FILE' });
