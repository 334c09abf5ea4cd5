import type Inquirer from 'inquirer';
import { DEFAULT_TRUST_DOMAIN, asTrustDomain, type InitializeOptions } from '../authority/index.js';
import { MtlsError } from '../errors.js';
import { KEY_TYPES, type KeyType } from '../pki/key.js';

/** May we ask? Only when there is somebody at both ends. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true && process.env['CI'] === undefined;
}

/** Asks what a new workspace is to be. Ctrl-C is INTERRUPTED, and nothing was made. */
export async function askForWorkspace(): Promise<Pick<InitializeOptions, 'trustDomain' | 'keyType'>> {
  return asking((inquirer) =>
    inquirer.prompt<{ trustDomain: string; keyType: KeyType }>([
      { type: 'input', name: 'trustDomain', message: 'trust domain', default: DEFAULT_TRUST_DOMAIN, validate: whyNotTrustDomain },
      { type: 'select', name: 'keyType', message: 'key type', choices: [...KEY_TYPES], default: KEY_TYPES[0] },
    ]),
  );
}

/** Asks for the passphrase that opens `path`, on stderr and unseen. Ctrl-C is INTERRUPTED. */
export const askForPassphrase = (path: string): Promise<string> =>
  asking((inquirer) => askUnseen(inquirer, `passphrase of ${path}`, () => true));

/** Asks for a passphrase that is to protect `what`, twice: nobody sees what they type. Ctrl-C is INTERRUPTED. */
export function askForNewPassphrase(what: string): Promise<string> {
  return asking(async (inquirer) => {
    const passphrase = await askUnseen(inquirer, `new passphrase for ${what}`, (typed) => typed !== '' || 'at least one character');
    const isSame = (typed: string): true | string => typed === passphrase || 'not what was typed before; Ctrl-C to begin anew';
    return askUnseen(inquirer, 'the same again', isSame);
  });
}

/** Asks for `name` to be typed, on stderr: whoever does knows what is about to be lost. Ctrl-C is INTERRUPTED. */
export async function askToTypeName(what: string, name: string): Promise<void> {
  await asking((inquirer) => {
    const prompt = inquirer.createPromptModule({ output: process.stderr });
    const validate = (typed: string): true | string => typed === name || `type ${name}; Ctrl-C to leave everything as it is`;
    return prompt<{ typed: string }>([{ type: 'input', name: 'typed', message: `${what}: type its name, ${name}`, validate }]);
  });
}

async function askUnseen(inquirer: typeof Inquirer, message: string, validate: (typed: string) => true | string): Promise<string> {
  const prompt = inquirer.createPromptModule({ output: process.stderr });
  const { typed } = await prompt<{ typed: string }>([{ type: 'password', name: 'typed', message, validate }]);
  return typed;
}

async function asking<T>(ask: (inquirer: typeof Inquirer) => Promise<T>): Promise<T> {
  const { default: inquirer } = await import('inquirer');
  try {
    return await ask(inquirer);
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
