import { DEFAULT_TRUST_DOMAIN, asTrustDomain, type InitializeOptions } from '../authority/index.js';
import { MtlsError } from '../errors.js';
import { KEY_TYPES, type KeyType } from '../pki/key.js';

/** May we ask? Only when there is somebody at both ends. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true && process.env['CI'] === undefined;
}

/** Asks what a new workspace is to be. Ctrl-C is INTERRUPTED, and nothing was made. */
export async function askForWorkspace(): Promise<Pick<InitializeOptions, 'trustDomain' | 'keyType'>> {
  const { default: inquirer } = await import('inquirer');
  try {
    return await inquirer.prompt<{ trustDomain: string; keyType: KeyType }>([
      { type: 'input', name: 'trustDomain', message: 'trust domain', default: DEFAULT_TRUST_DOMAIN, validate: whyNotTrustDomain },
      { type: 'select', name: 'keyType', message: 'key type', choices: [...KEY_TYPES], default: KEY_TYPES[0] },
    ]);
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') throw new MtlsError('INTERRUPTED', {}, { cause: error });
    throw error;
  }
}

function whyNotTrustDomain(text: string): true | string {
  try {
    asTrustDomain(text);
    return true;
  } catch (error) {
    if (error instanceof MtlsError) return error.message;
    throw error;
  }
}
